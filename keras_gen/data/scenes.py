"""Pairs for the U-Net: label map and aerial scene, clouded picture and clear one.

As in `datasets`, batch number n depends on the seed and on n alone. A scene is drawn when it is
first asked for and then kept, in 8 bits: 0.6 MB of memory each at 400×400.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from keras_gen._util.arguments import as_pair
from keras_gen.data.aerial import rendering
from keras_gen.data.images import Images

HELD_OUT_SCENES = range(200)
"""Seeds of the scenes that no training sees."""


TRAINING_SCENES = range(1000, 1600)
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

    def __init__(self, seeds: Sequence[int] = TRAINING_SCENES, size: int | tuple[int, int] = 400):
        self.seeds, self.size, self._drawn = seeds, as_pair(size), {}

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        seed = self.seeds[place]
        if seed not in self._drawn:  # drawn twice by two threads, it is the same scene
            labels, image = rendering.scene(seed, self.size)
            self._drawn[seed] = labels, np.rint(image * 255).astype(np.uint8)
        return self._drawn[seed]


def aerial_images(
    seeds: Sequence[int],
    size: int | tuple[int, int] = 400,
    *,
    progress: Callable[[Sequence], Iterable] = iter,
) -> Images:
    """Draw aerial scenes as pictures, without their label maps.

    Args:
        seeds: the seed of each.
        size: side in pixels, or `(height, width)`.
        progress: called with the seeds, gives them one by one.

    Returns:
        The `images.Images`, each as likely as the other.

    Example:
        >>> aerial_images(range(2), 64).names
        ['aerial_0', 'aerial_1']
    """
    images = Images()
    for seed in progress(seeds):
        _, image = Scenes([seed], size)[0]
        images.append(f"aerial_{seed}", image, 1.0)
    return images
