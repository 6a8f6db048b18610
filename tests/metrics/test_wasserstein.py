"""Pyramid and sliced Wasserstein distance against loops, SciPy and closed forms."""

import numpy as np
import pytest
from scipy import ndimage, stats
from skimage import data

from keras_gen.metrics.wasserstein import (
    laplacian_pyramid,
    sample_patches,
    sliced_distance,
    sliced_wasserstein,
    sliced_wasserstein_floor,
)


def crops(count, size=96, seed=0):
    """Random crops of a photograph of immunostained tissue, a texture without a layout."""
    photo = (data.immunohistochemistry() / 255).astype("float32")
    corners = np.random.default_rng(seed).integers(photo.shape[0] - size, size=(count, 2))
    return np.stack([photo[row : row + size, column : column + size] for row, column in corners])


def reflected(index, size):
    """The place of index when the array is reflected at its outermost pixels."""
    period = 2 * (size - 1)
    index %= period
    return min(index, period - index)


WEIGHTS = {-2: 1, -1: 4, 0: 6, 1: 4, 2: 1}


def halve_by_loops(row):
    return [
        sum(w * row[reflected(centre + step, len(row))] for step, w in WEIGHTS.items()) / 16
        for centre in range(0, len(row), 2)
    ]


def double_by_loops(row, size):
    sparse = [row[i // 2] if i % 2 == 0 else 0 for i in range(size)]
    return [
        sum(w * sparse[reflected(centre + step, size)] for step, w in WEIGHTS.items()) / 8
        for centre in range(size)
    ]


@pytest.mark.parametrize("shape", [(16, 12), (13, 18)])
def test_pyramid_written_as_loops(shape):
    image = np.random.default_rng(0).random(shape)
    halved = np.apply_along_axis(halve_by_loops, 1, np.apply_along_axis(halve_by_loops, 0, image))
    doubled = np.apply_along_axis(double_by_loops, 0, halved, shape[0])
    doubled = np.apply_along_axis(double_by_loops, 1, doubled, shape[1])
    band, rest = laplacian_pyramid(image[None, ..., None], 2)
    np.testing.assert_allclose(rest[0, :, :, 0], halved, atol=1e-14)
    np.testing.assert_allclose(band[0, :, :, 0], image - doubled, atol=1e-14)


def test_pyramid_levels():
    images = np.full((2, 400, 120, 3), 0.5)
    assert sliced_wasserstein(images, images).sizes == ((400, 120), (200, 60), (100, 30))
    *bands, rest = laplacian_pyramid(images, 3)
    assert [band.shape for band in bands] == [(2, 400, 120, 3), (2, 200, 60, 3)]
    assert max(np.abs(band).max() for band in bands) < 1e-15
    np.testing.assert_allclose(rest, np.full((2, 100, 30, 3), 0.5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pyramid_keeps_the_type(dtype):
    assert {level.dtype for level in laplacian_pyramid(np.ones((1, 9, 8, 3), dtype), 3)} == {
        np.dtype(dtype)
    }


def test_one_dimension_is_scipys_wasserstein_distance():
    generator = np.random.default_rng(0)
    points, others = generator.normal(size=(2, 500, 1)) * [[[1]], [[3]]] + [[[0]], [[0.4]]]
    expected = stats.wasserstein_distance(points[:, 0], others[:, 0])
    assert sliced_distance(points, others, directions=3) == pytest.approx(expected, rel=1e-12)


def test_two_dimensions_are_the_mean_over_the_circle():
    generator = np.random.default_rng(0)
    points, others = generator.normal(size=(2, 100, 2)) * [[[1, 1]], [[3, 0.5]]]
    angles = np.linspace(0, np.pi, 720, endpoint=False)
    axes = np.stack([np.cos(angles), np.sin(angles)])
    expected = np.mean(
        [stats.wasserstein_distance(points @ axis, others @ axis) for axis in axes.T]
    )
    assert sliced_distance(points, others, directions=20000) == pytest.approx(expected, rel=0.01)


def test_closed_forms_of_normal_clouds():
    points = np.random.default_rng(0).normal(size=(10000, 147))
    shifted = points + np.eye(147)[0]
    double = sliced_distance(points, 2 * points, directions=64)
    assert double == pytest.approx(np.sqrt(2 / np.pi), rel=0.01)  # 0.798
    unit = sliced_distance(points[:100], shifted[:100], directions=20000)
    assert unit == pytest.approx(np.sqrt(2 / (np.pi * 147)), rel=0.02)  # 0.066
    assert sliced_distance(points, points) == 0


def test_patches_are_cropped_at_their_corners():
    band = np.arange(12 * 15 * 3, dtype=float).reshape(12, 15, 3)
    patches, corners = sample_patches(band, 500, np.random.default_rng(0))
    assert patches.shape == (500, 3, 7, 7)
    for patch, (row, column) in zip(patches, corners, strict=True):
        expected = band[row : row + 7, column : column + 7].transpose(2, 0, 1)
        np.testing.assert_array_equal(patch, expected)
    assert set(map(tuple, corners.tolist())) == {
        (row, column) for row in range(6) for column in range(9)
    }


def test_sliced_wasserstein_is_the_recipe_step_by_step():
    # At one level of 7×7 pixels there is one patch an image: the image itself.
    a, b = np.random.default_rng(0).random((2, 30, 7, 7, 3)) ** [[[[[1]]]], [[[[2]]]]]

    def points(images, like):
        normal = (images - like.mean(axis=(0, 1, 2))) / like.std(axis=(0, 1, 2))
        return normal.transpose(0, 3, 1, 2).reshape(30, -1)

    measured = sliced_wasserstein(a, b, patches=1, levels=1, seed=5)
    both = np.concatenate([a, b])
    separate = 1000 * sliced_distance(points(a, a), points(b, b), seed=5)
    joint = 1000 * sliced_distance(points(a, both), points(b, both), seed=5)
    assert measured.sizes == ((7, 7),)
    assert measured.separate == pytest.approx(separate, rel=1e-4)
    assert measured.joint == pytest.approx(joint, rel=1e-4)
    assert joint > 1.5 * separate


def test_equal_sets_are_at_distance_zero_and_seeds_repeat():
    a, b = crops(8), crops(8, seed=1)
    same = sliced_wasserstein(a, a)
    assert same.separate == same.joint == 0
    first = sliced_wasserstein(a, b, seed=3)
    assert first == sliced_wasserstein(a, b, seed=3)
    assert first != sliced_wasserstein(a, b, seed=4)
    assert first.sizes == ((96, 96), (48, 48), (24, 24))
    assert first.separate == pytest.approx(np.mean(first.separate_by_level))


def test_only_joint_normalisation_sees_brightness_and_contrast():
    a, b = crops(24), crops(24, seed=1)
    before, after = sliced_wasserstein(a, b), sliced_wasserstein(0.1 + 0.6 * a, b)
    assert after.separate == pytest.approx(before.separate, rel=1e-3)
    assert after.joint > 3 * before.joint


def test_blur_is_seen_at_the_finest_level_and_the_floor_is_below_it():
    real, few = crops(96), {"directions": 128}
    floor = sliced_wasserstein_floor(real, splits=3, **few)
    other = sliced_wasserstein(crops(48, seed=1), real[:48], **few)
    blurred = ndimage.gaussian_filter(real[48:], 1, axes=(1, 2))
    blur = sliced_wasserstein(blurred, real[:48], **few)
    assert floor.sizes == blur.sizes
    assert 0.5 < other.separate / floor.separate < 2
    assert blur.separate_by_level[0] > 2 * floor.separate_by_level[0]
    assert blur.joint_by_level[0] > 10 * floor.joint_by_level[0]


def test_constant_images_do_not_divide_by_zero():
    grey = np.full((4, 32, 32, 3), 0.3)
    assert sliced_wasserstein(grey, grey + 0.2).separate == 0
    assert np.isfinite(sliced_wasserstein(grey, crops(4, 32)).joint)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sliced_wasserstein(crops(2, 8), crops(2, 8), levels=5), "expected 1 … 4"),
        (lambda: sliced_wasserstein(crops(2), crops(3)), "as many images of the same size"),
        (lambda: sliced_wasserstein(crops(2), crops(2), levels=5), "no room for a patch of 7×7"),
        (lambda: sliced_wasserstein(crops(2), crops(2), patches=0), "at least 1, 128"),
        (lambda: sliced_wasserstein_floor(crops(1)), "at least 2 images"),
        (lambda: sliced_wasserstein(crops(2), crops(2), directions=0), "at least 1, 512"),
    ],
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
