"""Pairs for the U-Net: they match, they repeat by number, and held-out scenes stay out."""

import numpy as np
import pytest

from keras_gen._util import arguments
from keras_gen.data import batches, occlusions, scenes
from keras_gen.data.aerial import rendering


def listed(dataset):
    return [[np.asarray(part) for part in batch] for batch in dataset]


SCENES = scenes.Scenes(range(1000, 1003), (64, 80))


def test_no_scene_is_both_learned_from_and_held_out():
    assert not set(scenes.HELD_OUT_SCENES) & set(scenes.TRAINING_SCENES)
    assert len(scenes.HELD_OUT_SCENES) == 200


def test_scenes_are_drawn_once_and_hold_what_was_drawn():
    labels, image = rendering.scene(1001, (64, 80))
    assert np.array_equal(SCENES[1][0], labels)
    assert np.array_equal(SCENES[1][1] / np.float32(255), image)
    assert SCENES[1][1] is SCENES[1][1] and len(SCENES) == 3


def test_label_map_and_image_are_cut_and_mirrored_alike():
    ((labels, images),) = listed(batches.label_pairs(SCENES, 48, steps=1, batch_size=12))
    assert labels.shape == (12, 48, 48, 7) and images.shape == (12, 48, 48, 3)
    assert labels.dtype == images.dtype == np.float32
    assert np.array_equal(labels.sum(axis=-1), np.ones((12, 48, 48)))
    mirrored = 0
    for one, image in zip(labels.argmax(axis=-1), images, strict=True):
        places = [
            (direction, scene_labels[top : top + 48, left : left + 48][:, ::direction])
            for direction in (1, -1)
            for scene_labels, scene_image in (SCENES[n] for n in range(3))
            for top in range(64 - 48 + 1)
            for left in range(80 - 48 + 1)
            if np.array_equal(
                scene_image[top : top + 48, left : left + 48][:, ::direction] / np.float32(255),
                image,
            )
        ]
        assert any(np.array_equal(one, cut) for _, cut in places)
        mirrored += places[0][0] == -1
    assert 1 < mirrored < 11


def clouded(**options):
    return batches.cloud_pairs(scenes.aerial_images(range(1000, 1002), 64), 32, **options)


@pytest.mark.parametrize(
    "pairs", [lambda **options: batches.label_pairs(SCENES, (32, 48), **options), clouded]
)
def test_a_batch_depends_on_seed_and_number_alone(pairs):
    """Whoever stops after two batches goes on with the third."""
    whole = listed(pairs(steps=4, batch_size=2, seed=5))
    rest = listed(pairs(steps=4, batch_size=2, seed=5, first_step=2))
    assert len(rest) == 2
    for batch, again in zip(whole[2:], rest, strict=True):
        for part, same in zip(batch, again, strict=True):
            assert np.array_equal(part, same)
    other = listed(pairs(steps=1, batch_size=2, seed=6))
    assert not np.array_equal(whole[0][1], other[0][1])
    assert not np.array_equal(whole[0][1], whole[1][1])


def test_clouds_are_laid_over_what_is_to_be_drawn():
    ((given, clear),) = listed(clouded(steps=1, batch_size=8))
    changed = np.abs(given - clear).max(axis=-1) > 1e-6
    assert 0.1 < changed.mean() < 0.9
    hidden = (given.min(axis=-1) > 0.8) & changed
    assert 0.1 < hidden.mean() < 0.6
    assert given.min() >= 0 and given.max() <= 1


def test_crops_larger_than_the_pictures():
    with pytest.raises(ValueError, match="a crop of 80×80 is larger than the scenes, 64×80"):
        batches.label_pairs(SCENES, 80, steps=1)
    with pytest.raises(ValueError, match="as large as the crop of 96×96"):
        batches.cloud_pairs(scenes.aerial_images([0], 64), 96, steps=1)


# Clouds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [64, (40, 90)])
@pytest.mark.parametrize("cover", [0.1, 0.3, 0.7])
def test_clouds_cover_what_is_asked(size, cover):
    hidden = occlusions.clouds(3, size, cover=cover)
    assert hidden.shape == tuple(arguments.as_pair(size))
    assert (hidden > 0.5).mean() == pytest.approx(cover, abs=0.01)
    assert hidden.min() == 0 and hidden.max() == 1


def test_clouds_are_soft_and_in_one_piece():
    """From pixel to pixel they change little, and most of what is hidden is hidden wholly."""
    hidden = occlusions.clouds(0, 128, cover=0.4)
    assert np.abs(np.diff(hidden[:-1], axis=0)).mean() < 0.1
    assert (hidden[hidden > 0.5] == 1).mean() > 0.5


def test_clouds_by_seed():
    first, again, other = (occlusions.clouds(seed, 48) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    covers = [(occlusions.clouds(seed, 48) > 0.5).mean() for seed in range(20)]
    assert 0.13 < min(covers) < 0.25 and 0.4 < max(covers) < 0.52


@pytest.mark.parametrize("cover", [-0.1, 1.5, np.nan])
def test_cover_is_a_share(cover):
    with pytest.raises(ValueError, match="is not a share from 0 to 1"):
        occlusions.clouds(0, 32, cover=cover)
