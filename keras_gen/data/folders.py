"""The reader's own pictures: all that a folder holds."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from keras_gen._util.files import expanded
from keras_gen.data.image_files import UnreadableImageError, list_images, read_image, size_in_header
from keras_gen.data.images import Images
from keras_gen.data.resampling import reduce


def folder(
    path: str | Path,
    *,
    memory_limit: int = 2 * 2**30,
    shorter_side: int = 1024,
    progress: Callable[[Sequence[Path]], Iterable[Path]] = iter,
) -> Images:
    """Read every picture in a folder and its subfolders.

    Grey, RGBA, palette, CMYK and 16-bit pictures become 8-bit RGB. Transparent pixels become white,
    a rotation stored in EXIF is applied, and an animation contributes its first picture. Files that
    cannot be read are skipped and named.

    All pictures are kept in memory, because every training step takes a few pixels of many of them.
    If a folder does not fit, large pictures are reduced, and if that is not enough, only some are
    read.

    Args:
        path: the folder.
        memory_limit: the most bytes of pixels to keep in memory.
        shorter_side: pixels to which the shorter side of larger pictures is reduced if the folder
            does not fit.
        progress: wraps the sequence of files to read, for a progress bar.

    Returns:
        The `Images`, in the order of their paths; `skipped` names what was left out and why.

    Raises:
        ValueError: if the folder is missing, is a file, or holds no picture that can be read.

    Example:
        images = folder("my_photos")
        print(len(images), "images;", images.skipped)
    """
    if not str(path):
        raise ValueError("the name of the folder is empty; give the folder that holds the images")
    path = expanded(path)
    if path.is_file():
        raise ValueError(f"{path} is a file; give the folder that holds the images")
    files = list_images(path)
    names = {file: str(file.relative_to(path)) for file in files}
    images, chosen, most = Images(), *_fit(files, memory_limit, shorter_side)
    if most is not None:
        images.note = (
            f"the pictures take more than {memory_limit / 2**30:.1f} GiB of memory: larger ones "
            f"are reduced to {most} pixels on the shorter side"
        )
    for file in progress(chosen):
        try:
            pixels = read_image(file)
        except UnreadableImageError as error:
            images.skipped.append((names[file], error.reason))
            continue
        if most is not None and min(pixels.shape[:2]) > most:
            factor = most / min(pixels.shape[:2])
            pixels = reduce(pixels, tuple(round(side * factor) for side in pixels.shape[:2]))
        images.append(names[file], pixels)
    if not images.names:
        name, reason = images.skipped[0]
        raise ValueError(f"none of the {len(files)} files in {path} can be read; {name}: {reason}")
    left_out = set(files).difference(chosen)
    images.skipped += [(names[file], "memory is full") for file in files if file in left_out]
    return images


def _fit(files, memory_limit, shorter_side):
    """Choose the files that fit in memory, and the shorter side to reduce to (None: no limit)."""
    sizes = [size_in_header(file) for file in files]
    if sum(3 * height * width for height, width in sizes) <= memory_limit:
        return files, None
    scales = [min(1, shorter_side / max(1, min(size))) for size in sizes]
    needed = sum(
        3 * height * width * scale**2 for (height, width), scale in zip(sizes, scales, strict=True)
    )
    fraction = min(1, memory_limit / needed)
    chosen = [  # evenly from the whole folder
        file
        for place, file in enumerate(files)
        if int((place + 1) * fraction) > int(place * fraction)
    ]
    return chosen or files[:1], shorter_side
