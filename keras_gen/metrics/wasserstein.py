"""How close is a set of generated images to a set of real ones? On plain arrays, without Keras.

`sliced_wasserstein` asks whether small patches look alike, scale by scale, on a Laplacian pyramid;
`sliced_wasserstein_floor` what real images score against real images. A generator that repeats a
few memorised images passes that test, so read `keras_gen.variety` beside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike
from scipy.ndimage import correlate1d

from keras_gen.metrics.arrays import as_batch

PATCH = 7


_COARSEST = 16  # Karras et al. stop halving here


_BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16


# Contrast (in 0 … 1) below which a patch holds nothing but rounding: never divided by less.
FLAT = 1e-5


def laplacian_pyramid(images: ArrayLike, levels: int | None = None) -> list[np.ndarray]:
    """Split images into bands of detail, each for structures twice as large as the last.

    Each level is what an image loses when it is blurred with [1, 4, 6, 4, 1]/16 along both axes,
    reduced to every second pixel and enlarged again; the last is the reduced image that is left.
    Edges are mirrored.

    Args:
        images: Float array `(h, w)`, `(h, w, channels)` or `(batch, h, w, channels)`.
        levels: Number of levels. None: as many as keep the shorter side at 16 pixels or more; for
            400×400 that is 5, of 400, 200, 100, 50 and 25 pixels.

    Returns:
        Float64 arrays `(batch, h, w, channels)`, finest first.

    Raises:
        ValueError: If the images are not images, or `levels` is not at least 1 or halves them to
            nothing.

    Example:
        >>> [level.shape[1] for level in laplacian_pyramid(np.zeros((400, 400)))]
        [400, 200, 100, 50, 25]

    Source: Burt and Adelson (1983), The Laplacian pyramid as a compact image code.
    """
    batch = as_batch(images)
    return split_bands(batch, _level_count(batch, levels))


def rebuild(pyramid: list[np.ndarray]) -> np.ndarray:
    """Return the images that a Laplacian pyramid was made of.

    Args:
        pyramid: What `laplacian_pyramid` returned.

    Returns:
        Array `(batch, h, w, channels)`, equal to the images up to rounding.

    Example:
        >>> image = np.random.default_rng(0).random((1, 50, 41, 3))
        >>> bool(np.allclose(rebuild(laplacian_pyramid(image)), image, atol=1e-14))
        True
    """
    image = pyramid[-1]
    for band in reversed(pyramid[:-1]):
        image = band + _enlarge(image, band.shape)
    return image


def _level_count(batch: np.ndarray, levels: int | None) -> int:
    """Check or choose the number of levels."""
    side = min(batch.shape[1:3])
    if levels is None:
        return max(1, int(np.log2(side / _COARSEST)) + 1)
    most = int(np.log2(side)) + 1
    if not 1 <= levels <= most:
        raise ValueError(f"levels={levels}; expected 1 … {most} for images of {side} pixels")
    return levels


def split_bands(batch: np.ndarray, levels: int) -> list[np.ndarray]:
    """The levels of `laplacian_pyramid` of a checked batch, in its own float type."""
    bands = []
    for _ in range(levels - 1):
        smaller = batch
        for axis in (1, 2):
            blurred = correlate1d(smaller, _BINOMIAL, axis=axis, mode="mirror")
            smaller = blurred[:, ::2] if axis == 1 else blurred[:, :, ::2]
        bands.append(batch - _enlarge(smaller, batch.shape))
        batch = smaller
    return [*bands, batch]


def _enlarge(batch: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros between the pixels, then the same blur: the inverse of taking every second."""
    spread = np.zeros(shape, batch.dtype)
    spread[:, ::2, ::2] = batch
    for axis in (1, 2):
        spread = correlate1d(spread, 2 * _BINOMIAL, axis=axis, mode="mirror")
    return spread


@dataclass(frozen=True)
class SlicedWasserstein:
    """Sliced Wasserstein distances of two sets of images, × 1000, level by level.

    Attributes:
        sizes: Height and width of each level, finest first.
        separate_by_level: Distances where each set is normalised by its own mean and spread, as
            published: blind to a change of brightness, contrast or hue.
        joint_by_level: Distances where both are normalised by their common mean and spread.
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

    def table(self) -> str:
        """The distances as text, a line a level."""
        rows = [
            f"{f'{height}×{width}':>10}{separate:10.1f}{joint:10.1f}"
            for (height, width), separate, joint in zip(
                self.sizes, self.separate_by_level, self.joint_by_level, strict=True
            )
        ]
        head = f"{'level':>10}{'separate':>10}{'joint':>10}"
        return "\n".join([head, *rows, f"{'mean':>10}{self.separate:10.1f}{self.joint:10.1f}"])


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
    cut, normalised by channel and projected on random directions; along each the two sets are
    sorted and compared. Of two finite samples no distance is 0: compare with
    `sliced_wasserstein_floor` at the same number of images. Use 96 images or more, and read both
    normalisations, `diversity` and `nearest_patch_distance` beside it.

    Args:
        images: Float array `(batch, h, w, channels)` in 0 … 1, generated for example.
        reference: As many images of the same size, real ones for example.
        patches: Patches per image and level. Both sets are cut at the same random places.
        directions: Directions of projection.
        levels: Levels of the pyramid, as in `laplacian_pyramid`.
        seed: Chooses places and directions: the same seed gives the same number.

    Returns:
        `SlicedWasserstein`: `.separate`, `.joint`, both by level, and `.table()`.

    Raises:
        ValueError: If the two shapes differ, or the images are not images, or the coarsest level
            is smaller than a patch.

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
            "many images of the same size. Take the first of the longer set, or crop."
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
    """Return what real images score against real images: the least a generator can hope for.

    The images are split at random into two halves, which are compared as in `sliced_wasserstein`;
    the distances are means over several splits. The floor falls as the sets grow, so it belongs to
    comparisons of *half as many* images: 192 real images give the floor for 96 against 96.

    Args:
        reference: Float array `(batch, h, w, channels)` in 0 … 1, two images or more.
        splits: Random splits to average over.
        patches: As in `sliced_wasserstein`, as are the rest.
        directions: Directions of projection.
        levels: Levels of the pyramid.
        seed: Chooses splits, places and directions.

    Returns:
        `SlicedWasserstein` with the mean distances.

    Raises:
        ValueError: If there are fewer than two images, or as for `sliced_wasserstein`.

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
    sizes, cut = _patch_levels(batch, patches, levels, seed)
    generator = np.random.default_rng(seed)
    results = []
    for split in range(splits):
        order = generator.permutation(len(batch))
        first = [level[order[:half]] for level in cut]
        second = [level[order[half : 2 * half]] for level in cut]
        results.append(_compare(sizes, first, second, directions, seed + split))
    return SlicedWasserstein(
        sizes,
        tuple(np.mean([result.separate_by_level for result in results], axis=0).tolist()),
        tuple(np.mean([result.joint_by_level for result in results], axis=0).tolist()),
    )


def _patch_levels(
    batch: np.ndarray, patches: int, levels: int | None, seed: int
) -> tuple[tuple[tuple[int, int], ...], list[np.ndarray]]:
    """Cut random patches: the level sizes, and per level (batch, patches, channels, 7, 7)."""
    if patches < 1:
        raise ValueError(f"patches={patches}; expected at least 1, 128 as published")
    levels = _level_count(batch, levels)
    generator = np.random.default_rng(seed)
    cut = [[] for _ in range(levels)]
    for image in batch:  # one at a time: the pyramids of a batch would be large
        bands = split_bands(image[None], levels)
        for found, band in zip(cut, bands, strict=True):
            found.append(random_patches(band[0], patches, generator))
    sizes = tuple((band.shape[1], band.shape[2]) for band in bands)
    return sizes, [np.stack(found) for found in cut]


def random_patches(band: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Cut patches at random places: (count, channels, 7, 7)."""
    return placed_patches(band, count, generator)[0]


def placed_patches(
    band: np.ndarray, count: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cut patches at random places: (count, channels, 7, 7), and their corners, (count, 2)."""
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
    """Distances per level, × 1000, between patches (batch, patches, channels, 7, 7)."""
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
    """Channel by channel, take off the mean of a set of patches and divide by its spread."""
    axes = (0, 1, 3, 4)
    # Summed up in float64: in float32 the mean of a constant is off by more than FLAT.
    mean = like.mean(axis=axes, keepdims=True, dtype=np.float64).astype(like.dtype)
    spread = like.std(axis=axes, keepdims=True, dtype=np.float64).astype(like.dtype)
    return (patches - mean) / np.maximum(spread, FLAT)


def sliced_distance(
    points: ArrayLike, others: ArrayLike, *, directions: int = 512, seed: int = 0
) -> float:
    """Return the sliced Wasserstein distance of two clouds of points: 0 is equal.

    The mean, over random unit directions, of the distance between the two clouds projected on that
    direction: the mean difference of their sorted values. `sliced_wasserstein` applies it to
    patches and multiplies by 1000.

    Args:
        points: Float array `(n, d)`: n points in d dimensions.
        others: As many points of the same dimension.
        directions: Number of directions.
        seed: Chooses the directions.

    Returns:
        Distance, in the units of the points.

    Raises:
        ValueError: If the shapes differ or are not `(n, d)`, or `directions` is below 1.

    Example:
        >>> points = np.random.default_rng(0).normal(size=(10_000, 5))
        >>> round(sliced_distance(points, 2 * points), 2)  # √(2/π) for a normal distribution
        0.8

    Source: Rabin, Peyré, Delon and Bernot (2011), Wasserstein barycenter and its application to
    texture mixing.
    """
    points, others = np.asarray(points), np.asarray(others)
    if points.ndim != 2 or points.shape != others.shape or points.size == 0 or directions < 1:
        raise ValueError(
            f"received points of shape {points.shape} and {others.shape} and "
            f"directions={directions}; expected two clouds (n, d) of as many points and at least 1 "
            "direction"
        )
    axes = np.random.default_rng(seed).normal(size=(directions, points.shape[1]))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    axes = axes.astype(points.dtype, copy=False)
    projected, other_projected = (np.sort(axes @ cloud.T, axis=1) for cloud in (points, others))
    return float(np.mean(np.abs(projected - other_projected), dtype=np.float64))
