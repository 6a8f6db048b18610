"""Collections of aerial scenes, some to train on and some held out."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from keras_gen._util.arguments import as_pair
from keras_gen._util.pixels import to_uint8
from keras_gen.data.aerial import rendering
from keras_gen.data.images import Images

HELD_OUT_SCENES = range(200)
"""Seeds of the scenes that no training uses."""

TRAINING_SCENES = range(1000, 1600)
"""Seeds of the scenes to train on, by default."""


class Scenes:
    """A sequence of (label map, image) pairs, each rendered at its first use and then kept.

    The images are kept in 8 bits; a scene of 400×400 takes 0.6 MB.

    Args:
        seeds: the seed of each scene.
        size: side of the scenes in pixels, or `(height, width)`.

    Example:
        >>> labels, image = Scenes(range(3), 64)[0]
        >>> labels.shape, image.shape, image.dtype
        ((64, 64), (64, 64, 3), dtype('uint8'))
    """

    def __init__(self, seeds: Sequence[int] = TRAINING_SCENES, size: int | tuple[int, int] = 400):
        self.seeds, self.size, self._rendered = seeds, as_pair(size), {}

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        seed = self.seeds[place]
        if seed not in self._rendered:  # two threads may render it twice, to the same bytes
            labels, image = rendering.scene(seed, self.size)
            self._rendered[seed] = labels, to_uint8(image)
        return self._rendered[seed]


def aerial_images(
    seeds: Sequence[int],
    size: int | tuple[int, int] = 400,
    *,
    progress: Callable[[Sequence], Iterable] = iter,
) -> Images:
    """Render aerial scenes without their label maps.

    Args:
        seeds: the seed of each scene.
        size: side in pixels, or `(height, width)`.
        progress: wraps the sequence of seeds, for a progress bar.

    Returns:
        The `Images`, with equal weights.

    Example:
        >>> aerial_images(range(2), 64).names
        ['aerial_0', 'aerial_1']
    """
    images = Images()
    for seed in progress(seeds):
        _, image = Scenes([seed], size)[0]
        images.append(f"aerial_{seed}", image, 1.0)
    return images
