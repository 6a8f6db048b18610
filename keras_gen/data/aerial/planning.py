"""The plan of an aerial scene: water, roads, woods, houses, and the ground of each parcel."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from keras_gen.data.aerial import palette
from keras_gen.data.aerial.canvas import (
    MARGIN,
    angle_of,
    axes_along,
    coverage,
    is_dry,
    pick,
    smooth_noise,
    to_pixels,
    turned_rectangle,
    values_at,
)
from keras_gen.data.aerial.parcels import box_around, longest_edge

COARSE = 4  # the water is planned on every fourth pixel

FEW = (slice(MARGIN, -MARGIN, COARSE),) * 2  # the pixels of a map on which fractions are measured


def plan_water(c, fraction, theme):
    """Plan a river across the main road, or a lake or the sea beside it.

    Args:
        c: the canvas.
        fraction: fraction of the scene under water.
        theme: a key of `rendering.THEMES`.
    """
    if fraction <= 0:
        return
    rng, side = c.rng, min(c.shape)
    kind = theme if theme in palette.WATERS else "lake"
    if theme not in palette.WATERS and fraction > 0.05:
        kind = pick(rng, [(2.0 * (fraction < 0.15), "river"), (1.0, "lake"), (1.0, "coast")])
    u, v = c.u[::COARSE, ::COARSE], c.v[::COARSE, ::COARSE]
    middle = np.array([u.mean(), v.mean()])
    normal, beyond = np.array([1.0, 0.0]), np.full(u.shape, 1e3, np.float32)
    if c.borders:  # the distance beyond the main road, on its wider side
        road = c.borders[0]
        normal = road.axes[1] * np.sign((middle - road.ends[0]) @ road.axes[1])
        beyond = (u - float(road.ends[0, 0])) * float(normal[0])
        beyond += (v - float(road.ends[0, 1])) * float(normal[1])
    if kind == "river":
        centre = middle + rng.uniform(-0.2, 0.2, 2) * side
    else:
        centre = middle + normal * rng.uniform(0.1, 0.3) * side + rng.uniform(-0.15, 0.15, 2) * side
    cos, sin = axes_along(angle_of(normal) + rng.uniform(-0.5, 0.5))[0].tolist()
    du, dv = u - float(centre[0]), v - float(centre[1])
    p, q = cos * du + sin * dv, cos * dv - sin * du
    wobble = smooth_noise(rng, u.shape, 20) + 0.35 * smooth_noise(rng, u.shape, 8)
    if kind == "river":
        turns = 2 * np.pi / rng.uniform(170, 330)
        bend = rng.uniform(14, 36) * np.sin(p * turns + rng.uniform(0, 6))
        level = -np.abs(q - bend + 7 * wobble) * (1 + 0.12 * smooth_noise(rng, u.shape, 15))
    elif kind == "coast":
        bays = 2 * np.pi / rng.uniform(140, 300)
        level = p + 9 * np.sin(q * bays + rng.uniform(0, 6)) + 0.07 * side * wobble
    else:
        stretch = rng.uniform(1.0, 1.8)
        level = 0.22 * wobble * max(side * fraction**0.5, 25) - np.hypot(p * stretch, q / stretch)
    if kind != "river":  # keep off the main road
        level -= side * (np.clip(1 - beyond / 45, 0, 1) ** 2 + 2 * (beyond < 0))
    shown = slice(MARGIN // COARSE, -MARGIN // COARSE)
    wet = fraction >= 1 or level > np.quantile(level[shown, shown], 1 - fraction)
    wet = np.broadcast_to(wet, u.shape)
    if wet.all() or not wet.any():
        c.water = np.full(c.shape, 60 if wet.all() else -1e3, np.float32)
    else:
        wet = np.pad(wet, (8, 9), mode="edge")
        away = ndimage.distance_transform_edt(wet) - ndimage.distance_transform_edt(~wet)
        away = COARSE * ndimage.gaussian_filter(away.astype(np.float32), 1.2)[8:, 8:]
        for axis, length in enumerate(c.shape):  # linear interpolation from every fourth pixel
            whole, part = np.divmod(np.arange(length), COARSE)
            part = (part / COARSE).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
            low, high = np.take(away, whole, axis), np.take(away, whole + 1, axis)
            away = low + part * (high - low)
        c.water = away + 1.3 * smooth_noise(rng, c.shape, 9) + 0.4 * c.noise["fine"]
    c.water_kind = kind


def plan_roads(c, fraction, village):
    """Put roads on this fraction of the borders, mostly long ones, each joined to the others."""
    wanted = max(round(fraction * len(c.borders)), 1) if fraction > 0 else 0
    joined = {-1}
    for number, border in enumerate(c.borders):
        if len(c.roads) >= wanted:
            break
        dry = is_dry(c, to_pixels(c, border.points(np.arange(0, border.length, 4.0))), 8)
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
        box, start, (along, across) = box_around(c, border.ends, 30), border.ends[0], border.axes
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


def plan_woods(c, fraction):
    """Plan woods on this fraction of the land; some fill parcels, some have their own outline."""
    suits = 0.8 * smooth_noise(c.rng, c.shape, 60) + 0.25 * smooth_noise(c.rng, c.shape, 16)
    suits += c.rng.normal(0, 2.0, len(c.polygons)).astype(np.float32)[c.parcel]
    land = np.ones(c.shape, bool) if c.water is None else c.water < -5
    sample = suits[FEW][land[FEW]]
    level = np.inf if fraction == 0 or not sample.size else np.quantile(sample, 1 - fraction)
    c.forest = land & (c.road > 3) & (suits >= level)


@dataclass
class House:
    """A house or a barn."""

    centre: np.ndarray
    angle: float
    half: np.ndarray  # half lengths along the ridge and across it
    barn: bool
    place: tuple  # its pixels, from `turned_rectangle`


@dataclass
class Plot:
    """The garden of a house, or the yard of a barn, and the drive from the road."""

    centre: np.ndarray
    angle: float
    half: np.ndarray
    barn: bool
    drive: tuple  # two ends


def plan_houses(c, fraction):
    """Put houses and barns on this fraction of the places along the roads."""
    rng, (h, w) = c.rng, c.shape
    taken = np.zeros((0, 3))  # x, y, radius
    for road, side in ((road, side) for road in c.roads * (fraction > 0) for side in (-1, 1)):
        n = int(road.length / 22) + 1
        barn = rng.random(n) < np.interp(fraction, [0.3, 0.6], [0.3, 0.06])
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
        points = to_pixels(c, road.points(ways, asides * np.tile(back, 3)))
        fronts, ahead, centres = np.split(points, 3)
        angle = angle_of(ahead - fronts)
        ok = (rng.random(n) < fraction) & (along < road.length - 8) & is_dry(c, centres, 14)
        ok &= ((centres > 0) & (centres < (w, h))).all(1) & ~values_at(c.forest, centres)
        ok &= values_at(c.road, centres) > depth + 1.5
        for k in np.flatnonzero(ok):
            reach = np.hypot(long[k], wide[k])
            if (np.hypot(*(taken[:, :2] - centres[k]).T) < 0.9 * (taken[:, 2] + reach)).any():
                continue
            half = np.array([long[k], wide[k]])
            place = where, p, q = turned_rectangle(c, centres[k], angle[k] + tilt[k], half)
            footprint = where[coverage(p, q, half + 2) > 0]
            if (c.road.take(footprint) < 0).any():
                continue
            if c.water is not None and (c.water.take(footprint) > -6).any():
                continue
            taken = np.vstack([taken, [*centres[k], reach]])
            c.built.put(footprint, True)
            c.houses.append(House(centres[k], angle[k] + tilt[k], half, barn[k], place))
            direction = centres[k] - fronts[k]
            direction /= np.hypot(*direction)
            end = centres[k] + direction * (depth[k] + 5) * barn[k]
            drive = np.stack([fronts[k], end]) + axes_along(angle[k])[0] * aside[k]
            half = np.array([step[k], back[k] + depth[k] + behind[k]]) / 2
            middle = fronts[k] + direction * half[1]
            c.plots.append(Plot(middle, angle[k], half, barn[k], drive))


def plan_ground(c, fraction):
    """Choose the ground of each parcel; this fraction of the open land is tilled."""
    rng, count = c.rng, len(c.polygons)
    open_land = ~c.forest[FEW] if c.water is None else ~c.forest[FEW] & (c.water[FEW] < -8)
    areas = np.bincount(c.parcel[FEW][open_land], minlength=count)
    homes = np.array([house.centre for house in c.houses]).reshape(-1, 2)
    homes = np.bincount(values_at(c.parcel, homes), minlength=count)
    # parcels with many houses are tilled last
    order = np.argsort(homes * 250 / np.maximum(areas, 1) + rng.uniform(0, 1.5, count))
    filled = np.cumsum(areas[order]) - areas[order] / 2
    c.tilled = np.zeros(count, bool)
    c.tilled[order[filled < fraction * areas.sum()]] = True
    edges = np.array([longest_edge(polygon)[1] for polygon in c.polygons])
    c.row_angle = angle_of(edges) + rng.normal(0, 0.04, count)
    c.row_angle += np.pi / 2 * (rng.random(count) < 0.15)
    meadows = ((2, palette.GRASS), (1, palette.PASTURE))
    c.grounds = [pick(rng, palette.CROPS if tilled else meadows) for tilled in c.tilled]
    c.labels[:] = np.where(c.tilled, palette.FIELD, palette.MEADOW).astype(np.uint8)[c.parcel]
    c.labels[c.forest] = palette.FOREST
    c.ground = c.parcel.astype(np.intp)
    c.ground[c.forest] = count
    c.grounds.append(palette.WOOD_FLOOR)
    for plot in c.plots:
        where, along, across = turned_rectangle(c, plot.centre, plot.angle, plot.half)
        ragged = 0.7 * c.noise["medium"].take(where)
        inside = np.maximum(np.abs(along) - plot.half[0], np.abs(across) - plot.half[1]) < ragged
        where = where[inside & ~c.forest.take(where)]
        c.ground.put(where, len(c.grounds))
        c.labels.put(where, palette.ROAD if plot.barn else palette.MEADOW)
        c.grounds.append(palette.YARD if plot.barn else palette.LAWN)
