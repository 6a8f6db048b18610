"""The losses against their formulas in NumPy, and the penalties of a linear discriminator."""

import numpy as np
import pytest
from keras import ops, random

from keras_gen.metrics import wasserstein
from keras_gen.models import gan_losses
from keras_gen.models.gan_losses import GAN_LOSSES, PENALTIES

REAL = np.float32([0.3, -1.2, 2.0, 0.0])
FAKE = np.float32([-0.5, 1.7, 0.1, -3.0])


def log_d(score):
    return np.log(1 / (1 + np.exp(-np.float64(score))))


def log_not_d(score):
    return np.log(1 - 1 / (1 + np.exp(-np.float64(score))))


VALUE = log_d(REAL).mean() + log_not_d(FAKE).mean()
CLOSED_FORMS = {
    "minimax": (-VALUE, log_not_d(FAKE).mean()),
    "minimax_as_written": (VALUE, log_not_d(FAKE).mean()),
    "non_saturating": (-VALUE, -log_d(FAKE).mean()),
    "hinge": (np.mean([0.7, 2.2, 0, 1]) + np.mean([0.5, 2.7, 1.1, 0]), -np.mean(FAKE)),
    "relativistic": (-log_d(REAL - FAKE).mean(), -log_d(FAKE - REAL).mean()),
    "least_squares": (
        np.mean((REAL - 1) ** 2) / 2 + np.mean(FAKE**2) / 2,
        np.mean((FAKE - 1) ** 2) / 2,
    ),
}


def test_every_loss_has_a_closed_form():
    assert CLOSED_FORMS.keys() == GAN_LOSSES.keys()


@pytest.mark.parametrize("name", GAN_LOSSES)
def test_losses_equal_their_formulas(name):
    found = gan_losses.gan_loss(name)(ops.array(REAL), ops.array(FAKE))
    np.testing.assert_allclose([float(value) for value in found], CLOSED_FORMS[name], rtol=1e-5)


def test_equal_scores_give_ln_2():
    zeros = ops.zeros((2, 3, 3, 1))
    for name, expected in (("relativistic", np.log(2)), ("minimax", 2 * np.log(2))):
        assert float(GAN_LOSSES[name](zeros, zeros)[0]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", GAN_LOSSES)
def test_what_each_network_minimises(name):
    """D's loss falls where real scores rise or fake ones fall, and G's where fake ones rise; in the
    sketch as written, D's loss does the opposite."""
    loss, step = GAN_LOSSES[name], np.float32(0.01)
    real, fake = np.float32([0.2]), np.float32([0.3])
    discriminator, generator = (float(value) for value in loss(real, fake))
    sign = -1 if name == "minimax_as_written" else 1
    assert sign * (float(loss(real + step, fake)[0]) - discriminator) < 0
    assert sign * (float(loss(real, fake - step)[0]) - discriminator) < 0
    assert float(loss(real, fake + step)[1]) < generator


@pytest.mark.parametrize("name", ["minimax", "non_saturating", "relativistic"])
def test_sure_scores_stay_finite(name):
    values = GAN_LOSSES[name](np.float32([1e4, -1e4]), np.float32([-1e4, 1e4]))
    assert all(np.isfinite(float(value)) for value in values)


def test_unknown_loss_is_named():
    with pytest.raises(ValueError, match="GAN loss 'wgan' is unknown; choose one of 'minimax'"):
        gan_losses.gan_loss("wgan")


def test_slope_penalty_of_a_linear_discriminator():
    """D(x) = w·x has the slope w everywhere."""
    w = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    gradient = np.stack([w, 2 * w])
    expected = 0.3 / 2 * (1 + 4) / 2 * np.sum(w**2)
    assert float(gan_losses.slope_penalty(gradient, gamma=0.3)) == pytest.approx(expected, 1e-5)
    mean = gan_losses.slope_penalty(gradient, gamma=0.3, patches=4)
    assert float(mean) == pytest.approx(expected / 4, 1e-5)


def test_noise_penalty_is_the_slope_penalty_without_a_slope():
    """In a linear discriminator the two agree for any σ, up to sampling error."""
    rng = np.random.default_rng(1)
    w, x = rng.normal(size=(12,)), rng.normal(size=(40_000, 12))
    gradient = np.float32(w).reshape(1, 2, 2, 3)
    exact = float(gan_losses.slope_penalty(gradient, gamma=0.7))
    for sigma in (0.01, 1.0):
        noisy = np.float32((x + sigma * rng.normal(size=x.shape)) @ w)
        first_order = gan_losses.noise_penalty(np.float32(x @ w), noisy, gamma=0.7, sigma=sigma)
        assert float(first_order) == pytest.approx(exact, rel=0.03)  # 4 standard errors


def test_noise_penalty_by_hand():
    penalty = gan_losses.noise_penalty(
        np.float32([1, 2]), np.float32([1.1, 1.8]), gamma=0.02, sigma=0.05
    )
    assert float(penalty) == pytest.approx(0.02 / (2 * 0.0025) * (0.01 + 0.04) / 2, rel=1e-5)


def test_every_penalty_is_described():
    assert {"none", "r1", "first_order"} <= PENALTIES.keys()
    assert all(PENALTIES.values())


def test_white_noise_is_mostly_fine_and_natural_noise_is_not():
    """By band of a Laplacian pyramid, and by channel."""
    finest, correlation = {}, {}
    for kind in gan_losses.NOISES:
        noise = gan_losses.penalty_noise(kind, (4, 160, 200, 3), random.SeedGenerator(1))
        noise = np.asarray(noise, np.float64)
        assert noise.shape == (4, 160, 200, 3)
        assert noise.mean() == pytest.approx(0, abs=0.05) and noise.std() == pytest.approx(1, 0.05)
        bands = [band.std() for band in wasserstein.laplacian_pyramid(noise, 4)]
        finest[kind] = bands[0] ** 2 / noise.var()
        correlation[kind] = np.corrcoef(noise.reshape(-1, 3).T)[0, 1:]
        if kind == "natural":
            assert max(bands) < 2 * min(bands)
    assert finest["white"] == pytest.approx(0.89, abs=0.01)
    assert finest["natural"] < 0.4
    np.testing.assert_allclose(correlation["white"], 0, atol=0.02)
    np.testing.assert_allclose(correlation["natural"], 0.9, atol=0.02)


@pytest.mark.parametrize("shape", [(2, 33, 17, 3), (1, 8, 8, 1)])
def test_natural_noise_of_any_size(shape):
    noise = np.asarray(gan_losses.penalty_noise("natural", shape, random.SeedGenerator(0)))
    assert noise.shape == shape and 0.5 < noise.std() < 1.5


def test_unknown_noise():
    with pytest.raises(ValueError, match="noise 'pink' is unknown; choose one of 'white', 'natur"):
        gan_losses.penalty_noise("pink", (1, 8, 8, 3), random.SeedGenerator(0))
