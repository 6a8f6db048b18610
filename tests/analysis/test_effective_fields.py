"""Effective receptive fields: theory, the theoretical field, refusals."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen.analysis.effective_fields import effective_receptive_field
from tests.analysis.small_models import VECTORS, square


def test_effective_field_of_uniform_convolutions():
    fractions = []
    for depth, name in ((10, "n10"), (40, "n40")):
        expected = VECTORS["effective_field_uniform_k3"][name]
        options = {"padding": "same", "kernel_initializer": "ones", "use_bias": False}
        stack = [layers.Conv2D(1, 3, **options) for _ in range(depth)]
        model = square(*stack, size=2 * depth + 1)
        effective = effective_receptive_field(model, samples=1)
        assert effective.field.size == (expected["rf"],) * 2
        assert effective.sigma == pytest.approx((expected["sigma"],) * 2, abs=5e-4)
        assert effective.map.sum() == pytest.approx(1)
        fractions.append(effective.fraction)
    assert fractions[0] / fractions[1] == pytest.approx(2, rel=0.1)  # 1/√n


def test_effective_field_stays_inside_the_field():
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((20, 24, 2))
    x = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="half")(x)
    x = layers.Conv2DTranspose(2, 4, strides=2, padding="same")(x)
    model = keras.Model(inputs, x)
    effective = effective_receptive_field(model, position=(3, 0), samples=8)
    used = np.argwhere(effective.map > 0)
    inside = effective.map[effective.field].sum()
    assert inside == pytest.approx(1)
    assert [slice(a, b + 1) for a, b in zip(used.min(0), used.max(0), strict=True)] == list(
        effective.field
    )
    assert effective_receptive_field(model, "half", samples=2).field.size == (3, 3)
    images = np.ones((2, 20, 24, 2))
    assert effective_receptive_field(model, images=images).fraction > 0


def test_effective_field_refusals():
    one, other = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    with pytest.raises(ValueError, match="has 2 inputs"):
        effective_receptive_field(keras.Model([one, other], one + other))
    inner = keras.Sequential([layers.Conv2D(1, 3, name="c"), layers.ReLU()], name="inner")
    model = square(inner, size=8)
    with pytest.raises(ValueError, match="'inner/c' lies inside a nested model"):
        effective_receptive_field(model, "inner/c")
    dead = square(layers.Conv2D(1, 3, kernel_initializer="zeros"), size=8)
    with pytest.raises(ValueError, match="does not depend on the image"):
        effective_receptive_field(dead)
