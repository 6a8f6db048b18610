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
from keras_gen.cli.options import option
from keras_gen.training import options as trainings

Out = Annotated[Path, option("Directory for checkpoints, previews and the result.", metavar="DIR")]
Resume = Annotated[bool, option("Continue the training in --out.", "--resume", panel="Training")]


def add_commands(app: typer.Typer) -> None:
    """Add `train simple`, `train unet`, `train gan` and `train pix2pix` to an application."""
    for name, options in (
        ("simple", trainings.SimpleOptions),
        ("unet", trainings.UnetOptions),
        ("gan", trainings.GanOptions),
        ("pix2pix", trainings.Pix2pixOptions),
    ):
        app.command(name)(_command(name, options))


def _command(name, options):
    """A function whose parameters are the fields of `options`, as Typer wants to see them."""

    def command(out, resume, **given):
        for one in fields(options):
            read = one.metadata["option"].read
            if read is not None and given[one.name] is not None:
                given[one.name] = read(given[one.name])
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
    declared, default, kind = one.metadata["option"], one.default, one.type
    if declared.read is not None:
        kind = str if default is not None else str | None
        default = default if default in (None, MISSING) else str(declared.show(default))
    flags = [declared.flag] if declared.flag else []
    settings = {"panel": declared.panel, "min": declared.min, "max": declared.max}
    if kind is not bool:
        settings["metavar"] = declared.metavar
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[kind, option(declared.help, *flags, **settings)],
        default=inspect.Parameter.empty if default is MISSING else default,
    )
