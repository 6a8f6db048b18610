"""Calibration: mean colour, contrast and noise strength, fitted to real images."""

import numpy as np
import pytest
from scipy import special

import keras_gen as kg
from keras_gen.inference import sampling
from keras_gen.training import evaluation
from keras_gen.training.calibration import (
    calibrate,
    fit_mean_colour,
    fit_strengths,
    scale_contrast,
    scale_noise,
)

LATENTS = sampling.sample_latents(6, 4, seed=3)


def generator(noise_channels=4):
    return kg.gan_generator(4, 64, filters=(8, 8, 8), noise_channels=noise_channels, seed=1)


def generated(model):
    return np.asarray(model(LATENTS), np.float32)


def evaluator_of(model):
    """Takes a generator's images for real ones; half of them are from the same latents."""
    real = model(np.concatenate([LATENTS, sampling.sample_latents(6, 4, seed=8)]))
    return evaluation.Evaluator(np.asarray(real, np.float32), LATENTS, pairs=6)


def test_scale_of_the_noise_alone():
    model = generator()
    before = generated(model)
    scale_noise(model, 0.5)
    assert np.abs(generated(model) - before).max() > 1e-3
    scale_noise(model, 2)
    np.testing.assert_allclose(generated(model), before, atol=1e-6)
    scale_noise(model, 0)
    without = generated(model)
    neighbours = [np.abs(np.diff(images, axis=1)).mean() for images in (before, without)]
    assert neighbours[1] < 0.5 * neighbours[0]


def test_scale_of_the_contrast():
    model = generator()
    before = special.logit(np.asarray(generated(model), np.float64))
    scale_contrast(model, 1.5)
    np.testing.assert_allclose(generated(model), special.expit(1.5 * before), atol=1e-5)
    scale_contrast(model, 0)
    np.testing.assert_array_equal(generated(model), 0.5)


def mean_of(evaluator):
    return evaluator.reference.mean((0, 1, 2), dtype=float)


@pytest.mark.parametrize("strength, contrast", [(0.7, 1.0), (1.3, 1.2)])
def test_fit_finds_the_strengths_that_real_images_have(strength, contrast):
    model = generator()
    scale_noise(model, strength)
    scale_contrast(model, contrast)
    evaluator = evaluator_of(model)
    fitted = generator()
    factors, numbers = fit_strengths(fitted, evaluator, mean_of(evaluator))
    assert factors == pytest.approx({"noise": strength, "contrast": contrast}, abs=0.05)
    assert numbers == pytest.approx(evaluator(fitted), rel=1e-4)
    assert numbers["swd"] < 0.3 * evaluator(generator())["swd"]
    for changed, trained in zip(fitted.weights, generator().weights, strict=True):
        if "to_rgb/bias" not in trained.path:
            layer = trained.path.split("/")[-2]
            times = factors.get({"to_rgb": "contrast"}.get(layer, layer), 1)
            np.testing.assert_allclose(changed, times * np.asarray(trained), rtol=1e-5)


def test_without_noise_there_is_only_contrast_to_fit():
    model = generator(noise_channels=0)
    evaluator = evaluator_of(model)
    scale_contrast(model, 1 / 1.2)
    factors, _ = fit_strengths(model, evaluator, mean_of(evaluator))
    assert factors == pytest.approx({"contrast": 1.2}, abs=0.05)
    with pytest.raises(ValueError, match=r"has no layer 'noise'; expected one of gan_generator"):
        scale_noise(model, 2)


@pytest.mark.parametrize("noise_channels", [0, 4])
def test_colours_get_the_mean_of_real_ones(noise_channels):
    model = generator(noise_channels)
    inputs = sampling.sample_latents(40, 4, seed=5)
    before = np.asarray(model(inputs), np.float64)
    shifts = fit_mean_colour(model, [0.07, 0.5, 0.8], inputs)
    after = np.asarray(model(inputs), np.float64)
    # With every third row and column, edges count for a little more or less.
    np.testing.assert_allclose(after.mean((0, 1, 2)), [0.07, 0.5, 0.8], atol=5e-3)
    grey = (np.minimum(before, after) > 0.01) & (np.maximum(before, after) < 0.99)
    logits = [special.logit(images[grey]) for images in (before, after)]
    expected = np.broadcast_to(shifts, before.shape)[grey]
    np.testing.assert_allclose(logits[1] - logits[0], expected, atol=1e-3)
    assert fit_mean_colour(model, [0.07, 0.5, 0.8], inputs) == pytest.approx(0, abs=1e-4)


def test_shifts_are_limited():
    """No finite shift would make a generator's pictures black or white."""
    shifts = fit_mean_colour(generator(), [0, 0.5, 1], sampling.sample_latents(4, 4))
    assert shifts[0] == -5 and abs(shifts[1]) < 1 and shifts[2] == 5


def test_colours_need_a_mean_for_each_channel():
    for mean in ([0.5, 0.5], [0.5, 0.5, 1.2], [0.5, 0.5, np.nan]):
        with pytest.raises(ValueError, match="expected one number from 0 to 1 for each of 3"):
            fit_mean_colour(generator(), mean, LATENTS)


def test_calibration_restores_colours_contrast_and_noise():
    model = generator()
    evaluator = evaluator_of(model)
    real = np.asarray(
        model(np.concatenate([LATENTS, sampling.sample_latents(6, 4, seed=8)])), np.float64
    )
    changed_model = generator()
    scale_noise(changed_model, 1.4)
    scale_contrast(changed_model, 0.8)
    kernel, bias = changed_model.get_layer("to_rgb").get_weights()
    changed_model.get_layer("to_rgb").set_weights([kernel, bias + np.float32([0.3, -0.2, 0.1])])
    before = evaluator(changed_model)["swd"]
    text = calibrate(changed_model, evaluator, real.mean((0, 1, 2)))
    assert evaluator(changed_model)["swd"] < 0.5 * before
    assert "biases of red, green and blue shifted by -0." in text
    assert float(text.split("noise multiplied by ")[1].split()[0]) == pytest.approx(
        1 / 1.4, abs=0.1
    )
    assert float(text.split("contrast multiplied by ")[1].split()[0]) == pytest.approx(
        1 / 0.8, abs=0.1
    )
