"""Images to learn from: the photographs that travel with scikit-image, and the reader's own folder.

`photographs()` and `folder()` give an `Images`, a list of pictures in memory; `pairs()` turns it
into a `tf.data.Dataset` of (small image, large image) batches. Batch number n depends on the seed
and on n alone, so that a training that was stopped goes on with the batches it would have seen.
"""

from collections.abc import Callable

import numpy as np

from keras_gen._util.arguments import as_pair
from keras_gen.data import occlusions
from keras_gen.data.aerial import palette, rendering
from keras_gen.data.images import Images
from keras_gen.data.resampling import reduce
from keras_gen.data.scenes import Scenes


def label_pairs(
    scenes: Scenes,
    crop: int | tuple[int, int],
    *,
    steps: int,
    batch_size: int = 8,
    first_step: int = 0,
    seed: int = 0,
):
    """Cut (label map, image) pairs from aerial scenes.

    Half of them are mirrored left to right. Upside down they are not: the sun never shines from
    below.

    Args:
        scenes: where to cut from.
        crop: side of a pair in pixels, or `(height, width)`.
        steps, batch_size, first_step, seed: as in `batches.pairs`.

    Returns:
        `tf.data.Dataset` of batches `((batch, *crop, 7), (batch, *crop, 3))`: one-hot label maps,
        and images in 0 … 1, float32.

    Raises:
        ValueError: where the scenes are smaller than the crop.

    Example:
        for labels, image in label_pairs(Scenes(range(1000, 1008)), 128, steps=1):
            print(labels.shape, image.shape)  # (8, 128, 128, 7) (8, 128, 128, 3)
    """
    height, width = as_pair(crop)
    tallest, widest = scenes.size
    if height > tallest or width > widest:
        raise ValueError(
            f"a crop of {height}×{width} is larger than the scenes, {tallest}×{widest}; use a "
            "smaller crop or larger scenes"
        )

    def batch(step):
        rng = np.random.default_rng((seed, int(step)))
        maps, images = [], []
        for _ in range(batch_size):
            labels, image = scenes[rng.integers(len(scenes))]
            top, left = rng.integers(tallest - height + 1), rng.integers(widest - width + 1)
            place = (slice(top, top + height), slice(left, left + width))
            mirror = slice(None, None, -1 if rng.random() < 0.5 else 1)
            maps.append(labels[place][:, mirror])
            images.append(image[place][:, mirror])
        return rendering.one_hot(np.stack(maps)), np.stack(images) / np.float32(255)

    shapes = tuple((batch_size, height, width, n) for n in (len(palette.CLASSES), 3))
    return from_batch_function(batch, shapes, steps=steps, first_step=first_step)


def cloud_pairs(
    images: Images,
    crop: int | tuple[int, int],
    *,
    steps: int,
    batch_size: int = 8,
    first_step: int = 0,
    seed: int = 0,
    augment: bool = True,
):
    """Cut (clouded, clear) pairs from pictures.

    Args:
        images: where to cut from.
        crop: side of a pair in pixels, or `(height, width)`.
        steps, batch_size, first_step, seed, augment: as in `batches.pairs`.

    Returns:
        `tf.data.Dataset` of batches `((batch, *crop, 3), (batch, *crop, 3))`, float32 in 0 … 1.

    Raises:
        ValueError: where no picture is as large as the crop.

    Example:
        for clouded, clear in cloud_pairs(bundled.photographs(), 96, steps=1):
            print(clouded.shape, clear.shape)  # (8, 96, 96, 3) (8, 96, 96, 3)
    """
    crop = as_pair(crop)
    images = images.at_least(crop)

    def batch(step):
        rng = np.random.default_rng((seed, int(step)))
        clear = [training_crop(images, crop, rng, augment=augment) for _ in range(batch_size)]
        clear = np.stack(clear) / np.float32(255)
        clouded = [occlusions.occlude(image, int(rng.integers(2**31))) for image in clear]
        return np.stack(clouded), clear

    shape = (batch_size, *crop, 3)
    return from_batch_function(batch, (shape, shape), steps=steps, first_step=first_step)


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
            crop = training_crop(images, high, rng, augment=augment)
            large[index] = crop / np.float32(255)
            small[index] = reduce(crop, low) / np.float32(255)
        return small, large

    shapes = ((batch_size, *low, 3), (batch_size, *high, 3))
    return from_batch_function(batch, shapes, steps=steps, first_step=first_step)


def from_batch_function(
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


def training_crop(
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


def image_batches(
    images: Images,
    size: int | tuple[int, int],
    *,
    steps: int,
    batch_size: int = 8,
    first_step: int = 0,
    seed: int = 0,
    turn: bool = False,
):
    """Cut batches of one size from pictures, at random places, half of them mirrored.

    Args:
        images: where to cut from.
        size: side or `(height, width)` of the crops in pixels.
        steps: how many batches the whole training takes.
        batch_size: crops a batch.
        first_step: the batch to start with; batch n depends on `seed` and n alone.
        seed: seed of places and mirroring.
        turn: quarter turns, too, for pictures without an up and a down: the sky, the ground from
            above. Of crops that are not square, half turns.

    Returns:
        `tf.data.Dataset` of `steps - first_step` batches `(batch_size, *size, 3)`, float32 in
        0 … 1.

    Raises:
        ValueError: where no picture is as large as `size`.

    Example:
        for batch in crops(photographs(), 400, steps=1):
            print(batch.shape)  # (8, 400, 400, 3)
    """
    import tensorflow as tf

    size = as_pair(size)
    images = images.at_least(size)

    def load(step):
        batch = tf.numpy_function(
            lambda step: crop_batch(images, size, batch_size, seed=(seed, int(step)), turn=turn),
            [step],
            tf.float32,
            stateful=False,
        )
        batch.set_shape((batch_size, *size, 3))
        return batch

    numbers = tf.data.Dataset.range(first_step, steps)
    return numbers.map(load, num_parallel_calls=2, deterministic=True).prefetch(2)


def crop_batch(
    images: Images,
    size: tuple[int, int],
    count: int,
    *,
    seed: int | tuple[int, ...] = 0,
    turn: bool = False,
) -> np.ndarray:
    """Cut one batch: float32 `(count, *size, 3)` in 0 … 1. The arguments are those of `crops`.

    Example:
        >>> images = Images(["grey"], [np.full((8, 9, 3), 51, np.uint8)], [1.0])
        >>> batch = cut(images, (4, 4), 2)
        >>> batch.shape, round(float(batch.max()), 3)
        ((2, 4, 4, 3), 0.2)
    """
    rng = np.random.default_rng(seed)
    chances = np.array(images.weights) / np.sum(images.weights)
    turns = [0] if not turn else [0, 1, 2, 3] if size[0] == size[1] else [0, 2]
    batch = np.empty((count, *size, 3), np.float32)
    for index in range(count):
        picture = images[rng.choice(len(images), p=chances)]
        top, left = (
            rng.integers(whole - part + 1)
            for whole, part in zip(picture.shape[:2], size, strict=True)
        )
        crop = picture[top : top + size[0], left : left + size[1]]
        crop = crop[:, ::-1] if rng.random() < 0.5 else crop
        batch[index] = np.rot90(crop, rng.choice(turns)) / np.float32(255)
    return batch


def mean_colour(images: Images, size: tuple[int, int]) -> np.ndarray:
    """The mean colour of all crops of a size: the middle of a picture is in more of them.

    Args:
        images: where crops are cut from.
        size: `(height, width)` of the crops; no picture is smaller.

    Returns:
        Float64 `(3,)` in 0 … 1.

    Example:
        >>> images = Images(["grey"], [np.full((8, 9, 3), 51, np.uint8)], [1.0])
        >>> mean_colour(images, (4, 4)).round(3).tolist()
        [0.2, 0.2, 0.2]
    """
    means = []
    for picture in images.pictures:
        weights = [
            np.convolve(np.ones(whole - part + 1), np.ones(part)) / (whole - part + 1) / part
            for whole, part in zip(picture.shape[:2], size, strict=True)
        ]
        means.append(np.einsum("y,x,yxc->c", *weights, picture, optimize=True))
    return np.average(means, axis=0, weights=images.weights) / 255
