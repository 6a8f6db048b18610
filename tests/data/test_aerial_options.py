"""Options of aerial scenes: amounts are kept, and invalid ones are named."""

import itertools

import numpy as np
import pytest

from keras_gen.data.aerial import palette, rendering
from keras_gen.data.aerial.palette import BUILDING, FIELD, FOREST, MEADOW, ROAD, SHORE, WATER

NAMES = list(palette.CLASSES)


def fractions(labels):
    return np.bincount(labels.ravel(), minlength=len(NAMES)) / labels.size


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5, 0.8])
def test_water_is_a_fraction_of_the_scene(fraction):
    """Within 0.025 in each scene and 0.01 on average; without roads, because bridges hide water."""
    found = [
        fractions(rendering.scene(s, 240, water=fraction, roads=0.0)[0])[WATER] for s in range(8)
    ]
    assert np.abs(np.subtract(found, fraction)).max() < 0.025
    assert np.mean(found) == pytest.approx(fraction, abs=0.01)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.6, 0.9])
def test_forest_is_a_fraction_of_the_land(fraction):
    """Within 0.08 on average; hedges and single trees add to it, roads and banks reduce it."""
    found = []
    for seed in range(8):
        labels, _ = rendering.scene(seed, 240, forest=fraction, water=0.1, roads=0.1, buildings=0.0)
        found.append(fractions(labels)[FOREST] / (1 - fractions(labels)[WATER]))
    assert np.mean(found) == pytest.approx(fraction, abs=0.08)


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8])
def test_fields_are_a_fraction_of_the_open_land(fraction):
    """As closely as whole parcels allow: within 0.08 on average."""
    found = []
    for seed in range(8):
        part = fractions(rendering.scene(seed, 300, fields=fraction, buildings=0.0)[0])
        found.append(part[FIELD] / (part[FIELD] + part[MEADOW]))
    assert np.mean(found) == pytest.approx(fraction, abs=0.08)


@pytest.mark.parametrize(("name", "index"), [("roads", ROAD), ("buildings", BUILDING)])
def test_more_roads_and_more_buildings(name, index):
    usual = {"water": 0.0, "forest": 0.1, "roads": 0.5, "buildings": 0.0}
    means = [
        np.mean(
            [fractions(rendering.scene(s, 240, **usual | {name: a})[0])[index] for s in range(6)]
        )
        for a in (0.1, 0.4, 0.7, 1.0)
    ]
    assert all(more > 1.15 * less for less, more in itertools.pairwise(means))


@pytest.mark.parametrize("seed", range(4))
def test_zero_is_none_and_one_is_all(seed):
    none = rendering.scene(seed, 150, water=0, forest=0, fields=0, roads=0, buildings=0)[0]
    assert set(np.unique(none)) == {MEADOW, FOREST}  # single trees, hedges and orchards remain
    assert fractions(none)[MEADOW] > 0.5
    assert not np.isin(rendering.scene(seed, 150, water=0)[0], (WATER, SHORE)).any()
    assert not np.isin(rendering.scene(seed, 150, roads=0)[0], (ROAD, BUILDING)).any()
    assert (rendering.scene(seed, 150, buildings=0)[0] != BUILDING).all()
    assert (rendering.scene(seed, 150, fields=0)[0] != FIELD).all()
    assert (rendering.scene(seed, 150, water=1, roads=0)[0] == WATER).all()
    assert fractions(rendering.scene(seed, 150, forest=1, water=0, roads=0)[0])[FOREST] > 0.95


def test_default_scenes_have_something_of_everything():
    part = np.array([fractions(rendering.scene(seed)[0]) for seed in range(2000, 2032)])
    often = dict(zip(NAMES, (part > 0.005).mean(0), strict=True))
    assert often["meadow"] > 0.95 and often["forest"] > 0.95 and often["road"] > 0.95
    assert often["field"] > 0.9 and often["building"] > 0.6 and often["water"] > 0.4
    assert part.max(1).min() < 0.5  # no class dominates every scene


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed=-1 is not a whole number from 0"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"seed": "a"}, "seed='a'"),
        ({"seed": None}, "seed=None"),
        ({"size": 0}, "size=0"),
        ({"size": 4.5}, "size=4.5"),
        ({"size": (10, 20, 3)}, r"size=\(10, 20, 3\)"),
        ({"size": (10, -1)}, r"size=\(10, -1\)"),
        ({"size": "big"}, "size='big'"),
        ({"water": 1.2}, "water=1.2 is not a fraction from 0 to 1; leave water out"),
        ({"forest": -0.1}, "forest=-0.1"),
        ({"fields": float("nan")}, "fields=nan"),
        ({"roads": "many"}, "roads='many'"),
        ({"buildings": [1]}, "buildings="),
        ({"sun": 1000}, "sun=1000 is not an angle in degrees from -360 to 360"),
    ],
    ids=str,
)
def test_bad_options_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        rendering.scene(**{"seed": 0, "size": 16} | arguments)
