"""Upscale pictures with a trained generator: any size, in tiles where they are large, as files."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gen._util.files import atomic_write
from keras_gen._util.keras_files import with_weights
from keras_gen._util.pixels import generated_to_uint8
from keras_gen._util.progress import one_line
from keras_gen.analysis.fields import receptive_field
from keras_gen.data import image_files, resampling

TILE = 256  # side of a tile in input pixels

ALIGNMENT = (
    32  # tiles start at multiples of it, so that a generator that halves pairs the same rows
)

MAX_PIXELS = 2**28  # of a result: 268 megapixels


def upscale(
    model: keras.Model,
    picture: np.ndarray,
    *,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Upscale one picture with a generator.

    A generator of fixed size gets the largest centre crop that has its proportions, reduced to its
    size. A fully convolutional generator gets the picture as it is, and a large picture in tiles.
    Tiles overlap by the receptive field, so the result is that of the whole picture, except that
    sums may be added in another order, which changes a pixel by at most 1 of 255.

    Args:
        model: generator of `(height, width, 3)` images in 0 … 1.
        picture: uint8 array of shape `(height, width, 3)`.
        progress: called with the fraction of the picture that is done.

    Returns:
        uint8 array of shape `(height', width', 3)`.

    Raises:
        ValueError: if the model does not map one RGB image to one, or the result would have more
            than `MAX_PIXELS`.

    Example:
        >>> model = kg.simple_generator((None, None, 3), scale=4, filters=4, blocks=0)
        >>> upscale(model, np.zeros((10, 12, 3), np.uint8)).shape
        (40, 48, 3)
    """
    check_upscaler(model)
    size = model.input_shape[1:3]
    if None not in size:
        return _run(model, resampling.reduce(resampling.center_crop(picture, size), size))
    scale, margin = _scale_and_margin(model)
    height, width = picture.shape[:2]
    if scale is not None and height * width * scale**2 > MAX_PIXELS:
        raise ValueError(
            f"{height}×{width} upscaled by {scale} has more than {MAX_PIXELS / 1e6:.0f} million "
            "pixels; crop the picture into parts"
        )
    if scale is None or max(height, width) <= TILE + 2 * margin:
        return _run(model, picture)
    return _in_tiles(model, picture, scale, margin, progress)


def upscale_files(
    model: keras.Model,
    files: Iterable[Path],
    out: Path,
    *,
    root: Path | None = None,
    label: str = "large",
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Upscale pictures one after another into a directory.

    The result of `holiday.jpg` is `holiday_<label>.png`. Where two pictures would get the same
    name, as `a.jpg` and `a.png` would, the name includes the suffix. Results of an earlier run are
    replaced.

    Args:
        model: generator of images in 0 … 1.
        files: the pictures.
        out: the directory.
        root: the folder that the pictures come from; its subfolders are kept in `out`.
        label: appended to the name of each result: the generator's name, for instance.
        progress: called with a line about what is being done.

    Returns:
        `(written, skipped)`: paths, and `(path, reason)` of what could not be upscaled.

    Raises:
        ValueError: if the model does not upscale pictures.
        OSError: if a result cannot be written.
    """
    check_upscaler(model)
    files = list(files)
    names = result_names(files, root=root, label=label)
    written, skipped = [], []
    for number, (file, name) in enumerate(zip(files, names, strict=True), start=1):
        text = f"upscaling {number} of {len(files)}, {one_line(file.name)}"
        progress(text)
        try:
            picture = image_files.read_image(file)
            large = upscale(
                model,
                picture,
                progress=lambda fraction, text=text: progress(f"{text}: {fraction:.0%}"),
            )
        except image_files.UnreadableImageError as error:
            skipped.append((file, error.reason))
            continue
        except (ValueError, MemoryError) as error:
            skipped.append((file, one_line(error) or "there is not enough memory"))
            continue
        atomic_write(out / name, Image.fromarray(large).save)
        written.append(out / name)
    return written, skipped


def result_names(
    files: Iterable[Path], *, root: Path | None = None, label: str = "large"
) -> list[Path]:
    """Name the results of pictures, each name different.

    Args:
        files: the pictures.
        root: the folder that they come from; without it, only their own names count.
        label: appended to each name.

    Returns:
        Relative paths, in the order of the pictures.

    Example:
        >>> [path.name for path in result_names([Path("a.jpg"), Path("b.jpg"), Path("b.png")])]
        ['a_large.png', 'b_jpg_large.png', 'b_png_large.png']
    """
    places = [Path(file.name) if root is None else file.relative_to(root) for file in files]
    short = [place.with_name(f"{place.stem}_{label}.png") for place in places]
    long = [place.with_name(f"{place.stem}_{place.suffix[1:]}_{label}.png") for place in places]
    times, names = Counter(short), {}
    for brief, full in zip(short, long, strict=True):
        numbered = (full.with_stem(f"{full.stem}_{number}") for number in itertools.count(2))
        choices = itertools.chain([full] if times[brief] > 1 else [brief, full], numbered)
        names[next(name for name in choices if name not in names)] = None
    return list(names)


def resized(model: keras.Model, size: tuple[int, int]) -> keras.Model:
    """Build the same generator, with the same weights, for pictures of another size.

    Convolutions fit any size, so a generator of 64×64 → 400×400 also serves 64×96 → 400×600.

    Args:
        model: functional generator of stock layers, made of convolutions; a `Resizing` layer in it
            keeps its ratio.
        size: `(height, width)` of the new input.

    Returns:
        A new model, or the given one where it already takes that size.

    Raises:
        ValueError: if a `Resizing` layer's new size would not be whole.

    Example:
        >>> model = kg.simple_generator((64, 64, 3), 400, filters=4, blocks=0)
        >>> resized(model, (64, 96)).output_shape
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
    return with_weights(keras.Model.from_config(config), model)


def check_upscaler(model: keras.Model) -> None:
    """Refuse a model that does not upscale pictures.

    Args:
        model: any Keras model.

    Raises:
        ValueError: if it does not map one RGB image to one.
    """
    shapes = [getattr(model, name, None) for name in ("input_shape", "output_shape")]
    if any(not isinstance(s, tuple) or len(s) != 4 or s[-1] != 3 for s in shapes):
        raise ValueError(
            f"{model.name} maps {shapes[0]} to {shapes[1]}; a generator that upscales pictures "
            "maps (batch, height, width, 3) to (batch, height, width, 3)"
        )


def _scale_and_margin(model):
    """The scale of a fully convolutional generator, and the margin of input pixels a tile needs.

    `(None, None)` where the scale is no whole number, a pixel depends on the whole picture, or the
    receptive field is unknown.
    """
    try:
        field = receptive_field(model, input_shape=(TILE, TILE, 3))
    except ValueError:
        return None, None
    scale = field.output_size[0] // TILE
    reach = max(max(p, s - p) for p, s in zip(field.padding, field.size, strict=True))
    if field.output_size != (scale * TILE,) * 2 or max(field.size) >= TILE:
        return None, None
    return scale, -(-reach // ALIGNMENT) * ALIGNMENT


def _in_tiles(model, picture, scale, margin, progress):
    height, width = picture.shape[:2]
    large = np.empty((height * scale, width * scale, 3), np.uint8)
    corners = [(top, left) for top in range(0, height, TILE) for left in range(0, width, TILE)]
    for number, (top, left) in enumerate(corners, start=1):
        upper, leftmost = max(top - margin, 0), max(left - margin, 0)
        tile = picture[upper : top + TILE + margin, leftmost : left + TILE + margin]
        upscaled = _run(model, tile)
        if upscaled.shape[:2] != (tile.shape[0] * scale, tile.shape[1] * scale):
            return _run(model, picture)  # the generator halves, and the picture's sides are odd
        target = large[top * scale : (top + TILE) * scale, left * scale : (left + TILE) * scale]
        inside = upscaled[(top - upper) * scale :, (left - leftmost) * scale :]
        target[:] = inside[: target.shape[0], : target.shape[1]]
        progress(number / len(corners))
    return large


def _run(model, picture):
    try:
        upscaled = model(picture[None] / np.float32(255), training=False)[0]
    except Exception as error:  # TensorFlow raises whatever its operations raise
        height, width = picture.shape[:2]
        raise ValueError(
            f"{model.name} cannot upscale {height}×{width} pixels: {one_line(error)[:200]}"
        ) from error
    return generated_to_uint8(upscaled)
