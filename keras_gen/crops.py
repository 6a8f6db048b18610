"""Crops for an unconditional GAN: batches of images alone, in an order that can be resumed."""

import numpy as np

from keras_gen.datasets import Images
from keras_gen.sizes import as_pair


def crops(
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
            lambda step: cut(images, size, batch_size, seed=(seed, int(step)), turn=turn),
            [step],
            tf.float32,
            stateful=False,
        )
        batch.set_shape((batch_size, *size, 3))
        return batch

    numbers = tf.data.Dataset.range(first_step, steps)
    return numbers.map(load, num_parallel_calls=2, deterministic=True).prefetch(2)


def cut(
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
