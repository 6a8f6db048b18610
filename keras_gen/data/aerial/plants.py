"""Plants of an aerial scene: woods, single trees, hedges, gardens and orchards; and hay bales."""

import numpy as np

from keras_gen.data.aerial import palette
from keras_gen.data.aerial.canvas import axes_along, facing, is_dry, to_pixels, values_at
from keras_gen.data.aerial.parcels import polygon_area


def _crowns(xy, radius, height, colour, label=palette.FOREST, cone=0.0):
    """Return a row per crown: x, y, radius, height, red, green, blue, label, 1 for a cone."""
    columns = ((radius, 1), (height, 1), (colour, 3), (label, 1), (cone, 1))
    parts = (np.broadcast_to(np.reshape(value, (-1, k)), (len(xy), k)) for value, k in columns)
    return np.hstack([xy, *parts]).astype(np.float32)


def _greens(rng, n, colour, deviation=0.10):
    hue = rng.normal(0, 0.035, (n, 1)) * np.array([1.0, 0.25, -0.3])
    return colour * rng.normal(1, deviation, (n, 1)) * (1 + hue)


def plant(c):
    """Paint every tree, bush and hedge, and the hay bales."""
    season = 1 + c.rng.normal(0, 0.05) * np.array([1.0, 0.2, -0.4])
    crowns = [_woods(c, season), _open_trees(c, season), _hedges(c, season)]
    crowns += [_orchard_or_bales(c, k, season) for k in range(len(c.polygons))]
    _stamp(c, np.concatenate(crowns))


def _scattered(c, step):
    """Return points about `step` pixels apart."""
    rows, columns = (int(n / step) + 2 for n in c.shape)
    row, column = np.divmod(np.arange(rows * columns), columns)
    points = np.stack([column + 0.5 * (row % 2), row], 1)
    return (points + c.rng.uniform(-0.45, 0.45, points.shape)) * step


def _woods(c, season):
    rng = c.rng
    xy = _scattered(c, 5.6)
    xy = xy[values_at(c.forest, xy)]
    n = len(xy)
    conifer = values_at(c.noise["broad"], xy) + rng.normal(0, 0.4, n) > rng.uniform(0, 2.2)
    radius = np.where(conifer, rng.uniform(2.7, 3.8, n), rng.uniform(3.0, 5.6, n))
    height = np.where(conifer, rng.uniform(13, 17, n), rng.uniform(9, 15, n))
    broad = _greens(rng, n, palette.BROADLEAF * season, 0.12)
    dark = _greens(rng, n, palette.CONIFER * season, 0.08)
    return _crowns(xy, radius, height, np.where(conifer[:, None], dark, broad), cone=conifer)


def _open_trees(c, season):
    """Return single trees and bushes, on meadows and along banks."""
    rng = c.rng
    xy = _scattered(c, 6.0)
    chance = 0.014 + 0.06 * (values_at(c.noise["broad"], xy) > 1)
    chance *= values_at(c.labels, xy) == palette.MEADOW
    if c.water is not None:
        away = values_at(c.water, xy)
        bank = (away < -6) & (away > -16)
        chance = np.where(bank, 0.22 if c.water_kind == "river" else 0.09, chance) * (away < -6)
    chance *= (values_at(c.road, xy) > 4) & ~values_at(c.forest, xy) & ~values_at(c.built, xy)
    xy = xy[rng.random(len(xy)) < chance]
    radius = rng.uniform(1.8, 5.2, len(xy))
    height = radius * rng.uniform(1.3, 2.0, len(xy))
    return _crowns(xy, radius, height, _greens(rng, len(xy), palette.BROADLEAF * season))


def _hedges(c, season):
    """Return trees beside roads, hedges between fields, and the hedges and trees of gardens."""
    borders = [_along_border(c.rng, border) for border in c.borders]
    gardens = [_garden(c.rng, plot) for plot in c.plots]
    bent = np.concatenate([np.zeros((0, 2)), *(points for points, _ in borders)])
    xy = np.concatenate([to_pixels(c, bent), *(points for points, _ in gardens)])
    radius = np.concatenate([np.zeros(0), *(radius for _, radius in borders + gardens)])
    ok = (values_at(c.road, xy) > 1.5) & is_dry(c, xy, 5) & ~values_at(c.built, xy)
    xy, radius = xy[ok], radius[ok]
    green = _greens(c.rng, len(xy), palette.BROADLEAF * season, 0.11)
    return _crowns(xy, radius, 1.6 * radius, green)


def _along_border(rng, border):
    """Return points in the bent frame, and radii, of an avenue and of a hedge."""
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
    """Return points in pixels, and radii, of trees and of hedges on the sides of the plot."""
    points = [rng.uniform(-0.85, 0.85, (rng.integers(1, 5), 2))]
    radius = [rng.uniform(1.6, 3.8, len(points[0]))]
    for axis, side in ((0, -1), (0, 1), (1, -1), (1, 1)):
        if rng.random() < (0.2 if plot.barn else 0.65):
            n = int(plot.half[1 - axis] * 2 / 2.1)
            line = np.full((n, 2), side * 0.97)
            line[:, 1 - axis] = np.arange(n) * (1.9 / n) - 0.95
            points.append(line)
            radius.append(rng.uniform(1.2, 1.8, n))
    xy = plot.centre + np.concatenate(points) * plot.half @ np.stack(axes_along(plot.angle))
    return xy, np.concatenate(radius)


def _orchard_or_bales(c, k, season):
    """Return rows of fruit trees for some meadows, round bales for some fields."""
    rng, polygon = c.rng, c.polygons[k]
    low, high = polygon.min(0), polygon.max(0)
    if not c.tilled[k] and rng.random() < 0.12:
        reach = np.hypot(*(high - low)) / 2
        p, q = np.meshgrid(np.arange(-reach, reach, 9.0), np.arange(-reach, reach, 8.0))
        local = np.stack([p.ravel(), q.ravel()], 1) + rng.normal(0, 0.35, (p.size, 2))
        points = (low + high) / 2 + local @ np.stack(axes_along(c.row_angle[k]))
    elif c.grounds[k] in (palette.STUBBLE, palette.HAY) and rng.random() < 0.5:
        points = rng.uniform(low, high, (int(polygon_area(polygon) / 1300), 2))
    else:
        return np.zeros((0, 9), np.float32)
    xy = to_pixels(c, points)
    xy = xy[((xy > 0) & (xy < np.array(c.shape)[::-1] - 1)).all(1)]
    ok = (values_at(c.ground, xy) == k) & (values_at(c.margin, xy) > 7)
    ok &= values_at(c.road, xy) > 6
    xy = xy[ok & is_dry(c, xy, 9) & ~values_at(c.built, xy)]
    if c.tilled[k]:
        return _crowns(xy, 1.45, 2.3, palette.BALE, palette.FIELD)
    radius = rng.uniform(2.2, 3.1, len(xy))
    green = _greens(rng, len(xy), 1.05 * palette.BROADLEAF * season, 0.06)
    return _crowns(xy, radius, 1.6 * radius, green)


def _stamp(c, crowns):
    """Paint all crowns; where they overlap, the highest point is visible."""
    h, w = c.shape
    frame = 8  # pixels; no crown reaches farther beyond the canvas
    wide = w + 2 * frame
    crowns = crowns[((crowns[:, :2] > -1) & (crowns[:, :2] < (w, h))).all(1)]
    rough = np.pad(0.18 * c.noise["fine"] + 0.10 * c.noise["medium"], frame).ravel()
    top_crown = np.zeros(rough.size, np.int64)  # height in 1/32 pixel, then the crown's number
    reach, cone = np.ceil(crowns[:, 2]).astype(int), crowns[:, 8] > 0
    for r, pointed in sorted(set(zip(reach.tolist(), cone.tolist(), strict=True))):
        owner = np.flatnonzero((reach == r) & (cone == pointed))
        x, y, radius, height = crowns[owner, :4].T[:, :, None]
        offset = np.arange(-r, r + 1, dtype=np.float32)
        dx, dy = (((np.rint(m) - m + offset) / radius) ** 2 for m in (x, y))
        column, row = np.rint(crowns[owner, :2]).astype(int).T + frame
        step = np.arange(-r, r + 1)
        pixel = (row * wide + column)[:, None] + (step[:, None] * wide + step).ravel()
        rho = (dy[:, :, None] + dx[:, None, :]).reshape(pixel.shape)  # 0 at the centre, 1 outside
        rho += rough[pixel]
        np.maximum(rho, 0, out=rho)
        sunk = 1.3 * np.sqrt(rho) if pointed else 0.75 * rho
        top = np.maximum(height - radius * sunk, 0.5) * 32
        key = top.astype(np.int64) << 32
        key += owner[:, None] + 1
        key *= rho < 1
        np.maximum.at(top_crown, pixel.ravel(), key.ravel())
    top_crown = top_crown.reshape(h + 2 * frame, wide)[frame:-frame, frame:-frame]
    # A crown may overhang a road, but not block it.
    where = np.flatnonzero((top_crown > 0) & (c.road > -1.2))
    top_crown = top_crown.take(where)
    crown = crowns[(top_crown & 0xFFFFFFFF) - 1]
    c.colour.reshape(3, -1)[:, where] = crown[:, 4:7].T
    c.labels.put(where, crown[:, 7])
    leaves = c.noise["fine"].take(where) + 0.6 * c.noise["pixel"].take(where)
    c.height.put(where, (top_crown >> 32).astype(np.float32) / 32 + leaves)
    relief = np.clip(0.12 * facing(c.height, c.sun, 1).take(where), -0.42, 0.38)
    c.light.put(where, 1 + relief)
