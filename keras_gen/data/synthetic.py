"""Synthetic images, rendered by code: edges, stripes and letters, for training and for tests."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gen._util.arguments import as_pair
from keras_gen._util.pixels import to_uint8

_OVERSAMPLING = 2

_LETTERS = "etaoinshrdlucmfwypvbgkjqxzETAOINSHRDLU0123456789"

_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSansMono")


def dead_leaves(seed: int, size: int = 512) -> np.ndarray:
    """Render leaves of all sizes that lie on one another, and some striped patches.

    Sizes follow a power law, so that the image has the same statistics at every scale, as
    photographs have (Lee, Mumford and Huang, 2001). Such images are useful for training networks
    that restore photographs (Achddou, Gousseau and Ladjal, 2021).

    Args:
        seed: the same seed gives the same image.
        size: side in pixels.

    Returns:
        uint8 array of shape `(size, size, 3)`.

    Raises:
        ValueError: if the size is not a whole number of at least 1.

    Example:
        >>> dead_leaves(0, size=64).shape
        (64, 64, 3)
    """
    size, _ = as_pair(size)
    rng = np.random.default_rng(seed)
    side = size * _OVERSAMPLING
    palette = rng.beta(0.8, 0.8, (12, 3))
    picture = Image.new("RGB", (side, side), _rgb(palette[0]))
    draw = ImageDraw.Draw(picture)
    smallest, largest = 3 * _OVERSAMPLING, side / 3
    for radius in _power_law(rng, 2500, smallest, largest):
        colour = palette[rng.integers(len(palette))] + rng.normal(0, 0.08, 3)
        _leaf(draw, rng, rng.random(2) * side, radius, _rgb(colour))
    pixels = np.asarray(picture.resize((size, size), Image.Resampling.BOX), np.float32)
    pixels = _striped(pixels, rng)
    pixels += _light(size, rng)
    pixels += rng.normal(0, rng.uniform(0, 3), pixels.shape)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def text_page(seed: int, size: int = 512) -> np.ndarray:
    """Render a page of random letters, fonts, sizes and colours, dark on light or light on dark.

    Args:
        seed: the same seed gives the same page.
        size: side in pixels.

    Returns:
        uint8 array of shape `(size, size, 3)`.

    Raises:
        ValueError: if the size is not a whole number of at least 1.

    Example:
        >>> text_page(0, size=64).shape
        (64, 64, 3)
    """
    size, _ = as_pair(size)
    rng = np.random.default_rng(seed)
    dark_page = rng.random() < 0.5
    paper, ink = ((0.0, 0.35), (0.6, 1.0)) if dark_page else ((0.65, 1.0), (0.0, 0.45))
    page = Image.new("RGB", (size, size), _rgb(rng.uniform(*paper, 3)))
    draw = ImageDraw.Draw(page)
    top = 4
    while top < size:
        height = int(np.exp(rng.uniform(np.log(9), np.log(44))))
        words = [_word(rng) for _ in range(30)]
        place = (int(rng.integers(-20, 30)), top)
        font, colour = _font(rng, height), _rgb(rng.uniform(*ink, 3))
        draw.text(place, " ".join(words), font=font, fill=colour)
        top += int(height * rng.uniform(1.1, 1.7))
    return np.asarray(page).copy()


def zone_plate(size: int = 400) -> np.ndarray:
    """Render rings that get finer outwards, to alternating black and white pixels at the edges.

    Every frequency and direction has a place of its own. Where a filter loses a frequency, the
    image becomes grey; where it creates false ones, new rings appear.

    Args:
        size: side in pixels.

    Returns:
        uint8 array of shape `(size, size, 3)`, grey.

    Example:
        >>> zone_plate(64).shape
        (64, 64, 3)
    """
    place = np.arange(size) - (size - 1) / 2
    # The phase grows with the square of the radius; its slope is π a pixel at the middle of a side.
    rings = 0.5 + 0.5 * np.cos(np.pi * (place[:, None] ** 2 + place**2) / size)
    return np.repeat(to_uint8(rings)[..., None], 3, axis=-1)


def _leaf(draw, rng, centre, radius, colour):
    x, y = centre
    turn = rng.uniform(0, 2 * np.pi)
    kind = rng.choice(["ellipse", "rectangle", "polygon", "stalk"])
    if kind == "ellipse":
        height = radius * rng.uniform(0.4, 1)
        draw.ellipse([x - radius, y - height, x + radius, y + height], fill=colour)
    elif kind == "stalk":
        end = (x + 2 * radius * np.cos(turn), y + 2 * radius * np.sin(turn))
        width = int(rng.integers(1, 5)) * _OVERSAMPLING
        draw.line([x, y, *end], fill=colour, width=width)
    else:
        if kind == "rectangle":
            half = np.arctan(rng.uniform(0.1, 1))
            angles = turn + np.array([half, np.pi - half, np.pi + half, -half])
        else:
            angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
        corners = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
        draw.polygon([tuple(corner) for corner in corners], fill=colour)


def _power_law(rng, count, smallest, largest):
    """Sample radii with density ∝ r⁻³, by inverting the distribution function."""
    quantile = rng.random(count)
    return 1 / np.sqrt(quantile * (smallest**-2 - largest**-2) + largest**-2)


def _striped(pixels, rng):
    """Add six round patches of stripes; a pair of stripes is 3 to 33 pixels wide."""
    size = len(pixels)
    rows, columns = np.mgrid[:size, :size]
    for _ in range(6):
        row, column = rng.random(2) * size
        inside = (columns - column) ** 2 + (rows - row) ** 2 < rng.uniform(30, 120) ** 2
        turn, frequency = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(0.03), np.log(0.35)))
        bend = rng.uniform(0, 8) * np.sin(0.02 * columns)
        along = columns * np.cos(turn) + rows * np.sin(turn) + bend
        wave = np.sin(2 * np.pi * frequency * along)
        if rng.random() < 0.5:
            wave = 0.8 * np.sign(wave)
        pixels[inside] += (rng.uniform(10, 50) * wave)[inside][:, None]
    return pixels


def _light(size, rng):
    """Return a gradient that brightens the image towards one side."""
    turn = rng.uniform(0, 2 * np.pi)
    ramp = np.linspace(-0.5, 0.5, size)
    light = ramp[None, :] * np.cos(turn) + ramp[:, None] * np.sin(turn)
    return (32 * light)[..., None]


def _word(rng):
    places = len(_LETTERS) * rng.random(rng.integers(1, 10)) ** 1.5
    return "".join(_LETTERS[int(place)] for place in places)


def _font(rng, height):
    import matplotlib

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(fonts / f"{rng.choice(_FONTS)}.ttf"), height)


def _rgb(colour):
    return tuple(to_uint8(colour).tolist())
