"""Evaluation of an upscaler on whole held-out pictures, beside Pillow's bicubic upscaling.

It follows the protocol of super-resolution papers: luma of 8-bit images, a border of 4 pixels left
out.
"""

from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction

import keras
import numpy as np
from PIL import Image

from keras_gen.data import resampling
from keras_gen.data.images import Images
from keras_gen.inference import upscaling
from keras_gen.metrics.image_quality import BORDER, quality
from keras_gen.training.progress_pictures import closeups

SMALLEST = 11 + 2 * BORDER  # pixels: SSIM needs a window of 11 within the border


def compare_with_bicubic(
    model: keras.Model,
    images: Images,
    scale: Fraction | int,
    *,
    resized: Callable[[keras.Model, tuple[int, int]], keras.Model] = upscaling.resized,
) -> list[dict]:
    """Evaluate an upscaler on whole pictures, beside Pillow's bicubic upscaling.

    Args:
        model: the generator. One of fixed size is resized to each picture, or if its layers do not
            allow that, gets the centre crop of the picture.
        images: the pictures. Each is cropped to the largest size that the scale divides, and left
            out where it is too small.
        scale: the factor, `Fraction(25, 4)` for instance.
        resized: builds the same generator for small images of another size.

    Returns:
        One dict a picture: `name`; the uint8 arrays `low`, `bicubic`, `generated` and `reference`;
        the measures of `quality`, such as `psnr` and `ssim`, of the generated picture, and those of
        the bicubic one, such as `bicubic_psnr`.

    Example:
        >>> model = kg.simple_generator((None, None, 3), scale=4, filters=4, blocks=0)
        >>> rows = compare_with_bicubic(model, kg.data.photographs("test"), 4)
        >>> [row["name"] for row in rows]
        ['chelsea', 'coffee']
    """
    rows, scale = [], Fraction(scale)
    for name, picture in images:
        steps = [side // scale.numerator for side in picture.shape[:2]]
        low_size = tuple(step * scale.denominator for step in steps)
        high_size = tuple(step * scale.numerator for step in steps)
        fitting = resized_or_none(model, low_size, high_size, resized)
        if fitting is not None:
            reference = picture[: high_size[0], : high_size[1]]
        else:
            fitting, low_size, high_size = model, model.input_shape[1:3], model.output_shape[1:3]
            if any(side < least for side, least in zip(picture.shape, high_size, strict=False)):
                continue
            reference = resampling.reduce(resampling.center_crop(picture, high_size), high_size)
        low = resampling.reduce(reference, low_size)
        bicubic = resampling.upscale_bicubic(low, high_size)
        generated = upscaling.upscale(fitting, low)
        scores, bicubic_scores = (asdict(quality(p, reference)) for p in (generated, bicubic))
        scores |= {f"bicubic_{key}": value for key, value in bicubic_scores.items()}
        pictures = {"low": low, "bicubic": bicubic, "generated": generated, "reference": reference}
        rows.append({"name": name} | pictures | scores)
    return rows


def resized_or_none(
    model: keras.Model,
    low_size: tuple[int, int],
    high_size: tuple[int, int],
    resized: Callable = upscaling.resized,
) -> keras.Model | None:
    """Build the generator for images of another size.

    Args:
        model: the generator.
        low_size, high_size: `(height, width)` of its input and output.
        resized: as in `compare_with_bicubic`.

    Returns:
        The generator, or None where its layers do not scale.
    """
    try:
        other = resized(model, low_size) if min(low_size) > 0 else None
    except ValueError:
        return None
    fits = other is not None and other.output_shape[1:3] in (high_size, (None, None))
    return other if fits else None


def upscaling_preview(rows: list[dict]) -> tuple[np.ndarray | None, dict[str, float]]:
    """Make a round's preview from an evaluation.

    Args:
        rows: what `compare_with_bicubic` returns.

    Returns:
        The close-ups, in rows of input, bicubic, generated and reference, and the numbers
        `held_out_psnr` and `gain` of the history. Without rows, None and no numbers.
    """
    if not rows:
        return None, {}
    panels = []
    for row in rows:
        height, width = row["reference"].shape[:2]
        low = Image.fromarray(row["low"]).resize((width, height), Image.Resampling.NEAREST)
        panels.append([np.asarray(low), row["bicubic"], row["generated"], row["reference"]])
    psnr, bicubic = (np.mean([row[key] for row in rows]) for key in ("psnr", "bicubic_psnr"))
    return closeups(panels), {"held_out_psnr": float(psnr), "gain": float(psnr - bicubic)}
