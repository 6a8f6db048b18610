"""How good is a generated image beside its reference? One definition for the whole project."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from skimage.color import deltaE_ciede2000, rgb2lab

from keras_gen._util.pixels import to_uint8
from keras_gen.metrics.full_reference import chroma_psnr, psnr, sharpness, ssim
from keras_gen.metrics.spectra import spectrum_distance

BORDER = 4  # pixels


@dataclass(frozen=True)
class Quality:
    """How close an image is to its reference; made by `quality`.

    A measure that needs a larger picture is None.

    Attributes:
        psnr: peak signal-to-noise ratio on luma, in dB: higher is closer.
        psnr_rgb: the same over red, green and blue.
        psnr_chroma: the same over the two colour differences, Cb and Cr.
        ssim: structural similarity on luma: 1 is equal.
        delta_e: mean CIEDE2000 colour difference: 0 is equal, 1 is just noticeable.
        sharpness: variance of the Laplacian, as a fraction of the reference's: 1 is as sharp.
        spectrum_distance: distance of the radial spectra, in dB: 0 is equal.
        border: pixels left out along every edge.
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
    """Measure an image against its reference, the way every table of this project does.

    Both images are rounded to 8 bits first, as a file would hold them, and `border` pixels along
    every edge are left out, as super-resolution papers do.

    Args:
        image: `(height, width, 3)`, uint8 or float in 0 … 1.
        reference: what it should be, of the same shape.
        border: pixels left out along every edge.

    Returns:
        The `Quality`.

    Raises:
        ValueError: if the shapes differ, or are not those of a colour image.

    Example:
        >>> reference = np.full((32, 32, 3), 100, np.uint8)
        >>> found = quality(reference + np.uint8(10), reference)
        >>> round(found.psnr_rgb, 2), round(found.psnr_chroma, 2), round(found.delta_e, 1)
        (28.13, inf, 3.8)

    References:
        Sharma, Wu and Dalal (2005), "The CIEDE2000 color-difference formula", for `delta_e`; the
        other measures name their sources where they are defined.
    """
    pair = [_eight_bits(one) for one in (image, reference)]
    if pair[0].shape != pair[1].shape or pair[0].ndim != 3 or pair[0].shape[2] != 3:
        raise ValueError(
            f"the image has shape {pair[0].shape} and the reference {pair[1].shape}; expected "
            "(height, width, 3) for both. Crop or resize one of them first."
        )
    height, width = pair[0].shape[:2]
    inside = (slice(border, height - border), slice(border, width - border))
    ours, reference = (one[inside] / 255 for one in pair)
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


def _eight_bits(image):
    image = np.asarray(image)
    return image if image.dtype == np.uint8 else to_uint8(image)


def _delta_e(ours, reference):
    if not ours.size:
        raise ValueError("nothing is left inside the border")
    return float(deltaE_ciede2000(rgb2lab(ours), rgb2lab(reference)).mean())


def _if_large_enough(measure, *images, **options):
    """A measure, or None for pictures that are too small for it."""
    try:
        return measure(*images, **options)
    except ValueError:
        return None
