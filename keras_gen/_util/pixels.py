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
