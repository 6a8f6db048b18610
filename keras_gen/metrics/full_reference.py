"""Metrics of single images: closeness to a reference, and sharpness.

Every function takes float images in 0 … 1 as plain arrays, so it serves a model of any framework:
`(h, w)`, `(h, w, channels)` or a batch `(batch, h, w, channels)`. One image gives one number, a
batch gives one number per image.

`psnr`, `ssim` and `ms_ssim` compare an image with its reference, in colour or on `luma`;
`sharpness` needs no reference.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from keras_gen.metrics.arrays import as_batch, per_image

# ITU-R BT.601, as in MATLAB's rgb2ycbcr and therefore in super-resolution papers.
_LUMA_OFFSET = 16 / 255
_LUMA_WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255
_CHROMA_WEIGHTS = np.array([[-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255

# Wang, Simoncelli and Bovik (2003): the exponent of each scale of MS-SSIM, finest first.
_SCALE_WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])


def luma(image: ArrayLike) -> np.ndarray:
    """Return the brightness of a colour image as super-resolution papers measure it.

    ITU-R BT.601 luma, `16 + 65.481 R + 128.553 G + 24.966 B`, divided by 255 and not rounded.
    Black is 16/255 = 0.063 and white 235/255 = 0.922, not 0 and 1. This range is 14 % shorter than
    that of RGB, which alone makes a PSNR on luma about 1.3 dB higher than one on grey values.

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
            f"{np.shape(image)}. A grey image has no luma: use luma=False."
        )
    values = _LUMA_OFFSET + as_batch(image, "image") @ _LUMA_WEIGHTS
    return values if np.ndim(image) == 4 else values[0]


def _pair(
    image: ArrayLike, reference: ArrayLike, border: int = 0, on_luma: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Check two arrays and return them as batches, on luma and without their border if asked."""
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
            f"{(min(height, width) - 1) // 2}. Super-resolution papers use the scale: border=4 "
            "for ×4."
        )
    if on_luma:
        pair = luma(pair[0])[..., None], luma(pair[1])[..., None]
    inside = slice(border, height - border), slice(border, width - border)
    return pair[0][:, *inside], pair[1][:, *inside]


def _windowed_pair(
    image: ArrayLike, reference: ArrayLike, border: int, on_luma: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Do the same for SSIM, which also needs room for a window."""
    pair = _pair(image, reference, border, on_luma)
    height, width = pair[0].shape[1:3]
    if min(height, width) < 11:
        raise ValueError(
            f"SSIM needs windows of 11×11 pixels, and {height}×{width} are left inside a border "
            f"of {border}; use larger images or a smaller border"
        )
    return pair


def psnr(
    image: ArrayLike, reference: ArrayLike, *, border: int = 0, luma: bool = False
) -> float | np.ndarray:
    """Return the peak signal-to-noise ratio in decibels: higher is closer, infinite is equal.

    `10 log10(1 / mean((image − reference)²))`, with the mean over pixels and channels. The peak is
    1, also on luma, just as papers keep 255. To compare with super-resolution papers, use
    `luma=True` and `border=scale`, and average the decibels of the images, not their errors.

    Args:
        image: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1.
        reference: The reference, an array of the same shape.
        border: Pixels left out along every edge.
        luma: Compare the BT.601 luma of colour images rather than their three channels.

    Returns:
        Decibels: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: If the shapes differ or are not images, or `border` leaves nothing.

    Example:
        >>> round(psnr(np.full((8, 8), 0.6), np.full((8, 8), 0.5)), 3)
        20.0
    """
    ours, reference = _pair(image, reference, border, luma)
    error = np.mean((ours - reference) ** 2, axis=(1, 2, 3))
    with np.errstate(divide="ignore"):  # equal images: infinitely many decibels
        return per_image(10 * np.log10(1 / error), image)


def chroma_psnr(image: ArrayLike, reference: ArrayLike) -> float:
    """Return the peak signal-to-noise ratio of the two colour differences, in decibels.

    Cb and Cr of ITU-R BT.601, as in MATLAB's `rgb2ycbcr`; they complement `luma`. Two images that
    differ only in brightness count as equal.

    Args:
        image: Float array `(h, w, 3)` in 0 … 1.
        reference: An array of the same shape.

    Returns:
        Decibels, infinite for equal colours.

    Raises:
        ValueError: If the shapes differ or are not those of a colour image.

    Example:
        >>> grey = np.full((8, 8, 3), 0.5)
        >>> chroma_psnr(grey + 0.1, grey)
        inf

    Source: ITU-R BT.601 (1982).
    """
    ours, theirs = _pair(image, reference)
    error = np.mean(((ours - theirs) @ _CHROMA_WEIGHTS.T) ** 2)
    # Equal colours leave a rounding error, far below any difference between two files.
    return float(-10 * np.log10(error)) if error > 1e-24 else float("inf")


def ssim(
    image: ArrayLike, reference: ArrayLike, *, border: int = 0, luma: bool = False
) -> float | np.ndarray:
    """Return the structural similarity of two images: 1 is equal, about 0 is unrelated.

    scikit-image's `structural_similarity` with the settings of Wang et al.: an 11×11 Gaussian
    window of sigma 1.5, population covariance (`use_sample_covariance=False`), K1 = 0.01 and
    K2 = 0.03. The 5 pixels along the edges, where the window leaves the image, do not count. A
    colour image scores the mean over its channels.

    Args:
        image: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1, at
            least 11 pixels high and wide without the border.
        reference: The reference, an array of the same shape.
        border: Pixels left out along every edge, before windows are placed.
        luma: Compare the BT.601 luma of colour images rather than their three channels.

    Returns:
        Similarity: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: If the shapes differ or are not images, or less than 11×11 pixels are left.

    Example:
        >>> round(ssim(np.full((16, 16), 0.6), np.full((16, 16), 0.5)), 6)
        0.983609

    Source: Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment.
    """
    ours, reference = _windowed_pair(image, reference, border, luma)
    values = [
        structural_similarity(
            one,
            other,
            data_range=1,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for one, other in zip(ours, reference, strict=True)
    ]
    return per_image(np.array(values), image)


def ms_ssim(
    image: ArrayLike, reference: ArrayLike, *, border: int = 0, luma: bool = False
) -> float | np.ndarray:
    """Return the structural similarity over several scales: 1 is equal, 0 is unrelated.

    Contrast and structure are compared at five scales, each half as large as the one before (means
    of 2×2 pixels), brightness at the coarsest scale only. The result is the product of these
    factors, raised to the published exponents. Windows and constants are those of `ssim`; a
    negative factor counts as 0. Images below 176 pixels have room for fewer scales, whose exponents
    are then rescaled to add up to 1, so compare such numbers only between images of one size.

    Args:
        image: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1, at
            least 11 pixels high and wide without the border.
        reference: An array of the same shape.
        border: Pixels left out along every edge.
        luma: Compare the BT.601 luma of colour images rather than their three channels.

    Returns:
        Similarity: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: As for `ssim`.

    Example:
        >>> round(ms_ssim(np.full((16, 16), 0.6), np.full((16, 16), 0.5)), 6)
        0.983609

    Source: Wang, Simoncelli and Bovik (2003), Multiscale structural similarity.
    """
    ours, reference = _windowed_pair(image, reference, border, luma)
    scales = min(5, int(np.log2(min(ours.shape[1:3]) / 11)) + 1)
    weights = _SCALE_WEIGHTS[:scales]
    if scales < 5:
        weights = weights / weights.sum()
    similarity = np.ones((len(ours), ours.shape[-1]))
    for scale, weight in enumerate(weights):
        brightness, structure = _ssim_factors(ours, reference)
        factor = brightness * structure if scale == scales - 1 else structure
        similarity *= np.maximum(factor.mean(axis=(1, 2)), 0) ** weight
        ours, reference = _halve(ours), _halve(reference)
    return per_image(similarity.mean(axis=-1), image)


def _ssim_factors(ours: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two factors of SSIM, brightness and contrast–structure, for every full window."""

    def local_mean(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, 1.5, radius=5, axes=(1, 2))[:, 5:-5, 5:-5]

    mean_ours, mean_reference = local_mean(ours), local_mean(reference)
    variances = local_mean(ours**2 + reference**2) - mean_ours**2 - mean_reference**2
    covariance = local_mean(ours * reference) - mean_ours * mean_reference
    c1, c2 = 0.01**2, 0.03**2
    brightness = (2 * mean_ours * mean_reference + c1) / (mean_ours**2 + mean_reference**2 + c1)
    return brightness, (2 * covariance + c2) / (variances + c2)


def _halve(batch: np.ndarray) -> np.ndarray:
    """Average 2×2 pixels; an odd last row or column is left out."""
    height, width = batch.shape[1] // 2 * 2, batch.shape[2] // 2 * 2
    even = batch[:, :height, :width]
    return (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4


def sharpness(images: ArrayLike) -> float | np.ndarray:
    """Return how much fine detail an image has: 0 is flat, larger is sharper.

    The variance of the Laplacian (the sum of each pixel's four neighbours minus four times the
    pixel), without the outermost pixels, as the mean over channels. Noise and checkerboards count
    as detail, too, so compare with real images and read `checkerboard_gain` as well.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1, at
            least 3 pixels high and wide.

    Returns:
        Variance: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: If the images are not images or smaller than 3 pixels.

    Example:
        >>> sharpness(np.tile([0.0, 0.0, 1.0, 1.0], (8, 2)))
        1.0

    Source: Pech-Pacheco, Cristóbal, Chamorro-Martínez and Fernández-Valdivia (2000), Diatom
    autofocusing in brightfield microscopy.
    """
    batch = as_batch(images)
    if min(batch.shape[1:3]) < 3:
        raise ValueError(
            f"received images of {batch.shape[1]}×{batch.shape[2]} pixels; sharpness needs at "
            "least 3 a side"
        )
    across = batch[:, 1:-1, :-2] + batch[:, 1:-1, 2:]
    along = batch[:, :-2, 1:-1] + batch[:, 2:, 1:-1]
    detail = across + along - 4 * batch[:, 1:-1, 1:-1]
    return per_image(detail.var(axis=(1, 2)).mean(axis=-1), images)
