"""Synthetic aerial photographs: pairs of a label map and an image, deterministic by seed.

A scene is made in three stages. The plan comes first: parcels, water, roads, woods, houses, crops
(modules `parcels` and `planning`). Then everything is painted, with its height: ground, water and
roads (`ground`), every crown (`plants`), roof and car (`buildings`). Finally one sun lights the
slopes and casts all shadows (`light`). Lengths are pixels; a pixel is about 0.75 m of ground at any
image size, so a larger image shows more land.

All of them share a `canvas`, and the classes and colours of `palette`.
"""

import operator

import numpy as np
from numpy.typing import ArrayLike

from keras_gen._util.arguments import as_pair
from keras_gen.data.aerial.buildings import paint_house, park
from keras_gen.data.aerial.canvas import MARGIN, new_canvas, pick
from keras_gen.data.aerial.ground import paint_ground, paint_roads, paint_water
from keras_gen.data.aerial.light import photograph
from keras_gen.data.aerial.palette import CLASSES, COLOURS
from keras_gen.data.aerial.parcels import plan_parcels
from keras_gen.data.aerial.planning import (
    plan_ground,
    plan_houses,
    plan_roads,
    plan_water,
    plan_woods,
)
from keras_gen.data.aerial.plants import plant

AMOUNTS = ("water", "forest", "fields", "roads", "buildings")

THEMES = {  # frequency; range of each amount; chance of water
    "farmland": (4.0, ((0.004, 0.03), (0.04, 0.2), (0.8, 1), (0.1, 0.35), (0.05, 0.3)), 0.4),
    "village": (3.0, ((0.004, 0.04), (0.03, 0.12), (0.4, 0.8), (0.35, 0.6), (0.6, 1)), 0.3),
    "woodland": (1.5, ((0.005, 0.05), (0.4, 0.7), (0.3, 0.8), (0.1, 0.25), (0, 0.3)), 0.5),
    "lake": (2.0, ((0.12, 0.36), (0.1, 0.4), (0.4, 0.9), (0.1, 0.3), (0.1, 0.5)), 1.0),
    "river": (2.5, ((0.06, 0.13), (0.05, 0.25), (0.7, 1), (0.1, 0.4), (0.1, 0.5)), 1.0),
    "coast": (1.3, ((0.22, 0.45), (0.05, 0.3), (0.3, 0.8), (0.1, 0.35), (0.1, 0.6)), 1.0),
}


def scene(
    seed: int,
    size: int | tuple[int, int] = 400,
    *,
    water: float | None = None,
    forest: float | None = None,
    fields: float | None = None,
    roads: float | None = None,
    buildings: float | None = None,
    sun: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Render one aerial photograph and its label map.

    The same arguments give the same bytes. An amount of None is sampled with the seed, from ranges
    that give farmland, villages, woodland, lakes, rivers and coasts.

    Args:
        seed: any whole number from 0.
        size: side of the image in pixels of about 0.75 m, or `(height, width)`.
        water: fraction of the scene under water, 0 … 1.
        forest: fraction of the land under woods, 0 … 1, without hedges, orchards and single trees.
        fields: fraction of the open land that is tilled, 0 … 1, as closely as whole parcels allow;
            the rest is meadow.
        roads: fraction of the borders between parcels that carry a road, 0 … 1. Above 0 there is at
            least a main road.
        buildings: fraction of the places along the roads that have a building, 0 … 1.
        sun: direction of the light, in degrees clockwise from the top of the image. None: sampled
            from −75 … 75.

    Returns:
        The label map, uint8 of shape `(height, width)` with values as in `CLASSES`, and the image,
        float32 of shape `(height, width, 3)` in 0 … 1. The image holds 8-bit values divided by 255,
        so it can be stored in 8 bits without loss.

    Raises:
        ValueError: if seed, size, an amount or the sun is outside its range.

    Example:
        >>> labels, image = scene(7, size=(64, 96), water=0.3)
        >>> labels.shape, labels.dtype, image.shape, image.dtype
        ((64, 96), dtype('uint8'), (64, 96, 3), dtype('float32'))
    """
    height, width = as_pair(size)
    rng = np.random.default_rng(_checked_seed(seed))
    theme = pick(rng, [(weight, name) for name, (weight, *_) in THEMES.items()])
    _, ranges, chance = THEMES[theme]
    amounts = {name: rng.uniform(*r) for name, r in zip(AMOUNTS, ranges, strict=True)}
    amounts["water"] *= rng.random() < chance
    azimuth = rng.uniform(-75, 75) if sun is None else _checked_number("sun", sun, -360, 360)
    asked = zip(AMOUNTS, (water, forest, fields, roads, buildings), strict=True)
    amounts |= {name: _checked_number(name, a, 0, 1) for name, a in asked if a is not None}

    c = new_canvas(rng, (height + 2 * MARGIN, width + 2 * MARGIN), azimuth)
    plan_parcels(c, apart=amounts["water"] > 0.1)
    plan_water(c, amounts["water"], theme)
    plan_roads(c, amounts["roads"], village=amounts["buildings"] > 0.5)
    plan_woods(c, amounts["forest"])
    plan_houses(c, amounts["buildings"])
    plan_ground(c, amounts["fields"])
    paint_ground(c)
    paint_water(c)
    paint_roads(c)
    plant(c)
    for house in c.houses:
        paint_house(c, house)
    park(c)
    image = photograph(c)
    return c.labels[MARGIN:-MARGIN, MARGIN:-MARGIN].copy(), image.astype(np.float32) / 255


def colour(label_map: ArrayLike) -> np.ndarray:
    """Colour a label map for a figure.

    Args:
        label_map: whole numbers as in `CLASSES`, of any shape `(…)`.

    Returns:
        float32 in 0 … 1 of shape `(…, 3)`.

    Raises:
        ValueError: if a value is not that of a class.

    Example:
        >>> (colour([[0, 6]]) * 255).round().astype(int).tolist()
        [[[20, 160, 215], [200, 73, 22]]]
    """
    return COLOURS[_checked_labels(label_map)]


def one_hot(label_map: ArrayLike) -> np.ndarray:
    """Turn a label map into one channel per class, as the input of a network.

    Args:
        label_map: whole numbers as in `CLASSES`, of any shape `(…)`.

    Returns:
        float32 of shape `(…, 7)`: 1 in the channel of the class, 0 elsewhere.

    Raises:
        ValueError: if a value is not that of a class.

    Example:
        >>> one_hot([6, 0]).tolist()
        [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    return np.eye(len(CLASSES), dtype=np.float32)[_checked_labels(label_map)]


def _checked_labels(label_map):
    labels = np.asarray(label_map)
    if labels.dtype.kind not in "ui":
        raise ValueError(
            f"a label map holds whole numbers, received {labels.dtype}; pass the first of the two "
            "arrays that scene() returns"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < len(CLASSES)):
        raise ValueError(
            f"label values are 0 to {len(CLASSES) - 1} ({', '.join(CLASSES)}), received "
            f"{labels.min()} to {labels.max()}"
        )
    return labels


def _checked_seed(seed):
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(f"seed={seed!r} is not a whole number from 0; try seed=0")
    return number


def _checked_number(name, value, low, high):
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not low <= number <= high:  # also false for NaN
        kind = "an angle in degrees" if name == "sun" else "a fraction"
        raise ValueError(
            f"{name}={value!r} is not {kind} from {low} to {high}; leave {name} out to have it "
            "sampled with the seed"
        )
    return number
