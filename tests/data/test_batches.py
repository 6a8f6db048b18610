"""Batches of crops: their content, and an order that can be resumed."""

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import batches, scenes
from keras_gen.data.images import Images

SCENES = scenes.Scenes(range(1000, 1003), (64, 80))


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def listed(dataset):
    return [[np.asarray(part) for part in batch] for batch in dataset]


# Crops -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corner():
    """A picture with one red corner, top left."""
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:8, :8, 0] = 255
    return Images(["corner"], [picture], [1.0])


@pytest.mark.parametrize(
    ("augment", "size", "corners"),
    [
        ([], (32, 48), {"top left"}),
        (["flip"], (32, 48), {"top left", "top right"}),
        (["turn"], (32, 48), {"top left", "bottom right"}),
        (["flip", "turn"], (32, 48), {"top left", "top right", "bottom left", "bottom right"}),
        (["colours"], (32, 48), {"top left"}),
    ],
    ids=str,
)
def test_each_augmentation_alone(corner, augment, size, corners):
    rng = np.random.default_rng(0)
    crops = [batches.random_crop(corner, size, rng, augment) for _ in range(60)]
    found, channels = set(), set()
    for crop in crops:
        assert crop.dtype == np.uint8 and crop.shape == (*size, 3) and crop.flags.c_contiguous
        row, column, channel = np.unravel_index(crop.argmax(), crop.shape)
        found.add(f"{'bottom' if row else 'top'} {'right' if column else 'left'}")
        channels.add(int(channel))
        assert crop.sum() == 8 * 8 * 255
    assert found == corners
    assert channels == ({0, 1, 2} if augment == ["colours"] else {0})


def test_a_square_crop_takes_quarter_turns():
    picture = np.repeat(np.arange(16, dtype=np.uint8)[:, None, None], 16, 1).repeat(3, 2)
    images = Images(["ramp"], [picture], [1.0])
    rng = np.random.default_rng(0)
    crops = {batches.random_crop(images, (16, 16), rng, ["turn"]).tobytes() for _ in range(60)}
    assert crops == {np.rot90(picture, turns).tobytes() for turns in range(4)}


def test_shrinking_takes_a_larger_part_of_the_picture_and_reduces_it():
    """A ramp over 64 columns: a crop of 32 spans 31 grey levels, twice as many at most."""
    picture = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    images = Images(["ramp"], [picture], [1.0])
    rng = np.random.default_rng(0)
    crops = [batches.random_crop(images, (32, 32), rng, ["shrink"]) for _ in range(200)]
    spans = np.array([int(crop[0, -1, 0]) - int(crop[0, 0, 0]) for crop in crops])
    assert 0.2 < (spans == 31).mean() < 0.4  # three in ten are left as they are
    assert spans.min() == 31 and 56 < spans.max() <= 63


def test_datasets_of_one_array_and_of_several():
    def batch(number):
        return np.full((2, 3), number, np.float32)

    one = batches.from_batch_function(batch, (2, 3), steps=4, first_step=2)
    assert [np.asarray(array).tolist() for array in one] == [[[n] * 3] * 2 for n in (2, 3)]
    assert one.element_spec.shape == (2, 3)
    several = batches.from_batch_function(
        lambda number: (batch(number), batch(-number)), (2, 3), (2, 3), steps=2
    )
    assert [len(arrays) for arrays in several] == [2, 2]
    assert [float(arrays[1][0, 0]) for arrays in several] == [0, -1]


# Small and large ---------------------------------------------------------------------------------


def pair_batches(*arguments, **settings):
    dataset = batches.pairs(*arguments, **settings)
    return [(small.numpy(), large.numpy()) for small, large in dataset]


@pytest.fixture(scope="module")
def two():
    images = Images()
    images.append("one", noise(50, 70, 1), 3.0)
    images.append("two", noise(64, 48, 2), 1.0)
    return images


def test_batch_n_depends_on_seed_and_n_alone(two):
    whole = pair_batches(two, 8, 32, steps=6, batch_size=3, seed=5)
    assert len(whole) == 6
    for first in (1, 4):
        for resumed, expected in zip(
            pair_batches(two, 8, 32, steps=6, first_step=first, batch_size=3, seed=5),
            whole[first:],
            strict=True,
        ):
            np.testing.assert_array_equal(resumed[0], expected[0])
            np.testing.assert_array_equal(resumed[1], expected[1])
    other = pair_batches(two, 8, 32, steps=6, batch_size=3, seed=6)
    assert not any((a[1] == b[1]).all() for a, b in zip(whole, other, strict=True))
    larges = [large.tobytes() for _, large in whole]
    assert len(set(larges)) == 6, "no batch comes twice"


@pytest.mark.parametrize(
    ("low", "high"), [(8, 32), ((6, 10), (30, 50)), (16, 25)], ids=["x4", "wide", "fraction"]
)
def test_small_image_is_pillows_bicubic_reduction_in_8_bits(two, low, high):
    for small, large in pair_batches(two, low, high, steps=3, batch_size=4):
        assert small.dtype == large.dtype == np.float32
        for image in (small, large):
            assert image.min() >= 0
            assert image.max() <= 1
            np.testing.assert_array_equal(image * 255, np.round(image * 255))
        for given, reference in zip(small, large, strict=True):
            picture = Image.fromarray(np.round(reference * 255).astype(np.uint8))
            reduced = picture.resize(given.shape[1::-1], Image.Resampling.BICUBIC)
            np.testing.assert_array_equal(np.round(given * 255), np.asarray(reduced))


def test_without_augmentation_large_images_are_parts_of_the_pictures(two):
    places = set()
    for _, large in pair_batches(two, 8, 32, steps=4, batch_size=8, augment=False):
        for image in np.round(large * 255).astype(np.uint8):
            found = []
            for name, picture in two:
                windows = np.lib.stride_tricks.sliding_window_view(picture, image.shape)
                found += [
                    (name, *place)
                    for place in np.argwhere((windows == image).all(axis=(-3, -2, -1))[..., 0])
                ]
            assert len(found) == 1
            places.add(tuple(map(str, found[0])))
    assert len(places) > 25, "crops come from all over"


def test_heavier_pictures_give_more_crops():
    images = Images()
    images.append("black", np.zeros((16, 16, 3), np.uint8), 3.0)
    images.append("white", np.full((16, 16, 3), 255, np.uint8), 1.0)
    ((_, large),) = pair_batches(images, 4, 16, steps=1, batch_size=2000)
    fraction = float(np.mean(large))
    assert abs(fraction - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 2000)


def test_augmentation_turns_flips_and_permutes_colours():
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[0, :, 0] = 255  # one red edge, on top
    images = Images()
    images.append("edge", picture, 1.0)
    ((_, large),) = pair_batches(images, 8, 32, steps=1, batch_size=200)
    edges, colours = set(), set()
    for image in large:
        bright = {
            "top": image[0].sum(),
            "bottom": image[-1].sum(),
            "left": image[:, 0].sum(),
            "right": image[:, -1].sum(),
        }
        edges.add(max(bright, key=bright.get))
        colours.add(int(image.sum(axis=(0, 1)).argmax()))
    assert edges == {"top", "bottom", "left", "right"}
    assert colours == {0, 1, 2}


def test_pairs_of_pictures_that_are_all_too_small(two):
    with pytest.raises(ValueError, match=r"crop of 300×300 \(the largest is 50×70\)"):
        batches.pairs(two, 75, 300, steps=1)


# Label map and scene, clouded and clear ----------------------------------------------------------


def test_label_map_and_image_are_cropped_and_flipped_alike():
    ((labels, images),) = listed(batches.label_pairs(SCENES, 48, steps=1, batch_size=12))
    assert labels.shape == (12, 48, 48, 7) and images.shape == (12, 48, 48, 3)
    assert labels.dtype == images.dtype == np.float32
    assert np.array_equal(labels.sum(axis=-1), np.ones((12, 48, 48)))
    flipped = 0
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
        assert any(np.array_equal(one, crop) for _, crop in places)
        flipped += places[0][0] == -1
    assert 1 < flipped < 11


def clouded(**options):
    return batches.cloud_pairs(scenes.aerial_images(range(1000, 1002), 64), 32, **options)


@pytest.mark.parametrize(
    "pairs", [lambda **options: batches.label_pairs(SCENES, (32, 48), **options), clouded]
)
def test_a_batch_depends_on_seed_and_number_alone(pairs):
    """A training that stops after two batches resumes with the third."""
    whole = listed(pairs(steps=4, batch_size=2, seed=5))
    rest = listed(pairs(steps=4, batch_size=2, seed=5, first_step=2))
    assert len(rest) == 2
    for batch, again in zip(whole[2:], rest, strict=True):
        for part, same in zip(batch, again, strict=True):
            assert np.array_equal(part, same)
    other = listed(pairs(steps=1, batch_size=2, seed=6))
    assert not np.array_equal(whole[0][1], other[0][1])
    assert not np.array_equal(whole[0][1], whole[1][1])


def test_clouds_hide_part_of_the_clear_image():
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
