"""The last touch: the mean colour and the strength of the grain, fitted to real images."""

import numpy as np
import pytest
from scipy import special

import keras_gen as kg
from keras_gen import gan_watch
from keras_gen.finishing import fit_colours, fit_grain, scale_grain, touch

LATENTS = gan_watch.latents(6, 4, seed=3)


def generator(grain=4):
    return kg.gan_generator(4, 64, filters=(8, 8, 8), grain=grain, seed=1)


def drawn(model):
    return np.asarray(model(LATENTS), np.float32)


def judge_of(model):
    """Takes what a generator draws for the real images; half of it from the same latents."""
    real = model(np.concatenate([LATENTS, gan_watch.latents(6, 4, seed=8)]))
    return gan_watch.Judge(np.asarray(real, np.float32), LATENTS, pairs=6)


def test_scale_of_the_grain_alone():
    model = generator()
    before = drawn(model)
    scale_grain(model, 0.5)
    assert np.abs(drawn(model) - before).max() > 1e-3
    scale_grain(model, 2)
    np.testing.assert_allclose(drawn(model), before, atol=1e-6)
    scale_grain(model, 0)
    without = drawn(model)
    neighbours = [np.abs(np.diff(images, axis=1)).mean() for images in (before, without)]
    assert neighbours[1] < 0.5 * neighbours[0]


@pytest.mark.parametrize("strength", [0.7, 1.3])
def test_fit_finds_the_strength_that_real_images_have(strength):
    model = generator()
    scale_grain(model, strength)
    judge = judge_of(model)
    fitted = generator()
    factor, numbers = fit_grain(fitted, judge)
    assert factor == pytest.approx(strength, abs=0.03)
    assert numbers == pytest.approx(judge(fitted), rel=1e-4)
    assert numbers["swd"] < judge(generator())["swd"]
    for changed, trained in zip(fitted.weights, generator().weights, strict=True):
        times = factor if "grain" in trained.path else 1
        np.testing.assert_allclose(changed, times * np.asarray(trained), rtol=1e-6)


def test_without_grain_nothing_is_changed():
    model = generator(grain=0)
    before = model.get_weights()
    factor, numbers = fit_grain(model, judge_of(model))
    assert factor == 1 and numbers["swd"] == pytest.approx(0, abs=1e-3)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"has no layer 'grain'; expected one of gan_generator"):
        scale_grain(model, 2)


@pytest.mark.parametrize("grain", [0, 4])
def test_colours_get_the_mean_of_real_ones(grain):
    model = generator(grain)
    inputs = gan_watch.latents(40, 4, seed=5)
    before = np.asarray(model(inputs), np.float64)
    shifts = fit_colours(model, [0.07, 0.5, 0.8], inputs)
    after = np.asarray(model(inputs), np.float64)
    # Of every third row and column, edges count for a little more or less.
    np.testing.assert_allclose(after.mean((0, 1, 2)), [0.07, 0.5, 0.8], atol=5e-3)
    grey = (np.minimum(before, after) > 0.01) & (np.maximum(before, after) < 0.99)
    logits = [special.logit(images[grey]) for images in (before, after)]
    expected = np.broadcast_to(shifts, before.shape)[grey]
    np.testing.assert_allclose(logits[1] - logits[0], expected, atol=1e-3)
    assert fit_colours(model, [0.07, 0.5, 0.8], inputs) == pytest.approx(0, abs=1e-4)


def test_colours_are_not_pushed_to_the_ends():
    """A generator whose pictures are black would need any shift at all."""
    shifts = fit_colours(generator(), [0, 0.5, 1], gan_watch.latents(4, 4))
    assert shifts[0] == -5 and abs(shifts[1]) < 1 and shifts[2] == 5


def test_colours_need_a_mean_for_each_channel():
    for mean in ([0.5, 0.5], [0.5, 0.5, 1.2], [0.5, 0.5, np.nan]):
        with pytest.raises(ValueError, match="expected one number from 0 to 1 for each of 3"):
            fit_colours(generator(), mean, LATENTS)


def test_last_touch_brings_back_colours_and_grain():
    model = generator()
    judge = judge_of(model)
    real = np.asarray(model(np.concatenate([LATENTS, gan_watch.latents(6, 4, seed=8)])), np.float64)
    spoilt = generator()
    scale_grain(spoilt, 1.4)
    kernel, bias = spoilt.get_layer("colours").get_weights()
    spoilt.get_layer("colours").set_weights([kernel, bias + np.float32([0.3, -0.2, 0.1])])
    before = judge(spoilt)["swd"]
    told = touch(spoilt, judge, real.mean((0, 1, 2)))
    assert judge(spoilt)["swd"] < 0.5 * before
    assert "the bias of red, green and blue moved by -0." in told
    assert float(told.split("the grain ")[1].split()[0]) == pytest.approx(1 / 1.4, abs=0.1)
