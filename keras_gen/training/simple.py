"""The trainings of the command line: which model on which data, how it is judged, what it leaves.

Enlarging is judged on photographs that no training sees, against Pillow's bicubic enlargement, by
the protocol of the super-resolution papers: luma of 8-bit images, a border of 4 pixels left out.
"""

import math
from fractions import Fraction
from pathlib import Path

import keras
from rich.console import Console

from keras_gen._util import arguments, files, progress
from keras_gen.data.batches import pairs
from keras_gen.inference import upscaling
from keras_gen.models.simple import simple_generator
from keras_gen.sizes import planner
from keras_gen.training import checkpoints, loop
from keras_gen.training.cards import closeups
from keras_gen.training.jobs import run
from keras_gen.training.sources import (
    crop_sizes,
    data_name,
    picture_digest,
    read_images,
    short_size,
    small_size,
)
from keras_gen.training.upscaling_evaluation import (
    BORDER,
    compare_with_bicubic,
    means,
    preview_rows,
    resized_or_none,
    upscaling_lines,
)

SMALLEST = 11 + 2 * BORDER  # SSIM needs a window of 11 within the border


SCALES = range(2, 17)


LEARNED_ON = 24  # side of the small crops from which an enlarger of any size learns


def train_simple(
    *,
    directory: str | Path,
    data: str = "photos",
    source: int | tuple[int, int] | None = None,
    size: int | tuple[int, int] | None = None,
    scale: int | None = None,
    upsampling: str = "transposed",
    activation: str = "leaky_relu",
    residual: bool = True,
    filters: int = 48,
    blocks: int = 8,
    global_residual: bool = True,
    steps: int = 1000,
    batch_size: int | None = None,
    every: int = 200,
    learning_rate: float = 1e-3,
    loss: str = "mean_squared_error",
    crop: int | tuple[int, int] | None = None,
    seed: int = 0,
    resume: bool = False,
    memory_limit: int = 2 * 2**30,
    command: str = "",
    console: Console | None = None,
) -> Path:
    """Train a simple generator and leave a `.keras` file and a card in a directory.

    Args:
        directory: where everything is written.
        data: `"photos"` for the bundled photographs (with drawings), or the path of a folder.
        source: side or `(height, width)` of the input, where no `scale` is given; 64 by default.
        size: side or `(height, width)` of the output, where no `scale` is given; 400 by default.
        scale: instead of both: whole factor, 2 to 16, of a fully convolutional generator.
        upsampling, activation, residual, filters, blocks, global_residual: as in `simple_generator`.
        steps: training steps.
        batch_size: pairs a step; 16 crops with `scale`, else 4 whole images.
        every: steps between checkpoints.
        learning_rate: highest learning rate.
        loss: one of `loop.LOSSES`, named as in Keras.
        crop: side or `(height, width)` of the small image of a training pair: a smaller one makes
            a step cheaper, and convolutions do not mind the size. By default 24 with `scale`,
            else the whole input.
        seed: seed of weights, crops and augmentation.
        resume: go on with the training in `directory`.
        memory_limit: most bytes of a folder's pixels to keep in memory.
        command: the command line, for the card.
        console: where progress is shown.

    Returns:
        The path of the `.keras` file.

    Raises:
        ValueError: for options that do not fit together, data that cannot be used, or a directory
            that holds another training.
        FloatingPointError: if the training runs away.

    Example:
        train_simple(directory="runs/x4", scale=4, steps=2000)
    """
    console = console or progress.new_console()
    directory = files.expanded(directory)
    full, full_high, title = _plan(source, size, scale)
    factor = Fraction(full_high[0], full[0])
    low, high = (full, full_high) if crop is None else crop_sizes(crop, factor)
    if min(high) < SMALLEST:
        raise ValueError(
            f"training images of {arguments.show_size(high)} are too small to be judged; make them at "
            f"least {SMALLEST} on either side"
        )
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate={learning_rate} is not a number above 0; try 0.001")
    network = {
        "upsampling": upsampling,
        "activation": activation,
        "residual": residual,
        "filters": filters,
        "blocks": blocks,
        "global_residual": global_residual,
    }
    batch_size = batch_size or (16 if scale else 4)
    options = {
        "job": title,
        "data": str(data).rstrip("/\\") or str(data),
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "loss": loss,
        "crop": arguments.show_size(low),
        "seed": seed,
        **network,
    }
    if scale is None:
        route = planner.routes(full_high, source=full)[0]
        options["route"] = str(route)
    checkpoints.check_directory(directory, resume=resume, options=options)
    keras.utils.set_random_seed(seed)
    if scale is not None:
        model = simple_generator((None, None, 3), scale=scale, seed=seed, **network)
    else:
        model = simple_generator((*full, 3), full_high, route=route, seed=seed, **network)
        model = resized_or_none(model, low, high)
        if model is None:
            raise ValueError(
                f"--crop {arguments.show_size(low)} does not fit the layers that lead through {route}; "
                "try another, or leave it out"
            )
    loop.compile_for_images(model, steps=steps, learning_rate=learning_rate, loss=loss)
    training_images, test_images = read_images(data, high, memory_limit, console)
    options["picture_digest"] = picture_digest(training_images)

    def batches(first, last):
        return pairs(
            training_images,
            low,
            high,
            steps=last,
            first_step=first,
            batch_size=batch_size,
            seed=seed,
        )

    def preview(model):
        rows = compare_with_bicubic(model, test_images, factor)
        return (closeups(preview_rows(rows)), means(rows)) if rows else (None, {})

    def report(model):
        rows = compare_with_bicubic(model, test_images, factor)
        return upscaling_lines(rows, middles=data != "photos")

    return run(
        model,
        batches,
        preview,
        directory=directory,
        name=f"{title}_{data_name(data)}",
        finished=lambda model: upscaling.resized(model, full),
        report=report,
        learned_from=training_images.names,
        steps=steps,
        every=every,
        resume=resume,
        options=options,
        command=command,
        console=console,
    )


def _plan(source, size, scale):
    """Sizes of the small and the large image of a pair, and the job's name."""
    given = [name for name, value in (("size", size), ("from", source)) if value is not None]
    if scale is not None:
        if given:
            raise ValueError(
                f"--scale and --{given[0]} were both given; give --scale alone to enlarge pictures "
                "of any size, or --from and --size for one size"
            )
        if scale not in SCALES:
            raise ValueError(
                f"--scale {scale} is out of range; give a whole number from {SCALES[0]} to "
                f"{SCALES[-1]}"
            )
        return (LEARNED_ON,) * 2, (LEARNED_ON * scale,) * 2, f"simple_x{scale}"
    high = arguments.as_pair(400 if size is None else size, "size")
    low = small_size(source, high)
    return low, high, f"simple_{short_size(low)}to{short_size(high)}"
