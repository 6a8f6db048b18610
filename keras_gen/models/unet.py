"""The U-Net: an encoder that halves the size, a decoder that doubles it, and skips between them.

image → level 0 ──────────────── skip ───────────────→ level 0 → to_rgb → sigmoid → picture
           ↓ halve                                     ↑ double
           level 1 ──────────── skip ─────────→ level 1
              ↓                                ↑
              …           bottleneck           …

Every level has two convolutions on the way down and two on the way up.
"""

import math
from collections.abc import Sequence

import keras
from keras import Model, layers, ops

from keras_gen._util import arguments
from keras_gen.models import blocks
from keras_gen.models.upsampling import upsample
from keras_gen.sizes.skip_connections import explain_skips

DOWNSAMPLING = ("max", "strided")
NORMALIZATIONS = (None, "batch", "group")
MAX_WIDENING = 8  # times the channels at full size; wider levels would hold most of the parameters


def unet_generator(
    input_shape: tuple[int | None, int | None, int] = (400, 400, 3),
    size: int | tuple[int, int] | None = None,
    *,
    depth: int = 4,
    filters: int | Sequence[int] = 16,
    upsampling: str = "transposed",
    downsampling: str = "max",
    skips: bool = True,
    residual: bool = False,
    activation: str = "leaky_relu",
    normalization: str | None = None,
    global_residual: bool | None = None,
    pad: bool = False,
    margin: int = 0,
    channels: int = 3,
    seed: int | None = None,
    name: str = "unet_generator",
) -> Model:
    """Build a U-Net whose output has exactly its input's size, or another requested size.

    Args:
        input_shape: `(height, width, channels)` of the input, float32: an image in 0 … 1, a one-hot
            label map, or any other feature map. With `pad`, height and width may be `None`.
        size: side of the output in pixels, or `(height, width)`, if it differs from the input's.
            The network then begins with a bicubic `Resizing` layer to that size.
        depth: number of times that the size is halved.
        filters: channels at full size, which double with each level up to eightfold; or `depth + 1`
            numbers, one for each level, the bottleneck last. Full size costs the most, so a few
            channels are enough there.
        upsampling: one of the keys of `keras_gen.UPSAMPLING`.
        downsampling: `"max"` for max-pooling, `"strided"` for a convolution of stride 2.
        skips: concatenate each level of the decoder with the encoder's level of the same size.
            Without skips, the upsampling steps get more channels, so that each level has as many
            parameters as with its skip, except for rounding to whole channels.
        residual: add each level's input to its output (He et al. 2016), through a 1×1 convolution
            where their channels differ.
        activation: `"leaky_relu"` (slope 0.2), `"prelu"`, `"relu"`, `"silu"`, `"tanh"` or
            `"linear"`.
        normalization: the kind that follows each convolution: `None`, `"batch"` or `"group"`.
        global_residual: add the input, resized to `size`, to the output, so that the network
            predicts only the difference (Kim et al. 2016). By default True if `size` is given and
            input and output have equally many channels.
        pad: accept any size: an odd size is padded before it is halved, and the decoder crops the
            surplus.
        margin: pixels added to each side of the input by reflect padding, and cropped from the
            output; a multiple of 2 to the power of `depth`. The zero padding of the convolutions,
            which can show as a line along the edges, then lies outside the picture. The weights
            do not depend on it.
        channels: channels of the output.
        seed: seed of the initial weights.
        name: the model's name.

    Returns:
        A functional Keras model of stock layers: `(batch, height, width, channels)` in, float32 of
        the same or the requested size in 0 … 1 out.

    Raises:
        ValueError: for a size that cannot be halved `depth` times, an open size without `pad`, or
            an option that is unknown or does not fit the others.

    Example:
        >>> unet_generator((400, 400, 7)).output_shape
        (None, 400, 400, 3)
        >>> unet_generator((64, 64, 3), size=400).output_shape
        (None, 400, 400, 3)
        >>> unet_generator((None, None, 1), pad=True).output_shape
        (None, None, None, 3)

    References:
        Ronneberger, Fischer and Brox (2015), "U-Net: convolutional networks for biomedical image
        segmentation". He et al. (2016), "Deep residual learning for image recognition". Kim, Lee
        and Lee (2016), "Accurate image super-resolution using very deep convolutional networks".
    """
    size = None if size is None else arguments.as_pair(size)
    _check_sizes(input_shape, size, depth, pad, margin)
    arguments.check_choice("downsampling", downsampling, DOWNSAMPLING)
    arguments.check_choice("normalization", normalization, NORMALIZATIONS)
    if global_residual is None:
        global_residual = size is not None and input_shape[2] == channels
    if global_residual and input_shape[2] != channels:
        raise ValueError(
            f"global_residual=True cannot add an input of {input_shape[2]} channels to an output "
            f"of {channels}; leave global_residual out, or set channels={input_shape[2]}"
        )
    widths = _widths(filters, depth)
    seeds = blocks.kernel_seeds(seed)
    options = {"residual": residual, "activation": activation, "normalization": normalization}

    inputs = x = keras.Input(input_shape, name="image")
    if size is not None:
        x = layers.Resizing(*size, interpolation="bicubic", name="bicubic")(x)
    if margin:
        x = blocks.reflect_pad(x, margin)
    full_size_input = x
    encoder_levels = []
    for level, width in enumerate(widths[:-1]):
        x = _level(x, width, seeds, name=f"down_{level}", **options)
        encoder_levels.append(x)
        x = _halve(x, downsampling, seeds, name=f"halve_{level}")
    x = _level(x, widths[-1], seeds, name="bottleneck", **options)
    for level in reversed(range(depth)):
        width, skip = widths[level], encoder_levels[level]
        step_width = width if skips else _width_without_skip(x, width, upsampling, residual)
        x = upsample(x, step_width, 2, upsampling, seed=next(seeds), name=f"enlarge_{level}")
        if pad:
            x = _crop_like(x, skip, name=f"cut_{level}")
        if skips:
            x = layers.Concatenate(name=f"skip_{level}")([skip, x])
        x = _level(x, width, seeds, name=f"up_{level}", **options)

    # With a kernel of zeros, the untrained network returns its input, or a flat grey.
    x = layers.Conv2D(channels, 1, kernel_initializer="zeros", name="to_rgb")(x)
    if global_residual:
        x = blocks.add_global_residual(x, full_size_input)
    if margin:
        x = layers.Cropping2D(margin, name="cut_margin")(x)
    picture = layers.Activation("sigmoid", dtype="float32", name="picture")(x)
    return Model(inputs, picture, name=name)


def _check_sizes(input_shape, size, depth, pad, margin):
    if len(input_shape) != 3 or input_shape[2] is None:
        raise ValueError(f"input_shape={input_shape} is not (height, width, channels)")
    if not isinstance(depth, int) or depth < 1:
        raise ValueError(f"depth={depth!r} is not a whole number from 1; 400 pixels take up to 4")
    full = tuple(input_shape[:2]) if size is None else size
    least = min((side for side in full if side is not None), default=math.inf)
    if not isinstance(margin, int) or margin % 2**depth or not 0 <= margin < least:
        raise ValueError(
            f"margin={margin!r} is not a multiple of {2**depth} below {least}; reflect padding "
            f"fills it from the image, and the network halves it {depth} times"
        )
    if pad:
        return
    if None in full:
        raise ValueError(
            f"input_shape={input_shape} leaves the size open, and only multiples of {2**depth} can "
            f"be halved {depth} times; add pad=True, which accepts every size, or give the size"
        )
    report = explain_skips(full, depth)
    if not report.fits:
        raise ValueError(f"{report}, or pad=True")


def _widths(filters, depth):
    """Channels of every level, the bottleneck last."""
    if isinstance(filters, int):
        widths = [filters * min(2**level, MAX_WIDENING) for level in range(depth + 1)]
    else:
        widths = list(filters)
    whole = all(isinstance(width, int) and width >= 1 for width in widths)
    if not whole or len(widths) != depth + 1:
        raise ValueError(
            f"filters={filters!r} does not fit {depth} levels and the bottleneck; give one whole "
            f"number from 1, or a sequence of {depth + 1}"
        )
    return widths


def _level(x, width, seeds, *, residual, activation, normalization, name):
    """Two 3×3 convolutions; with `residual`, they predict only a correction of their input."""
    rectified = activation not in ("tanh", "linear")
    y = blocks.convolution(x, width, seeds, name=f"{name}_a", rectified=rectified)
    y = _normalize(y, normalization, f"{name}_a_norm")
    y = blocks.activate(y, activation, f"{name}_a")
    y = blocks.convolution(y, width, seeds, name=f"{name}_b", rectified=rectified)
    y = _normalize(y, normalization, f"{name}_b_norm")
    if residual:
        if x.shape[-1] != width:
            x = blocks.convolution(x, width, seeds, kernel_size=1, name=f"{name}_beside")
        y = layers.Add(name=f"{name}_add")([x, y])
    return blocks.activate(y, activation, f"{name}_b")


def _normalize(x, normalization, name):
    if normalization == "batch":
        return layers.BatchNormalization(name=name)(x)
    if normalization == "group":
        return blocks.group_normalization(x, name)
    return x


def _halve(x, downsampling, seeds, *, name):
    """Halve the size; an odd size, which only `pad` allows, is rounded up."""
    if downsampling == "max":
        return layers.MaxPooling2D(2, padding="same", name=name)(x)
    return blocks.convolution(x, x.shape[-1], seeds, kernel_size=4, strides=2, name=name)


def _crop_like(x, skip, *, name):
    """Crop upsampled features to the size of their skip."""
    if None not in (*x.shape[1:3], *skip.shape[1:3]):
        return blocks.crop(x, skip.shape[1:3], name)
    for axis, line in ((1, skip[0, :, 0, 0]), (2, skip[0, 0, :, 0])):
        # Counting the n pixels of the skip gives the indices 0 … n − 1 while n is not known yet.
        indices = ops.cumsum(ops.ones_like(line, dtype="int32")) - 1
        x = ops.take(x, indices, axis=axis)
    return x


def _width_without_skip(x, width, upsampling, residual):
    """Channels that an upsampling step must pass on for its level to keep as many parameters.

    `step` and `level` are the parameters that the step and the level have for each of these
    channels. With a skip, the step passes on `width` channels, and the skip adds as many.
    """
    probe = keras.Input((2, 2, x.shape[-1]))
    one, two = (Model(probe, upsample(probe, n, 2, upsampling)).count_params() for n in (1, 2))
    step = two - one
    level = width * (9 + residual)  # its first 3×3 convolution, and the 1×1 one of `residual`
    return round((width * step + 2 * width * level) / (step + level))
