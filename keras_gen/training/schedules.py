"""How the learning rate of a long game goes: up at first, hold_steps, then slowly down."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_gen")
class InverseSquareRootDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises for some steps, stays, and then falls as 1/√step.

    It does not depend on where the training ends, so that one can go on with it. At a constant
    rate the players of a GAN keep circling around where they belong, the wider the higher the rate.

    Args:
        peak: the peak rate.
        warmup_steps: steps over which it rises from 0.
        hold_steps: steps after which it falls; at four times as many it is half the peak.

    Raises:
        ValueError: for a rate that is not above 0, or counts of steps that are too small.

    Example:
        >>> rate = FallingRate(0.001, warmup_steps=10, hold_steps=100)
        >>> [round(float(rate(step)), 6) for step in (4, 10, 100, 400)]
        [0.0005, 0.001, 0.001, 0.0005]

    Source: Karras et al. (2024), Analyzing and improving the training dynamics of diffusion models.
    """

    def __init__(self, peak: float, *, warmup_steps: int = 0, hold_steps: int = 1000):
        if not 0 < peak < math.inf:
            raise ValueError(f"learning rate {peak} is not a number above 0; try 0.0002")
        if warmup_steps < 0:
            raise ValueError(f"warmup_steps={warmup_steps} steps; expected 0 or more")
        if hold_steps < 1:
            raise ValueError(f"hold_steps={hold_steps} steps; expected 1 or more")
        self.peak, self.warmup_steps, self.hold_steps = peak, warmup_steps, hold_steps

    def __call__(self, step):
        """The rate of a step, the first of which is number 0."""
        step = ops.cast(step, "float32")
        up = (step + 1) / self.warmup_steps if self.warmup_steps else 1.0
        down = ops.sqrt(self.hold_steps / ops.maximum(step, 1.0))
        return self.peak * ops.minimum(up, ops.minimum(1.0, down))

    def get_config(self):
        """All that `from_config` needs."""
        return {"peak": self.peak, "warmup_steps": self.warmup_steps, "hold_steps": self.hold_steps}
