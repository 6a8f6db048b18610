"""A training of the simple generator that takes seconds, and what the tests read from it."""

import io
import zipfile

import numpy as np
import tensorflow as tf
from rich.console import Console

from keras_gen.training import checkpoints, simple
from tests.training.tiny_gan import arrays

STEPS = 40
TINY = {"scale": 2, "filters": 8, "blocks": 1, "batch_size": 4, "seed": 7}


def new_console():
    return Console(file=io.StringIO(), width=10_000)


def text_of(console):
    return console.file.getvalue()


def train(directory, pictures, **settings):
    """Train in a directory: the path of the generator, and what was shown."""
    console = new_console()
    settings = {"steps": STEPS, "every": 8, **TINY} | settings
    path = simple.train_simple(directory=directory, data=str(pictures), console=console, **settings)
    return path, text_of(console)


def constant_batches(first_step, steps, value=0.5):
    """Batches of one image of 2×2 pixels, all alike, for `small_model`."""
    images = np.full((steps - first_step, 2, 2, 3), value, np.float32)
    return tf.data.Dataset.from_tensor_slices((images, images)).batch(1)


def checkpoint(directory):
    return directory / checkpoints.CHECKPOINT


def stored_weights(path):
    """The bytes of every array in a .keras file, read without Keras."""
    with zipfile.ZipFile(path) as archive:
        return arrays(io.BytesIO(archive.read("model.weights.h5")))
