"""Differentiable augmentation: seeded, unbiased where that is promised, open to gradients."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.models.augmentation import AUGMENTATIONS, augment, augmentation_parameters

ALL = tuple(AUGMENTATIONS)


def images(count=3, height=16, width=24, seed=0):
    return np.random.default_rng(seed).random((count, height, width, 3), np.float32)


def parameters(kinds=ALL, count=3, size=(16, 24), seed=0):
    return augmentation_parameters(kinds, count, size, seed)


def test_the_seed_decides():
    same, again, other = (
        np.asarray(augment(images(), parameters(seed=seed))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(same, again)
    assert np.abs(same - other).max() > 0.1


def test_kinds_are_sampled_independently():
    """Leaving one out does not change the others, so an ablation compares like with like."""
    every = parameters()
    assert every.keys() == set(ALL)
    assert every["translation"].shape == every["cutout"].shape == (3, 2)
    assert every["colour"].shape == (3, 3)
    for kind in ALL:
        only = parameters((kind,))
        assert only.keys() == {kind}
        np.testing.assert_array_equal(only[kind], every[kind])
    brightness = np.asarray(parameters(count=50)["colour"][:, 0])
    rows = np.asarray(parameters(count=50)["cutout"][:, 0])
    assert abs(np.corrcoef(brightness, rows)[0, 1]) < 0.5


def test_ranges():
    sampled = parameters(count=4000, size=(16, 24))
    shifts = np.asarray(sampled["translation"])
    assert set(shifts[:, 0]) == {-2, -1, 0, 1, 2}
    assert set(shifts[:, 1]) == {-3, -2, -1, 0, 1, 2, 3}
    colour = np.asarray(sampled["colour"])
    for column, (low, high) in zip(colour.T, [(-0.25, 0.25), (0, 2), (0.5, 1.5)], strict=True):
        assert low <= column.min() < low + 0.01
        assert high - 0.01 < column.max() <= high
    centres = np.asarray(sampled["cutout"])
    assert (centres.min(), centres[:, 0].max(), centres[:, 1].max()) == (0, 16, 24)


def test_translation_shifts_with_reflect_padding():
    row = np.arange(6, dtype=np.float32).reshape(1, 1, 6, 1) * np.ones((1, 3, 1, 3), np.float32)
    for shift, expected in ((2, [2, 1, 0, 1, 2, 3]), (-2, [2, 3, 4, 5, 4, 3]), (0, range(6))):
        shifted = np.asarray(augment(row, {"translation": np.array([[0, shift]])}))
        np.testing.assert_array_equal(shifted[0, 1, :, 0], list(expected))
    shifted = np.asarray(augment(row.transpose(0, 2, 1, 3), {"translation": np.array([[2, 0]])}))
    np.testing.assert_array_equal(shifted[0, :, 1, 0], [2, 1, 0, 1, 2, 3])


def test_each_image_has_a_shift_of_its_own():
    given = images(2)
    shifted = np.asarray(augment(given, {"translation": np.array([[1, 0], [0, -2]])}))
    np.testing.assert_array_equal(shifted[0, 1:], given[0, :-1])
    np.testing.assert_array_equal(shifted[1, :, :-2], given[1, :, 2:])


def test_colour_by_hand():
    given = images(1)
    bright = augment(given, {"colour": np.float32([[0.1, 1, 1]])})
    np.testing.assert_allclose(bright, given + 0.1, atol=1e-6)
    grey = np.asarray(augment(given, {"colour": np.float32([[0, 0, 1]])}))
    np.testing.assert_allclose(grey, given.mean(-1, keepdims=True).repeat(3, -1), atol=1e-6)
    contrast = augment(given, {"colour": np.float32([[0, 1, 0.5]])})
    np.testing.assert_allclose(contrast, given.mean() + 0.5 * (given - given.mean()), atol=1e-6)


def test_cutout_covers_half_the_sides_in_grey():
    covered = np.asarray(augment(images(1), {"cutout": np.array([[8, 12]])}))[0] == 0.5
    expected = np.zeros((16, 24), bool)
    expected[5:12, 7:18] = True
    np.testing.assert_array_equal(covered.all(-1), expected)
    assert 0.4 < covered.all(-1).sum() / (8 * 12) <= 1


def test_the_mean_stays():
    """Colour keeps the mean exactly in expectation; translation does because reflect padding keeps
    the statistics of a random image."""
    given = np.repeat(images(1, 16, 16), 8000, axis=0)
    for kind, error in (("translation", 0.005), ("colour", 0.01)):
        sampled = augmentation_parameters((kind,), 8000, (16, 16), seed=3)
        augmented = np.asarray(augment(given, sampled))
        # The standard error of the mean of 8000 brightnesses of ±0.25 is 0.0016.
        assert abs(augmented.mean() - given[0].mean()) < error
        assert augmented.std(axis=0).mean() > 0.05
    flat = np.full((8, 16, 16, 3), 0.3, np.float32)
    shifted = augment(flat, augmentation_parameters(("translation",), 8, (16, 16), seed=4))
    np.testing.assert_allclose(shifted, flat, atol=1e-6)


@pytest.mark.parametrize("kind", ALL)
def test_gradients_pass(kind):
    """The gradient of a random projection against a finite difference in a random direction."""
    rng = np.random.default_rng(5)
    given, direction, weights = images(), rng.normal(size=(2, 3, 16, 24, 3)), None
    direction, weights = np.float32(direction)
    sampled = parameters((kind,))
    x = tf.constant(given)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(weights * augment(x, sampled))
    slope = float(tf.reduce_sum(tape.gradient(total, x) * direction))
    step = 0.1  # every augmentation is linear in the image
    ahead = float(np.sum(weights * np.asarray(augment(given + step * direction, sampled))))
    expected = (ahead - float(total)) / step
    if kind == "cutout":
        assert expected != 0
    assert slope == pytest.approx(expected, rel=2e-3)


def test_no_kind_changes_nothing():
    np.testing.assert_array_equal(augment(images(), parameters(())), images())


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="augmentation 'flip' is unknown; choose one of 'transl"):
        parameters(("flip",))
