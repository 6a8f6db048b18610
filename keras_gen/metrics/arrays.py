"""Image arrays for the metrics: checked, brought into one shape, and answered image by image."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike


def as_batch(
    images: ArrayLike, name: str = "images", *, dtype: DTypeLike = np.float64
) -> np.ndarray:
    """Check images and return them as a batch `(batch, h, w, channels)`.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` with 1 or 3
            channels, or anything that NumPy turns into one, such as a tensor.
        name: What the error message calls the array.
        dtype: The float type to compute in.

    Returns:
        Array of that type, `(batch, h, w, channels)`; the batch is 1 for a single image.

    Raises:
        ValueError: If the shape is another, or if the array is empty or holds integers, NaN or
            infinity.

    Example:
        >>> as_batch(np.zeros((400, 300))).shape
        (1, 400, 300, 1)
    """
    array = np.asarray(images)
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(
            f"{name} has dtype {array.dtype}; expected float values in 0 … 1. "
            "Divide 8-bit images by 255 first."
        )
    shape = array.shape
    if array.ndim == 2:
        array = array[None, :, :, None]
    elif array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3) or array.size == 0:
        raise ValueError(
            f"{name} has shape {shape}; expected (h, w), (h, w, channels) or "
            "(batch, h, w, channels) with 1 or 3 channels. "
            "Give a batch of grey images a last axis of 1: images[..., None]."
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds NaN or infinity; expected finite values in 0 … 1. "
            "A training that diverged produces such images."
        )
    return array.astype(dtype, copy=False)


def per_image(values: np.ndarray, images: ArrayLike) -> float | np.ndarray:
    """Return one number for a single image, an array `(batch,)` for a batch."""
    return values if np.ndim(images) == 4 else float(values[0])
