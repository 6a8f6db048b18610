"""The evaluator scores real, blurred and repeated images as it should."""

import keras
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from keras_gen.data import batches
from keras_gen.data.images import Images
from keras_gen.metrics import diversity_and_copying, spectra, wasserstein
from keras_gen.training import adversarial, evaluation

SIDE, COUNT = 32, 6


@pytest.fixture(scope="module")
def real():
    """Twice as many crops of one picture as are evaluated."""
    rng = np.random.default_rng(0)
    noise = sum(gaussian_filter(rng.normal(size=(120, 120, 3)), (s, s, 0)) * s for s in (1, 3, 6))
    picture = np.uint8(255 * (noise - noise.min()) / np.ptp(noise))
    images = Images(["noise"], [picture], [1.0])
    return batches.crop_batch(images, (SIDE, SIDE), 2 * COUNT, seed=1)


class Memorised(keras.Model):
    """A generator that has memorised images; its latents are their places."""

    def __init__(self, images):
        super().__init__()
        self.images, self.requested = np.float32(images), []

    def call(self, inputs, training=False):
        assert not training
        places = np.asarray(inputs)[:, 0].astype(int)
        self.requested.extend(places)
        return self.images[places]


@pytest.fixture(scope="module")
def evaluator(real):
    return evaluation.Evaluator(real, np.arange(COUNT)[:, None], batch_size=4)


def test_scores_are_those_of_the_metrics(evaluator, real):
    images = gaussian_filter(real[COUNT:], (0, 1, 1, 0))
    model = Memorised(images)
    found = evaluator(model)
    assert model.requested == [0, 1, 2, 3, 4, 5]
    floor = wasserstein.sliced_wasserstein_floor(real, splits=3)
    distance = wasserstein.sliced_wasserstein(images, real[:COUNT])
    expected = {
        "swd_separate": distance.separate / floor.separate,
        "swd_joint": distance.joint / floor.joint,
        "diversity": diversity_and_copying.diversity(images, luma=True)
        / diversity_and_copying.diversity(real[COUNT:], luma=True),
        "checkerboard_2": spectra.checkerboard_gain(images, 2).mean(),
        "checkerboard_4": spectra.checkerboard_gain(images, 4).mean(),
    }
    expected["swd"] = max(expected["swd_separate"], expected["swd_joint"])
    assert found == pytest.approx(expected, rel=1e-5)
    assert evaluator.real_scores["swd"] == pytest.approx(floor.separate)


def test_real_images_score_about_one_and_others_more(evaluator, real):
    good = evaluator(Memorised(real[COUNT:]))
    assert 0.7 < good["swd"] < 1.4
    assert good["diversity"] == pytest.approx(1, abs=0.01)
    blurred = evaluator(Memorised(gaussian_filter(real[COUNT:], (0, 4, 4, 0))))
    assert blurred["swd_separate"] > 1.2 * good["swd_separate"]
    brighter = evaluator(Memorised(real[COUNT:] + 0.3))
    assert brighter["swd_separate"] == pytest.approx(good["swd_separate"], rel=0.1)
    assert brighter["swd_joint"] > 1.5 * good["swd_joint"]
    lattice = real[COUNT:] + 0.1 * np.tile([[1, -1], [-1, 1]], (SIDE // 2, SIDE // 2))[..., None]
    assert evaluator(Memorised(lattice))["checkerboard_2"] > 50 * good["checkerboard_2"]


def test_the_same_image_repeatedly_has_no_diversity(evaluator, real):
    assert evaluator(Memorised(np.repeat(real[:1], COUNT, axis=0)))["diversity"] < 0.01


def test_too_few_images_are_refused(real):
    with pytest.raises(ValueError, match="received 12 real images and 5 inputs; expected"):
        evaluation.Evaluator(real, np.zeros((5, 1)))


def test_describe_says_what_is_known():
    assert (
        adversarial.describe_adversarial({"gap": 1.2, "discriminator_advantage": 0.25})
        == "real − fake +1.20, discriminator advantage 0.25"
    )
    assert "SWD 1.50" in adversarial.describe_adversarial({"swd_separate": 1.5})
