"""The parcels of an aerial scene, and the borders between them."""

from dataclasses import dataclass

import numpy as np

from keras_gen.data.aerial.canvas import angle_of, axes_along


@dataclass
class Border:
    """A border between parcels, straight in the bent frame; some borders carry a road."""

    ends: np.ndarray  # (2, 2)
    meets: list  # the number of the border that each end lies on, −1 for the edge of the scene
    kind: str = ""  # of the road: main, lane, track
    half: float = 0.0  # half the width of the road
    where: np.ndarray | None = None  # the numbers of the pixels near the road
    distance: np.ndarray | None = None  # their distances from its centre line
    way: np.ndarray | None = None  # their positions along it

    @property
    def length(self):
        return float(np.hypot(*(self.ends[1] - self.ends[0])))

    @property
    def axes(self):
        return axes_along(angle_of(self.ends[1] - self.ends[0]))

    def points(self, along, aside=0.0):
        """Return points at these distances along the border and beside it."""
        direction, across = self.axes
        along, aside = np.broadcast_arrays(along, aside)
        return self.ends[0] + along[:, None] * direction + aside[:, None] * across


def _cut(polygon, sources, normal, offset, number):
    """Cut a convex polygon in two, along a line.

    Args:
        polygon: its corners `(n, 2)`.
        sources: the number of the border on which each edge lies.
        normal, offset: the line, as the points with `point @ normal == offset`.
        number: the number of the new border.

    Returns:
        Both halves as (polygon, sources), the ends of the cut, and the borders that they lie on.
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


def polygon_area(polygon):
    x, y = polygon.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def longest_edge(polygon):
    edges = np.roll(polygon, -1, 0) - polygon
    longest = int(np.argmax(np.hypot(*edges.T)))
    return polygon[longest], edges[longest]


def box_around(c, points, reach=0.0):
    """Return slices of a box around points of the bent frame and all that is within `reach`."""
    xy = points @ c.frame
    reach += c.bend
    (x0, y0), (x1, y1) = np.maximum([xy.min(0) - reach, xy.max(0) + reach], 0).astype(int).tolist()
    return slice(y0, y1), slice(x0, x1)


def plan_parcels(c, apart):
    """Cut the land into parcels, always the largest one, across its longest edge.

    Args:
        c: the canvas.
        apart: True where a lake or the sea needs room beside the main road.
    """
    rng, (h, w) = c.rng, c.shape
    corners = np.array([[-30, -30], [w + 30, -30], [w + 30, h + 30], [-30, h + 30]]) @ c.frame.T
    polygons, sources, areas = [corners], [[-1] * 4], [polygon_area(corners)]
    spare = np.empty((2, *c.shape), np.float32)
    target = rng.uniform(95, 150) ** 2
    while max(areas) > (target if len(areas) < 3 else 1.5 * target):
        k = int(np.argmax(areas))
        corner, edge = longest_edge(polygons[k])
        if c.borders:
            turn = angle_of(edge) + rng.normal(0, 0.09)
            through = corner + rng.uniform(0.33, 0.67) * edge
        else:  # the first cut, for the main road, crosses the scene and leaves room for a lake
            turn = rng.uniform(-0.2, 0.2) + np.pi / 2 * rng.integers(2)
            through = polygons[k].mean(0) + rng.uniform(-1, 1) * (0.3 if apart else 0.2) * min(h, w)
        normal, number = axes_along(turn)[0], len(c.borders)
        halves, ends, meets = _cut(polygons[k], sources[k], normal, through @ normal, number)
        if len(ends) != 2:
            areas[k] = 0
            continue
        box = box_around(c, polygons[k])
        signed = np.multiply(c.u[box], float(normal[0]), out=spare[0][box])
        signed += np.multiply(c.v[box], float(normal[1]), out=spare[1][box])
        signed -= float(through @ normal)
        inside = c.parcel[box] == k
        c.parcel[box] += (inside & (signed > 0)) * np.uint16(len(polygons) - k)
        distance = np.abs(signed, out=signed)
        np.copyto(distance, 1e3, where=~inside)
        np.minimum(c.margin[box], distance, out=c.margin[box])
        c.borders.append(Border(ends, meets))
        (polygons[k], sources[k]), (new, new_sources) = halves
        polygons.append(new)
        sources.append(new_sources)
        areas[k] = polygon_area(polygons[k])
        areas.append(polygon_area(new))
    c.polygons = polygons
