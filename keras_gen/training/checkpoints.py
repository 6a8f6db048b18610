"""The files from which a training resumes: its weights and optimizers, its history, its options.

Each file replaces the one before as a whole, so a killed training leaves no damaged file. Weights
carry a digest, because HDF5 does not notice changed numbers.
"""

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import h5py
import keras

from keras_gen._util.files import atomic_write, atomic_write_text, check_writable
from keras_gen._util.progress import one_line

CHECKPOINT = "checkpoint.weights.h5"  # the last state

BEST = "best.weights.h5"  # the state with the best score

HISTORY = "history.csv"  # one row for each round

OPTIONS = "options.json"

CHANGES = "changes"  # key among the options: earlier values, where a resumed training changed some


def check_directory(
    directory: str | Path,
    *,
    resume: bool = False,
    options: dict | None = None,
    may_change: Sequence[str] = (),
) -> None:
    """Check, before any work is done, that a training can start or resume in a directory.

    Args:
        directory: the training's directory; nothing is written to it.
        resume: whether to continue the training that it holds, if there is one.
        options: options of the training, by name.
        may_change: names of options that may differ from those it was started with.

    Raises:
        ValueError: if the directory is a file or cannot be written to; if it holds a training and
            `resume` is not set; or if that training was started with other options.
    """
    directory = Path(directory)
    check_writable(directory)
    if not (directory / CHECKPOINT).exists():
        return
    if not resume:
        raise ValueError(
            f"{directory} already holds a training; add --resume to continue it, or choose another "
            "directory"
        )
    earlier = _read_options(directory)
    for name, value in (options or {}).items():
        if name not in may_change and earlier.get(name, value) != value:
            raise ValueError(
                f"the training in {directory} was started with {name}={earlier[name]!r}, not "
                f"{value!r}; resume it with the same options, or choose another directory"
            )


def write_options(directory: Path, options: dict) -> None:
    """Write the options of a training that starts."""
    atomic_write_text(directory / OPTIONS, json.dumps(options, indent=1))


def update_options(
    directory: Path, options: dict, may_change: Sequence[str], step: int
) -> list[str]:
    """Write the options of a training that resumes, with the earlier values of those that changed.

    Args:
        directory: the training's directory.
        options: the options with which it resumes.
        may_change: names of options that may have changed.
        step: the step after which it resumes.

    Returns:
        The names of the options that have changed.
    """
    earlier = _read_options(directory)
    changed = {
        name: earlier[name]
        for name in may_change
        if name in earlier and earlier[name] != options.get(name)
    }
    if changed:
        record = [*earlier.get(CHANGES, []), {"until": step} | changed]
        write_options(directory, options | {CHANGES: record})
    return list(changed)


def with_changes(options: dict, directory: str | Path) -> dict:
    """Add to the final options of a training the values that some of them had before.

    Args:
        options: the options with which it was last resumed.
        directory: the training's directory.

    Returns:
        The options; one that has changed is a text, such as `"0.1 (0.2 until step 300)"`.
    """
    shown = dict(options)
    for change in reversed(_read_options(Path(directory)).get(CHANGES, [])):
        for name, value in change.items():
            if name in shown:
                shown[name] = f"{shown[name]} ({value} until step {change['until']})"
    return shown


def _read_options(directory):
    path = directory / OPTIONS
    try:
        return json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); start again in another directory") from None


def save_state(model: keras.Model, path: Path) -> None:
    """Save weights and optimizers, with a digest of all numbers.

    Args:
        model: the compiled model.
        path: a file ending in `.weights.h5`.
    """

    def write(unfinished):
        model.save_weights(unfinished)
        with h5py.File(unfinished, "r+") as file:
            file.attrs["digest"] = _digest(file)

    atomic_write(path, write)


def load_state(model: keras.Model, path: Path) -> None:
    """Restore weights and optimizers.

    Args:
        model: the model, compiled as it was when it was saved.
        path: a file that `save_state` wrote.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        with h5py.File(path) as file:
            if file.attrs["digest"] != _digest(file):
                raise ValueError("its numbers have changed since it was written")
        model.load_weights(path)
    except Exception as error:  # h5py and Keras raise whatever a damaged file leads to
        raise ValueError(
            f"the checkpoint {path} is damaged ({one_line(error)}); start again in another "
            "directory"
        ) from error


def load_best(model: keras.Model, directory: str | Path) -> None:
    """Restore the state with the best score, if a training has kept one.

    Args:
        model: the model of the training, compiled as it was.
        directory: the training's directory.

    Raises:
        ValueError: if the file is damaged.
    """
    path = Path(directory) / BEST
    if path.exists():
        load_state(model, path)


def _digest(file):
    digest = hashlib.sha256()

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            digest.update(f"{name} {item.dtype} {item.shape} ".encode())
            digest.update(item[()].tobytes())

    file.visititems(add)
    return digest.hexdigest()


def write_history(history: list[dict], directory: Path) -> None:
    """Write the rounds of a training as a table.

    Args:
        history: one dict a round, with its numbers by name.
        directory: the training's directory.
    """
    names = list(dict.fromkeys(name for row in history for name in row))

    def write(unfinished):
        with open(unfinished, "w", newline="") as file:
            table = csv.DictWriter(file, names, lineterminator="\n")
            table.writeheader()
            table.writerows(history)

    atomic_write(directory / HISTORY, write)


def read_history(directory: str | Path) -> list[dict]:
    """Read the rounds of a training.

    Args:
        directory: the training's directory.

    Returns:
        One dict a round, with its numbers by name; empty where no history is.

    Raises:
        ValueError: if the file is damaged.
    """
    path = Path(directory) / HISTORY
    if not path.exists():
        return []
    try:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        numbers = [{name: float(text) for name, text in row.items() if text} for row in rows]
        return [row | {"step": int(row["step"])} for row in numbers]
    except (KeyError, TypeError, ValueError, csv.Error):
        raise ValueError(f"{path} is damaged; start again in another directory") from None
