"""Pictures at another size."""

import numpy as np
import pytest

from keras_gen.data import resampling


def test_reduce_refuses_what_is_not_an_8_bit_picture():
    with pytest.raises(ValueError, match=r"float64 and shape \(4, 4, 3\); expected uint8"):
        resampling.reduce(np.zeros((4, 4, 3)), 2)
    with pytest.raises(ValueError, match=r"shape \(4, 4\)"):
        resampling.reduce(np.zeros((4, 4), np.uint8), 2)
