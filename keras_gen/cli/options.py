"""What the commands have in common: options, sizes, and how a training is started."""

import importlib
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_gen._util import progress
from keras_gen._util.quiet import quiet_tensorflow

LARGEST = 2**16


def option(help_text: str, *names: str, panel: str = "Options", **settings):
    """An option whose value is called by what it is, not by its Python type."""
    return typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)


def size_of(text: str) -> tuple[int, int]:
    """A size as it is written; to plan for millions of pixels would take minutes."""
    from keras_gen._util.arguments import parse_size

    size = parse_size(text)
    if max(size) > LARGEST:
        raise ValueError(f"a side of {max(size)} pixels is too large; give at most {LARGEST}")
    return size


# What every training is asked.
Out = Annotated[Path, option("Directory for checkpoints, previews and the result.", metavar="DIR")]
Seed = Annotated[
    int, option("Seed of everything random.", min=0, max=2**31 - 1, metavar="N", panel="Training")
]
Resume = Annotated[bool, option("Continue the training in --out.", "--resume", panel="Training")]
Memory = Annotated[
    float,
    option("GiB of a folder's pixels to keep.", min=0.01, metavar="GIB", panel="Training"),
]
Upsampling = Annotated[str, option("Upsampling method.", metavar="NAME", panel="Network")]


def train(module: str, function: str, *, sizes: dict[str, str | None], **settings) -> None:
    """Read the sizes, import Keras, which takes seconds, and run one of a module's trainings.

    The command line itself goes on the card.
    """
    settings |= {name: None if text is None else size_of(text) for name, text in sizes.items()}
    console = progress.new_console()
    with progress.activity(console, "importing Keras"):
        quiet_tensorflow()
        job = getattr(importlib.import_module(f"keras_gen.training.{module}"), function)
    arguments = [argument for argument in sys.argv[1:] if argument != "--resume"]
    command = shlex.join(["python", "-m", "keras_gen", *arguments])
    job(command=command, console=console, **settings)
