"""Clouds: as many as requested, soft, and the same for a seed."""

import numpy as np
import pytest

from keras_gen._util import arguments
from keras_gen.data import occlusions


@pytest.mark.parametrize("size", [64, (40, 90)])
@pytest.mark.parametrize("cover", [0.1, 0.3, 0.7])
def test_clouds_cover_the_fraction_requested(size, cover):
    opacity = occlusions.clouds(3, size, cover=cover)
    assert opacity.shape == tuple(arguments.as_pair(size))
    assert (opacity > 0.5).mean() == pytest.approx(cover, abs=0.01)
    assert opacity.min() == 0 and opacity.max() == 1


def test_clouds_are_soft_and_in_one_piece():
    """They change little from pixel to pixel, and most pixels of a cloud are opaque."""
    opacity = occlusions.clouds(0, 128, cover=0.4)
    assert np.abs(np.diff(opacity[:-1], axis=0)).mean() < 0.1
    assert (opacity[opacity > 0.5] == 1).mean() > 0.5


def test_clouds_by_seed():
    first, again, other = (occlusions.clouds(seed, 48) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    covers = [(occlusions.clouds(seed, 48) > 0.5).mean() for seed in range(20)]
    assert 0.13 < min(covers) < 0.25 and 0.4 < max(covers) < 0.52


@pytest.mark.parametrize("cover", [-0.1, 1.5, np.nan])
def test_cover_is_a_fraction(cover):
    with pytest.raises(ValueError, match="is not a fraction from 0 to 1"):
        occlusions.clouds(0, 32, cover=cover)
