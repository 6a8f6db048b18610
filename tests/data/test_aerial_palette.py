"""Label maps of aerial scenes: their classes, their colours and their channels."""

import numpy as np
import pytest
from skimage.color import rgb2lab

from keras_gen.data.aerial import palette, rendering
from keras_gen.data.aerial.palette import BUILDING, FIELD, FOREST, MEADOW, ROAD, SHORE, WATER

# What a dichromat sees of linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def test_class_numbers_are_their_places():
    numbers = dict(zip(palette.CLASSES, range(7), strict=True))
    assert numbers == {
        "water": WATER,
        "shore": SHORE,
        "meadow": MEADOW,
        "field": FIELD,
        "forest": FOREST,
        "road": ROAD,
        "building": BUILDING,
    }


@pytest.mark.parametrize("kind", VISION)
def test_the_colour_blind_can_read_the_label_map(kind):
    """Any two colours lie 25 or more apart in CIELAB (2 is just noticeable side by side)."""
    colours = palette.COLOURS.astype(np.float64)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(VISION[kind]), 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(seen[None])[0]
    apart = np.linalg.norm(lab[:, None] - lab, axis=-1) + 1e3 * np.eye(len(lab))
    assert apart.min() >= 25


def test_colour_and_one_hot_say_what_the_label_map_says():
    labels, _ = rendering.scene(6, (40, 60))
    coloured, channels = rendering.colour(labels), rendering.one_hot(labels)
    assert coloured.shape == (40, 60, 3) and coloured.dtype == np.float32
    assert channels.shape == (40, 60, 7) and channels.dtype == np.float32
    assert np.array_equal(channels.argmax(-1), labels) and (channels.sum(-1) == 1).all()
    for index, said in enumerate(palette.CLASSES.values()):
        expected = np.array(said.colour, np.float32) / 255
        assert (coloured[labels == index] == expected).all()
    assert rendering.one_hot(np.zeros((2, 3, 4), int)).shape == (2, 3, 4, 7)


@pytest.mark.parametrize("function", [rendering.colour, rendering.one_hot])
@pytest.mark.parametrize(
    ("labels", "message"),
    [([[7]], "received 7 to 7"), ([-1], "received -1"), ([0.5], "whole numbers, received float64")],
)
def test_what_is_no_label_map_is_refused(function, labels, message):
    with pytest.raises(ValueError, match=message):
        function(labels)
