"""What every training shares: rounds, checkpoints, going on after a stop, previews and cards.

A training is a number of steps, done in rounds. After each round the whole state (weights and
optimizer) is written to one file, beside the old one, which it then replaces. As batch number n
depends on the seed and on n alone, a training that was killed goes on to the same weights.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from rich.console import Console

from keras_gen._util import progress
from keras_gen._util.files import PART, atomic_write, atomic_write_text
from keras_gen.training.checkpoints import (
    BEST,
    CHANGES,
    CHECKPOINT,
    HISTORY,
    OPTIONS,
    check_directory,
    load_state,
    read_history,
    read_options,
    save_state,
    write_history,
)

PREVIEW = "preview.png"


LOSSES = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")


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


def psnr(reference, image):
    """Peak signal-to-noise ratio in decibels of each image of a batch in 0 … 1."""
    error = ops.mean(ops.square(reference - image), axis=(1, 2, 3))
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


def describe_losses(numbers: dict) -> str:
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
    describe: Callable[[dict], str] = describe_losses,
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
    console = console or progress.new_console()
    done, history = _begin(model, directory, steps, resume, options or {}, may_change, console)
    before = history[-1] if history else {"minutes": 0.0, "cpu_minutes": 0.0}
    start, cpu_start = time.monotonic(), time.process_time()
    try:
        with progress.StepDisplay(console, done, steps) as display:
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
                        atomic_write(directory / PREVIEW, Image.fromarray(picture).save)
                # Before the checkpoint: where a kill leaves only this, the same round comes again.
                if best is not None and all(row[best] < earlier[best] for earlier in history):
                    atomic_write(directory / BEST, lambda path: save_state(model, path))
                history.append(row)
                atomic_write(directory / HISTORY, lambda path: write_history(history, path))
                atomic_write(directory / CHECKPOINT, lambda path: save_state(model, path))
                done = last
                display.keep(last, describe(row))
                if trouble := alarm(history):
                    raise FloatingPointError(f"{trouble} (step {done})")
    except KeyboardInterrupt:
        console.print(f"stopped; {_kept(done)}" + (", go on with --resume" if done else ""))
        raise
    return Outcome(model, history)


def _begin(model, directory, steps, resume, options, may_change, console):
    """Restore the state if there is one, and give the steps and the rounds done so far."""
    check_directory(directory, resume=resume, options=options, may_change=may_change)
    directory.mkdir(parents=True, exist_ok=True)
    for part in directory.glob(f".*{PART}*"):  # of a write that was killed
        part.unlink()
    model.optimizer.build(model.trainable_variables)
    checkpoint = directory / CHECKPOINT
    if not checkpoint.exists():
        atomic_write_text(directory / OPTIONS, json.dumps(options, indent=1))
        return 0, []
    history = read_history(directory)
    load_state(model, checkpoint)
    done = int(model.optimizer.iterations)
    console.print(
        f"going on after step {done} of {steps}" if done < steps else f"all {steps} steps are done"
    )
    earlier = read_options(directory / OPTIONS)
    changed = {
        name: earlier[name]
        for name in may_change
        if name in earlier and earlier[name] != options.get(name)
    }
    if changed and done < steps:
        for name in changed:
            console.print(f"the {name.replace('_', ' ')} has changed since the training began")
        record = [*earlier.get(CHANGES, []), {"until": done} | changed]
        atomic_write_text(directory / OPTIONS, json.dumps(options | {CHANGES: record}, indent=1))
    return done, [row for row in history if row["step"] <= done]


def _is_finite(model):
    """Whether the last update has left numbers; the loss, computed before it, would not tell."""
    return all(np.isfinite(weights).all() for weights in model.get_weights())


def _kept(step):
    return f"the state after step {step} is kept" if step else "no state is kept yet"


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
