"""Images to learn from: the photographs that travel with scikit-image, and the reader's own folder.

`photographs()` and `folder()` give an `Images`, a list of pictures in memory; `pairs()` turns it
into a `tf.data.Dataset` of (small image, large image) batches. Batch number n depends on the seed
and on n alone, so that a training that was stopped goes on with the batches it would have seen.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_gen import drawings
from keras_gen.pictures import UnreadableImageError as UnreadableImageError
from keras_gen.pictures import enlarge_bicubic as enlarge_bicubic
from keras_gen.pictures import expanded, image_files, read_image, reduce, size_in_header
from keras_gen.sizes import as_pair


@dataclass(frozen=True)
class Photograph:
    """Where a bundled photograph comes from."""

    package: str
    file: str
    split: str
    credit: str


_PUBLIC_DOMAIN = "public domain"
_CC0 = "CC0"
_SKY_TO_LEARN_FROM = 600  # columns of the Hubble deep field; the rest is held out
PHOTOGRAPHS = {
    name: Photograph(*entry)
    for name, entry in {
        "astronaut": ("skimage", "astronaut.png", "train", f"NASA, {_PUBLIC_DOMAIN}"),
        "brick": ("skimage", "brick.png", "train", f"CC0Textures, {_CC0}"),
        "camera": ("skimage", "camera.png", "train", f"Lav Varshney, {_CC0}"),
        "coins": ("skimage", "coins.png", "train", "Brooklyn Museum, no known restrictions"),
        "grass": ("skimage", "grass.png", "train", f"linolafett, {_CC0}"),
        "gravel": ("skimage", "gravel.png", "train", f"CC0Textures, {_CC0}"),
        "hopper": ("matplotlib", "grace_hopper.jpg", "train", f"US Navy, {_PUBLIC_DOMAIN}"),
        "hubble": ("skimage", "hubble_deep_field.jpg", "train", f"NASA and ESA, {_PUBLIC_DOMAIN}"),
        "immunohistochemistry": ("skimage", "ihc.png", "train", "CMMI, no known restrictions"),
        "motorcycle": (
            "skimage",
            "motorcycle_left.png",
            "train",
            f"Middlebury, {_CC0}",
        ),
        "retina": ("skimage", "retina.jpg", "train", f"Mikael Häggström, {_CC0}"),
        "rocket": ("skimage", "rocket.jpg", "train", f"SpaceX, {_PUBLIC_DOMAIN}"),
        "text": ("skimage", "text.png", "train", f"Wikipedia, {_PUBLIC_DOMAIN}"),
        "chelsea": ("skimage", "chelsea.png", "test", f"Stéfan van der Walt, {_CC0}"),
        "coffee": ("skimage", "coffee.png", "test", f"Rachel Michetti, {_CC0}"),
    }.items()
}


@dataclass
class Images:
    """Pictures by name, with how often each is drawn from.

    Attributes:
        names: one name a picture.
        pictures: uint8 arrays of shape `(height, width, 3)`.
        weights: relative share of the crops that come from each picture.
        skipped: `(name, reason)` of what could not be used.
        note: what else was done to them, in a line.
    """

    names: list[str] = field(default_factory=list)
    pictures: list[np.ndarray] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        yield from zip(self.names, self.pictures, strict=True)

    def __getitem__(self, which: int | str) -> np.ndarray:
        return self.pictures[self.names.index(which) if isinstance(which, str) else which]

    def append(self, name: str, picture: np.ndarray, weight: float) -> None:
        self.names.append(name)
        self.pictures.append(picture)
        self.weights.append(weight)

    def split(self, share: float) -> tuple["Images", "Images"]:
        """Give (the first pictures, the last ones): `share` of them are held out, at least one.

        A single picture is for training; then nothing is held out.
        """
        held = min(len(self) - 1, max(1, round(share * len(self))))
        parts = []
        for places in (range(len(self) - held), range(len(self) - held, len(self))):
            part = Images(skipped=self.skipped, note=self.note)
            for place in places:
                part.append(self.names[place], self.pictures[place], self.weights[place])
            parts.append(part)
        return parts[0], parts[1]

    def at_least(self, size: tuple[int, int]) -> "Images":
        """Keep what is large enough to cut `size` from; the rest joins `skipped`.

        Raises:
            ValueError: where nothing is large enough.
        """
        kept = Images(skipped=list(self.skipped), note=self.note)
        largest = (0, 0)
        for name, picture, weight in zip(self.names, self.pictures, self.weights, strict=True):
            height, width = picture.shape[:2]
            if height >= size[0] and width >= size[1]:
                kept.append(name, picture, weight)
            else:
                largest = max(largest, (height, width), key=min)
                reason = f"{height}×{width} is smaller than the crop of {size[0]}×{size[1]}"
                kept.skipped.append((name, reason))
        if not kept.names:
            raise ValueError(
                f"none of the {len(self)} images is as large as the crop of {size[0]}×{size[1]} "
                f"(the largest is {largest[0]}×{largest[1]}); use larger images or a smaller size"
            )
        return kept


def photographs(split: str = "train") -> Images:
    """Load the photographs that are installed with scikit-image and Matplotlib.

    Args:
        split: `"train"`, or `"test"` for the two that no training ever sees. Of the Hubble deep
            field, training sees the columns below 600.

    Returns:
        The `Images`; `PHOTOGRAPHS[name].credit` says whose each one is.

    Raises:
        ValueError: for another split.

    Example:
        >>> photographs("test").names
        ['chelsea', 'coffee']
    """
    if split not in ("train", "test"):
        raise ValueError(f"split {split!r} is unknown; choose 'train' or 'test'")
    images = Images()
    for name, photograph in PHOTOGRAPHS.items():
        if photograph.split == split:
            pixels = read_image(_installed(photograph))
            if name == "hubble":
                pixels = pixels[:, :_SKY_TO_LEARN_FROM]
            images.append(name, pixels, _crops(pixels))
    return images


def held_out_sky() -> Images:
    """The part of the Hubble deep field that `photographs` leaves out, columns from 600 on.

    Example:
        >>> held_out_sky()[0].shape
        (872, 400, 3)
    """
    pixels = read_image(_installed(PHOTOGRAPHS["hubble"]))[:, _SKY_TO_LEARN_FROM:]
    images = Images()
    images.append("hubble, columns from 600", pixels, _crops(pixels))
    return images


def with_drawings(
    images: Images,
    *,
    leaves: int = 24,
    pages: int = 16,
    share: float = 0.4,
    progress: Callable[[Sequence], Iterable] = iter,
) -> Images:
    """Add pictures drawn by code, which bring the edges, stripes and letters that few photos have.

    Args:
        images: the pictures to add to; they are not changed.
        leaves: how many of `drawings.dead_leaves`.
        pages: how many of `drawings.text_page`.
        share: share of the crops that come from drawings; a quarter of it from pages.
        progress: called with the list of what is to be drawn, gives it one by one.

    Returns:
        New `Images`, the drawings last.

    Example:
        >>> with_drawings(photographs("test"), leaves=1, pages=1).names
        ['chelsea', 'coffee', 'leaves_0', 'page_0']
    """
    more = Images(list(images.names), list(images.pictures), skipped=list(images.skipped))
    scale = (1 - share) / sum(images.weights)
    more.weights = [weight * scale for weight in images.weights]
    orders = [("leaves", drawings.dead_leaves, seed, 0.75 / leaves) for seed in range(leaves)]
    orders += [("page", drawings.text_page, seed, 0.25 / pages) for seed in range(pages)]
    for name, draw, seed, part in progress(orders):
        more.append(f"{name}_{seed}", draw(seed), part * share)
    return more


def folder(
    path: str | Path,
    *,
    memory_limit: int = 2 * 2**30,
    shorter_side: int = 1024,
    progress: Callable[[Sequence[Path]], Iterable[Path]] = iter,
) -> Images:
    """Read every picture in a folder and the folders within.

    Grey, RGBA, palette, CMYK and 16-bit pictures become RGB of 8 bits; transparency is laid on
    white; a rotation written in EXIF is carried out; of an animation the first picture is taken.
    What cannot be read is skipped and named.

    All are kept in memory, because a training takes a few pixels of many pictures at every step. A
    folder that does not fit is read at a smaller size, and if that is not enough, in part.

    Args:
        path: the folder.
        memory_limit: most bytes of pixels to keep in memory.
        shorter_side: pixels to which the shorter side of larger pictures is reduced where the whole
            folder would not fit.
        progress: called with the list of files, gives them one by one (for a progress bar).

    Returns:
        The `Images`, in the order of their paths; `skipped` says what was left out and why.

    Raises:
        ValueError: if the folder is missing, is a file, or holds no picture that can be read.

    Example:
        images = folder("my_photos")
        print(len(images), "images;", images.skipped)
    """
    if not str(path):
        raise ValueError("the name of the folder is empty; give the folder that holds the images")
    path = expanded(path)
    if path.is_file():
        raise ValueError(f"{path} is a file; give the folder that holds the images")
    files = image_files(path)
    names = {file: str(file.relative_to(path)) for file in files}
    images, chosen, most = Images(), *_fit(files, memory_limit, shorter_side)
    if most is not None:
        images.note = (
            f"the pictures take more than {memory_limit / 2**30:.1f} GiB of memory: larger ones "
            f"are reduced to {most} pixels on the shorter side"
        )
    for file in progress(chosen):
        try:
            pixels = read_image(file)
        except UnreadableImageError as error:
            images.skipped.append((names[file], error.reason))
            continue
        if most is not None and min(pixels.shape[:2]) > most:
            factor = most / min(pixels.shape[:2])
            pixels = reduce(pixels, tuple(round(side * factor) for side in pixels.shape[:2]))
        images.append(names[file], pixels, _crops(pixels))
    if not images.names:
        name, reason = images.skipped[0]
        raise ValueError(f"none of the {len(files)} files in {path} can be read; {name}: {reason}")
    left_out = set(files).difference(chosen)
    images.skipped += [(names[file], "memory is full") for file in files if file in left_out]
    return images


def _fit(files, memory_limit, shorter_side):
    """Choose what fits in memory: the files, and the shorter side to reduce to (None: as it is)."""
    sizes = [size_in_header(file) for file in files]
    if sum(3 * height * width for height, width in sizes) <= memory_limit:
        return files, None
    scales = [min(1, shorter_side / max(1, min(size))) for size in sizes]
    needed = sum(
        3 * height * width * scale**2 for (height, width), scale in zip(sizes, scales, strict=True)
    )
    share = min(1, memory_limit / needed)
    chosen = [
        file for place, file in enumerate(files) if int((place + 1) * share) > int(place * share)
    ]
    return chosen or files[:1], shorter_side


def pairs(
    images: Images,
    low: int | tuple[int, int],
    high: int | tuple[int, int],
    *,
    steps: int,
    batch_size: int = 16,
    first_step: int = 0,
    seed: int = 0,
    augment: bool = True,
):
    """Cut (small, large) pairs from pictures, without end and in an order that can be resumed.

    Args:
        images: where to cut from.
        low: side or `(height, width)` of the small image: the large one, reduced by `reduce`.
        high: side or `(height, width)` of the large image.
        steps: how many batches the whole training takes.
        batch_size: pairs a batch.
        first_step: the batch to start with; batch n is the same whatever came before.
        seed: seed of crops and augmentation.
        augment: shrink crops by up to 2, flip, turn, and exchange colour channels.

    Returns:
        `tf.data.Dataset` of `steps - first_step` batches
        `((batch, *low, 3), (batch, *high, 3))`, float32 in 0 … 1.

    Raises:
        ValueError: where no picture is as large as `high`.

    Example:
        for small, large in pairs(photographs(), 24, 96, steps=1):
            print(small.shape, large.shape)  # (16, 24, 24, 3) (16, 96, 96, 3)
    """
    low, high = as_pair(low), as_pair(high)
    images = images.at_least(high)

    def batch(step):
        rng = np.random.default_rng((seed, int(step)))
        small = np.empty((batch_size, *low, 3), np.float32)
        large = np.empty((batch_size, *high, 3), np.float32)
        for index in range(batch_size):
            crop = cut(images, high, rng, augment=augment)
            large[index] = crop / np.float32(255)
            small[index] = reduce(crop, low) / np.float32(255)
        return small, large

    shapes = ((batch_size, *low, 3), (batch_size, *high, 3))
    return numbered(batch, shapes, steps=steps, first_step=first_step)


def numbered(
    batch: Callable[[int], tuple[np.ndarray, np.ndarray]],
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    *,
    steps: int,
    first_step: int = 0,
):
    """Turn a function of a batch's number into a `tf.data.Dataset`, made while the network learns.

    Args:
        batch: `batch(number)` gives (inputs, targets), float32; it may depend on the number alone.
        shapes: their shapes.
        steps: how many batches the whole training takes.
        first_step: the batch to start with.

    Returns:
        `tf.data.Dataset` of `steps - first_step` batches.

    Example:
        >>> zeros = np.zeros((2, 8, 8, 3), np.float32)
        >>> len(numbered(lambda number: (zeros, zeros), (zeros.shape,) * 2, steps=5, first_step=3))
        2
    """
    import tensorflow as tf

    def load(number):
        arrays = tf.numpy_function(batch, [number], [tf.float32, tf.float32], stateful=False)
        for array, shape in zip(arrays, shapes, strict=True):
            array.set_shape(shape)
        return tuple(arrays)

    numbers = tf.data.Dataset.range(first_step, steps)
    return numbers.map(load, num_parallel_calls=2, deterministic=True).prefetch(4)


def cut(
    images: Images, size: tuple[int, int], rng: np.random.Generator, *, augment: bool = True
) -> np.ndarray:
    """Cut a crop from one of the pictures.

    Args:
        images: where to cut from, each as often as its weight says.
        size: `(height, width)` of the crop.
        rng: decides all that is random.
        augment: shrink by up to 2, flip, turn, and exchange colour channels.

    Returns:
        uint8 array of shape `(height, width, 3)`.
    """
    chances = np.array(images.weights) / np.sum(images.weights)
    return _crop(images[rng.choice(len(images), p=chances)], size, rng, augment)


def _crop(picture, size, rng, augment):
    height, width = size
    tallest, widest = picture.shape[:2]
    shrink = 1.0
    if augment and rng.random() < 0.7:
        shrink = min(2 ** rng.random(), tallest / height, widest / width)
    tall, wide = int(height * shrink), int(width * shrink)
    top, left = rng.integers(tallest - tall + 1), rng.integers(widest - wide + 1)
    crop = picture[top : top + tall, left : left + wide]
    if (tall, wide) != size:
        crop = reduce(crop, size)
    if not augment:
        return crop
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    crop = np.rot90(crop, rng.choice([0, 1, 2, 3] if height == width else [0, 2]))
    if rng.random() < 0.5:
        crop = crop[..., rng.permutation(3)]
    return np.ascontiguousarray(crop)


def _installed(photograph):
    import importlib.resources

    place = {"skimage": "data", "matplotlib": "mpl-data/sample_data"}[photograph.package]
    package = importlib.resources.files(photograph.package)
    return Path(str(package)) / place / photograph.file


def _crops(pixels):
    """Larger pictures hold more crops, but not in proportion: they also repeat themselves."""
    return float(np.sqrt(pixels.shape[0] * pixels.shape[1]))
