"""The commands `train …`: each made from the dataclass that declares the training's options."""

import importlib
import inspect
import shlex
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated

import typer

from keras_gen._util import progress
from keras_gen._util.quiet import quiet_tensorflow
from keras_gen.training import options as declared

Out = Annotated[
    Path,
    typer.Option(help="Directory for checkpoints, previews and the result.", metavar="DIR"),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Continue the training in --out.", rich_help_panel="Training"),
]


def add_commands(app: typer.Typer) -> None:
    """Add `train simple`, `train unet`, `train gan` and `train pix2pix` to an application."""
    for name, options in (
        ("simple", declared.SimpleOptions),
        ("unet", declared.UnetOptions),
        ("gan", declared.GanOptions),
        ("pix2pix", declared.Pix2pixOptions),
    ):
        app.command(name)(_command(name, options))


def _command(name, options):
    """A function whose parameters are the fields of `options`, as Typer wants to see them."""

    def command(out, resume, **given):
        read = {
            one.name: one.metadata["option"].read
            for one in fields(options)
            if one.metadata["option"].read is not None
        }
        for key, value in given.items():
            if key in read and value is not None:
                given[key] = read[key](value)
        chosen = options(**given)
        console = progress.new_console()
        with progress.activity(console, "importing Keras"):
            quiet_tensorflow()
            module = importlib.import_module(f"keras_gen.training.{name}")
        # The command goes on the card, where it is the one that starts the training.
        arguments = [argument for argument in sys.argv[1:] if argument != "--resume"]
        train = getattr(module, f"train_{name}")
        train(
            chosen,
            directory=out,
            resume=resume,
            command=shlex.join(["python", "-m", "keras_gen", *arguments]),
            console=console,
        )

    parameters = [
        inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, annotation=Out),
        *map(_parameter, fields(options)),
        inspect.Parameter(
            "resume", inspect.Parameter.KEYWORD_ONLY, annotation=Resume, default=False
        ),
    ]
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    command.__doc__ = inspect.getdoc(options)
    return command


def _parameter(one):
    """A field as a parameter of a command: text where the option reads its value from text."""
    option, default, kind = one.metadata["option"], one.default, one.type
    if option.read is not None:
        kind = str if default is not None else str | None
        default = default if default in (None, MISSING) else str(option.show(default))
    flags = [option.flag] if option.flag else []
    settings = {} if kind is bool else {"metavar": option.metavar}
    annotation = Annotated[
        kind,
        typer.Option(
            *flags,
            help=option.help,
            rich_help_panel=option.panel,
            min=option.min,
            max=option.max,
            **settings,
        ),
    ]
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=annotation,
        default=inspect.Parameter.empty if default is MISSING else default,
    )
