"""Pictures at another size: reduced, upscaled, or cropped to given proportions."""

import numpy as np
from PIL import Image

from keras_gen._util.arguments import as_pair


def reduce(image: np.ndarray, size: int | tuple[int, int]) -> np.ndarray:
    """Reduce a picture with Pillow's antialiased bicubic filter, rounded to 8 bits.

    Args:
        image: uint8 of shape `(height, width, 3)`.
        size: side, or `(height, width)`, in pixels.

    Returns:
        uint8 array of shape `(*size, 3)`.

    Raises:
        ValueError: if dtype or shape are different.

    Example:
        >>> reduce(np.zeros((400, 400, 3), np.uint8), 64).shape
        (64, 64, 3)
    """
    height, width = as_pair(size)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"received a picture of {image.dtype} and shape {image.shape}; "
            "expected uint8 of shape (height, width, 3)"
        )
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def upscale_bicubic(image: np.ndarray, size: int | tuple[int, int]) -> np.ndarray:
    """Upscale a picture with Pillow's bicubic filter, the baseline of every generator.

    Args:
        image: uint8 of shape `(height, width, 3)`.
        size: side, or `(height, width)`, in pixels.

    Returns:
        uint8 array of shape `(*size, 3)`.

    Example:
        >>> upscale_bicubic(np.zeros((64, 64, 3), np.uint8), 400).shape
        (400, 400, 3)
    """
    return reduce(image, size)  # the same filter, in the other direction


def center_crop(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Crop the largest part of given proportions from the centre of a picture.

    Args:
        picture: array of shape `(height, width, …)`.
        size: `(height, width)`, of which only the proportions matter.

    Returns:
        A view of the picture.

    Example:
        >>> center_crop(np.zeros((400, 600, 3)), (64, 64)).shape
        (400, 400, 3)
    """
    height, width = picture.shape[:2]
    unit = min(height / size[0], width / size[1])
    tall, wide = max(1, int(size[0] * unit)), max(1, int(size[1] * unit))
    top, left = (height - tall) // 2, (width - wide) // 2
    return picture[top : top + tall, left : left + wide]
