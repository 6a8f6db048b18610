"""Differentiable augmentation: the discriminator sees every image moved, tinted or partly covered.

With few training images a discriminator soon knows them by heart. It cannot if it never sees them
as they are; and as real and fake images are treated alike, in both players' steps, and gradients
pass through, the generator does not learn to draw the augmentation (Zhao et al. 2020).

What is drawn at random (`augmentation_parameters`) is kept apart from what is done with it
(`augment`): given the same parameters, every backend gives the same images.
"""

from keras import KerasTensor, ops, random

AUGMENTATIONS = {
    "translation": "moved by up to an eighth along each axis, the edges mirrored",
    "colour": "brightness, saturation and contrast changed",
    "cutout": "a square of half the side covered in grey",
}


def augmentation_parameters(
    kinds: tuple[str, ...], batch: int, size: tuple[int, int], seed
) -> dict[str, KerasTensor]:
    """Draw what `augment` is to do, image by image.

    Args:
        kinds: keys of `AUGMENTATIONS`.
        batch: number of images.
        size: their `(height, width)`.
        seed: an int or a `keras.random.SeedGenerator`.

    Returns:
        `"translation"`: int32 `(batch, 2)`, pixels down and right. `"colour"`: float32
        `(batch, 3)`, brightness to add, factors of saturation and contrast. `"cutout"`: int32
        `(batch, 2)`, the row and column of the square's middle. Only the kinds asked for.

    Raises:
        ValueError: for an unknown kind.

    Example:
        >>> augmentation_parameters(("translation",), 4, (400, 400), seed=1)["translation"].shape
        (4, 2)
    """
    check_kinds(kinds)
    if isinstance(seed, int):  # which would give every kind the same numbers
        seed = random.SeedGenerator(seed)
    uniform = {kind: random.uniform((batch, 3), seed=seed) for kind in AUGMENTATIONS}
    sides = ops.convert_to_tensor(size, "float32")
    drawn = {}
    if "translation" in kinds:
        most = ops.floor(sides / 8 + 0.5)
        steps = ops.floor(uniform["translation"][:, :2] * (2 * most + 1)) - most
        drawn["translation"] = ops.cast(steps, "int32")
    if "colour" in kinds:  # as published: ±.5 of −1 … 1, a factor of 0 … 2, one of .5 … 1.5
        spread, middle = ops.array([0.5, 2.0, 1.0]), ops.array([0.0, 1.0, 1.0])
        drawn["colour"] = (uniform["colour"] - 0.5) * spread + middle
    if "cutout" in kinds:
        drawn["cutout"] = ops.cast(ops.floor(uniform["cutout"][:, :2] * (sides + 1)), "int32")
    return drawn


def augment(images: KerasTensor, parameters: dict[str, KerasTensor]) -> KerasTensor:
    """Move, tint and cover images; gradients pass through.

    On average over the parameters, the translation and the colours leave the mean of an image as
    it is (a translation up to what the mirrored edges add); the cutout draws it towards grey.

    Args:
        images: float `(batch, height, width, channels)` in 0 … 1.
        parameters: what `augmentation_parameters` drew for as many images.

    Returns:
        Float tensor of the same shape; colours may leave 0 … 1.

    Example:
        >>> augment(ops.ones((1, 8, 8, 3)), {"translation": ops.array([[1, -1]])}).shape
        TensorShape([1, 8, 8, 3])

    Source: Zhao et al. (2020), Differentiable augmentation for data-efficient GAN training; they
    fill what a translation uncovers with grey, here it is mirrored.
    """
    if "colour" in parameters:
        images = recolour(images, parameters["colour"])
    if "translation" in parameters:
        images = translate(images, parameters["translation"])
    if "cutout" in parameters:
        images = cut_out(images, parameters["cutout"])
    return images


def recolour(images: KerasTensor, colour: KerasTensor) -> KerasTensor:
    """Add to the brightness, then scale the distance from each pixel's and the image's mean."""
    brightness, saturation, contrast = (colour[:, place, None, None, None] for place in range(3))
    images = images + brightness
    grey = ops.mean(images, axis=3, keepdims=True)
    images = grey + saturation * (images - grey)
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + contrast * (images - mean)


def translate(images: KerasTensor, translation: KerasTensor) -> KerasTensor:
    """Move each image down and right by whole pixels; the edges are mirrored."""
    height, width = images.shape[1:3]
    # A product with a matrix of zeros and ones that picks rows: unlike indexing, it is quick to
    # differentiate, twice even, on every backend.
    rows = ops.one_hot(_mirrored(height, translation[:, 0]), height, dtype=images.dtype)
    columns = ops.one_hot(_mirrored(width, translation[:, 1]), width, dtype=images.dtype)
    images = ops.einsum("bij,bjwc->biwc", rows, images)
    return ops.einsum("bkw,biwc->bikc", columns, images)


def _mirrored(size, shift):
    """For each place, the place that a shift moves there: (batch, size)."""
    place = ops.abs(ops.arange(size)[None] - shift[:, None])
    return (size - 1) - ops.abs((size - 1) - place)


def cut_out(images: KerasTensor, middle: KerasTensor) -> KerasTensor:
    """Cover a square of half the sides, around a place that may lie at the edge, in grey."""
    height, width = images.shape[1:3]
    covered = [
        ops.abs(ops.arange(side)[None] - middle[:, axis, None]) < side // 4
        for axis, side in enumerate((height, width))
    ]
    covered = ops.logical_and(covered[0][:, :, None, None], covered[1][:, None, :, None])
    return ops.where(covered, ops.cast(0.5, images.dtype), images)


def check_kinds(kinds: tuple[str, ...]) -> None:
    """Refuse what is not in `AUGMENTATIONS`."""
    unknown = [kind for kind in kinds if kind not in AUGMENTATIONS]
    if unknown:
        known = ", ".join(map(repr, AUGMENTATIONS))
        raise ValueError(f"augmentation {unknown[0]!r} is unknown; choose from {known}")
