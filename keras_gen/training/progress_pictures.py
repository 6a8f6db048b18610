"""The pictures of a training: close-ups of a round, and of a GAN samples, progress and curves."""

import io
import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gen._util import files
from keras_gen._util.figures import COLOURS, contact_sheet
from keras_gen._util.pixels import to_uint8

PROGRESS = "progress"  # folder in a training's directory, of a strip of images for each stage

STRIP_COUNT = 5  # images of a strip

STRIP_SIDE = 200  # pixels of each, about

ALT_TEXTS = (
    "Samples of the finished generator",
    "Images from the same inputs at steps that double, and in the best state",
    "Sliced Wasserstein distances, diversity and scores by minutes of training",
)


def closeups(rows: Iterable[Sequence[np.ndarray]], *, side: int = 320) -> np.ndarray:
    """Lay out centre crops of pictures in rows, on white where a picture is smaller.

    Args:
        rows: uint8 pictures `(height, width, 3)`, as many in each row.
        side: pixels of each crop.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Example:
        >>> closeups([[np.zeros((100, 80, 3), np.uint8)] * 2], side=90).shape
        (90, 186, 3)
    """
    rows = [[_centre(picture, side) for picture in row] for row in rows]
    return contact_sheet(list(itertools.chain(*rows)), columns=len(rows[0]), gap=6)


def _centre(picture, side):
    height, width = picture.shape[:2]
    crop = min(side, height, width)
    top, left = (height - crop) // 2, (width - crop) // 2
    padding = ((0, side - crop), (0, side - crop), (0, 0))
    return np.pad(picture[top : top + crop, left : left + crop], padding, constant_values=255)


def keep_stage(images: np.ndarray, directory: str | Path, step: int) -> None:
    """Keep a strip of generated images, unless the step is less than twice the last one kept.

    Args:
        images: float `(count, height, width, 3)` in 0 … 1, always from the same latents.
        directory: the training's directory.
        step: the step.
    """
    earlier = [number for number in _kept_steps(directory) if number < step]
    if not earlier or step >= 2 * earlier[-1]:
        strip = Image.fromarray(_strip(images))
        files.atomic_write(_stage_path(directory, step), strip.save)


def write_pictures(
    path: Path,
    samples: np.ndarray,
    *,
    stage: np.ndarray,
    history: list[dict],
    directory: str | Path,
    best: dict | None = None,
    columns: int = 4,
) -> list[str]:
    """Write, beside a generator, samples of it, its progress, and the curves of its training.

    Args:
        path: path of the generator; `NAME.jpg`, `NAME_progress.jpg` and `NAME_curves.png` are
            written beside it.
        samples: float `(count, height, width, 3)` in 0 … 1.
        stage: its images from the latents of `keep_stage`.
        history: rounds of the training.
        directory: the training's directory, where `keep_stage` has kept strips.
        best: the round that the generator is of; without it, there are samples only.
        columns: samples in a row.

    Returns:
        Lines of Markdown that show them.
    """
    names = [f"{path.stem}.jpg"]
    _save(Image.fromarray(contact_sheet(to_uint8(samples), columns)), path.with_name(names[0]))
    if best is not None:
        names += [f"{path.stem}_progress.jpg", f"{path.stem}_curves.png"]
        sheet = _progress_sheet(directory, history, (_when(best), _strip(stage)))
        _save(sheet, path.with_name(names[1]))
        png = curves(history, best)
        files.atomic_write(
            path.with_name(names[2]), lambda unfinished: Path(unfinished).write_bytes(png)
        )
    shown = zip(ALT_TEXTS, names, strict=False)
    return [line for alt, name in shown for line in (f"![{alt}]({name})", "")]


def _progress_sheet(directory, history, last):
    """A row for each kept stage, and for the last: a label, and a strip."""
    rounds = {int(row["step"]): row for row in history}
    rows = []
    for step in _kept_steps(directory):
        if step in rounds and _when(rounds[step]) != last[0]:
            with Image.open(_stage_path(directory, step)) as strip:
                rows.append((_when(rounds[step]), np.asarray(strip)))
    rows.append(last)
    left, gap = 110, 6
    height, width = last[1].shape[:2]
    sheet = Image.new("RGB", (left + width, len(rows) * (height + gap) - gap), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, (label, strip) in enumerate(rows):
        top = number * (height + gap)
        pen.multiline_text((4, top + height // 2), label, "black", font, anchor="lm", spacing=6)
        sheet.paste(Image.fromarray(strip), (left, top))
    return sheet


def curves(history: list[dict], best: dict | None = None) -> bytes:
    """Plot the distances, diversity and scores of a training by minutes.

    Args:
        history: one dict a round, as `loop.train` returns them.
        best: the round to mark.

    Returns:
        The contents of a PNG file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    distance, diversity, score = figure.subplots(1, 3)
    minutes = [row["minutes"] for row in history]

    def line(axis, key, label, colour, **style):
        axis.plot(minutes, [row[key] for row in history], color=colour, label=label, **style)

    line(distance, "swd_separate", "separately normalised", COLOURS[0])
    line(distance, "swd_joint", "jointly normalised", COLOURS[1])
    line(distance, "raw_swd", "raw generator, the larger", COLOURS[6], lw=0.8, ls=":")
    distance.set(yscale="log", ylabel="SWD ÷ that of real images")
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 50, 100) if tick < 2 * distance.get_ylim()[1]]
    distance.set_yticks(ticks, [str(tick) for tick in ticks])
    distance.set_yticks([], minor=True)
    distance.axhline(1, color=COLOURS[2], lw=1)
    line(diversity, "diversity", "generated", COLOURS[0])
    diversity.axhline(1, color=COLOURS[2], lw=1, label="real")
    diversity.set(ylim=(0, None), ylabel="diversity ÷ that of real images")
    line(score, "real_score", "real images", COLOURS[2])
    line(score, "fake_score", "generated images", COLOURS[1])
    score.set(ylabel="discriminator's score")
    for axis in (distance, diversity, score):
        axis.set_xlabel("minutes of training")
        if best is not None:
            axis.axvline(best["minutes"], color="0.75", lw=1, zorder=0)
        axis.legend(fontsize=8, frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=100)
    return data.getvalue()


def _kept_steps(directory):
    return sorted(int(path.stem) for path in (Path(directory) / PROGRESS).glob("[0-9]*.png"))


def _stage_path(directory, step):
    return Path(directory) / PROGRESS / f"{step:07d}.png"


def _strip(images):
    """The first images in a row, each reduced to about `STRIP_SIDE` pixels by block averages."""
    images = np.asarray(images[:STRIP_COUNT], np.float32)
    block = max(1, math.ceil(min(images.shape[1:3]) / STRIP_SIDE))
    high, wide = (side // block * block for side in images.shape[1:3])
    blocks = images[:, :high, :wide].reshape(
        len(images), high // block, block, wide // block, block, -1
    )
    return contact_sheet(to_uint8(blocks.mean((2, 4))), len(images))


def _when(row):
    return f"{row['minutes']:.1f} min\nstep {row['step']:.0f}"


def _save(picture, path):
    files.atomic_write(path, lambda unfinished: picture.save(unfinished, quality=88, optimize=True))
