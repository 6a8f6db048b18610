"""The loop that every training shares: rounds, checkpoints, resuming, previews.

A training is a number of steps, done in rounds. After each round the whole state (weights and
optimizers) is written to one file beside the old one, which it then replaces. Batch number n
depends only on the seed and on n, so a training that was killed resumes to the same weights.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from rich.console import Console

from keras_gen._util import progress
from keras_gen._util.files import PART, atomic_write
from keras_gen.training import checkpoints
from keras_gen.training.checkpoints import BEST, CHECKPOINT

PREVIEW = "preview.png"


def describe_losses(numbers: dict) -> str:
    """Describe the state of a supervised training in a few words.

    Args:
        numbers: `loss` of a step or round, and `psnr` and `gain` if they are known.
    """
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
) -> list[dict]:
    """Train a compiled model in rounds that can be stopped at any moment.

    Args:
        model: compiled Keras model.
        batches: `batches(first_step=first, steps=last)` returns the `tf.data.Dataset` of the
            batches numbered first … last − 1.
        directory: where checkpoint, history, options and preview are written.
        steps: steps of the whole training.
        every: steps of a round; each round ends with a checkpoint and a preview.
        preview: `preview(model)` returns a picture (uint8, `(height, width, 3)`, or None) and a
            dict of numbers for the history.
        describe: describes the numbers of a step or of a round in a few words.
        best: one of the preview's numbers; the state in which it is lowest is kept, too.
        alarm: called with the history after each round; returns what has gone wrong, or None.
        resume: continue from the checkpoint in `directory`, if there is one.
        options: options of the training, by name; to resume with other options is an error.
        may_change: names of options that may differ when a training resumes.
        console: where progress is shown.

    Returns:
        The history: one dict a round with `step`, the logs of `fit` (`loss`, `psnr`, …), `minutes`,
        `cpu_minutes`, and the preview's numbers.

    Raises:
        ValueError: if the directory holds a training and `resume` is not set, or a training with
            other options, or a damaged one.
        FloatingPointError: if the training diverges (NaN or infinity), or `alarm` returns a text;
            the last good checkpoint stays.

    Example:
        compile_for_images(model, steps=1000)
        batches = functools.partial(kg.data.pairs, kg.data.photographs(), 24, 96)
        train(model, batches, directory="runs/first", steps=1000)
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
                dataset = batches(first_step=first, steps=last)
                row = {"step": last} | _fit(model, dataset, first, display, describe)
                _check_finite(model, row, done)
                row["minutes"] = before["minutes"] + (time.monotonic() - start) / 60
                row["cpu_minutes"] = before["cpu_minutes"] + (time.process_time() - cpu_start) / 60
                if preview is not None:
                    display.show(last, "making the preview")
                    picture, numbers = preview(model)
                    row |= numbers
                    if picture is not None:
                        atomic_write(directory / PREVIEW, Image.fromarray(picture).save)
                # Before the checkpoint: if only this is written, the same round is done again.
                if best is not None and all(row[best] < earlier[best] for earlier in history):
                    checkpoints.save_state(model, directory / BEST)
                history.append(row)
                checkpoints.write_history(history, directory)
                checkpoints.save_state(model, directory / CHECKPOINT)
                done = last
                display.keep(last, describe(row))
                if trouble := alarm(history):
                    raise FloatingPointError(f"{trouble} (step {done})")
    except KeyboardInterrupt:
        console.print(f"stopped; {_kept(done)}" + (", continue with --resume" if done else ""))
        raise
    return history


def _begin(model, directory, steps, resume, options, may_change, console):
    """Restore the state if there is one; return the number of steps done and their history."""
    checkpoints.check_directory(directory, resume=resume, options=options, may_change=may_change)
    directory.mkdir(parents=True, exist_ok=True)
    for part in directory.glob(f".*{PART}*"):  # left by a process killed while writing
        part.unlink()
    model.optimizer.build(model.trainable_variables)
    checkpoint = directory / CHECKPOINT
    if not checkpoint.exists():
        checkpoints.write_options(directory, options)
        return 0, []
    history = checkpoints.read_history(directory)
    checkpoints.load_state(model, checkpoint)
    done = int(model.optimizer.iterations)
    if done >= steps:
        console.print(f"all {steps} steps are done")
    else:
        console.print(f"resuming after step {done} of {steps}")
        for name in checkpoints.update_options(directory, options, may_change, done):
            console.print(f"the {name.replace('_', ' ')} has changed since the training began")
    return done, [row for row in history if row["step"] <= done]


def _fit(model, dataset, first, display, describe):
    """Train for a round, or up to the first step whose numbers are not finite; return its logs."""

    def show(batch, logs):
        step = first + batch + 1
        display.show(step, describe(logs))
        if not all(map(math.isfinite, logs.values())):
            model.stop_training = True

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=show)
    logs = model.fit(dataset, verbose=0, shuffle=False, callbacks=[callback]).history
    return {name: float(values[-1]) for name, values in logs.items()}


def _check_finite(model, row, done):
    """Refuse a state that has diverged. The last loss, computed before its update, may be finite
    although the weights are not."""
    wrong = [name for name, value in row.items() if not math.isfinite(value)]
    if wrong:
        what = f"{wrong[0].replace('_', ' ')} {row[wrong[0]]}"
    elif not all(np.isfinite(weights).all() for weights in model.get_weights()):
        what = "weights nan"
    else:
        return
    raise FloatingPointError(
        f"the training diverged at step {int(model.optimizer.iterations)} ({what}), and "
        f"{_kept(done)}; start again in another directory, with a lower learning rate"
    )


def _kept(step):
    return f"the state after step {step} is kept" if step else "no state is kept yet"
