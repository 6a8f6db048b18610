"""Pixels as 8-bit integers and as floats."""

import numpy as np
from numpy.typing import ArrayLike


def to_uint8(images: ArrayLike) -> np.ndarray:
    """Round float images in 0 … 1 to 8 bits; what lies outside is clipped.

    Example:
        >>> to_uint8([0.0, 0.5, 1.2]).tolist()
        [0, 128, 255]
    """
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def generated_to_uint8(images: ArrayLike) -> np.ndarray:
    """Round a generator's images to 8 bits, as `to_uint8` does, unless its training has diverged.

    Raises:
        ValueError: if a value is not a finite number.
    """
    images = np.asarray(images, np.float32)
    if not np.isfinite(images).all():
        raise ValueError(
            "the generator produces values that are not numbers: its training diverged; train it "
            "again with a lower learning rate"
        )
    return to_uint8(images)
