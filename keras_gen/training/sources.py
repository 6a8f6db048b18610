"""TODO: say what this module holds."""

import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from rich.console import Console

from keras_gen._util import arguments, files, progress
from keras_gen.data import folders, scenes
from keras_gen.data.bundled import photographs, with_synthetic_images
from keras_gen.data.images import Images

BUNDLED = ("photos", "aerial")


SCENES = 150  # aerial scenes to learn from, where there are no label maps to learn from


EVALUATION_PICTURES, JUDGED_SIDE = (
    12,
    600,
)  # of a folder's held-out pictures: how many, and how much of each


def data_name(data: str | Path, bundled: Sequence[str] = BUNDLED) -> str:
    """The data's part of a generator's name: a folder's own name, or what is bundled."""
    return str(data) if data in bundled else files.expanded(data).resolve().name


def small_size(source: int | tuple[int, int] | None, high: tuple[int, int]) -> tuple[int, int]:
    """Read the size of the small picture of a pair, 64 by default.

    Raises:
        ValueError: if it has other proportions than the large one, or is no smaller.
    """
    low = arguments.as_pair(64 if source is None else source, "source")
    shown = f"from {arguments.show_size(low)} to {arguments.show_size(high)}"
    if low[0] * high[1] != low[1] * high[0]:
        raise ValueError(f"{shown} stretches the picture; give both sizes the same proportions")
    if low[0] >= high[0]:
        raise ValueError(f"{shown} enlarges nothing; give a --from that is smaller than --size")
    return low


def crop_sizes(
    crop: int | tuple[int, int], factor: Fraction
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Give the sizes of a crop of the small picture, and of the large one that belongs to it.

    Raises:
        ValueError: if the large one would have parts of pixels.
    """
    crop = arguments.as_pair(crop, "crop")
    high = tuple(side * factor for side in crop)
    if any(side.denominator != 1 for side in high):
        raise ValueError(
            f"a crop of {arguments.show_size(crop)}, enlarged by {factor}, is no whole number of "
            f"pixels; use a multiple of {factor.denominator}"
        )
    return crop, tuple(int(side) for side in high)


def read_images(
    data: str | Path, size: tuple[int, int], memory_limit: int, console: Console
) -> tuple[Images, Images]:
    """Read the pictures to train on and those to judge by; name what is skipped.

    Args:
        data: `"photos"`, `"aerial"`, or the path of a folder.
        size: `(height, width)` of the crops to train on.
        memory_limit: most bytes of a folder's pixels to keep in memory.
        console: where progress is shown.

    Returns:
        Training and held-out pictures.

    Raises:
        ValueError: if nothing can be read or nothing is large enough.
    """

    def shown(what):
        return lambda items: progress.tracked(console, items, what)

    if data == "photos":
        if Path(data).is_dir():
            console.print("taking the bundled photographs; for the folder, write --data ./photos")
        with progress.activity(console, "reading the photographs"):
            images, held_out = photographs("train"), photographs("test")
        drawn = with_synthetic_images(images, progress=shown("drawing leaves and letters"))
        return drawn.at_least(size), held_out
    if data == "aerial":
        images, held_out = (
            scenes.aerial_images(seeds, progress=shown("drawing aerial scenes"))
            for seeds in (
                scenes.TRAINING_SCENES[:SCENES],
                scenes.HELD_OUT_SCENES[:EVALUATION_PICTURES],
            )
        )
        return images.at_least(size), held_out
    images = folders.folder(
        data,
        memory_limit=memory_limit,
        shorter_side=max(1024, 2 * max(size)),
        progress=shown("reading pictures"),
    )
    read = len(images.skipped)
    progress.print_skipped(console, images.skipped)
    images = images.at_least(size)
    progress.print_skipped(console, images.skipped[read:])
    if images.note:
        console.print(images.note)
    train, held_out = images.split(share=0.1)
    console.print(f"pictures to train on: {len(train)}, held out: {len(held_out)}")
    return train, _evaluation_crops(held_out)


def _evaluation_crops(images):
    """Some of the held-out pictures, and the middle of them, so that judging takes seconds."""
    few = Images()
    for place in range(0, len(images), -(-len(images) // EVALUATION_PICTURES) or 1):
        picture = images[place]
        size = tuple(min(side, JUDGED_SIDE) for side in picture.shape[:2])
        top, left = ((all_ - side) // 2 for all_, side in zip(picture.shape, size, strict=False))
        few.append(images.names[place], picture[top : top + size[0], left : left + size[1]], 1.0)
    return few


def picture_digest(images: Images) -> str:
    """Give a number for the pictures, by which a changed folder is noticed."""
    number = 0
    for name, picture in images:
        number = zlib.crc32(f"{name} {picture.shape} ".encode("utf-8", "replace"), number)
        number = zlib.crc32(np.ascontiguousarray(picture), number)
    return f"{number:08x}"


def short_size(size: tuple[int, int]) -> str:
    """Write a size as it stands in names: `400`, or `300x500`."""
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"
