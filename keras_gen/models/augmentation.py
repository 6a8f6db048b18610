"""Differentiable augmentation: the discriminator sees images shifted, recoloured or partly covered.

A discriminator soon memorises a small set of training images. It cannot do so if it never sees them
unchanged. Real and generated images are augmented alike, in the losses of both networks, and
gradients pass through, so the generator does not learn to imitate the augmentation (Zhao et al.
2020).

`augmentation_parameters` samples the random numbers and `augment` applies them: given the same
parameters, every backend produces the same images.
"""

from collections.abc import Iterable

from keras import KerasTensor, ops, random

from keras_gen._util.arguments import check_choice

AUGMENTATIONS = {
    "translation": "shifted by up to an eighth along each axis, with reflect padding",
    "colour": "brightness, saturation and contrast changed",
    "cutout": "a square of half the side covered in grey",
}


def augmentation_parameters(
    kinds: tuple[str, ...], batch: int, size: tuple[int, int], seed: int | random.SeedGenerator
) -> dict[str, KerasTensor]:
    """Sample the parameters of `augment`, separately for each image.

    Args:
        kinds: keys of `AUGMENTATIONS`.
        batch: number of images.
        size: `(height, width)` of the images in pixels.
        seed: an int or a `keras.random.SeedGenerator`.

    Returns:
        Tensors for the requested kinds only. `"translation"`: int32 `(batch, 2)`, pixels down and
        right. `"colour"`: float32 `(batch, 3)`, an addend to the brightness and factors of the
        saturation and the contrast. `"cutout"`: int32 `(batch, 2)`, row and column of the square's
        centre.

    Raises:
        ValueError: for an unknown kind.

    Example:
        >>> parameters = augmentation_parameters(("translation",), 4, (400, 400), seed=1)
        >>> tuple(parameters["translation"].shape)
        (4, 2)
    """
    check_augmentations(kinds)
    if isinstance(seed, int):  # a fixed seed would give every kind the same numbers
        seed = random.SeedGenerator(seed)
    # Sampled for every kind, so that leaving one out does not change the others.
    uniform = {kind: random.uniform((batch, 3), seed=seed) for kind in AUGMENTATIONS}
    sides = ops.convert_to_tensor(size, "float32")
    parameters = {}
    if "translation" in kinds:
        furthest = ops.floor(sides / 8 + 0.5)
        shift = ops.floor(uniform["translation"][:, :2] * (2 * furthest + 1)) - furthest
        parameters["translation"] = ops.cast(shift, "int32")
    if "colour" in kinds:
        # The published ranges, for images in 0 … 1: −0.25 … 0.25, 0 … 2 and 0.5 … 1.5.
        width, centre = ops.array([0.5, 2.0, 1.0]), ops.array([0.0, 1.0, 1.0])
        parameters["colour"] = (uniform["colour"] - 0.5) * width + centre
    if "cutout" in kinds:
        centre = ops.floor(uniform["cutout"][:, :2] * (sides + 1))
        parameters["cutout"] = ops.cast(centre, "int32")
    return parameters


def augment(images: KerasTensor, parameters: dict[str, KerasTensor]) -> KerasTensor:
    """Shift, recolour and cover images; gradients pass through.

    Averaged over the parameters, translation and colour leave the mean of an image unchanged,
    except for what reflect padding adds; cutout moves it towards grey.

    Args:
        images: float `(batch, height, width, channels)` in 0 … 1.
        parameters: the result of `augmentation_parameters` for as many images.

    Returns:
        Images of the same shape and dtype. Colour may take values beyond 0 … 1.

    Example:
        >>> parameters = augmentation_parameters(("cutout",), 1, (8, 8), seed=0)
        >>> tuple(augment(ops.ones((1, 8, 8, 3)), parameters).shape)
        (1, 8, 8, 3)

    References:
        Zhao et al. (2020), "Differentiable augmentation for data-efficient GAN training". They fill
        the area that a translation uncovers with grey; here it is filled by reflect padding.
    """
    if "colour" in parameters:
        images = _recolour(images, parameters["colour"])
    if "translation" in parameters:
        images = _translate(images, parameters["translation"])
    if "cutout" in parameters:
        images = _cover(images, parameters["cutout"])
    return images


def check_augmentations(kinds: Iterable[str]) -> None:
    """Raise a ValueError that names the first kind that is not in `AUGMENTATIONS`."""
    for kind in kinds:
        check_choice("augmentation", kind, AUGMENTATIONS)


def _recolour(images, colour):
    """Add to the brightness, then scale the distances from each pixel's and the image's mean."""
    brightness, saturation, contrast = (colour[:, place, None, None, None] for place in range(3))
    images = images + brightness
    grey = ops.mean(images, axis=3, keepdims=True)
    images = grey + saturation * (images - grey)
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + contrast * (images - mean)


def _translate(images, translation):
    """Shift each image down and right by whole pixels, with reflect padding."""
    height, width = images.shape[1:3]
    # Multiplying by a one-hot matrix picks rows. Unlike indexing, it is fast to differentiate on
    # every backend, even twice.
    rows = ops.one_hot(_source_indices(height, translation[:, 0]), height, dtype=images.dtype)
    columns = ops.one_hot(_source_indices(width, translation[:, 1]), width, dtype=images.dtype)
    images = ops.einsum("bij,bjwc->biwc", rows, images)
    return ops.einsum("bkw,biwc->bikc", columns, images)


def _source_indices(size, shift):
    """For each index along an axis, the index that a shift moves there: (batch, size)."""
    index = ops.abs(ops.arange(size)[None] - shift[:, None])
    return (size - 1) - ops.abs((size - 1) - index)


def _cover(images, centre):
    """Cover a square of half the sides in grey; it may extend beyond the edges."""
    height, width = images.shape[1:3]
    rows, columns = (
        ops.abs(ops.arange(side)[None] - centre[:, axis, None]) < side // 4
        for axis, side in enumerate((height, width))
    )
    covered = ops.logical_and(rows[:, :, None, None], columns[:, None, :, None])
    return ops.where(covered, ops.cast(0.5, images.dtype), images)
