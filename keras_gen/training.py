"""What every training shares: rounds, checkpoints, going on after a stop, previews and cards.

A training is a number of steps, done in rounds. After each round the whole state (weights and
optimizer) is written to one file, beside the old one, which it then replaces. As batch number n
depends on the seed and on n alone, a training that was killed goes on to the same weights.
"""

import csv
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

CHECKPOINT = "checkpoint.weights.h5"
HISTORY = "history.csv"
OPTIONS = "options.json"
PREVIEW = "preview.png"


@dataclass
class Outcome:
    """How a training went.

    Attributes:
        model: the trained model.
        history: one dict a round: `step`, `loss`, `psnr`, `minutes`, `cpu_minutes`, and what the
            preview measured.
    """

    model: keras.Model
    history: list[dict] = field(default_factory=list)


def psnr(truth, image):
    """Peak signal-to-noise ratio in decibels of each image of a batch in 0 … 1."""
    error = ops.mean(ops.square(truth - image), axis=(1, 2, 3))
    return -10 * ops.log(ops.maximum(error, 1e-10)) / ops.log(10.0)


def compile_for_images(model: keras.Model, *, steps: int, learning_rate: float = 1e-3) -> None:
    """Compile a generator: mean absolute error, Adam, a rate that rises briefly and then falls.

    Args:
        model: the generator, images in 0 … 1 out.
        steps: steps of the whole training; the rate reaches zero at the last.
        learning_rate: the highest rate, reached after a twentieth of the steps (at most 200).
    """
    warm_up = min(200, max(1, steps // 20))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=learning_rate, warmup_steps=warm_up
    )
    model.compile(
        keras.optimizers.Adam(rate, beta_2=0.99), loss="mean_absolute_error", metrics=[psnr]
    )


def train(
    model: keras.Model,
    batches: Callable,
    *,
    directory: str | Path,
    steps: int,
    every: int = 200,
    preview: Callable | None = None,
    resume: bool = False,
    options: dict | None = None,
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
        preview: `preview(model)` gives a picture (uint8, `(height, width, 3)`) and a dict of
            numbers for the history.
        resume: go on from the checkpoint in `directory`, if there is one.
        options: what the training was asked for; going on with other options is an error.
        console: where progress is shown.

    Returns:
        The `Outcome`.

    Raises:
        ValueError: if the directory holds a training and `resume` is not set, or one with other
            options.
        FloatingPointError: if the loss stops being a number; the last good checkpoint stays.

    Example:
        compile_for_images(model, steps=1000)
        train(model, lambda first, last: pairs(…, first_step=first, steps=last),
              directory="runs/first", steps=1000)
    """
    directory = Path(directory)
    console = console or Console()
    done, history = _begin(model, directory, steps, resume, options or {}, console)
    before = history[-1] if history else {"minutes": 0.0, "cpu_minutes": 0.0}
    start, cpu_start = time.monotonic(), time.process_time()
    with _progress(console) as bar:
        shown = bar.add_task("training", total=steps, completed=done, measured="")
        for first in range(done, steps, every):
            last = min(first + every, steps)
            tick = keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda _, logs: bar.update(
                    shown, advance=1, measured=_measured(logs)
                )
            )
            fitted = model.fit(batches(first, last), verbose=0, shuffle=False, callbacks=[tick])
            row = {"step": last} | {name: float(v[-1]) for name, v in fitted.history.items()}
            if not np.isfinite(row["loss"]):
                raise FloatingPointError(
                    f"the loss is {row['loss']} after step {last}; the state of step {first} is "
                    f"kept in {directory}; try a lower learning rate"
                )
            row["minutes"] = before["minutes"] + (time.monotonic() - start) / 60
            row["cpu_minutes"] = before["cpu_minutes"] + (time.process_time() - cpu_start) / 60
            if preview is not None:
                picture, numbers = preview(model)
                row |= numbers
                write_whole(directory / PREVIEW, Image.fromarray(picture).save)
            history.append(row)
            write_whole(directory / HISTORY, lambda path: _write_table(history, path))
            write_whole(directory / CHECKPOINT, model.save_weights)
            if not console.is_terminal:
                console.print(f"step {last} of {steps}: {_measured(row)}")
    return Outcome(model, history)


def write_whole(path: Path, write: Callable[[str], None]) -> None:
    """Write a file beside its place and rename it, so that nobody ever finds half of it.

    Args:
        path: the file.
        write: called with the name to write to, of the same ending.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = "".join(path.suffixes)
    beside = path.with_name(f".{path.name.removesuffix(ending)}.part{ending}")
    try:
        write(str(beside))
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def save_generator(model: keras.Model, path: str | Path) -> None:
    """Save a generator without its training, as a `.keras` file that plain Keras loads.

    Args:
        model: the generator.
        path: the file, ending in `.keras`.
    """
    bare = keras.Model(model.inputs, model.outputs, name=model.name)
    write_whole(Path(path), bare.save)


def machine() -> str:
    """Say in a line what this machine is: processor, cores, versions."""
    import tensorflow

    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].split(":", 1)[1].strip() if names else processor
    return (
        f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}"
    )


def _begin(model, directory, steps, resume, options, console):
    """Check the directory, restore the state if there is one, and give the rounds done so far."""
    checkpoint, written = directory / CHECKPOINT, directory / OPTIONS
    directory.mkdir(parents=True, exist_ok=True)
    model.optimizer.build(model.trainable_variables)
    if not checkpoint.exists():
        write_whole(written, lambda path: Path(path).write_text(json.dumps(options, indent=1)))
        return 0, []
    if not resume:
        raise ValueError(
            f"{directory} already holds a training; add --resume to go on with it, "
            "or choose another directory"
        )
    earlier = json.loads(written.read_text()) if written.exists() else options
    changed = [name for name in {**earlier, **options} if earlier.get(name) != options.get(name)]
    if changed:
        name = changed[0]
        raise ValueError(
            f"the training in {directory} was started with {name}={earlier.get(name)!r}, not "
            f"{options.get(name)!r}; resume it with the same options, or choose another directory"
        )
    model.load_weights(checkpoint)
    done = int(model.optimizer.iterations)
    console.print(f"going on after step {done} of {steps}")
    return done, [row for row in _read_table(directory / HISTORY) if row["step"] <= done]


def _progress(console):
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[measured]}"),
        TimeRemainingColumn(),
        console=console,
    )


def _measured(numbers):
    parts = [f"loss {numbers['loss']:.4f}"]
    if "psnr" in numbers:
        parts.append(f"PSNR {numbers['psnr']:.2f} dB")
    if "gain" in numbers:
        parts.append(f"held out {numbers['gain']:+.2f} dB over bicubic")
    return ", ".join(parts)


def _write_table(rows, path):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, names, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def _read_table(path):
    if not path.exists():
        return []
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {
            name: int(value) if name == "step" else float(value)
            for name, value in row.items()
            if value
        }
        for row in rows
    ]
