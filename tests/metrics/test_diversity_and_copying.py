"""Diversity and copying: what a generator that repeats itself or its training images scores."""

import itertools

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from keras_gen.metrics.diversity_and_copying import (
    _best_match,
    diversity,
    nearest_patch_distance,
    nearest_patches,
)
from keras_gen.metrics.full_reference import ms_ssim
from keras_gen.metrics.wasserstein import (
    laplacian_pyramid,
    sliced_wasserstein,
    sliced_wasserstein_floor,
)

TISSUE = (data.immunohistochemistry() / 255).astype("float32")


def crops(count, size=96, seed=0):
    corners = np.random.default_rng(seed).integers(TISSUE.shape[0] - size, size=(count, 2))
    return np.stack([TISSUE[row : row + size, column : column + size] for row, column in corners])


def test_diversity_is_the_mean_over_all_pairs():
    images = crops(5)
    similar = [ms_ssim(a, b) for a, b in itertools.combinations(images, 2)]
    assert diversity(images) == pytest.approx(1 - np.mean(similar), abs=1e-12)
    assert diversity(images, luma=True) != diversity(images)


def test_diversity_samples_different_pairs_by_seed():
    images = crops(20, 64)
    everything = diversity(images, pairs=190)
    sampled = [diversity(images, pairs=60, seed=seed) for seed in (0, 0, 1)]
    assert sampled[0] == sampled[1] != sampled[2]
    assert sampled == pytest.approx([everything] * 3, rel=0.1)


def test_diversity_of_equal_images_is_zero():
    assert diversity(np.stack([TISSUE[:64, :64]] * 4)) == pytest.approx(0, abs=1e-12)


def test_no_image_is_paired_with_itself():
    images = crops(3, 32)
    pairs = [diversity(images[[a, b]]) for a, b in ((0, 1), (0, 2), (1, 2))]
    sampled = [diversity(images, pairs=1, seed=seed) for seed in range(20)]
    assert {round(value, 6) for value in sampled} == {round(value, 6) for value in pairs}


def test_a_generator_that_repeats_four_real_images_is_caught_by_diversity_alone():
    real = crops(96)
    floor = sliced_wasserstein_floor(real, splits=2)
    repeated = real[np.arange(48) % 4]
    finest = sliced_wasserstein(repeated, real[48:]).separate_by_level[0]
    assert finest < 1.5 * floor.separate_by_level[0]
    assert diversity(repeated) < 0.85 * diversity(real)


def test_nearest_distance_is_the_search_written_as_loops():
    ours, theirs = crops(1, 15)[0], crops(2, 16, seed=1)
    band = laplacian_pyramid(ours[None], 2)[0][0]
    patches = [band[r : r + 7, c : c + 7].ravel() for r in range(9) for c in range(9)]
    contrast = np.std(patches, axis=1)
    nearest = []
    for patch in np.array(patches)[contrast >= np.median(contrast)]:
        distances = []
        for other in laplacian_pyramid(theirs, 2)[0]:
            for row, column in itertools.product(range(10), repeat=2):
                candidate = other[row : row + 7, column : column + 7].ravel()
                a, b = ((x - x.mean()) / np.linalg.norm(x - x.mean()) for x in (patch, candidate))
                distances.append(np.linalg.norm(a - b))
        nearest.append(min(distances))
    # 5000 samples with repetition from 81 places: percentiles agree up to their own resolution.
    found = nearest_patches(ours, theirs, level=0, patches=5000).distance
    for percentile in (5, 50, 95):
        least, most = np.percentile(nearest, [percentile - 4, percentile + 4])
        assert least - 1e-5 <= np.percentile(found, percentile) <= most + 1e-5
    score = nearest_patch_distance(ours, theirs, level=0, patches=5000)
    assert score == np.percentile(found, 5)


def test_the_best_match_is_the_largest_correlation():
    generator = np.random.default_rng(0)
    band = 3 + generator.random((9, 10, 3))  # far from mean 0, as no band of a pyramid is
    query = generator.normal(size=(1, 1, 3, 7, 7))
    query -= query.mean()
    query /= np.linalg.norm(query)
    candidates = [band[r : r + 7, c : c + 7].transpose(2, 0, 1) for r in range(3) for c in range(4)]
    expected = max(np.corrcoef(query.ravel(), one.ravel())[0, 1] for one in candidates)
    found, corners = _best_match(query, band)
    assert found[0, 0] == pytest.approx(expected, rel=1e-9)
    place = np.ravel_multi_index(corners[0, 0], (3, 4))
    assert np.corrcoef(query.ravel(), candidates[place].ravel())[0, 1] == pytest.approx(expected)


@pytest.mark.parametrize("move", [(0, 0), (1, 2), (3, 3), (6, 5)])
def test_a_moved_copy_is_found_and_a_held_out_image_is_not(move):
    training, held_out = TISSUE[:200, :200], TISSUE[300:428, 300:428]
    copy = training[move[0] : move[0] + 128, move[1] : move[1] + 128]
    real = nearest_patch_distance(held_out, training, patches=300)
    assert real > 0.4
    assert nearest_patch_distance(copy, training, patches=300) < 0.25 * real
    if move == (0, 0):
        assert nearest_patch_distance(copy, training, patches=300, shifts=1) < 0.01
    if move == (3, 3):  # why the shifts are searched
        assert nearest_patch_distance(copy, training, patches=300, shifts=1) > 0.25 * real


def test_one_copy_among_ten_is_enough_and_noise_does_not_hide_it():
    training = TISSUE[:200, :200]
    copy = training[:128, :128] + np.random.default_rng(0).normal(0, 0.02, (128, 128, 3))
    held_out = [TISSUE[300 + 8 * k : 428 + 8 * k, 300:428] for k in range(9)]
    real = nearest_patch_distance(np.stack(held_out), training)
    mixed = nearest_patch_distance(np.stack([*held_out, copy]), training)
    assert mixed < 0.5 * real


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("flipped", [False, True])
def test_a_flipped_or_turned_copy_is_found_when_asked_for(quarters, flipped):
    training = TISSUE[:160, :200]
    copy = np.rot90(training[10:138, 21:149], quarters)
    copy = copy[:, ::-1] if flipped else copy
    assert nearest_patch_distance(copy, training, patches=300, turned=True) < 0.1
    if flipped or quarters:
        assert nearest_patch_distance(copy, training, patches=300) > 0.4


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("flipped", [False, True])
def test_matches_say_where_and_how_turned(quarters, flipped):
    """Cropped at the places named, a copy and its origin are the same picture."""
    training = TISSUE[:160, :200]
    copy = training[8:136, 24:152]
    copy = np.rot90(copy[:, ::-1] if flipped else copy, quarters)
    matches = nearest_patches(copy, training[None], patches=60, turned=True)
    assert len(matches.distance) == len(matches.generated) == 30 and matches.side == 25
    near = np.flatnonzero(matches.distance < 0.2)
    assert len(near) >= 15  # at the copy's edge, the pyramid sees other pixels
    crops = [matches.crop(place, copy, training[None]) for place in near]
    same = [np.array_equal(generated, origin) for generated, origin in crops]
    assert np.mean(same) > 0.9
    row, column = matches.generated[near[0], 1:]
    np.testing.assert_array_equal(crops[0][0], copy[row : row + 25, column : column + 25])


def test_matches_at_the_edge_are_shown_inside():
    matches = nearest_patches(TISSUE[:64, :64], TISSUE[:64, :64], patches=10)
    for place in range(5):
        ours, origin = matches.crop(place, TISSUE[:64, :64], TISSUE[:64, :64], margin=15)
        assert ours.shape == origin.shape == (55, 55, 3)
        np.testing.assert_array_equal(ours, origin)


def test_brightness_contrast_and_flat_areas_do_not_matter():
    training = TISSUE[:200, :200]
    copy = 0.2 + 0.5 * training[:128, :128]
    assert nearest_patch_distance(copy, training, patches=300) < 0.01
    flat_half = ndimage.gaussian_filter(TISSUE[300:428, 300:428], 1, axes=(0, 1))
    flat_half[:, :60] = 0.5
    flat_training = training.copy()
    flat_training[:, :60] = 0.5
    assert nearest_patch_distance(flat_half, flat_training, patches=300) > 0.3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: diversity(TISSUE), "received 1 images"),
        (lambda: nearest_patch_distance(TISSUE[:40], TISSUE), "expected at least 56 pixels a side"),
        (lambda: nearest_patch_distance(TISSUE, TISSUE, shifts=5), "1 … 4 shifts"),
        (lambda: nearest_patch_distance(TISSUE, TISSUE[..., 0]), "3 and 1 channels"),
    ],
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
