"""Procedural aerial photographs: pairs of a label map and an image, deterministic by seed.

A scene is made in the order in which a landscape is. First the plan: parcels, water, roads, woods,
houses, crops. Then the paint: ground, water, roads, and every crown, roof and car, each with its
height. Last one sun, which lights the slopes and casts every shadow. Lengths are pixels; a pixel is
about 0.75 m of ground at any image size, so a larger image shows more land.

    plan     _plan_parcels, _plan_water, _plan_roads, _plan_woods, _plan_houses, _plan_ground
    paint    _paint_ground, _paint_water, _paint_roads, _plant, _paint_house, _park
    light    _photograph
"""

import functools
import operator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, sparse


@dataclass(frozen=True)
class LandClass:
    """What one value of the label map stands for."""

    what: str
    mean: tuple[float, float, float]
    """Mean colour (red, green, blue; 0 … 1) of its pixels over many default scenes."""
    texture: float
    """Mean absolute difference of its pixels' brightness from the mean of their 3×3 pixels."""
    colour: tuple[int, int, int]
    """Its colour on the label map, 0 … 255."""


# The label map's value of a class is its place here. `benchmarks/aerial_scenes.py` measures the
# means; the colours lie at least 28 apart in CIELAB for every kind of colour vision (the tests
# simulate them), after the palette of Okabe and Ito (2008).
CLASSES = {
    "water": LandClass("rivers, lakes and the sea", (0.289, 0.365, 0.370), 0.0045, (20, 160, 215)),
    "shore": LandClass(
        "sand and mud along the water", (0.619, 0.587, 0.493), 0.0206, (255, 221, 140)
    ),
    "meadow": LandClass(
        "grass: meadows, pastures, gardens, verges", (0.449, 0.478, 0.333), 0.0142, (185, 220, 185)
    ),
    "field": LandClass(
        "tilled land and hay, with its rows", (0.543, 0.533, 0.383), 0.0130, (245, 165, 10)
    ),
    "forest": LandClass(
        "woods, and every single tree, hedge and orchard tree",
        (0.331, 0.375, 0.249),
        0.0275,
        (5, 95, 95),
    ),
    "road": LandClass(
        "roads, lanes, tracks, bridges, drives and yards",
        (0.553, 0.546, 0.519),
        0.0233,
        (12, 16, 12),
    ),
    "building": LandClass("houses and barns", (0.575, 0.497, 0.463), 0.0267, (200, 73, 22)),
}
WATER, SHORE, MEADOW, FIELD, FOREST, ROAD, BUILDING = range(len(CLASSES))
COLOURS = np.array([c.colour for c in CLASSES.values()], np.float32) / 255
"""(7, 3) float32 in 0 … 1: the label map's colours, readable by the colour-blind."""

MARGIN = 16  # painted beyond the image, so that shadows and crowns reach into it
COARSE = 4  # the water is planned on every fourth pixel
FEW = (slice(MARGIN, -MARGIN, COARSE),) * 2  # of a map: enough of the image to measure shares on


@dataclass(frozen=True)
class _Ground:
    """How a patch of ground looks. Contrasts are shares of its brightness."""

    colour: tuple[float, float, float]
    rows: float = 0.0  # contrast of the furrows
    period: float = 8.0  # from furrow to furrow
    mottle: float = 0.08  # patches and grain
    tramlines: float = 0.0  # wheel tracks, 34 pixels apart
    passes: float = 0.0  # strips that the passes of a machine left


GRASS = _Ground((0.43, 0.46, 0.30), mottle=0.11)
PASTURE = _Ground((0.47, 0.48, 0.32), 0.03, 7.0, 0.11, passes=0.02)
LAWN = _Ground((0.425, 0.465, 0.305), mottle=0.10)
YARD = _Ground((0.60, 0.575, 0.52), mottle=0.08)
WOOD_FLOOR = _Ground((0.215, 0.24, 0.165), mottle=0.15)
STUBBLE = _Ground((0.65, 0.60, 0.47), 0.07, 4.6, 0.06, 0.05, 0.06)
HAY = _Ground((0.51, 0.525, 0.345), 0.09, 7.5, 0.06, 0.0, 0.05)
CROPS = (  # with how common each is
    (3.0, _Ground((0.42, 0.47, 0.29), 0.035, 3.2, 0.07, 0.17, 0.03)),  # young wheat
    (2.0, _Ground((0.48, 0.51, 0.34), 0.03, 3.0, 0.08, 0.19, 0.03)),  # barley
    (3.0, _Ground((0.68, 0.61, 0.44), 0.035, 3.0, 0.065, 0.13, 0.03)),  # ripe wheat
    (2.2, _Ground((0.49, 0.415, 0.335), 0.10, 3.6, 0.10, 0.0, 0.03)),  # dark soil
    (1.6, _Ground((0.61, 0.54, 0.445), 0.08, 4.0, 0.10, 0.0, 0.03)),  # pale soil
    (2.0, _Ground((0.33, 0.39, 0.23), 0.11, 3.4, 0.08, 0.03, 0.02)),  # maize
    (1.2, _Ground((0.41, 0.42, 0.29), 0.18, 4.2, 0.08, 0.14, 0.02)),  # potatoes
    (0.6, _Ground((0.68, 0.65, 0.33), 0.02, 3.0, 0.065, 0.14, 0.02)),  # rape
    (2.2, STUBBLE),
    (1.6, HAY),
)
BROADLEAF, CONIFER = np.array([0.335, 0.376, 0.232]), np.array([0.235, 0.285, 0.206])
ROOFS = (
    (4.0, (0.60, 0.39, 0.32)),
    (2.5, (0.53, 0.37, 0.31)),
    (2.0, (0.43, 0.37, 0.345)),
    (2.0, (0.40, 0.41, 0.43)),
    (1.0, (0.60, 0.575, 0.55)),
)
FLAT_ROOF, SOLAR, CHIMNEY = (0.60, 0.59, 0.575), (0.19, 0.22, 0.28), (0.47, 0.39, 0.36)
BARN_ROOFS = ((2.0, (0.66, 0.66, 0.65)), (1.5, (0.55, 0.43, 0.385)), (1.0, (0.50, 0.52, 0.50)))
ASPHALT, DIRT, DRIVE = (0.53, 0.527, 0.517), (0.62, 0.555, 0.455), (0.61, 0.585, 0.54)
VERGE, BALE, WINDOW = (0.49, 0.485, 0.365), (0.74, 0.67, 0.50), (0.20, 0.22, 0.25)
MARKING, RAIL, SURF = 0.84, 0.72, 0.85
CARS = (
    (3.0, (0.85, 0.85, 0.85)),
    (2.0, (0.60, 0.60, 0.61)),
    (2.0, (0.22, 0.22, 0.24)),
    (1.0, (0.55, 0.18, 0.16)),
    (1.0, (0.27, 0.34, 0.46)),
)
WATERS = {  # width of the beach, sand, shallow water, deep water, depth at which it looks deep
    "river": (3.0, (0.55, 0.51, 0.42), (0.40, 0.40, 0.32), (0.27, 0.31, 0.275), 7.0),
    "lake": (4.5, (0.66, 0.61, 0.50), (0.37, 0.42, 0.37), (0.185, 0.25, 0.26), 15.0),
    "coast": (11.0, (0.77, 0.72, 0.60), (0.46, 0.54, 0.51), (0.20, 0.305, 0.355), 26.0),
}
AMOUNTS = ("water", "forest", "fields", "roads", "buildings")
THEMES = {  # how common; the range of each amount; the chance of water
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
    """Draw one aerial photograph and its label map.

    The same arguments give the same bytes. An amount that is not given is drawn with the seed, in
    ranges that make farmland, villages, woodland, lakes, rivers and coasts.

    Args:
        seed: any whole number from 0.
        size: side of the image in pixels of about 0.75 m, or `(height, width)`.
        water: share of the scene under water, 0 … 1.
        forest: share of the land under woods, 0 … 1. Hedges, orchards and single trees come on
            top.
        fields: share of the open land that is tilled, 0 … 1, as nearly as whole parcels allow; the
            rest is meadow.
        roads: share of the parcels' borders that carry a road, 0 … 1. Above 0 there is at least a
            main road.
        buildings: share of the places along the roads that are built on, 0 … 1; without roads,
            none.
        sun: where the light comes from, degrees clockwise from the top of the image. Drawn from
            −75 … 75 when not given.

    Returns:
        The label map, uint8 of shape `(height, width)` with values as in `CLASSES`, and the image,
        float32 of shape `(height, width, 3)` in 0 … 1. The image holds 8-bit values divided by 255,
        so storing it in 8 bits loses nothing.

    Raises:
        ValueError: for a seed, a size, an amount or a sun that is not as said above.

    Example:
        >>> labels, image = scene(7, size=(64, 96), water=0.3)
        >>> labels.shape, labels.dtype, image.shape, image.dtype
        ((64, 96), dtype('uint8'), (64, 96, 3), dtype('float32'))
    """
    height, width = _checked_size(size)
    rng = np.random.default_rng(_checked_seed(seed))
    theme = _pick(rng, [(weight, name) for name, (weight, *_) in THEMES.items()])
    _, ranges, chance = THEMES[theme]
    amounts = {name: rng.uniform(*r) for name, r in zip(AMOUNTS, ranges, strict=True)}
    amounts["water"] *= rng.random() < chance
    azimuth = rng.uniform(-75, 75) if sun is None else _checked_number("sun", sun, -360, 360)
    asked = zip(AMOUNTS, (water, forest, fields, roads, buildings), strict=True)
    amounts |= {name: _checked_number(name, a, 0, 1) for name, a in asked if a is not None}

    c = _canvas(rng, (height + 2 * MARGIN, width + 2 * MARGIN), azimuth)
    _plan_parcels(c, apart=amounts["water"] > 0.1)
    _plan_water(c, amounts["water"], theme)
    _plan_roads(c, amounts["roads"], village=amounts["buildings"] > 0.5)
    _plan_woods(c, amounts["forest"])
    _plan_houses(c, amounts["buildings"])
    _plan_ground(c, amounts["fields"])
    _paint_ground(c)
    _paint_water(c)
    _paint_roads(c)
    _plant(c)
    for house in c.houses:
        _paint_house(c, house)
    _park(c)
    image = _photograph(c)
    return c.labels[MARGIN:-MARGIN, MARGIN:-MARGIN].copy(), image.astype(np.float32) / 255


def colour(label_map: ArrayLike) -> np.ndarray:
    """Colour a label map for looking at it.

    Args:
        label_map: whole numbers as in `CLASSES`, of any shape `(…)`.

    Returns:
        float32 in 0 … 1 of shape `(…, 3)`.

    Raises:
        ValueError: for values that stand for no class.

    Example:
        >>> (colour([[0, 6]]) * 255).round().astype(int).tolist()
        [[[20, 160, 215], [200, 73, 22]]]
    """
    return COLOURS[_checked_labels(label_map)]


def one_hot(label_map: ArrayLike) -> np.ndarray:
    """Turn a label map into one channel per class, as a network takes it.

    Args:
        label_map: whole numbers as in `CLASSES`, of any shape `(…)`.

    Returns:
        float32 of shape `(…, 7)`: 1 in the channel of the class, 0 elsewhere.

    Raises:
        ValueError: for values that stand for no class.

    Example:
        >>> one_hot([6, 0]).tolist()
        [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    return np.eye(len(CLASSES), dtype=np.float32)[_checked_labels(label_map)]


# ---- checks --------------------------------------------------------------------------------------


def _checked_labels(label_map):
    labels = np.asarray(label_map)
    if labels.dtype.kind not in "ui":
        raise ValueError(
            f"a label map holds whole numbers, received {labels.dtype}; give the first of the two "
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


def _checked_size(size):
    try:
        sides = [operator.index(side) for side in (size if np.ndim(size) else (size, size))]
    except TypeError:
        sides = []
    if len(sides) != 2 or min(sides) < 1:
        raise ValueError(
            f"size={size!r} is neither a number of pixels from 1 nor a pair (height, width); try "
            "size=400 or size=(300, 400)"
        )
    return sides


def _checked_number(name, value, low, high):
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not low <= number <= high:  # also false for NaN
        kind = "an angle in degrees" if name == "sun" else "a share"
        raise ValueError(
            f"{name}={value!r} is not {kind} from {low} to {high}; leave {name} out to have it "
            "drawn with the seed"
        )
    return number


# ---- tools ---------------------------------------------------------------------------------------


@dataclass
class _Canvas:
    """The scene in the making; all maps are (height, width) with the margin, float32."""

    rng: np.random.Generator
    shape: tuple[int, int]
    frame: np.ndarray  # (2, 2): turns x, y into the frame of the parcels
    warp: np.ndarray  # (2, height, width): bends the frame, so that borders and rows curve
    bend: float  # how far it bends at most
    u: np.ndarray  # where each pixel lies in the bent frame
    v: np.ndarray
    sun: np.ndarray  # x, y: unit vector towards the sun
    drop: float  # how far the sun's ray sinks per pixel
    noise: dict
    colour: np.ndarray  # (3, height, width)
    height: np.ndarray  # above the ground
    light: np.ndarray  # factor
    labels: np.ndarray  # uint8
    parcel: np.ndarray  # number of the parcel
    margin: np.ndarray  # distance to the parcel's border
    road: np.ndarray  # distance to the edge of the nearest road, negative on it
    built: np.ndarray  # bool: on or close to a building
    forest: np.ndarray | None = None  # bool: woods
    water: np.ndarray | None = None  # distance to the shore, positive in the water
    water_kind: str = ""
    ground: np.ndarray | None = None  # number of the ground, as in `grounds`
    grounds: list = field(default_factory=list)
    polygons: list = field(default_factory=list)  # of the parcels, in the bent frame
    tilled: np.ndarray | None = None  # (parcels,) bool
    row_angle: np.ndarray | None = None  # (parcels,)
    borders: list = field(default_factory=list)
    roads: list = field(default_factory=list)
    houses: list = field(default_factory=list)
    plots: list = field(default_factory=list)


def _canvas(rng, shape, azimuth):
    # One block for all maps: once it is freed, the allocator keeps the memory for the next scene.
    maps = np.empty((15, *shape), np.float32)
    warp, (u, v), noises, colour, (height, light, margin, road) = np.split(maps, [2, 4, 8, 11])
    turn, azimuth = rng.uniform(0, np.pi), np.radians(azimuth)
    frame = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    warp[0], warp[1] = 8 * _noise(rng, shape, 160), 15 * _noise(rng, shape, 190)
    warp -= warp.mean((1, 2), keepdims=True)
    y, x = (np.arange(n, dtype=np.float32) for n in shape)
    for bent, (a, b), w in zip((u, v), frame.tolist(), warp, strict=True):
        np.add(a * x + b * y[:, None], w, out=bent)
    noises[0] = rng.integers(0, 256, shape, dtype=np.uint8)
    noises[0] = noises[0] / 128 - 1
    for noise, wavelength in zip(noises[1:], (2.2, 7, 34), strict=True):
        noise[:] = _noise(rng, shape, wavelength)
    for map_, value in ((height, 0), (light, 1), (margin, 1e3), (road, 1e3)):
        map_[:] = value
    return _Canvas(
        rng=rng,
        shape=shape,
        frame=frame,
        warp=warp,
        bend=float(np.hypot(*np.abs(warp).max((1, 2)))),
        u=u,
        v=v,
        sun=np.array([np.sin(azimuth), -np.cos(azimuth)]),
        drop=float(np.tan(np.radians(rng.uniform(45, 57)))),
        noise=dict(zip(("pixel", "fine", "medium", "broad"), noises, strict=True)),
        colour=colour,
        height=height,
        light=light,
        margin=margin,
        road=road,
        labels=np.zeros(shape, np.uint8),
        parcel=np.zeros(shape, np.uint16),
        built=np.zeros(shape, bool),
    )


@functools.lru_cache(maxsize=64)
def _spline(length, wavelength):
    """Weights of knots that lie `wavelength` apart, at every pixel of an axis (cubic B-spline)."""
    knots = np.arange(int(np.ceil(length / wavelength)) + 3)
    distance = np.abs(np.arange(length)[:, None] / wavelength + 1 - knots)
    near, far = 2 / 3 - distance**2 + distance**3 / 2, np.clip(2 - distance, 0, None) ** 3 / 6
    return sparse.csr_array(np.where(distance < 1, near, far).astype(np.float32))


def _noise(rng, shape, wavelength):
    """Smooth noise of mean 0 and deviation about 1; the wavelength may differ by axis."""
    wavelengths = np.broadcast_to(wavelength, 2).tolist()
    rows, columns = (_spline(n, w) for n, w in zip(shape, wavelengths, strict=True))
    knots = rng.standard_normal((columns.shape[1], rows.shape[1]), dtype=np.float32)
    # 0.479 is the deviation that the weights leave of independent knots. Sparse products: unlike a
    # BLAS they give the same bits whatever the number of threads.
    return rows @ np.ascontiguousarray((columns @ (knots / 0.479)).T)


def _pick(rng, choices):
    """One of (weight, thing)."""
    left = rng.random() * sum(weight for weight, _ in choices)
    for weight, thing in choices:
        left -= weight
        if left < 0:
            return thing
    return choices[-1][1]


def _axes(angle):
    """Unit vectors x, y along an angle and across it."""
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    return np.array([cos, sin]), np.array([-sin, cos])


def _angle(vectors):
    return np.arctan2(vectors[..., 1], vectors[..., 0])


def _at(maps, xy):
    """Values of maps (…, height, width) at points (n, 2) x, y; outside, those of the edge."""
    h, w = maps.shape[-2:]
    column = np.minimum(np.maximum(np.rint(xy[:, 0]), 0), w - 1).astype(int)
    row = np.minimum(np.maximum(np.rint(xy[:, 1]), 0), h - 1).astype(int)
    return maps[..., row, column]


def _to_pixels(c, points):
    """Points (n, 2) of the bent frame → x, y in pixels."""
    xy = points @ c.frame
    for _ in range(3):
        xy = (points - _at(c.warp, xy).T) @ c.frame
    return xy


def _dry(c, xy, distance):
    """Which of the points lie at least so far from the water."""
    return np.ones(len(xy), bool) if c.water is None else _at(c.water, xy) < -distance


def _rectangle(c, centre, angle, half):
    """The pixels round a turned rectangle: numbers, and ways along and across from its centre.

    Pixels are numbered row by row, as in `array.take(where)` and `array.put(where, values)`.
    """
    (x, y), (cos, sin) = centre, _axes(angle)[0].tolist()
    pixels = []
    for middle, reach, length in (
        (y, abs(sin) * half[0] + abs(cos) * half[1] + 2, c.shape[0]),
        (x, abs(cos) * half[0] + abs(sin) * half[1] + 2, c.shape[1]),
    ):
        pixels.append(np.arange(max(int(middle - reach), 0), min(int(middle + reach) + 2, length)))
    row, column = pixels[0][:, None], pixels[1]
    dy, dx = (row - float(y)).astype(np.float32), (column - float(x)).astype(np.float32)
    return row * c.shape[1] + column, cos * dx + sin * dy, cos * dy - sin * dx


def _inside(along, across, half):
    """How much of each pixel a rectangle of these half lengths covers."""
    p = np.maximum(float(half[0]) + 0.5 - np.abs(along), 0)
    q = np.maximum(float(half[1]) + 0.5 - np.abs(across), 0)
    return np.minimum(p, 1) * np.minimum(q, 1)


def _rgb(colour, like):
    """A colour as three planes that meet an array of pixels."""
    return np.asarray(colour, np.float32).reshape(3, *[1] * like.ndim)


def _paint(c, where, alpha, colour, label=None):
    """Paint over the pixels of these numbers; label those that are covered by half."""
    planes = c.colour.reshape(3, -1)
    under = planes.take(where, axis=1)
    under += alpha * (colour - under)
    planes[:, where] = under
    if label is not None:
        c.labels.put(where[alpha > 0.5], label)


def _lit(height, sun, reach):
    """How steeply each place rises away from the sun: positive where it faces the sun."""
    rise = np.zeros_like(height)
    rise[:, reach:-reach] = (height[:, : -2 * reach] - height[:, 2 * reach :]) * float(sun[0])
    rise[reach:-reach] += (height[: -2 * reach] - height[2 * reach :]) * float(sun[1])
    return rise


# ---- the plan ------------------------------------------------------------------------------------


@dataclass
class _Border:
    """A cut between parcels, straight in the bent frame; some of them carry a road."""

    ends: np.ndarray  # (2, 2)
    meets: list  # the number of the border that each end lies on, −1 for the edge of the scene
    kind: str = ""  # of the road: main, lane, track
    half: float = 0.0  # of the road's width
    where: np.ndarray | None = None  # the pixels near the road
    distance: np.ndarray | None = None  # of these pixels from its middle
    way: np.ndarray | None = None  # of these pixels along it

    @property
    def length(self):
        return float(np.hypot(*(self.ends[1] - self.ends[0])))

    @property
    def axes(self):
        return _axes(_angle(self.ends[1] - self.ends[0]))

    def points(self, along, aside=0.0):
        """Points at these distances from its first end and aside of it."""
        direction, across = self.axes
        along, aside = np.broadcast_arrays(along, aside)
        return self.ends[0] + along[:, None] * direction + aside[:, None] * across


def _cut(polygon, sources, normal, offset, number):
    """Cut a convex polygon whose edges come from the borders `sources` by border `number`.

    Returns both halves as (polygon, sources), the ends of the cut and the borders that they meet.
    """
    distance = polygon @ normal - offset
    parts, ends, meets = ([], []), [], []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        side = int(distance[i] > 0)
        parts[side].append((polygon[i], sources[i]))
        if side != int(distance[j] > 0):
            way = distance[i] / (distance[i] - distance[j])
            ends.append(polygon[i] + way * (polygon[j] - polygon[i]))
            meets.append(sources[i])
            parts[side].append((ends[-1], number))
            parts[1 - side].append((ends[-1], sources[i]))
    halves = [(np.array([p for p, _ in part]), [s for _, s in part]) for part in parts]
    return halves, np.array(ends), meets


def _area(polygon):
    x, y = polygon.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _longest_edge(polygon):
    edges = np.roll(polygon, -1, 0) - polygon
    longest = int(np.argmax(np.hypot(*edges.T)))
    return polygon[longest], edges[longest]


def _around(c, points, reach=0.0):
    """A box of slices that holds points of the bent frame, and what lies within reach."""
    xy = points @ c.frame
    reach += c.bend
    (x0, y0), (x1, y1) = np.maximum([xy.min(0) - reach, xy.max(0) + reach], 0).astype(int).tolist()
    return slice(y0, y1), slice(x0, x1)


def _plan_parcels(c, apart):
    """Cut the land into parcels: always the largest one, across its longest edge."""
    rng, (h, w) = c.rng, c.shape
    corners = np.array([[-30, -30], [w + 30, -30], [w + 30, h + 30], [-30, h + 30]]) @ c.frame.T
    polygons, sources, areas = [corners], [[-1] * 4], [_area(corners)]
    spare = np.empty((2, *c.shape), np.float32)
    target = rng.uniform(95, 150) ** 2
    while max(areas) > (target if len(areas) < 3 else 1.5 * target):
        k = int(np.argmax(areas))
        corner, edge = _longest_edge(polygons[k])
        if c.borders:
            turn = _angle(edge) + rng.normal(0, 0.09)
            through = corner + rng.uniform(0.33, 0.67) * edge
        else:  # the first cut, for the main road, crosses the scene; it leaves room for a lake
            turn = rng.uniform(-0.2, 0.2) + np.pi / 2 * rng.integers(2)
            through = polygons[k].mean(0) + rng.uniform(-1, 1) * (0.3 if apart else 0.2) * min(h, w)
        normal, number = _axes(turn)[0], len(c.borders)
        halves, ends, meets = _cut(polygons[k], sources[k], normal, through @ normal, number)
        if len(ends) != 2:
            areas[k] = 0
            continue
        box = _around(c, polygons[k])
        signed = np.multiply(c.u[box], float(normal[0]), out=spare[0][box])
        signed += np.multiply(c.v[box], float(normal[1]), out=spare[1][box])
        signed -= float(through @ normal)
        inside = c.parcel[box] == k
        c.parcel[box] += (inside & (signed > 0)) * np.uint16(len(polygons) - k)
        distance = np.abs(signed, out=signed)
        np.copyto(distance, 1e3, where=~inside)
        np.minimum(c.margin[box], distance, out=c.margin[box])
        c.borders.append(_Border(ends, meets))
        (polygons[k], sources[k]), (new, new_sources) = halves
        polygons.append(new)
        sources.append(new_sources)
        areas[k] = _area(polygons[k])
        areas.append(_area(new))
    c.polygons = polygons


def _plan_water(c, share, theme):
    """A river across the main road, or a lake or the sea beside it, of the share asked for."""
    if share <= 0:
        return
    rng, side = c.rng, min(c.shape)
    kind = theme if theme in WATERS else "lake"
    if theme not in WATERS and share > 0.05:
        kind = _pick(rng, [(2.0 * (share < 0.15), "river"), (1.0, "lake"), (1.0, "coast")])
    u, v = c.u[::COARSE, ::COARSE], c.v[::COARSE, ::COARSE]
    middle = np.array([u.mean(), v.mean()])
    normal, beyond = np.array([1.0, 0.0]), np.full(u.shape, 1e3, np.float32)
    if c.borders:  # how far beyond the main road, on its wider side
        road = c.borders[0]
        normal = road.axes[1] * np.sign((middle - road.ends[0]) @ road.axes[1])
        beyond = (u - float(road.ends[0, 0])) * float(normal[0])
        beyond += (v - float(road.ends[0, 1])) * float(normal[1])
    if kind == "river":
        centre = middle + rng.uniform(-0.2, 0.2, 2) * side
    else:
        centre = middle + normal * rng.uniform(0.1, 0.3) * side + rng.uniform(-0.15, 0.15, 2) * side
    cos, sin = _axes(_angle(normal) + rng.uniform(-0.5, 0.5))[0].tolist()
    du, dv = u - float(centre[0]), v - float(centre[1])
    p, q = cos * du + sin * dv, cos * dv - sin * du
    wobble = _noise(rng, u.shape, 20) + 0.35 * _noise(rng, u.shape, 8)
    if kind == "river":
        turns = 2 * np.pi / rng.uniform(170, 330)
        bend = rng.uniform(14, 36) * np.sin(p * turns + rng.uniform(0, 6))
        level = -np.abs(q - bend + 7 * wobble) * (1 + 0.12 * _noise(rng, u.shape, 15))
    elif kind == "coast":
        bays = 2 * np.pi / rng.uniform(140, 300)
        level = p + 9 * np.sin(q * bays + rng.uniform(0, 6)) + 0.07 * side * wobble
    else:
        stretch = rng.uniform(1.0, 1.8)
        level = 0.22 * wobble * max(side * share**0.5, 25) - np.hypot(p * stretch, q / stretch)
    if kind != "river":  # keep off the main road
        level -= side * (np.clip(1 - beyond / 45, 0, 1) ** 2 + 2 * (beyond < 0))
    shown = slice(MARGIN // COARSE, -MARGIN // COARSE)
    wet = share >= 1 or level > np.quantile(level[shown, shown], 1 - share)
    wet = np.broadcast_to(wet, u.shape)
    if wet.all() or not wet.any():
        c.water = np.full(c.shape, 60 if wet.all() else -1e3, np.float32)
    else:
        wet = np.pad(wet, (8, 9), mode="edge")
        away = ndimage.distance_transform_edt(wet) - ndimage.distance_transform_edt(~wet)
        away = COARSE * ndimage.gaussian_filter(away.astype(np.float32), 1.2)[8:, 8:]
        for axis, length in enumerate(c.shape):  # from every fourth pixel to all, linearly
            whole, part = np.divmod(np.arange(length), COARSE)
            part = (part / COARSE).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
            low, high = np.take(away, whole, axis), np.take(away, whole + 1, axis)
            away = low + part * (high - low)
        c.water = away + 1.3 * _noise(rng, c.shape, 9) + 0.4 * c.noise["fine"]
    c.water_kind = kind


def _plan_roads(c, share, village):
    """Put roads on this share of the borders, the long ones first, each joined to the others."""
    wanted = max(round(share * len(c.borders)), 1) if share > 0 else 0
    joined = {-1}
    for number, border in enumerate(c.borders):
        if len(c.roads) >= wanted:
            break
        dry = _dry(c, _to_pixels(c, border.points(np.arange(0, border.length, 4.0))), 8)
        bridge = 1e9 if number == 0 else 75 if c.water_kind == "river" else 0
        through = [source in joined for source in border.meets]
        if 4 * (~dry).sum() > bridge or not any(through):
            continue
        lane = all(through) and (village or len(c.roads) <= 0.5 * wanted)
        border.kind = "lane" if lane else "track"
        if not c.roads and c.rng.random() < 0.75:
            border.kind = "main"
        widths = {"main": (4.2, 5.0), "lane": (2.5, 3.2), "track": (1.8, 2.2)}
        border.half = c.rng.uniform(*widths[border.kind])
        joined.add(number)
        c.roads.append(border)
        box, start, (along, across) = _around(c, border.ends, 30), border.ends[0], border.axes
        u, v = c.u[box] - float(start[0]), c.v[box] - float(start[1])
        way = u * float(along[0]) + v * float(along[1])
        distance = np.abs(u * float(across[0]) + v * float(across[1]))
        beyond = np.abs(way - border.length / 2) - border.length / 2
        distance = np.maximum(distance, beyond)
        np.minimum(c.road[box], distance - border.half, out=c.road[box])
        near = np.flatnonzero(distance < border.half + 5)
        row, column = np.divmod(near, distance.shape[1])
        border.where = (row + box[0].start) * c.shape[1] + column + box[1].start
        border.distance, border.way = distance.take(near), way.take(near)


def _plan_woods(c, share):
    """Woods on this share of the land; some fill parcels, some have an outline of their own."""
    suits = 0.8 * _noise(c.rng, c.shape, 60) + 0.25 * _noise(c.rng, c.shape, 16)
    suits += c.rng.normal(0, 2.0, len(c.polygons)).astype(np.float32)[c.parcel]
    land = np.ones(c.shape, bool) if c.water is None else c.water < -5
    sample = suits[FEW][land[FEW]]
    level = np.inf if share == 0 or not sample.size else np.quantile(sample, 1 - share)
    c.forest = land & (c.road > 3) & (suits >= level)


@dataclass
class _House:
    centre: np.ndarray
    angle: float
    half: np.ndarray  # along the ridge and across it
    barn: bool
    place: tuple  # what _rectangle says of it


@dataclass
class _Plot:
    """The garden of a house, or the yard of a barn, and the drive from the road."""

    centre: np.ndarray
    angle: float
    half: np.ndarray
    barn: bool
    drive: tuple  # two ends


def _plan_houses(c, share):
    """Build on this share of the places along the roads."""
    rng, (h, w) = c.rng, c.shape
    taken = np.zeros((0, 3))  # x, y, radius
    for road, side in ((road, side) for road in c.roads * (share > 0) for side in (-1, 1)):
        n = int(road.length / 22) + 1
        barn = rng.random(n) < np.interp(share, [0.3, 0.6], [0.3, 0.06])
        step = rng.uniform(22, 30, n) + 24 * barn
        along = np.cumsum(step) - step / 2 + rng.uniform(0, 15)
        long = np.where(barn, rng.uniform(13, 22, n), rng.uniform(6.6, 9.2, n))
        wide = np.where(barn, rng.uniform(7, 9.5, n), rng.uniform(4.6, 5.9, n))
        turned = rng.random(n) < 0.3
        depth, breadth = np.where(turned, (long, wide), (wide, long))
        back = road.half + depth + rng.uniform(4, 12, n)
        behind = rng.uniform(9, 22, n)
        aside = rng.uniform(-0.6, 0.6, n) * breadth
        # the drive goes to the door of a house, past a barn into its yard
        aside = np.where(barn, np.sign(aside) * (breadth + 3), aside)
        tilt = rng.normal(0, 0.03, n) + np.pi / 2 * turned
        ways, asides = np.concatenate([along, along + 1, along]), side * np.repeat([0, 0, 1], n)
        points = _to_pixels(c, road.points(ways, asides * np.tile(back, 3)))
        fronts, ahead, centres = np.split(points, 3)
        angle = _angle(ahead - fronts)
        ok = (rng.random(n) < share) & (along < road.length - 8) & _dry(c, centres, 14)
        ok &= ((centres > 0) & (centres < (w, h))).all(1) & ~_at(c.forest, centres)
        ok &= _at(c.road, centres) > depth + 1.5
        for k in np.flatnonzero(ok):
            reach = np.hypot(long[k], wide[k])
            if (np.hypot(*(taken[:, :2] - centres[k]).T) < 0.9 * (taken[:, 2] + reach)).any():
                continue
            half = np.array([long[k], wide[k]])
            place = where, p, q = _rectangle(c, centres[k], angle[k] + tilt[k], half)
            footprint = where[_inside(p, q, half + 2) > 0]
            if (c.road.take(footprint) < 0).any():
                continue
            if c.water is not None and (c.water.take(footprint) > -6).any():
                continue
            taken = np.vstack([taken, [*centres[k], reach]])
            c.built.put(footprint, True)
            c.houses.append(_House(centres[k], angle[k] + tilt[k], half, barn[k], place))
            direction = centres[k] - fronts[k]
            direction /= np.hypot(*direction)
            end = centres[k] + direction * (depth[k] + 5) * barn[k]
            drive = np.stack([fronts[k], end]) + _axes(angle[k])[0] * aside[k]
            half = np.array([step[k], back[k] + depth[k] + behind[k]]) / 2
            middle = fronts[k] + direction * half[1]
            c.plots.append(_Plot(middle, angle[k], half, barn[k], drive))


def _plan_ground(c, share):
    """Choose what covers each parcel; this share of the open land is tilled."""
    rng, count = c.rng, len(c.polygons)
    open_land = ~c.forest[FEW] if c.water is None else ~c.forest[FEW] & (c.water[FEW] < -8)
    areas = np.bincount(c.parcel[FEW][open_land], minlength=count)
    homes = np.array([house.centre for house in c.houses]).reshape(-1, 2)
    homes = np.bincount(_at(c.parcel, homes), minlength=count)
    # where many houses stand is tilled last
    order = np.argsort(homes * 250 / np.maximum(areas, 1) + rng.uniform(0, 1.5, count))
    filled = np.cumsum(areas[order]) - areas[order] / 2
    c.tilled = np.zeros(count, bool)
    c.tilled[order[filled < share * areas.sum()]] = True
    edges = np.array([_longest_edge(polygon)[1] for polygon in c.polygons])
    c.row_angle = _angle(edges) + rng.normal(0, 0.04, count)
    c.row_angle += np.pi / 2 * (rng.random(count) < 0.15)
    c.grounds = [_pick(rng, CROPS if tilled else ((2, GRASS), (1, PASTURE))) for tilled in c.tilled]
    c.labels[:] = np.where(c.tilled, FIELD, MEADOW).astype(np.uint8)[c.parcel]
    c.labels[c.forest] = FOREST
    c.ground = c.parcel.astype(np.intp)
    c.ground[c.forest] = count
    c.grounds.append(WOOD_FLOOR)
    for plot in c.plots:
        where, along, across = _rectangle(c, plot.centre, plot.angle, plot.half)
        ragged = 0.7 * c.noise["medium"].take(where)
        inside = np.maximum(np.abs(along) - plot.half[0], np.abs(across) - plot.half[1]) < ragged
        where = where[inside & ~c.forest.take(where)]
        c.ground.put(where, len(c.grounds))
        c.labels.put(where, ROAD if plot.barn else MEADOW)
        c.grounds.append(YARD if plot.barn else LAWN)


# ---- the paint -----------------------------------------------------------------------------------


def _paint_ground(c):
    rng, g, noise, count = c.rng, c.ground, c.noise, len(c.grounds)
    colours = np.array([ground.colour for ground in c.grounds])
    spread = np.array([0.09 if ground is LAWN else 0.05 for ground in c.grounds])
    colours *= rng.normal(1, spread)[:, None] * rng.normal(1, 0.014, (count, 3))
    looks = np.array([(k.rows, k.period, k.mottle, k.tramlines, k.passes) for k in c.grounds])
    looks[:, 1] *= rng.uniform(0.88, 1.15, count)
    angle = np.zeros(count)
    angle[: len(c.row_angle)] = c.row_angle
    numbers = np.column_stack([looks, np.cos(angle), np.sin(angle)]).astype(np.float32).T.copy()
    rows, period, mottle, tramlines, passes, cos, sin = (np.take(n, g) for n in numbers)
    way = cos * c.v - sin * c.u
    np.copyto(way, c.margin, where=c.margin < 8.5)  # the last rows follow the border
    turn = way / period
    tone = np.sin(turn * (2 * np.pi))
    tone *= rows * (0.8 + 0.3 * noise["medium"])
    tone += mottle * (0.65 * noise["broad"] + 0.35 * noise["medium"] + 0.45 * noise["fine"])
    tone += 0.015 * noise["pixel"] + 1
    track = way * (1 / 34)
    track -= np.floor(track) + 0.5
    track = np.abs(34 * np.abs(track) - 1.8)
    tone -= tramlines * np.clip(1.3 - track, 0, 1)
    tone += passes * np.sin(12.9898 * np.floor(turn * 0.4) + g.astype(np.float32))
    hue = 0.025 * noise["broad"]
    for plane, values, lean in zip(c.colour, colours.astype(np.float32).T, (1, 0, -1), strict=True):
        np.take(values, g, out=plane, mode="clip")
        plane *= tone + hue * lean if lean else tone
    edge = (c.margin < 5) & (c.labels == FIELD)
    where = np.flatnonzero(edge)
    width = rng.uniform(1.2, 3.0) + 0.7 * noise["medium"].take(where)
    _grass_over(c, where, np.clip((width - c.margin.take(where)) * 0.7, 0, 1))


def _grass_over(c, where, alpha):
    shade = 1 + 0.1 * c.noise["medium"].take(where) + 0.06 * c.noise["fine"].take(where)
    _paint(c, where, alpha, _rgb(GRASS.colour, alpha) * shade, MEADOW)


def _paint_water(c):
    if c.water is None:
        return
    rng, noise = c.rng, c.noise
    beach, sand, shallow, deep, depth = WATERS[c.water_kind]
    where = np.flatnonzero((c.water > -beach - 16) & (c.labels == FIELD))
    away, medium = c.water.take(where), noise["medium"].take(where)
    _grass_over(c, where, np.clip((away + beach + 8 + 3 * medium) / 5, 0, 1))
    where = np.flatnonzero((c.water > -2.5 * beach) & (c.water < 1))
    away, fine, medium = c.water.take(where), noise["fine"].take(where), noise["medium"].take(where)
    width = beach * (1 + 0.45 * _noise(rng, c.shape, 40).take(where))
    shade = 1 - 0.22 * np.clip(1 + away / 3, 0, 1) + 0.05 * fine + 0.03 * medium
    _paint(c, where, np.clip(away + width, 0, 1), _rgb(sand, away) * shade, SHORE)

    where = np.flatnonzero(c.water > -0.5)
    away, fine, medium = c.water.take(where), noise["fine"].take(where), noise["medium"].take(where)
    ripple = _noise(rng, c.shape, (2.4, 6.0) if rng.random() < 0.5 else (6.0, 2.4)).take(where)
    shade = 1 + 0.035 * ripple + 0.04 * noise["broad"].take(where) + 0.02 * fine
    deep = _rgb(deep, away) * rng.uniform(0.85, 1.2)
    colour = (deep + np.exp(-np.maximum(away, 0) / depth) * (_rgb(shallow, away) - deep)) * shade
    if c.water_kind == "coast":  # two lines of surf
        surf = np.clip(1 - np.abs(away - 1.5 - 1.2 * medium) / 1.1, 0, 1)
        surf += 0.4 * np.clip(1 - np.abs(away - 7 - 2 * medium) / 1.2, 0, 1)
        colour += 0.5 * np.minimum(surf, 1) * (SURF - colour)
    _paint(c, where, np.clip(away + 0.5, 0, 1), colour, WATER)


def _paint_roads(c):
    rng = c.rng
    for plot in c.plots:
        start, end = plot.drive
        half = np.hypot(*(end - start)) / 2, rng.uniform(1.3, 1.9) + 1.2 * plot.barn
        where, along, across = _rectangle(c, (start + end) / 2, _angle(end - start), half)
        shade = rng.uniform(0.86, 1.06) * (1 + 0.05 * c.noise["fine"].take(where))
        covered = _inside(along, across, half)
        _paint(c, where, covered, _rgb(DRIVE, along) * shade, ROAD)
        c.road.put(where[covered > 0.5], -2)  # nothing grows here
    for road in c.roads:
        where = road.where
        verge = road.half + 2.2 + 0.6 * c.noise["medium"].take(where) - road.distance
        verge = 0.75 * np.clip(0.8 * verge, 0, 1)
        if c.water is not None:
            verge *= c.water.take(where) < -3
        c.labels.put(where[(verge > 0.4) & (c.labels.take(where) == FIELD)], MEADOW)
        _paint(c, where, verge, _rgb(VERGE, verge) * (1 + 0.08 * c.noise["fine"].take(where)))
    for road in sorted(c.roads, key=lambda road: road.half):
        _paint_road(c, road)


def _paint_road(c, road):
    rng, half, where, distance = c.rng, road.half, road.where, road.distance
    fine, medium = c.noise["fine"].take(where), c.noise["medium"].take(where)
    if road.kind == "track":
        colour = _rgb(DIRT, fine) * (1 + 0.06 * fine + 0.04 * medium)
        green = 0.6 * np.clip(1 - 0.9 * distance + 0.4 * medium, 0, 1)  # between the wheels
        colour += green * (_rgb(GRASS.colour, fine) - colour)
    else:
        worn = np.clip(1 - np.abs(distance - half / 2) / 1.2, 0, 1)
        grey = rng.uniform(0.9, 1.08) * (1 + 0.03 * fine + 0.02 * medium - 0.06 * worn)
        colour = _rgb(ASPHALT, fine) * grey
        if road.kind == "main":  # a broken line in the middle, faint lines at the edges
            dash = road.way / 14
            line = np.clip(0.95 - distance, 0, 1) * (dash - np.floor(dash) < 0.45)
            line += 0.8 * np.clip(0.9 - np.abs(distance - half + 1), 0, 1)
            colour += 0.7 * np.minimum(line, 1) * (MARKING - colour)
    alpha = np.clip(half + 0.5 - distance, 0, 1)
    if c.water is not None:  # a bridge stands above the water and has pale rails
        deck = np.clip(half + 1.2 - distance, 0, 1) * np.clip(c.water.take(where) + 4, 0, 1)
        colour += deck * np.clip(distance - half + 0.7, 0, 1) * (RAIL - colour)
        c.height.put(where[deck > 0.5], 3)
        alpha = np.maximum(alpha, deck)
    _paint(c, where, alpha, colour, ROAD)


# ---- what grows ----------------------------------------------------------------------------------


def _crowns(xy, radius, height, colour, label=FOREST, cone=0.0):
    """A row per crown: x, y, radius, height, red, green, blue, label, whether it is a cone."""
    columns = ((radius, 1), (height, 1), (colour, 3), (label, 1), (cone, 1))
    parts = (np.broadcast_to(np.reshape(value, (-1, k)), (len(xy), k)) for value, k in columns)
    return np.hstack([xy, *parts]).astype(np.float32)


def _greens(rng, n, base, spread=0.10):
    hue = rng.normal(0, 0.035, (n, 1)) * np.array([1.0, 0.25, -0.3])
    return base * rng.normal(1, spread, (n, 1)) * (1 + hue)


def _plant(c):
    season = 1 + c.rng.normal(0, 0.05) * np.array([1.0, 0.2, -0.4])
    crowns = [_woods(c, season), _open_trees(c, season), _hedges(c, season)]
    crowns += [_orchard_or_bales(c, k, season) for k in range(len(c.polygons))]
    _stamp(c, np.concatenate(crowns))


def _scattered(c, step):
    """Points about `step` apart."""
    rows, columns = (int(n / step) + 2 for n in c.shape)
    row, column = np.divmod(np.arange(rows * columns), columns)
    points = np.stack([column + 0.5 * (row % 2), row], 1)
    return (points + c.rng.uniform(-0.45, 0.45, points.shape)) * step


def _woods(c, season):
    rng = c.rng
    xy = _scattered(c, 5.6)
    xy = xy[_at(c.forest, xy)]
    n = len(xy)
    conifer = _at(c.noise["broad"], xy) + rng.normal(0, 0.4, n) > rng.uniform(0, 2.2)
    radius = np.where(conifer, rng.uniform(2.7, 3.8, n), rng.uniform(3.0, 5.6, n))
    height = np.where(conifer, rng.uniform(13, 17, n), rng.uniform(9, 15, n))
    broad, dark = _greens(rng, n, BROADLEAF * season, 0.12), _greens(rng, n, CONIFER * season, 0.08)
    return _crowns(xy, radius, height, np.where(conifer[:, None], dark, broad), cone=conifer)


def _open_trees(c, season):
    """Single trees and bushes on the meadows and along the banks."""
    rng = c.rng
    xy = _scattered(c, 6.0)
    chance = 0.014 + 0.06 * (_at(c.noise["broad"], xy) > 1)
    chance *= _at(c.labels, xy) == MEADOW
    if c.water is not None:
        away = _at(c.water, xy)
        bank = (away < -6) & (away > -16)
        chance = np.where(bank, 0.22 if c.water_kind == "river" else 0.09, chance) * (away < -6)
    chance *= (_at(c.road, xy) > 4) & ~_at(c.forest, xy) & ~_at(c.built, xy)
    xy = xy[rng.random(len(xy)) < chance]
    radius = rng.uniform(1.8, 5.2, len(xy))
    height = radius * rng.uniform(1.3, 2.0, len(xy))
    return _crowns(xy, radius, height, _greens(rng, len(xy), BROADLEAF * season))


def _hedges(c, season):
    """Trees beside the roads, hedges between the fields, hedges and trees of the gardens."""
    borders = [_along_border(c.rng, border) for border in c.borders]
    gardens = [_garden(c.rng, plot) for plot in c.plots]
    bent = np.concatenate([np.zeros((0, 2)), *(points for points, _ in borders)])
    xy = np.concatenate([_to_pixels(c, bent), *(points for points, _ in gardens)])
    radius = np.concatenate([np.zeros(0), *(radius for _, radius in borders + gardens)])
    ok = (_at(c.road, xy) > 1.5) & _dry(c, xy, 5) & ~_at(c.built, xy)
    xy, radius = xy[ok], radius[ok]
    return _crowns(xy, radius, 1.6 * radius, _greens(c.rng, len(xy), BROADLEAF * season, 0.11))


def _along_border(rng, border):
    """Points in the bent frame and radii of an avenue and of a hedge."""
    parts, length, half = [], border.length, border.half
    if border.kind in ("main", "lane") and rng.random() < 0.4:
        for side in (-1, 1):
            gap = rng.uniform(16, 28)
            n = int(length / gap) + 1
            present = np.convolve(rng.normal(0, 1, n + 2), np.ones(3), "valid") > -0.6
            radius = rng.uniform(2.8, 4.8, n)
            along = np.arange(n) * gap + rng.normal(0, 2.5, n)
            parts.append((along, side * (half + 2 + 0.6 * radius), radius, present))
    hedge = rng.random()
    if hedge < (0.25 if border.kind else 0.6):
        n = int(length / 2.6) + 1
        gaps = np.convolve(rng.normal(0, 1, n + 8), np.ones(9) / 3, "valid")
        tall = rng.random(n) < 0.08
        radius = np.where(tall, rng.uniform(3.4, 4.8, n), rng.uniform(1.6, 2.7, n))
        aside = rng.normal(0, 0.5, n) + (half + 3.2 if border.kind else 0)
        along = np.arange(n) * 2.6 + rng.uniform(-0.7, 0.7, n)
        parts.append((along, aside, radius, gaps > (-1.2 if hedge < 0.35 else 0.3)))
    if not parts:
        return np.zeros((0, 2)), np.zeros(0)
    along, aside, radius, present = map(np.concatenate, zip(*parts, strict=True))
    return border.points(along[present], aside[present]), radius[present]


def _garden(rng, plot):
    """Points in pixels and radii of trees and of hedges on the sides of the plot."""
    points = [rng.uniform(-0.85, 0.85, (rng.integers(1, 5), 2))]
    radius = [rng.uniform(1.6, 3.8, len(points[0]))]
    for axis, side in ((0, -1), (0, 1), (1, -1), (1, 1)):
        if rng.random() < (0.2 if plot.barn else 0.65):
            n = int(plot.half[1 - axis] * 2 / 2.1)
            line = np.full((n, 2), side * 0.97)
            line[:, 1 - axis] = np.arange(n) * (1.9 / n) - 0.95
            points.append(line)
            radius.append(rng.uniform(1.2, 1.8, n))
    xy = plot.centre + np.concatenate(points) * plot.half @ np.stack(_axes(plot.angle))
    return xy, np.concatenate(radius)


def _orchard_or_bales(c, k, season):
    """Rows of fruit trees on some meadows, round bales on some fields."""
    rng, polygon = c.rng, c.polygons[k]
    low, high = polygon.min(0), polygon.max(0)
    if not c.tilled[k] and rng.random() < 0.12:
        reach = np.hypot(*(high - low)) / 2
        p, q = np.meshgrid(np.arange(-reach, reach, 9.0), np.arange(-reach, reach, 8.0))
        local = np.stack([p.ravel(), q.ravel()], 1) + rng.normal(0, 0.35, (p.size, 2))
        points = (low + high) / 2 + local @ np.stack(_axes(c.row_angle[k]))
    elif c.grounds[k] in (STUBBLE, HAY) and rng.random() < 0.5:
        points = rng.uniform(low, high, (int(_area(polygon) / 1300), 2))
    else:
        return np.zeros((0, 9), np.float32)
    xy = _to_pixels(c, points)
    xy = xy[((xy > 0) & (xy < np.array(c.shape)[::-1] - 1)).all(1)]
    ok = (_at(c.ground, xy) == k) & (_at(c.margin, xy) > 7) & (_at(c.road, xy) > 6)
    xy = xy[ok & _dry(c, xy, 9) & ~_at(c.built, xy)]
    if c.tilled[k]:
        return _crowns(xy, 1.45, 2.3, BALE, FIELD)
    radius = rng.uniform(2.2, 3.1, len(xy))
    green = _greens(rng, len(xy), 1.05 * BROADLEAF * season, 0.06)
    return _crowns(xy, radius, 1.6 * radius, green)


def _stamp(c, crowns):
    """Draw all crowns; where they overlap, the highest point is seen."""
    h, w = c.shape
    frame = 8  # no crown reaches farther beyond the canvas
    wide = w + 2 * frame
    crowns = crowns[((crowns[:, :2] > -1) & (crowns[:, :2] < (w, h))).all(1)]
    rough = np.pad(0.18 * c.noise["fine"] + 0.10 * c.noise["medium"], frame).ravel()
    seen = np.zeros(rough.size, np.int64)  # height in 1/32 pixel, then the number of the crown
    reach, cone = np.ceil(crowns[:, 2]).astype(int), crowns[:, 8] > 0
    for r, pointed in sorted(set(zip(reach.tolist(), cone.tolist(), strict=True))):
        owner = np.flatnonzero((reach == r) & (cone == pointed))
        x, y, radius, height = crowns[owner, :4].T[:, :, None]
        offset = np.arange(-r, r + 1, dtype=np.float32)
        dx, dy = (((np.rint(m) - m + offset) / radius) ** 2 for m in (x, y))
        column, row = np.rint(crowns[owner, :2]).astype(int).T + frame
        step = np.arange(-r, r + 1)
        pixel = (row * wide + column)[:, None] + (step[:, None] * wide + step).ravel()
        rho = (dy[:, :, None] + dx[:, None, :]).reshape(pixel.shape)  # 0 in the middle, 1 round it
        rho += rough[pixel]
        np.maximum(rho, 0, out=rho)
        sunk = 1.3 * np.sqrt(rho) if pointed else 0.75 * rho
        top = np.maximum(height - radius * sunk, 0.5) * 32
        key = top.astype(np.int64) << 32
        key += owner[:, None] + 1
        key *= rho < 1
        np.maximum.at(seen, pixel.ravel(), key.ravel())
    seen = seen.reshape(h + 2 * frame, wide)[frame:-frame, frame:-frame]
    # a crown may overhang a road, but not close it
    where = np.flatnonzero((seen > 0) & (c.road > -1.2))
    seen = seen.take(where)
    crown = crowns[(seen & 0xFFFFFFFF) - 1]
    c.colour.reshape(3, -1)[:, where] = crown[:, 4:7].T
    c.labels.put(where, crown[:, 7])
    leaves = c.noise["fine"].take(where) + 0.6 * c.noise["pixel"].take(where)
    c.height.put(where, (seen >> 32).astype(np.float32) / 32 + leaves)
    relief = np.clip(0.12 * _lit(c.height, c.sun, 1).take(where), -0.42, 0.38)
    c.light.put(where, 1 + relief)


# ---- what is built -------------------------------------------------------------------------------


def _paint_house(c, house):
    rng = c.rng
    (long, wide), (along, across) = house.half, _axes(house.angle)
    eave, pitch = (8.0, 0.32) if house.barn else (rng.uniform(6, 8), rng.uniform(0.5, 0.8))
    style = "gable" if house.barn else _pick(rng, ((14, "gable"), (4, "hip"), (2, "flat")))
    base = np.array(_pick(rng, BARN_ROOFS if house.barn else ROOFS)) * rng.normal(1, 0.015, 3)
    base = (base if style != "flat" else np.array(FLAT_ROOF)) * rng.normal(1, 0.06)
    if not house.barn and rng.random() < 0.3:  # a wing
        left, front = rng.choice([-1, 1], 2)
        centre = house.centre + left * (long - 0.75 * wide) * along + front * 0.75 * wide * across
        half = (0.95 * wide, 0.75 * wide)
        place = _rectangle(c, centre, house.angle + np.pi / 2, half)
        _paint_roof(c, place, house.angle + np.pi / 2, half, base, eave, pitch, style)
    where, p, q = house.place
    _paint_roof(c, house.place, house.angle, house.half, base, eave, pitch, style)
    if house.barn or style == "flat":
        return
    at_p, at_q = rng.uniform(-0.6, 0.6) * long, rng.uniform(-0.35, 0.35) * wide
    chimney = _inside(p - at_p, q - at_q, (0.8, 0.8))
    _paint(c, where, chimney, _rgb(CHIMNEY, p))
    c.height.put(where, c.height.take(where) + 2.5 * (chimney > 0.5))
    if rng.random() < 0.15:  # solar panels, on the face that looks to the sun
        face = 0.5 * wide * np.sign(across @ c.sun)
        panel = _inside(p, q - face, (long * rng.uniform(0.3, 0.7), 0.24 * wide))
        _paint(c, where, panel, _rgb(SOLAR, p))


def _paint_roof(c, place, angle, half, base, eave, pitch, style):
    where, along, across = place
    to_gable, to_eave = half[0] - np.abs(along), half[1] - np.abs(across)
    lit_along, lit_across = (0.27 * (0.6 + pitch) * float(axis @ c.sun) for axis in _axes(angle))
    shade = 1 + lit_across * np.sign(across)
    rise = np.maximum(to_eave, 0)
    if style == "flat":
        rise, shade = 0 * rise, 1 + 0.12 * (np.minimum(to_gable, to_eave) < 1.2)
    elif style == "hip":
        shade = np.where(to_gable < to_eave, 1 + lit_along * np.sign(along), shade)
        shade += 0.08 * np.clip(1 - np.abs(to_gable - to_eave), 0, 1)
        rise = np.minimum(rise, np.maximum(to_gable, 0))
    else:
        shade += 0.10 * np.clip(1.1 - np.abs(across), 0, 1)  # the ridge
    tiles = np.sin(across * (2 * np.pi / 2.4)) if half[1] < 6.5 else np.sin(along * (np.pi / 2))
    shade = shade * (1 + 0.035 * tiles + 0.03 * c.noise["pixel"].take(where))
    alpha = _inside(along, across, half)
    _paint(c, where, alpha, _rgb(base, along) * shade.astype(np.float32), BUILDING)
    solid = where[alpha > 0.5]
    c.height.put(solid, (eave + pitch * rise)[alpha > 0.5])
    c.light.put(solid, 1)


def _park(c):
    """Cars on the roads and on the drives."""
    rng = c.rng
    cars = []
    for road in c.roads:
        n = rng.poisson(road.length / 230) if road.kind != "track" else 0
        along, side = rng.uniform(0, road.length, n), rng.choice([-1, 1], n)
        here, ahead = (_to_pixels(c, road.points(along + d, side * road.half / 2)) for d in (0, 1))
        cars += zip(here, _angle(side[:, None] * (ahead - here)), strict=True)
    for start, end in (plot.drive for plot in c.plots if rng.random() < 0.45):
        cars.append((start + rng.uniform(0.4, 0.6) * (end - start), _angle(end - start)))
    for xy, angle in cars:
        where, along, across = _rectangle(c, xy, angle, (3, 1.3))
        car = _inside(along, across, (2.9, 1.25)) * (c.labels.take(where) == ROAD)
        _paint(c, where, car, _rgb(_pick(rng, CARS), car))
        window = _inside(along - 0.7, across, (0.45, 0.8)) * (car > 0.5)
        _paint(c, where, 0.8 * window, _rgb(WINDOW, car))
        c.height.put(where, c.height.take(where) + 1.6 * (car > 0.5))


# ---- the light -----------------------------------------------------------------------------------


def _photograph(c):
    """Light of the sun, then air and lens: the image without its margin, 8-bit RGB."""
    rng = c.rng
    hills = _lit(_noise(rng, c.shape, 80), c.sun, 6)
    c.light += 0.14 * hills * ((c.labels != WATER) & (c.labels != BUILDING))
    shadow = _shadow(c.height, c.sun, c.drop)
    warmth, exposure, haze = rng.normal(0, 0.012), rng.normal(1.07, 0.035), rng.uniform(0.02, 0.06)
    keep = slice(MARGIN - 1, 1 - MARGIN)
    image = c.colour[:, keep, keep]
    light, shadow, pixel = (m[keep, keep] for m in (c.light, shadow, c.noise["pixel"]))
    # the shade is lit by the sky, so it is bluish; so is the haze
    tints = zip(image, (0.60, 0.555, 0.475), (0.52, 0.58, 0.66), (1, 0, -1), strict=True)
    for plane, dim, sky, lean in tints:
        gain = (1 - haze) * exposure * (1 + lean * warmth)
        bright = shadow * (-dim * gain)
        bright += gain
        bright *= light
        plane *= bright
        plane += haze * sky
    # the lens spreads each point a little
    for ahead, here, behind in (
        ((slice(None), slice(2, None)), (slice(None), slice(1, -1)), (slice(None), slice(-2))),
        ((..., slice(2, None)), (..., slice(1, -1)), (..., slice(-2))),
    ):
        spread = image[ahead] + image[behind]
        spread *= 0.08
        spread += 0.84 * image[here]
        image = spread
    image += 0.007 * pixel[1:-1, 1:-1]
    image *= 255
    np.clip(np.rint(image, out=image), 0, 255, out=image)
    return np.ascontiguousarray(image.astype(np.uint8).transpose(1, 2, 0))


def _shadow(height, sun, drop):
    """How deep each pixel lies in the shadow of what stands between it and the sun, 0 … 1.

    A ray that passes over one place has passed over others before: four steps, each twice the one
    before, follow it over the 15 pixels towards the sun.
    """
    h, w = height.shape
    ray, spare = height.copy(), np.empty_like(height)  # ray: the lowest height that the sun reaches
    for k in (1, 2, 4, 8):
        x, y = round(float(k * sun[0])), round(float(k * sun[1]))
        here = slice(max(-y, 0), h - max(y, 0)), slice(max(-x, 0), w - max(x, 0))
        towards = slice(max(y, 0), h - max(-y, 0)), slice(max(x, 0), w - max(-x, 0))
        lower = np.subtract(ray[towards], k * drop, out=spare[here])
        np.maximum(ray[here], lower, out=ray[here])
    ray -= height
    ray -= 0.2
    ray *= 0.8
    return np.clip(ray, 0, 1, out=ray)
