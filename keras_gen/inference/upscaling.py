"""Put a trained generator to work: enlarge pictures of any size, file by file."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gen._util.files import atomic_write
from keras_gen._util.progress import one_line
from keras_gen.analysis.fields import receptive_field
from keras_gen.data import image_files, resampling
from keras_gen.data.resampling import center_crop

TILE = 256


ALIGNED = 32  # tiles begin at multiples of it, so that a generator that halves sees the same pairs


MOST_PIXELS = 2**28  # 268 megapixels, of a result


def upscale(
    model: keras.Model,
    picture: np.ndarray,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """Enlarge one picture with a generator.

    A generator of fixed size gets the largest part, from the middle, that has its proportions,
    reduced to its size. A fully convolutional one gets the picture as it is; a large picture in
    tiles, which overlap by what the generator sees, so that the result is that of the whole: a
    convolution may add its terms in another order, which moves a pixel by 1 of 255 at most.

    Args:
        model: generator of `(height, width, 3)` images in 0 … 1.
        picture: uint8 of shape `(height, width, 3)`.
        progress: called with the share of the picture that is done.

    Returns:
        uint8 array of shape `(height', width', 3)`.

    Raises:
        ValueError: if the model does not map one RGB image to one, or the result would have more
            than `MOST_PIXELS`.

    Example:
        large = enlarge(stored.load_generator("simple_x4_photos"), image_files.read_image("holiday.jpg"))
    """
    check_upscaler(model)
    size = model.input_shape[1:3]
    if None not in size:
        return _run(model, resampling.reduce(center_crop(picture, size), size))
    scale, margin = _locality(model)
    height, width = picture.shape[:2]
    if scale is not None and height * width * scale**2 > MOST_PIXELS:
        raise ValueError(
            f"{height}×{width} enlarged by {scale} has more than {MOST_PIXELS / 1e6:.0f} million "
            "pixels; cut the picture into parts"
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
    """Enlarge pictures one after another into a directory.

    The result of `holiday.jpg` is `holiday_<label>.png`. Where two pictures would get one name, as
    `a.jpg` and `a.png` would, their endings join it. What an earlier run left is replaced.

    Args:
        model: generator of images in 0 … 1.
        files: the pictures.
        out: the directory.
        root: the folder that the pictures come from; the folders in it are kept in `out`.
        label: what to add to the name of each result: the generator's name, for instance.
        progress: called with a line about what is being done.

    Returns:
        `(written, skipped)`: paths, and `(path, reason)` of what could not be enlarged.

    Raises:
        ValueError: if the model does not enlarge pictures.
        OSError: if a result cannot be written.
    """
    check_upscaler(model)
    files = list(files)
    names = result_names(files, root=root, label=label)
    written, skipped = [], []
    for number, (file, name) in enumerate(zip(files, names, strict=True), start=1):
        text = f"enlarging {number} of {len(files)}, {one_line(file.name)}"
        progress(text)
        try:
            picture = image_files.read_image(file)
            large = upscale(
                model, picture, progress=lambda share, text=text: progress(f"{text}: {share:.0%}")
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
    """Name the results of pictures, none like another.

    Args:
        files: the pictures.
        root: the folder that they come from; without it, only their own names count.
        label: what to add to each name.

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
        >>> wide = resized(stored.load_generator("simple_64to400_photos"), (64, 96))
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


def check_upscaler(model: keras.Model) -> None:
    """See whether a model enlarges pictures.

    Args:
        model: any Keras model.

    Raises:
        ValueError: if it does not map one RGB image to one.
    """
    shapes = [getattr(model, name, None) for name in ("input_shape", "output_shape")]
    if any(not isinstance(s, tuple) or len(s) != 4 or s[-1] != 3 for s in shapes):
        raise ValueError(
            f"{model.name} maps {shapes[0]} to {shapes[1]}; a generator that enlarges pictures "
            "maps (batch, height, width, 3) to (batch, height, width, 3)"
        )


def _locality(model):
    """The scale of a fully convolutional generator, and how far around itself a pixel looks.

    `(None, None)` where the scale is no whole number, or a pixel depends on the whole picture, or
    that cannot be known.
    """
    try:
        field = receptive_field(model, input_shape=(TILE, TILE, 3))
    except ValueError:
        return None, None
    scale = field.output_size[0] // TILE
    reach = max(max(p, s - p) for p, s in zip(field.padding, field.size, strict=True))
    if field.output_size != (scale * TILE,) * 2 or max(field.size) >= TILE:
        return None, None
    return scale, -(-reach // ALIGNED) * ALIGNED


def _in_tiles(model, picture, scale, margin, progress):
    height, width = picture.shape[:2]
    large = np.empty((height * scale, width * scale, 3), np.uint8)
    corners = [(top, left) for top in range(0, height, TILE) for left in range(0, width, TILE)]
    for number, (top, left) in enumerate(corners, start=1):
        upper, leftmost = max(top - margin, 0), max(left - margin, 0)
        tile = picture[upper : top + TILE + margin, leftmost : left + TILE + margin]
        drawn = _run(model, tile)
        if drawn.shape[:2] != (tile.shape[0] * scale, tile.shape[1] * scale):
            return _run(model, picture)  # it halves, and this picture's sides are odd
        target = large[top * scale : (top + TILE) * scale, left * scale : (left + TILE) * scale]
        inside = drawn[(top - upper) * scale :, (left - leftmost) * scale :]
        target[:] = inside[: target.shape[0], : target.shape[1]]
        progress(number / len(corners))
    return large


def _run(model, picture):
    try:
        drawn = model(picture[None] / np.float32(255), training=False)[0]
    except Exception as error:  # TensorFlow raises whatever its operations raise
        height, width = picture.shape[:2]
        raise ValueError(
            f"{model.name} cannot draw from {height}×{width} pixels: {one_line(error)[:200]}"
        ) from error
    drawn = np.asarray(drawn, np.float32)
    if not np.isfinite(drawn).all():
        raise ValueError("the generator draws values that are not numbers; its training failed")
    return np.rint(np.clip(drawn, 0, 1) * 255).astype(np.uint8)
