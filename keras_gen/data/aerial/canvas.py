"""The canvas on which an aerial scene is planned and painted, and functions that paint on it.

A canvas holds all maps of the scene: labels, colour, height and light of each pixel. The parcels of
the land have their own coordinates, the *bent frame*, which is turned and slightly bent, so that
borders, roads and the rows on the fields curve. `to_pixels` converts its points to pixels.
"""

import functools
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

MARGIN = 16  # pixels painted around the image, from which shadows and crowns reach into it


@dataclass
class Canvas:
    """The state of a scene; all maps are float32 `(height, width)` with the margin."""

    rng: np.random.Generator
    shape: tuple[int, int]
    frame: np.ndarray  # (2, 2): turns x, y into the frame of the parcels
    warp: np.ndarray  # (2, height, width): bends the frame
    bend: float  # the largest shift by it, in pixels
    u: np.ndarray  # coordinates of each pixel in the bent frame
    v: np.ndarray
    sun: np.ndarray  # x, y: unit vector towards the sun
    drop: float  # pixels of height by which the ray of the sun sinks per pixel
    noise: dict  # noise maps by name
    colour: np.ndarray  # (3, height, width)
    height: np.ndarray  # above the ground, in pixels
    light: np.ndarray  # factor of the colour
    labels: np.ndarray  # uint8, as in `palette.CLASSES`
    parcel: np.ndarray  # number of the parcel
    margin: np.ndarray  # distance to the border of the parcel
    road: np.ndarray  # distance to the edge of the nearest road, negative on the road
    built: np.ndarray  # bool: on or near a building
    forest: np.ndarray | None = None  # bool: woods
    water: np.ndarray | None = None  # distance to the shore, positive in the water
    water_kind: str = ""
    ground: np.ndarray | None = None  # place of the ground in `grounds`
    grounds: list = field(default_factory=list)
    polygons: list = field(default_factory=list)  # the parcels, in the bent frame
    tilled: np.ndarray | None = None  # bool (parcels,)
    row_angle: np.ndarray | None = None  # (parcels,) in radians
    borders: list = field(default_factory=list)
    roads: list = field(default_factory=list)
    houses: list = field(default_factory=list)
    plots: list = field(default_factory=list)


def new_canvas(rng, shape, azimuth):
    """Make an empty canvas; azimuth: of the sun, in degrees clockwise from the top."""
    # One block for all maps: once it is freed, the allocator keeps the memory for the next scene.
    maps = np.empty((15, *shape), np.float32)
    warp, (u, v), noises, colour, (height, light, margin, road) = np.split(maps, [2, 4, 8, 11])
    turn, azimuth = rng.uniform(0, np.pi), np.radians(azimuth)
    frame = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    warp[0], warp[1] = 8 * smooth_noise(rng, shape, 160), 15 * smooth_noise(rng, shape, 190)
    warp -= warp.mean((1, 2), keepdims=True)
    y, x = (np.arange(n, dtype=np.float32) for n in shape)
    for bent, (a, b), w in zip((u, v), frame.tolist(), warp, strict=True):
        np.add(a * x + b * y[:, None], w, out=bent)
    noises[0] = rng.integers(0, 256, shape, dtype=np.uint8)
    noises[0] = noises[0] / 128 - 1
    for noise, wavelength in zip(noises[1:], (2.2, 7, 34), strict=True):
        noise[:] = smooth_noise(rng, shape, wavelength)
    for map_, value in ((height, 0), (light, 1), (margin, 1e3), (road, 1e3)):
        map_[:] = value
    return Canvas(
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
    """Return the weights of knots `wavelength` apart at every pixel of an axis (cubic B-spline)."""
    knots = np.arange(int(np.ceil(length / wavelength)) + 3)
    distance = np.abs(np.arange(length)[:, None] / wavelength + 1 - knots)
    near, far = 2 / 3 - distance**2 + distance**3 / 2, np.clip(2 - distance, 0, None) ** 3 / 6
    return sparse.csr_array(np.where(distance < 1, near, far).astype(np.float32))


def smooth_noise(rng, shape, wavelength):
    """Return smooth noise of mean 0 and deviation about 1; the wavelength may differ by axis."""
    wavelengths = np.broadcast_to(wavelength, 2).tolist()
    rows, columns = (_spline(n, w) for n, w in zip(shape, wavelengths, strict=True))
    knots = rng.standard_normal((columns.shape[1], rows.shape[1]), dtype=np.float32)
    # 0.479 is the deviation of a weighted sum of independent knots. Sparse products, unlike those
    # of a BLAS, give the same bits for any number of threads.
    return rows @ np.ascontiguousarray((columns @ (knots / 0.479)).T)


def pick(rng, choices):
    """Sample one of (weight, thing)."""
    left = rng.random() * sum(weight for weight, _ in choices)
    for weight, thing in choices:
        left -= weight
        if left < 0:
            return thing
    return choices[-1][1]


def axes_along(angle):
    """Return unit vectors x, y along an angle and across it."""
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    return np.array([cos, sin]), np.array([-sin, cos])


def angle_of(vectors):
    """Return the angles of vectors (…, 2) x, y."""
    return np.arctan2(vectors[..., 1], vectors[..., 0])


def values_at(maps, xy):
    """Return values of maps (…, height, width) at points (n, 2) x, y; beyond an edge, its own."""
    h, w = maps.shape[-2:]
    column = np.minimum(np.maximum(np.rint(xy[:, 0]), 0), w - 1).astype(int)
    row = np.minimum(np.maximum(np.rint(xy[:, 1]), 0), h - 1).astype(int)
    return maps[..., row, column]


def to_pixels(c, points):
    """Convert points (n, 2) of the bent frame to x, y in pixels."""
    xy = points @ c.frame
    for _ in range(3):
        xy = (points - values_at(c.warp, xy).T) @ c.frame
    return xy


def is_dry(c, xy, distance):
    """Return which of the points are at least this distance from the water."""
    return np.ones(len(xy), bool) if c.water is None else values_at(c.water, xy) < -distance


def turned_rectangle(c, centre, angle, half):
    """Find the pixels around a turned rectangle.

    Returns:
        Their numbers, row by row, as in `array.take(where)` and `array.put(where, values)`, and
        their distances along and across from the centre of the rectangle.
    """
    (x, y), (cos, sin) = centre, axes_along(angle)[0].tolist()
    pixels = []
    for middle, reach, length in (
        (y, abs(sin) * half[0] + abs(cos) * half[1] + 2, c.shape[0]),
        (x, abs(cos) * half[0] + abs(sin) * half[1] + 2, c.shape[1]),
    ):
        pixels.append(np.arange(max(int(middle - reach), 0), min(int(middle + reach) + 2, length)))
    row, column = pixels[0][:, None], pixels[1]
    dy, dx = (row - float(y)).astype(np.float32), (column - float(x)).astype(np.float32)
    return row * c.shape[1] + column, cos * dx + sin * dy, cos * dy - sin * dx


def coverage(along, across, half):
    """Return the fraction of each pixel that a rectangle of these half lengths covers."""
    p = np.maximum(float(half[0]) + 0.5 - np.abs(along), 0)
    q = np.maximum(float(half[1]) + 0.5 - np.abs(across), 0)
    return np.minimum(p, 1) * np.minimum(q, 1)


def planes_of(colour, like):
    """Shape a colour as three planes that broadcast with an array of pixels."""
    return np.asarray(colour, np.float32).reshape(3, *[1] * like.ndim)


def paint(c, where, alpha, colour, label=None):
    """Paint over the pixels of these numbers, and label those that are covered by half."""
    planes = c.colour.reshape(3, -1)
    under = planes.take(where, axis=1)
    under += alpha * (colour - under)
    planes[:, where] = under
    if label is not None:
        c.labels.put(where[alpha > 0.5], label)


def facing(height, sun, reach):
    """Return the slope of each place: positive where it faces the sun."""
    rise = np.zeros_like(height)
    rise[:, reach:-reach] = (height[:, : -2 * reach] - height[:, 2 * reach :]) * float(sun[0])
    rise[reach:-reach] += (height[: -2 * reach] - height[2 * reach :]) * float(sun[1])
    return rise
