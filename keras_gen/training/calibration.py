"""The last touch on a trained generator: mean colour, contrast, and the strength of its grain.

The game sets them only roughly. Its players circle around the right brightness, and an average over
steps cannot undo that; it even makes contrasts weaker, as what differs from step to step is lost.
Grain is faint, so the discriminator hardly looks at it, and the penalty asks it not to. Five
numbers, fitted to real images, change nothing else.
"""

import keras
import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit

from keras_gen.inference.sampling import predict_in_batches
from keras_gen.training.evaluation import Evaluator

WEAKEST, STRONGEST = 0.5, 1.5  # where to look, times what was trained


CLOSE = 0.02  # how well to know it


FIRST = 0.1  # the first steps


TRIES = 20  # at most, for each number


LAYER = "noise"


COLOURS = "to_rgb"  # the last convolution of `gan_generator` and of `unet_generator`


THINNED = 3  # every third row and column is enough to know a mean; no stage has such a period


FARTHEST = 5.0  # logits


def has_noise_branch(generator: keras.Model) -> bool:
    """Whether a generator begins with grain: `gan_generator(noise_channels=0)` and a U-Net do not."""
    return any(layer.name == LAYER for layer in generator.layers)


def scale_noise(generator: keras.Model, factor: float) -> None:
    """Make the grain of a `gan_generator` stronger or weaker, in place.

    Args:
        generator: with a layer `grain`, as `gan_generator` builds it.
        factor: 1 changes nothing, 0 takes the grain away.

    Raises:
        ValueError: if it has no grain.

    Example:
        >>> generator = gan_generator(4, 32, filters=(8, 4))
        >>> scale_grain(generator, 0.5)
    """
    if not has_noise_branch(generator):
        raise ValueError(
            f"the generator {generator.name!r} has no layer {LAYER!r}; expected one of "
            "gan_generator(noise_channels=1) or more"
        )
    layer = generator.get_layer(LAYER)
    layer.set_weights([factor * weight for weight in layer.get_weights()])


def scale_contrast(generator: keras.Model, factor: float) -> None:
    """Make what a `gan_generator` draws steeper or flatter, before its sigmoid, in place.

    Args:
        generator: as in `fit_strengths`.
        factor: 1 changes nothing, 0 leaves an even grey.

    Example:
        >>> generator = gan_generator(4, 32, filters=(8, 4))
        >>> scale_contrast(generator, 1.1)
    """
    layer = generator.get_layer(COLOURS)
    layer.set_weights([factor * weight for weight in layer.get_weights()])


def fit_mean_colour(generator: keras.Model, mean: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Give a generator's images the mean colour of real ones: the bias of its last layer, in place.

    Args:
        generator: as in `fit_strengths`.
        mean: of each channel of the real images, from 0 to 1.
        inputs: what to draw from, such as float32 `(count, latent_dim)`; the more, the surer.

    Returns:
        What was added to the bias of each channel, in logits (so that e to the power of it is the
        factor by which dark colours become brighter), at most 5 either way.

    Raises:
        ValueError: if there is not one mean from 0 to 1 for each channel.

    Example:
        >>> generator = gan_generator(4, 32, filters=(8, 4))
        >>> fit_colours(generator, [0.1, 0.1, 0.2], latents(64, 4)).shape
        (3,)
    """
    layer = generator.get_layer(COLOURS)
    mean, channels = np.asarray(mean, float), layer.filters
    if mean.shape != (channels,) or not ((mean >= 0) & (mean <= 1)).all():
        raise ValueError(
            f"mean={mean}; expected one number from 0 to 1 for each of {channels} channels"
        )
    before = keras.Model(generator.input, layer.output[:, ::THINNED, ::THINNED])
    logits = predict_in_batches(before, inputs)

    def excess(shift, channel):
        """How much brighter than real a channel is with so many logits more."""
        drawn = expit(logits[..., channel] + np.float32(shift))
        return drawn.mean(dtype=np.float64) - mean[channel]

    def shift(channel):
        ends = [excess(end, channel) for end in (-FARTHEST, FARTHEST)]
        if ends[0] * ends[1] >= 0:
            return -FARTHEST if ends[0] > 0 else FARTHEST
        return brentq(excess, -FARTHEST, FARTHEST, args=(channel,), xtol=1e-5)

    shifts = np.array([shift(channel) for channel in range(channels)])
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias + shifts])
    return shifts


def fit_strengths(
    generator: keras.Model, judge: Evaluator, mean: np.ndarray
) -> tuple[dict[str, float], dict[str, float]]:
    """Find the contrast, and the strength of the grain, at which images are nearest to real ones.

    The larger of both sliced Wasserstein distances is made least, by Nelder and Mead's (1965)
    search between half and one and a half times what was trained; at every try the mean colour is
    fitted as well. Like a temperature fitted to a finished classifier (Guo et al. 2017), they are
    so few numbers that a few dozen images are enough to find them.

    Args:
        generator: as `gan_generator` builds it, or `unet_generator` without a base; changed in
            place.
        judge: knows the real images, and draws.
        mean: as in `fit_colours`.

    Returns:
        The factors, `contrast` and, where there is grain, `grain`; and what the judge then finds.

    Raises:
        ValueError: as `fit_colours` does.
    """
    scales = {"contrast": scale_contrast} | (
        {"noise": scale_noise} if has_noise_branch(generator) else {}
    )
    trained, found = generator.get_weights(), {}

    def scale_by(factors):
        generator.set_weights(trained)
        for scale, factor in zip(scales.values(), factors, strict=True):
            scale(generator, factor)
        fit_mean_colour(generator, mean, judge.inputs)

    def distance(factors):
        scale_by(factors)
        found[tuple(factors)] = judge(generator)
        return found[tuple(factors)]["swd"]

    start = np.ones(len(scales))
    minimize(
        distance,
        start,
        method="Nelder-Mead",
        bounds=[(WEAKEST, STRONGEST)] * len(scales),
        options={
            "initial_simplex": np.stack([start, *(start + FIRST * np.eye(len(scales)))]),
            "xatol": CLOSE,
            "fatol": np.inf,
            "maxfev": TRIES * len(scales),
        },
    )
    best = min(found, key=lambda factors: found[factors]["swd"])
    scale_by(best)
    return dict(zip(scales, map(float, best), strict=True)), found[best]


def calibrate(generator: keras.Model, judge: Evaluator, mean: np.ndarray) -> str:
    """Fit a trained generator's contrast, grain and mean colour.

    Args:
        generator: as in `fit_strengths`; changed in place.
        judge: knows real images, and what to draw from.
        mean: mean colour of all real images, of which the judge knows some only.

    Returns:
        In words, what was done.
    """
    before = generator.get_layer(COLOURS).get_weights()[1]
    factors, _ = fit_strengths(generator, judge, mean)
    shifts = generator.get_layer(COLOURS).get_weights()[1] - factors["contrast"] * before
    shown = ", ".join(f"{shift:+.3f}" for shift in shifts)
    strengths = " and ".join(f"the {name} {factor:.2f}" for name, factor in factors.items())
    return (
        f"{strengths} times as strong as trained, by SWD, and the bias of red, green and blue "
        f"moved by {shown} to the mean of real images"
    )
