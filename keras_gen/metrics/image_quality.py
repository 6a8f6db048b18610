"""Quality of a generated image against its reference: one definition for the whole project."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from skimage.color import deltaE_ciede2000, rgb2lab

from keras_gen._util.pixels import to_uint8
from keras_gen.metrics.arrays import as_batch
from keras_gen.metrics.full_reference import chroma_psnr, psnr, sharpness, ssim
from keras_gen.metrics.spectra import spectrum_distance

BORDER = 4  # pixels left out along every edge, as in super-resolution papers for ×4


@dataclass(frozen=True)
class Quality:
    """How close an image is to its reference; returned by `quality`.

    A measure is None where the image is too small for it.

    Attributes:
        psnr: Peak signal-to-noise ratio on luma, in dB: higher is closer, infinite is equal.
        psnr_rgb: The same over red, green and blue.
        psnr_chroma: The same over the two colour differences, Cb and Cr.
        ssim: Structural similarity on luma: 1 is equal.
        delta_e: Mean CIEDE2000 colour difference: 0 is equal, 1 is just noticeable.
        sharpness: Variance of the Laplacian, as a multiple of the reference's: 1 is as sharp. None
            also where the reference is flat.
        spectrum_distance: Distance of the radial spectra, in dB: 0 is equal.
        border: Pixels left out along every edge.
    """

    psnr: float | None
    psnr_rgb: float | None
    psnr_chroma: float | None
    ssim: float | None
    delta_e: float | None
    sharpness: float | None
    spectrum_distance: float | None
    border: int


def quality(image: ArrayLike, reference: ArrayLike, *, border: int = BORDER) -> Quality:
    """Measure an image against its reference, as in every table of this project.

    Both images are first rounded to 8 bits, as in a file.

    Args:
        image: `(height, width, 3)`, uint8 or float in 0 … 1.
        reference: The ideal result, of the same shape.
        border: Pixels left out along every edge, before anything is measured.

    Returns:
        The `Quality`.

    Raises:
        ValueError: If the shapes differ or are not those of a colour image, the values are neither
            uint8 nor finite floats, or `border` is negative.

    Example:
        >>> reference = np.full((32, 32, 3), 100, np.uint8)
        >>> found = quality(reference + np.uint8(10), reference)
        >>> round(found.psnr_rgb, 2), round(found.psnr_chroma, 2), round(found.delta_e, 1)
        (28.13, inf, 3.8)

    Source: Sharma, Wu and Dalal (2005), The CIEDE2000 color-difference formula, for `delta_e`; the
    other measures name their sources where they are defined.
    """
    shape = np.shape(image)
    if shape != np.shape(reference) or len(shape) != 3 or shape[2] != 3:
        raise ValueError(
            f"the image has shape {shape} and the reference {np.shape(reference)}; expected "
            "(height, width, 3) for both. Crop or resize one of them first."
        )
    if border < 0:
        raise ValueError(f"border={border}; expected 0 or more pixels")
    inside = (slice(border, shape[0] - border), slice(border, shape[1] - border))
    ours = _eight_bits(image, "image")[inside] / 255
    reference = _eight_bits(reference, "reference")[inside] / 255
    sharp = _if_large_enough(sharpness, reference)
    return Quality(
        psnr=_if_large_enough(psnr, ours, reference, luma=True),
        psnr_rgb=_if_large_enough(psnr, ours, reference),
        psnr_chroma=_if_large_enough(chroma_psnr, ours, reference),
        ssim=_if_large_enough(ssim, ours, reference, luma=True),
        delta_e=_if_large_enough(_delta_e, ours, reference),
        sharpness=sharpness(ours) / sharp if sharp else None,
        spectrum_distance=_if_large_enough(spectrum_distance, ours, reference),
        border=border,
    )


def _eight_bits(image, name):
    image = np.asarray(image)
    return image if image.dtype == np.uint8 else to_uint8(as_batch(image, name)[0])


def _delta_e(ours, reference):
    if not ours.size:
        raise ValueError("no pixel is left inside the border")
    return float(deltaE_ciede2000(rgb2lab(ours), rgb2lab(reference)).mean())


def _if_large_enough(measure, *images, **options):
    """Return a measure, or None for images that are too small for it."""
    try:
        return measure(*images, **options)
    except ValueError:
        return None
