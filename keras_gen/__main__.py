"""The command line: `python -m keras_gen …`, installed as `keras-gen` too.

Nothing above a command's own body imports Keras, so that help and size arithmetic answer at once.
"""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

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


@app.command()
def check() -> None:
    """Say whether this machine is ready for the course."""
    from keras_gen.checking import findings

    console = Console()
    with console.status("looking around"):
        found = findings()
    table = Table(box=None, show_header=False)
    for finding in found:
        mark = "[green]ok[/]" if finding.fine else "[red]no[/]"
        advice = "" if finding.fine else f"→ {finding.advice}"
        table.add_row(mark, finding.question, escape(finding.found), escape(advice))
    console.print(table)
    if not all(finding.fine for finding in found):
        raise typer.Exit(1)
    console.print("ready: jupyter lab notebooks/00_start_here.ipynb")


@app.command()
def tour(
    out: Annotated[Path, typer.Option(help="Directory for the picture and the table.")] = Path(
        "tour"
    ),
) -> None:
    """Draw 400×400 with each stored generator; write the picture and the table."""
    from keras_gen import tour as places

    console = Console()
    with console.status("importing Keras") as status:
        stops = places.stops(lambda name: status.update(f"drawing with {name}"))
        picture, written = places.write(stops, out)
    rows = [stop.row() for stop in stops]
    _print_table(console, list(rows[0]), [list(row.values()) for row in rows])
    console.print(f"wrote {picture} and {written}", markup=False, highlight=False)


@app.command()
def sizes(
    target: Annotated[str, typer.Argument(help="The size you want: 400, or 300x500.")] = "400",
    source: Annotated[str, typer.Option("--from", help="The size you start from.")] = "64",
    allow_resize: Annotated[bool, typer.Option(help="Also routes that resize.")] = False,
    allow_crop: Annotated[bool, typer.Option(help="Also routes that crop.")] = False,
    max_stages: Annotated[int, typer.Option(min=1, help="Most stages.")] = 6,
    max_stride: Annotated[int, typer.Option(min=1, help="Largest stride.")] = 8,
    max_kernel: Annotated[int, typer.Option(min=1, help="Largest kernel.")] = 16,
    count: Annotated[int, typer.Option(min=1, help="Most routes to show.")] = 8,
) -> None:
    """Plan the layers that lead from one size to another, best first."""
    from keras_gen import sizes as arithmetic

    found = arithmetic.routes(
        arithmetic.parse_size(target),
        source=arithmetic.parse_size(source),
        allow_resize=allow_resize,
        allow_crop=allow_crop,
        max_stages=max_stages,
        max_stride=max_stride,
        max_kernel=max_kernel,
        count=count,
    )
    header, *rows = arithmetic.route_rows(found)
    console = Console()
    _print_table(console, header[:-1], [row[:-1] for row in rows])
    for row in rows:
        console.print(f"{row[0]}. {row[-1]}", markup=False, highlight=False)


@app.command()
def generate(
    weights: Annotated[str, typer.Argument(help="Stored weights by name, or a .keras file.")],
    images: Annotated[Path, typer.Option("--input", help="A picture, or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Directory for the results.")],
) -> None:
    """Enlarge pictures with a trained generator."""
    from keras_gen import datasets, generating
    from keras_gen import weights as stored

    console = Console()
    files = datasets.image_files(images)
    with console.status("loading the generator"):
        model = stored.load(weights)
    written, skipped = generating.enlarge_files(
        model, track(files, "enlarging", console=console, transient=True), out
    )
    for file, reason in skipped:
        console.print(f"skipped {file}: {reason}", markup=False, highlight=False)
    if not written:
        raise ValueError(f"none of the {len(files)} pictures in {images} can be read")
    console.print(f"wrote {len(written)} of {len(files)} pictures to {out}", highlight=False)


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


def _print_table(console, header, rows):
    table = Table(box=SIMPLE)
    for name in header:
        table.add_column(name)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def main() -> None:
    """Run the command line; what a user can get wrong is one line, without a traceback."""
    try:
        app()
    except (ValueError, FileNotFoundError, FloatingPointError) as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped; what is finished is kept")
        sys.exit(130)


if __name__ == "__main__":
    main()
