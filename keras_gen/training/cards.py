"""The card that goes with each generator: how it was trained and how good it is, in Markdown."""

import math
from collections.abc import Sequence

import keras
import numpy as np

from keras_gen._util import machine, progress
from keras_gen.metrics.image_quality import BORDER
from keras_gen.training.datasets import EVALUATION_PICTURES, EVALUATION_SIDE

MAX_NAMES = 20  # of the training images

READ_BACK = "pixels whose class is read back correctly"

HOW_MEASURED = (
    "PSNR, in dB, and SSIM are measured on luma (RGB PSNR on all three colours) of 8-bit images, a "
    f"border of {BORDER} pixels left out"
)


def card_head(
    name: str,
    model: keras.Model,
    options: dict,
    history: list[dict],
    trained_on: Sequence[str],
    command: str,
) -> list[str]:
    """Write the beginning of a card: what was trained, on what, by which command, for how long.

    Args:
        name: the generator's name.
        model: the generator.
        options: options and facts of the training, by name; a row each.
        history: of the training.
        trained_on: names of the training images.
        command: the command line.

    Returns:
        Lines of Markdown.
    """
    last = history[-1] if history else dict.fromkeys(["minutes", "cpu_minutes"], math.nan)
    rows = [
        ("command", f"`{command}`"),
        *(
            (key.replace("_", " "), str(value))
            for key, value in options.items()
            if value is not None
        ),
        ("pictures", f"{len(trained_on)}: {_listed(trained_on)}"),
        ("time", f"{last['minutes']:.1f} minutes, {last['cpu_minutes']:.1f} CPU minutes"),
        ("machine", machine.machine()),
    ]
    return [
        f"# {name}",
        "",
        f"{model.count_params():,} parameters, a functional Keras model of stock layers.",
        "",
        *_table(("", ""), rows),
    ]


def _listed(names):
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return progress.one_line(", ".join(names[:MAX_NAMES])).replace("|", "\\|") + more


def upscaling_lines(rows: list[dict], *, crops: bool) -> list[str]:
    """Write how well held-out pictures are upscaled, beside bicubic upscaling.

    Args:
        rows: what `compare_with_bicubic` returns.
        crops: whether only centre crops of a folder's pictures were evaluated.

    Returns:
        Lines of Markdown; a single empty one without rows.
    """
    if not rows:
        return [""]
    keys = ("psnr", "psnr_rgb", "psnr_chroma", "ssim", "delta_e")
    means = {"name": "**mean**"}
    for key in (*keys, *(f"bicubic_{key}" for key in keys)):
        means[key] = np.mean([row[key] for row in rows])
    table = []
    for row in [*rows, means]:
        cells = []
        for key in keys:
            digits = 4 if key == "ssim" else 2
            cells.append(f"{row[f'bicubic_{key}']:.{digits}f} → {row[key]:.{digits}f}")
        gain = f"{row['psnr'] - row['bicubic_psnr']:+.2f}"
        table.append([row["name"], cells[0], gain, *cells[1:]])
    note = (
        f" At most {EVALUATION_PICTURES} pictures are evaluated, each on its central "
        f"{EVALUATION_SIDE}×{EVALUATION_SIDE} pixels."
    )
    return [
        "Each cell shows Pillow's bicubic upscaling → this generator, on held-out pictures; the "
        f"input is Pillow's bicubic reduction. {HOW_MEASURED}. Chroma PSNR is that of the two "
        "colour differences; ΔE2000 is the mean colour difference: 0 is equal, 1 is just "
        "noticeable." + (note if crops else ""),
        "",
        *_table(("picture", "PSNR", "gain", "RGB PSNR", "chroma PSNR", "SSIM", "ΔE2000"), table),
    ]


def label_map_lines(rows: list[dict], seeds: Sequence[int]) -> list[str]:
    """Write how well aerial scenes are generated from their label maps.

    Args:
        rows: one dict a scene, as `tasks.scene_scores` returns them.
        seeds: seeds of the scenes.

    Returns:
        Lines of Markdown.
    """

    def mean(key, form):
        return f"{np.mean([row[key] for row in rows]):{form}}"

    edges = "F-score of edges within 2 pixels of the label map's"
    table = [
        ("RGB PSNR, dB", mean("psnr_rgb", ".2f"), ""),
        ("SSIM", mean("ssim", ".4f"), ""),
        ("spectrum distance, dB", mean("spectrum_distance", ".2f"), ""),
        (READ_BACK, mean("classes", ".1%"), mean("real_classes", ".1%")),
        (edges, mean("edges", ".3f"), mean("real_edges", ".3f")),
    ]
    return [
        f"The scores are means over {len(rows)} held-out scenes, of seeds {seeds[0]} to "
        f"{seeds[-1]}. {HOW_MEASURED}. A label map does not say which colour a field or a roof "
        "has, so no network can reach a high PSNR.",
        "",
        *_table(("measure", "generated", "real scenes"), table),
    ]


def inpainting_lines(rows: list[dict]) -> list[str]:
    """Write how well clouds are removed from held-out pictures.

    Args:
        rows: one dict a picture, with `name` and the scores of the generated picture, and, prefixed
            with `clouded_`, of the clouded one.

    Returns:
        Lines of Markdown.
    """
    keys = ("clouded_psnr_rgb", "psnr_rgb", "clouded_ssim", "ssim")
    columns = ("picture", "RGB PSNR with clouds", "RGB PSNR", "SSIM with clouds", "SSIM")
    return [
        f"The pictures are held out, and have clouds added. {HOW_MEASURED}.",
        "",
        *_table(columns, [[row["name"], *(f"{row[key]:.3f}" for key in keys)] for row in rows]),
    ]


def progress_lines(history: list[dict]) -> list[str]:
    """Write how a GAN's scores changed during its training, at times that double.

    Args:
        history: one dict a round, as `loop.train` returns them.

    Returns:
        Lines of Markdown; none without a history.
    """
    if not history:
        return []
    rows, next_time = [], 0.0
    for row in history:
        if row["minutes"] >= next_time or row is history[-1]:
            scores = (row[key] for key in ("swd_separate", "swd_joint", "raw_swd", "diversity"))
            shown = [f"{score:.2f}" for score in scores]
            rows.append([f"{row['minutes']:.1f}", f"{row['step']:.0f}", *shown])
        while row["minutes"] >= next_time:
            next_time = 2 * next_time or 2.0
    columns = ("minutes", "step", "SWD ÷ real, separately normalised", "jointly normalised")
    return [
        "Progress is evaluated on fewer images, so real images are further apart, too. The raw "
        "generator is the one whose weights are not averaged over steps.",
        "",
        *_table((*columns, "raw generator", "diversity ÷ real"), rows),
    ]


def gan_lines(real: dict, generated: dict, held_out: dict | None, comparison: str) -> list[str]:
    """Write what real images score, what generated ones do, and what held-out real ones do.

    Args:
        real: scores of real images, as in `Evaluator.real_scores`.
        generated: scores of generated images, as an `Evaluator` returns them. `range`, if it is
            there, holds the range of each number; `nearest` (the distance to training patches) and
            `classes` (the fraction of pixels whose class is read back) are optional.
        held_out: the scores of held-out real images in place of generated ones, if there are any.
        comparison: what was compared with what.

    Returns:
        Lines of Markdown.
    """
    rows = []
    for label, key, ratio in (
        ("SWD, separately normalised", "swd", "swd_separate"),
        ("SWD, jointly normalised", "swd_joint", "swd_joint"),
        ("diversity", "diversity", "diversity"),
    ):
        values = f"{real[key]:.3g}", f"{real[key] * generated[ratio]:.3g}"
        rows.append((label, *values, *(_with_range(one, ratio) for one in (generated, held_out))))
    explained = ""
    if "nearest" in generated:
        generated_cell, held_out_cell = (f"{one['nearest']:.3f}" for one in (generated, held_out))
        label = "nearest training patch, 5th percentile"
        rows.append((label, "", generated_cell, "", held_out_cell))
        explained = " The nearest training patch is at 0 for a copy, √2 for unrelated patches."
    if "classes" in generated:
        ratio = generated["classes"] / real["classes"]
        values = f"{real['classes']:.3f}", f"{generated['classes']:.3f}", f"{ratio:.2f}"
        rows.append((READ_BACK, *values, ""))
    for period in (2, 4):
        gains = (f"{one[f'checkerboard_{period}']:.1e}" for one in (real, generated))
        rows.append((f"checkerboard, period {period}", *gains, "", ""))
    columns = ("", "real", "generated", "generated ÷ real", "held-out real ÷ real")
    count = len(columns) if held_out else len(columns) - 1
    return [
        f"SWD is the sliced Wasserstein distance × 1000 of {comparison}. Diversity is 1 − MS-SSIM "
        "of pairs of images. Checkerboard is the fraction of variance that repeats." + explained,
        "",
        *_table(columns[:count], [row[:count] for row in rows]),
    ]


def _with_range(scores, key):
    """A number as text, with its range if that is known; nothing without scores."""
    if scores is None:
        return ""
    if "range" not in scores:
        return f"{scores[key]:.2f}"
    least, most = scores["range"][key]
    return f"{scores[key]:.2f} ({least:.2f} … {most:.2f})"


def _table(columns, rows):
    """A table in Markdown, with an empty line after it."""
    head, *body = (
        "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"
        for cells in (columns, *rows)
    )
    return [head, "|" + "---|" * len(columns), *body, ""]
