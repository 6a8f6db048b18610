"""The command line: `python -m keras_gen …`, installed as `keras-gen` too.

Nothing above a command's own body imports Keras, so that help and size arithmetic answer at once.
"""

import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from keras_gen._util import progress
from keras_gen._util.files import atomic_write
from keras_gen._util.quiet import quiet_tensorflow
from keras_gen.cli import comparing, generating, training
from keras_gen.cli.options import option
from keras_gen.training.options import read_size

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Neural networks that produce images of exactly the size you ask for.",
    epilog="Begin with: keras-gen check, then keras-gen tour.",
)
train_app = typer.Typer(no_args_is_help=True, help="Train a generator.")
app.add_typer(train_app, name="train")


@app.command()
def check() -> None:
    """Say whether this machine is ready for the course."""
    from keras_gen.cli.checking import findings

    console = progress.new_console()
    with progress.activity(console, "importing Keras and running a stored generator"):
        found = findings()
    table = Table(box=None, show_header=False)
    for finding in found:
        mark = Text("ok", "green") if finding.fine else Text("no", "red")
        advice = "" if finding.fine else f"→ {finding.advice}"
        table.add_row(mark, finding.question, finding.found, advice)
    console.print(table)
    if not all(finding.fine for finding in found):
        wrong = ", ".join(finding.question for finding in found if not finding.fine)
        raise ValueError(f"not ready yet: {wrong}")
    console.print("ready: jupyter lab notebooks/00_start_here.ipynb")


@app.command()
def tour(
    out: Annotated[Path, option("Directory for the picture and the table.", metavar="DIR")] = Path(
        "tour"
    ),
) -> None:
    """Run each kind of stored generator at 400×400; write a picture and a table."""
    console = progress.new_console()
    with progress.activity(console, "importing Keras") as update:
        quiet_tensorflow()
        from keras_gen._util.files import check_writable, expanded
        from keras_gen.cli import tour as tour_pictures

        out = expanded(out)
        check_writable(out)
        stops = tour_pictures.stops(update)
        update("plotting the picture")
        picture, written = tour_pictures.write(stops, out)
    rows = [stop.row() for stop in stops]
    _print_table(console, list(rows[0]), [list(row.values()) for row in rows])
    console.print(f"wrote {picture} and {written}", soft_wrap=True)


@app.command()
def sizes(
    target: Annotated[
        str, typer.Argument(help="The size you want: 400, or height and width like 300x500.")
    ] = "400",
    source: Annotated[str, option("The size you start from.", "--from", metavar="SIZE")] = "64",
    allow_resize: Annotated[
        bool, option("Also offer routes with a fixed resizing.", "--allow-resize")
    ] = False,
    allow_crop: Annotated[
        bool, option("Also offer routes that generate more and crop it.", "--allow-crop")
    ] = False,
    max_stages: Annotated[int, option("Most stages.", min=1, metavar="N")] = 6,
    max_stride: Annotated[int, option("Largest stride.", min=1, metavar="N")] = 8,
    max_kernel: Annotated[int, option("Largest kernel.", min=1, metavar="N")] = 16,
    count: Annotated[int, option("Most routes to show.", min=1, metavar="N")] = 8,
) -> None:
    """Plan the layers that lead from one size to another, best first."""
    from keras_gen.sizes import planner

    found = planner.routes(
        read_size(target),
        source=read_size(source),
        allow_resize=allow_resize,
        allow_crop=allow_crop,
        max_stages=max_stages,
        max_stride=max_stride,
        max_kernel=max_kernel,
        count=count,
    )
    header, *rows = planner.route_rows(found)
    console = progress.new_console()
    _print_table(console, header[:-1], [row[:-1] for row in rows])
    for row in rows:
        console.print(f"{row[0]}. {row[-1]}")


@app.command()
def inspect(
    model: Annotated[str, typer.Argument(help="A .keras file, or a stored generator by its name.")],
    size: Annotated[
        str | None, option("Input size, where the model leaves it open.", metavar="SIZE")
    ] = None,
    gates: Annotated[
        bool,
        option("Count squeeze-and-excite gates, which see the whole image, or leave them out."),
    ] = True,
    plot: Annotated[
        Path | None,
        option("Plot the layers' receptive fields into this picture file.", metavar="FILE"),
    ] = None,
    on: Annotated[
        Path | None, option("Plot them on this photograph, with --plot.", metavar="IMAGE")
    ] = None,
) -> None:
    """Show size, receptive field, stride, parameters and cost, layer by layer."""
    side = None if size is None else read_size(size)
    if on is not None and plot is None:
        raise ValueError("--on says what to plot on; say where to write it with --plot FILE")
    if plot is not None and not plot.suffix:
        plot = plot.with_suffix(".png")
    console = progress.new_console()
    with progress.activity(console, "importing Keras") as update:
        quiet_tensorflow()
        from keras_gen.analysis import inspection
        from keras_gen.data import image_files
        from keras_gen.inference import stored

        update("loading the model")
        loaded = stored.load_generator(model)
        options = {"gates": gates}
        if side is None and None in loaded.input_shape[1:]:
            raise ValueError(f"{model} takes any size; say which one to inspect: --size 400")
        if side is not None:
            options["input_shape"] = (*side, loaded.input_shape[-1])
        update("computing the receptive fields")
        rows = inspection.inspect_rows(loaded, **options)
        summary = inspection.inspect_summary(loaded, **options)
        if plot is not None:
            update("plotting")
            image = None if on is None else image_files.read_image(on)
            axes = inspection.plot_fields(loaded, image=image, **options)
            atomic_write(plot, axes.figure.savefig)
    console.print(str(rows), soft_wrap=True)
    console.print(summary, soft_wrap=True)
    if plot is not None:
        console.print(f"wrote {plot}", soft_wrap=True)


app.command(cls=comparing.ManyValues)(comparing.compare)
app.command()(generating.generate)
training.add_commands(train_app)


def _print_table(console, header, rows):
    table = Table(box=SIMPLE)
    for name in header:
        table.add_column(name)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def main() -> None:
    """Run the command line. A mistake of the user is one line, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # there may be none
            stream.reconfigure(errors="replace")  # for names that this terminal cannot show
    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        code, text = _explained(error)
        if text:
            console = progress.new_console(stderr=True)
            console.print(f"error: {progress.one_line(text)}", style="red", soft_wrap=True)
    if code:
        gc.collect()  # ends a stopped training's threads that make batches, before Python ends
    sys.exit(code if isinstance(code, int) else 0)


def _explained(error):
    """Exit code and message for a user's mistake; anything else is a fault of ours."""
    if hasattr(error, "format_message"):  # what Typer says of options
        text = error.format_message()  # empty where the help was shown instead
        return error.exit_code, f"{text} (--help shows what is possible)" if text else ""
    if isinstance(error, OSError) and error.strerror:
        return 2, ": ".join(str(part) for part in (error.filename, error.strerror) if part)
    if isinstance(error, (ValueError, OSError, FloatingPointError)):
        return 2, str(error)
    from_tensorflow = type(error).__module__.startswith("tensorflow")
    if isinstance(error, MemoryError) or (from_tensorflow and "allocat" in str(error)):
        return 2, "there is not enough memory; use smaller images, fewer filters or a smaller batch"
    raise error
