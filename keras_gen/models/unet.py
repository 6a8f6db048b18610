"""The U-Net: an encoder that halves, a decoder that doubles, and skips that join their levels.

level 0 ──────────────── skip ───────────────→ level 0 → colours → sigmoid
    ↓ halve                                    ↑ enlarge
    level 1 ──────────── skip ────────→ level 1
        ↓                               ↑
        …      the deepest level        …

Each level is two convolutions, on the way down and again on the way up.
"""

import math
from collections.abc import Sequence

import keras
from keras import KerasTensor, Model, layers, ops

from keras_gen._util import arguments
from keras_gen.models import blocks
from keras_gen.models.upsampling import upsample
from keras_gen.sizes.skip_connections import explain_skips

DOWNSAMPLING = ("max", "strided")


NORMALIZATIONS = (None, "batch", "group")


MOST_WIDENED = 8  # times the channels at full size; more would be most of the parameters


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
    """Build a U-Net that draws an image of exactly its input's size, or of the size asked for.

    Args:
        input_shape: `(height, width, channels)` of the input: an image in 0 … 1, a one-hot label
            map, anything of float32. With `pad`, height and width may be `None`.
        size: side of the output in pixels, or `(height, width)`, where it is not the input's: the
            network then begins with a bicubic `Resizing` of its input to that size.
        depth: how often the size is halved.
        filters: channels at full size, which double with each level up to eightfold, or those of
            every level, `depth + 1` numbers. Full size is where the work is: a few will do.
        upsampling: one of the keys of `keras_gen.UPSAMPLING`.
        downsampling: `"max"` for max-pooling, `"strided"` for a convolution of stride 2.
        skips: join each level of the decoder with what the encoder kept of it. Without, the steps
            up are given so many more channels that each level has as many parameters as with its
            skip, as nearly as whole channels allow.
        residual: add each level's input to its output (through a 1×1 convolution where the
            channels differ).
        activation: one of `"leaky_relu"` (slope 0.2), `"prelu"`, `"relu"`, `"silu"`, `"tanh"`,
            `"linear"`.
        normalization: after each convolution: `None`, `"batch"` or `"group"`.
        global_residual: draw only what the input, or its enlargement, lacks. By default where there is a
            `size`, and the input has the output's channels.
        pad: take any size: a level that cannot be halved is filled up, and what is too much is
            cut off on the way back.
        margin: so many pixels more are drawn on each side, from a mirrored input, and cut off at
            the end, a multiple of 2 to the power of `depth`. Convolutions take what lies outside
            for zeros, which may show as a line along the edges; the weights are the same.
        channels: channels of the output.
        seed: seed of the initial weights.
        name: the model's name.

    Returns:
        A functional Keras model of stock layers: float32 in 0 … 1 of shape
        `(batch, height, width, channels)`.

    Raises:
        ValueError: for a size that cannot be halved so often, an open size without `pad`, or an
            option that is unknown or does not fit the others.

    Example:
        >>> unet_generator((400, 400, 7)).output_shape
        (None, 400, 400, 3)
        >>> unet_generator((64, 64, 3), size=400).output_shape
        (None, 400, 400, 3)
        >>> unet_generator((None, None, 1), pad=True).output_shape
        (None, None, None, 3)

    References:
        Ronneberger, Fischer and Brox (2015), "U-Net: convolutional networks for biomedical image
        segmentation".
    """
    size = None if size is None else arguments.as_pair(size)
    global_residual = (
        (size is not None and input_shape[-1] == channels)
        if global_residual is None
        else global_residual
    )
    _check(
        input_shape,
        size,
        depth,
        downsampling,
        normalization,
        global_residual,
        pad,
        margin,
        channels,
    )
    widths = _widths(filters, depth)
    seeds = blocks.seeds(seed)
    common = (residual, activation, normalization, seeds)

    inputs = keras.Input(input_shape, name="image")
    start = x = inputs
    if size is not None:
        start = x = layers.Resizing(*size, interpolation="bicubic", name="bicubic")(inputs)
    if margin:
        sides = ((0, 0), (margin, margin), (margin, margin), (0, 0))
        start = x = ops.pad(x, sides, mode="reflect")
    kept = []
    for level, width in enumerate(widths[:-1]):
        x = _level(x, width, *common, name=f"down_{level}")
        kept.append(x)
        x = _halve(x, downsampling, seeds, name=f"halve_{level}")
    x = _level(x, widths[-1], *common, name="bottleneck")
    for level in reversed(range(depth)):
        width, skip = widths[level], kept[level]
        arriving = width if skips else _width_without_skip(x, width, upsampling, residual)
        x = upsample(x, arriving, 2, upsampling, seed=next(seeds), name=f"enlarge_{level}")
        x = _cut(x, skip, name=f"cut_{level}") if pad else x
        if skips:
            x = layers.Concatenate(name=f"skip_{level}")([skip, x])
        x = _level(x, width, *common, name=f"up_{level}")

    # The last kernel starts at zero: untrained, the network draws its base, or an even grey.
    x = layers.Conv2D(channels, 1, kernel_initializer="zeros", name="to_rgb")(x)
    if global_residual:
        x = blocks.add_global_residual(x, start)
    if margin:
        x = layers.Cropping2D(margin, name="cut_margin")(x)
    return Model(
        inputs, layers.Activation("sigmoid", dtype="float32", name="picture")(x), name=name
    )


def _check(
    input_shape, size, depth, downsampling, normalization, global_residual, pad, margin, channels
):
    if len(input_shape) != 3 or input_shape[2] is None:
        raise ValueError(f"input_shape={input_shape} is not (height, width, channels)")
    if not isinstance(depth, int) or depth < 1:
        raise ValueError(f"depth={depth!r} is not a whole number from 1; 400 pixels take up to 4")
    for what, value, known in (
        ("downsampling", downsampling, DOWNSAMPLING),
        ("normalization", normalization, NORMALIZATIONS),
    ):
        if value not in known:
            choices = ", ".join(map(repr, known))
            raise ValueError(f"{what} {value!r} is unknown; choose one of {choices}")
    if global_residual and input_shape[2] != channels:
        raise ValueError(
            f"an input of {input_shape[2]} channels cannot be the base of {channels}; leave base "
            f"out, or set channels={input_shape[2]}"
        )
    full = tuple(input_shape[:2]) if size is None else size
    least = min((side for side in full if side is not None), default=math.inf)
    if not isinstance(margin, int) or margin % 2**depth or not 0 <= margin < least:
        raise ValueError(
            f"margin={margin!r} is not a multiple of {2**depth} below {least}: it is mirrored from "
            f"the image, and halved {depth} times"
        )
    if None in full:
        if pad:
            return
        raise ValueError(
            f"input_shape={input_shape} leaves the size open, and only multiples of {2**depth} can "
            f"be halved {depth} times; add pad=True, which takes every size, or give the size"
        )
    message = misfit(full, depth)
    if message and not pad:
        raise ValueError(f"{message}, or pad=True")


def misfit(size: int | tuple[int, int], depth: int) -> str | None:
    """Say why an image cannot be halved so often, and what would do.

    Args:
        size: side of the image, or `(height, width)`, in pixels.
        depth: how often it is to be halved.

    Returns:
        A sentence, or None where it can.

    Raises:
        ValueError: for a size or a depth below 1.

    Example:
        >>> misfit(400, 5)
        'a 5-level U-Net halves 400 to 12.5 at level 5; use 4 levels, or 384 or 416 pixels'
        >>> misfit(400, 4)
    """
    report = explain_skips(size, depth)
    if report.fits:
        return None
    square = report.size[0] == report.size[1]
    halved, choices = [], []
    for axis, side, joints, nearest in zip(
        ("height", "width"), report.size, report.joints, report.nearest, strict=True
    ):
        choices.append(" or ".join(str(n) for n in dict.fromkeys(nearest) if n is not None))
        odd = next((joint for joint in reversed(joints) if not joint.fits), None)
        if odd is not None:
            what = side if square else f"a {axis} of {side}"
            halved.append(f"{what} to {odd.skip / 2:g} at level {odd.level + 1}")
    fewer = f"{report.deepest} level{'s' * (report.deepest > 1)}, or " * (report.deepest > 0)
    pixels = choices[0] if square else f"{choices[0]} by {choices[1]}"
    # The sides of a square part at the same level; once is enough.
    parted = halved[0] if square else " and ".join(halved)
    return f"a {depth}-level U-Net halves {parted}; use {fewer}{pixels} pixels"


def _widths(filters, depth):
    """Channels of every level, the deepest last."""
    widths = [filters] if isinstance(filters, int) else [*filters]
    if len(widths) == 1 and _whole(filters):
        widths = [filters * min(2**level, MOST_WIDENED) for level in range(depth + 1)]
    if len(widths) != depth + 1 or not all(_whole(width) for width in widths):
        raise ValueError(
            f"filters={filters!r} are no channels for {depth} levels and the deepest; give one "
            f"whole number from 1, or {depth + 1}"
        )
    return widths


def _whole(number):
    return isinstance(number, int) and number >= 1


def _level(x, width, residual, activation, normalization, seeds, *, name):
    """Two 3×3 convolutions; with `residual` they only correct what passes beside them."""
    rectified = activation not in ("tanh", "linear")
    y = blocks.convolution(x, width, seeds, name=f"{name}_a", rectified=rectified)
    y = blocks.activate(_normalize(y, normalization, f"{name}_a"), activation, f"{name}_a")
    y = blocks.convolution(y, width, seeds, name=f"{name}_b", rectified=rectified)
    y = _normalize(y, normalization, f"{name}_b")
    if residual:
        if x.shape[-1] != width:
            x = blocks.convolution(x, width, seeds, kernel_size=1, name=f"{name}_beside")
        y = layers.Add(name=f"{name}_add")([x, y])
    return blocks.activate(y, activation, f"{name}_b")


def _normalize(x, normalization, name):
    if normalization == "batch":
        return layers.BatchNormalization(name=f"{name}_norm")(x)
    if normalization == "group":
        groups = math.gcd(8, x.shape[-1])
        return layers.GroupNormalization(groups, name=f"{name}_norm")(x)
    return x


def _halve(x, downsampling, seeds, *, name):
    """Half the size, an odd one rounded up, which only `pad` lets happen."""
    if downsampling == "max":
        return layers.MaxPooling2D(2, padding="same", name=name)(x)
    return blocks.convolution(x, x.shape[-1], seeds, kernel_size=4, strides=2, name=name)


def _cut(x, like, *, name):
    """Cut what arrives from below to the size of its skip."""
    if None not in (*x.shape[1:3], *like.shape[1:3]):
        over = [(0, a - b) for a, b in zip(x.shape[1:3], like.shape[1:3], strict=True)]
        return x if over == [(0, 0)] * 2 else layers.Cropping2D(over, name=name)(x)
    for axis, line in ((1, like[0, :, 0, 0]), (2, like[0, 0, :, 0])):
        # Counting the skip's pixels gives the places 0 … n − 1 while n is not known yet.
        places = ops.cumsum(ops.ones_like(line, dtype="int32")) - 1
        x = ops.take(x, places, axis=axis)
    return x


def _width_without_skip(x: KerasTensor, width: int, upsampling: str, residual: bool) -> int:
    """Channels that the step up needs so that its level has as many parameters as with a skip."""
    probe = keras.Input((2, 2, x.shape[-1]))
    one, two = (Model(probe, upsample(probe, n, 2, upsampling)).count_params() for n in (1, 2))
    each = two - one  # parameters of the step up for one channel that it gives
    read = width * (9 + residual)  # parameters of the level for one channel that it reads
    return round((width * each + 2 * width * read) / (each + read))
