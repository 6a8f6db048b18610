"""Image files of every common kind, read as 8-bit RGB."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from keras_gen._util import progress
from keras_gen._util.files import expanded

# Pillow reads HEIC, the format of many phones, only with a plug-in; without it, the error says so.
SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
)


class UnreadableImageError(ValueError):
    """A file is missing, damaged, empty or not an image.

    Attributes:
        reason: what is wrong, without the file's name.
    """

    def __init__(self, path: str | Path, reason: str):
        super().__init__(f"{path} cannot be read: {reason}")
        self.reason = reason


def list_images(path: str | Path) -> list[Path]:
    """Find the image files in a folder and its subfolders, by their suffixes.

    Hidden files and folders, whose names begin with a dot, are left out.

    Args:
        path: a folder, or one image file.

    Returns:
        Paths in sorted order.

    Raises:
        ValueError: if the path does not exist, or no file in it has the suffix of an image.
    """
    path = expanded(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist; give a folder of images, or an image")
    if not path.is_dir():
        return [path]
    files = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and (file.is_file() or file.is_symlink())
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not files:
        raise ValueError(f"the folder {path} holds no image file ({', '.join(SUFFIXES)})")
    return files


def size_in_header(file: Path) -> tuple[int, int]:
    """Return height and width from a file's header, without reading the pixels; 0, 0 if damaged."""
    with contextlib.suppress(Exception), _without_warnings(), Image.open(file) as image:
        return image.height, image.width
    return 0, 0


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file of any common kind as 8-bit RGB; a colour profile is not applied.

    Args:
        path: the file.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Raises:
        UnreadableImageError: if the file is missing, truncated, too large or not an image; it is a
            `ValueError`.

    Example:
        pixels = read_image("holiday.jpg")
    """
    try:
        with _without_warnings(), Image.open(path) as image:
            image.load()
            with contextlib.suppress(Exception):  # damaged EXIF leaves the pixels intact
                image = ImageOps.exif_transpose(image)
            return _as_rgb(image)
    except Exception as error:  # a damaged file can make Pillow raise anything
        raise UnreadableImageError(path, _why_unreadable(path, error)) from error


@contextlib.contextmanager
def _without_warnings():
    """Silence Pillow's warnings of minor damage and of 90 megapixels; it refuses twice as many."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _why_unreadable(path, error):
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, UnidentifiedImageError):
        heic = Path(path).suffix.lower() in (".heic", ".heif")
        return "save it as JPEG or PNG" if heic else "it is empty, damaged, or no image"
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {2 * Image.MAX_IMAGE_PIXELS / 1e6:.0f} million pixels"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return progress.one_line(error) or type(error).__name__


def _as_rgb(image):
    if image.mode.startswith("I;16"):
        return _grey(np.asarray(image, np.float64) / 257)
    if image.mode in ("I", "F"):
        return _grey(_in_grey_levels(np.asarray(image, np.float64)))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB")).copy()


def _in_grey_levels(values):
    """Scale values to 0 … 255: from 0 … 1, 0 … 255, 0 … 65535, or from their own range."""
    if not np.isfinite(values).all():
        raise ValueError("it holds pixels that are not numbers")
    least, most = values.min(), values.max()
    if least < 0 or most > 65535:
        return (values - least) / ((most - least) or 1) * 255
    return values * 255 if most <= 1 else values / 257 if most > 255 else values


def _grey(values):
    grey = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
