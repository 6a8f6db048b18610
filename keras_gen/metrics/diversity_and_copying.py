"""Diversity of generated images, and how close they are to the images that a generator trained on.

A generator can produce realistic patches (`sliced_wasserstein`) and still repeat a single image
(`diversity`) or its training images (`nearest_patch_distance`). All functions work on arrays.
"""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from keras_gen.metrics.arrays import as_batch
from keras_gen.metrics.full_reference import ms_ssim
from keras_gen.metrics.wasserstein import FLAT, PATCH, laplacian_pyramid, sample_patches


def diversity(images: ArrayLike, *, pairs: int = 100, luma: bool = False, seed: int = 0) -> float:
    """Return how different images are from each other: 0 is all the same, about 1 is unrelated.

    One minus the mean `ms_ssim` of pairs of images. After a mode collapse a generator scores far
    below real images; compare with as many real images of the same size.

    Args:
        images: Float array `(batch, h, w, channels)` in 0 … 1, two images or more.
        pairs: Number of random pairs to compare; every pair where there are no more.
        luma: Compare the brightness only, which is three times as fast and ignores hue.
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
            f"received {count} images and pairs={pairs}; diversity needs at least 2 images and "
            "1 pair"
        )
    if count * (count - 1) // 2 <= pairs:
        chosen = list(itertools.combinations(range(count), 2))
    else:
        generator = np.random.default_rng(seed)
        first = generator.integers(count, size=pairs)
        chosen = zip(first, (first + generator.integers(1, count, size=pairs)) % count, strict=True)
    return 1 - float(np.mean([ms_ssim(batch[a], batch[b], luma=luma) for a, b in chosen]))


def nearest_patch_distance(images: ArrayLike, training: ArrayLike, **search) -> float:
    """Return the distance of generated patches from the nearest training patches: 0 is copied.

    The 5th percentile of the distances of `nearest_patches`, which is low as soon as one patch in
    twenty was copied. How low depends on the data: compare with real images held out of the
    training.

    Args:
        images: Float array `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1.
        training: The images the generator was trained on; their size and number may differ.
        search: The options of `nearest_patches`.

    Returns:
        Distance, 0 … 2.

    Raises:
        ValueError: As `nearest_patches` does.

    Example:
        >>> image = np.random.default_rng(0).random((96, 96, 3))
        >>> nearest_patch_distance(image[8:72, 16:80], image, patches=100) < 0.1
        True
    """
    return float(np.percentile(nearest_patches(images, training, **search).distance, 5))


class PatchMatches(NamedTuple):
    """Patches of generated images, each with the nearest training patch.

    Attributes:
        distance: Float `(count,)`: 0 is equal, √2 is unrelated.
        generated: Int `(count, 3)`: the image, and row and column of the patch's corner in pixels.
        training: Int `(count, 3)`: the same of the training patch.
        turn: Int `(count,)`: quarter turns that align the training patch with the generated one,
            0 … 3, plus 4 where it is then flipped left to right.
        side: Pixels of the image from the centre of a patch's first pixel to that of its last, both
            included.
    """

    distance: np.ndarray
    generated: np.ndarray
    training: np.ndarray
    turn: np.ndarray
    side: int

    def crop(
        self, place: int, images: ArrayLike, training: ArrayLike, *, margin: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Crop one patch and its nearest, aligned, from the images that were compared.

        Args:
            place: Index of the patch, 0 … count − 1.
            images, training: As passed to `nearest_patches`.
            margin: Pixels to add on each side. Near an edge the crop is moved inwards.

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
    """Find the nearest training patch for each of a number of generated patches.

    Random 7×7 patches are cropped from one level of the Laplacian pyramid of the generated images;
    of each image the half with more contrast is kept, because flat patches match anywhere. Each is
    compared with *every* patch of the same level of the training images. The mean is subtracted
    from both, and both are scaled to length 1, so that 0 is equal and √2 unrelated.

    Args:
        images: Float array `(h, w, channels)` or `(batch, h, w, channels)` in 0 … 1.
        training: The images the generator was trained on; their size and number may differ.
        level: Level of the pyramid, 0 is the finest. At 2 a patch spans 28 pixels.
        patches: Patches in all, the same number from each image.
        shifts: A copy may be shifted by any number of pixels, but the level holds only every
            `2**level`-th pixel; so this many shifts of the training images are searched along each
            axis. None: all `2**level`. 1: only unshifted copies, `4**level` times faster.
        turned: Search for flipped and quarter-turned copies, too, for a generator trained with
            such augmentation.
        seed: Chooses the patches.

    Returns:
        Distances and places, half as many as `patches`.

    Raises:
        ValueError: If the arrays are not images or differ in channels, the level is smaller than
            a patch, `shifts` is not in 1 … `2**level` or `patches` is below 2.

    Example:
        >>> image = np.random.default_rng(0).random((96, 96, 3))
        >>> matches = nearest_patches(image[8:72, 16:80], image, patches=10)
        >>> (matches.training - matches.generated)[0]
        array([ 0,  8, 16])

    Source: the patches follow Karras et al. (2018); the search and the score are this project's.
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
        sampled, corners = sample_patches(_band(image, level), each, generator)
        sampled = sampled - sampled.mean(axis=(1, 2, 3), keepdims=True)
        contrast = np.sqrt(np.sum(sampled**2, axis=(1, 2, 3)))
        kept = contrast >= np.median(contrast)
        queries.append(sampled[kept] / np.maximum(contrast[kept, None, None, None], FLAT))
        generated.append(np.insert(corners[kept] * 2**level, 0, number, axis=1))
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
    # Version 4 m + k of a patch was flipped m times, then turned k times; this is the way back.
    back = np.where(turns < 4, -turns % 4, 4 + -turns % 4)
    side = (PATCH - 1) * 2**level + 1
    return PatchMatches(distance, np.concatenate(generated), training_places, back, side)


def _around(batch: np.ndarray, place: np.ndarray, side: int, margin: int) -> np.ndarray:
    """Crop a square of one image, moved inwards where it would leave the image."""
    image, *corner = place
    side = side + 2 * margin
    top, left = (
        max(0, min(first - margin, whole - side))
        for first, whole in zip(corner, batch.shape[1:3], strict=True)
    )
    return batch[image, top : top + side, left : left + side]


def _band(image: np.ndarray, level: int) -> np.ndarray:
    """Return one level (h, w, channels) of the Laplacian pyramid of one image."""
    if min(image.shape[:2]) < PATCH * 2 ** (level + 1):
        raise ValueError(
            f"level {level} of an image of {image.shape[0]}×{image.shape[1]} pixels has no room "
            f"for 7×7 patches; expected at least {PATCH * 2 ** (level + 1)} pixels a side, or a "
            "lower level"
        )
    return laplacian_pyramid(image[None], level + 2)[level][0]


def _turns(patches: np.ndarray) -> np.ndarray:
    """Return the eight flipped and turned versions of patches: (8, n, channels, side, side)."""
    return np.stack(
        [
            np.rot90(version, quarters, axes=(2, 3))
            for version in (patches, patches[..., ::-1])
            for quarters in range(4)
        ]
    )


def _best_match(queries: np.ndarray, band: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the patch of a band that correlates most with each query.

    Args:
        queries: Patches `(versions, n, channels, 7, 7)` of mean 0 and length 1.
        band: `(h, w, channels)`.

    Returns:
        The correlations `(versions, n)`, and the corners of the patches `(versions, n, 2)`.
    """
    windows = sliding_window_view(band, (PATCH, PATCH), axis=(0, 1))
    candidates = windows.reshape(-1, queries[0, 0].size)
    # The queries have mean 0, so only the lengths of the candidates depend on their means.
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
