"""The U-Net's trainings: label map → aerial scene, small picture → large one, clouds taken away."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
from rich.console import Console

from keras_gen._util import arguments, files, progress
from keras_gen._util.pixels import to_uint8
from keras_gen.data import occlusions, resampling
from keras_gen.data.aerial import palette, readback, rendering
from keras_gen.data.batches import cloud_pairs, label_pairs, pairs
from keras_gen.data.scenes import HELD_OUT_SCENES, Scenes
from keras_gen.metrics import full_reference, spectra
from keras_gen.models.unet import unet_generator
from keras_gen.training import cards, checkpoints, jobs, loop, sources, upscaling_evaluation

TASKS = {
    "labels": "label map → aerial scene",
    "upscale": "small picture → large one",
    "inpaint": "clouded picture → clear one",
}


SHOWN = 4  # held-out scenes in a preview


CLOUDS = 4  # of each held-out picture that is evaluation_images with clouds over it


@dataclass(frozen=True)
class Task:
    """What one of the trainings is made of.

    Attributes:
        batches: as in `loop.train`.
        judge: `judge(model)` draws held-out pictures with a model of full size, and gives one dict
            a picture: `panels` to look at, and numbers.
        numbers: makes a row of the history of those dicts.
        lines: `lines(model)` gives the card's lines on what the finished model can do.
        learned_from: names of the pictures trained on.
    """

    batches: Callable
    judge: Callable
    numbers: Callable
    lines: Callable
    learned_from: list[str]


def train_unet(
    *,
    task: str,
    directory: str | Path,
    data: str | None = None,
    source: int | tuple[int, int] | None = None,
    size: int | tuple[int, int] = 400,
    crop: int | tuple[int, int] | None = None,
    depth: int = 4,
    filters: int = 12,
    upsampling: str = "transposed",
    downsampling: str = "max",
    skips: bool = True,
    residual: bool = False,
    activation: str = "leaky_relu",
    normalization: str | None = None,
    steps: int = 1000,
    batch_size: int = 8,
    every: int = 200,
    learning_rate: float = 1e-3,
    loss: str | None = None,
    seed: int = 0,
    resume: bool = False,
    memory_limit: int = 2 * 2**30,
    evaluation_images: int = 200,
    command: str = "",
    console: Console | None = None,
) -> Path:
    """Train a U-Net and leave a `.keras` file and a card in a directory.

    Args:
        task: one of `TASKS`.
        directory: where everything is written.
        data: `"photos"`, `"aerial"`, or the path of a folder; label maps there are only of aerial
            scenes, the other tasks take photographs by default.
        source: for `"upscale"`: side or `(height, width)` of the small picture, 64 by default.
        size: side or `(height, width)` of what is drawn.
        crop: side or `(height, width)` of the pairs to learn from; for `"upscale"`, of the small
            picture. By default half of the whole, as nearly as the levels allow.
        depth, filters, upsampling, downsampling, skips, residual, activation, normalization: as in
            `unet_generator`.
        steps: training steps.
        batch_size: pairs a step.
        every: steps between checkpoints.
        learning_rate: highest learning rate.
        loss: one of `loop.LOSSES`; by default the absolute error for label maps, which keeps
            edges, and the squared error for the other tasks, whose base is nearly right at once.
        seed: seed of weights, crops, augmentation and clouds.
        resume: go on with the training in `directory`.
        memory_limit: most bytes of a folder's pixels to keep in memory.
        evaluation_images: held-out aerial scenes that the card's numbers are taken from.
        command: the command line, for the card.
        console: where progress is shown.

    Returns:
        The path of the `.keras` file.

    Raises:
        ValueError: for options that do not fit together, data that cannot be used, or a directory
            that holds another training.
        FloatingPointError: if the training runs away.

    Example:
        train_unet(task="labels", directory="runs/labels", steps=2000)
    """
    if task not in TASKS:
        known = ", ".join(map(repr, TASKS))
        raise ValueError(f"task {task!r} is unknown; choose one of {known}")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate={learning_rate} is not a number above 0; try 0.001")
    if source is not None and task != "upscale":
        raise ValueError(f"--from is the size of a small picture; --task {task} has none")
    if data not in (None, "aerial") and task == "labels":
        raise ValueError(f"only aerial scenes have label maps, not {data}; leave --data out")
    console = console or progress.new_console()
    directory = files.expanded(directory)
    data = data or ("aerial" if task == "labels" else "photos")
    loss = loss or ("mean_absolute_error" if task == "labels" else "mean_squared_error")
    full = arguments.as_pair(size, "size")
    low = sources.small_size(source, full) if task == "upscale" else full
    factor = Fraction(full[0], low[0])
    part, part_high = _part(crop, low, full, depth)
    network = {
        "depth": depth,
        "filters": filters,
        "upsampling": upsampling,
        "downsampling": downsampling,
        "skips": skips,
        "residual": residual,
        "activation": activation,
        "normalization": normalization,
    }
    options = {
        "job": f"unet_{task}",
        "data": str(data).rstrip("/\\") or str(data),
        "size": arguments.show_size(full),
        **({"from": arguments.show_size(low)} if task == "upscale" else {}),
        "crop": arguments.show_size(part),
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "loss": loss,
        "seed": seed,
        **network,
    }
    checkpoints.check_directory(directory, resume=resume, options=options)

    def build(size_in, size_out, *, pad=False):
        channels = len(palette.CLASSES) if task == "labels" else 3
        # What is clear in a clouded picture, or coarse in a small one, need not be drawn again.
        global_residual = task != "labels"
        end = size_out if task == "upscale" else None
        return unet_generator(
            (*size_in, channels),
            end,
            global_residual=global_residual,
            pad=pad,
            seed=seed,
            **network,
        )

    keras.utils.set_random_seed(seed)
    whole = build(low, full)  # first, so that a size that does not fit is known at once
    model = build(part, part_high)
    loop.compile_for_images(model, steps=steps, learning_rate=learning_rate, loss=loss)
    shared = {"batch_size": batch_size, "seed": seed}
    if task == "labels":
        job = _labels_job(part, full, evaluation_images, **shared)
    else:
        images = sources.read_images(data, part_high, memory_limit, console)
        options["picture_digest"] = sources.picture_digest(images[0])
        if task == "inpaint":
            job = _inpainting_job(images, part, full, **shared)
        else:

            def at_size(model, small):
                large = tuple(int(side * factor) for side in small)
                return _with_weights(build(small, large, pad=True), model)

            middles = data not in sources.BUNDLED
            job = _enlarging_job(images, part, part_high, factor, at_size, middles, **shared)

    def preview(model):
        rows = job.judge(_with_weights(whole, model))
        if not rows:
            return None, {}
        return cards.closeups(row["panels"] for row in rows), job.numbers(rows)

    name = f"{sources.short_size(low)}to{sources.short_size(full)}" if task == "upscale" else task
    return jobs.run(
        model,
        job.batches,
        preview,
        directory=directory,
        name=f"unet_{name}_{sources.data_name(data)}",
        finished=lambda model: _with_weights(whole, model),
        report=job.lines,
        learned_from=job.learned_from,
        steps=steps,
        every=every,
        resume=resume,
        options=options,
        command=command,
        console=console,
    )


def generate_scenes(model: keras.Model, seeds: Sequence[int]) -> Iterator[tuple[np.ndarray, ...]]:
    """Draw aerial scenes from their label maps, one after another.

    Args:
        model: generator from one-hot label maps of fixed size.
        seeds: of the scenes.

    Yields:
        `(labels, drawn, reference)`: uint8 `(height, width)`, and float32 `(height, width, 3)` in
        0 … 1, `drawn` rounded to 8 bits as a file would hold it.
    """
    for seed in seeds:
        labels, reference = rendering.scene(seed, model.output_shape[1:3])
        drawn = np.asarray(model(rendering.one_hot(labels)[None], training=False)[0])
        yield labels, np.rint(drawn * 255).astype(np.float32) / 255, reference


def label_lines(scenes: Iterable[tuple[np.ndarray, ...]]) -> list[str]:
    """Write a card's table on scenes drawn from label maps, beside the real ones.

    Args:
        scenes: what `draw_scenes` gives.

    Returns:
        Lines of Markdown.
    """
    scores, drawings, references = [], [], []
    for labels, drawn, reference in scenes:
        scores.append(
            [
                full_reference.psnr(drawn, reference),
                full_reference.ssim(drawn, reference),
                *(readback.class_agreement(image, labels) for image in (drawn, reference)),
                *(readback.edge_agreement(image, labels) for image in (drawn, reference)),
            ]
        )
        drawings.append(spectra.radial_spectrum(drawn)[1])
        references.append(spectra.radial_spectrum(reference)[1])
    psnr, ssim, read, really_read, edges, real_edges = np.mean(scores, axis=0)
    distance = spectra.level_distance(np.mean(drawings, axis=0), np.mean(references, axis=0))
    return [
        f"{len(scores)} held-out scenes of the seeds {HELD_OUT_SCENES[0]} to "
        f"{HELD_OUT_SCENES[len(scores) - 1]}. A label map does not say what colour a field or a "
        "roof has, so that no network can reach a high PSNR.",
        "",
        "| measure | drawn | real scenes |",
        "|---|---|---|",
        f"| PSNR, dB | {psnr:.2f} | |",
        f"| SSIM | {ssim:.4f} | |",
        f"| spectrum distance, dB | {distance:.2f} | |",
        f"| pixels whose class is read back right | {read:.1%} | {really_read:.1%} |",
        f"| F-score of edges within 2 pixels of the label map's | {edges:.3f} | {real_edges:.3f} |",
        "",
    ]


def _part(crop, low, full, depth):
    """Sizes of the input and the output of a pair to learn from."""
    factor = Fraction(full[0], low[0])
    if crop is None:
        # The smallest crop from half of the whole on that the levels can halve.
        step = math.lcm(2**depth, factor.numerator) // factor.numerator * factor.denominator
        part = tuple(min(side, -(-side // (2 * step)) * step) for side in low)
    else:
        part = arguments.as_pair(crop, "crop")
        if any(side > most for side, most in zip(part, low, strict=True)):
            raise ValueError(
                f"--crop {arguments.show_size(part)} is larger than the whole, {arguments.show_size(low)}"
            )
    return sources.crop_sizes(part, factor)


def _with_weights(model, other):
    model.set_weights(other.get_weights())
    return model


def _labels_job(part, full, evaluation_images, *, batch_size, seed):
    scenes = Scenes(size=tuple(max(pair) for pair in zip(part, full, strict=True)))

    def batches(first, last):
        options = {"batch_size": batch_size, "first_step": first, "seed": seed}
        return label_pairs(scenes, part, steps=last, **options)

    def judge(model):
        rows = []
        for labels, drawn, reference in generate_scenes(
            model, HELD_OUT_SCENES[: min(SHOWN, evaluation_images)]
        ):
            panels = [to_uint8(image) for image in (rendering.colour(labels), drawn, reference)]
            rows.append({"panels": panels, "psnr": full_reference.psnr(drawn, reference)})
        return rows

    def numbers(rows):
        return {"held_out_psnr": float(np.mean([row["psnr"] for row in rows]))}

    def lines(model):
        return label_lines(generate_scenes(model, HELD_OUT_SCENES[:evaluation_images]))

    names = [f"aerial scenes of the seeds {scenes.seeds[0]} to {scenes.seeds[-1]}"]
    return Task(batches, judge, numbers, lines, names)


def _enlarging_job(images, part, part_high, factor, at_size, middles, *, batch_size, seed):
    learned_from, held_out = images

    def batches(first, last):
        options = {"batch_size": batch_size, "first_step": first, "seed": seed}
        return pairs(learned_from, part, part_high, steps=last, **options)

    def judge(model):
        rows = upscaling_evaluation.compare_with_bicubic(model, held_out, factor, resized=at_size)
        for row, panels in zip(rows, upscaling_evaluation.preview_rows(rows), strict=True):
            row["panels"] = panels
        return rows

    def lines(model):
        return upscaling_evaluation.upscaling_lines(judge(model), middles=middles)

    return Task(batches, judge, upscaling_evaluation.means, lines, learned_from.names)


def _inpainting_job(images, part, full, *, batch_size, seed):
    learned_from, held_out = images

    def batches(first, last):
        options = {"batch_size": batch_size, "first_step": first, "seed": seed}
        return cloud_pairs(learned_from, part, steps=last, **options)

    def judge(model):
        rows = []
        for name, picture in held_out:
            clear = resampling.reduce(resampling.center_crop(picture, full), full) / np.float32(255)
            for number in range(CLOUDS):
                clouded = occlusions.occlude(clear, number)
                drawn = np.asarray(model(clouded[None], training=False)[0])
                row = {"name": f"{name}, clouds {number}"}
                row["panels"] = [to_uint8(image) for image in (clouded, drawn, clear)]
                for prefix, image in (("", drawn), ("clouded_", clouded)):
                    row[f"{prefix}psnr"] = full_reference.psnr(image, clear)
                    row[f"{prefix}ssim"] = full_reference.ssim(image, clear)
                rows.append(row)
        return rows

    def numbers(rows):
        psnr, clouded = (np.mean([row[key] for row in rows]) for key in ("psnr", "clouded_psnr"))
        return {"held_out_psnr": float(psnr), "over_clouded": float(psnr - clouded)}

    def lines(model):
        keys = ("clouded_psnr", "psnr", "clouded_ssim", "ssim")
        rows = judge(model)
        table = [
            f"| {row['name']} | " + " | ".join(f"{row[key]:.3f}" for key in keys) + " |"
            for row in rows
        ]
        return [
            "Held-out pictures with clouds over them, PSNR in dB and SSIM in colour.",
            "",
            "| picture | PSNR with clouds | PSNR | SSIM with clouds | SSIM |",
            "|---|---|---|---|---|",
            *table,
            "",
        ]

    return Task(batches, judge, numbers, lines, learned_from.names)
