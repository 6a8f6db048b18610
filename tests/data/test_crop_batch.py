"""Batches of random crops depend on seed and number alone, and hold parts of the pictures."""

import numpy as np

import keras_gen as kg
from keras_gen.data import batches
from keras_gen.data.images import Images


def test_crops_depend_on_seed_and_number_alone():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (40, 50, 3), dtype=np.uint8) for _ in range(2)]
    images = Images(["a", "b"], pictures, [1.0, 1.0])
    settings = {"batch_size": 3, "seed": 5, "turn": True}
    whole = [np.asarray(b) for b in batches.image_batches(images, (16, 16), steps=4, **settings)]
    assert [batch.shape for batch in whole] == [(3, 16, 16, 3)] * 4
    rest = [
        np.asarray(b) for b in batches.image_batches(images, 16, first_step=2, steps=4, **settings)
    ]
    np.testing.assert_array_equal(np.stack(whole[2:]), np.stack(rest))
    assert np.abs(whole[0] - whole[1]).max() > 0.1


def test_crops_are_parts_of_the_pictures():
    picture = np.arange(30 * 40 * 3, dtype=np.uint32) * 2654435761 >> 24
    picture = np.uint8(picture % 256).reshape(30, 40, 3)
    images = Images(["a"], [picture], [1.0])
    windows = np.lib.stride_tricks.sliding_window_view(picture, (12, 12), axis=(0, 1))
    known = {window.transpose(1, 2, 0).tobytes() for row in windows for window in row}
    kinds = set()
    for crop in batches.crop_batch(images, (12, 12), 60, turn=True):
        pixels = np.uint8(np.rint(crop * 255))
        versions = [np.rot90(p, -k) for k in range(4) for p in (pixels,)]
        versions += [np.rot90(pixels, -k)[:, ::-1] for k in range(4)]
        (kind,) = [k for k, version in enumerate(versions) if version.tobytes() in known]
        kinds.add(kind)
    assert kinds == set(range(8))
    upright = batches.crop_batch(images, (12, 12), 20)
    for crop in np.uint8(np.rint(upright * 255)):
        assert crop.tobytes() in known or crop[:, ::-1].tobytes() in known


def test_mean_colour_is_that_of_all_crops():
    rng = np.random.default_rng(0)
    images = kg.data.Images()
    images.append("one", rng.integers(0, 256, (7, 9, 3), dtype=np.uint8), 3.0)
    images.append("two", rng.integers(0, 256, (6, 5, 3), dtype=np.uint8), 1.0)
    means = [
        np.lib.stride_tricks.sliding_window_view(picture, (4, 5), (0, 1)).mean((0, 1, 3, 4))
        for picture in images.pictures
    ]
    expected = (3 * means[0] + means[1]) / 4 / 255
    np.testing.assert_allclose(kg.data.mean_colour(images, (4, 5)), expected, rtol=1e-12)
