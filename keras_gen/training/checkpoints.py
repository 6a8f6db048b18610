"""TODO: say what this module holds."""

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import h5py
import keras

from keras_gen._util import progress
from keras_gen._util.files import check_writable

CHECKPOINT = "checkpoint.weights.h5"


BEST = "best.weights.h5"


HISTORY = "history.csv"


OPTIONS = "options.json"


CHANGES = "changes"  # among the options: what some of them were before the training went on


def check_directory(
    directory: str | Path,
    *,
    resume: bool = False,
    options: dict | None = None,
    may_change: Sequence[str] = (),
):
    """See whether a training can begin or go on in a directory, before any work is done.

    Args:
        directory: where the training is to be kept; nothing is written to it.
        resume: whether to go on with the training in it, if there is one.
        options: what the training is asked for.
        may_change: names of options that may be others than it was started with.

    Raises:
        ValueError: if it is a file or cannot be written to; if it holds a training and `resume` is
            not set; or if that training was started with other options.
    """
    directory = Path(directory)
    check_writable(directory)
    if not (directory / CHECKPOINT).exists():
        return
    if not resume:
        raise ValueError(
            f"{directory} already holds a training; add --resume to go on with it, "
            "or choose another directory"
        )
    earlier = read_options(directory / OPTIONS)
    for name, value in (options or {}).items():
        if name not in may_change and earlier.get(name, value) != value:
            raise ValueError(
                f"the training in {directory} was started with {name}={earlier[name]!r}, not "
                f"{value!r}; resume it with the same options, or choose another directory"
            )


def with_changes(options: dict, directory: str | Path) -> dict:
    """Say of the options that a training had at its end what they were before.

    Args:
        options: what it was asked for when it went on for the last time.
        directory: the training's.

    Returns:
        The options; one that has changed is a text, such as `"0.1 (0.2 until step 300)"`.
    """
    told = dict(options)
    for change in reversed(read_options(Path(directory) / OPTIONS).get(CHANGES, [])):
        for name, value in change.items():
            if name in told:
                told[name] = f"{told[name]} ({value} until step {change['until']})"
    return told


def load_best(model: keras.Model, directory: str | Path) -> bool:
    """Give a model the best state that a training has kept.

    Args:
        model: the model of the training, compiled as it was.
        directory: the training's.

    Returns:
        Whether there was one.

    Raises:
        ValueError: if the file is damaged.
    """
    path = Path(directory) / BEST
    if path.exists():
        load_state(model, path)
    return path.exists()


def read_history(directory: str | Path) -> list[dict]:
    """The rounds of a training: one dict each, as in `Outcome.history`.

    Args:
        directory: the training's.

    Raises:
        ValueError: if the file is damaged.
    """
    return _read_table(Path(directory) / HISTORY)


def save_state(model, path):
    """Save weights and optimizer with a digest, as HDF5 itself would not notice damaged numbers."""
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file.attrs["digest"] = _digest(file)


def load_state(model, path):
    try:
        with h5py.File(path) as file:
            # A checkpoint from before there were digests has none.
            if file.attrs.get("digest", _digest(file)) != _digest(file):
                raise ValueError("its numbers have changed since it was written")
        model.load_weights(path)
    except Exception as error:  # h5py and Keras raise whatever a damaged file leads to
        raise ValueError(
            f"the checkpoint {path} is damaged ({progress.one_line(error)}); "
            "begin again in another directory"
        ) from error


def _digest(file):
    digest = hashlib.sha256()

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            digest.update(f"{name} {item.dtype} {item.shape} ".encode())
            digest.update(item[()].tobytes())

    file.visititems(add)
    return digest.hexdigest()


def read_options(path):
    try:
        return json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); begin again in another directory") from None


def write_history(rows, path):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, names, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def _read_table(path):
    if not path.exists():
        return []
    try:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        numbers = [{name: float(text) for name, text in row.items() if text} for row in rows]
        return [row | {"step": int(row["step"])} for row in numbers]
    except (KeyError, TypeError, ValueError, csv.Error):
        raise ValueError(f"{path} is damaged; begin again in another directory") from None
