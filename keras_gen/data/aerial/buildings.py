"""Buildings and cars of an aerial scene: roofs, chimneys, solar panels."""

import numpy as np

from keras_gen.data.aerial import palette
from keras_gen.data.aerial.canvas import (
    angle_of,
    axes_along,
    coverage,
    paint,
    pick,
    planes_of,
    to_pixels,
    turned_rectangle,
)


def paint_house(c, house):
    """Paint a roof, sometimes with a wing, a chimney and solar panels."""
    rng = c.rng
    (long, wide), (along, across) = house.half, axes_along(house.angle)
    eave, pitch = (8.0, 0.32) if house.barn else (rng.uniform(6, 8), rng.uniform(0.5, 0.8))
    style = "gable" if house.barn else pick(rng, ((14, "gable"), (4, "hip"), (2, "flat")))
    roofs = palette.BARN_ROOFS if house.barn else palette.ROOFS
    colour = np.array(pick(rng, roofs)) * rng.normal(1, 0.015, 3)
    colour = (colour if style != "flat" else np.array(palette.FLAT_ROOF)) * rng.normal(1, 0.06)
    if not house.barn and rng.random() < 0.3:  # a wing
        left, front = rng.choice([-1, 1], 2)
        centre = house.centre + left * (long - 0.75 * wide) * along + front * 0.75 * wide * across
        half = (0.95 * wide, 0.75 * wide)
        place = turned_rectangle(c, centre, house.angle + np.pi / 2, half)
        _paint_roof(c, place, house.angle + np.pi / 2, half, colour, eave, pitch, style)
    where, p, q = house.place
    _paint_roof(c, house.place, house.angle, house.half, colour, eave, pitch, style)
    if house.barn or style == "flat":
        return
    at_p, at_q = rng.uniform(-0.6, 0.6) * long, rng.uniform(-0.35, 0.35) * wide
    chimney = coverage(p - at_p, q - at_q, (0.8, 0.8))
    paint(c, where, chimney, planes_of(palette.CHIMNEY, p))
    c.height.put(where, c.height.take(where) + 2.5 * (chimney > 0.5))
    if rng.random() < 0.15:  # solar panels, on the side that faces the sun
        face = 0.5 * wide * np.sign(across @ c.sun)
        panel = coverage(p, q - face, (long * rng.uniform(0.3, 0.7), 0.24 * wide))
        paint(c, where, panel, planes_of(palette.SOLAR, p))


def _paint_roof(c, place, angle, half, colour, eave, pitch, style):
    where, along, across = place
    to_gable, to_eave = half[0] - np.abs(along), half[1] - np.abs(across)
    steep = 0.27 * (0.6 + pitch)
    lit_along, lit_across = (steep * float(axis @ c.sun) for axis in axes_along(angle))
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
    alpha = coverage(along, across, half)
    paint(c, where, alpha, planes_of(colour, along) * shade.astype(np.float32), palette.BUILDING)
    solid = where[alpha > 0.5]
    c.height.put(solid, (eave + pitch * rise)[alpha > 0.5])
    c.light.put(solid, 1)


def park(c):
    """Paint cars on the roads and on the drives."""
    rng = c.rng
    cars = []
    for road in c.roads:
        n = rng.poisson(road.length / 230) if road.kind != "track" else 0
        along, side = rng.uniform(0, road.length, n), rng.choice([-1, 1], n)
        here, ahead = (to_pixels(c, road.points(along + d, side * road.half / 2)) for d in (0, 1))
        cars += zip(here, angle_of(side[:, None] * (ahead - here)), strict=True)
    for start, end in (plot.drive for plot in c.plots if rng.random() < 0.45):
        cars.append((start + rng.uniform(0.4, 0.6) * (end - start), angle_of(end - start)))
    for xy, angle in cars:
        where, along, across = turned_rectangle(c, xy, angle, (3, 1.3))
        car = coverage(along, across, (2.9, 1.25)) * (c.labels.take(where) == palette.ROAD)
        paint(c, where, car, planes_of(pick(rng, palette.CARS), car))
        window = coverage(along - 0.7, across, (0.45, 0.8)) * (car > 0.5)
        paint(c, where, 0.8 * window, planes_of(palette.WINDOW, car))
        c.height.put(where, c.height.take(where) + 1.6 * (car > 0.5))
