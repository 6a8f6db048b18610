"""The command line: `python -m keras_gen …`, installed as `keras-gen` too.

Nothing above a command's own body imports Keras, so that help and size arithmetic answer at once.
"""

import contextlib
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from keras_gen import compare_command, gan_commands, reporting
from keras_gen.command_options import option, size_of

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
    from keras_gen.checking import findings

    console = reporting.new_console()
    with reporting.activity(console, "importing Keras, drawing with a stored generator"):
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
    """Draw 400×400 with each stored generator; write the picture and the table."""
    console = reporting.new_console()
    with reporting.activity(console, "importing Keras") as update:
        from keras_gen import tour as places
        from keras_gen.pictures import expanded
        from keras_gen.training import check_writable

        out = expanded(out)
        check_writable(out)
        stops = places.stops(update)
        update("drawing the picture")
        picture, written = places.write(stops, out)
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
        bool, option("Offer routes with a fixed resizing, too.", "--allow-resize")
    ] = False,
    allow_crop: Annotated[
        bool, option("Offer routes that crop what they drew, too.", "--allow-crop")
    ] = False,
    max_stages: Annotated[int, option("Most stages.", min=1, metavar="N")] = 6,
    max_stride: Annotated[int, option("Largest stride.", min=1, metavar="N")] = 8,
    max_kernel: Annotated[int, option("Largest kernel.", min=1, metavar="N")] = 16,
    count: Annotated[int, option("Most routes to show.", min=1, metavar="N")] = 8,
) -> None:
    """Plan the layers that lead from one size to another, best first."""
    from keras_gen import sizes as arithmetic

    found = arithmetic.routes(
        size_of(target),
        source=size_of(source),
        allow_resize=allow_resize,
        allow_crop=allow_crop,
        max_stages=max_stages,
        max_stride=max_stride,
        max_kernel=max_kernel,
        count=count,
    )
    header, *rows = arithmetic.route_rows(found)
    console = reporting.new_console()
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
        bool, option("Count squeeze-and-excite gates, which see everything, or leave them out.")
    ] = True,
    plot: Annotated[
        Path | None, option("Draw the layers' fields into this picture file.", metavar="FILE")
    ] = None,
    on: Annotated[
        Path | None, option("Draw them on this photograph, with --plot.", metavar="IMAGE")
    ] = None,
) -> None:
    """Tell size, receptive field, stride, parameters and cost, layer by layer."""
    side = None if size is None else size_of(size)
    if on is not None and plot is None:
        raise ValueError("--on says what to draw on; say where to with --plot FILE")
    if plot is not None and not plot.suffix:
        plot = plot.with_suffix(".png")
    console = reporting.new_console()
    with reporting.activity(console, "importing Keras") as update:
        from keras_gen import datasets, inspection, training
        from keras_gen import weights as stored

        update("loading the model")
        loaded = stored.load(model)
        options = {"gates": gates}
        if side is None and None in loaded.input_shape[1:]:
            raise ValueError(f"{model} takes any size; say at which one to look: --size 400")
        if side is not None:
            options["input_shape"] = (*side, loaded.input_shape[-1])
        update("following the fields")
        rows = inspection.inspect_rows(loaded, **options)
        summary = inspection.inspect_summary(loaded, **options)
        if plot is not None:
            update("drawing")
            image = None if on is None else datasets.read_image(on)
            axes = inspection.plot_fields(loaded, image=image, **options)
            training.write_whole(plot, axes.figure.savefig)
    console.print(str(rows), soft_wrap=True)
    console.print(summary, soft_wrap=True)
    if plot is not None:
        console.print(f"wrote {plot}", soft_wrap=True)


app.command(cls=compare_command.ManyValues)(compare_command.compare)


@app.command()
def generate(
    weights: Annotated[
        str, typer.Argument(help="A stored generator by its name, or a .keras file.")
    ],
    out: Annotated[Path, option("Directory for the results.", metavar="DIR")],
    images: Annotated[
        Path | None,
        option("A picture, or a folder of them, to enlarge.", "--input", metavar="PATH"),
    ] = None,
    count: Annotated[
        int, option("Images to draw.", min=1, max=100_000, metavar="N", panel="GAN")
    ] = 16,
    seed: Annotated[
        int, option("Seed of the latents.", min=0, max=2**31 - 1, metavar="N", panel="GAN")
    ] = 0,
    truncation: Annotated[
        float,
        option("Below 1: less various, often better.", min=0.0, metavar="SHARE", panel="GAN"),
    ] = 1.0,
    walk: Annotated[
        int,
        option(
            "Frames from each image to the next, as an animated GIF of the first 8.",
            min=0,
            max=240,
            metavar="N",
            panel="GAN",
        ),
    ] = 0,
) -> None:
    """Enlarge pictures with a trained generator, or draw new ones with a GAN's.

    The result of holiday.jpg is holiday_WEIGHTS.png; one from an earlier run is replaced.

    A generator of fixed size, 64×64 → 400×400 say, gets the middle of each picture, reduced.

    A GAN's needs no --input: it draws --count images, and a sheet of them.
    """
    console = reporting.new_console()
    with reporting.activity(console, "importing Keras") as update:
        from keras_gen import datasets, generating, sampling
        from keras_gen import weights as stored
        from keras_gen.training import check_writable

        out = datasets.expanded(out)
        check_writable(out)
        if images is not None:
            images = datasets.expanded(images)
            files = _to_enlarge(datasets.image_files(images), images, out)
        path = stored.path(weights)
        update("loading the generator")
        model = stored.load(path)
        drawn = images is None and sampling.takes_latents(model)
        if drawn:
            settings = {"count": count, "seed": seed, "truncation": truncation, "frames": walk}
            written = sampling.draw_files(model, out, label=path.stem, progress=update, **settings)
        elif images is None:
            raise ValueError(f"{path.stem} enlarges pictures; say which with --input")
        else:
            written, skipped = generating.enlarge_files(
                model,
                files,
                out,
                root=images if images.is_dir() else images.parent,
                label=path.stem,
                progress=update,
            )
    if drawn:
        console.print(f"wrote {count} images and {written[-1]}", soft_wrap=True)
        return
    reporting.print_skipped(console, [(str(file), reason) for file, reason in skipped])
    if not written:
        raise ValueError(f"none of the {len(files)} pictures in {images} could be enlarged")
    where = written[0] if len(written) == 1 else f"{len(written)} pictures to {out}"
    console.print(f"wrote {where}", soft_wrap=True)


def _to_enlarge(files, images, out):
    """The pictures, without the results of an earlier run in a folder within."""
    if not images.is_dir():
        return files
    if out.resolve() == images.resolve():
        raise ValueError(
            f"{out} holds the pictures, and results would mix with them; give another --out"
        )
    files = [file for file in files if not file.resolve().is_relative_to(out.resolve())]
    if not files:
        raise ValueError(f"{images} holds no picture but those in {out}")
    return files


@train_app.command("simple")
def train_simple(
    out: Annotated[
        Path, option("Directory for checkpoints, previews and the result.", metavar="DIR")
    ],
    data: Annotated[
        str, option("photos (those that are bundled), or a folder of images.", metavar="FOLDER")
    ] = "photos",
    scale: Annotated[
        int | None, option("Enlarge pictures of any size by this factor, 2 to 16.", metavar="N")
    ] = None,
    size: Annotated[
        str | None, option("Or: output size, 400 or 300x500 (default 400).", metavar="SIZE")
    ] = None,
    source: Annotated[
        str | None, option("Input size that goes with it (default 64).", "--from", metavar="SIZE")
    ] = None,
    steps: Annotated[int, option("Training steps.", min=1, metavar="N", panel="Training")] = 1000,
    batch_size: Annotated[
        int | None,
        option(
            "Pairs a step (default 16 with --scale, else 4).",
            min=1,
            max=4096,
            metavar="N",
            panel="Training",
        ),
    ] = None,
    every: Annotated[
        int, option("Steps between checkpoints.", min=1, metavar="N", panel="Training")
    ] = 200,
    learning_rate: Annotated[
        float, option("Highest learning rate.", metavar="RATE", panel="Training")
    ] = 1e-3,
    loss: Annotated[
        str, option("Loss, as Keras names it.", metavar="NAME", panel="Training")
    ] = "mean_squared_error",
    crop: Annotated[
        str | None,
        option(
            "Input size of the training's pairs (default 24 with --scale, else --from).",
            metavar="SIZE",
            panel="Training",
        ),
    ] = None,
    seed: Annotated[
        int,
        option("Seed of everything random.", min=0, max=2**31 - 1, metavar="N", panel="Training"),
    ] = 0,
    resume: Annotated[
        bool, option("Go on with the training in --out.", "--resume", panel="Training")
    ] = False,
    memory: Annotated[
        float,
        option(
            "GiB of a folder's pixels to keep in memory.",
            min=0.01,
            metavar="GIB",
            panel="Training",
        ),
    ] = 2.0,
    upsampling: Annotated[
        str, option("Upsampling method.", metavar="NAME", panel="Network")
    ] = "transposed",
    activation: Annotated[
        str, option("Activation function.", metavar="NAME", panel="Network")
    ] = "leaky_relu",
    residual: Annotated[bool, option("Residual blocks, or plain.", panel="Network")] = True,
    filters: Annotated[
        int, option("Channels at the input's size.", min=1, max=1024, metavar="N", panel="Network")
    ] = 48,
    blocks: Annotated[
        int, option("Blocks at the input's size.", min=0, max=256, metavar="N", panel="Network")
    ] = 8,
    base: Annotated[
        bool,
        option("Draw what a bicubic enlargement lacks, or the whole picture.", panel="Network"),
    ] = True,
) -> None:
    """Train the simple generator: a small image in, a large sharp one out."""
    sizes = {"size": size, "source": source, "crop": crop}
    sizes = {name: None if text is None else size_of(text) for name, text in sizes.items()}
    console = reporting.new_console()
    with reporting.activity(console, "importing Keras"):
        from keras_gen import jobs

    arguments = [argument for argument in sys.argv[1:] if argument != "--resume"]
    jobs.train_simple(
        directory=out,
        data=data,
        **sizes,
        scale=scale,
        upsampling=upsampling,
        activation=activation,
        residual=residual,
        filters=filters,
        blocks=blocks,
        base=base,
        steps=steps,
        batch_size=batch_size,
        every=every,
        learning_rate=learning_rate,
        loss=loss,
        seed=seed,
        resume=resume,
        memory_limit=int(memory * 2**30),
        command=shlex.join(["python", "-m", "keras_gen", *arguments]),
        console=console,
    )


@train_app.command("unet")
def train_unet(
    task: Annotated[
        str,
        option(
            "labels (label map to aerial scene), enlarge (small to large), or inpaint (clouds "
            "taken away).",
            metavar="TASK",
        ),
    ],
    out: Annotated[
        Path, option("Directory for checkpoints, previews and the result.", metavar="DIR")
    ],
    data: Annotated[
        str | None,
        option(
            "photos, aerial, or a folder of images (default: aerial for labels, else photos).",
            metavar="FOLDER",
        ),
    ] = None,
    size: Annotated[str, option("Output size, 400 or 300x500.", metavar="SIZE")] = "400",
    source: Annotated[
        str | None,
        option("Input size of the task enlarge (default 64).", "--from", metavar="SIZE"),
    ] = None,
    steps: Annotated[int, option("Training steps.", min=1, metavar="N", panel="Training")] = 1000,
    batch_size: Annotated[
        int, option("Pairs a step.", min=1, max=4096, metavar="N", panel="Training")
    ] = 8,
    every: Annotated[
        int, option("Steps between checkpoints.", min=1, metavar="N", panel="Training")
    ] = 200,
    learning_rate: Annotated[
        float, option("Highest learning rate.", metavar="RATE", panel="Training")
    ] = 1e-3,
    loss: Annotated[
        str | None,
        option(
            "Loss, as Keras names it (default: the absolute error for labels, else the squared).",
            metavar="NAME",
            panel="Training",
        ),
    ] = None,
    crop: Annotated[
        str | None,
        option(
            "Input size of the training's pairs (default: half of the whole input, or a bit more).",
            metavar="SIZE",
            panel="Training",
        ),
    ] = None,
    seed: Annotated[
        int,
        option("Seed of everything random.", min=0, max=2**31 - 1, metavar="N", panel="Training"),
    ] = 0,
    resume: Annotated[
        bool, option("Go on with the training in --out.", "--resume", panel="Training")
    ] = False,
    memory: Annotated[
        float,
        option(
            "GiB of a folder's pixels to keep in memory.",
            min=0.01,
            metavar="GIB",
            panel="Training",
        ),
    ] = 2.0,
    depth: Annotated[
        int, option("How often the size is halved.", min=1, max=12, metavar="N", panel="Network")
    ] = 4,
    filters: Annotated[
        int,
        option(
            "Channels at full size; they double with each level, up to eightfold.",
            min=1,
            max=1024,
            metavar="N",
            panel="Network",
        ),
    ] = 12,
    skips: Annotated[bool, option("Skip connections, or none.", panel="Network")] = True,
    residual: Annotated[bool, option("Residual levels, or plain.", panel="Network")] = False,
    upsampling: Annotated[
        str, option("Upsampling method.", metavar="NAME", panel="Network")
    ] = "transposed",
    downsampling: Annotated[
        str, option("Downsampling: max or strided.", metavar="NAME", panel="Network")
    ] = "max",
    activation: Annotated[
        str, option("Activation function.", metavar="NAME", panel="Network")
    ] = "leaky_relu",
    normalization: Annotated[
        str | None,
        option("Normalisation: batch or group (default none).", metavar="NAME", panel="Network"),
    ] = None,
) -> None:
    """Train the U-Net: a picture or a label map in, a picture of the same size out."""
    sizes = {"size": size, "source": source, "crop": crop}
    sizes = {name: None if text is None else size_of(text) for name, text in sizes.items()}
    console = reporting.new_console()
    with reporting.activity(console, "importing Keras"):
        from keras_gen import unet_jobs

    arguments = [argument for argument in sys.argv[1:] if argument != "--resume"]
    unet_jobs.train_unet(
        task=task,
        directory=out,
        data=data,
        **sizes,
        depth=depth,
        filters=filters,
        skips=skips,
        residual=residual,
        upsampling=upsampling,
        downsampling=downsampling,
        activation=activation,
        normalization=normalization,
        steps=steps,
        batch_size=batch_size,
        every=every,
        learning_rate=learning_rate,
        loss=loss,
        seed=seed,
        resume=resume,
        memory_limit=int(memory * 2**30),
        command=shlex.join(["python", "-m", "keras_gen", *arguments]),
        console=console,
    )


train_app.command("gan")(gan_commands.train_gan)
train_app.command("pix2pix")(gan_commands.train_pix2pix)


def _print_table(console, header, rows):
    table = Table(box=SIMPLE)
    for name in header:
        table.add_column(name)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def main() -> None:
    """Run the command line; what a user can get wrong is one line, without a traceback."""
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
            console = reporting.new_console(stderr=True)
            console.print(f"error: {reporting.one_line(text)}", style="red", soft_wrap=True)
    sys.exit(code if isinstance(code, int) else 0)


def _explained(error):
    """Exit code and message for what a user can get wrong; anything else is a fault of ours."""
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


if __name__ == "__main__":
    main()
