"""How good is a generated image? Numbers for a picture, on plain arrays.

Every function takes float images in 0 … 1, so that it serves any model of any framework: `(h, w)`,
`(h, w, channels)` or a batch `(batch, h, w, channels)`. One image gives one number, a batch gives
one number per image. Nothing here imports Keras or TensorFlow.

* Against the truth: `psnr`, `ssim`, both in colour or on `luma`.
"""

import numpy as np
from numpy.typing import ArrayLike
from skimage.metrics import structural_similarity

# ITU-R BT.601, as MATLAB's rgb2ycbcr and hence the super-resolution papers use it.
_LUMA_OFFSET = 16 / 255
_LUMA_WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255


def as_batch(images: ArrayLike, name: str = "images") -> np.ndarray:
    """Check images and return them as a float64 batch `(batch, h, w, channels)`.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` with 1 or 3
            channels, or anything that NumPy turns into one, a tensor for example.
        name: What the error message calls the array.

    Returns:
        Float64 array `(batch, h, w, channels)`; the batch is 1 for a single image.

    Raises:
        ValueError: If the shape is another, the array is empty, holds integers, NaN or infinity.

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
    return array.astype(np.float64, copy=False)


def _per_image(values: np.ndarray, images: ArrayLike) -> float | np.ndarray:
    """One number for a single image, an array `(batch,)` for a batch."""
    return values if np.ndim(images) == 4 else float(values[0])


def luma(image: ArrayLike) -> np.ndarray:
    """Return the brightness of a colour image as super-resolution papers measure it.

    ITU-R BT.601 luma, `16 + 65.481 R + 128.553 G + 24.966 B`, divided by 255. So black is
    16/255 = .063 and white 235/255 = .922, not 0 and 1: the span is 16 % shorter than that of RGB,
    and a PSNR on luma is about 1.3 dB higher than on grey values for that reason alone. It is not
    rounded to 8 bits.

    Args:
        image: Float array `(…, h, w, 3)` of red, green and blue in 0 … 1.

    Returns:
        Float64 array `(…, h, w)` in 16/255 … 235/255.

    Raises:
        ValueError: If the last axis is not 3, or the values are not finite floats.

    Example:
        >>> luma(np.ones((1, 1, 3))).round(4)
        array([[0.9216]])

    Source: ITU-R BT.601 (1982), as in MATLAB's `rgb2ycbcr`.
    """
    if np.ndim(image) not in (3, 4) or np.shape(image)[-1] != 3:
        raise ValueError(
            f"luma needs a colour image (h, w, 3) or (batch, h, w, 3); received the shape "
            f"{np.shape(image)}. A grey image is compared as it is: use luma=False."
        )
    values = _LUMA_OFFSET + as_batch(image, "image") @ _LUMA_WEIGHTS
    return values if np.ndim(image) == 4 else values[0]


def _pair(
    image: ArrayLike, reference: ArrayLike, border: int, on_luma: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Check two arrays and return them as batches, on luma and shaved if asked."""
    if np.shape(image) != np.shape(reference):
        raise ValueError(
            f"the image has shape {np.shape(image)} and the reference {np.shape(reference)}; "
            "expected the same shape. Crop or resize one of them first."
        )
    pair = as_batch(image, "image"), as_batch(reference, "reference")
    height, width = pair[0].shape[1:3]
    if border < 0 or 2 * border >= min(height, width):
        raise ValueError(
            f"border={border} leaves nothing of {height}×{width} pixels; expected 0 … "
            f"{(min(height, width) - 1) // 2}. Super-resolution papers shave the scale: border=4 "
            "for ×4."
        )
    if on_luma:
        pair = luma(pair[0])[..., None], luma(pair[1])[..., None]
    inside = slice(border, height - border), slice(border, width - border)
    return pair[0][:, *inside], pair[1][:, *inside]


def psnr(
    image: ArrayLike,
    reference: ArrayLike,
    *,
    data_range: float = 1.0,
    border: int = 0,
    luma: bool = False,
) -> float | np.ndarray:
    """Return the peak signal-to-noise ratio in decibels: higher is closer, equal is infinite.

    `10 log10(data_range² / mean((image − reference)²))`, the mean over pixels and channels. To
    compare with super-resolution papers use `luma=True` and `border=scale`, and average the
    numbers of the images, not their errors.

    Args:
        image: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1.
        reference: The truth, an array of the same shape.
        data_range: The largest possible difference, 1 for images in 0 … 1. It stays 1 on luma, as
            it stays 255 in the papers.
        border: Pixels left out along every edge.
        luma: Compare the BT.601 luma of colour images rather than their three channels.

    Returns:
        Decibels: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: If the shapes differ or are not images, `border` leaves nothing, or
            `data_range` is not positive.

    Example:
        >>> round(psnr(np.full((8, 8), 0.6), np.full((8, 8), 0.5)), 3)
        20.0
    """
    if data_range <= 0:
        raise ValueError(f"data_range={data_range}; expected a positive number, 1 for 0 … 1")
    ours, truth = _pair(image, reference, border, luma)
    error = np.mean((ours - truth) ** 2, axis=(1, 2, 3))
    with np.errstate(divide="ignore"):  # equal images: infinitely many decibels
        return _per_image(10 * np.log10(data_range**2 / error), image)


def ssim(
    image: ArrayLike,
    reference: ArrayLike,
    *,
    data_range: float = 1.0,
    border: int = 0,
    luma: bool = False,
) -> float | np.ndarray:
    """Return the structural similarity of two images: 1 is equal, about 0 is unrelated.

    scikit-image's `structural_similarity` with the settings of Wang et al.: an 11×11 Gaussian
    window of sigma 1.5, population covariance (`use_sample_covariance=False`), K1 = .01, K2 = .03.
    The 5 pixels along the edges, where the window leaves the image, do not count. Colour is the
    mean over the channels.

    Args:
        image: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1, at
            least 11 pixels high and wide after shaving.
        reference: The truth, an array of the same shape.
        data_range: The largest possible difference, 1 for images in 0 … 1.
        border: Pixels left out along every edge, before the windows are laid.
        luma: Compare the BT.601 luma of colour images rather than their three channels.

    Returns:
        Similarity: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: If the shapes differ or are not images, less than 11×11 pixels are left, or
            `data_range` is not positive.

    Example:
        >>> round(ssim(np.full((16, 16), 0.6), np.full((16, 16), 0.5)), 6)
        0.983609

    Source: Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment.
    """
    if data_range <= 0:
        raise ValueError(f"data_range={data_range}; expected a positive number, 1 for 0 … 1")
    ours, truth = _pair(image, reference, border, luma)
    height, width = ours.shape[1:3]
    if min(height, width) < 11:
        raise ValueError(
            f"SSIM lays windows of 11×11 pixels and {height}×{width} are left after shaving "
            f"{border}; use larger images or a smaller border"
        )
    values = [
        structural_similarity(
            one,
            other,
            data_range=data_range,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for one, other in zip(ours, truth, strict=True)
    ]
    return _per_image(np.array(values), image)
