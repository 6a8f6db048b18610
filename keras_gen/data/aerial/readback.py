"""Evaluators of generated aerial scenes: how well an image agrees with its label map.

Both evaluators are simple, use no network, and do not rate realism. Compare the score of a
generated scene with that of rendered ones, which do not reach 1: one field may look like another
meadow, and woods are full of edges that are not in the label map.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from skimage.feature import canny

from keras_gen.data.aerial import palette, rendering
from keras_gen.metrics.arrays import as_batch

SMOOTHING = 2.0  # pixels, standard deviation of the Gaussian for colour and texture
COLOUR_SCALE, TEXTURE_SCALE = 0.06, 0.01  # differences of equal weight
EDGE_SMOOTHING = 1.5  # pixels
WEAK_EDGE, STRONG_EDGE = 0.1, 0.2  # Canny's two thresholds


def read_classes(image: ArrayLike) -> np.ndarray:
    """Classify each pixel by the nearest documented colour and texture.

    Colour is averaged with a Gaussian of 2 pixels. Texture is the absolute difference of the
    brightness from the mean of the 3×3 pixels around, averaged in the same way. A colour difference
    of 0.06 has the same weight as a texture difference of 0.01.

    Args:
        image: float array `(height, width, 3)` in 0 … 1.

    Returns:
        uint8 array `(height, width)` with values as in `palette.CLASSES`.

    Raises:
        ValueError: if the image has another type or shape.

    Example:
        >>> water = np.full((32, 32, 3), palette.CLASSES["water"].mean)
        >>> int(read_classes(water)[16, 16]) == palette.WATER
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
    """Return the fraction of pixels for which `read_classes` agrees with the label map.

    Args:
        image: float array `(height, width, 3)` in 0 … 1.
        labels: whole numbers `(height, width)` as in `palette.CLASSES`.

    Returns:
        A fraction, 0 … 1. Rendered scenes reach about 0.48, because fields have many colours.

    Raises:
        ValueError: if the sizes differ, or the arrays have other types or shapes.

    Example:
        >>> labels, image = rendering.scene(0, 128)
        >>> 0 < class_agreement(image, labels) < 1
        True
    """
    labels = _labels(labels, image)
    return float((read_classes(image) == labels).mean())


def edge_agreement(image: ArrayLike, labels: ArrayLike, *, tolerance: float = 2.0) -> float:
    """Return the F-score of an image's edges against the borders of its label map.

    The harmonic mean of precision and recall. Precision is the fraction of the image's edges
    (Canny's, on a brightness smoothed over 1.5 pixels) within `tolerance` of a border of the label
    map; recall is the fraction of the borders within `tolerance` of an edge.

    Args:
        image: float array `(height, width, 3)` in 0 … 1.
        labels: whole numbers `(height, width)` as in `palette.CLASSES`.
        tolerance: pixels.

    Returns:
        A score, 0 … 1; rendered scenes reach about 0.65. It is 0 if only one of the two has edges,
        and 1 if neither has any.

    Raises:
        ValueError: if the sizes differ, or the arrays have other types or shapes.

    Example:
        >>> labels = np.repeat([[0] * 32 + [6] * 32], 64, axis=0)
        >>> round(edge_agreement(rendering.colour(labels), labels), 1)
        1.0

    References:
        Canny (1986), "A computational approach to edge detection"; Martin, Fowlkes and Malik (2004)
        for the F-score of boundaries.
    """
    labels = _labels(labels, image)
    brightness = _scene(image).mean(axis=-1)
    edges = canny(brightness, EDGE_SMOOTHING, WEAK_EDGE, STRONG_EDGE)
    borders = _borders(labels)
    if not edges.any() or not borders.any():
        return float(not edges.any() and not borders.any())
    precision = _fraction_near(edges, borders, tolerance)
    recall = _fraction_near(borders, edges, tolerance)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _scene(image):
    batch = as_batch(image, "image", dtype=np.float32)
    if np.ndim(image) != 3 or batch.shape[-1] != 3:
        raise ValueError(
            f"image has shape {np.shape(image)}; expected one scene (height, width, 3)"
        )
    return batch[0]


def _labels(labels, image):
    labels = np.asarray(labels)
    rendering.colour(labels)  # raises an error for values that are not classes
    if labels.shape != np.shape(image)[:2]:
        raise ValueError(
            f"the label map has shape {labels.shape} and the image {np.shape(image)}; expected the "
            "same height and width"
        )
    return labels


def _borders(labels):
    """Return the pixels whose class differs from that of the next pixel to the right or below."""
    borders = np.zeros(labels.shape, bool)
    borders[:-1] |= labels[:-1] != labels[1:]
    borders[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return borders


def _fraction_near(these, those, tolerance):
    """Return the fraction of these pixels that lie within the tolerance of one of those."""
    return float((ndimage.distance_transform_edt(~those)[these] <= tolerance).mean())
