"""The trained generators that come with the course, by name."""

import os
from pathlib import Path

from keras_gen._util.files import expanded


def weights_directory() -> Path:
    """The directory of the weights.

    `KERAS_GEN_WEIGHTS` if that is set; else the package's own copy, which a wheel brings along;
    else, in a checkout of the repository, `data/weights`.
    """
    chosen = os.environ.get("KERAS_GEN_WEIGHTS")
    if chosen:
        return Path(chosen)
    package = Path(__file__).parents[1]
    installed = package / "_weights"
    return installed if installed.is_dir() else package.parent / "data" / "weights"


def stored_names() -> list[str]:
    """Names of the stored generators, as `load_generator` takes them.

    Example:
        >>> "simple_64to400_photos" in stored_names()
        True
    """
    return sorted(file.stem for file in weights_directory().glob("*.keras"))


def generator_path(name: str | Path) -> Path:
    """Find a generator.

    Args:
        name: a name from `stored_names()`, or the path of a `.keras` file.

    Returns:
        The path of an existing file.

    Raises:
        ValueError: if there is no such file.
    """
    file = expanded(name)
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
        name: a name from `stored_names()`, or the path of a `.keras` file.

    Returns:
        The Keras model, not compiled.

    Raises:
        ValueError: if there is no such file, if it is damaged, or if it holds no Keras model.

    Example:
        >>> load_generator("simple_64to400_photos").output_shape
        (None, 400, 400, 3)
    """
    file = generator_path(name)

    from keras_gen._util.keras_files import load_keras_file  # imports Keras, which takes seconds

    return load_keras_file(file)
