"""The painted ground of an aerial scene: fields with rows, water with its shore, roads."""

import numpy as np

from keras_gen.data.aerial import palette
from keras_gen.data.aerial.canvas import (
    angle_of,
    coverage,
    paint,
    planes_of,
    smooth_noise,
    turned_rectangle,
)


def paint_ground(c):
    """Paint what covers each parcel: its colour, its patches, its rows."""
    rng, g, noise, count = c.rng, c.ground, c.noise, len(c.grounds)
    colours = np.array([ground.colour for ground in c.grounds])
    deviation = np.array([0.09 if ground is palette.LAWN else 0.05 for ground in c.grounds])
    colours *= rng.normal(1, deviation)[:, None] * rng.normal(1, 0.014, (count, 3))
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
    edge = (c.margin < 5) & (c.labels == palette.FIELD)
    where = np.flatnonzero(edge)
    width = rng.uniform(1.2, 3.0) + 0.7 * noise["medium"].take(where)
    _grass_over(c, where, np.clip((width - c.margin.take(where)) * 0.7, 0, 1))


def _grass_over(c, where, alpha):
    shade = 1 + 0.1 * c.noise["medium"].take(where) + 0.06 * c.noise["fine"].take(where)
    paint(c, where, alpha, planes_of(palette.GRASS.colour, alpha) * shade, palette.MEADOW)


def paint_water(c):
    """Paint the shore and the water, shallow and deep."""
    if c.water is None:
        return
    rng, noise = c.rng, c.noise
    beach, sand, shallow, deep, depth = palette.WATERS[c.water_kind]
    where = np.flatnonzero((c.water > -beach - 16) & (c.labels == palette.FIELD))
    away, medium = c.water.take(where), noise["medium"].take(where)
    _grass_over(c, where, np.clip((away + beach + 8 + 3 * medium) / 5, 0, 1))
    where = np.flatnonzero((c.water > -2.5 * beach) & (c.water < 1))
    away, fine, medium = c.water.take(where), noise["fine"].take(where), noise["medium"].take(where)
    width = beach * (1 + 0.45 * smooth_noise(rng, c.shape, 40).take(where))
    shade = 1 - 0.22 * np.clip(1 + away / 3, 0, 1) + 0.05 * fine + 0.03 * medium
    paint(c, where, np.clip(away + width, 0, 1), planes_of(sand, away) * shade, palette.SHORE)

    where = np.flatnonzero(c.water > -0.5)
    away, fine, medium = c.water.take(where), noise["fine"].take(where), noise["medium"].take(where)
    wavelengths = (2.4, 6.0) if rng.random() < 0.5 else (6.0, 2.4)
    ripple = smooth_noise(rng, c.shape, wavelengths).take(where)
    shade = 1 + 0.035 * ripple + 0.04 * noise["broad"].take(where) + 0.02 * fine
    deep = planes_of(deep, away) * rng.uniform(0.85, 1.2)
    colour = deep + np.exp(-np.maximum(away, 0) / depth) * (planes_of(shallow, away) - deep)
    colour *= shade
    if c.water_kind == "coast":  # two lines of surf
        surf = np.clip(1 - np.abs(away - 1.5 - 1.2 * medium) / 1.1, 0, 1)
        surf += 0.4 * np.clip(1 - np.abs(away - 7 - 2 * medium) / 1.2, 0, 1)
        colour += 0.5 * np.minimum(surf, 1) * (palette.SURF - colour)
    paint(c, where, np.clip(away + 0.5, 0, 1), colour, palette.WATER)


def paint_roads(c):
    """Paint drives, verges and roads, the widest last."""
    rng = c.rng
    for plot in c.plots:
        start, end = plot.drive
        half = np.hypot(*(end - start)) / 2, rng.uniform(1.3, 1.9) + 1.2 * plot.barn
        where, along, across = turned_rectangle(c, (start + end) / 2, angle_of(end - start), half)
        shade = rng.uniform(0.86, 1.06) * (1 + 0.05 * c.noise["fine"].take(where))
        covered = coverage(along, across, half)
        paint(c, where, covered, planes_of(palette.DRIVE, along) * shade, palette.ROAD)
        c.road.put(where[covered > 0.5], -2)  # nothing grows here
    for road in c.roads:
        where = road.where
        verge = road.half + 2.2 + 0.6 * c.noise["medium"].take(where) - road.distance
        verge = 0.75 * np.clip(0.8 * verge, 0, 1)
        if c.water is not None:
            verge *= c.water.take(where) < -3
        c.labels.put(where[(verge > 0.4) & (c.labels.take(where) == palette.FIELD)], palette.MEADOW)
        colour = planes_of(palette.VERGE, verge) * (1 + 0.08 * c.noise["fine"].take(where))
        paint(c, where, verge, colour)
    for road in sorted(c.roads, key=lambda road: road.half):
        _paint_road(c, road)


def _paint_road(c, road):
    rng, half, where, distance = c.rng, road.half, road.where, road.distance
    fine, medium = c.noise["fine"].take(where), c.noise["medium"].take(where)
    if road.kind == "track":
        colour = planes_of(palette.DIRT, fine) * (1 + 0.06 * fine + 0.04 * medium)
        green = 0.6 * np.clip(1 - 0.9 * distance + 0.4 * medium, 0, 1)  # between the wheels
        colour += green * (planes_of(palette.GRASS.colour, fine) - colour)
    else:
        worn = np.clip(1 - np.abs(distance - half / 2) / 1.2, 0, 1)
        grey = rng.uniform(0.9, 1.08) * (1 + 0.03 * fine + 0.02 * medium - 0.06 * worn)
        colour = planes_of(palette.ASPHALT, fine) * grey
        if road.kind == "main":  # a broken line in the middle, faint lines at the edges
            dash = road.way / 14
            line = np.clip(0.95 - distance, 0, 1) * (dash - np.floor(dash) < 0.45)
            line += 0.8 * np.clip(0.9 - np.abs(distance - half + 1), 0, 1)
            colour += 0.7 * np.minimum(line, 1) * (palette.MARKING - colour)
    alpha = np.clip(half + 0.5 - distance, 0, 1)
    if c.water is not None:  # a bridge stands above the water and has pale rails
        deck = np.clip(half + 1.2 - distance, 0, 1) * np.clip(c.water.take(where) + 4, 0, 1)
        colour += deck * np.clip(distance - half + 0.7, 0, 1) * (palette.RAIL - colour)
        c.height.put(where[deck > 0.5], 3)
        alpha = np.maximum(alpha, deck)
    paint(c, where, alpha, colour, palette.ROAD)
