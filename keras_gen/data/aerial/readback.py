"""Does a drawn aerial scene show what its label map asked for? It is read back, without a network.

Both readings are simple on purpose, and no judge of beauty: what they say of a drawn scene means
something only beside what they say of real ones. A real field may look like another's meadow, and
a wood is full of edges that no label map holds.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from skimage.feature import canny

from keras_gen.data.aerial import palette, rendering
from keras_gen.metrics.arrays import as_batch

SMOOTHING = 2.0  # pixels over which colour and texture are averaged


COLOUR_SCALE, TEXTURE_SCALE = 0.06, 0.01  # differences that count alike


EDGE_SMOOTHING = 1.5


WEAK_EDGE, STRONG_EDGE = 0.1, 0.2  # Canny's two thresholds


def read_classes(image: ArrayLike) -> np.ndarray:
    """Say which class each pixel looks like: the one whose documented colour and texture are near.

    Colour is averaged over the pixels around (a Gaussian of 2 pixels), texture is the mean absolute
    difference of the brightness from that of its 3×3 pixels, averaged likewise. Near is meant with
    a colour difference of 0.06 counting as much as one in texture of 0.01.

    Args:
        image: float array `(height, width, 3)` in 0 … 1.

    Returns:
        uint8 array `(height, width)` with values as in `palette.CLASSES`.

    Raises:
        ValueError: if the image is none of the sort.

    Example:
        >>> water = np.full((32, 32, 3), palette.CLASSES["water"].mean)
        >>> int(read_classes(water)[16, 16]) == aerial.WATER
        True
    """
    image = _scene(image)
    brightness = image.mean(axis=-1)
    texture = np.abs(brightness - ndimage.uniform_filter(brightness, 3))
    colour = ndimage.gaussian_filter(image, (SMOOTHING, SMOOTHING, 0))
    texture = ndimage.gaussian_filter(texture, SMOOTHING)
    distances = [
        ((colour - land.mean) ** 2).sum(axis=-1) / COLOUR_SCALE**2
        + ((texture - land.texture) / TEXTURE_SCALE) ** 2
        for land in palette.CLASSES.values()
    ]
    return np.argmin(distances, axis=0).astype(np.uint8)


def class_agreement(image: ArrayLike, labels: ArrayLike) -> float:
    """Give the share of the pixels whose class `read_classes` reads as the label map has it.

    Args:
        image: float array `(height, width, 3)` in 0 … 1.
        labels: whole numbers `(height, width)` as in `palette.CLASSES`.

    Returns:
        A share from 0 to 1; real scenes reach about 0.48, as fields are of many colours.

    Raises:
        ValueError: if the sizes differ, or the arrays are none of the sort.

    Example:
        >>> labels, image = rendering.scene(0, 128)
        >>> 0 < class_agreement(image, labels) < 1
        True
    """
    labels = _labels(labels, image)
    return float((read_classes(image) == labels).mean())


def edge_agreement(image: ArrayLike, labels: ArrayLike, *, tolerance: float = 2.0) -> float:
    """Say how well an image's edges and its label map's borders lie on each other: the F-score.

    The harmonic mean of two shares: of the image's edges (Canny's, on a brightness smoothed over
    1.5 pixels) those within `tolerance` of a border of the label map, and of the borders those
    within `tolerance` of an edge.

    Args:
        image: float array `(height, width, 3)` in 0 … 1.
        labels: whole numbers `(height, width)` as in `palette.CLASSES`.
        tolerance: pixels.

    Returns:
        A share from 0 to 1; real scenes reach about 0.65. 0 where one has edges and the other has
        none, 1 where neither has any.

    Raises:
        ValueError: if the sizes differ, or the arrays are none of the sort.

    Example:
        >>> labels = np.repeat([[0] * 32 + [6] * 32], 64, axis=0)
        >>> round(edge_agreement(rendering.colour(labels), labels), 1)
        1.0

    References:
        Canny (1986), "A computational approach to edge detection"; Martin, Fowlkes and Malik (2004)
        for the F-score of borders.
    """
    labels = _labels(labels, image)
    brightness = _scene(image).mean(axis=-1)
    edges = canny(brightness, EDGE_SMOOTHING, WEAK_EDGE, STRONG_EDGE)
    borders = _borders(labels)
    if not edges.any() or not borders.any():
        return float(not edges.any() and not borders.any())
    right = _near(edges, borders, tolerance)
    found = _near(borders, edges, tolerance)
    return 2 * right * found / (right + found) if right + found else 0.0


def _scene(image):
    batch = as_batch(image, "image", dtype=np.float32)
    if np.ndim(image) != 3 or batch.shape[-1] != 3:
        raise ValueError(
            f"image has shape {np.shape(image)}; expected one scene (height, width, 3)"
        )
    return batch[0]


def _labels(labels, image):
    labels = np.asarray(labels)
    rendering.colour(labels)  # says what is wrong with values that stand for no class
    if labels.shape != np.shape(image)[:2]:
        raise ValueError(
            f"the label map has shape {labels.shape} and the image {np.shape(image)}; expected the "
            "same height and width"
        )
    return labels


def _borders(labels):
    """Pixels whose class differs from that of the next pixel to the right or below."""
    borders = np.zeros(labels.shape, bool)
    borders[:-1] |= labels[:-1] != labels[1:]
    borders[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return borders


def _near(these, those, tolerance):
    """Share of these pixels that lie within the tolerance of one of those."""
    return float((ndimage.distance_transform_edt(~those)[these] <= tolerance).mean())
