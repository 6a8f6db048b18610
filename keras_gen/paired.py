"""Pairs for the U-Net: label map and aerial scene, clouded picture and clear one.

As in `datasets`, batch number n depends on the seed and on n alone. A scene is drawn when it is
first asked for and then kept, in 8 bits: 0.6 MB of memory each at 400×400.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from keras_gen import aerial, datasets, occlusions
from keras_gen.sizes import as_pair

HELD_OUT = range(200)
"""Seeds of the scenes that no training sees."""
TRAINED_ON = range(1000, 1600)
"""Seeds of the scenes to learn from, by default."""


class Scenes:
    """Aerial scenes by place, drawn when first asked for, then kept.

    Args:
        seeds: the seed of each.
        size: side of the scenes in pixels, or `(height, width)`.

    Example:
        >>> labels, image = Scenes(range(3), 64)[0]
        >>> labels.shape, image.shape, image.dtype
        ((64, 64), (64, 64, 3), dtype('uint8'))
    """

    def __init__(self, seeds: Sequence[int] = TRAINED_ON, size: int | tuple[int, int] = 400):
        self.seeds, self.size, self._drawn = seeds, as_pair(size), {}

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        seed = self.seeds[place]
        if seed not in self._drawn:  # drawn twice by two threads, it is the same scene
            labels, image = aerial.scene(seed, self.size)
            self._drawn[seed] = labels, np.rint(image * 255).astype(np.uint8)
        return self._drawn[seed]


def aerial_images(
    seeds: Sequence[int],
    size: int | tuple[int, int] = 400,
    *,
    progress: Callable[[Sequence], Iterable] = iter,
) -> datasets.Images:
    """Draw aerial scenes as pictures, without their label maps.

    Args:
        seeds: the seed of each.
        size: side in pixels, or `(height, width)`.
        progress: called with the seeds, gives them one by one.

    Returns:
        The `datasets.Images`, each as likely as the other.

    Example:
        >>> aerial_images(range(2), 64).names
        ['aerial_0', 'aerial_1']
    """
    images = datasets.Images()
    for seed in progress(seeds):
        _, image = Scenes([seed], size)[0]
        images.append(f"aerial_{seed}", image, 1.0)
    return images


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
        steps, batch_size, first_step, seed: as in `datasets.pairs`.

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
        return aerial.one_hot(np.stack(maps)), np.stack(images) / np.float32(255)

    shapes = tuple((batch_size, height, width, n) for n in (len(aerial.CLASSES), 3))
    return datasets.numbered(batch, shapes, steps=steps, first_step=first_step)


def cloud_pairs(
    images: datasets.Images,
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
        steps, batch_size, first_step, seed, augment: as in `datasets.pairs`.

    Returns:
        `tf.data.Dataset` of batches `((batch, *crop, 3), (batch, *crop, 3))`, float32 in 0 … 1.

    Raises:
        ValueError: where no picture is as large as the crop.

    Example:
        for clouded, clear in cloud_pairs(datasets.photographs(), 96, steps=1):
            print(clouded.shape, clear.shape)  # (8, 96, 96, 3) (8, 96, 96, 3)
    """
    crop = as_pair(crop)
    images = images.at_least(crop)

    def batch(step):
        rng = np.random.default_rng((seed, int(step)))
        clear = [datasets.cut(images, crop, rng, augment=augment) for _ in range(batch_size)]
        clear = np.stack(clear) / np.float32(255)
        clouded = [occlusions.occlude(image, int(rng.integers(2**31))) for image in clear]
        return np.stack(clouded), clear

    shape = (batch_size, *crop, 3)
    return datasets.numbered(batch, (shape, shape), steps=steps, first_step=first_step)
