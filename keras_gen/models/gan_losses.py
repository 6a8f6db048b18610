"""The rules of the adversarial game: what the discriminator minimises, and what the generator does.

Each rule is a pure function of scores, the discriminator's output before any sigmoid: positive
where it takes an image for a real one. With σ for the sigmoid, D(x) = σ(score), and

    log D = −softplus(−score)        log(1 − D) = −softplus(score)

which stay finite where σ itself would round to 0 or 1.
"""

import itertools
import math
from collections.abc import Callable

from keras import KerasTensor, ops, random


def minimax(real, fake):
    """Goodfellow et al. (2014): D maximises log D(x) + log(1 − D(G(z))), and G minimises it."""
    value = ops.mean(-ops.softplus(-real)) + ops.mean(-ops.softplus(fake))
    return -value, ops.mean(-ops.softplus(fake))


def minimax_as_written(real, fake):
    """The popular sketch: D *minimises* log D(x) + log(1 − D(G(z))). The sign is wrong: D learns
    to call real images fake and fake ones real, and the loss falls without end."""
    discriminator, generator = minimax(real, fake)
    return -discriminator, generator


def non_saturating(real, fake):
    """Goodfellow et al. (2014): D as in `minimax`, and G maximises log D(G(z)), which still has a
    slope where D is sure that an image is fake."""
    return minimax(real, fake)[0], ops.mean(ops.softplus(-fake))


def hinge(real, fake):
    """Lim and Ye (2017): D wants real scores above 1 and fake ones below −1, and no more."""
    discriminator = ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + fake))
    return discriminator, -ops.mean(fake)


def relativistic(real, fake):
    """Jolicoeur-Martineau (2018): only whether a real image scores above the fake beside it
    counts, so that G must keep up with every part of the data. Both are ln 2 where D is blind."""
    return ops.mean(ops.softplus(fake - real)), ops.mean(ops.softplus(real - fake))


def least_squares(real, fake):
    """Mao et al. (2017): D draws real scores to 1 and fake ones to 0, G draws its own to 1."""
    discriminator = ops.mean(ops.square(real - 1)) / 2 + ops.mean(ops.square(fake)) / 2
    return discriminator, ops.mean(ops.square(fake - 1)) / 2


GAN_LOSSES: dict[str, Callable] = {
    rule.__name__: rule
    for rule in (minimax, minimax_as_written, non_saturating, hinge, relativistic, least_squares)
}


PENALTIES = {
    "none": "no penalty",
    "r1": "exact slope of the scores at real images (Mescheder et al. 2018)",
    "r1_r2": "exact slope at real and at fake images (Roth et al. 2017)",
    "first_order": "how much scores move when noise is added, at both (Lin et al. 2025)",
}


NOISES = {
    "white": "every pixel and channel by itself: nearly all of it is in the finest details",
    "natural": "as images vary: as strong at every scale, and hardly coloured",
}


COARSEST = 16  # pixels a side, at least, of the coarsest scale of natural noise


GREY = 0.95  # of natural noise; what is left, .3, differs from channel to channel


def gan_loss(name: str) -> Callable:
    """Find a rule by name.

    Args:
        name: one of the keys of `GAN_LOSSES`.

    Returns:
        A function of two tensors of scores of the same shape, of real and of fake images, that
        gives two scalars: the loss of the discriminator and that of the generator.

    Raises:
        ValueError: for another name.

    Example:
        >>> discriminator, generator = gan_loss("relativistic")(ops.zeros(4), ops.zeros(4))
        >>> round(float(discriminator), 4)  # ln 2
        0.6931
    """
    if name not in GAN_LOSSES:
        known = ", ".join(map(repr, GAN_LOSSES))
        raise ValueError(f"GAN loss {name!r} is unknown; choose one of {known}")
    return GAN_LOSSES[name]


def slope_penalty(gradient: KerasTensor, *, gamma: float, patches: int = 1) -> KerasTensor:
    """Penalise the exact slope of the scores: γ/2 · E |∇ₓ D(x)|².

    Args:
        gradient: gradient of the sum of an image's scores with respect to the image, float
            `(batch, height, width, channels)`.
        gamma: strength γ.
        patches: scores an image has; the penalty is the mean over them (exact where what they see
            does not overlap).

    Returns:
        Scalar.

    Example:
        >>> float(slope_penalty(ops.ones((2, 5, 2, 1)), gamma=3.0))  # |∇|² = 10
        15.0

    Source: Mescheder, Geiger and Nowozin (2018), Which training methods for GANs do actually
    converge?
    """
    squares = ops.sum(ops.square(gradient), axis=(1, 2, 3)) / patches
    return gamma / 2 * ops.mean(squares)


def noise_penalty(
    scores: KerasTensor, noisy: KerasTensor, *, gamma: float, sigma: float
) -> KerasTensor:
    """Penalise the slope without a second derivative: γ/(2σ²) · E (D(x + σε) − D(x))².

    For small σ this is γ/2 · E |∇ₓ D(x)|², as ε is standard normal noise.

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

    Source: Lin et al. (2025), Diffusion adversarial post-training, equation 3.
    """
    return gamma / (2 * sigma**2) * ops.mean(ops.square(noisy - scores))


def check_noise(kind: str) -> None:
    """Refuse a kind of noise that is none of the keys of `NOISES`, with a ValueError."""
    if kind not in NOISES:
        known = ", ".join(map(repr, NOISES))
        raise ValueError(f"noise {kind!r} is unknown; choose one of {known}")


def penalty_noise(kind: str, shape: tuple, seed: random.SeedGenerator) -> KerasTensor:
    """Draw the noise of `noise_penalty`: what a discriminator may least depend on.

    White noise has nine tenths of its variance in the finest of five scales, and is as strong in
    colour as in brightness; images have about as much contrast at one scale as at the next, and
    little of it is colour (Field 1987; Ruderman, Cronin and Chiao 1998). So a penalty with white
    noise makes fine grain, and its colour, dearer to look at than anything else; natural noise does
    not (`benchmarks/penalty_noise.md`).

    Args:
        kind: one of the keys of `NOISES`.
        shape: `(batch, height, width, channels)`.
        seed: where it comes from.

    Returns:
        Float32 tensor of that shape, of mean 0 and a standard deviation of about 1.

    Raises:
        ValueError: for another kind.

    Example:
        >>> tuple(penalty_noise("natural", (2, 400, 400, 3), random.SeedGenerator(0)).shape)
        (2, 400, 400, 3)
    """
    check_noise(kind)
    if kind == "white":
        return random.normal(shape, seed=seed)
    batch, height, width, channels = shape
    levels = max(1, int(math.log2(min(height, width) / COARSEST)) + 1)
    sizes = [(-(-height // 2**level), -(-width // 2**level)) for level in range(levels)]
    ends = [0, *itertools.accumulate(map(math.prod, sizes))]
    drawn = random.normal((batch, ends[-1], 1 + channels), seed=seed)  # a line of grey and colours
    drawn = GREY * drawn[..., :1] + (1 - GREY**2) ** 0.5 * drawn[..., 1:]
    noise = 0.0
    for level, size in enumerate(sizes):
        part = ops.reshape(drawn[:, ends[level] : ends[level + 1]], (batch, *size, channels))
        if level:
            # Between its points bilinear noise is weaker: 2/3 as strong along each axis, in all.
            part = 1.5 * ops.image.resize(part, (height, width), interpolation="bilinear")
        noise += part
    return noise / levels**0.5
