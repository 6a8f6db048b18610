"""Learning-rate schedules: how the learning rate rises, stays and falls during a training."""

import math

import keras
from keras import ops


def check_learning_rate(rate: float) -> None:
    """Refuse a learning rate that is not a finite number above 0.

    Raises:
        ValueError: for any other rate.
    """
    if not 0 < rate < math.inf:
        raise ValueError(f"learning rate {rate} is not a number above 0; try 0.001 or 0.0002")


def cosine_decay(peak: float, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """A rate that rises for a twentieth of the steps (at most 200), then falls to 0 as a cosine.

    Args:
        peak: the highest rate.
        steps: steps of the whole training.

    Returns:
        Keras' own schedule.

    Raises:
        ValueError: for a rate that is not above 0.

    Example:
        >>> rate = cosine_decay(0.001, 100)
        >>> [round(float(rate(step)), 6) for step in (0, 5, 100)]
        [0.0, 0.001, 0.0]
    """
    check_learning_rate(peak)
    warmup_steps = min(200, max(1, steps // 20))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup_steps), warmup_target=peak, warmup_steps=warmup_steps
    )


@keras.saving.register_keras_serializable(package="keras_gen")
class InverseSquareRootDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises for some steps, stays, and then falls as 1/√step.

    It does not depend on the number of steps, so a training can be continued. At a constant rate
    the networks of a GAN keep circling around their best state, the wider the higher the rate.

    Args:
        peak: the highest rate.
        warmup_steps: steps over which the rate rises from 0.
        hold_steps: the step after which the rate falls; at four times as many it is half the peak.

    Raises:
        ValueError: for a rate that is not above 0, or a number of steps that is too small.

    Example:
        >>> rate = InverseSquareRootDecay(0.001, warmup_steps=10, hold_steps=100)
        >>> [round(float(rate(step)), 6) for step in (4, 10, 100, 400)]
        [0.0005, 0.001, 0.001, 0.0005]

    References:
        Karras et al. (2024), "Analyzing and improving the training dynamics of diffusion models".
    """

    def __init__(self, peak: float, *, warmup_steps: int = 0, hold_steps: int = 1000):
        check_learning_rate(peak)
        if warmup_steps < 0:
            raise ValueError(f"warmup_steps={warmup_steps}; expected 0 or more")
        if hold_steps < 1:
            raise ValueError(f"hold_steps={hold_steps}; expected 1 or more")
        self.peak, self.warmup_steps, self.hold_steps = peak, warmup_steps, hold_steps

    def __call__(self, step):
        """The rate of a step; the first step has number 0."""
        step = ops.cast(step, "float32")
        up = (step + 1) / self.warmup_steps if self.warmup_steps else 1.0
        down = ops.sqrt(self.hold_steps / ops.maximum(step, 1.0))
        return self.peak * ops.minimum(up, ops.minimum(1.0, down))

    def get_config(self):
        """The arguments, for `from_config`."""
        return {"peak": self.peak, "warmup_steps": self.warmup_steps, "hold_steps": self.hold_steps}
