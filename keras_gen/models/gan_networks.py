"""The two networks of a GAN: a generator that makes images, a discriminator that scores them.

generator:      latent → dense → first grid → stages that double the size → to_rgb → sigmoid
                                     └── noise branch, in one step to full size ──┘
discriminator:  image → convolutions of stride 2 → one score for each patch of the image
                  └── reduced → the same → scores for larger patches
"""

import math

import keras
from keras import Model, layers, ops

from keras_gen._util.arguments import as_pair, check_choice
from keras_gen.models.blocks import activate, crop, group_normalization, kernel_seeds, reflect_pad
from keras_gen.models.upsampling import RESIZING, UPSAMPLING, upsample

NOISE_STAGES = 4  # the noise branch bypasses this many stages at most


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
    """Build a generator that turns a latent vector into an image of exactly the requested size.

    Every stage doubles the size: 25 → 50 → 100 → 200 → 400. Where half a size is not whole, it is
    rounded up, and the stage crops the surplus row or column: 401 is 26 → 51 → 101 → 201 → 401.
    The first grid has the most channels: after four stages, a channel costs 256 times as much.

    Args:
        latent_dim: length of the latent vector, which is sampled from the standard normal
            distribution.
        size: side of the image in pixels, or `(height, width)`.
        upsampling: one of the keys of `keras_gen.UPSAMPLING`. The methods that resize and then
            convolve use reflect padding; the others need zero padding, which leaves a visible
            border.
        filters: channels of the first grid and after each stage; there is one stage fewer than
            numbers.
        noise_channels: channels of the noise branch, which provides detail that differs from pixel
            to pixel, such as a sensor's noise. Smooth upsampling can hardly generate it; with the
            branch, even the untrained network does. The branch starts at most four stages before
            the end, reaches full size in one sub-pixel step (Shi et al. 2016) and joins the last
            stage. Karras et al. (2019) add random noise instead. 0 leaves the branch out.
        normalize: apply group normalisation (Wu and He 2018) after each stage. It gives all images
            about the same brightness and standard deviation. The length of the latent vector no
            longer matters, only its direction, so truncation has almost no effect.
        channels: channels of the image.
        seed: seed of the initial weights.
        name: the model's name.

    Returns:
        A functional Keras model of stock layers: float32 `(batch, latent_dim)` in, float32
        `(batch, *size, channels)` in 0 … 1 out.

    Raises:
        ValueError: for an unknown upsampling method, no filters, or a size that is too small for
            the number of stages.

    Example:
        >>> gan_generator(latent_dim=128, size=400).output_shape
        (None, 400, 400, 3)

    References:
        Shi et al. (2016), "Real-time single image and video super-resolution". Wu and He (2018),
        "Group normalization". Karras et al. (2019), "A style-based generator architecture".
    """
    check_choice("upsampling method", upsampling, UPSAMPLING)
    sizes = _stage_sizes(as_pair(size), len(filters) - 1)
    stages = len(sizes) - 1
    seeds = kernel_seeds(seed)

    latent = keras.Input((latent_dim,), name="latent")
    # Few channels, because the dense layer has latent_dim weights for every number of the grid.
    few = max(1, filters[0] // 16)
    grid = layers.Dense(
        math.prod(sizes[0]) * few, kernel_initializer=_initializer(seeds), name="dense"
    )(latent)
    grid = layers.Reshape((*sizes[0], few), name="grid")(grid)
    x = _convolve(grid, filters[0], seeds, "start")
    x = _normalize_and_activate(x, normalize, "start")
    noise_source, noise_start = grid, max(0, stages - NOISE_STAGES)
    for stage, (width, stage_size) in enumerate(zip(filters[1:], sizes[1:], strict=True), start=1):
        stage_name = f"stage_{stage}"
        if upsampling in RESIZING:
            resize_name = f"{stage_name}_resize"
            x = layers.UpSampling2D(2, interpolation=upsampling, name=resize_name)(x)
        else:
            x = upsample(x, width, 2, upsampling, seed=next(seeds), name=stage_name)
        x = crop(x, stage_size, f"{stage_name}_crop")
        if noise_channels and stage == stages:
            factor = 2 ** (stages - noise_start)
            noise = _noise_branch(noise_source, noise_channels, factor, stage_size, seeds)
            x = layers.Concatenate(name="join_noise")([x, noise])
        if upsampling in RESIZING:
            x = _convolve(x, width, seeds, stage_name)
        x = _normalize_and_activate(x, normalize, stage_name)
        if noise_channels and stage == noise_start:
            # Few channels, because the noise branch has weights for each of factor² pixels.
            noise_source = layers.Conv2D(
                few, 1, kernel_initializer=_initializer(seeds), name="noise_source"
            )(x)
    x = _convolve(x, channels, seeds, "to_rgb")
    picture = layers.Activation("sigmoid", dtype="float32", name="picture")(x)
    return Model(latent, picture, name=name)


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

    Each level is a 4×4 convolution of stride 2, so the receptive field of a score is a square of
    1 + 3·(2^levels − 1) pixels a side:

        levels                   3    4    5    6
        receptive field         22   46   94  190

    Choose one that covers the structures you want to come out right, but no larger one: the scores
    cannot depend on larger structures, and a discriminator that sees whole images has few examples
    to learn from. Nothing is cropped, and nothing is normalised, because the statistics of a batch
    would give away whether it is real.

    Args:
        input_shape: `(height, width, channels)` of the image, float in 0 … 1.
        levels: number of convolutions of stride 2.
        scales: powers of two by which the image is reduced (by averaging); 1 leaves it as it is.
            Each scale has convolutions of its own (Wang et al. 2018), with one level fewer for each
            halving after the first, so that the scores of a reduced image see twice as far as those
            of the whole one. With 5 levels, scales (1, 4) see 94 and 184 pixels and cost a
            sixteenth more than (1,) alone.
        filters: channels of the first level; they double with each level.
        most_filters: largest number of channels.
        condition_channels: channels of a condition with the image's height and width. If there are
            any, the model takes `[condition, image]` and scores the pair (Isola et al. 2017).
        seed: seed of the initial weights.
        name: the model's name.

    Returns:
        A functional Keras model of stock layers; float32 scores out, positive for real. With one
        scale their shape is `(batch, rows, columns, 1)`, 13×13 for 400×400 pixels and 5 levels;
        with several it is `(batch, count, 1)`, the scores of all scales in a row.

    Raises:
        ValueError: if the image is smaller than 2^levels pixels, `levels` is below 1, or a scale is
            not a power of two.

    Example:
        >>> gan_discriminator((400, 400, 3)).output_shape
        (None, 13, 13, 1)

    References:
        Isola et al. (2017), "Image-to-image translation with conditional adversarial networks".
        Wang et al. (2018), "High-resolution image synthesis and semantic manipulation with
        conditional GANs".
    """
    least = min(input_shape[:2])
    if levels < 1 or least < 2**levels:
        raise ValueError(
            f"levels={levels} on {input_shape[0]}×{input_shape[1]} pixels; each level halves them: "
            f"choose 1 … {int(math.log2(least))}"
        )
    if not scales or any(scale < 1 or scale & (scale - 1) for scale in scales):
        raise ValueError(f"scales={scales}; expected powers of two, such as (1,) or (1, 4)")
    seeds = kernel_seeds(seed)
    inputs = x = keras.Input(input_shape, name="image")
    if condition_channels:
        condition = keras.Input((*input_shape[:2], condition_channels), name="condition")
        inputs = [condition, inputs]
        x = layers.Concatenate(name="pair")(inputs)
    scores = [_scores(x, scale, levels, filters, most_filters, seeds) for scale in scales]
    if len(scores) > 1:
        rows = [layers.Reshape((-1, 1), dtype="float32")(part) for part in scores]
        scores = [layers.Concatenate(axis=1, dtype="float32", name="all_scores")(rows)]
    return Model(inputs, scores[0], name=name)


def _scores(x, scale, levels, filters, most_filters, seeds):
    """Reduce an image, apply convolutions of stride 2, and score each patch."""
    prefix = ""
    if scale > 1:
        prefix = f"reduced_{scale}_"
        x = layers.AveragePooling2D(scale, name=f"reduced_{scale}")(x)
        levels = max(1, levels + 1 - int(math.log2(scale)))
    for level in range(levels):
        level_name = f"{prefix}level_{level + 1}"
        x = layers.Conv2D(
            min(filters * 2**level, most_filters),
            4,
            strides=2,
            padding="same",
            kernel_initializer=_initializer(seeds),
            name=level_name,
        )(x)
        x = activate(x, "leaky_relu", level_name)
    return layers.Conv2D(
        1, 1, kernel_initializer=_initializer(seeds), dtype="float32", name=f"{prefix}scores"
    )(x)


def _stage_sizes(size, stages):
    """Sizes from the first grid to the full size, each at most twice the one before."""
    if stages < 0 or min(size) < 2**stages:
        raise ValueError(
            f"{max(stages, 0)} stages that double cannot end at {size[0]}×{size[1]} pixels; give "
            f"1 … {int(math.log2(min(size))) + 1} filters, for the first grid and for each stage"
        )
    sizes = [size]
    for _ in range(stages):
        sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
    return sizes[::-1]


def _noise_branch(grid, channels, factor, size, seeds):
    """Noise channels at full size: each place of the grid becomes a cell of factor × factor pixels.

    The kernel is not learned. A learned one puts a star at the same place of every cell, which
    shows as a lattice; a random one keeps to noise, which later layers can use. Its weights are a
    third of He initialization's, because a sensor's noise is weak.
    """
    initializer = keras.initializers.VarianceScaling(2 / 9, seed=next(seeds))
    x = _convolve(
        grid, channels * factor**2, seeds, "noise", initializer=initializer, trainable=False
    )
    return crop(ops.depth_to_space(x, factor), size, "noise_crop")


def _convolve(x, filters, seeds, name, *, initializer=None, trainable=True):
    """A 3×3 convolution with reflect padding, or zero padding where one pixel has no neighbours."""
    padding = "same"
    if min(x.shape[1:3]) > 1:
        x = reflect_pad(x, 1)
        padding = "valid"
    return layers.Conv2D(
        filters,
        3,
        padding=padding,
        kernel_initializer=initializer or _initializer(seeds),
        trainable=trainable,
        name=name,
    )(x)


def _normalize_and_activate(x, normalize, name):
    if normalize:
        x = group_normalization(x, f"{name}_normalization")
    return activate(x, "leaky_relu", name)


def _initializer(seeds):
    """He initialization (He et al. 2015), which suits the LeakyReLU that follows."""
    return keras.initializers.HeNormal(seed=next(seeds))
