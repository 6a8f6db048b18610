"""The losses of the discriminator D and the generator G, and the penalties on D's slope.

Each loss is a pure function of scores, the discriminator's output before any sigmoid: positive
where D takes an image for a real one. With σ for the sigmoid, D(x) = σ(score), and

    log D = −softplus(−score)        log(1 − D) = −softplus(score)

which stay finite where σ itself would round to 0 or 1. All losses take the same arguments and
return the same pair; `minimax` describes them.
"""

import itertools
import math
from collections.abc import Callable

from keras import KerasTensor, ops, random

from keras_gen._util.arguments import check_choice

Losses = tuple[KerasTensor, KerasTensor]


def minimax(real: KerasTensor, fake: KerasTensor) -> Losses:
    """Goodfellow et al. (2014): D maximises log D(x) + log(1 − D(G(z))), and G minimises it.

    Args:
        real: scores of real images, float of any shape.
        fake: scores of as many generated images, of the same shape.

    Returns:
        Two scalars to minimise: the loss of D and the loss of G.

    Example:
        >>> discriminator, generator = minimax(ops.ones(4), ops.zeros(4))
        >>> round(float(generator), 4)  # −ln 2, because D(G(z)) is 0.5
        -0.6931
    """
    value = ops.mean(-ops.softplus(-real)) + ops.mean(-ops.softplus(fake))
    return -value, ops.mean(-ops.softplus(fake))


def minimax_as_written(real: KerasTensor, fake: KerasTensor) -> Losses:
    """The popular sketch: D *minimises* log D(x) + log(1 − D(G(z))).

    The sign is wrong: D learns to call real images fake and fake ones real, and its loss falls
    without bound.
    """
    discriminator, generator = minimax(real, fake)
    return -discriminator, generator


def non_saturating(real: KerasTensor, fake: KerasTensor) -> Losses:
    """Goodfellow et al. (2014): D as in `minimax`, and G maximises log D(G(z)).

    This loss keeps a gradient for G where D is sure that an image is fake.
    """
    return minimax(real, fake)[0], ops.mean(ops.softplus(-fake))


def hinge(real: KerasTensor, fake: KerasTensor) -> Losses:
    """Lim and Ye (2017): D pushes real scores above 1 and fake ones below −1, but no further."""
    discriminator = ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + fake))
    return discriminator, -ops.mean(fake)


def relativistic(real: KerasTensor, fake: KerasTensor) -> Losses:
    """Jolicoeur-Martineau (2018): each real image should score above the fake one beside it.

    Only the difference of the two scores counts, so G has to match every part of the data. Both
    losses are ln 2 where D gives all images the same score.
    """
    return ops.mean(ops.softplus(fake - real)), ops.mean(ops.softplus(real - fake))


def least_squares(real: KerasTensor, fake: KerasTensor) -> Losses:
    """Mao et al. (2017): D moves real scores to 1 and fake ones to 0, and G moves its own to 1."""
    discriminator = ops.mean(ops.square(real - 1)) / 2 + ops.mean(ops.square(fake)) / 2
    return discriminator, ops.mean(ops.square(fake - 1)) / 2


GAN_LOSSES: dict[str, Callable] = {
    loss.__name__: loss
    for loss in (minimax, minimax_as_written, non_saturating, hinge, relativistic, least_squares)
}

PENALTIES = {
    "none": "no penalty",
    "r1": "exact slope of the scores at real images (Mescheder et al. 2018)",
    "r1_r2": "exact slope at real and at generated images (Roth et al. 2017)",
    "first_order": "change of the scores when noise is added, at both (Lin et al. 2025)",
}

NOISES = {
    "white": "independent in every pixel and channel, so mostly in the finest detail",
    "natural": "distributed as in images: equally strong at every scale, and mostly grey",
}

COARSEST = 16  # smallest side in pixels of the coarsest scale of natural noise
GREY = 0.95  # standard deviation that its channels share; 0.31 is their own


def gan_loss(name: str) -> Callable[[KerasTensor, KerasTensor], Losses]:
    """Find a loss by its name.

    Args:
        name: one of the keys of `GAN_LOSSES`.

    Returns:
        A function such as `minimax`.

    Raises:
        ValueError: for another name.

    Example:
        >>> discriminator, generator = gan_loss("relativistic")(ops.zeros(4), ops.zeros(4))
        >>> round(float(discriminator), 4)  # ln 2
        0.6931
    """
    check_choice("GAN loss", name, GAN_LOSSES)
    return GAN_LOSSES[name]


def slope_penalty(gradient: KerasTensor, *, gamma: float, patches: int = 1) -> KerasTensor:
    """Penalise the exact slope of the scores: γ/2 · E |∇ₓ D(x)|².

    Args:
        gradient: gradient of the sum of an image's scores with respect to the image, float
            `(batch, height, width, channels)`.
        gamma: strength γ.
        patches: number of scores per image. The penalty is the mean over them, which is exact
            where their receptive fields do not overlap.

    Returns:
        Scalar.

    Example:
        >>> float(slope_penalty(ops.ones((2, 5, 2, 1)), gamma=3.0))  # |∇|² = 10
        15.0

    References:
        Mescheder, Geiger and Nowozin (2018), "Which training methods for GANs do actually
        converge?"
    """
    squares = ops.sum(ops.square(gradient), axis=(1, 2, 3)) / patches
    return gamma / 2 * ops.mean(squares)


def noise_penalty(
    scores: KerasTensor, noisy: KerasTensor, *, gamma: float, sigma: float
) -> KerasTensor:
    """Penalise the slope without a second derivative: γ/(2σ²) · E (D(x + σε) − D(x))².

    ε is standard normal noise. For small σ the penalty approaches `slope_penalty`.

    Args:
        scores: scores of images, of any shape.
        noisy: scores of the same images with noise of standard deviation σ added.
        gamma: strength γ.
        sigma: σ, in units of the pixels.

    Returns:
        Scalar.

    Example:
        >>> round(float(noise_penalty(ops.zeros(2), ops.ones(2), gamma=0.02, sigma=0.1)), 6)
        1.0

    References:
        Lin et al. (2025), "Diffusion adversarial post-training", equation 3.
    """
    return gamma / (2 * sigma**2) * ops.mean(ops.square(noisy - scores))


def penalty_noise(kind: str, shape: tuple, seed: random.SeedGenerator) -> KerasTensor:
    """Sample the noise of `noise_penalty`, to which the discriminator becomes insensitive.

    White noise has nine tenths of its variance in the finest of five scales and is as strong in
    colour as in brightness. Images have about as much contrast at one scale as at the next, and
    little of it is colour. A penalty with white noise therefore suppresses sensitivity to fine
    texture and its colour most of all; natural noise does not (`benchmarks/penalty_noise.md`).

    Args:
        kind: one of the keys of `NOISES`.
        shape: `(batch, height, width, channels)`.
        seed: generates the seeds of the random numbers.

    Returns:
        Float32 tensor of that shape, with mean 0 and a standard deviation of about 1.

    Raises:
        ValueError: for another kind.

    Example:
        >>> tuple(penalty_noise("natural", (2, 400, 400, 3), random.SeedGenerator(0)).shape)
        (2, 400, 400, 3)

    References:
        Field (1987), "Relations between the statistics of natural images and the response
        properties of cortical cells". Ruderman, Cronin and Chiao (1998), "Statistics of cone
        responses to natural images".
    """
    check_choice("noise", kind, NOISES)
    if kind == "white":
        return random.normal(shape, seed=seed)
    batch, height, width, channels = shape
    levels = max(1, int(math.log2(min(height, width) / COARSEST)) + 1)
    sizes = [(-(-height // 2**level), -(-width // 2**level)) for level in range(levels)]
    ends = [0, *itertools.accumulate(map(math.prod, sizes))]
    # All pixels of all levels in a row; the first channel is grey, and the others are the colours.
    samples = random.normal((batch, ends[-1], 1 + channels), seed=seed)
    samples = GREY * samples[..., :1] + (1 - GREY**2) ** 0.5 * samples[..., 1:]
    noise = 0.0
    for level, size in enumerate(sizes):
        part = ops.reshape(samples[:, ends[level] : ends[level + 1]], (batch, *size, channels))
        if level:
            # Bilinear interpolation averages neighbours. The variance falls to 2/3 along each axis,
            # and the standard deviation to 2/3 in all.
            part = 1.5 * ops.image.resize(part, (height, width), interpolation="bilinear")
        noise += part
    return noise / levels**0.5
