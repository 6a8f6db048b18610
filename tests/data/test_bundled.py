"""Bundled photographs: a fixed split, and synthetic images added to them."""

import numpy as np
import pytest

from keras_gen.data import bundled


@pytest.fixture(scope="module")
def training_photographs():
    return bundled.photographs("train")


def test_split_is_fixed_and_disjoint(training_photographs):
    test = bundled.photographs("test")
    assert test.names == ["chelsea", "coffee"]
    assert set(training_photographs.names).isdisjoint(test.names)
    assert training_photographs.names == bundled.photographs("train").names
    assert len(training_photographs) + len(test) == len(bundled.PHOTOGRAPHS)


def test_no_part_of_a_held_out_photograph_is_trained_on(training_photographs):
    """By content, not by name: no training picture contains the centre of a held-out one."""
    for _, held_out in bundled.photographs("test"):
        row, column = (side // 2 for side in held_out.shape[:2])
        patch = held_out[row : row + 2, column : column + 8]
        for name, picture in training_photographs:
            windows = np.lib.stride_tricks.sliding_window_view(picture, patch.shape)
            assert not (windows == patch).all(axis=(-3, -2, -1)).any(), name


def test_pictures_are_the_files_that_are_installed(training_photographs):
    from skimage import data

    assert (training_photographs["astronaut"] == data.astronaut()).all()
    assert (bundled.photographs("test")["coffee"] == data.coffee()).all()
    grey = training_photographs["camera"]
    assert (grey == data.camera()[..., None]).all()
    hubble = training_photographs["hubble"]
    assert hubble.shape == (872, 600, 3)
    assert (hubble == data.hubble_deep_field()[:, :600]).all()
    held_out = bundled.held_out_sky()[0]
    assert (np.hstack([hubble, held_out]) == data.hubble_deep_field()).all()


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match=r"split 'validation' is unknown; .* 'train', 'test'"):
        bundled.photographs("validation")


def test_every_photograph_has_a_credit():
    assert all(photograph.credit for photograph in bundled.PHOTOGRAPHS.values())


def test_synthetic_images_get_their_fraction_of_the_crops(training_photographs):
    asked = []

    def progress(orders):
        asked.extend(orders)
        yield from orders

    images = bundled.with_synthetic_images(
        training_photographs, leaves=2, pages=1, progress=progress
    )
    assert images.names[-3:] == ["leaves_0", "leaves_1", "page_0"]
    assert len(asked) == 3
    fractions = np.array(images.weights) / np.sum(images.weights)
    np.testing.assert_allclose(fractions[-3:], [0.15, 0.15, 0.1])
    assert len(training_photographs) == len(images) - 3
