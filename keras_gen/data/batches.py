"""Random crops, and batches of them: as arrays, and as `tf.data.Dataset`s for training.

Batch number n of a dataset depends only on the seed and on n, so that an interrupted training
resumes with the batches that it would have used.
"""

from collections.abc import Callable, Collection

import numpy as np

from keras_gen._util.arguments import as_pair
from keras_gen.data import occlusions
from keras_gen.data.aerial import palette, rendering
from keras_gen.data.images import Images
from keras_gen.data.resampling import reduce
from keras_gen.data.scenes import Scenes

CROP_AUGMENTATIONS = ("shrink", "flip", "turn", "colours")


# Crops -------------------------------------------------------------------------------------------


def random_crop(
    images: Images, size: tuple[int, int], rng: np.random.Generator, augment: Collection[str] = ()
) -> np.ndarray:
    """Take a crop at a random place of a random picture.

    Args:
        images: pictures to crop from, each as often as its weight says; none is smaller than the
            crop.
        size: `(height, width)` of the crop in pixels.
        rng: source of all random numbers.
        augment: any of `CROP_AUGMENTATIONS`, each applied at random. `"shrink"`: crop a larger part
            of the picture, up to twice the size, and reduce it; `"flip"`: left to right; `"turn"`:
            by quarter turns, or half turns where the crop is not square; `"colours"`: permute the
            colour channels.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Example:
        >>> images = Images(["grey"], [np.full((8, 9, 3), 51, np.uint8)], [1.0])
        >>> random_crop(images, (4, 6), np.random.default_rng(0), ["flip"]).shape
        (4, 6, 3)
    """
    chances = np.array(images.weights) / np.sum(images.weights)
    picture = images[rng.choice(len(images), p=chances)]
    (height, width), (tallest, widest) = size, picture.shape[:2]
    shrink = 1.0
    if "shrink" in augment and rng.random() < 0.7:
        shrink = min(2 ** rng.random(), tallest / height, widest / width)
    tall, wide = int(height * shrink), int(width * shrink)
    top, left = rng.integers(tallest - tall + 1), rng.integers(widest - wide + 1)
    crop = picture[top : top + tall, left : left + wide]
    if (tall, wide) != size:
        crop = reduce(crop, size)
    if "flip" in augment and rng.random() < 0.5:
        crop = crop[:, ::-1]
    if "turn" in augment:
        crop = np.rot90(crop, rng.choice([0, 1, 2, 3] if height == width else [0, 2]))
    if "colours" in augment and rng.random() < 0.5:
        crop = crop[..., rng.permutation(3)]
    return np.ascontiguousarray(crop)


def crop_batch(
    images: Images,
    size: tuple[int, int],
    count: int,
    *,
    seed: int | tuple[int, ...] = 0,
    turn: bool = False,
) -> np.ndarray:
    """Take random crops, half of them flipped left to right.

    Args:
        images: pictures to crop from.
        size: `(height, width)` of the crops in pixels.
        count: number of crops.
        seed: seed of places, flips and turns.
        turn: also turn crops at random, for pictures without an up and a down, such as the sky.

    Returns:
        float32 array `(count, *size, 3)` in 0 … 1.

    Example:
        >>> images = Images(["grey"], [np.full((8, 9, 3), 51, np.uint8)], [1.0])
        >>> batch = crop_batch(images, (4, 4), 2)
        >>> batch.shape, round(float(batch.max()), 3)
        ((2, 4, 4, 3), 0.2)
    """
    rng = np.random.default_rng(seed)
    augment = ("flip", "turn") if turn else ("flip",)
    crops = [random_crop(images, size, rng, augment) for _ in range(count)]
    return np.stack(crops) / np.float32(255)


def mean_colour(images: Images, size: tuple[int, int]) -> np.ndarray:
    """Return the mean colour of all possible crops, in which central pixels occur most often.

    Args:
        images: pictures to crop from.
        size: `(height, width)` of the crops; no picture is smaller.

    Returns:
        float64 array `(3,)` in 0 … 1.

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


# Datasets ----------------------------------------------------------------------------------------


def from_batch_function(
    batch: Callable[[int], np.ndarray | tuple[np.ndarray, ...]],
    *shapes: tuple[int, ...],
    steps: int,
    first_step: int = 0,
):
    """Turn a function of the batch number into a `tf.data.Dataset`, computed during training.

    Args:
        batch: `batch(number)` returns a float32 array, or a tuple of several; it may depend on the
            number only.
        shapes: the shape of each array.
        steps: number of batches of the whole training.
        first_step: number of the first batch.

    Returns:
        `tf.data.Dataset` of `steps - first_step` batches: arrays for a single shape, else tuples.

    Example:
        >>> zeros = np.zeros((2, 8, 8, 3), np.float32)
        >>> len(from_batch_function(lambda number: zeros, zeros.shape, steps=5, first_step=3))
        2
    """
    import tensorflow as tf

    def load(number):
        arrays = tf.numpy_function(batch, [number], [tf.float32] * len(shapes), stateful=False)
        for array, shape in zip(arrays, shapes, strict=True):
            array.set_shape(shape)
        return tuple(arrays) if len(shapes) > 1 else arrays[0]

    numbers = tf.data.Dataset.range(first_step, steps)
    return numbers.map(load, num_parallel_calls=2, deterministic=True).prefetch(4)


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
    """Make batches of random crops, half of them flipped left to right.

    Args:
        images: pictures to crop from.
        size: side or `(height, width)` of the crops in pixels.
        steps: number of batches of the whole training.
        batch_size: crops per batch.
        first_step: number of the first batch; batch n is the same wherever a training starts.
        seed: seed of places, flips and turns.
        turn: also turn crops at random, for pictures without an up and a down, such as the sky.

    Returns:
        `tf.data.Dataset` of `steps - first_step` batches `(batch_size, *size, 3)`, float32 in
        0 … 1.

    Raises:
        ValueError: if no picture is as large as `size`.

    Example:
        >>> images = Images(["grey"], [np.full((80, 90, 3), 51, np.uint8)], [1.0])
        >>> [batch.shape.as_list() for batch in image_batches(images, 64, steps=1)]
        [[8, 64, 64, 3]]
    """
    size = as_pair(size)
    images = images.at_least(size)

    def batch(step):
        return crop_batch(images, size, batch_size, seed=(seed, int(step)), turn=turn)

    shape = (batch_size, *size, 3)
    return from_batch_function(batch, shape, steps=steps, first_step=first_step)


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
    """Make (small, large) pairs of random crops, to train upscaling.

    Args:
        images: pictures to crop from.
        low: side or `(height, width)` of the small image: the large one, reduced by `reduce`.
        high: side or `(height, width)` of the large image.
        steps: number of batches of the whole training.
        batch_size: pairs per batch.
        first_step: number of the first batch; batch n is the same wherever a training starts.
        seed: seed of crops and augmentation.
        augment: apply all `CROP_AUGMENTATIONS`, or none.

    Returns:
        `tf.data.Dataset` of `steps - first_step` batches
        `((batch, *low, 3), (batch, *high, 3))`, float32 in 0 … 1.

    Raises:
        ValueError: if no picture is as large as `high`.

    Example:
        >>> images = Images(["grey"], [np.full((100, 100, 3), 51, np.uint8)], [1.0])
        >>> for small, large in pairs(images, 24, 96, steps=1):
        ...     print(small.shape, large.shape)
        (16, 24, 24, 3) (16, 96, 96, 3)
    """
    low, high = as_pair(low), as_pair(high)
    images = images.at_least(high)

    chosen = CROP_AUGMENTATIONS if augment else ()

    def batch(step):
        rng = np.random.default_rng((seed, int(step)))
        large = [random_crop(images, high, rng, chosen) for _ in range(batch_size)]
        small = [reduce(crop, low) for crop in large]
        return np.stack(small) / np.float32(255), np.stack(large) / np.float32(255)

    shapes = ((batch_size, *low, 3), (batch_size, *high, 3))
    return from_batch_function(batch, *shapes, steps=steps, first_step=first_step)


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
    """Make (clouded, clear) pairs of random crops.

    Args:
        images: pictures to crop from.
        crop: side of a pair in pixels, or `(height, width)`.
        steps, batch_size, first_step, seed, augment: as in `pairs`.

    Returns:
        `tf.data.Dataset` of batches `((batch, *crop, 3), (batch, *crop, 3))`, float32 in 0 … 1.

    Raises:
        ValueError: if no picture is as large as the crop.

    Example:
        >>> images = Images(["grey"], [np.full((100, 100, 3), 51, np.uint8)], [1.0])
        >>> for clouded, clear in cloud_pairs(images, 96, steps=1):
        ...     print(clouded.shape, clear.shape)
        (8, 96, 96, 3) (8, 96, 96, 3)
    """
    crop = as_pair(crop)
    images = images.at_least(crop)
    chosen = CROP_AUGMENTATIONS if augment else ()

    def batch(step):
        rng = np.random.default_rng((seed, int(step)))
        clear = [random_crop(images, crop, rng, chosen) for _ in range(batch_size)]
        clear = np.stack(clear) / np.float32(255)
        clouded = [occlusions.occlude(image, int(rng.integers(2**31))) for image in clear]
        return np.stack(clouded), clear

    shape = (batch_size, *crop, 3)
    return from_batch_function(batch, shape, shape, steps=steps, first_step=first_step)


def label_pairs(
    scenes: Scenes,
    crop: int | tuple[int, int],
    *,
    steps: int,
    batch_size: int = 8,
    first_step: int = 0,
    seed: int = 0,
):
    """Make (label map, image) pairs of random crops of aerial scenes.

    Half of them are flipped left to right, but never upside down: the sun never shines from below.

    Args:
        scenes: scenes to crop from.
        crop: side of a pair in pixels, or `(height, width)`.
        steps, batch_size, first_step, seed: as in `pairs`.

    Returns:
        `tf.data.Dataset` of batches `((batch, *crop, 7), (batch, *crop, 3))`: one-hot label maps,
        and images in 0 … 1, float32.

    Raises:
        ValueError: if the scenes are smaller than the crop.

    Example:
        >>> for labels, image in label_pairs(Scenes(range(1000, 1002), 80), 64, steps=1):
        ...     print(labels.shape, image.shape)
        (8, 64, 64, 7) (8, 64, 64, 3)
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
            flip = slice(None, None, -1 if rng.random() < 0.5 else 1)
            maps.append(labels[place][:, flip])
            images.append(image[place][:, flip])
        return rendering.one_hot(np.stack(maps)), np.stack(images) / np.float32(255)

    shapes = tuple((batch_size, height, width, n) for n in (len(palette.CLASSES), 3))
    return from_batch_function(batch, *shapes, steps=steps, first_step=first_step)
