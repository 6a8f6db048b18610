"""What every training shares: rounds, checkpoints, going on after a stop, previews and cards.

A training is a number of steps, done in rounds. After each round the whole state (weights and
optimizer) is written to one file, beside the old one, which it then replaces. As batch number n
depends on the seed and on n alone, a training that was killed goes on to the same weights.
"""

import csv
import hashlib
import json
import math
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import ops
from PIL import Image
from rich.console import Console

from keras_gen import reporting

CHECKPOINT = "checkpoint.weights.h5"
BEST = "best.weights.h5"
HISTORY = "history.csv"
OPTIONS = "options.json"
CHANGES = "changes"  # among the options: what some of them were before the training went on
PREVIEW = "preview.png"
LOSSES = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")
PART = ".unfinished"  # in the name of a file that is being written


@dataclass
class Outcome:
    """How a training went.

    Attributes:
        model: the trained model.
        history: one dict a round: `step`, what `fit` tells (`loss`, `psnr`, …), `minutes`,
            `cpu_minutes`, and what the preview measured.
    """

    model: keras.Model
    history: list[dict] = field(default_factory=list)


def psnr(truth, image):
    """Peak signal-to-noise ratio in decibels of each image of a batch in 0 … 1."""
    error = ops.mean(ops.square(truth - image), axis=(1, 2, 3))
    return -10 * ops.log(ops.maximum(error, 1e-10)) / ops.log(10.0)


def compile_for_images(
    model: keras.Model,
    *,
    steps: int,
    learning_rate: float = 1e-3,
    loss: str = "mean_squared_error",
) -> None:
    """Compile a generator: squared error, Adam, a rate that rises briefly and then falls.

    A generator that corrects an enlargement has little to do in flat places and much at edges. The
    squared error listens to the edges; the absolute error listens to every pixel alike, and such a
    generator hardly gets started with it.

    Args:
        model: the generator, images in 0 … 1 out.
        steps: steps of the whole training; the rate reaches zero at the last.
        learning_rate: the highest rate, reached after a twentieth of the steps (at most 200).
        loss: one of `LOSSES`, named as in Keras.

    Raises:
        ValueError: for another loss.
    """
    if loss not in LOSSES:
        raise ValueError(f"loss {loss!r} is unknown; choose one of {', '.join(map(repr, LOSSES))}")
    warm_up = min(200, max(1, steps // 20))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=learning_rate, warmup_steps=warm_up
    )
    model.compile(keras.optimizers.Adam(rate, beta_2=0.99), loss=loss, metrics=[psnr])


def measured(numbers: dict) -> str:
    """Say in a few words how a training of images stands: its loss, and what else is known."""
    parts = [f"loss {numbers['loss']:.3g}"]
    if "psnr" in numbers:
        parts.append(f"PSNR {numbers['psnr']:.2f} dB")
    if "gain" in numbers:
        parts.append(f"held out {numbers['gain']:+.2f} dB over bicubic")
    return ", ".join(parts)


def train(
    model: keras.Model,
    batches: Callable,
    *,
    directory: str | Path,
    steps: int,
    every: int = 200,
    preview: Callable | None = None,
    describe: Callable[[dict], str] = measured,
    best: str | None = None,
    alarm: Callable[[list[dict]], str | None] = lambda history: None,
    resume: bool = False,
    options: dict | None = None,
    may_change: Sequence[str] = (),
    console: Console | None = None,
) -> Outcome:
    """Train a compiled model in rounds that can be stopped at any moment.

    Args:
        model: compiled Keras model.
        batches: `batches(first, last)` gives the `tf.data.Dataset` of the batches numbered
            first … last − 1.
        directory: where checkpoint, history, options and preview are written.
        steps: steps of the whole training.
        every: steps a round; each round ends with a checkpoint and a preview.
        preview: `preview(model)` gives a picture (uint8, `(height, width, 3)`, or None) and a dict
            of numbers for the history.
        describe: says in a few words what the numbers of a step or of a round mean.
        best: one of the preview's numbers; the state at which it was least is kept beside the last
            one, in `BEST`.
        alarm: given the history after each round, says what has gone wrong, or None.
        resume: go on from the checkpoint in `directory`, if there is one.
        options: what the training was asked for; going on with other options is an error.
        may_change: names of options that may be others when it goes on; `with_changes` tells what
            they were.
        console: where progress is shown.

    Returns:
        The `Outcome`.

    Raises:
        ValueError: if the directory holds a training and `resume` is not set, or one with other
            options, or one that is damaged.
        FloatingPointError: if a number of the training stops being one, or `alarm` sounds; the
            last good checkpoint stays.

    Example:
        compile_for_images(model, steps=1000)
        train(model, lambda first, last: pairs(…, first_step=first, steps=last),
              directory="runs/first", steps=1000)
    """
    directory = Path(directory)
    console = console or reporting.new_console()
    done, history = _begin(model, directory, steps, resume, options or {}, may_change, console)
    before = history[-1] if history else {"minutes": 0.0, "cpu_minutes": 0.0}
    start, cpu_start = time.monotonic(), time.process_time()
    try:
        with reporting.StepDisplay(console, done, steps) as display:
            for first in range(done, steps, every):
                last = min(first + every, steps)
                watch = _Watch(display, first, describe)
                fitted = model.fit(
                    batches(first, last), verbose=0, shuffle=False, callbacks=[watch]
                )
                row = {"step": last} | {name: float(v[-1]) for name, v in fitted.history.items()}
                wrong = [name for name, v in row.items() if not math.isfinite(v)]
                if wrong or not _is_finite(model):
                    which = wrong[0] if wrong else "weights"
                    raise FloatingPointError(
                        f"the numbers ran away at step {watch.step} "
                        f"({which.replace('_', ' ')} {row.get(which, 'nan')}), and "
                        f"{_kept(done)}; begin again in another directory, with a lower learning "
                        "rate"
                    )
                row["minutes"] = before["minutes"] + (time.monotonic() - start) / 60
                row["cpu_minutes"] = before["cpu_minutes"] + (time.process_time() - cpu_start) / 60
                if preview is not None:
                    display.show(last, "drawing the preview")
                    picture, numbers = preview(model)
                    row |= numbers
                    if picture is not None:
                        write_whole(directory / PREVIEW, Image.fromarray(picture).save)
                # Before the checkpoint: where a kill leaves only this, the same round comes again.
                if best is not None and all(row[best] < earlier[best] for earlier in history):
                    write_whole(directory / BEST, lambda path: _save_state(model, path))
                history.append(row)
                write_whole(directory / HISTORY, lambda path: _write_table(history, path))
                write_whole(directory / CHECKPOINT, lambda path: _save_state(model, path))
                done = last
                display.keep(last, describe(row))
                if trouble := alarm(history):
                    raise FloatingPointError(f"{trouble} (step {done})")
    except KeyboardInterrupt:
        console.print(f"stopped; {_kept(done)}" + (", go on with --resume" if done else ""))
        raise
    return Outcome(model, history)


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
    earlier = _read_options(directory / OPTIONS)
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
    for change in reversed(_read_options(Path(directory) / OPTIONS).get(CHANGES, [])):
        for name, value in change.items():
            if name in told:
                told[name] = f"{told[name]} ({value} until step {change['until']})"
    return told


def check_writable(directory: str | Path) -> None:
    """See whether a directory can be made and written to.

    Args:
        directory: it need not exist.

    Raises:
        ValueError: if it, or what should hold it, is a file or must not be written to.
    """
    place = Path(directory).absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise ValueError(f"{place} is not a directory; choose another place to write to")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"{place} must not be written to; choose another place to write to")


def write_whole(path: Path, write: Callable[[str], None]) -> None:
    """Write a file beside its place and rename it, so that nobody ever finds half of it.

    Args:
        path: the file.
        write: called with the name to write to, of the same ending.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = "".join(path.suffixes)
    beside = path.with_name(f".{path.name.removesuffix(ending)}{PART}{ending}")
    try:
        write(str(beside))
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all, as UTF-8; what that cannot say becomes a question mark."""
    write_whole(path, lambda beside: Path(beside).write_text(text, "utf-8", "replace"))


def save_generator(model: keras.Model, path: str | Path) -> None:
    """Save a generator without its training, as a `.keras` file that plain Keras loads.

    Args:
        model: the generator.
        path: the file, ending in `.keras`.
    """
    # `input`, not `inputs`: a list would have to be fed a list again.
    bare = keras.Model(model.input, model.output, name=model.name)
    write_whole(Path(path), bare.save)


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
        _load_state(model, path)
    return path.exists()


def read_history(directory: str | Path) -> list[dict]:
    """The rounds of a training: one dict each, as in `Outcome.history`.

    Args:
        directory: the training's.

    Raises:
        ValueError: if the file is damaged.
    """
    return _read_table(Path(directory) / HISTORY)


def machine() -> str:
    """Say in a line what this machine is: processor, cores, versions, and JAX's device if any."""
    import tensorflow

    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].split(":", 1)[1].strip() if names else processor
    backend = f"TensorFlow {tensorflow.__version__}"
    if keras.backend.backend() == "jax":
        import jax

        backend = f"JAX {jax.__version__} on {jax.devices()[0].device_kind}"
    return (
        f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Keras {keras.__version__}, {backend}"
    )


def _begin(model, directory, steps, resume, options, may_change, console):
    """Restore the state if there is one, and give the steps and the rounds done so far."""
    check_directory(directory, resume=resume, options=options, may_change=may_change)
    directory.mkdir(parents=True, exist_ok=True)
    for part in directory.glob(f".*{PART}*"):  # of a write that was killed
        part.unlink()
    model.optimizer.build(model.trainable_variables)
    checkpoint = directory / CHECKPOINT
    if not checkpoint.exists():
        write_text(directory / OPTIONS, json.dumps(options, indent=1))
        return 0, []
    history = read_history(directory)
    _load_state(model, checkpoint)
    done = int(model.optimizer.iterations)
    console.print(
        f"going on after step {done} of {steps}" if done < steps else f"all {steps} steps are done"
    )
    earlier = _read_options(directory / OPTIONS)
    changed = {
        name: earlier[name]
        for name in may_change
        if name in earlier and earlier[name] != options.get(name)
    }
    if changed and done < steps:
        for name in changed:
            console.print(f"the {name.replace('_', ' ')} has changed since the training began")
        record = [*earlier.get(CHANGES, []), {"until": done} | changed]
        write_text(directory / OPTIONS, json.dumps(options | {CHANGES: record}, indent=1))
    return done, [row for row in history if row["step"] <= done]


def _is_finite(model):
    """Whether the last update has left numbers; the loss, computed before it, would not tell."""
    return all(np.isfinite(weights).all() for weights in model.get_weights())


def _kept(step):
    return f"the state after step {step} is kept" if step else "no state is kept yet"


def _save_state(model, path):
    """Save weights and optimizer with a digest, as HDF5 itself would not notice damaged numbers."""
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file.attrs["digest"] = _digest(file)


def _load_state(model, path):
    try:
        with h5py.File(path) as file:
            # A checkpoint from before there were digests has none.
            if file.attrs.get("digest", _digest(file)) != _digest(file):
                raise ValueError("its numbers have changed since it was written")
        model.load_weights(path)
    except Exception as error:  # h5py and Keras raise whatever a damaged file leads to
        raise ValueError(
            f"the checkpoint {path} is damaged ({reporting.one_line(error)}); "
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


def _read_options(path):
    try:
        return json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); begin again in another directory") from None


class _Watch(keras.callbacks.Callback):
    """Shows each step, and ends the round at the first that is no number."""

    def __init__(self, display, step, describe):
        super().__init__()
        self.display, self.step, self.describe = display, step, describe

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.display.show(self.step, self.describe(logs))
        if not all(math.isfinite(value) for value in logs.values()):
            self.model.stop_training = True


def _write_table(rows, path):
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
