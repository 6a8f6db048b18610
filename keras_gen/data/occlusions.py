"""Clouds to take away again: soft white shapes that hide part of a picture."""

import numpy as np

from keras_gen._util.arguments import as_pair

COVER = (0.15, 0.5)  # share of a picture that clouds hide, where it is not given


def clouds(
    seed: int, size: int | tuple[int, int] = 400, *, cover: float | None = None
) -> np.ndarray:
    """Draw how much clouds hide of each pixel.

    Noise whose power falls with nearly the fifth power of its frequency, so that the shapes are
    large and their rims soft, cut off at a height above which `cover` of it lies. The cores hide
    everything, the rims let something through.

    Args:
        seed: same seed, same clouds.
        size: side of the picture in pixels, or `(height, width)`.
        cover: share of the pixels that are hidden by more than a half, 0 … 1; drawn from 0.15 …
            0.5 when not given.

    Returns:
        float32 array of shape `(height, width)`: 0 is clear sky, 1 hides everything.

    Raises:
        ValueError: for a size below 1 or a cover outside 0 … 1.

    Example:
        >>> float((clouds(0, 64, cover=0.25) > 0.5).mean())
        0.25
    """
    height, width = as_pair(size)
    rng = np.random.default_rng(seed)
    share = rng.uniform(*COVER) if cover is None else cover
    if not 0 <= share <= 1:
        raise ValueError(f"cover={cover} is not a share from 0 to 1")
    down = np.fft.fftfreq(height)[:, None]
    frequency = np.hypot(down, np.fft.rfftfreq(width))
    # Shapes larger than a quarter of the picture would hide all of it or nothing.
    frequency = np.maximum(frequency, 4 / max(height, width))
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / frequency**2.4
    height_of_noise = np.fft.irfft2(spectrum, (height, width))
    spread = height_of_noise.std() or 1.0
    rise = (height_of_noise - np.quantile(height_of_noise, 1 - share)) / (0.6 * spread)
    hidden = np.clip(0.5 + rise, 0, 1)
    return (hidden**2 * (3 - 2 * hidden)).astype(np.float32)


def occlude(image: np.ndarray, seed: int, *, cover: float | None = None) -> np.ndarray:
    """Lay clouds over an image.

    Args:
        image: float32 of shape `(height, width, 3)` in 0 … 1.
        seed: same seed, same clouds.
        cover: share of the pixels that they hide, as in `clouds`.

    Returns:
        float32 array of the same shape, in 0 … 1.

    Raises:
        ValueError: as for `clouds`.

    Example:
        >>> occlude(np.zeros((64, 64, 3), np.float32), seed=0).shape
        (64, 64, 3)
    """
    hidden = clouds(seed, image.shape[:2], cover=cover)[..., None]
    white = np.random.default_rng((seed, 1)).uniform(0.86, 1.0)
    return (image * (1 - hidden) + np.float32(white) * hidden).astype(np.float32)
