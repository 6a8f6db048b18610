"""The two players: a generator that draws images from noise, and a discriminator that judges them.

generator:      latent → dense, a small grid → stages that double it → colours, sigmoid
                                      └── grain, in one step to full size ──┘
discriminator:  image → convolutions of stride 2 → one score for each patch that it looks at
                  └── reduced → the same → scores for larger patches
"""

import itertools
import math

import keras
from keras import Model, layers, ops

from keras_gen._util.arguments import as_pair
from keras_gen.models.upsampling import UPSAMPLING, upsample

NOISE_STAGES = 4  # past so many stages grain is sent, at most


RESIZING = ("nearest", "bilinear", "bicubic")  # resize, then convolve


def gan_generator(
    latent_dim: int = 128,
    size: int | tuple[int, int] = 400,
    *,
    upsampling: str = "bilinear",
    filters: tuple[int, ...] = (128, 96, 48, 24, 12),
    noise_channels: int = 4,
    normalize: bool = False,
    channels: int = 3,
    seed: int | None = None,
    name: str = "gan_generator",
) -> Model:
    """Build a generator that draws an image of exactly the size asked for from a latent vector.

    Every stage doubles the size: 25 → 50 → 100 → 200 → 400. Where a half is not whole, the stage
    draws one row or column more and crops it: 401 is 26 → 51 → 101 → 201 → 401. The channels are
    many where the image is small, because at full size each costs 256 times as much.

    Args:
        latent_dim: length of the latent vector, which is drawn from the standard normal
            distribution.
        size: side of the image in pixels, or `(height, width)`.
        upsampling: one of the keys of `keras_gen.UPSAMPLING`. Those that resize and then convolve
            mirror the edges; zeros, which the others need there, draw a border.
        filters: channels of the first grid and after each stage, so one less than its length is
            the number of stages.
        noise_channels: channels of fine detail that go from the first grid, or past the last four stages,
            to full size in one sub-pixel step (Shi et al. 2016), and join the last stage there.
            Smooth enlargement leaves hardly a way to draw what differs from pixel to pixel, as the
            noise of a sensor does; here the network begins with some (Karras et al. 2019 add noise
            instead). 0: none.
        normalize: group normalisation (Wu and He 2018) after each stage. It holds every image to
            the same brightness and spread, and takes out the length of the latent: only its
            direction counts, and a truncation changes next to nothing.
        channels: channels of the image.
        seed: seed of the initial weights.
        name: the model's name.

    Returns:
        A functional Keras model of stock layers: float32 `(batch, latent_dim)` in, float32 in
        0 … 1 of `(batch, *size, channels)` out.

    Raises:
        ValueError: for an unknown upsampling method, no filters, or a size that is too small for so
            many stages.

    Example:
        >>> gan_generator(latent_dim=128, size=400).output_shape
        (None, 400, 400, 3)
    """
    if upsampling not in UPSAMPLING:
        known = ", ".join(map(repr, UPSAMPLING))
        raise ValueError(f"upsampling method {upsampling!r} is unknown; choose one of {known}")
    grids = _halved(as_pair(size), len(filters) - 1)
    seeds = itertools.count(1000 * (seed or 0)) if seed is not None else itertools.repeat(None)

    latent = keras.Input((latent_dim,), name="latent")
    # Few channels here: a dense layer needs latent_dim weights for each number of the grid.
    few = max(1, filters[0] // 16)
    dense = layers.Dense(math.prod(grids[0]) * few, kernel_initializer=_start(seeds), name="dense")
    grid = x = layers.Reshape((*grids[0], few), name="grid")(dense(latent))
    x = _stage(_convolve(x, filters[0], seeds, "start"), normalize, "start")
    source, first = grid, max(0, len(grids) - 1 - NOISE_STAGES)
    for index, (width, before, after) in enumerate(
        zip(filters[1:], grids, grids[1:], strict=False)
    ):
        label = f"stage_{index + 1}"
        resizing = upsampling in RESIZING
        if resizing:
            x = layers.UpSampling2D(2, interpolation=upsampling, name=f"{label}_resize")(x)
        else:
            x = upsample(x, width, 2, upsampling, seed=next(seeds), name=label)
        x = _crop(x, before, after, 2, label)
        if noise_channels and after == grids[-1]:
            x = layers.Concatenate(name="join_noise")(
                [x, _noise_branch(source, noise_channels, grids[first:], seeds)]
            )
        if resizing:
            x = _convolve(x, width, seeds, label)
        x = _stage(x, normalize, label)
        if noise_channels and index + 1 == first:
            source = _slim(x, few, seeds)
    x = _convolve(x, channels, seeds, "to_rgb")
    return Model(
        latent, layers.Activation("sigmoid", dtype="float32", name="picture")(x), name=name
    )


def gan_discriminator(
    input_shape: tuple[int, int, int] = (400, 400, 3),
    *,
    levels: int = 5,
    scales: tuple[int, ...] = (1,),
    filters: int = 16,
    most_filters: int = 128,
    condition_channels: int = 0,
    seed: int | None = None,
    name: str = "gan_discriminator",
) -> Model:
    """Build a discriminator that scores every patch of an image.

    Each level is a 4×4 convolution of stride 2, so a score sees 1 + 3·(2^levels − 1) pixels a side:

        levels                   3    4    5    6
        receptive field         22   46   94  190

    Choose one that spans the structures that are to come out right, and no more: what lies outside
    it nobody judges, and a discriminator that sees whole images has few examples to learn from.
    Nothing is cropped, and nothing is normalised (statistics of a batch would tell real from fake).

    Args:
        input_shape: `(height, width, channels)` of the image, float in 0 … 1.
        levels: convolutions of stride 2.
        scales: powers of two by which the image is reduced (averaged), 1 for not at all; each size
            is judged by convolutions of its own (Wang et al. 2018). A reduced image gets one level
            less for each halving after the first, so that its scores see twice as far as those of
            the whole one: 5 levels and scales (1, 4) see 94 and 184 pixels, for a sixteenth more.
        filters: channels of the first; they double from level to level.
        most_filters: up to this many.
        condition_channels: channels of a condition of the same height and width. If there are any,
            the model takes `[condition, image]` and judges the pair (Isola et al. 2017).
        seed: seed of the initial weights.
        name: the model's name.

    Returns:
        A functional Keras model of stock layers; float32 scores out, positive for real. Of one
        scale their shape is `(batch, rows, columns, 1)`, 13×13 for 400×400 and 5 levels; of
        several, `(batch, count, 1)`, those of all scales in a row.

    Raises:
        ValueError: if the image is smaller than 2^levels pixels, `levels` is below 1, or a scale is
            no power of two.

    Example:
        >>> gan_discriminator((400, 400, 3)).output_shape
        (None, 13, 13, 1)
    """
    least = min(input_shape[:2])
    if levels < 1 or least < 2**levels:
        raise ValueError(
            f"levels={levels} on {input_shape[0]}×{input_shape[1]} pixels; each level halves them: "
            f"choose 1 … {int(math.log2(least))}"
        )
    if not scales or any(scale < 1 or scale & (scale - 1) for scale in scales):
        raise ValueError(f"scales={scales}; expected powers of two, such as (1,) or (1, 4)")
    seeds = itertools.count(1000 * (seed or 0)) if seed is not None else itertools.repeat(None)
    image = keras.Input(input_shape, name="image")
    x, inputs = image, image
    if condition_channels:
        condition = keras.Input((*input_shape[:2], condition_channels), name="condition")
        inputs = [condition, image]
        x = layers.Concatenate(name="pair")(inputs)
    scores = [
        _scores(x, scale, _levels(levels, scale), filters, most_filters, seeds) for scale in scales
    ]
    if len(scores) > 1:
        rows = [layers.Reshape((-1, 1), dtype="float32")(part) for part in scores]
        scores = [layers.Concatenate(axis=1, dtype="float32", name="all_scores")(rows)]
    return Model(inputs, scores[0], name=name)


def _levels(levels, scale):
    """Levels for a reduced image: one less for each halving after the first."""
    return max(1, levels - max(0, int(math.log2(scale)) - 1))


def _scores(x, scale, levels, filters, most_filters, seeds):
    """Convolutions of stride 2 on an image, or on a reduced one, and a score for each patch."""
    label = "" if scale == 1 else f"reduced_{scale}_"
    if scale > 1:
        x = layers.AveragePooling2D(scale, name=f"reduced_{scale}")(x)
    for level in range(levels):
        x = layers.Conv2D(
            min(filters * 2**level, most_filters),
            4,
            strides=2,
            padding="same",
            kernel_initializer=_start(seeds),
            name=f"{label}level_{level + 1}",
        )(x)
        x = layers.LeakyReLU(negative_slope=0.2, name=f"{label}level_{level + 1}_leaky_relu")(x)
    return layers.Conv2D(
        1, 1, kernel_initializer=_start(seeds), dtype="float32", name=f"{label}scores"
    )(x)


def _start(seeds):
    """He et al.'s (2015) start for LeakyReLU."""
    return keras.initializers.HeNormal(seed=next(seeds))


def _halved(size, times):
    """The grids from the smallest to the full size, each at most twice the one before."""
    if times < 0 or min(size) < 2**times:
        raise ValueError(
            f"{max(times, 0)} stages that double cannot end at {size[0]}×{size[1]} pixels; give "
            f"filters for 0 … {int(math.log2(min(size)))} stages, and for the first grid"
        )
    grids = [size]
    for _ in range(times):
        grids.append(tuple(-(-side // 2) for side in grids[-1]))
    return grids[::-1]


def _crop(x, before, after, times, label):
    rows, columns = (times * small - large for small, large in zip(before, after, strict=True))
    if rows or columns:
        x = layers.Cropping2D(((0, rows), (0, columns)), name=f"{label}_crop")(x)
    return x


def _slim(x, channels, seeds):
    """Few channels of many, for grain: its one step has weights for each pixel of a cell."""
    start = _start(seeds)
    return layers.Conv2D(channels, 1, kernel_initializer=start, name="noise_source")(x)


def _noise_branch(grid, channels, grids, seeds):
    """Each place of a grid, the first of `grids`, is spread over the pixels that it becomes."""
    times = 2 ** (len(grids) - 1)
    # Faint, a third of He's start, as real grain is. And not learned: learned kernels put stars at
    # the same place of every cell, a lattice; random ones stay grain, for later layers to use.
    start = keras.initializers.VarianceScaling(2 / 9, seed=next(seeds))
    x = _convolve(grid, channels * times**2, seeds, "noise", start, trainable=False)
    x = ops.depth_to_space(x, times)
    return _crop(x, grids[0], grids[-1], times, "noise")


def _convolve(x, width, seeds, label, start=None, trainable=True):
    """A 3×3 convolution that mirrors the edges."""
    if min(x.shape[1:3]) > 1:
        x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        padding = "valid"
    else:
        padding = "same"
    convolution = layers.Conv2D(
        width,
        3,
        padding=padding,
        kernel_initializer=start or _start(seeds),
        name=label,
        trainable=trainable,
    )
    return convolution(x)


def _stage(x, normalize, label):
    if normalize:
        groups = math.gcd(8, x.shape[-1])
        x = layers.GroupNormalization(groups, name=f"{label}_normalization")(x)
    return layers.LeakyReLU(negative_slope=0.2, name=f"{label}_leaky_relu")(x)
