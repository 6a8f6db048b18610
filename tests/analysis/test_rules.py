"""The rule of every kind of layer and operation, each against a small model that has it."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_gen.analysis.fields import receptive_field
from tests.analysis.measuring import hulls, measure_by_noise

FLOAT = {"dtype": "float64"}


def holds(model, image_axes):
    """Compare the fields of all outputs with what the model itself shows."""
    rf = receptive_field(model)
    assert len(rf.input_size) == image_axes
    positions = [axis - 1 for axis in rf._field.positions]
    depends = measure_by_noise(model, rf._propagation.image.positions)
    channels = tuple({*range(len(model.output_shape) - 1)} - {*positions})
    measured = hulls(depends.any(axis=channels), image_axes)
    for (start, stop), (first, last) in zip(rf.bounds, measured, strict=True):
        np.testing.assert_array_equal(start, first)
        np.testing.assert_array_equal(stop, last)
    return rf


def build(shape, function, batch=None):
    """A model of one function, with weights that are neither zero nor all alike."""
    inputs = keras.Input(shape, batch_size=batch, **FLOAT)
    model = keras.Model(inputs, function(inputs))
    random = np.random.default_rng(0)
    for weight in model.weights:
        if "float" in weight.dtype:
            weight.assign(random.uniform(0.2, 1.0, weight.shape))
    return model


def layer(kind, *args, **options):
    return kind(*args, **options, **FLOAT)


PICTURES = {
    # windows
    "conv with an odd stride": lambda x: layer(layers.Conv2D, 2, (3, 4), strides=(3, 2))(x),
    "depthwise, dilated and strided": lambda x: layer(
        layers.DepthwiseConv2D, 3, strides=2, dilation_rate=2, padding="same"
    )(x),
    "separable": lambda x: layer(layers.SeparableConv2D, 2, 3, padding="same")(x),
    "transposed, stride above kernel": lambda x: layer(
        layers.Conv2DTranspose, 2, 2, strides=3, padding="same", use_bias=False
    )(x),
    "transposed, output padding": lambda x: layer(
        layers.Conv2DTranspose, 2, (3, 5), strides=2, padding="same", output_padding=(0, 1)
    )(x),
    "adaptive pooling": lambda x: layer(layers.AdaptiveMaxPooling2D, (3, 4))(x),
    "ops.conv": lambda x: ops.conv(x, np.ones((3, 2, 2, 3)), strides=2, padding="same"),
    "ops.conv of few channels": lambda x: ops.conv(x[..., :1], np.ones((3, 2, 1, 3))),
    "ops.depthwise_conv": lambda x: ops.depthwise_conv(x, np.ones((3, 2, 2, 1))),
    "ops.separable_conv": lambda x: ops.separable_conv(
        x, np.ones((3, 3, 2, 1)), np.ones((1, 1, 2, 3)), padding="same"
    ),
    "ops.max_pool": lambda x: ops.max_pool(x, 2, padding="same"),
    "ops.average_pool": lambda x: ops.average_pool(x, (3, 2), strides=1),
    "gaussian blur": lambda x: ops.image.gaussian_blur(
        x, kernel_size=(3, 5), data_format="channels_last"
    ),
    "patches": lambda x: ops.image.extract_patches(x, (2, 3), strides=2, padding="same"),
    "one channel of the patches": lambda x: ops.image.extract_patches(x, 3, strides=2)[..., 3:4],
    # resizing
    **{
        f"resizing {kind}{', antialiased' * antialias}": lambda x, kind=kind, antialias=antialias: (
            layer(layers.Resizing, 5, 14, interpolation=kind, antialias=antialias)(x)
        )
        for kind in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area")
        for antialias in (False, True)
        if not (antialias and kind in ("nearest", "area"))
    },
    **{
        f"upsampling {kind}": lambda x, kind=kind: layer(
            layers.UpSampling2D, (2, 3), interpolation=kind
        )(x)
        for kind in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    },
    "resize as an operation": lambda x: ops.image.resize(x, (4, 13), interpolation="bicubic"),
    "resizing, cropped": lambda x: layer(layers.Resizing, 4, 12, crop_to_aspect_ratio=True)(x),
    "resizing, padded": lambda x: layer(layers.Resizing, 9, 5, pad_to_aspect_ratio=True)(x),
    "center crop": lambda x: layer(layers.CenterCrop, 4, 3)(x),
    "center crop of something too small": lambda x: layer(layers.CenterCrop, 4, 14)(x),
    # moves
    "pad, reflect": lambda x: ops.pad(x, [[0, 0], [3, 1], [0, 2], [0, 0]], mode="reflect"),
    "pad, symmetric": lambda x: ops.pad(x, [[0, 0], [3, 1], [0, 2], [0, 0]], mode="symmetric"),
    "pad with ones": lambda x: (
        ops.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]], constant_values=1.0)
        * ops.pad(x, [[0, 0], [0, 2], [1, 1], [0, 0]], constant_values=1.0)
    ),
    "a product with zero padding": lambda x: layer(layers.Multiply)(
        [layer(layers.ZeroPadding2D, 2)(x), ops.pad(x, [[0, 0], [4, 0], [2, 2], [0, 0]])]
    ),
    "pad images": lambda x: ops.image.pad_images(x, 1, 2, target_height=10, target_width=9),
    "crop images": lambda x: ops.image.crop_images(x, 1, 2, target_height=4, target_width=3),
    "a row": lambda x: x[:, 2],
    "a new axis": lambda x: x[:, None, ..., 0, :],
    "backwards": lambda x: x[:, ::-2, 1:-1],
    "take": lambda x: ops.take(x, [[4, 0], [1, 1]], axis=2),
    "flip": lambda x: ops.flip(x, axis=1),
    "roll": lambda x: layer(layers.Conv2D, 2, 3)(ops.roll(x, 2, axis=2)),
    "repeat unevenly": lambda x: ops.repeat(x, [1, 0, 2, 1, 1, 3, 0], axis=1),
    "tile": lambda x: ops.tile(x, [1, 2, 1, 2]),
    "meet along the height": lambda x: ops.concatenate([x, x[:, 2:]], axis=1),
    "stack": lambda x: ops.max(ops.stack([x[:, 1:], x[:, :-1]], axis=2), axis=2),
    "hstack": lambda x: ops.hstack([x, x[:, :2]]),
    "split": lambda x: ops.split(x, [2, 4], axis=1)[1],
    "unstack": lambda x: ops.unstack(x, axis=1)[3],
    "append": lambda x: ops.append(x, x[:, :, :2], axis=2),
    "flatten and back": lambda x: layers.Reshape((6, 7, 2), **FLOAT)(layers.Flatten(**FLOAT)(x)),
    "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, axis=(1, 4)), axis=1)[..., 0, :],
    "depth to space": lambda x: ops.depth_to_space(ops.tile(x, [1, 1, 1, 2]), 2),
    "space to depth, one phase": lambda x: ops.space_to_depth(x[:, :6], 2)[..., 2:4],
    "permute": lambda x: layers.Permute((2, 1, 3), **FLOAT)(x),
    "moveaxis": lambda x: ops.max(ops.moveaxis(x, -1, 1), axis=1),
    "rot90": lambda x: ops.rot90(x, k=3, axes=(1, 2)),
    # whole axes
    "dense on the channels": lambda x: layer(layers.Dense, 3)(x),
    "dense on everything": lambda x: layer(layers.Dense, 3)(layers.Flatten(**FLOAT)(x[:, 1:])),
    "einsum over the width": lambda x: ops.einsum("bhwc,wv->bhvc", x, np.ones((6, 2))),
    "matmul with itself": lambda x: ops.matmul(x[..., 0], ops.transpose(x[..., 1], (0, 2, 1))),
    "dot with a matrix": lambda x: ops.dot(x, np.ones((2, 3))),
    "einsum dense": lambda x: layer(layers.EinsumDense, "...wc,wv->...vc", (4, 2))(x),
    "mean of a row": lambda x: ops.mean(x, axis=2),
    "log-sum-exp": lambda x: x + ops.logsumexp(x, axis=1, keepdims=True),
    "variance": lambda x: ops.var(x, axis=(1, 3), keepdims=True) + x,
    "cumulative product": lambda x: ops.cumprod(x, axis=1),
    "softmax over the height": lambda x: layers.Softmax(axis=1, **FLOAT)(x),
    "softmax as activation": lambda x: layer(layers.Conv2D, 3, 2, activation="softmax")(x),
    "gated linear unit": lambda x: ops.glu(x, axis=-1),
    "gated along the width": lambda x: ops.glu(x, axis=2),
    "layer normalisation over the height": lambda x: layers.LayerNormalization(axis=1, **FLOAT)(x),
    "layer normalisation of one channel": lambda x: (
        x[:, ::-1] + layers.LayerNormalization(**FLOAT)(x[..., :1])
    ),
    "root mean square normalisation": lambda x: layers.RMSNormalization(**FLOAT)(x),
    "unit normalisation": lambda x: layers.UnitNormalization(axis=2, **FLOAT)(x),
    "group normalisation": lambda x: layer(layers.GroupNormalization, groups=2)(x),
    "group normalisation, one channel kept": lambda x: layer(layers.GroupNormalization, groups=2)(
        ops.concatenate([x[:, :3], x[:, 3:6]], -1)
    )[..., :1],
    "spectral normalisation": lambda x: layers.SpectralNormalization(
        layer(layers.Conv2D, 2, 3), **FLOAT
    )(x),
    "grey": lambda x: ops.image.rgb_to_grayscale(x[..., :1]),
    # element by element
    "where": lambda x: ops.where(x[:, ::-1] > 1.0, x, 3.0 * x[:, :, ::-1]),
    "arithmetic": lambda x: ops.clip(1.0 / (2.0 + x), 0.1, 5.0) ** 2 - ops.sigmoid(-x),
    "a constant array": lambda x: x[:, :1] + np.ones((7, 1, 2)),
    "a custom activation": lambda x: layer(layers.Conv2D, 2, 2, activation=lambda x: x * x)(x),
    "a layer as activation": lambda x: layer(layers.Conv2D, 2, 2, activation=layers.PReLU(**FLOAT))(
        x
    ),
    "nothing but regularisation": lambda x: layer(layers.SpatialDropout2D, 0.3)(
        layers.RandomFlip(**FLOAT)(layer(layers.GaussianNoise, 0.3)(x))
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name):
    holds(build((7, 6, 2), PICTURES[name]), 2)


# These state the batch, so that they are measured one image at a time.
SINGLE_PICTURES = {
    "slice": lambda x: ops.slice(x, [0, 1, 2, 0], [1, 4, 3, 2]),
    "broadcast": lambda x: ops.broadcast_to(x[:, :1], (1, 4, 6, 2)),
    "rearrange": lambda x: ops.rearrange(x[:, :6], "b (h i) (w j) c -> b h w (i j c)", i=2, j=3)[
        ..., 4:7
    ],
    "ravel": lambda x: ops.reshape(ops.ravel(x), (1, 6, 7, 2)),
    "vstack": lambda x: ops.reshape(ops.vstack([x, x[:, ::-1]]), (1, 2, 7, 6, 2))[:, :, 2],
}


@pytest.mark.parametrize("name", SINGLE_PICTURES)
def test_single_pictures(name):
    holds(build((7, 6, 2), SINGLE_PICTURES[name], batch=1), 2)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")  # that is the point
def test_the_softmax_of_a_single_channel_is_constant():
    holds(build((7, 6, 2), lambda x: x[:, ::-1] + layers.Softmax(**FLOAT)(x[..., :1])), 2)


SEQUENCES = {
    "causal": lambda x: layer(layers.Conv1D, 2, 3, padding="causal", dilation_rate=2)(x),
    "transposed": lambda x: layer(layers.Conv1DTranspose, 2, 4, strides=3)(x),
    "depthwise": lambda x: layer(layers.DepthwiseConv1D, 3, strides=2, padding="same")(x),
    "separable": lambda x: layer(layers.SeparableConv1D, 2, 3)(x),
    "pooling": lambda x: layer(layers.MaxPooling1D, 3, strides=2, padding="same")(x),
    "adaptive": lambda x: layer(layers.AdaptiveAveragePooling1D, 4)(x),
    "padding and cropping": lambda x: layers.Cropping1D((2, 1), **FLOAT)(
        layers.ZeroPadding1D((1, 2), **FLOAT)(layers.UpSampling1D(2, **FLOAT)(x))
    ),
    "attention": lambda x: layers.MultiHeadAttention(2, 3, **FLOAT)(x[:, 1:5], x[:, 3:]),
    "causal attention": lambda x: layers.MultiHeadAttention(2, 3, **FLOAT)(
        x, x, use_causal_mask=True
    ),
    "plain attention": lambda x: layers.Attention(**FLOAT)([x[:, ::2], x[:, 1:4]]),
    "global pooling": lambda x: layers.GlobalMaxPooling1D(**FLOAT)(x[:, 2:5]),
    "repeat a vector": lambda x: layers.RepeatVector(3, **FLOAT)(x[:, 2]),
    "dot": lambda x: layers.Dot(axes=2, **FLOAT)([x[:, 1:3], x[:, ::2]]),
    "masking": lambda x: layers.Masking(0.7, **FLOAT)(x),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name):
    holds(build((9, 3), SEQUENCES[name]), 1)


VOLUMES = {
    "conv": lambda x: layer(layers.Conv3D, 2, (1, 2, 3), strides=(1, 2, 1), padding="same")(x),
    "transposed": lambda x: layer(layers.Conv3DTranspose, 1, 2, strides=(2, 1, 2))(x),
    "pooling": lambda x: layers.AveragePooling3D((2, 1, 2), dtype="float32")(x),
    "upsampling": lambda x: layer(layers.UpSampling3D, (1, 2, 3))(x),
    "padding and cropping": lambda x: layer(layers.Cropping3D, ((1, 0), (0, 1), (0, 0)))(
        layer(layers.ZeroPadding3D, 1)(x)
    ),
    "pictures one by one": lambda x: layers.TimeDistributed(layer(layers.Conv2D, 2, 2), **FLOAT)(x),
}


@pytest.mark.parametrize("name", VOLUMES)
def test_volumes(name):
    holds(build((3, 4, 3, 2), VOLUMES[name]), 3)


FIRST = {"data_format": "channels_first"}
CHANNELS_FIRST = {
    "pooling": lambda x: layer(layers.MaxPooling2D, (2, 3), **FIRST)(x),
    "upsampling": lambda x: layer(layers.UpSampling2D, 2, interpolation="bilinear", **FIRST)(x),
    "padding": lambda x: layer(layers.ZeroPadding2D, ((1, 0), (2, 1)), **FIRST)(x),
    "global pooling": lambda x: layer(layers.GlobalAveragePooling2D, keepdims=True, **FIRST)(
        layer(layers.Cropping2D, ((1, 0), (2, 1)), **FIRST)(x)
    ),
    "resizing": lambda x: layer(layers.Resizing, 4, 5, **FIRST)(x),
    "flatten": lambda x: layers.Reshape((7, 6, 2), **FLOAT)(
        layers.Flatten(**FIRST, **FLOAT)(layer(layers.AveragePooling2D, 1, **FIRST)(x))
    ),
    "depth to space": lambda x: ops.depth_to_space(ops.tile(x, (1, 2, 1, 1)), 2, **FIRST),
    "space to depth": lambda x: ops.space_to_depth(x[:, :, :6], 2, **FIRST)[:, 2:4],
}


@pytest.mark.parametrize("name", CHANNELS_FIRST)
def test_channels_first(name):
    holds(build((2, 7, 6), CHANNELS_FIRST[name]), 2)


def test_latent_vectors():
    def generator(x):
        x = layers.Reshape((2, 2, 2), **FLOAT)(layer(layers.Dense, 8)(x))
        return layer(layers.Conv2DTranspose, 1, 4, strides=2, padding="same")(x)

    rf = holds(build((5,), generator), 1)
    assert rf.at(0, 3) == (slice(0, 5),)
    assert rf.stride == 0


def test_pictures_without_channels():
    def with_channels(x):
        return layer(layers.Conv2D, 2, 3)(layers.Reshape((6, 7, 1), **FLOAT)(x))

    holds(build((6, 7), with_channels), 2)
