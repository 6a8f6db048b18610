"""How good is a generated image? Numbers for a picture, on plain arrays.

Every function takes float images in 0 … 1, so that it serves any model of any framework: `(h, w)`,
`(h, w, channels)` or a batch `(batch, h, w, channels)`. One image gives one number, a batch gives
one number per image. Nothing here imports Keras or TensorFlow.

* Against the reference: `psnr`, `ssim`, `ms_ssim`, each in colour or on `luma`.
* Without one: `sharpness`. Checkerboards and spectra are in `keras_gen.spectra`, distances between
  whole sets of images in `keras_gen.distances`.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from keras_gen.metrics.arrays import as_batch, per_image

# ITU-R BT.601, as MATLAB's rgb2ycbcr and hence the super-resolution papers use it.
_LUMA_OFFSET = 16 / 255


_LUMA_WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255


_CHROMA_WEIGHTS = np.array([[-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
# Wang, Simoncelli and Bovik (2003): what each scale of MS-SSIM counts, finest first.
_SCALE_WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])


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
    image: ArrayLike, reference: ArrayLike, data_range: float, border: int, on_luma: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Check two arrays and return them as batches, on luma and shaved if asked."""
    if data_range <= 0:
        raise ValueError(f"data_range={data_range}; expected a positive number, 1 for 0 … 1")
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


def _windowed_pair(
    image: ArrayLike, reference: ArrayLike, data_range: float, border: int, on_luma: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The same for SSIM, which also needs room for a window."""
    pair = _pair(image, reference, data_range, border, on_luma)
    height, width = pair[0].shape[1:3]
    if min(height, width) < 11:
        raise ValueError(
            f"SSIM lays windows of 11×11 pixels and {height}×{width} are left after shaving "
            f"{border}; use larger images or a smaller border"
        )
    return pair


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
        reference: The reference, an array of the same shape.
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
    ours, reference = _pair(image, reference, data_range, border, luma)
    error = np.mean((ours - reference) ** 2, axis=(1, 2, 3))
    with np.errstate(divide="ignore"):  # equal images: infinitely many decibels
        return per_image(10 * np.log10(data_range**2 / error), image)


def chroma_psnr(image: ArrayLike, reference: ArrayLike) -> float:
    """Return the peak signal-to-noise ratio of the two colour differences, in decibels.

    The BT.601 Cb and Cr of MATLAB's `rgb2ycbcr`, which go with `luma`: two images that differ in
    brightness alone are equal to it.

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
    ours, theirs = _pair(image, reference, 1.0, 0, False)
    error = np.mean(((ours - theirs) @ _CHROMA_WEIGHTS.T) ** 2)
    # What is left of equal colours is rounding, and no colour of a file.
    return float(-10 * np.log10(error)) if error > 1e-24 else float("inf")


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
        reference: The reference, an array of the same shape.
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
    ours, reference = _windowed_pair(image, reference, data_range, border, luma)
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
        for one, other in zip(ours, reference, strict=True)
    ]
    return per_image(np.array(values), image)


def ms_ssim(
    image: ArrayLike,
    reference: ArrayLike,
    *,
    data_range: float = 1.0,
    border: int = 0,
    luma: bool = False,
) -> float | np.ndarray:
    """Return the structural similarity over several scales: 1 is equal, 0 is unrelated.

    Contrast and structure are compared at five scales, each half the last (means of 2×2 pixels),
    brightness at the coarsest alone, and the results multiplied with the published exponents.
    Windows and constants are those of `ssim`, and a negative factor counts as 0. Images under 176
    pixels have room for fewer scales: those left share the exponents, so compare such numbers only
    at one size.

    Args:
        image: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1, at
            least 11 pixels high and wide after shaving.
        reference: An array of the same shape.
        data_range: The largest possible difference, 1 for images in 0 … 1.
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
    ours, reference = _windowed_pair(image, reference, data_range, border, luma)
    scales = min(5, int(np.log2(min(ours.shape[1:3]) / 11)) + 1)
    weights = _SCALE_WEIGHTS[:scales]
    if scales < 5:
        weights = weights / weights.sum()
    similarity = np.ones((len(ours), ours.shape[-1]))
    for scale, weight in enumerate(weights):
        brightness, structure = _ssim_factors(ours, reference, data_range)
        factor = brightness * structure if scale == scales - 1 else structure
        similarity *= np.maximum(factor.mean(axis=(1, 2)), 0) ** weight
        ours, reference = _halve(ours), _halve(reference)
    return per_image(similarity.mean(axis=-1), image)


def _ssim_factors(
    ours: np.ndarray, reference: np.ndarray, data_range: float
) -> tuple[np.ndarray, np.ndarray]:
    """The two factors of SSIM, brightness and contrast-structure, at every full 11×11 window."""

    def local_mean(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, 1.5, radius=5, axes=(1, 2))[:, 5:-5, 5:-5]

    mean_ours, mean_truth = local_mean(ours), local_mean(reference)
    variances = local_mean(ours**2 + reference**2) - mean_ours**2 - mean_truth**2
    covariance = local_mean(ours * reference) - mean_ours * mean_truth
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    brightness = (2 * mean_ours * mean_truth + c1) / (mean_ours**2 + mean_truth**2 + c1)
    return brightness, (2 * covariance + c2) / (variances + c2)


def _halve(batch: np.ndarray) -> np.ndarray:
    """Means of 2×2 pixels; an odd last row or column is left out."""
    height, width = batch.shape[1] // 2 * 2, batch.shape[2] // 2 * 2
    even = batch[:, :height, :width]
    return (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4


def sharpness(images: ArrayLike) -> float | np.ndarray:
    """Return how much fine detail an image has: 0 is flat, larger is sharper.

    The variance of the Laplacian (each pixel's four neighbours less four times itself), the mean
    over channels, without the outermost pixels. Noise and checkerboards are detail to it too: read
    it beside the same number for real images, and beside `checkerboard_gain`.

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
