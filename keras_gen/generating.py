"""Put a trained generator to work: enlarge pictures of any size, file by file."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gen import datasets
from keras_gen.training import write_whole

TILE, MARGIN = 256, 32


def enlarge(model: keras.Model, picture: np.ndarray) -> np.ndarray:
    """Enlarge one picture with a generator.

    A generator of fixed size gets the largest part, from the middle, that has its proportions,
    reduced to its size. A fully convolutional one gets the picture as it is; a large picture in
    tiles, which overlap by more than the generator sees.

    Args:
        model: generator of `(height, width, 3)` images in 0 … 1.
        picture: uint8 of shape `(height, width, 3)`.

    Returns:
        uint8 array of shape `(height', width', 3)`.

    Raises:
        ValueError: if the model does not map one RGB image to one.

    Example:
        large = enlarge(weights.load("simple_x4_photos"), datasets.read_image("holiday.jpg"))
    """
    _check(model)
    size = model.input_shape[1:3]
    if None not in size:
        return _run(model, datasets.reduce(middle(picture, size), size))
    height, width = picture.shape[:2]
    if height * width <= (TILE + 2 * MARGIN) ** 2:
        return _run(model, picture)
    scale, large = None, None
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            upper, leftmost = max(top - MARGIN, 0), max(left - MARGIN, 0)
            tile = picture[upper : top + TILE + MARGIN, leftmost : left + TILE + MARGIN]
            drawn = _run(model, tile)
            if large is None:
                scale = drawn.shape[0] // tile.shape[0]
                large = np.empty((height * scale, width * scale, 3), np.uint8)
            rows = slice(top * scale, min(top + TILE, height) * scale)
            columns = slice(left * scale, min(left + TILE, width) * scale)
            inside = drawn[(top - upper) * scale :, (left - leftmost) * scale :]
            target = large[rows, columns]
            target[:] = inside[: target.shape[0], : target.shape[1]]
    return large


def enlarge_files(
    model: keras.Model, files: Iterable[Path], out: Path
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Enlarge pictures one after another into a directory.

    Args:
        model: generator of images in 0 … 1.
        files: the pictures.
        out: the directory; each result is a PNG named after its picture and the new size.

    Returns:
        `(written, skipped)`: paths, and `(path, reason)` of what could not be read.
    """
    written, skipped = [], []
    for file in files:
        try:
            picture = datasets.read_image(file)
        except datasets.UNREADABLE as error:
            skipped.append((file, str(error).splitlines()[0]))
            continue
        large = enlarge(model, picture)
        path = _free(out / f"{file.stem}_{large.shape[1]}x{large.shape[0]}.png", written)
        write_whole(path, Image.fromarray(large).save)
        written.append(path)
    return written, skipped


def resized(model: keras.Model, size: tuple[int, int]) -> keras.Model:
    """Build the same generator, with the same weights, for pictures of another size.

    Convolutions do not mind the size, so a generator of 64×64 → 400×400 serves 64×96 → 400×600 too.

    Args:
        model: functional generator of stock layers, made of convolutions; a `Resizing` layer in it
            keeps its ratio.
        size: `(height, width)` of the new input.

    Returns:
        A new model; the given one where it already takes that size.

    Raises:
        ValueError: if a `Resizing` layer's new size would not be whole.

    Example:
        >>> wide = resized(weights.load("simple_64to400_photos"), (64, 96))
        >>> wide.output_shape
        (None, 400, 600, 3)
    """
    old = model.input_shape[1:3]
    if None in old or old == tuple(size):
        return model
    config = model.get_config()
    for layer in config["layers"]:
        if layer["class_name"] == "InputLayer":
            layer["config"]["batch_shape"] = (None, *size, model.input_shape[-1])
        elif layer["class_name"] == "Resizing":
            for axis, new, before in zip(("height", "width"), size, old, strict=True):
                side = Fraction(layer["config"][axis] * new, before)
                if side.denominator != 1:
                    raise ValueError(
                        f"{model.name} turns {old} into {model.output_shape[1:3]}; for {size} that "
                        f"is not a whole number of pixels; use a multiple of "
                        f"{Fraction(layer['config'][axis], before).denominator}"
                    )
                layer["config"][axis] = int(side)
    other = keras.Model.from_config(config)
    other.set_weights(model.get_weights())
    return other


def middle(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut the largest part of given proportions from the middle of a picture.

    Args:
        picture: array of shape `(height, width, …)`.
        size: `(height, width)`, of which only the proportions count.

    Returns:
        A view of the picture.

    Example:
        >>> middle(np.zeros((400, 600, 3)), (64, 64)).shape
        (400, 400, 3)
    """
    height, width = picture.shape[:2]
    unit = min(height / size[0], width / size[1])
    tall, wide = max(1, int(size[0] * unit)), max(1, int(size[1] * unit))
    top, left = (height - tall) // 2, (width - wide) // 2
    return picture[top : top + tall, left : left + wide]


def _check(model):
    shapes = (model.input_shape, model.output_shape)
    if any(not isinstance(s, tuple) or len(s) != 4 or s[-1] != 3 for s in shapes):
        raise ValueError(
            f"{model.name} maps {shapes[0]} to {shapes[1]}; a generator that enlarges pictures "
            "maps (batch, height, width, 3) to (batch, height, width, 3)"
        )


def _run(model, picture):
    drawn = model(picture[None] / np.float32(255), training=False)
    return np.rint(np.asarray(drawn[0]) * 255).astype(np.uint8)


def _free(path, taken):
    """Two pictures of one name (a.jpg and a.png) get two results."""
    number = 2
    while path in taken:
        path = path.with_stem(f"{path.stem}_{number}")
        number += 1
    return path
