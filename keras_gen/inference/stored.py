"""The trained generators that come with the course, by name."""

import os
import zipfile
from pathlib import Path


def weights_directory() -> Path:
    """The directory of the weights: `KERAS_GEN_WEIGHTS` if that is set, else `data/weights`."""
    chosen = os.environ.get("KERAS_GEN_WEIGHTS")
    return Path(chosen) if chosen else Path(__file__).resolve().parents[2] / "data" / "weights"


def stored_names() -> list[str]:
    """Names of the stored generators, as `load` takes them.

    Example:
        >>> "simple_64to400_photos" in names()
        True
    """
    return sorted(file.stem for file in weights_directory().glob("*.keras"))


def generator_path(name: str | Path) -> Path:
    """Find a generator: a name from `names()`, or the path of a `.keras` file.

    Args:
        name: the name, or the path.

    Returns:
        The path of an existing file.

    Raises:
        ValueError: if there is no such file.
    """
    file = Path(os.path.expanduser(name))
    if file.suffix == ".keras" and file.exists():
        return file
    stored = weights_directory() / f"{name}.keras"
    if stored.exists():
        return stored
    known = ", ".join(stored_names()) or f"none is in {weights_directory()}"
    raise ValueError(
        f"there are no weights {str(name)!r}; give the path of a .keras file, or one of: {known}"
    )


def load_generator(name: str | Path):
    """Load a generator.

    Args:
        name: a name from `names()`, or the path of a `.keras` file.

    Returns:
        The Keras model.

    Raises:
        ValueError: if there is no such file, or it is no Keras model.

    Example:
        >>> load("simple_64to400_photos").output_shape
        (None, 400, 400, 3)
    """
    file = generator_path(name)
    if not zipfile.is_zipfile(file):
        raise ValueError(f"{file} is not a .keras file, or it is damaged")

    import keras

    try:
        return keras.models.load_model(file, compile=False)
    except Exception as error:  # Keras raises whatever its parts raise
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{file} cannot be loaded as a Keras model: {reason}") from error
