"""TODO: say what this module holds."""

import functools

import numpy as np

from keras_gen._util import progress
from keras_gen.data import bundled, scenes
from keras_gen.data.aerial import rendering
from keras_gen.data.batches import crop_batch
from keras_gen.data.images import Images
from keras_gen.training import sources

BUNDLED = (*sources.BUNDLED, "hubble")


SCENES = 96  # aerial scenes to learn from


def real_images(data: str, size, memory_limit: int, console) -> tuple[Images, bool]:
    """The pictures to learn from, and whether they have no up and down."""
    if data == "hubble":
        return Images(["hubble"], [_hubble_for_training()], [1.0]).at_least(size), True
    if data == "aerial":  # not turned: the sun never shines from below
        larger = tuple(side + side // 4 for side in size)
        seeds = scenes.TRAINING_SCENES[:SCENES]
        return scenes.aerial_images(
            seeds,
            larger,
            progress=lambda seeds: progress.tracked(console, seeds, "drawing aerial scenes"),
        ), False
    images, _ = sources.read_images(data, size, memory_limit, console)
    return images, False


def unseen_images(data: str, size, count: int, *, seed) -> np.ndarray | None:
    """As many images of the same kind that were not learned from, where there are any."""
    if data == "hubble":
        sky = bundled.held_out_sky()
        fits = all(side <= whole for side, whole in zip(size, sky[0].shape, strict=False))
        return crop_batch(sky, size, count, seed=seed, turn=True) if fits else None
    if data == "aerial" and count <= len(scenes.HELD_OUT_SCENES):
        return _unseen_scenes(size, count)
    return None


@functools.lru_cache(maxsize=1)
def _unseen_scenes(size, count):
    """Aerial scenes that were not learned from: always the same."""
    return np.stack([rendering.scene(scene, size)[1] for scene in scenes.HELD_OUT_SCENES[:count]])


@functools.cache
def _hubble_for_training():
    """The part of the Hubble deep field to train on."""
    return bundled.photographs("train")["hubble"]
