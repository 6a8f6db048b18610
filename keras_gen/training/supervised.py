"""Trainings on pairs: the loss and optimizer, and what such a training leaves behind."""

import math
from collections.abc import Callable
from pathlib import Path

import keras
from keras import ops

from keras_gen._util import progress
from keras_gen._util.arguments import check_choice
from keras_gen._util.files import atomic_write_text
from keras_gen._util.keras_files import save_generator
from keras_gen.training import loop
from keras_gen.training.cards import card_head
from keras_gen.training.options import TrainingOptions
from keras_gen.training.runs import Run
from keras_gen.training.schedules import cosine_decay
from keras_gen.training.tasks import Task

LOSSES = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")


def psnr(reference, image):
    """Peak signal-to-noise ratio in decibels of each image of a batch in 0 … 1."""
    error = ops.mean(ops.square(reference - image), axis=(1, 2, 3))
    return -10 * ops.log(ops.maximum(error, 1e-10)) / ops.log(10.0)


def compile_for_images(
    model: keras.Model, *, steps: int, learning_rate: float = 1e-3, loss: str = "mean_squared_error"
) -> None:
    """Compile a generator with Adam and a rate that rises briefly and then falls.

    A generator that corrects a bicubic upscaling has little to do in flat areas and much at edges.
    The squared error weights edges more. The absolute error weights every pixel alike, and such a
    generator hardly starts to learn with it.

    Args:
        model: generator of images in 0 … 1.
        steps: steps of the whole training; the rate reaches zero at the last.
        learning_rate: the highest rate, as in `cosine_decay`.
        loss: one of `LOSSES`, named as in Keras.

    Raises:
        ValueError: for another loss, or a learning rate that is not above 0.

    Example:
        >>> model = kg.simple_generator((None, None, 3), scale=2, filters=4, blocks=0)
        >>> compile_for_images(model, steps=1000)
    """
    check_choice("loss", loss, LOSSES)
    rate = cosine_decay(learning_rate, steps)
    model.compile(keras.optimizers.Adam(rate, beta_2=0.99), loss=loss, metrics=[psnr])


def train_on_pairs(
    model: keras.Model,
    task: Task,
    run: Run,
    *,
    name: str,
    finish: Callable[[keras.Model], keras.Model],
    options: TrainingOptions,
    recorded: dict,
) -> Path:
    """Train a compiled generator on pairs, and leave it as a `.keras` file with a card.

    Args:
        model: the compiled generator, of the training pairs' size.
        task: the pairs, and the evaluation.
        run: where and how.
        name: name of the file and of the card.
        finish: turns the trained model into the one to evaluate and to save: of the whole size.
        options: of the training.
        recorded: what `options.json` and the card hold of them.

    Returns:
        The path of the `.keras` file.
    """
    history = loop.train(
        model,
        task.batches,
        directory=run.directory,
        steps=options.steps,
        every=options.every,
        preview=lambda model: task.preview(finish(model)),
        resume=run.resume,
        options=recorded,
        may_change=("picture_digest",),
        console=run.console,
    )
    with progress.activity(run.console, "evaluating the result and writing it"):
        path = run.directory / f"{name}.keras"
        generator = finish(model)
        save_generator(generator, path)
        rows = recorded | {"last loss": f"{history[-1]['loss'] if history else math.nan:.4f}"}
        head = card_head(name, generator, rows, history, task.trained_on, run.command)
        atomic_write_text(path.with_suffix(".md"), "\n".join([*head, *task.report(generator)]))
    run.console.print(f"wrote {path} and its card", soft_wrap=True)
    return path
