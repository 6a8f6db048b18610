"""Generators as `.keras` files: saved without their training, loaded with clear error messages."""

import zipfile
from pathlib import Path

import keras

from keras_gen._util.files import atomic_write


def with_weights(model: keras.Model, other: keras.Model) -> keras.Model:
    """Give a network the weights of another with the same layers.

    Args:
        model: the network to change, in place.
        other: the network whose weights it gets.

    Returns:
        The changed network.
    """
    model.set_weights(other.get_weights())
    return model


def save_generator(model: keras.Model, path: str | Path) -> None:
    """Save a generator as a `.keras` file that plain Keras loads and can train further.

    The file holds a fresh copy, without optimizer and losses. Each layer stays trainable, or not,
    as it is in the model.

    Args:
        model: the generator.
        path: the file, ending in `.keras`.

    Raises:
        ValueError: if the generator is frozen as a whole, as an averaged generator is: the file
            would not say which layers were built non-trainable.

    Example:
        save_generator(with_weights(gan.generator, gan.averaged_generator), "sky.keras")
    """
    if model.weights and not model.trainable_weights:
        raise ValueError(
            f"all layers of {model.name!r} are frozen, so the saved generator could not be trained "
            "further; copy its weights to the network as it was built, and save that"
        )
    # `input`, not `inputs`: a list would have to be fed a list again.
    bare = keras.Model(model.input, model.output, name=model.name)
    copy = with_weights(keras.Model.from_config(bare.get_config()), model)
    atomic_write(Path(path), copy.save)


def load_keras_file(path: str | Path) -> keras.Model:
    """Load a `.keras` file.

    Args:
        path: an existing file.

    Returns:
        The Keras model, not compiled.

    Raises:
        ValueError: if the file is damaged or holds no Keras model.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is not a .keras file, or it is damaged")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its parts raise
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path} cannot be loaded as a Keras model: {reason}") from error
