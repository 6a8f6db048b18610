"""Receptive fields of random models against what the models themselves show."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen.analysis.fields import receptive_field
from tests.analysis.random_models import mismatch


@pytest.mark.parametrize("block", range(16))
def test_computed_fields_are_those_that_the_models_show(block):
    """320 models: the receptive field of every output, and the projective field of a pixel."""
    found = [mismatch(seed) for seed in range(20 * block, 20 * block + 20)]
    keras.backend.clear_session()
    assert [text for text in found if text] == []


def random_row(random, size):
    """Layers of one axis that repeat themselves, and the product of their strides."""
    x = inputs = keras.Input((size, 1))
    for _ in range(random.integers(1, 7)):
        kernel, stride = (int(random.integers(1, high)) for high in (6, 4))
        padding = ["same", "valid"][random.integers(2)]
        kind = random.integers(7)
        if kind == 0:
            x = layers.Conv1D(1, kernel, stride, padding=padding)(x)
        elif kind == 1:
            x = layers.Conv1D(1, kernel, dilation_rate=stride, padding=padding)(x)
        elif kind == 2:
            x = layers.AveragePooling1D(kernel, stride, padding=padding)(x)
        elif kind == 3:
            x = layers.Conv1DTranspose(1, kernel, stride, padding=padding)(x)
        elif kind == 4:
            x = layers.UpSampling1D(stride)(x)
        elif kind == 5:
            x = layers.ZeroPadding1D((kernel, stride))(x)
        else:
            x = layers.Add()([layers.Cropping1D((kernel, stride))(x), x[:, stride:-kernel]])
    return keras.Model(inputs, x)


@pytest.mark.parametrize("seed", range(40))
def test_the_unbounded_field_is_that_of_the_middle_of_a_long_row(seed):
    """Paddings depend on the size, so the long row has the same remainders as the short one."""
    short, long = (
        receptive_field(random_row(np.random.default_rng(seed), 300 + more))
        for more in (0, 2 * 6**5)
    )
    phases = short.size_by_phase[0]
    period = len(phases)
    start, stop = long.bounds[0]
    middle = len(start) // 2 // period * period
    sizes = (stop - start)[middle : middle + period]
    assert tuple(sizes.tolist()) == phases
    middle += int(np.argmax(phases))  # some phases are empty
    far = len(start) // 4 // period * period
    moved = int(start[middle + far] - start[middle])
    assert abs(moved - far * short.stride) <= short.size[0] + short.stride
