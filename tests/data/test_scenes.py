"""Collections of aerial scenes: held-out ones stay out, and each is rendered once."""

import numpy as np

from keras_gen.data import scenes
from keras_gen.data.aerial import rendering

SCENES = scenes.Scenes(range(1000, 1003), (64, 80))


def test_no_scene_is_both_trained_on_and_held_out():
    assert not set(scenes.HELD_OUT_SCENES) & set(scenes.TRAINING_SCENES)
    assert len(scenes.HELD_OUT_SCENES) == 200


def test_scenes_are_rendered_once_and_in_8_bits():
    labels, image = rendering.scene(1001, (64, 80))
    assert np.array_equal(SCENES[1][0], labels)
    assert np.array_equal(SCENES[1][1] / np.float32(255), image)
    assert SCENES[1][1] is SCENES[1][1] and len(SCENES) == 3
