"""The rate of a GAN's training: its course, and that it goes with the optimizer."""

import doctest

import keras
import numpy as np
import pytest

from keras_gen import rates
from keras_gen.rates import FallingRate


def test_documented_examples():
    assert doctest.testmod(rates).failed == 0


def test_course():
    rate = FallingRate(0.01, warm_up=4, steady=9)
    found = [float(rate(step)) for step in range(37)]
    np.testing.assert_allclose(found[:4], [0.0025, 0.005, 0.0075, 0.01], rtol=1e-6)
    np.testing.assert_allclose(found[4:10], 0.01, rtol=1e-6)
    np.testing.assert_allclose(found[9:], 0.01 * np.sqrt(9 / np.arange(9, 37)), rtol=1e-6)


def test_first_step_learns_with_and_without_warm_up():
    assert float(FallingRate(0.01)(0)) == pytest.approx(0.01)
    assert float(FallingRate(0.01, warm_up=10)(0)) == pytest.approx(0.001)


def test_where_it_falls_before_it_has_risen_it_never_passes_either():
    rate = FallingRate(1.0, warm_up=100, steady=4)
    for step in range(1, 200):
        assert float(rate(step)) == pytest.approx(min((step + 1) / 100, (4 / step) ** 0.5, 1.0))


def test_goes_with_the_optimizer():
    optimizer = keras.optimizers.Adam(FallingRate(0.01, warm_up=3, steady=7))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert again.get_config()["learning_rate"] == optimizer.get_config()["learning_rate"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"highest": 0.0}, "learning rate 0.0"),
        ({"highest": float("inf")}, "learning rate inf"),
        ({"highest": 1.0, "warm_up": -1}, "warm_up=-1"),
        ({"highest": 1.0, "steady": 0}, "steady=0"),
    ],
)
def test_rejects(settings, told):
    with pytest.raises(ValueError, match=told):
        FallingRate(**settings)
