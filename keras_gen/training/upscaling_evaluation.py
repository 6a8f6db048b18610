"""TODO: say what this module holds."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import keras
import numpy as np
from PIL import Image

from keras_gen.data import resampling
from keras_gen.data.images import Images
from keras_gen.inference import upscaling
from keras_gen.metrics import full_reference
from keras_gen.training.sources import EVALUATION_PICTURES, JUDGED_SIDE

BORDER = 4


def compare_with_bicubic(
    model: keras.Model,
    images: Images,
    scale: Fraction | int,
    *,
    resized: Callable[[keras.Model, tuple[int, int]], keras.Model] = upscaling.resized,
) -> list[dict]:
    """Judge an enlarger on whole pictures, beside Pillow's bicubic enlargement.

    Args:
        model: the generator; one of fixed size is resized to each picture, or where its layers do
            not allow that, given the middle of the picture.
        images: the pictures; each is cut to the largest size that the scale divides, and passed
            over where it is too small.
        scale: enlargement, `Fraction(25, 4)` for instance.
        resized: gives the same generator for small images of another size.

    Returns:
        One dict a picture: `name`, `psnr`, `ssim`, `bicubic_psnr`, `bicubic_ssim`, and the pictures
        `low`, `bicubic`, `drawn`, `reference` as uint8 arrays.
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
        row = {"name": name, "low": low, "reference": reference}
        row["bicubic"] = resampling.upscale_bicubic(low, high_size)
        row["generated"] = upscaling.upscale(fitting, low)
        for prefix, image in (("", row["generated"]), ("bicubic_", row["bicubic"])):
            pair = (image / 255, reference / 255)
            row[f"{prefix}psnr"] = full_reference.psnr(*pair, luma=True, border=BORDER)
            row[f"{prefix}ssim"] = full_reference.ssim(*pair, luma=True, border=BORDER)
        rows.append(row)
    return rows


def resized_or_none(model, low_size, high_size, resized=upscaling.resized):
    """The generator for another size, or None where its layers do not scale."""
    try:
        other = resized(model, low_size) if min(low_size) > 0 else None
    except ValueError:
        return None
    fits = other is not None and other.output_shape[1:3] in (high_size, (None, None))
    return other if fits else None


def means(rows: list[dict]) -> dict[str, float]:
    """Give a history's numbers, from what `compare_with_bicubic` gives."""
    psnr, bicubic = (np.mean([row[name] for row in rows]) for name in ("psnr", "bicubic_psnr"))
    return {"held_out_psnr": float(psnr), "gain": float(psnr - bicubic)}


def preview_rows(rows: list[dict]) -> Iterator[list[np.ndarray]]:
    """Give a preview's rows of pictures: input, bicubic, drawn, reference."""
    for row in rows:
        height, width = row["reference"].shape[:2]
        low = Image.fromarray(row["low"]).resize((width, height), Image.Resampling.NEAREST)
        yield [np.asarray(low), row["bicubic"], row["generated"], row["reference"]]


def upscaling_lines(rows: list[dict], *, middles: bool = False) -> list[str]:
    """Write a card's table on an enlarger.

    Args:
        rows: what `compare_with_bicubic` gives.
        middles: whether only the middles of the pictures were judged.

    Returns:
        Lines of Markdown; none without rows.
    """
    if not rows:
        return [""]
    few = f" Of at most {EVALUATION_PICTURES} pictures, the middle {JUDGED_SIDE}×{JUDGED_SIDE} pixels."
    note = few if middles else ""
    lines = [
        "Held-out pictures, PSNR in dB and SSIM on the luma of 8-bit images, a border of "
        f"{BORDER} pixels left out; the input is Pillow's bicubic reduction, and bicubic is "
        f"Pillow's enlargement of it.{note}",
        "",
        "| picture | bicubic PSNR | PSNR | gain | bicubic SSIM | SSIM |",
        "|---|---|---|---|---|---|",
    ]
    table = [[row[key] for key in ("bicubic_psnr", "psnr", "bicubic_ssim", "ssim")] for row in rows]
    names = [row["name"] for row in rows]
    for label, (bicubic, psnr, bicubic_ssim, ssim) in [
        *zip(names, table, strict=True),
        ("**mean**", np.mean(table, axis=0)),
    ]:
        lines.append(
            f"| {label} | {bicubic:.2f} | {psnr:.2f} | {psnr - bicubic:+.2f} "
            f"| {bicubic_ssim:.4f} | {ssim:.4f} |"
        )
    return [*lines, ""]
