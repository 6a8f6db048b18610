"""The command line: `python -m keras_gen …`, installed as `keras-gen` too.

Nothing above a command's own body imports Keras, so that help and size arithmetic answer at once.
"""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Neural networks that produce images of exactly the size you ask for.",
)
train_app = typer.Typer(no_args_is_help=True, help="Train a generator.")
app.add_typer(train_app, name="train")

Out = Annotated[Path, typer.Option(help="Directory for checkpoints, previews and the result.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the training in --out.")]


@train_app.command("simple")
def train_simple(
    out: Out,
    data: Annotated[str, typer.Option(help="photos, or a folder of images.")] = "photos",
    size: Annotated[str | None, typer.Option(help="Output size, 400 or 300x500.")] = None,
    source: Annotated[str, typer.Option("--from", help="Input size, with --size.")] = "64",
    scale: Annotated[int | None, typer.Option(help="Enlarge any image by this factor.")] = None,
    upsampling: Annotated[str, typer.Option(help="Upsampling method.")] = "transposed",
    activation: Annotated[str, typer.Option(help="Activation function.")] = "leaky_relu",
    residual: Annotated[bool, typer.Option(help="Residual blocks.")] = True,
    filters: Annotated[int, typer.Option(min=1, help="Channels at the input's size.")] = 48,
    blocks: Annotated[int, typer.Option(min=0, help="Residual blocks.")] = 8,
    steps: Annotated[int, typer.Option(min=1, help="Training steps.")] = 1000,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Pairs a step.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")] = 200,
    learning_rate: Annotated[float, typer.Option(min=0, help="Highest learning rate.")] = 1e-3,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resume: Resume = False,
) -> None:
    """Train the simple generator: a small image in, a large sharp one out."""
    from keras_gen import jobs
    from keras_gen.sizes import parse_size

    jobs.train_simple(
        directory=out,
        data=data,
        source=parse_size(source),
        size=parse_size(size) if size else None,
        scale=scale,
        upsampling=upsampling,
        activation=activation,
        residual=residual,
        filters=filters,
        blocks=blocks,
        steps=steps,
        batch_size=batch_size,
        every=every,
        learning_rate=learning_rate,
        seed=seed,
        resume=resume,
        command=shlex.join(["python", "-m", "keras_gen", *sys.argv[1:]]),
    )


def main() -> None:
    """Run the command line; what a user can get wrong is one line, without a traceback."""
    try:
        app()
    except (ValueError, FileNotFoundError, FloatingPointError) as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped; what is finished is kept")
        sys.exit(130)


if __name__ == "__main__":
    main()
