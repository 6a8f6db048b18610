"""Small models that several tests of fields measure, and the published numbers."""

import json
from pathlib import Path

import keras
from keras import layers

VECTORS = json.loads((Path(__file__).parent / "vectors" / "receptive_field.json").read_text())


def one_axis(*stack, size=32):
    """A model of one row: what its layers do along one axis."""
    return keras.Sequential([keras.Input((size, 1)), *stack])


def square(*stack, size=32, channels=1):
    return keras.Sequential([keras.Input((size, size, channels)), *stack])


def unet(depth, upscale, size):
    """Two convolutions of 3 a level, with skips."""

    def twice(x):
        return layers.Conv1D(1, 3, padding="same")(layers.Conv1D(1, 3, padding="same")(x))

    x = inputs = keras.Input((size, 1))
    skips = []
    for _ in range(depth):
        x = twice(x)
        skips.append(x)
        x = layers.MaxPooling1D(2)(x)
    x = twice(x)
    for skip in reversed(skips):
        x = twice(layers.Concatenate()([upscale()(x), skip]))
    return keras.Model(inputs, x)


UPSCALE = {
    "nearest": lambda: layers.UpSampling1D(2),
    "transposed_k2": lambda: layers.Conv1DTranspose(1, 2, 2),
    "transposed_k4": lambda: layers.Conv1DTranspose(1, 4, 2, padding="same"),
}
