"""Classes of the label map of an aerial scene, and the colours and textures of everything in it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LandClass:
    """The meaning of one value of the label map.

    Attributes:
        what: the land that it stands for.
        mean: mean colour (red, green, blue; 0 … 1) of its pixels over many default scenes.
        texture: mean absolute difference of its pixels' brightness from that of their 3×3 pixels.
        colour: its colour in a figure of the label map, 0 … 255.
    """

    what: str
    mean: tuple[float, float, float]
    texture: float
    colour: tuple[int, int, int]


# A class's value in the label map is its place here. `benchmarks/aerial_scenes.py` measures the
# means; the colours are at least 28 apart in CIELAB for every kind of colour vision (the tests
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


@dataclass(frozen=True)
class Ground:
    """The appearance of a patch of ground; contrasts are fractions of its brightness."""

    colour: tuple[float, float, float]
    rows: float = 0.0  # contrast of the furrows
    period: float = 8.0  # pixels from furrow to furrow
    mottle: float = 0.08  # contrast of irregular patches
    tramlines: float = 0.0  # contrast of wheel tracks, 34 pixels apart
    passes: float = 0.0  # contrast of the strips that a machine leaves


GRASS = Ground((0.43, 0.46, 0.30), mottle=0.11)
PASTURE = Ground((0.47, 0.48, 0.32), 0.03, 7.0, 0.11, passes=0.02)
LAWN = Ground((0.425, 0.465, 0.305), mottle=0.10)
YARD = Ground((0.60, 0.575, 0.52), mottle=0.08)
WOOD_FLOOR = Ground((0.215, 0.24, 0.165), mottle=0.15)
STUBBLE = Ground((0.65, 0.60, 0.47), 0.07, 4.6, 0.06, 0.05, 0.06)
HAY = Ground((0.51, 0.525, 0.345), 0.09, 7.5, 0.06, 0.0, 0.05)

CROPS = (  # frequency, ground
    (3.0, Ground((0.42, 0.47, 0.29), 0.035, 3.2, 0.07, 0.17, 0.03)),  # young wheat
    (2.0, Ground((0.48, 0.51, 0.34), 0.03, 3.0, 0.08, 0.19, 0.03)),  # barley
    (3.0, Ground((0.68, 0.61, 0.44), 0.035, 3.0, 0.065, 0.13, 0.03)),  # ripe wheat
    (2.2, Ground((0.49, 0.415, 0.335), 0.10, 3.6, 0.10, 0.0, 0.03)),  # dark soil
    (1.6, Ground((0.61, 0.54, 0.445), 0.08, 4.0, 0.10, 0.0, 0.03)),  # pale soil
    (2.0, Ground((0.33, 0.39, 0.23), 0.11, 3.4, 0.08, 0.03, 0.02)),  # maize
    (1.2, Ground((0.41, 0.42, 0.29), 0.18, 4.2, 0.08, 0.14, 0.02)),  # potatoes
    (0.6, Ground((0.68, 0.65, 0.33), 0.02, 3.0, 0.065, 0.14, 0.02)),  # rape
    (2.2, STUBBLE),
    (1.6, HAY),
)

BROADLEAF, CONIFER = np.array([0.335, 0.376, 0.232]), np.array([0.235, 0.285, 0.206])

ROOFS = (  # frequency, colour
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

CARS = (  # frequency, colour
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
