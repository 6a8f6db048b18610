"""TODO: say what this module holds."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
from rich.console import Console

from keras_gen._util import files, keras_files, progress
from keras_gen.training import loop
from keras_gen.training.cards import card_head


def run(
    model: keras.Model,
    batches: Callable,
    preview: Callable,
    *,
    directory: Path,
    name: str,
    report: Callable[[keras.Model], list[str]],
    finished: Callable[[keras.Model], keras.Model] = lambda model: model,
    learned_from: Sequence[str],
    steps: int,
    every: int,
    resume: bool,
    options: dict,
    command: str,
    console: Console,
) -> Path:
    """Train a compiled model, and leave a `.keras` file and its card: what all trainings end with.

    Args:
        model, batches, preview, directory, steps, every, resume, options, console: as in
            `loop.train`.
        name: name of the file and of the card.
        report: gives the card's lines on what the finished generator can do.
        finished: turns the trained model into the one to save: for another size, for instance.
        learned_from: names of the pictures trained on.
        command: the command line, for the card.

    Returns:
        The path of the `.keras` file.
    """
    outcome = loop.train(
        model,
        batches,
        directory=directory,
        steps=steps,
        every=every,
        preview=preview,
        resume=resume,
        options=options,
        may_change=("picture_digest",),
        console=console,
    )
    with progress.activity(console, "judging the result and writing it"):
        path = directory / f"{name}.keras"
        model = finished(model)
        keras_files.save_generator(model, path)
        history = outcome.history
        lines = card_head(name, model, options, history, learned_from, command)
        lines += [f"| last loss | {history[-1]['loss'] if history else math.nan:.4f} |", ""]
        lines += report(model)
        files.atomic_write_text(path.with_name(f"{name}.md"), "\n".join(lines))
    console.print(f"wrote {path} and its card", soft_wrap=True)
    return path
