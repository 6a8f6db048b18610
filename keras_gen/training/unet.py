"""The training of the U-Net: label maps to aerial scenes, small pictures to large, clouds away."""

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import keras

from keras_gen._util.arguments import as_pair, check_choice, show_size
from keras_gen._util.keras_files import with_weights
from keras_gen.data.aerial import palette
from keras_gen.models.unet import unet_generator
from keras_gen.training import datasets, tasks
from keras_gen.training.options import UnetOptions
from keras_gen.training.pair_sizes import crop_sizes, size_in_name, small_size
from keras_gen.training.runs import Run, training
from keras_gen.training.supervised import compile_for_images, train_on_pairs
from keras_gen.training.upscaling_evaluation import SMALLEST

TASKS = ("labels", "upscale", "inpaint")

NETWORK = (
    *("depth", "filters", "upsampling", "downsampling"),
    *("skips", "residual", "activation", "normalization"),
)


@training(UnetOptions)
def train_unet(options: UnetOptions, run: Run) -> Path:
    """Train a U-Net and leave a `.keras` file and a card in a directory.

    Args:
        options: what to train, and how. The default loss is the absolute error for label maps,
            which keeps edges, and the squared error for the other tasks, whose global residual is
            nearly right from the beginning.
        run: where and how; `runs.training` says how both are given.

    Returns:
        The path of the `.keras` file.

    Raises:
        ValueError: for options that do not fit together, data that cannot be used, or a directory
            that holds another training.
        FloatingPointError: if the training diverges.

    Example:
        train_unet(task="labels", directory="runs/labels", steps=2000)
    """
    task, source, data, loss = options.task, options.source, options.data, options.loss
    check_choice("task", task, TASKS)
    if source is not None and task != "upscale":
        raise ValueError(f"--from is the size of a small picture; --task {task} has none")
    if data not in (None, "aerial") and task == "labels":
        raise ValueError(f"only aerial scenes have label maps, not {data}; leave --data out")
    data = datasets.normalized_data(data or ("aerial" if task == "labels" else "photos"))
    loss = loss or ("mean_absolute_error" if task == "labels" else "mean_squared_error")
    full = as_pair(options.size, "size")
    if min(full) < SMALLEST:
        raise ValueError(
            f"images of {show_size(full)} are too small to be evaluated; make them at least "
            f"{SMALLEST} on either side"
        )
    low = small_size(source, full) if task == "upscale" else full
    factor = Fraction(full[0], low[0])
    part, part_high = _crop(options.crop, low, full, options.depth)
    options = replace(
        options, data=data, loss=loss, crop=part, source=low if task == "upscale" else None
    )
    recorded = {"job": f"unet_{task}", **options.recorded()}
    run.check(recorded)
    network = options.only(*NETWORK, "seed")
    keras.utils.set_random_seed(options.seed)

    def build(size_in, size_out, *, pad=False):
        channels = len(palette.CLASSES) if task == "labels" else 3
        return unet_generator(
            (*size_in, channels),
            size_out if task == "upscale" else None,
            # A clouded picture is clear in places, and a small one already shows what is coarse.
            global_residual=task != "labels",
            pad=pad,
            **network,
        )

    def at_size(model, small):
        large = tuple(int(side * factor) for side in small)
        return with_weights(build(small, large, pad=True), model)

    whole = build(low, full)  # first, so that a size that does not fit is known at once
    model = build(part, part_high)
    compile_for_images(model, **options.only("steps", "learning_rate", "loss"))
    settings = options.only("batch_size", "seed")
    if task == "labels":
        chosen = tasks.label_map_task(
            part, full, evaluation_images=options.evaluation_images, **settings
        )
    else:
        images = datasets.read_images(data, part_high, options.memory, run.console)
        recorded["picture_digest"] = datasets.picture_digest(images[0])
        if task == "inpaint":
            chosen = tasks.inpainting_task(images, part, full, **settings)
        else:
            settings |= {"crops": data not in datasets.BUNDLED, "resized": at_size}
            chosen = tasks.upscaling_task(images, part, part_high, factor, **settings)
    sizes = f"{size_in_name(low)}to{size_in_name(full)}" if task == "upscale" else task
    return train_on_pairs(
        model,
        chosen,
        run,
        name=f"unet_{sizes}_{datasets.data_name(data)}",
        finish=lambda model: with_weights(whole, model),
        options=options,
        recorded=recorded,
    )


def _crop(crop, low, full, depth):
    """Sizes of the input and the output of a training pair."""
    factor = Fraction(full[0], low[0])
    if crop is None:
        # The smallest crop of at least half of the whole that the levels can halve.
        step = math.lcm(2**depth, factor.numerator) // factor.numerator * factor.denominator
        part = tuple(min(side, -(-side // (2 * step)) * step) for side in low)
    else:
        part = as_pair(crop, "crop")
        if any(side > most for side, most in zip(part, low, strict=True)):
            raise ValueError(f"--crop {show_size(part)} is larger than the whole, {show_size(low)}")
    return crop_sizes(part, factor)
