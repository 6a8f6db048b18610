"""Pictures, networks and shortcuts that the tests of the comparison share."""

import keras
import numpy as np
from PIL import Image


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 5 + 2, width // 5 + 2, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def panels(comparison, number=0):
    return {panel.title: panel for panel in comparison.pictures[number].panels}


def upscaler(scale=2, shape=(None, None, 3), name=None):
    inputs = keras.Input(shape)
    x = keras.layers.Conv2DTranspose(3, 2 * scale, scale, "same", activation="sigmoid")(inputs)
    return keras.Model(inputs, x, name=name)
