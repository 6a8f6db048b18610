"""Are generated images different from each other, and from the images they were trained on?

A generator can draw patches that look just right (`keras_gen.distances`) and still draw one image
again and again (`diversity`), or its training images (`nearest_patch_distance`). Plain arrays, no
Keras.
"""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from keras_gen.metrics.arrays import as_batch
from keras_gen.metrics.full_reference import ms_ssim
from keras_gen.metrics.wasserstein import FLAT, PATCH, placed_patches, split_bands


def diversity(images: ArrayLike, *, pairs: int = 100, luma: bool = False, seed: int = 0) -> float:
    """Return how different images are from each other: 0 is all the same, about 1 unrelated.

    One less the mean `ms_ssim` of pairs of images. A generator that has collapsed scores far below
    real images; compare with their diversity at the same number and size.

    Args:
        images: Float array `(batch, h, w, channels)` in 0 … 1, two images or more.
        pairs: Random pairs to compare; all of them where there are no more.
        luma: Compare the brightness only: three times as fast, blind to hue.
        seed: Chooses the pairs.

    Returns:
        1 − mean MS-SSIM.

    Raises:
        ValueError: If there are fewer than two images or `pairs` is below 1.

    Example:
        >>> diversity(np.full((3, 64, 64, 3), 0.5))
        0.0

    Source: Odena, Olah and Shlens (2017), Conditional image synthesis with auxiliary classifier
    GANs; Wang, Simoncelli and Bovik (2003) for MS-SSIM.
    """
    batch = as_batch(images, dtype=np.float32)
    count = len(batch)
    if count < 2 or pairs < 1:
        raise ValueError(
            f"received {count} images and pairs={pairs}; diversity compares at least 2 images in "
            "at least 1 pair"
        )
    if count * (count - 1) // 2 <= pairs:
        chosen = list(itertools.combinations(range(count), 2))
    else:
        generator = np.random.default_rng(seed)
        first = generator.integers(count, size=pairs)
        chosen = zip(first, (first + generator.integers(1, count, size=pairs)) % count, strict=True)
    return 1 - float(np.mean([ms_ssim(batch[a], batch[b], luma=luma) for a, b in chosen]))


def nearest_patch_distance(
    images: ArrayLike,
    training: ArrayLike,
    *,
    level: int = 2,
    patches: int = 1000,
    shifts: int | None = None,
    turned: bool = False,
    percentile: float = 5,
    seed: int = 0,
) -> float:
    """Return how far generated patches are from the nearest training patch: 0 is copied.

    From one level of the Laplacian pyramid of the generated images, random 7×7 patches are cut; of
    each image the half with more contrast is kept, because flat patches match anywhere. Each is
    compared with *every* patch of that level of the training images; both are freed of their mean
    and scaled to length 1, so that 0 is equal, √2 unrelated. The 5th percentile of the nearest
    distances is low as soon as a twentieth of what is generated was copied. What counts as low depends
    on the data: compare with real images that were held out of the training.

    Args:
        images: Float array `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1.
        training: The images the generator learned from; their size and number may differ.
        level: Level of the pyramid, 0 the finest. At 2 a patch spans 28 pixels.
        patches: Patches cut in all, evenly from the images.
        shifts: A copy may be moved by any number of pixels, but the level only has every
            `2**level`-th; so this many shifts of the training images are searched along each
            axis. None: all `2**level`. 1: only copies that were not moved, `4**level` times faster.
        turned: Search for mirrored and quarter-turned copies, too, for a generator trained with
            such augmentation.
        percentile: Which percentile of the distances to return.
        seed: Chooses the patches.

    Returns:
        Distance, 0 … 2.

    Raises:
        ValueError: If the arrays are not images or differ in channels, the level has no room for a
            patch, or `shifts` is not in 1 … `2**level`.

    Example:
        >>> image = np.random.default_rng(0).random((96, 96, 3))
        >>> nearest_patch_distance(image[8:72, 16:80], image, patches=100) < 0.1
        True

    Source: the patches of Karras et al. (2018); the search and the score are this project's.
    """
    matches = nearest_patches(
        images,
        training,
        level=level,
        patches=patches,
        shifts=shifts,
        turned=turned,
        seed=seed,
    )
    return float(np.percentile(matches.distance, percentile))


class PatchMatches(NamedTuple):
    """Patches of images, each with the training patch that is nearest to it.

    Attributes:
        distance: float `(count,)`: 0 is equal, √2 unrelated.
        generated: int `(count, 3)`: the image, and row and column of the patch's corner in pixels.
        training: int `(count, 3)`: the same of the training patch.
        turn: int `(count,)`: quarter turns that bring the training patch to the other, 0 … 3, and
            4 more where it is mirrored, left to right, after that.
        side: pixels from the middle of a patch's first to that of its last, both counted.
    """

    distance: np.ndarray
    generated: np.ndarray
    training: np.ndarray
    turn: np.ndarray
    side: int

    def cut(
        self, place: int, images: ArrayLike, training: ArrayLike, *, margin: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cut one patch and its nearest, turned alike, from the images that were compared.

        Args:
            place: which, 0 … count - 1.
            images, training: as given to `nearest_patches`.
            margin: pixels to show around each; less near an edge, where both are moved inwards.

        Returns:
            Two arrays `(side + 2 * margin, side + 2 * margin, channels)`.
        """
        ours = _around(as_batch(images), self.generated[place], self.side, margin)
        theirs = _around(as_batch(training, "training"), self.training[place], self.side, margin)
        theirs = np.rot90(theirs, self.turn[place] % 4)
        return ours, theirs[:, ::-1] if self.turn[place] >= 4 else theirs


def nearest_patches(
    images: ArrayLike,
    training: ArrayLike,
    *,
    level: int = 2,
    patches: int = 1000,
    shifts: int | None = None,
    turned: bool = False,
    seed: int = 0,
) -> PatchMatches:
    """Find the training patch that is nearest to each of some patches of generated images.

    Args:
        images, training, level, patches, shifts, turned, seed: as in `nearest_patch_distance`,
            which says how patches are chosen and compared.

    Returns:
        Distances and places; half as many as `patches`.

    Raises:
        ValueError: as `nearest_patch_distance`.

    Example:
        >>> image = np.random.default_rng(0).random((96, 96, 3))
        >>> matches = nearest_patches(image[8:72, 16:80], image, patches=10)
        >>> (matches.training - matches.generated)[0]
        array([ 0,  8, 16])
    """
    ours = as_batch(images, dtype=np.float32)
    theirs = as_batch(training, "training", dtype=np.float32)
    shifts = 2**level if shifts is None else shifts
    if ours.shape[-1] != theirs.shape[-1] or not 1 <= shifts <= 2**level or patches < 2:
        raise ValueError(
            f"received {ours.shape[-1]} and {theirs.shape[-1]} channels, shifts={shifts} at level "
            f"{level} and patches={patches}; expected as many channels in both, 1 … {2**level} "
            "shifts and at least 2 patches"
        )
    generator = np.random.default_rng(seed)
    each = -(-patches // len(ours))
    queries, generated = [], []
    for number, image in enumerate(ours):
        cut, corners = placed_patches(_band(image, level), each, generator)
        cut = cut - cut.mean(axis=(1, 2, 3), keepdims=True)
        contrast = np.sqrt(np.sum(cut**2, axis=(1, 2, 3)))
        lively = contrast >= np.median(contrast)
        queries.append(cut[lively] / np.maximum(contrast[lively, None, None, None], FLAT))
        generated.append(np.insert(corners[lively] * 2**level, 0, number, axis=1))
    queries = np.concatenate(queries)
    versions = _turns(queries) if turned else queries[None]
    best = np.full(len(queries), -1, np.float32)
    training_places, turns = np.zeros((len(queries), 3), int), np.zeros(len(queries), int)
    for number, image in enumerate(theirs):
        for down, right in itertools.product(range(shifts), repeat=2):
            found, corners = _best_match(versions, _band(image[down:, right:], level))
            turn = found.argmax(axis=0)
            found, corners = (part[turn, np.arange(len(turn))] for part in (found, corners))
            nearer = found > best
            best[nearer], turns[nearer] = found[nearer], turn[nearer]
            corners = corners[nearer] * 2**level + (down, right)
            training_places[nearer] = np.insert(corners, 0, number, axis=1)
    # |a − b|² = 2 − 2 a·b for vectors of length 1.
    distance = np.sqrt(np.maximum(2 - 2 * best, 0))
    # Version 4 m + k of a patch was mirrored m times, then turned k times; so it is undone.
    back = np.where(turns < 4, -turns % 4, 4 + -turns % 4)
    side = (PATCH - 1) * 2**level + 1
    return PatchMatches(distance, np.concatenate(generated), training_places, back, side)


def _around(batch: np.ndarray, place: np.ndarray, side: int, margin: int) -> np.ndarray:
    """A square of one image, moved inwards where it would stand over."""
    image, *corner = place
    side = side + 2 * margin
    top, left = (
        max(0, min(start - margin, whole - side))
        for start, whole in zip(corner, batch.shape[1:3], strict=True)
    )
    return batch[image, top : top + side, left : left + side]


def _band(image: np.ndarray, level: int) -> np.ndarray:
    """One level (h, w, channels) of the Laplacian pyramid of one image."""
    if min(image.shape[:2]) < PATCH * 2 ** (level + 1):
        raise ValueError(
            f"level {level} of an image of {image.shape[0]}×{image.shape[1]} pixels has no room "
            f"for 7×7 patches; expected at least {PATCH * 2 ** (level + 1)} pixels a side, or a "
            "lower level"
        )
    return split_bands(image[None], level + 2)[level][0]


def _turns(patches: np.ndarray) -> np.ndarray:
    """The eight mirrored and turned versions of square patches: (8, n, channels, side, side)."""
    return np.stack(
        [
            np.rot90(version, quarters, axes=(2, 3))
            for version in (patches, patches[..., ::-1])
            for quarters in range(4)
        ]
    )


def _best_match(queries: np.ndarray, band: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest correlation of each query with any patch of a band, and that patch's corner.

    (versions, n) and (versions, n, 2).

    The queries (versions, n, channels, 7, 7) have mean 0 and length 1.
    """
    windows = sliding_window_view(band, (PATCH, PATCH), axis=(0, 1))
    candidates = windows.reshape(-1, queries[0, 0].size)
    # The queries have mean 0, so the candidates' means need not be taken off, only out of lengths.
    squares = np.einsum("nd,nd->n", candidates, candidates)
    squares -= candidates.mean(axis=1) ** 2 * candidates.shape[1]
    scaled = candidates / np.sqrt(np.maximum(squares, FLAT**2))[:, None]
    best, corners = [], []
    for version in queries:
        products = version.reshape(len(version), -1) @ scaled.T
        places = products.argmax(axis=1)
        best.append(products[np.arange(len(places)), places])
        corners.append(np.stack(np.unravel_index(places, windows.shape[:2]), axis=1))
    return np.array(best), np.array(corners)
