"""The images of each training: what is trained on, what is held out, what a folder's crops are."""

import numpy as np

from keras_gen.data.images import Images
from keras_gen.training import datasets
from tests.training.tiny_simple import new_console


def test_few_and_small_crops_of_a_large_folder_are_evaluated():
    images = Images()
    for index in range(40):
        images.append(str(index), np.full((700, 900, 3), index, np.uint8), 1.0)
    few = datasets._evaluation_crops(images)
    assert 8 <= len(few) <= datasets.EVALUATION_PICTURES
    assert {picture.shape for _, picture in few} == {(600, 600, 3)}
    assert len(datasets._evaluation_crops(Images())) == 0


def test_gan_is_trained_on_the_training_part_of_the_hubble_field():
    images, turn = datasets.read_gan_images("hubble", (32, 32), 2**30, new_console())
    assert images.names == ["hubble"] and images[0].shape == (872, 600, 3) and turn


def test_held_out_sky_is_cropped_only_where_it_is_large_enough():
    assert datasets.held_out_gan_images("hubble", (32, 48), 3, seed=1).shape == (3, 32, 48, 3)
    assert datasets.held_out_gan_images("hubble", (32, 401), 3, seed=1) is None
    assert datasets.held_out_gan_images("some folder", (32, 32), 3, seed=1) is None


def test_name_of_a_folder():
    assert datasets.normalized_data("runs/mine/") == "runs/mine"
    assert datasets.data_name("runs/mine") == "mine"
    assert datasets.data_name("photos") == "photos"


def test_changed_pictures_have_another_digest():
    picture = np.zeros((4, 5, 3), np.uint8)
    digests = {
        datasets.picture_digest(Images([name], [pixels], [1.0]))
        for name, pixels in (("a", picture), ("b", picture), ("a", picture + np.uint8(1)))
    }
    assert len(digests) == 3
