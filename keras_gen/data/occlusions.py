"""Clouds for a network to remove: soft white shapes that hide part of a picture."""

import numpy as np

from keras_gen._util.arguments import as_pair

COVER = (0.15, 0.5)  # default range of the fraction of a picture that clouds hide


def clouds(
    seed: int, size: int | tuple[int, int] = 400, *, cover: float | None = None
) -> np.ndarray:
    """Render the opacity of clouds at each pixel.

    The clouds are noise whose power falls with nearly the fifth power of frequency, which gives
    large shapes with soft edges. A threshold leaves the fraction `cover` of it: the cores are
    opaque, the edges translucent.

    Args:
        seed: the same seed gives the same clouds.
        size: side of the picture in pixels, or `(height, width)`.
        cover: fraction of the pixels with an opacity above 0.5, 0 … 1. None: sampled from
            0.15 … 0.5.

    Returns:
        float32 array of shape `(height, width)`: 0 is clear sky, 1 is opaque.

    Raises:
        ValueError: if the size is below 1 or `cover` outside 0 … 1.

    Example:
        >>> float((clouds(0, 64, cover=0.25) > 0.5).mean())
        0.25
    """
    height, width = as_pair(size)
    rng = np.random.default_rng(seed)
    fraction = rng.uniform(*COVER) if cover is None else cover
    if not 0 <= fraction <= 1:
        raise ValueError(f"cover={cover} is not a fraction from 0 to 1")
    down = np.fft.fftfreq(height)[:, None]
    frequency = np.hypot(down, np.fft.rfftfreq(width))
    # Shapes larger than a quarter of the picture would hide all of it or nothing.
    frequency = np.maximum(frequency, 4 / max(height, width))
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / frequency**2.4
    noise = np.fft.irfft2(spectrum, (height, width))
    deviation = noise.std() or 1.0
    excess = (noise - np.quantile(noise, 1 - fraction)) / (0.6 * deviation)
    opacity = np.clip(0.5 + excess, 0, 1)
    return (opacity**2 * (3 - 2 * opacity)).astype(np.float32)


def occlude(image: np.ndarray, seed: int, *, cover: float | None = None) -> np.ndarray:
    """Hide part of an image behind clouds.

    Args:
        image: float32 of shape `(height, width, 3)` in 0 … 1.
        seed, cover: as in `clouds`.

    Returns:
        float32 array of the same shape, in 0 … 1.

    Raises:
        ValueError: if `cover` is outside 0 … 1.

    Example:
        >>> occlude(np.zeros((64, 64, 3), np.float32), seed=0).shape
        (64, 64, 3)
    """
    opacity = clouds(seed, image.shape[:2], cover=cover)[..., None]
    white = np.random.default_rng((seed, 1)).uniform(0.86, 1.0)
    return (image * (1 - opacity) + np.float32(white) * opacity).astype(np.float32)
