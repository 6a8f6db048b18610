"""The training of the simple generator: small photographs to large ones."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import keras

from keras_gen._util.arguments import as_pair, show_size
from keras_gen.inference import upscaling
from keras_gen.models.simple import simple_generator
from keras_gen.sizes import planner
from keras_gen.training import datasets
from keras_gen.training.options import SimpleOptions
from keras_gen.training.pair_sizes import crop_sizes, size_in_name, small_size
from keras_gen.training.runs import Run, training
from keras_gen.training.supervised import compile_for_images, train_on_pairs
from keras_gen.training.tasks import upscaling_task
from keras_gen.training.upscaling_evaluation import SMALLEST, resized_or_none

SCALES = range(2, 17)

NETWORK = ("upsampling", "activation", "residual", "filters", "blocks", "global_residual")

SCALE_CROP = 24  # side of the small crops on which a generator of any size is trained


@training(SimpleOptions)
def train_simple(options: SimpleOptions, run: Run) -> Path:
    """Train a simple generator and leave a `.keras` file and a card in a directory.

    Args:
        options: what to train, and how.
        run: where and how; `runs.training` says how both are given.

    Returns:
        The path of the `.keras` file.

    Raises:
        ValueError: for options that do not fit together, data that cannot be used, or a directory
            that holds another training.
        FloatingPointError: if the training diverges.

    Example:
        train_simple(directory="runs/x4", scale=4, steps=2000)
    """
    data = datasets.normalized_data(options.data)
    full, full_high, name = _plan(options.source, options.size, options.scale)
    factor = Fraction(full_high[0], full[0])
    crop, scale, seed = options.crop, options.scale, options.seed
    low, high = (full, full_high) if crop is None else crop_sizes(crop, factor)
    if min(high) < SMALLEST:
        raise ValueError(
            f"training images of {show_size(high)} are too small to be evaluated; make them at "
            f"least {SMALLEST} on either side"
        )
    batch_size = options.batch_size or (16 if scale else 4)
    options = replace(options, data=data, crop=low, batch_size=batch_size)
    recorded = {"job": name, **options.recorded()}
    if scale is None:
        route = planner.routes(full_high, source=full)[0]
        recorded["route"] = str(route)
    run.check(recorded)
    keras.utils.set_random_seed(seed)
    network = options.only(*NETWORK, "seed")
    if scale is not None:
        model = simple_generator((None, None, 3), scale=scale, **network)
    else:
        whole = simple_generator((*full, 3), full_high, route=route, **network)
        model = resized_or_none(whole, low, high)
        if model is None:
            raise ValueError(
                f"--crop {show_size(low)} does not fit the layers of the route {route}; try "
                "another, or leave it out"
            )
    compile_for_images(model, **options.only("steps", "learning_rate", "loss"))
    images = datasets.read_images(data, high, options.memory, run.console)
    recorded["picture_digest"] = datasets.picture_digest(images[0])
    crops = data not in datasets.BUNDLED
    batches = options.only("batch_size", "seed")
    return train_on_pairs(
        model,
        upscaling_task(images, low, high, factor, crops=crops, **batches),
        run,
        name=f"{name}_{datasets.data_name(data)}",
        finish=lambda model: upscaling.resized(model, full),
        options=options,
        recorded=recorded,
    )


def _plan(source, size, scale):
    """Sizes of the small and the large image of a pair, and the training's name."""
    if scale is None:
        high = as_pair(400 if size is None else size, "size")
        low = small_size(source, high)
        return low, high, f"simple_{size_in_name(low)}to{size_in_name(high)}"
    given = [name for name, value in (("size", size), ("from", source)) if value is not None]
    if given:
        raise ValueError(
            f"--scale and --{given[0]} were both given; give --scale alone to upscale pictures of "
            "any size, or --from and --size for one size"
        )
    if scale not in SCALES:
        raise ValueError(
            f"--scale {scale} is out of range; give a whole number from {SCALES[0]} to {SCALES[-1]}"
        )
    return (SCALE_CROP,) * 2, (SCALE_CROP * scale,) * 2, f"simple_x{scale}"
