"""Calibration of a trained generator: its mean colour, its contrast, the strength of its noise.

Adversarial training sets them only roughly. The mean brightness oscillates around the right one,
and averaging the weights over steps does not correct it; averaging also weakens contrasts, because
what differs from step to step is lost. The noise branch has little effect on the discriminator,
which the penalty makes insensitive to fine noise. Calibration fits five numbers to real images and
changes nothing else.
"""

import keras
import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit

from keras_gen.inference.sampling import predict_in_batches
from keras_gen.training.evaluation import Evaluator

NOISE_LAYER = "noise"  # of `gan_generator`

OUTPUT_LAYER = "to_rgb"  # the last convolution of `gan_generator` and of `unet_generator`

WEAKEST, STRONGEST = 0.5, 1.5  # bounds of the search, as factors

FACTOR_TOLERANCE = 0.02

FIRST_STEP = 0.1

EVALUATIONS = 20  # for each factor, at most

SUBSAMPLING = 3  # every third row and column gives the mean; no stage has that period

LARGEST_SHIFT = 5.0  # logits


def has_noise_branch(generator: keras.Model) -> bool:
    """Say whether a generator has a noise branch; a U-Net and `noise_channels=0` have none."""
    return any(layer.name == NOISE_LAYER for layer in generator.layers)


def scale_noise(generator: keras.Model, factor: float) -> None:
    """Scale the noise branch of a `gan_generator`, in place.

    Args:
        generator: with a noise branch.
        factor: 1 changes nothing, 0 removes the noise.

    Raises:
        ValueError: if it has no noise branch.

    Example:
        >>> scale_noise(kg.gan_generator(4, 32, filters=(8, 4)), 0.5)
    """
    if not has_noise_branch(generator):
        raise ValueError(
            f"the generator {generator.name!r} has no layer {NOISE_LAYER!r}; expected one of "
            "gan_generator(noise_channels=1) or more"
        )
    _scale_weights(generator, NOISE_LAYER, factor)


def scale_contrast(generator: keras.Model, factor: float) -> None:
    """Scale the contrast of a generator, before its sigmoid, in place.

    Args:
        generator: as in `fit_strengths`.
        factor: 1 changes nothing, 0 leaves a uniform grey.

    Example:
        >>> scale_contrast(kg.gan_generator(4, 32, filters=(8, 4)), 1.1)
    """
    _scale_weights(generator, OUTPUT_LAYER, factor)


def _scale_weights(generator, name, factor):
    layer = generator.get_layer(name)
    layer.set_weights([factor * weight for weight in layer.get_weights()])


def fit_mean_colour(generator: keras.Model, mean: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Give a generator's images the mean colour of real ones, by its last bias, in place.

    Args:
        generator: as in `fit_strengths`.
        mean: mean of each channel of the real images, from 0 to 1.
        inputs: inputs to generate from, such as float32 `(count, latent_dim)`; the more, the more
            accurate.

    Returns:
        What was added to the bias of each channel, in logits, at most 5 either way. A shift of
        x multiplies dark colours by e to the power of x.

    Raises:
        ValueError: if there is not one mean from 0 to 1 for each channel.

    Example:
        >>> generator = kg.gan_generator(4, 32, filters=(8, 4))
        >>> fit_mean_colour(generator, [0.1, 0.1, 0.2], np.zeros((64, 4))).shape
        (3,)
    """
    layer = generator.get_layer(OUTPUT_LAYER)
    mean, channels = np.asarray(mean, float), layer.filters
    if mean.shape != (channels,) or not ((mean >= 0) & (mean <= 1)).all():
        raise ValueError(
            f"mean={mean}; expected one number from 0 to 1 for each of {channels} channels"
        )
    before_sigmoid = layer.output[:, ::SUBSAMPLING, ::SUBSAMPLING]
    logits = predict_in_batches(keras.Model(generator.input, before_sigmoid), inputs)

    def excess(shift, channel):
        """How much brighter than the real mean a channel is with the shift."""
        shifted = expit(logits[..., channel] + np.float32(shift))
        return shifted.mean(dtype=np.float64) - mean[channel]

    def fit(channel):
        ends = [excess(end, channel) for end in (-LARGEST_SHIFT, LARGEST_SHIFT)]
        if ends[0] * ends[1] >= 0:
            return -LARGEST_SHIFT if ends[0] > 0 else LARGEST_SHIFT
        return brentq(excess, -LARGEST_SHIFT, LARGEST_SHIFT, args=(channel,), xtol=1e-5)

    shifts = np.array([fit(channel) for channel in range(channels)])
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias + shifts])
    return shifts


def fit_strengths(
    generator: keras.Model, evaluator: Evaluator, mean: np.ndarray
) -> tuple[dict[str, float], dict[str, float]]:
    """Fit the contrast, and the strength of the noise, at which images are nearest to real ones.

    The larger of the two sliced Wasserstein distances is minimised by the search of Nelder and Mead
    (1965), between half and one and a half times the trained strength; the mean colour is fitted in
    every evaluation. As with a temperature fitted to a trained classifier (Guo et al. 2017), there
    are so few numbers that a few dozen images are enough.

    Args:
        generator: as `gan_generator` builds it, or `unet_generator` without a global residual;
            changed in place.
        evaluator: with the real images, and the inputs to generate from.
        mean: as in `fit_mean_colour`.

    Returns:
        The factors, `contrast` and, if there is a noise branch, `noise`; and what the evaluator
        then finds.

    Raises:
        ValueError: as `fit_mean_colour` does.
    """
    scales = {"contrast": scale_contrast}
    if has_noise_branch(generator):
        scales["noise"] = scale_noise
    trained, found = generator.get_weights(), {}

    def scale_by(factors):
        generator.set_weights(trained)
        for scale, factor in zip(scales.values(), factors, strict=True):
            scale(generator, factor)
        fit_mean_colour(generator, mean, evaluator.inputs)

    def distance(factors):
        scale_by(factors)
        found[tuple(factors)] = evaluator(generator)
        return found[tuple(factors)]["swd"]

    unchanged = np.ones(len(scales))
    minimize(
        distance,
        unchanged,
        method="Nelder-Mead",
        bounds=[(WEAKEST, STRONGEST)] * len(scales),
        options={
            "initial_simplex": np.stack(
                [unchanged, *(unchanged + FIRST_STEP * np.eye(len(scales)))]
            ),
            "xatol": FACTOR_TOLERANCE,
            "fatol": np.inf,
            "maxfev": EVALUATIONS * len(scales),
        },
    )
    best = min(found, key=lambda factors: found[factors]["swd"])
    scale_by(best)
    return dict(zip(scales, map(float, best), strict=True)), found[best]


def calibrate(generator: keras.Model, evaluator: Evaluator, mean: np.ndarray) -> str:
    """Fit a trained generator's contrast, noise strength and mean colour.

    Args:
        generator: as in `fit_strengths`; changed in place.
        evaluator: with real images, and inputs to generate from.
        mean: mean colour of all real images, of which the evaluator has only some.

    Returns:
        What was changed, in words.
    """
    before = generator.get_layer(OUTPUT_LAYER).get_weights()[1]
    factors, _ = fit_strengths(generator, evaluator, mean)
    shifts = generator.get_layer(OUTPUT_LAYER).get_weights()[1] - factors["contrast"] * before
    shown = ", ".join(f"{shift:+.3f}" for shift in shifts)
    strengths = " and ".join(f"{name} multiplied by {value:.2f}" for name, value in factors.items())
    return (
        f"{strengths} (fitted by SWD), biases of red, green and blue shifted by {shown} (fitted to "
        "the mean colour of real images)"
    )
