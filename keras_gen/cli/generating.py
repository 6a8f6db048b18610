"""The command `generate`: upscale pictures, or sample a GAN. Keras is imported in its body only."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gen._util import progress
from keras_gen._util.quiet import quiet_tensorflow
from keras_gen.cli.options import option


def generate(
    weights: Annotated[
        str, typer.Argument(help="A stored generator by its name, or a .keras file.")
    ],
    out: Annotated[Path, option("Directory for the results.", metavar="DIR")],
    images: Annotated[
        Path | None,
        option("A picture, or a folder of them, to upscale.", "--input", metavar="PATH"),
    ] = None,
    count: Annotated[
        int, option("Images to generate.", min=1, max=100_000, metavar="N", panel="GAN")
    ] = 16,
    seed: Annotated[
        int, option("Seed of the latents.", min=0, max=2**31 - 1, metavar="N", panel="GAN")
    ] = 0,
    truncation: Annotated[
        float,
        option(
            "Scales the latents: below 1 less varied; no effect if the generator normalises.",
            min=0.0,
            metavar="FACTOR",
            panel="GAN",
        ),
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
    """Upscale pictures with a trained generator, or generate new ones with a GAN's.

    The result of holiday.jpg is holiday_WEIGHTS.png; one from an earlier run is replaced.

    A generator of fixed size, such as 64×64 → 400×400, gets the middle of each picture, reduced.

    A GAN's generator needs no --input: it writes --count images and a sheet of them.
    """
    console = progress.new_console()
    with progress.activity(console, "importing Keras") as update:
        quiet_tensorflow()
        from keras_gen._util.files import check_writable, expanded
        from keras_gen.data import image_files
        from keras_gen.inference import sampling, stored, upscaling

        out = expanded(out)
        check_writable(out)
        if images is not None:
            images = expanded(images)
            files = _pictures_to_upscale(image_files.list_images(images), images, out)
        path = stored.generator_path(weights)
        update("loading the generator")
        model = stored.load_generator(path)
        samples = images is None and sampling.takes_latents(model)
        if samples:
            settings = {"count": count, "seed": seed, "truncation": truncation, "frames": walk}
            written = sampling.generate_files(
                model, out, label=path.stem, progress=update, **settings
            )
        elif images is None:
            raise ValueError(f"{path.stem} upscales pictures; say which with --input")
        else:
            written, skipped = upscaling.upscale_files(
                model,
                files,
                out,
                root=images if images.is_dir() else images.parent,
                label=path.stem,
                progress=update,
            )
    if samples:
        console.print(f"wrote {count} images and {written[-1]}", soft_wrap=True)
        return
    progress.print_skipped(console, [(str(file), reason) for file, reason in skipped])
    if not written:
        raise ValueError(f"none of the {len(files)} pictures in {images} could be upscaled")
    where = written[0] if len(written) == 1 else f"{len(written)} pictures to {out}"
    console.print(f"wrote {where}", soft_wrap=True)


def _pictures_to_upscale(files, images, out):
    """The pictures, without the results of an earlier run in a subfolder."""
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
