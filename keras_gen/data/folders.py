"""TODO: say what this module holds."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from keras_gen._util.files import expanded
from keras_gen.data.image_files import UnreadableImageError, list_images, read_image, size_in_header
from keras_gen.data.images import Images, crop_weight
from keras_gen.data.resampling import reduce


def folder(
    path: str | Path,
    *,
    memory_limit: int = 2 * 2**30,
    shorter_side: int = 1024,
    progress: Callable[[Sequence[Path]], Iterable[Path]] = iter,
) -> Images:
    """Read every picture in a folder and the folders within.

    Grey, RGBA, palette, CMYK and 16-bit pictures become RGB of 8 bits; transparency is laid on
    white; a rotation written in EXIF is carried out; of an animation the first picture is taken.
    What cannot be read is skipped and named.

    All are kept in memory, because a training takes a few pixels of many pictures at every step. A
    folder that does not fit is read at a smaller size, and if that is not enough, in part.

    Args:
        path: the folder.
        memory_limit: most bytes of pixels to keep in memory.
        shorter_side: pixels to which the shorter side of larger pictures is reduced where the whole
            folder would not fit.
        progress: called with the list of files, gives them one by one (for a progress bar).

    Returns:
        The `Images`, in the order of their paths; `skipped` says what was left out and why.

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
        images.append(names[file], pixels, crop_weight(pixels))
    if not images.names:
        name, reason = images.skipped[0]
        raise ValueError(f"none of the {len(files)} files in {path} can be read; {name}: {reason}")
    left_out = set(files).difference(chosen)
    images.skipped += [(names[file], "memory is full") for file in files if file in left_out]
    return images


def _fit(files, memory_limit, shorter_side):
    """Choose what fits in memory: the files, and the shorter side to reduce to (None: as it is)."""
    sizes = [size_in_header(file) for file in files]
    if sum(3 * height * width for height, width in sizes) <= memory_limit:
        return files, None
    scales = [min(1, shorter_side / max(1, min(size))) for size in sizes]
    needed = sum(
        3 * height * width * scale**2 for (height, width), scale in zip(sizes, scales, strict=True)
    )
    share = min(1, memory_limit / needed)
    chosen = [
        file for place, file in enumerate(files) if int((place + 1) * share) > int(place * share)
    ]
    return chosen or files[:1], shorter_side
