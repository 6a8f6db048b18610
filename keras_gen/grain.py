"""How strong the grain of a finished generator is: one number, fitted to real images.

The game sets it only roughly. Grain is faint, so the discriminator hardly looks at it, and the
penalty asks it not to.
"""

import keras
from scipy.optimize import minimize_scalar

from keras_gen.gan_watch import Judge

WEAKEST, STRONGEST = 0.5, 1.5  # where to look, times what was trained
CLOSE = 0.03  # how well to know it
LAYER = "grain"


def has_grain(generator: keras.Model) -> bool:
    """Whether a generator begins with grain: `gan_generator(grain=0)` and a U-Net do not."""
    return any(layer.name == LAYER for layer in generator.layers)


def scale_grain(generator: keras.Model, factor: float) -> None:
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
    if not has_grain(generator):
        raise ValueError(
            f"the generator {generator.name!r} has no layer {LAYER!r}; expected one of "
            "gan_generator(grain=1) or more"
        )
    layer = generator.get_layer(LAYER)
    layer.set_weights([factor * weight for weight in layer.get_weights()])


def fit_grain(generator: keras.Model, judge: Judge) -> tuple[float, dict[str, float]]:
    """Find the strength at which a generator's images are nearest to real ones, and set it.

    The larger of both sliced Wasserstein distances is made least, by Brent's (1973) search between
    half and one and a half times what was trained. Like a temperature fitted to a finished
    classifier (Guo et al. 2017), it is one number, so a few dozen images are enough to find it.

    Args:
        generator: changed in place; without grain it is only judged.
        judge: knows the real images, and draws.

    Returns:
        The factor, and what the judge then finds.
    """
    found = {1.0: judge(generator)}
    if has_grain(generator):
        trained = generator.get_layer(LAYER).get_weights()

        def distance(factor):
            generator.get_layer(LAYER).set_weights([factor * weight for weight in trained])
            found[float(factor)] = judge(generator)
            return found[float(factor)]["swd"]

        minimize_scalar(
            distance, bounds=(WEAKEST, STRONGEST), method="bounded", options={"xatol": CLOSE}
        )
        best = min(found, key=lambda factor: found[factor]["swd"])
        generator.get_layer(LAYER).set_weights([best * weight for weight in trained])
        return best, found[best]
    return 1.0, found[1.0]
