"""What is learned from pairs: upscaling, aerial scenes from label maps, removing clouds.

A task holds the batches to train on, and the evaluation on held-out images: the preview of each
round and the card's lines at the end.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

import keras
import numpy as np

from keras_gen._util.pixels import to_uint8
from keras_gen.data import occlusions, resampling
from keras_gen.data.aerial import readback, rendering
from keras_gen.data.batches import cloud_pairs, label_pairs, pairs
from keras_gen.data.images import Images
from keras_gen.data.scenes import HELD_OUT_SCENES, Scenes
from keras_gen.inference import upscaling
from keras_gen.metrics.image_quality import quality
from keras_gen.training import cards
from keras_gen.training.progress_pictures import closeups
from keras_gen.training.upscaling_evaluation import compare_with_bicubic, upscaling_preview

PREVIEW_SCENES = 4  # held-out scenes in a preview

CLOUDS = 4  # cloud patterns over each held-out picture


@dataclass(frozen=True)
class Task:
    """The data of a training on pairs, and its evaluation.

    Attributes:
        batches: as in `loop.train`.
        preview: `preview(generator)` evaluates a round, as in `loop.train`.
        report: `report(generator)` returns the card's lines on the finished generator.
        trained_on: names of the training images.
    """

    batches: Callable
    preview: Callable
    report: Callable[[keras.Model], list[str]]
    trained_on: list[str]


def upscaling_task(
    images: tuple[Images, Images],
    low: tuple[int, int],
    high: tuple[int, int],
    factor: Fraction,
    *,
    crops: bool,
    batch_size: int,
    seed: int,
    resized: Callable = upscaling.resized,
) -> Task:
    """From small pictures to large ones.

    Args:
        images: training and held-out images.
        low, high: `(height, width)` of the training pairs.
        factor: size of the large image over that of the small one.
        crops: whether the held-out images are centre crops of a folder's pictures.
        batch_size: pairs a step.
        seed: seed of the crops.
        resized: as in `compare_with_bicubic`.
    """
    training, held_out = images

    def evaluate(generator):
        return compare_with_bicubic(generator, held_out, factor, resized=resized)

    return Task(
        functools.partial(pairs, training, low, high, batch_size=batch_size, seed=seed),
        lambda generator: upscaling_preview(evaluate(generator)),
        lambda generator: cards.upscaling_lines(evaluate(generator), crops=crops),
        training.names,
    )


def label_map_task(
    crop: tuple[int, int],
    full: tuple[int, int],
    *,
    evaluation_images: int,
    batch_size: int,
    seed: int,
) -> Task:
    """From label maps to aerial scenes.

    Args:
        crop: `(height, width)` of the training pairs.
        full: `(height, width)` of the evaluated scenes.
        evaluation_images: held-out scenes for the card's numbers.
        batch_size: pairs a step.
        seed: seed of the crops.
    """
    scenes = Scenes(size=tuple(max(sides) for sides in zip(crop, full, strict=True)))
    seeds = HELD_OUT_SCENES[:evaluation_images]

    def preview(generator):
        panels, scores = [], []
        for scene in seeds[:PREVIEW_SCENES]:
            labels, generated, reference = _generate_scene(generator, scene)
            pictures = (rendering.colour(labels), generated, reference)
            panels.append([to_uint8(picture) for picture in pictures])
            scores.append(quality(generated, reference).psnr_rgb)
        return closeups(panels), {"held_out_psnr": float(np.mean(scores))}

    return Task(
        functools.partial(label_pairs, scenes, crop, batch_size=batch_size, seed=seed),
        preview,
        lambda generator: cards.label_map_lines(scene_scores(generator, seeds), seeds),
        [f"aerial scenes of seeds {scenes.seeds[0]} to {scenes.seeds[-1]}"],
    )


def scene_scores(generator: keras.Model, seeds: Sequence[int]) -> list[dict[str, float]]:
    """Evaluate aerial scenes that are generated from their label maps.

    Args:
        generator: from one-hot label maps of fixed size.
        seeds: seeds of the scenes.

    Returns:
        One dict a scene: the measures of `quality`, and how well the label map is read back from
        the generated scene (`classes`, `edges`) and from the real one (`real_classes`,
        `real_edges`).
    """
    rows = []
    for seed in seeds:
        labels, generated, reference = _generate_scene(generator, seed)
        row = asdict(quality(generated, reference))
        for prefix, image in (("", generated), ("real_", reference)):
            row[f"{prefix}classes"] = readback.class_agreement(image, labels)
            row[f"{prefix}edges"] = readback.edge_agreement(image, labels)
        rows.append(row)
    return rows


def _generate_scene(generator, seed):
    """The label map, the generated scene with values of 8 bits, and the real scene."""
    labels, reference = rendering.scene(seed, generator.output_shape[1:3])
    generated = generator(rendering.one_hot(labels)[None], training=False)[0]
    return labels, to_uint8(np.asarray(generated)) / np.float32(255), reference


def inpainting_task(
    images: tuple[Images, Images],
    crop: tuple[int, int],
    full: tuple[int, int],
    *,
    batch_size: int,
    seed: int,
) -> Task:
    """From pictures with clouds over them to clear ones.

    Args:
        images: training and held-out images.
        crop: `(height, width)` of the training pairs.
        full: `(height, width)` of the evaluated pictures.
        batch_size: pairs a step.
        seed: seed of crops and clouds.
    """
    training, held_out = images

    def evaluate(generator):
        rows = []
        for name, picture in held_out:
            clear = resampling.reduce(resampling.center_crop(picture, full), full) / np.float32(255)
            for number in range(CLOUDS):
                clouded = occlusions.occlude(clear, number)
                generated = np.asarray(generator(clouded[None], training=False)[0])
                scores, clouded_scores = (asdict(quality(p, clear)) for p in (generated, clouded))
                scores |= {f"clouded_{key}": value for key, value in clouded_scores.items()}
                panels = [to_uint8(picture) for picture in (clouded, generated, clear)]
                rows.append(scores | {"name": f"{name}, clouds {number}", "panels": panels})
        return rows

    def preview(generator):
        rows = evaluate(generator)
        if not rows:
            return None, {}
        psnr, clouded = (
            np.mean([row[key] for row in rows]) for key in ("psnr_rgb", "clouded_psnr_rgb")
        )
        numbers = {"held_out_psnr": float(psnr), "over_clouded": float(psnr - clouded)}
        return closeups(row["panels"] for row in rows), numbers

    return Task(
        functools.partial(cloud_pairs, training, crop, batch_size=batch_size, seed=seed),
        preview,
        lambda generator: cards.inpainting_lines(evaluate(generator)),
        training.names,
    )
