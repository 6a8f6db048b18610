"""Learning-rate schedules: their values, and that they are saved with the optimizer."""

import keras
import numpy as np
import pytest

from keras_gen.training.schedules import InverseSquareRootDecay


def test_it_rises_stays_and_falls():
    rate = InverseSquareRootDecay(0.01, warmup_steps=4, hold_steps=9)
    found = [float(rate(step)) for step in range(37)]
    np.testing.assert_allclose(found[:4], [0.0025, 0.005, 0.0075, 0.01], rtol=1e-6)
    np.testing.assert_allclose(found[4:10], 0.01, rtol=1e-6)
    np.testing.assert_allclose(found[9:], 0.01 * np.sqrt(9 / np.arange(9, 37)), rtol=1e-6)


def test_first_step_learns_with_and_without_warm_up():
    assert float(InverseSquareRootDecay(0.01)(0)) == pytest.approx(0.01)
    assert float(InverseSquareRootDecay(0.01, warmup_steps=10)(0)) == pytest.approx(0.001)


def test_where_it_falls_before_it_has_risen_it_exceeds_neither():
    rate = InverseSquareRootDecay(1.0, warmup_steps=100, hold_steps=4)
    for step in range(1, 200):
        assert float(rate(step)) == pytest.approx(min((step + 1) / 100, (4 / step) ** 0.5, 1.0))


def test_it_is_saved_with_the_optimizer():
    optimizer = keras.optimizers.Adam(InverseSquareRootDecay(0.01, warmup_steps=3, hold_steps=7))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert again.get_config()["learning_rate"] == optimizer.get_config()["learning_rate"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"peak": 0.0}, "learning rate 0.0"),
        ({"peak": float("inf")}, "learning rate inf"),
        ({"peak": 1.0, "warmup_steps": -1}, "warmup_steps=-1"),
        ({"peak": 1.0, "hold_steps": 0}, "hold_steps=0"),
    ],
)
def test_invalid_values_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        InverseSquareRootDecay(**settings)
