"""Pictures, a small model and a finished training, for the tests of several files."""

import functools

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gen.models.gan import GAN
from keras_gen.training.supervised import compile_for_images
from tests.training.tiny_simple import train


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Three pictures with edges and a gradient: two to train on, one held out."""
    folder = tmp_path_factory.mktemp("pictures")
    rows, columns = np.mgrid[:120, :140]
    for index in range(3):
        red = 255 * (rows + 20 * index > columns)
        green = (rows * 2 + index * 40) % 256
        blue = 127 + 120 * np.sin(columns / (2 + index))
        picture = np.stack([red, green, blue], axis=-1).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def finished(pictures, tmp_path_factory):
    """The path of a generator that was trained without a stop, and what the training showed."""
    return train(tmp_path_factory.mktemp("finished"), pictures, command="the command")


@pytest.fixture
def small_model():
    """The smallest model, compiled for six steps."""
    inputs = keras.Input((2, 2, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(3, 1)(inputs))
    compile_for_images(model, steps=6)
    return model


@pytest.fixture
def eager(monkeypatch):
    """Spare an adversarial training the seconds that TensorFlow takes to build its graph."""
    compiled = functools.partialmethod(GAN.compile, run_eagerly=True)
    monkeypatch.setattr(GAN, "compile", compiled)
