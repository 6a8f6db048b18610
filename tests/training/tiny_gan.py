"""A training of a GAN that takes seconds, and the arrays of its checkpoints.

    KERAS_BACKEND=jax python -m tests.training.tiny_gan DIRECTORY

trains it twice with Keras' backend: without a stop, and stopped and resumed.
"""

import io
import sys
from pathlib import Path

import h5py
from rich.console import Console

from keras_gen.training import gan

TINY = {
    "size": 32,
    "filters": (8, 4),
    "levels": 2,
    "batch_size": 2,
    "evaluation_images": 2,
    "final_evaluation_images": 3,
}
TINY |= {"every": 2, "seed": 7, "latent_dim": 4, "learning_rate": 0.002}


def train(directory, **settings):
    """Train in a directory: the path of the generator, and what was shown."""
    shown = Console(file=io.StringIO(), width=10_000)
    path = gan.train_gan(directory=directory, console=shown, **{"steps": 8} | TINY | settings)
    return path, shown.file.getvalue()


def arrays(file):
    """The bytes of every array in an HDF5 file, by name."""
    found = {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes()

    with h5py.File(file) as opened:
        opened.visititems(collect)
    return found


if __name__ == "__main__":
    for name, stops in (("unbroken", [4]), ("broken", [2, 4])):
        for steps in stops:
            train(Path(sys.argv[1]) / name, steps=steps, resume=True)
