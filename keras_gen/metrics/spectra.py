"""Checkerboards and spectra: what repeats in an image, and how much of it is fine detail.

An upsampling layer of stride s treats the s×s *phases* of its output, the pixels `[a::s, b::s]`,
by different parts of its kernel. That can go wrong in two ways, and they look different:

* the phases have different **means**: a lattice even on a flat area (`checkerboard_gain`,
  `checkerboard_amplitude`, and `spectral_peaks` for the frequencies it lives at);
* the phases have different **energies**: noise and texture are stronger on some phases than on
  others, as where the kernel is no multiple of the stride (`checkerboard_energy`).

`radial_spectrum` and `spectrum_distance` look at all frequencies. Plain arrays, no Keras.
"""

import operator

import numpy as np
from numpy.typing import ArrayLike

from keras_gen.metrics.arrays import as_batch, per_image

# An image that varies less than this (float64 rounding, squared) is constant.
_CONSTANT = 1e-20


# What rounding to 8 bits adds at every frequency: no difference below it can be seen in a file.
_ROUNDING_POWER = 1 / (12 * 255**2)


def _phases(images: ArrayLike, period: int) -> np.ndarray:
    """Cut images to whole periods and give every phase an index of its own.

    Returns:
        View `(batch, h // period, period, w // period, period, channels)`; the pixel
        `[a::period, b::period]` of an image is at `[:, :, a, :, b]`.
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


def _share(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Divide by the total variance of each image; of a constant image nothing is a share."""
    total = np.where(total > _CONSTANT, total, np.inf)
    return part / total.reshape(total.shape + (1,) * (part.ndim - total.ndim))


def checkerboard_gain(images: ArrayLike, period: int = 2) -> float | np.ndarray:
    """Return the share of an image's variance that a repeating pattern makes: 0 is none.

    The phase index Φ: the variance, over the `period²` phases, of the mean of
    `x[a::period, b::period]`, over the variance of the image; channels are added up in both. A
    constant added to the image and, where the size is whole periods, `np.roll` change nothing.
    White noise scores `(period² − 1) / (h·w)`, 1.9e-5 at 400×400 and period 2; a pattern of
    amplitude a on variance v scores `a² / (v + a²)`. Read it beside the score of real images: ten
    photographs at 400×400 scored 3e-7 to 3e-5 at period 2, up to 7e-5 at 4, up to 4e-4 at 8, the
    block of JPEG.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)`.
        period: Pixels after which the pattern repeats: the stride of a layer, or the product of
            the strides of several. Period 4 includes what repeats after 2. Rows and columns past
            the last whole period are left out.

    Returns:
        Share in 0 … 1: a float for one image, an array `(batch,)` for a batch.

    Raises:
        ValueError: If the images are not images, or smaller than two periods.

    Example:
        >>> round(checkerboard_gain(np.tile([[0.4, 0.6], [0.6, 0.4]], (8, 8))), 6)
        1.0
    """
    phases = _phases(images, period)
    pattern = phases.mean(axis=(1, 3)).var(axis=(1, 2)).sum(axis=-1)
    total = phases.var(axis=(1, 2, 3, 4)).sum(axis=-1)
    return per_image(_share(pattern, total), images)


def checkerboard_amplitude(images: ArrayLike, period: int = 2) -> float | np.ndarray:
    """Return how strong a repeating pattern is, in the units of the image: 0 is none.

    The square root of what `checkerboard_gain` divides by the variance of the image: the standard
    deviation, over the phases, of their means (root mean square over channels). It does not
    depend on how lively the image is, so a pattern of ±.05 measures .05 on any photograph.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1.
        period: Pixels after which the pattern repeats, as in `checkerboard_gain`.

    Returns:
        Amplitude, 1/255 is one grey level: a float for one image, `(batch,)` for a batch.

    Raises:
        ValueError: If the images are not images, or smaller than two periods.

    Example:
        >>> round(checkerboard_amplitude(np.tile([[0.4, 0.6], [0.6, 0.4]], (8, 8))), 6)
        0.1
    """
    means = _phases(images, period).mean(axis=(1, 3))
    return per_image(np.sqrt(means.var(axis=(1, 2)).mean(axis=-1)), images)


def checkerboard_energy(noise: ArrayLike, period: int = 2) -> float | np.ndarray:
    """Return how unevenly the phases of a network's answer to noise vary: 0 is evenly.

    The energy of a phase is the variance of `x[a::period, b::period]` about its own mean, added
    up over channels; the score is the standard deviation of the `period²` energies over their
    mean. Feed the upsampling zero-mean white noise and give its output. A transposed convolution
    with kernel 3, stride 2 and random weights covers its phases with 4, 2, 2 and 1 taps and so
    scores .48; kernel 4 covers all with 4 and scores 0. Chance alone adds about
    `period · √(2 / (h·w·channels))` where the values are independent.

    The means of the phases do not enter: those are `checkerboard_gain`'s.

    Args:
        noise: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)`: what the
            layer or network makes of noise. Its range is free.
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
    return per_image(_share(energies.std(axis=(1, 2)), energies.mean(axis=(1, 2))), noise)


def spectral_peaks(
    images: ArrayLike, period: int = 2, *, over_neighbours: bool = False
) -> np.ndarray:
    """Return the power at every frequency that repeats after `period` pixels.

    Entry `[k, l]` belongs to k/period cycles a pixel downwards and l/period to the right; entry
    [0, 0], the mean, is 0. The shares add up to `checkerboard_gain`. Look at all of them, not at
    the corner [1, 1] alone: uneven overlap of kernel 3 and stride 2 puts 95 % of its power at
    [0, 1] and [1, 0].

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)`.
        period: Pixels after which the pattern repeats, as in `checkerboard_gain`.
        over_neighbours: Divide each peak by the mean power of the 48 frequencies around it rather
            than by the variance of the image: about 1 where there is no peak. Needs images of at
            least 8 periods.

    Returns:
        Float64 array `(period, period)` for one image, `(batch, period, period)` for a batch.

    Raises:
        ValueError: If the images are not images, or too small for the period.

    Example:
        >>> spectral_peaks(np.tile([[0.4, 0.6]], (16, 8)))
        array([[0., 1.],
               [0., 0.]])
    """
    phases = _phases(images, period)
    # Over whole periods, the Fourier transform at k/period is that of the means of the phases.
    means = phases.mean(axis=(1, 3))
    power = (np.abs(np.fft.fft2(means, axes=(1, 2)) / period**2) ** 2).sum(axis=-1)
    power[:, 0, 0] = 0
    if over_neighbours:
        power /= _power_around(phases) + 1e-30  # a constant image has no power around, and no peak
    else:
        power = _share(power, phases.var(axis=(1, 2, 3, 4)).sum(axis=-1))
    return power if np.ndim(images) == 4 else power[0]


def _power_around(phases: np.ndarray) -> np.ndarray:
    """Mean power of the 48 frequencies around each multiple of 1/period: (batch, period, period)"""
    batch, rows, period, columns, _, channels = phases.shape
    if min(rows, columns) < 8:
        raise ValueError(
            f"over_neighbours needs images of 8 periods, {8 * period} pixels, a side; received "
            f"{rows * period}×{columns * period}. Use over_neighbours=False."
        )
    whole = phases.reshape(batch, rows * period, columns * period, channels)
    size = whole.shape[1] * whole.shape[2]
    spectrum = (np.abs(np.fft.fft2(whole, axes=(1, 2)) / size) ** 2).sum(axis=-1)
    around = np.arange(-3, 4)
    down = (np.arange(period)[:, None] * rows + around) % whole.shape[1]
    right = (np.arange(period)[:, None] * columns + around) % whole.shape[2]
    blocks = spectrum[:, down[:, None, :, None], right[None, :, None, :]]
    blocks[..., 3, 3] = 0  # the peak itself
    return blocks.sum(axis=(-2, -1)) / 48


def radial_spectrum(images: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the power of an image by frequency, whatever the direction.

    The two-dimensional power spectrum, averaged over rings of equal frequency (azimuthally) and
    over channels. The mean is taken off and a Hann window laid on first, or the jump between
    opposite edges would drown the finest detail. Scaled so that white noise of variance v has
    power v at every frequency.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)`, at least 8
            pixels high and wide.

    Returns:
        Frequencies in cycles a pixel, `(rings,)`, from one cycle a side to .707, the corner (.5 is
        every second pixel along an axis), and the power there, `(rings,)` for one image,
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
    frequencies = np.arange(1, len(count)) / side  # ring 0 is the mean, which is gone
    power = np.array(powers)[:, 1:]
    return frequencies, power if np.ndim(images) == 4 else power[0]


def _hann(size: int) -> np.ndarray:
    """A raised cosine without a zero at either end."""
    return np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2


def spectrum_distance(images: ArrayLike, reference: ArrayLike) -> float:
    """Return how far two radial spectra are apart, in decibels: 0 is equal.

    The root mean square, over the frequencies of `radial_spectrum`, of the difference of the two
    power levels `10 log10(power)`; each spectrum is the mean over its images. So a generator that
    lacks fine detail and one that puts in too much both score. What rounding to 8 bits adds,
    1/(12·255²), is added to both, so that differences that no file can hold do not count.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1.
        reference: Real images, as many as you like, of the same size.

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
    return level_distance(*powers)


def level_distance(power: ArrayLike, reference: ArrayLike) -> float:
    """Return how far two mean spectra are apart, as `spectrum_distance` does for their images.

    For sets of images too large to hold at once: average `radial_spectrum` image by image.

    Args:
        power: Mean power by frequency, `(rings,)`.
        reference: That of real images.

    Returns:
        Decibels.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> round(level_distance([0.25, 0.5], [1.0, 2.0]), 2)
        6.02
    """
    ours, theirs = np.asarray(power, float), np.asarray(reference, float)
    if ours.shape != theirs.shape:
        raise ValueError(
            f"received spectra of shapes {ours.shape} and {theirs.shape}; expected the same, those "
            "of images of one size"
        )
    levels = [10 * np.log10(spectrum + _ROUNDING_POWER) for spectrum in (ours, theirs)]
    return float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2)))
