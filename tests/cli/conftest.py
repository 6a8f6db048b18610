"""What the tests of several commands use: pictures of a user, and small stored weights."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_gen as kg


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "my [red]pictures :smile:"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(3):
        picture = rng.integers(0, 256, (60, 70, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def unspeakable(pictures):
    """A picture and a broken one whose names are not Unicode."""
    good = (pictures / "0.png").read_bytes()
    for name, content in ((b"good \xff.png", good), (b"bad \xff.png", b"no picture")):
        try:
            Path(os.fsdecode(os.fsencode(pictures) + b"/" + name)).write_bytes(content)
        except OSError:
            pytest.skip("this file system wants Unicode names")
    return pictures


@pytest.fixture(scope="session")
def stored(tmp_path_factory):
    """A directory of weights with small generators, those of the tour named like the course's."""
    place = tmp_path_factory.mktemp("weights")
    settings = {"filters": 8, "blocks": 0, "seed": 0}
    upscaler = kg.simple_generator((None, None, 3), scale=2, **settings)
    upscaler.save(place / "simple_x2_tiny.keras")
    course = kg.simple_generator((64, 64, 3), 400, **settings)
    course.save(place / "simple_64to400_photos.keras")
    settings = {"filters": 1, "depth": 2, "seed": 0}
    kg.unet_generator((64, 64, 3), 400, **settings).save(place / "unet_64to400_photos.keras")
    for name in ("unet_labels_aerial", "pix2pix_aerial"):
        kg.unet_generator((400, 400, 7), **settings).save(place / f"{name}.keras")
    kg.gan_generator(12, 400, filters=(4, 4, 4, 4, 4), seed=0).save(place / "gan_hubble.keras")
    return place


@pytest.fixture
def weights(stored, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(stored))
