"""Distance of a set of generated images from a set of real ones, by the patches they consist of.

`sliced_wasserstein` compares small patches scale by scale, on a Laplacian pyramid;
`sliced_wasserstein_floor` gives the score of real images against real images. A generator that
repeats a few memorised images passes this test, so use `keras_gen.metrics.diversity` and
`nearest_patch_distance` as well. All functions work on plain arrays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike
from scipy.ndimage import correlate1d

from keras_gen.metrics.arrays import as_batch

PATCH = 7  # pixels, the side of a patch

_COARSEST = 16  # pixels; Karras et al. stop halving here

_BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16

# Contrast below which a patch (of values in 0 … 1) holds only rounding errors; the least divisor.
FLAT = 1e-5


def laplacian_pyramid(batch: np.ndarray, levels: int) -> list[np.ndarray]:
    """Split images into bands of detail, each for structures twice as large as in the one before.

    Each level is the difference between an image and the same image blurred with
    [1, 4, 6, 4, 1]/16 along both axes, reduced to every second pixel and upscaled again; the last
    level is the reduced image that remains. Edges have reflect padding.

    Args:
        batch: Float array `(batch, h, w, channels)`.
        levels: Number of levels.

    Returns:
        Arrays `(batch, h, w, channels)` of the same type, finest first.

    Example:
        >>> [level.shape[1] for level in laplacian_pyramid(np.zeros((1, 400, 400, 1)), 5)]
        [400, 200, 100, 50, 25]

    Source: Burt and Adelson (1983), The Laplacian pyramid as a compact image code.
    """
    bands = []
    for _ in range(levels - 1):
        smaller = _blur(_blur(batch, 1)[:, ::2], 2)[:, :, ::2]
        # Upscaling is zeros between the pixels and the same blur, with twice the weights.
        upscaled = np.zeros_like(batch)
        upscaled[:, ::2, ::2] = smaller
        bands.append(batch - _blur(_blur(upscaled, 1, 2), 2, 2))
        batch = smaller
    return [*bands, batch]


def _blur(batch: np.ndarray, axis: int, gain: int = 1) -> np.ndarray:
    return correlate1d(batch, gain * _BINOMIAL, axis=axis, mode="mirror")


def _level_count(side: int, levels: int | None) -> int:
    """Check the number of levels, or choose it so that the coarsest has 16 pixels or more."""
    if levels is None:
        return max(1, int(np.log2(side / _COARSEST)) + 1)
    most = int(np.log2(side)) + 1
    if not 1 <= levels <= most:
        raise ValueError(f"levels={levels}; expected 1 … {most} for images of {side} pixels")
    return levels


@dataclass(frozen=True)
class SlicedWasserstein:
    """Sliced Wasserstein distances of two sets of images, × 1000, level by level.

    Attributes:
        sizes: Height and width of each level, finest first.
        separate_by_level: Distances with each set normalised by its own mean and standard
            deviation, as published; they ignore a change of brightness, contrast or hue.
        joint_by_level: Distances with both sets normalised by their common mean and standard
            deviation.
    """

    sizes: tuple[tuple[int, int], ...]
    separate_by_level: tuple[float, ...]
    joint_by_level: tuple[float, ...]

    @property
    def separate(self) -> float:
        """Mean over the levels of `separate_by_level`: the published number."""
        return float(np.mean(self.separate_by_level))

    @property
    def joint(self) -> float:
        """Mean over the levels of `joint_by_level`."""
        return float(np.mean(self.joint_by_level))


def sliced_wasserstein(
    images: ArrayLike,
    reference: ArrayLike,
    *,
    patches: int = 128,
    directions: int = 512,
    levels: int | None = None,
    seed: int = 0,
) -> SlicedWasserstein:
    """Return how differently the patches of two sets of images are distributed: 0 is equal.

    Both sets are split into Laplacian pyramids. From every image and level, random 7×7 patches are
    cropped, normalised by channel and projected on random directions; along each direction the two
    sets are sorted and compared. Two finite samples never have distance 0, so compare with
    `sliced_wasserstein_floor` for the same number of images. Use 96 images or more; look at both
    normalisations, and at `diversity` and `nearest_patch_distance`, too.

    Args:
        images: Float array `(batch, h, w, channels)` in 0 … 1, for example generated ones.
        reference: As many images of the same size, for example real ones.
        patches: Patches per image and level, at the same random places in both sets.
        directions: Directions of projection.
        levels: Levels of the Laplacian pyramid. None: as many as keep the shorter side at 16 pixels
            or more; for 400×400 that is 5, of 400, 200, 100, 50 and 25 pixels.
        seed: Chooses places and directions: the same seed gives the same number.

    Returns:
        `SlicedWasserstein` with `.separate` and `.joint`, as means and by level.

    Raises:
        ValueError: If the two shapes differ, the arrays are not images, the coarsest level is
            smaller than a patch, or `patches` or `directions` is below 1.

    Example:
        >>> images = np.random.default_rng(0).random((4, 64, 64, 3))
        >>> sliced_wasserstein(images, images).separate
        0.0

    Source: Karras, Aila, Laine and Lehtinen (2018), Progressive growing of GANs, section 5;
    Rabin, Peyré, Delon and Bernot (2011) for the slices.
    """
    ours = as_batch(images, dtype=np.float32)
    theirs = as_batch(reference, "reference", dtype=np.float32)
    if ours.shape != theirs.shape:
        raise ValueError(
            f"received images of shape {ours.shape} and a reference of {theirs.shape}; expected as "
            "many images of the same size. Shorten the longer set, or crop."
        )
    sizes, our_patches = _patch_levels(ours, patches, levels, seed)
    _, their_patches = _patch_levels(theirs, patches, levels, seed)
    return _compare(sizes, our_patches, their_patches, directions, seed)


def sliced_wasserstein_floor(
    reference: ArrayLike,
    *,
    splits: int = 5,
    patches: int = 128,
    directions: int = 512,
    levels: int | None = None,
    seed: int = 0,
) -> SlicedWasserstein:
    """Return the score of real images against real images: the best a generator can reach.

    The images are split at random into two halves, which are compared as in `sliced_wasserstein`;
    the distances are means over several splits. The floor falls as the sets grow, so it applies to
    comparisons of *half as many* images: 192 real images give the floor for 96 against 96.

    Args:
        reference: Float array `(batch, h, w, channels)` in 0 … 1, two images or more.
        splits: Random splits to average over.
        patches, directions, levels: As in `sliced_wasserstein`.
        seed: Chooses splits, places and directions.

    Returns:
        `SlicedWasserstein` with the mean distances.

    Raises:
        ValueError: If there are fewer than two images or `splits` is below 1, and as for
            `sliced_wasserstein`.

    Example:
        >>> noise = np.random.default_rng(0).random((8, 64, 64, 3))
        >>> sliced_wasserstein_floor(noise).separate > 0
        True
    """
    batch = as_batch(reference, "reference", dtype=np.float32)
    half = len(batch) // 2
    if half < 1 or splits < 1:
        raise ValueError(
            f"received {len(batch)} images and splits={splits}; expected at least 2 images to "
            "split in halves, and at least 1 split"
        )
    sizes, patch_levels = _patch_levels(batch, patches, levels, seed)
    generator = np.random.default_rng(seed)
    results = []
    for split in range(splits):
        order = generator.permutation(len(batch))
        first = [level[order[:half]] for level in patch_levels]
        second = [level[order[half : 2 * half]] for level in patch_levels]
        results.append(_compare(sizes, first, second, directions, seed + split))
    return SlicedWasserstein(
        sizes,
        tuple(np.mean([result.separate_by_level for result in results], axis=0).tolist()),
        tuple(np.mean([result.joint_by_level for result in results], axis=0).tolist()),
    )


def _patch_levels(
    batch: np.ndarray, patches: int, levels: int | None, seed: int
) -> tuple[tuple[tuple[int, int], ...], list[np.ndarray]]:
    """Crop random patches: the level sizes, and per level (batch, patches, channels, 7, 7)."""
    if patches < 1:
        raise ValueError(f"patches={patches}; expected at least 1, 128 as published")
    levels = _level_count(min(batch.shape[1:3]), levels)
    generator = np.random.default_rng(seed)
    by_level = [[] for _ in range(levels)]
    for image in batch:  # one at a time: the pyramids of a batch would be large
        bands = laplacian_pyramid(image[None], levels)
        for found, band in zip(by_level, bands, strict=True):
            found.append(sample_patches(band[0], patches, generator)[0])
    sizes = tuple((band.shape[1], band.shape[2]) for band in bands)
    return sizes, [np.stack(found) for found in by_level]


def sample_patches(
    band: np.ndarray, count: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Crop patches at random places.

    Args:
        band: Float array `(h, w, channels)`.
        count: Number of patches.
        generator: Source of the places.

    Returns:
        Patches `(count, channels, 7, 7)`, and row and column of their corners `(count, 2)`.

    Raises:
        ValueError: If the band is smaller than a patch.
    """
    if min(band.shape[:2]) < PATCH:
        raise ValueError(
            f"a pyramid level of {band.shape[0]}×{band.shape[1]} pixels has no room for a patch of "
            "7×7; use larger images or fewer levels"
        )
    windows = sliding_window_view(band, (PATCH, PATCH), axis=(0, 1))
    rows = generator.integers(windows.shape[0], size=count)
    columns = generator.integers(windows.shape[1], size=count)
    return windows[rows, columns], np.stack([rows, columns], axis=1)


def _compare(
    sizes: tuple[tuple[int, int], ...],
    ours: list[np.ndarray],
    theirs: list[np.ndarray],
    directions: int,
    seed: int,
) -> SlicedWasserstein:
    """Return the distances per level, × 1000, of patches (batch, patches, channels, 7, 7)."""
    separate, joint = [], []
    for a, b in zip(ours, theirs, strict=True):
        both = np.concatenate([a, b])
        for distances, normalised in [
            (separate, (_normalise(a, a), _normalise(b, b))),
            (joint, (_normalise(a, both), _normalise(b, both))),
        ]:
            a_points, b_points = (patches.reshape(-1, a[0, 0].size) for patches in normalised)
            distances.append(
                1000 * sliced_distance(a_points, b_points, directions=directions, seed=seed)
            )
    return SlicedWasserstein(sizes, tuple(separate), tuple(joint))


def _normalise(patches: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Subtract the mean of a set of patches and divide by its deviation, channel by channel."""
    axes = (0, 1, 3, 4)
    # Summed in float64: in float32 the mean of a constant is off by more than FLAT.
    mean = like.mean(axis=axes, keepdims=True, dtype=np.float64).astype(like.dtype)
    deviation = like.std(axis=axes, keepdims=True, dtype=np.float64).astype(like.dtype)
    return (patches - mean) / np.maximum(deviation, FLAT)


def sliced_distance(
    points: np.ndarray, others: np.ndarray, *, directions: int = 512, seed: int = 0
) -> float:
    """Return the sliced Wasserstein distance of two clouds of points: 0 is equal.

    Both clouds are projected on random unit directions. The distance along a direction is the mean
    absolute difference of the sorted projections; the result is the mean over all directions.
    `sliced_wasserstein` applies it to patches and multiplies by 1000.

    Args:
        points: Float array `(n, d)`: n points in d dimensions.
        others: Array of the same shape.
        directions: Number of directions.
        seed: Chooses the directions.

    Returns:
        Distance, in the units of the points.

    Raises:
        ValueError: If `directions` is below 1.

    Example:
        >>> points = np.random.default_rng(0).normal(size=(10_000, 5))
        >>> round(sliced_distance(points, 2 * points), 2)  # √(2/π) for a normal distribution
        0.8

    Source: Rabin, Peyré, Delon and Bernot (2011), Wasserstein barycenter and its application to
    texture mixing.
    """
    if directions < 1:
        raise ValueError(f"directions={directions}; expected at least 1, 512 as published")
    axes = np.random.default_rng(seed).normal(size=(directions, points.shape[1]))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    axes = axes.astype(points.dtype, copy=False)
    projected, other_projected = (np.sort(axes @ cloud.T, axis=1) for cloud in (points, others))
    return float(np.mean(np.abs(projected - other_projected), dtype=np.float64))
