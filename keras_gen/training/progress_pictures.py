"""The record of a GAN's training: the same latents again and again, samples, and the curves."""

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gen._util import files
from keras_gen._util.figures import COLOURS, contact_sheet
from keras_gen._util.pixels import to_uint8

COURSE = "course"  # the folder, in a training's, of what was generated on the way


SHOWN = 5  # images of each stage


SIDE = 200  # pixels of each there


ALTS = (
    "Samples of the finished generator",
    "What it drew from the same inputs at steps that double, and in the state that was kept",
    "Sliced Wasserstein distances, diversity and scores by minutes of training",
)


def keep(images: np.ndarray, directory: str | Path, step: int) -> None:
    """Keep what is generated at a step, unless that is less than twice the last step kept.

    Args:
        images: float `(count, height, width, 3)` in 0 … 1, always from the same latents.
        directory: the training's.
        step: the step.
    """
    folder = Path(directory) / COURSE
    earlier = [number for number in _kept(directory) if number < step]
    if not earlier or step >= 2 * earlier[-1]:
        strip = Image.fromarray(_strip(images))
        files.atomic_write(folder / f"{step:07d}.png", strip.save)


def write(
    path: Path,
    samples: np.ndarray,
    *,
    generated: np.ndarray,
    history: list[dict],
    directory: str | Path,
    best: dict | None = None,
    columns: int = 4,
) -> list[str]:
    """Write, beside a generator, samples of it, how it came to them, and the curves.

    Args:
        path: of the generator; `NAME.jpg`, `NAME_course.jpg` and `NAME_curves.png` join it.
        samples: float `(count, height, width, 3)` in 0 … 1.
        generated: what it draws from the latents of `keep`.
        history: the training's rounds; without one there is neither course nor curve.
        directory: the training's, where `keep` has kept something.
        best: the round that the generator is of.
        columns: samples a row.

    Returns:
        Lines of Markdown that show them.
    """
    names = [f"{path.stem}.jpg"]
    _save(Image.fromarray(contact_sheet(to_uint8(samples), columns)), path.with_name(names[0]))
    if best is not None:
        last = (_when(best), _strip(generated))
        names += [f"{path.stem}_course.jpg", f"{path.stem}_curves.png"]
        _save(course_sheet(directory, history, last), path.with_name(names[1]))
        files.atomic_write(
            path.with_name(names[2]), lambda beside: Path(beside).write_bytes(curves(history, best))
        )
    shown = zip(ALTS, names, strict=False)
    return [line for alt, name in shown for line in (f"![{alt}]({name})", "")]


def course_sheet(
    directory: str | Path, history: list[dict], last: tuple[str, np.ndarray]
) -> Image.Image:
    """One row for each stage that was kept, and the last: what it is, and its strip."""
    rounds = {int(row["step"]): row for row in history}
    rows = []
    for step in _kept(directory):
        if step in rounds and _when(rounds[step]) != last[0]:
            with Image.open(_place(directory, step)) as strip:
                rows.append((_when(rounds[step]), np.asarray(strip)))
    rows.append(last)
    left, gap = 110, 6
    height, width = last[1].shape[:2]
    sheet = Image.new("RGB", (left + width, len(rows) * (height + gap) - gap), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for place, (label, strip) in enumerate(rows):
        top = place * (height + gap)
        draw.multiline_text((4, top + height // 2), label, "black", font, anchor="lm", spacing=6)
        sheet.paste(Image.fromarray(strip), (left, top))
    return sheet


def curves(history: list[dict], best: dict | None = None) -> bytes:
    """Distances, diversity and scores of a training by minutes, as a PNG file.

    Args:
        history: one dict a round, as in `loop.Outcome.history`.
        best: the round to mark.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    distance, variety, score = figure.subplots(1, 3)
    minutes = [row["minutes"] for row in history]

    def line(axis, key, label, colour, **style):
        axis.plot(minutes, [row[key] for row in history], color=colour, label=label, **style)

    line(distance, "swd_separate", "separately", COLOURS[0])
    line(distance, "swd_joint", "jointly", COLOURS[1])
    line(distance, "plain_swd", "larger of both, not averaged", COLOURS[6], lw=0.8, ls=":")
    distance.set(yscale="log", ylabel="SWD over that of real images")
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 50, 100) if tick < 2 * distance.get_ylim()[1]]
    distance.set_yticks(ticks, [str(tick) for tick in ticks])
    distance.set_yticks([], minor=True)
    distance.axhline(1, color=COLOURS[2], lw=1)
    line(variety, "diversity", "generated", COLOURS[0])
    variety.axhline(1, color=COLOURS[2], lw=1, label="real")
    variety.set(ylim=(0, None), ylabel="diversity over that of real images")
    line(score, "real_score", "of real images", COLOURS[2])
    line(score, "fake_score", "of generated images", COLOURS[1])
    score.set(ylabel="discriminator's score")
    for axis in (distance, variety, score):
        axis.set_xlabel("minutes of training")
        if best is not None:
            axis.axvline(best["minutes"], color="0.75", lw=1, zorder=0)
        axis.legend(fontsize=8, frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=100)
    return data.getvalue()


def _kept(directory):
    return sorted(int(path.stem) for path in (Path(directory) / COURSE).glob("[0-9]*.png"))


def _place(directory, step):
    return Path(directory) / COURSE / f"{step:07d}.png"


def _strip(images):
    """The first images in a row, reduced to about `SIDE` pixels by averages of whole blocks."""
    images = np.asarray(images[:SHOWN], np.float32)
    block = max(1, math.ceil(min(images.shape[1:3]) / SIDE))
    high, wide = (side // block * block for side in images.shape[1:3])
    blocks = images[:, :high, :wide].reshape(
        len(images), high // block, block, wide // block, block, -1
    )
    return contact_sheet(to_uint8(blocks.mean((2, 4))), len(images))


def _when(row):
    return f"{row['minutes']:.1f} min\nstep {row['step']:.0f}"


def _save(picture, path):
    files.atomic_write(path, lambda beside: picture.save(beside, quality=88, optimize=True))
