"""How the learning rate of a long game goes: up at first, steady, then slowly down."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_gen")
class FallingRate(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises for some steps, stays, and then falls as 1/√step.

    It does not depend on where the training ends, so that one can go on with it. At a constant
    rate the players of a GAN keep circling around where they belong, the wider the higher the rate.

    Args:
        highest: the highest rate.
        warm_up: steps over which it rises from 0.
        steady: steps after which it falls; at four times as many it is half the highest.

    Raises:
        ValueError: for a rate that is not above 0, or counts of steps that are too small.

    Example:
        >>> rate = FallingRate(0.001, warm_up=10, steady=100)
        >>> [round(float(rate(step)), 6) for step in (4, 10, 100, 400)]
        [0.0005, 0.001, 0.001, 0.0005]

    Source: Karras et al. (2024), Analyzing and improving the training dynamics of diffusion models.
    """

    def __init__(self, highest: float, *, warm_up: int = 0, steady: int = 1000):
        if not 0 < highest < math.inf:
            raise ValueError(f"learning rate {highest} is not a number above 0; try 0.0002")
        if warm_up < 0:
            raise ValueError(f"warm_up={warm_up} steps; expected 0 or more")
        if steady < 1:
            raise ValueError(f"steady={steady} steps; expected 1 or more")
        self.highest, self.warm_up, self.steady = highest, warm_up, steady

    def __call__(self, step):
        """The rate of a step, the first of which is number 0."""
        step = ops.cast(step, "float32")
        up = (step + 1) / self.warm_up if self.warm_up else 1.0
        down = ops.sqrt(self.steady / ops.maximum(step, 1.0))
        return self.highest * ops.minimum(up, ops.minimum(1.0, down))

    def get_config(self):
        """All that `from_config` needs."""
        return {"highest": self.highest, "warm_up": self.warm_up, "steady": self.steady}
