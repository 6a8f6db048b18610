"""Random functional models, by a grammar of layers and branches.

    builder = Builder(seed)
    builder.model, builder.steps

There are two families of models. In a *positive* one all weights and values are positive and every
layer is monotone: maximum pooling, ReLU and products may be used. In a *linear* one there are no
biases and every layer maps zero to zero: kernels may have negative taps (bicubic), and statistics
may be divided by. Everything runs in float64.
"""

import keras
import numpy as np
from keras import layers, ops

from tests.analysis.random_choices import FLOAT, UnfitError
from tests.analysis.random_operations import Operations
from tests.analysis.random_windows import Windows

LARGEST_AREA = 900


SIMPLE = [
    *("conv", "conv", "conv", "grouped_conv", "depthwise", "separable", "transposed", "transposed"),
    *("average_pooling", "max_pooling", "adaptive_pooling", "adaptive_max_pooling"),
    *("global_pooling", "zero_padding", "cropping", "upsampling", "smooth_upsampling", "resizing"),
    *("center_crop", "depth_to_space", "space_to_depth", "shuffle_back", "pad", "slicing"),
    *("channels", "flip", "roll", "transpose", "repeat", "reshape", "patches", "reduction"),
    *("cumulative_sum", "blur", "einsum", "elementwise", "batch_normalization", "regular_layers"),
    *("layer_normalization", "group_normalization", "flatten_dense"),
]
BRANCHING = ["branches", "branches", "branches", "branches", "gate", "nested", "shared"]
POSITIVE_ONLY = {"max_pooling", "adaptive_max_pooling", "gate"}
LINEAR_ONLY = {"layer_normalization", "group_normalization"}


class Builder(Windows, Operations):
    """Adds random layers to a functional model."""

    def __init__(self, seed: int, depth: int = 10, positive: bool | None = None):
        self.random = np.random.default_rng(seed)
        self.positive = bool(self.random.random() < 0.5) if positive is None else positive
        self.products = 0
        height, width = (self.integer(3, 13) for _ in range(2))
        self.inputs = keras.Input((height, width, self.integer(1, 3)), **FLOAT)
        self.steps = [f"input {height}×{width}×{self.inputs.shape[-1]}"]
        x = self.inputs
        for _ in range(self.integer(1, depth)):
            x = self.grow(x)
        self.model = keras.Model(self.inputs, x)
        self.set_weights()

    # Growing

    def grow(self, x, branching=True):
        """Add one random thing that fits, or try another."""
        for _ in range(20):
            name = self.pick(*SIMPLE, *(BRANCHING if branching else []))
            if name in (LINEAR_ONLY if self.positive else POSITIVE_ONLY):
                continue
            start = len(self.steps)
            self.steps.append(name)
            try:
                grown = getattr(self, name)(x)
            except UnfitError:
                grown = None
            if grown is not None and self.fits(grown):
                return grown
            del self.steps[start:]
        return x

    def fits(self, x):
        _, height, width, channels = x.shape
        return 0 < height * width <= LARGEST_AREA and min(height, width) and channels <= 64

    # Branches

    def branches(self, x):
        """Two or three paths that meet again."""
        paths = [x]
        for _ in range(self.integer(1, 2)):
            path = x
            for _ in range(self.integer(1, 3)):
                path = self.grow(path, branching=False)
            paths.append(path)
        return self.meet(paths)

    def gate(self, x):
        """Squeeze and excitation."""
        if not self.positive or self.products:
            raise UnfitError
        self.products += 1
        gate = self.layer(layers.GlobalAveragePooling2D, keepdims=True)(x)
        gate = self.layer(layers.Conv2D, x.shape[-1], 1)(gate)
        return self.layer(layers.Multiply)([x, gate])

    def nested(self, x):
        """A model inside the model, called twice."""
        inner = keras.Input(x.shape[1:], **FLOAT)
        y = self.grow(inner, branching=False)
        y = self.grow(y, branching=False)
        model = keras.Model(inner, y)
        once = model(x)
        if once.shape[1:] == x.shape[1:] and self.random.random() < 0.5:
            return self.meet([once, model(once)])
        return once

    def shared(self, x):
        """The same layer on two tensors."""
        layer = self.layer(layers.Conv2D, 2, self.pair(1, 3), padding="same", use_bias=False)
        other = ops.flip(x, axis=1) if self.random.random() < 0.5 else ops.roll(x, 1, axis=2)
        return self.meet([layer(x), layer(other)])

    def meet(self, paths):
        """Bring paths to one size and merge them."""
        height, width = (min(path.shape[axis] for path in paths) for axis in (1, 2))
        if self.random.random() < 0.3:
            height, width = (max(path.shape[axis] for path in paths) for axis in (1, 2))
        paths = [self.bring(path, height, width) for path in paths]
        kinds = ["concatenate", "add", "average", "operator"]
        if self.positive:
            kinds += ["maximum", "multiply"] if not self.products else ["maximum"]
        else:
            kinds += ["subtract"]
        kind = self.pick(*kinds)
        self.steps.append(f"meet {kind} {height}×{width}")
        if kind == "concatenate":
            axis = self.pick(-1, -1, 1, 2)
            if axis == -1:
                return layers.Concatenate(axis=axis, **FLOAT)(paths)
            return layers.Concatenate(axis=axis, **FLOAT)(self.alike(paths))
        paths = self.alike(paths)
        if kind == "operator":
            return paths[0] + 0.7 * paths[1]
        if kind == "subtract":
            return layers.Subtract(**FLOAT)([paths[0], 0.61 * paths[1]])
        if kind == "multiply":
            self.products += 1
            return self.pick(layers.Multiply(**FLOAT), lambda x: x[0] * x[1])(paths[:2])
        return {"add": layers.Add, "average": layers.Average, "maximum": layers.Maximum}[kind](
            **FLOAT
        )([path * (1 + 0.31 * k) for k, path in enumerate(paths)])

    def bring(self, x, height, width):
        """Crop or pad to a size."""
        for axis, size in ((1, height), (2, width)):
            have = x.shape[axis]
            if have > size:
                start = self.integer(0, have - size)
                x = x[:, start : start + size] if axis == 1 else x[:, :, start : start + size]
            elif have < size:
                before = self.integer(0, size - have)
                margins = [[0, 0]] * 4
                margins[axis] = [before, size - have - before]
                x = ops.pad(x, margins)
        return x

    def alike(self, paths):
        """Bring paths to one number of channels."""
        channels = paths[0].shape[-1]
        return [
            path
            if path.shape[-1] == channels
            else self.layer(layers.Conv2D, channels, 1, use_bias=False)(path)
            for path in paths
        ]

    # Weights

    def set_weights(self):
        for layer in self.model._flatten_layers():
            if isinstance(layer, keras.Model) or not layer.weights:
                continue
            for weight in layer.weights:
                low, high = (0.5, 1.5) if self.positive else (-1.0, 1.0)
                if weight.name in ("gamma", "moving_variance"):
                    low, high = 0.5, 1.5
                if weight.name in ("beta", "moving_mean", "bias"):
                    low = high = 0.3 if self.positive and weight.name != "moving_mean" else 0.0
                values = self.random.uniform(low, high, weight.shape)
                fan = np.sqrt(max(1, np.prod(weight.shape[:-1])))
                weight.assign(values / fan)
