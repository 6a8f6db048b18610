"""Checkerboards and spectra: repeating patterns in an image, and its amount of fine detail.

An upsampling layer of stride s computes the s×s *phases* of its output, the pixels `[a::s, b::s]`,
with different parts of its kernel. This can cause two different defects:

* the phases have different **means**, which puts a lattice even on a flat area
  (`checkerboard_gain`);
* the phases have different **energies**: noise and texture are stronger in some phases than in
  others, for example where the kernel is not a multiple of the stride (`checkerboard_energy`).

`radial_spectrum` and `spectrum_distance` cover all frequencies. All functions work on plain arrays.
"""

import operator

import numpy as np
from numpy.typing import ArrayLike

from keras_gen.metrics.arrays import as_batch, per_image

# An image whose variance is below this (float64 rounding, squared) is constant.
_CONSTANT = 1e-20

# The power that rounding to 8 bits adds at every frequency: no file shows a smaller difference.
_ROUNDING_POWER = 1 / (12 * 255**2)


def _phases(images: ArrayLike, period: int) -> np.ndarray:
    """Crop images to whole periods and give every phase an index of its own.

    Returns:
        Array `(batch, h // period, period, w // period, period, channels)`; the pixels
        `[a::period, b::period]` of an image are at `[:, :, a, :, b]`.
    """
    batch = as_batch(images)
    height, width, channels = batch.shape[1:]
    period = operator.index(period)
    if period < 2 or min(height, width) < 2 * period:
        raise ValueError(
            f"period={period} on {height}×{width} pixels; expected 2 … {min(height, width) // 2}. "
            "Use the stride of the upsampling layer, 2 or 4 for most decoders."
        )
    rows, columns = height // period, width // period
    whole = batch[:, : rows * period, : columns * period]
    return whole.reshape(-1, rows, period, columns, period, channels)


def _fraction(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Divide by the total variance of each image; for a constant image the fraction is 0."""
    return part / np.where(total > _CONSTANT, total, np.inf)


def checkerboard_gain(images: ArrayLike, period: int = 2) -> float | np.ndarray:
    """Return the fraction of an image's variance that a repeating pattern causes: 0 is none.

    The variance, over the `period²` phases, of the mean of `x[a::period, b::period]`, divided by
    the variance of the image; both are summed over channels. Adding a constant changes nothing,
    nor does `np.roll` where the size is whole periods. White noise scores
    `(period² − 1) / (h·w)`, 1.9e-5 at 400×400 and period 2; a pattern of amplitude a on variance v
    scores `a² / (v + a²)`. Compare with real images: ten photographs at 400×400 score 3e-7 to 3e-5
    at period 2, up to 7e-5 at period 4 and up to 4e-4 at period 8, the block size of JPEG.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)`.
        period: Pixels after which the pattern repeats: the stride of a layer, or the product of
            the strides of several. Period 4 includes patterns of period 2. Rows and columns past
            the last whole period are left out.

    Returns:
        Fraction in 0 … 1: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: If the images are not images, or smaller than two periods.

    Example:
        >>> round(checkerboard_gain(np.tile([[0.4, 0.6], [0.6, 0.4]], (8, 8))), 6)
        1.0
    """
    phases = _phases(images, period)
    pattern = phases.mean(axis=(1, 3)).var(axis=(1, 2)).sum(axis=-1)
    total = phases.var(axis=(1, 2, 3, 4)).sum(axis=-1)
    return per_image(_fraction(pattern, total), images)


def checkerboard_energy(noise: ArrayLike, period: int = 2) -> float | np.ndarray:
    """Return how unevenly the phases of a network's response to noise vary: 0 is evenly.

    The energy of a phase is the variance of `x[a::period, b::period]` about its own mean, summed
    over channels; the score is the standard deviation of the `period²` energies divided by their
    mean. Feed zero-mean white noise to the upsampling and pass its output. A transposed convolution
    with kernel 3, stride 2 and random weights covers its phases with 4, 2, 2 and 1 taps and
    therefore scores 0.48; kernel 4 covers every phase with 4 taps and scores 0. Chance alone adds
    about `period · √(2 / (h·w·channels))` where the values are independent.

    The means of the phases do not matter here; `checkerboard_gain` measures them.

    Args:
        noise: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)`: the output
            of the layer or network for noise, in any range.
        period: Pixels after which the pattern repeats, as in `checkerboard_gain`.

    Returns:
        Coefficient of variation: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: If the images are not images, or smaller than two periods.

    Example:
        >>> noise = np.random.default_rng(0).normal(size=(400, 400))
        >>> uneven = noise * np.tile(np.sqrt([[4, 2], [2, 1]]), (200, 200))
        >>> round(checkerboard_energy(noise), 1), round(checkerboard_energy(uneven), 1)
        (0.0, 0.5)

    Source: Odena, Dumoulin and Olah (2016), Deconvolution and checkerboard artifacts, for the
    uneven overlap; the score is this project's.
    """
    energies = _phases(noise, period).var(axis=(1, 3)).sum(axis=-1)
    return per_image(_fraction(energies.std(axis=(1, 2)), energies.mean(axis=(1, 2))), noise)


def radial_spectrum(images: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the power of an image by frequency, averaged over all directions.

    The two-dimensional power spectrum, averaged over rings of equal frequency and over channels.
    The mean is subtracted and a Hann window applied first, because the jump between opposite edges
    would mask the finest detail. White noise of variance v has power v at every frequency.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)`, at least 8
            pixels high and wide.

    Returns:
        Frequencies in cycles per pixel, `(rings,)`, from one cycle per side to 0.707, the corner
        (0.5 is every second pixel along an axis), and the power at each, `(rings,)` for one image,
        `(batch, rings)` for a batch.

    Raises:
        ValueError: If the images are not images or smaller than 8 pixels.

    Example:
        >>> stripes = np.sin(2 * np.pi * 0.25 * np.arange(64)) * np.ones((64, 1))
        >>> frequency, power = radial_spectrum(stripes)
        >>> float(frequency[power.argmax()])
        0.25

    Source: Durall, Keuper and Keuper (2020), Watch your up-convolution.
    """
    batch = as_batch(images)
    height, width = batch.shape[1:3]
    if min(height, width) < 8:
        raise ValueError(
            f"received images of {height}×{width} pixels; a radial spectrum needs at least 8 a side"
        )
    window = np.outer(_hann(height), _hann(width))[:, :, None]
    window /= np.sqrt(np.mean(window**2))
    side = min(height, width)
    distance = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    ring = np.rint(distance * side).astype(int)
    count = np.bincount(ring.ravel())
    powers = []
    for image in batch:  # one at a time: the complex spectra of a batch would be large
        mean = np.average(image, axis=(0, 1), weights=np.broadcast_to(window, image.shape))
        spectrum = np.fft.fft2((image - mean) * window, axes=(0, 1))
        power = np.mean(np.abs(spectrum) ** 2, axis=-1) / (height * width)
        powers.append(np.bincount(ring.ravel(), power.ravel()) / count)
    frequencies = np.arange(1, len(count)) / side  # ring 0 is the mean, which was subtracted
    power = np.array(powers)[:, 1:]
    return frequencies, power if np.ndim(images) == 4 else power[0]


def _hann(size: int) -> np.ndarray:
    """A raised cosine without a zero at either end."""
    return np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2


def spectrum_distance(images: ArrayLike, reference: ArrayLike) -> float:
    """Return the distance of two radial spectra, in decibels: 0 is equal.

    The root mean square, over the frequencies of `radial_spectrum`, of the difference between the
    two power levels `10 log10(power)`; each spectrum is the mean over its images. Too little fine
    detail and too much of it both increase the distance. The power of rounding to 8 bits,
    1/(12·255²), is added to both, so that differences too small for a file do not count.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1.
        reference: Real images of the same size, in any number.

    Returns:
        Decibels.

    Raises:
        ValueError: If the sizes differ or the arrays are not images.

    Example:
        >>> noise = np.random.default_rng(0).normal(0.5, 0.1, (64, 64))
        >>> round(spectrum_distance(0.5 + (noise - 0.5) / 2, noise), 2)
        6.02

    Source: the spectra of Durall, Keuper and Keuper (2020), compared as log-spectral distance
    (Gray and Markel, 1976).
    """
    ours, theirs = as_batch(images), as_batch(reference, "reference")
    if ours.shape[1:3] != theirs.shape[1:3]:
        raise ValueError(
            f"received images of {ours.shape[1]}×{ours.shape[2]} and a reference of "
            f"{theirs.shape[1]}×{theirs.shape[2]} pixels; expected the same size. Crop or resize."
        )
    powers = [radial_spectrum(batch)[1].mean(axis=0) for batch in (ours, theirs)]
    levels = [10 * np.log10(power + _ROUNDING_POWER) for power in powers]
    return float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2)))
