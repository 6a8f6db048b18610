"""Random layers and operations that move, mix or scale elements."""

import numpy as np
from keras import layers, ops

from tests.analysis.random_choices import FLOAT, Choices, UnfitError


class Operations(Choices):
    """Adds a random operation to a tensor."""

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
        """There and back again: every pixel depends on itself only."""
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
        """Channels that all differ: of equal ones, nothing is left after subtracting their mean."""
        return self.layer(layers.Conv2D, 3, 1, use_bias=False)(x)

    def flatten_dense(self, x):
        if self.random.random() < 0.6 or np.prod(x.shape[1:]) > 400:
            raise UnfitError
        size = self.pair(1, 4)
        x = layers.Flatten(**FLOAT)(x)
        x = self.layer(layers.Dense, size[0] * size[1] * 2, use_bias=self.positive)(x)
        return layers.Reshape((*size, 2), **FLOAT)(x)
