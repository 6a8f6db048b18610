"""Random functional models, and what their outputs see as measured from the model itself.

    builder = Builder(seed)
    seen = measure(builder)  # (rows, columns, height, width) booleans
    mismatch(seed)           # where the computed fields differ, or None

    python -m tests.analysis.random_models --count 10000 --first 1000000

Two families of models make the measurement exact. In a *positive* one all weights and values are
positive and every layer is monotone, so a large impulse at a pixel changes an output if and only if
the output sees the pixel: maximum pooling, ReLU and products may be used. In a *linear* one the
image is zero, there are no biases and every layer maps zero to zero, so an output of an impulse is
not zero if and only if it sees it: kernels may have negative taps (bicubic), and statistics may be
divided by. Everything runs in float64.
"""

import argparse
import time

import keras
import numpy as np
from keras import layers, ops

from keras_gen.analysis.fields import projective_field, receptive_field

FLOAT = {"dtype": "float64"}
IMPULSE = 1e15
LARGEST_AREA = 900
MOST_CHANNELS = 8


class Builder:
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

    # Dice

    def integer(self, low, high):
        return int(self.random.integers(low, high + 1))

    def pick(self, *choices):
        return choices[self.integer(0, len(choices) - 1)]

    def pair(self, low, high):
        return self.integer(low, high), self.integer(low, high)

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

    def note(self, *values, **named):
        """Write down what was chosen, to tell a failing model by."""
        named = [f"{key}={value}" for key, value in named.items()]
        self.steps[-1] += " " + ", ".join([*map(str, values), *named])

    def layer(self, kind, *args, **options):
        self.note(kind.__name__, *args, **options)
        return kind(*args, **options, **FLOAT)

    def activation(self):
        return self.pick(None, "relu", "leaky_relu") if self.positive else self.pick(None, "tanh")

    def window(self, x, largest=4):
        """A kernel, strides and a padding that fit."""
        padding = self.pick("same", "valid")
        kernel = self.pair(1, largest)
        if padding == "valid":
            kernel = tuple(min(k, n) for k, n in zip(kernel, x.shape[1:3], strict=True))
        return {"kernel": kernel, "padding": padding}

    def conv(self, x):
        window, options = self.window(x), {}
        dilation = self.pair(1, 3) if self.random.random() < 0.3 else (1, 1)
        extents = [d * (k - 1) + 1 for d, k in zip(dilation, window["kernel"], strict=True)]
        if window["padding"] == "valid" and any(
            e > n for e, n in zip(extents, x.shape[1:3], strict=True)
        ):
            dilation = (1, 1)
        options["strides"] = self.pair(1, 3) if dilation == (1, 1) else (1, 1)
        options["dilation_rate"] = dilation
        options["padding"] = window["padding"]
        return self.layer(
            layers.Conv2D,
            self.integer(1, 4),
            window["kernel"],
            **options,
            activation=self.activation(),
            use_bias=self.positive,
        )(x)

    def grouped_conv(self, x):
        channels = x.shape[-1]
        if channels not in (2, 4, 6) or self.random.random() < 0.8:  # slow: compiled by XLA
            raise UnfitError
        window = self.window(x)
        return self.layer(
            layers.Conv2D,
            4,
            window["kernel"],
            padding=window["padding"],
            groups=2,
            use_bias=self.positive,
        )(x)

    def depthwise(self, x):
        window = self.window(x, 3)
        stride = self.integer(1, 2)
        dilation = self.integer(1, 2)
        if window["padding"] == "valid":
            dilation = 1
        if stride > 1 and dilation > 1 and self.random.random() < 0.5:
            stride = 1
        if x.shape[-1] * 2 > MOST_CHANNELS:
            raise UnfitError
        return self.layer(
            layers.DepthwiseConv2D,
            window["kernel"],
            strides=stride,
            dilation_rate=dilation,
            padding=window["padding"],
            depth_multiplier=self.integer(1, 2),
            use_bias=self.positive,
        )(x)

    def separable(self, x):
        window = self.window(x, 3)
        return self.layer(
            layers.SeparableConv2D,
            self.integer(1, 4),
            window["kernel"],
            strides=self.integer(1, 2),
            padding=window["padding"],
            use_bias=self.positive,
        )(x)

    def transposed(self, x):
        padding = self.pick("same", "valid")
        kernel, strides = self.pair(1, 5), self.pair(1, 3)
        output_padding = None
        if self.random.random() < 0.3:
            output_padding = tuple(self.integer(0, s - 1) for s in strides)
            if padding == "same":
                # Keras accepts an even kernel with no output padding, and TensorFlow aborts on it.
                kernel = tuple(k - 1 + k % 2 for k in kernel)
        x = self.small(x, 90)
        x = self.layer(
            layers.Conv2DTranspose,
            self.integer(1, 3),
            kernel,
            strides=strides,
            padding=padding,
            output_padding=output_padding,
            use_bias=self.positive and self.random.random() < 0.5,
        )(x)
        return x

    def small(self, x, area):
        """Keep decoders from exploding."""
        if x.shape[1] * x.shape[2] > area:
            raise UnfitError
        return x

    def average_pooling(self, x):
        return self.pooling(x, layers.AveragePooling2D)

    def max_pooling(self, x):
        return self.pooling(x, layers.MaxPooling2D)

    def pooling(self, x, kind):
        window = self.window(x)
        return self.layer(
            kind, window["kernel"], strides=self.pair(1, 3), padding=window["padding"]
        )(x)

    def adaptive_pooling(self, x):
        size = tuple(self.integer(1, n) for n in x.shape[1:3])
        return self.layer(layers.AdaptiveAveragePooling2D, size)(x)

    def adaptive_max_pooling(self, x):
        size = tuple(self.integer(1, n) for n in x.shape[1:3])
        return self.layer(layers.AdaptiveMaxPooling2D, size)(x)

    def global_pooling(self, x):
        if self.random.random() < 0.6:  # it ends all structure
            raise UnfitError
        x = self.layer(layers.GlobalAveragePooling2D, keepdims=True)(x)
        return self.layer(layers.UpSampling2D, self.pair(1, 4))(x)

    def zero_padding(self, x):
        return self.layer(layers.ZeroPadding2D, (self.pair(0, 2), self.pair(0, 2)))(x)

    def cropping(self, x):
        margins = [self.pair(0, min(2, (n - 1) // 2)) for n in x.shape[1:3]]
        return self.layer(layers.Cropping2D, tuple(margins))(x)

    def upsampling(self, x):
        return self.layer(layers.UpSampling2D, self.pair(1, 3))(self.small(x, 200))

    def smooth_upsampling(self, x):
        kinds = ["bilinear"] if self.positive else ["bilinear", "bicubic", "lanczos3", "lanczos5"]
        if self.positive and self.products:
            raise UnfitError  # TensorFlow resizes in float32, which squares of impulses overflow
        return self.layer(layers.UpSampling2D, self.pair(1, 3), interpolation=self.pick(*kinds))(
            self.small(x, 200)
        )

    def resizing(self, x):
        kinds = ["nearest", "bilinear", "area"]
        if not self.positive:
            kinds += ["bicubic", "lanczos3", "lanczos5"]
        kind = self.pick(*kinds)
        if kind != "nearest" and self.positive and self.products:
            raise UnfitError
        options = {"interpolation": kind}
        if kind not in ("nearest", "area") and self.random.random() < 0.3:
            options["antialias"] = True
        if self.random.random() < 0.3:
            options[self.pick("crop_to_aspect_ratio", "pad_to_aspect_ratio")] = True
        return self.layer(layers.Resizing, *self.pair(2, 25), **options)(x)

    def center_crop(self, x):
        height, width = x.shape[1:3]
        return self.layer(layers.CenterCrop, self.integer(1, height), self.integer(1, width))(x)

    # Operations

    def depth_to_space(self, x):
        channels, block = x.shape[-1], self.integer(2, 3)
        if channels % block**2:
            x = self.layer(layers.Conv2D, block**2, 1, use_bias=False)(x)
        self.note(block)
        return ops.depth_to_space(self.small(x, 90), block)

    def space_to_depth(self, x):
        height, width = (n // 2 * 2 for n in x.shape[1:3])
        if min(height, width) < 2 or x.shape[-1] > 4:
            raise UnfitError
        return ops.space_to_depth(x[:, :height, :width], 2)

    def shuffle_back(self, x):
        """There and back again: every pixel sees itself only."""
        x = self.space_to_depth(x)
        if self.random.random() < 0.5:
            x = self.layer(layers.DepthwiseConv2D, 3, padding="same", use_bias=False)(x)
        return ops.depth_to_space(x, 2)

    def pad(self, x):
        mode = self.pick("constant", "reflect", "symmetric")
        margins = [self.pair(0, min(2, n - 1)) for n in x.shape[1:3]]
        self.note(mode, margins)
        return ops.pad(x, [[0, 0], *map(list, margins), [0, 0]], mode=mode)

    def slicing(self, x):
        keys = [slice(None)]
        for size in x.shape[1:3]:
            start, stop = sorted(self.integer(0, size) for _ in range(2))
            keys.append(
                self.pick(
                    slice(None),
                    slice(start, stop + 1),
                    slice(start, None, 2),
                    slice(None, None, -1),
                    slice(None, None, 2),
                    slice(1, -1) if size > 2 else slice(None),
                )
            )
        self.note(keys)
        if any(n == 0 for n in np.empty((1, *x.shape[1:3]))[tuple(keys)].shape):
            raise UnfitError
        return x[tuple(keys)]

    def channels(self, x):
        if x.shape[-1] < 2:
            raise UnfitError
        half = x.shape[-1] // 2
        kind = self.pick("first", "last", "swap", "split")
        self.note(kind)
        if kind == "first":
            return x[..., :half]
        if kind == "last":
            return x[..., half:]
        if kind == "split" and x.shape[-1] % 2 == 0:
            one, other = ops.split(x, 2, axis=-1)
            one = self.layer(layers.DepthwiseConv2D, 3, padding="same", use_bias=False)(one)
            return ops.stack([one, other], axis=-1)[..., 0]
        return ops.concatenate([x[..., half:], x[..., :half]], axis=-1)

    def flip(self, x):
        return ops.flip(x, axis=self.pick(1, 2, (1, 2)))

    def roll(self, x):
        axis, shift = self.integer(1, 2), self.integer(-3, 3)
        self.note(axis, shift)
        return ops.roll(x, shift, axis=axis)

    def transpose(self, x):
        kind = self.pick("transpose", "permute", "swapaxes", "rot90")
        self.note(kind)
        if kind == "rot90":
            # An even number of turns is left out: Keras 3.15 states the wrong shape for it.
            return ops.rot90(x, k=self.pick(1, 3, -1), axes=self.pick((1, 2), (2, 1)))
        if kind == "permute":
            return layers.Permute((2, 1, 3), **FLOAT)(x)
        if kind == "swapaxes":
            return ops.swapaxes(x, 1, 2)
        return ops.transpose(x, (0, 2, 1, 3))

    def repeat(self, x):
        axis, count = self.integer(1, 2), self.integer(1, 3)
        kind = self.pick("repeat", "tile", "take")
        self.note(kind, axis, count)
        x = self.small(x, 200)
        if kind == "tile":
            return ops.tile(x, [1, count, 1, 1])
        if kind == "take":
            indices = self.random.integers(0, x.shape[axis], size=self.integer(1, 6))
            self.note(indices)
            return ops.take(x, indices, axis=axis)
        return ops.repeat(x, count, axis=axis)

    def reshape(self, x):
        """Folds and unfolds axes, windows into the batch included."""
        _, height, width, channels = x.shape
        kind = self.pick("rows", "channels", "windows", "batch_windows", "mixed")
        self.note(kind)
        if kind == "rows" and height % 2 == 0:
            x = ops.reshape(x, (-1, height // 2, 2 * width, channels))
        elif kind == "channels":
            x = ops.reshape(x, (-1, height, width * channels, 1))
        elif kind == "windows" and height % 2 == 0:
            x = ops.reshape(x, (-1, height // 2, 2, width, channels))
            x = ops.max(x, axis=2) if self.positive else ops.mean(x, axis=2)
        elif kind == "batch_windows" and height % 2 == 0 and width % 2 == 0:
            x = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
            x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
            x = ops.reshape(x, (-1, 2, 2, channels))
            x = self.layer(layers.Conv2D, 2, (2, 1), padding="same", use_bias=False)(x)
            x = ops.reshape(x, (-1, height // 2, width // 2, 2, 2, 2))
            x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
            x = ops.reshape(x, (-1, height, width, 2))
        elif kind == "mixed" and channels <= 3:
            x = ops.reshape(x, (-1, width, height, channels))
        return x

    def patches(self, x):
        height, width, channels = x.shape[1:]
        if height < 3 or width < 3 or channels > 2:
            raise UnfitError
        size, strides = self.integer(1, 3), self.integer(1, 2)
        padding = self.pick("same", "valid")
        self.note(size, strides, padding)
        x = ops.image.extract_patches(x, size, strides=strides, padding=padding)
        return x[..., :: self.integer(1, 3)]

    def reduction(self, x):
        if self.random.random() < 0.5:
            raise UnfitError
        axis = self.integer(1, 2)
        reduced = self.pick(ops.mean, ops.sum)(x, axis=axis, keepdims=True)
        self.note(axis)
        return reduced if self.random.random() < 0.3 else x + reduced

    def cumulative_sum(self, x):
        return ops.cumsum(x, axis=self.integer(1, 2))

    def blur(self, x):
        # No small whole numbers: they cancel the rounding residues of Lanczos kernels exactly.
        kernel = np.outer([0.23, 0.51, 0.29], [0.11, 0.37, 0.41, 0.13])
        kernel = np.tile(kernel[:, :, None, None], (1, 1, x.shape[-1], 1))
        fits = x.shape[1] >= 3 and x.shape[2] >= 4
        return ops.depthwise_conv(x, kernel, padding=self.pick("same", "valid") if fits else "same")

    def einsum(self, x):
        kernel = self.random.uniform(0.5, 1.5, (x.shape[-1], 3))
        kind = self.pick("einsum", "matmul", "dense", "einsum_dense")
        self.note(kind)
        if kind == "einsum":
            return ops.einsum("bhwc,cd->bhwd", x, kernel)
        if kind == "matmul":
            return ops.matmul(x, kernel)
        if kind == "dense":
            return self.layer(layers.Dense, 3, use_bias=self.positive)(x)
        height = self.integer(1, 6)
        return self.layer(layers.EinsumDense, "bhwc,hg->bgwc", (height, *x.shape[2:]))(x)

    def elementwise(self, x):
        if self.positive:
            function = self.pick(ops.relu, ops.square, ops.sqrt, lambda x: 2.0 * x + 1.0, ops.abs)
            return x if function is ops.square and self.products else function(x)
        return self.pick(ops.tanh, ops.negative, ops.arcsinh, lambda x: x * 0.7)(x)

    def batch_normalization(self, x):
        return self.layer(layers.BatchNormalization)(x)

    def regular_layers(self, x):
        kind = self.pick(layers.Dropout, layers.GaussianNoise, layers.SpatialDropout2D)
        return self.layer(kind, 0.1)(x)

    def layer_normalization(self, x):
        return self.layer(layers.LayerNormalization)(self.mixed(x))

    def group_normalization(self, x):
        if self.random.random() < 0.5:
            raise UnfitError
        return self.layer(layers.GroupNormalization, groups=1)(self.mixed(x))

    def mixed(self, x):
        """Channels of which no two are alike: of equal ones, nothing is left beside their mean."""
        return self.layer(layers.Conv2D, 3, 1, use_bias=False)(x)

    def flatten_dense(self, x):
        if self.random.random() < 0.6 or np.prod(x.shape[1:]) > 400:
            raise UnfitError
        size = self.pair(1, 4)
        x = layers.Flatten(**FLOAT)(x)
        x = self.layer(layers.Dense, size[0] * size[1] * 2, use_bias=self.positive)(x)
        return layers.Reshape((*size, 2), **FLOAT)(x)

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


class UnfitError(Exception):
    """This layer does not fit here."""


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


def measure(builder: Builder) -> np.ndarray:
    """Which pixels each output sees, measured with one impulse a pixel.

    Returns:
        Booleans `(rows, columns, height, width)`: output position, then pixel.
    """
    height, width, channels = builder.inputs.shape[1:]
    count = height * width
    impulses = np.eye(count).reshape(count, height, width, 1)
    if builder.positive:
        base = builder.random.uniform(0.5, 1.5, (height, width, channels))
        images = np.concatenate([base[None], base + IMPULSE * impulses])
        answers = run(builder.model, images)
        still = answers[0]
        seen = np.abs(answers[1:] - still) > 1e-11 * np.abs(still)
    else:
        colours = builder.random.uniform(0.5, 1.5, channels)
        seen = run(builder.model, impulses * colours) != 0
    seen = seen.any(axis=-1)
    return np.moveaxis(seen.reshape(height, width, *seen.shape[1:]), (0, 1), (2, 3))


def run(model, images):
    """Answers, one picture at a time where the model wants it."""
    if model.inputs[0].shape[0] == 1 and len(images) > 1:
        return np.concatenate([run(model, image[None]) for image in images])
    return keras.ops.convert_to_numpy(model(images, training=False)).astype("float64")


def measure_by_noise(model: keras.Model, axes: list[int], seed: int = 0) -> np.ndarray:
    """Which positions of the input each output element sees, for any model of one input.

    Each position is changed in turn, in all its channels, by noise of both signs and two sizes, in
    a random picture and in an empty one. A rough tool beside `measure`: it works for layers of
    every kind, as long as the model is small.

    Args:
        model: the model.
        axes: the axes of the input, batch included, along which positions count.
        seed: seed of the picture and the noise.

    Returns:
        Booleans: output element (without the batch), then position.
    """
    random = np.random.default_rng(seed)
    shape = model.inputs[0].shape[1:]
    sizes = [shape[axis - 1] for axis in axes]
    marks = np.zeros((np.prod(sizes), *shape))
    for mark, position in zip(marks, np.ndindex(*sizes), strict=True):
        index = [slice(None)] * len(shape)
        for axis, place in zip(axes, position, strict=True):
            index[axis - 1] = place
        mark[tuple(index)] = 1
    seen = False
    for base in (random.uniform(0.5, 1.5, shape), np.zeros(shape)):
        still = run(model, base[None])[0]
        for size in (-1e3, -1.0, 1.0, 1e3):
            noise = size * random.uniform(0.5, 1.5, marks.shape)
            changed = run(model, base + marks * noise)
            seen |= np.abs(changed - still) > 1e-10 * np.abs(still)
    seen = seen.reshape(*sizes, *still.shape)
    return np.moveaxis(seen, range(len(sizes)), range(-len(sizes), 0))


def hulls(seen: np.ndarray, image_axes: int = 2) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where the seen pixels start and stop along each axis of the image; 0 and 0 for none."""
    bounds = []
    pixels = range(seen.ndim - image_axes, seen.ndim)
    for axis in pixels:
        line = seen.any(axis=tuple({*pixels} - {axis}))
        blind = ~line.any(axis=-1)
        start = np.where(blind, 0, line.argmax(axis=-1))
        stop = np.where(blind, 0, line.shape[-1] - line[..., ::-1].argmax(axis=-1))
        bounds.append((start, stop))
    return bounds


def mismatch(seed: int) -> str | None:
    """Compare what is computed for a random model with what the model shows.

    Compared are the fields of all outputs, the size of the architecture's field (none is larger,
    unless padding reflects: then a border output may see farther), and what one pixel paints.

    Returns:
        A description of the first differences, or `None` if there are none.
    """
    builder = Builder(seed)
    rf = receptive_field(builder.model)
    seen = measure(builder)
    measured = hulls(seen)
    differing = False
    for (start, stop), (first, last) in zip(rf.bounds, measured, strict=True):
        differing |= (start != first) | (stop != last)
    lines = []
    for position in np.argwhere(differing)[:3]:
        sides = [
            [(int(a[*position]), int(b[*position])) for a, b in s] for s in (rf.bounds, measured)
        ]
        lines.append(f"output {tuple(position.tolist())}: computed {sides[0]}, measured {sides[1]}")
    reflects = any("reflect" in step or "symmetric" in step for step in builder.steps)
    sides = [(stop - start).max() for start, stop in rf.bounds]
    if not reflects and any(side > size for side, size in zip(sides, rf.size, strict=True)):
        lines.append(f"an output sees more than {rf.size}")
    pixel = tuple(builder.integer(0, size - 1) for size in rf.input_size)
    box, painted = projective_field(builder.model, *pixel), np.argwhere(seen[..., *pixel])
    expected = [slice(0, 0)] * 2
    if len(painted):
        expected = [slice(*pair) for pair in zip(painted.min(0), painted.max(0) + 1, strict=True)]
    if list(box) != expected:
        lines.append(f"pixel {pixel} paints {expected}, computed {box}")
    return "\n".join([f"seed {seed}: " + "; ".join(builder.steps), *lines]) if lines else None


def main():
    parser = argparse.ArgumentParser(description="Compare many random models with their fields.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    start, mismatches = time.time(), 0
    for done, seed in enumerate(range(options.first, options.first + options.count), start=1):
        text = mismatch(seed)
        if text:
            mismatches += 1
            print(text, flush=True)
        if done % 100 == 0:
            keras.backend.clear_session()
    minutes = (time.time() - start) / 60
    print(f"{options.count} models, {mismatches} mismatches, {minutes:.1f} minutes")


if __name__ == "__main__":
    main()
