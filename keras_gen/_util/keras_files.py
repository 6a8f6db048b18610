"""TODO: say what this module holds."""

from pathlib import Path

import keras

from keras_gen._util.files import atomic_write


def save_generator(model: keras.Model, path: str | Path) -> None:
    """Save a generator without its training, as a `.keras` file that plain Keras loads.

    Args:
        model: the generator.
        path: the file, ending in `.keras`.
    """
    # `input`, not `inputs`: a list would have to be fed a list again.
    bare = keras.Model(model.input, model.output, name=model.name)
    atomic_write(Path(path), bare.save)
