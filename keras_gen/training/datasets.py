"""The images of each training, by the name of its data: those to train on, and those held out."""

import functools
import zlib
from pathlib import Path

import numpy as np
from rich.console import Console

from keras_gen._util import files, progress
from keras_gen.data import bundled, folders, scenes
from keras_gen.data.aerial import rendering
from keras_gen.data.batches import crop_batch
from keras_gen.data.images import Images

BUNDLED = ("photos", "aerial")  # data with the package; any other name is a folder

GAN_BUNDLED = (*BUNDLED, "hubble")

PAIR_SCENES = 150  # aerial scenes to make pairs from, where label maps are not needed

GAN_SCENES = 96  # aerial scenes to train a GAN on

EVALUATION_PICTURES = 12  # of a folder's held-out pictures

EVALUATION_SIDE = 600  # pixels of their centre crops


def normalized_data(data: str | Path) -> str:
    """The data's name as it stands among the options: without a slash at its end."""
    return str(data).rstrip("/\\") or str(data)


def data_name(data: str, bundled: tuple[str, ...] = BUNDLED) -> str:
    """The data's part of a generator's name: the name of bundled data, or a folder's own name."""
    return data if data in bundled else files.expanded(data).resolve().name


def read_images(
    data: str, size: tuple[int, int], memory: float, console: Console
) -> tuple[Images, Images]:
    """Read the images to train on and those held out, and name those that are skipped.

    Args:
        data: `"photos"`, `"aerial"`, or the path of a folder.
        size: `(height, width)` of the training crops.
        memory: GiB of a folder's pixels to keep in memory, at most.
        console: where progress is shown.

    Returns:
        Training and held-out images.

    Raises:
        ValueError: if nothing can be read or nothing is large enough.
    """
    if data == "photos":
        if Path(data).is_dir():
            console.print("using the bundled photographs; for the folder, write --data ./photos")
        with progress.activity(console, "reading the photographs"):
            images, held_out = bundled.photographs("train"), bundled.photographs("test")
        shown = _shown(console, "rendering leaves and text")
        images = bundled.with_synthetic_images(images, progress=shown)
        return images.at_least(size), held_out
    if data == "aerial":
        shown = _shown(console, "rendering aerial scenes")
        images, held_out = (
            scenes.aerial_images(seeds, progress=shown)
            for seeds in (
                scenes.TRAINING_SCENES[:PAIR_SCENES],
                scenes.HELD_OUT_SCENES[:EVALUATION_PICTURES],
            )
        )
        return images.at_least(size), held_out
    images = folders.folder(
        data,
        memory_limit=int(memory * 2**30),
        shorter_side=max(1024, 2 * max(size)),
        progress=_shown(console, "reading pictures"),
    )
    unreadable = len(images.skipped)
    progress.print_skipped(console, images.skipped)
    images = images.at_least(size)
    progress.print_skipped(console, images.skipped[unreadable:])
    if images.note:
        console.print(images.note)
    train, held_out = images.split(0.1)
    console.print(f"pictures to train on: {len(train)}, held out: {len(held_out)}")
    return train, _evaluation_crops(held_out)


def _shown(console, what):
    """A function that gives items one by one and shows how many are done."""
    return lambda items: progress.tracked(console, items, what)


def _evaluation_crops(images):
    """The centre crops of a few held-out pictures, so that an evaluation takes seconds."""
    few = Images()
    for place in range(0, len(images), -(-len(images) // EVALUATION_PICTURES) or 1):
        picture = images[place]
        size = tuple(min(side, EVALUATION_SIDE) for side in picture.shape[:2])
        top, left = ((all_ - side) // 2 for all_, side in zip(picture.shape, size, strict=False))
        few.append(images.names[place], picture[top : top + size[0], left : left + size[1]], 1.0)
    return few


def read_gan_images(
    data: str, size: tuple[int, int], memory: float, console: Console
) -> tuple[Images, bool]:
    """Read the images to train a GAN on.

    Args:
        data: `"hubble"`, `"aerial"`, `"photos"`, or the path of a folder.
        size, memory, console: as in `read_images`.

    Returns:
        The images, and whether crops of them may be turned: the sky has no up and down.

    Raises:
        ValueError: as `read_images` does.
    """
    if data == "hubble":
        sky = Images([data], [bundled.photographs("train")[data]], [1.0])
        return sky.at_least(size), True
    if data == "aerial":  # not turned: the sun never shines from below
        larger = tuple(side + side // 4 for side in size)
        seeds, shown = (
            scenes.TRAINING_SCENES[:GAN_SCENES],
            _shown(console, "rendering aerial scenes"),
        )
        return scenes.aerial_images(seeds, larger, progress=shown), False
    return read_images(data, size, memory, console)[0], False


def held_out_gan_images(data: str, size: tuple[int, int], count: int, *, seed) -> np.ndarray | None:
    """Crop real images that the GAN is not trained on.

    Args:
        data: as in `read_gan_images`.
        size: `(height, width)` in pixels.
        count: number of images.
        seed: seed of the crops.

    Returns:
        Float32 `(count, height, width, 3)` in 0 … 1, or None where the data has none.
    """
    if data == "hubble":
        sky = bundled.held_out_sky()
        fits = all(side <= whole for side, whole in zip(size, sky[0].shape, strict=False))
        return crop_batch(sky, size, count, seed=seed, turn=True) if fits else None
    if data == "aerial" and count <= len(scenes.HELD_OUT_SCENES):
        return _held_out_scenes(size, count)
    return None


@functools.lru_cache(maxsize=1)
def _held_out_scenes(size, count):
    return np.stack([rendering.scene(seed, size)[1] for seed in scenes.HELD_OUT_SCENES[:count]])


def picture_digest(images: Images) -> str:
    """Compute a checksum of images, by which a changed folder is noticed when training resumes."""
    number = 0
    for name, picture in images:
        number = zlib.crc32(f"{name} {picture.shape} ".encode("utf-8", "replace"), number)
        number = zlib.crc32(np.ascontiguousarray(picture), number)
    return f"{number:08x}"
