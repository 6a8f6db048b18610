"""One step of a GAN: the losses, which network learns from which, and the moving average."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_gen.models import gan_losses
from keras_gen.models.augmentation import augment
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator
from tests.models.small_gan import (
    LATENT,
    SIDE,
    all_weights,
    differences,
    networks,
    recorded_step,
    small_conditional_gan,
    small_gan,
    some_images,
)

# One step ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["white", "natural"])
def test_losses_are_those_of_the_scores(noise):
    """Everything that a step computes, once more by hand from the same random inputs."""
    gan = small_gan(gamma=0.3, sigma=0.1, noise=noise, augmentation=("translation", "colour"))
    real = some_images()
    random_inputs, losses, *_ = recorded_step(gan, real)
    shown_real = augment(real, random_inputs["augmentation"])
    shown_fake = augment(gan.generator(random_inputs["latents"]), random_inputs["augmentation"])
    scores = [np.asarray(gan.discriminator(shown)) for shown in (shown_real, shown_fake)]
    noisy = [
        np.asarray(gan.discriminator(shown + 0.1 * random_inputs[name]))
        for shown, name in ((shown_real, "real_noise"), (shown_fake, "fake_noise"))
    ]
    penalty = sum(
        0.3 / 2 / 0.1**2 * np.mean((b - a) ** 2) for a, b in zip(scores, noisy, strict=True)
    )
    gap = scores[0] - scores[1]
    expected = {
        "discriminator_loss": np.mean(np.log1p(np.exp(-gap))) + penalty,
        "generator_loss": np.mean(np.log1p(np.exp(gap))),
        "penalty": penalty,
        "real_score": scores[0].mean(),
        "fake_score": scores[1].mean(),
        "gap": gap.mean(),
        "discriminator_advantage": np.log(2) - np.mean(np.log1p(np.exp(-gap))),
    }
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert float(losses[name]) == pytest.approx(value, rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("penalty", gan_losses.PENALTIES)
def test_gradients_reach_the_right_network_only(penalty):
    """Every weight gets a gradient from its own network's loss."""
    gan = small_gan(penalty=penalty, gamma=10.0)
    _, losses, tape, weights = recorded_step(gan, some_images())
    for name, own in weights.items():
        gradients = tape.gradient(losses[f"{name}_loss"], own)
        assert all(np.abs(gradient).max() > 0 for gradient in gradients if gradient.shape[-1] > 1)
    if penalty != "none":
        assert float(losses["penalty"]) > 0
        slopes = tape.gradient(losses["penalty"], weights["discriminator"])
        assert np.abs(slopes[0]).max() > 0


def test_exact_penalty_equals_finite_differences():
    gan = small_gan(penalty="r1", gamma=2.0, augmentation=())
    real = some_images(1)
    _, losses, *_ = recorded_step(gan, real)
    step = 1e-2
    shifted = real + step * np.eye(real.size, dtype=np.float32).reshape(-1, *real.shape[1:])
    back = real - step * np.eye(real.size, dtype=np.float32).reshape(-1, *real.shape[1:])
    ahead, behind = (np.asarray(gan.discriminator(x)).sum((1, 2, 3)) for x in (shifted, back))
    squares = np.sum(((ahead - behind) / (2 * step)) ** 2)
    assert float(losses["penalty"]) == pytest.approx(squares / 16, rel=0.02)  # 4×4 patches


def test_steps_change_every_trainable_weight():
    gan = small_gan(loss="non_saturating")  # a relativistic loss ignores the scores' bias
    before = all_weights(gan.generator), all_weights(gan.discriminator)
    history = gan.fit(some_images(), batch_size=4, verbose=0).history
    for initial, network in zip(before, (gan.generator, gan.discriminator), strict=True):
        changed = np.array(differences(initial, all_weights(network))) > 0
        learned = [not weight.path.startswith("noise") for weight in network.weights]
        assert list(changed) == learned
    assert all(len(values) == 1 and np.isfinite(values[0]) for values in history.values())
    assert {
        "gap",
        "discriminator_advantage",
        "generator_gradient",
        "discriminator_gradient",
    } <= history.keys()
    assert (
        int(gan.generator_optimizer.iterations) == int(gan.discriminator_optimizer.iterations) == 2
    )


def test_a_step_changes_both_networks_at_once():
    """With SGD, each network changes by −rate · gradient, both computed before either changes."""
    gan = GAN(*networks())
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2), run_eagerly=True)
    images = some_images(4)
    _, losses, tape, weights = recorded_step(gan, images)
    expected = [
        np.asarray(weight) - rate * np.asarray(tape.gradient(losses[f"{name}_loss"], weight))
        for name, rate in (("generator", 0.1), ("discriminator", 0.2))
        for weight in weights[name]
    ]
    gan.train_step(ops.array(images))
    found = [np.asarray(weight) for own in weights.values() for weight in own]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_generator_runs_once_a_step():
    gan = small_gan()
    calls, call = [], gan.generator.call

    def counted(*arguments, **settings):
        calls.append(1)
        return call(*arguments, **settings)

    gan.generator.call = counted
    gan.train_step(ops.array(some_images(4)))
    assert len(calls) == 1


def test_networks_train_in_training_mode():
    """Otherwise dropout and batch normalisation would be off without notice."""
    gan = small_conditional_gan(ema_rampup=0.1)
    moving = [weight for weight in gan.generator.weights if "moving_mean" in weight.path]
    condition = np.random.default_rng(1).random((4, SIDE, SIDE, 2), np.float32)
    gan.fit(condition, some_images(4), batch_size=4, verbose=0)
    assert np.abs(np.asarray(moving[0])).max() > 1e-4
    averaged = [w for w in gan.averaged_generator.weights if "moving_mean" in w.path]
    # At first, the average follows closely.
    np.testing.assert_allclose(averaged[0], moving[0], rtol=2e-3)


def test_the_sketch_as_written_learns_the_opposite():
    """Real images are bright and generated ones darker, so they are easy to separate."""
    bright = 0.5 + 0.5 * some_images(64)
    gaps = {}
    for loss in ("minimax", "minimax_as_written"):
        gan = GAN(*networks(), loss=loss, penalty="none", augmentation=())
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(0.01))
        gaps[loss] = gan.fit(bright, batch_size=8, epochs=4, verbose=0).history["gap"][-1]
    assert gaps["minimax"] > 0.5
    assert gaps["minimax_as_written"] < -0.5


# Conditional -------------------------------------------------------------------------------------


def test_conditional_step_by_hand():
    gan = small_conditional_gan(l1_weight=10.0, penalty="none", loss="hinge")
    gan.generator.layers[2].rate = 0.0
    condition = np.random.default_rng(1).random((4, SIDE, SIDE, 2), np.float32)
    real = some_images(4)
    random_inputs, losses, *_ = recorded_step(gan, real, condition)
    assert "latents" not in random_inputs
    fake = np.asarray(gan.generator(condition, training=True))
    shift = {"translation": random_inputs["augmentation"]["translation"]}
    scores = [
        np.asarray(gan.discriminator([augment(condition, shift), augment(image, shift)]))
        for image in (real, fake)
    ]
    l1 = np.abs(fake - real).mean()
    expected = np.mean(np.maximum(1 - scores[0], 0)) + np.mean(np.maximum(1 + scores[1], 0))
    assert float(losses["discriminator_loss"]) == pytest.approx(expected, rel=1e-4)
    assert float(losses["l1"]) == pytest.approx(l1, rel=1e-4)
    expected = 10 * l1 - scores[1].mean()
    assert float(losses["generator_loss"]) == pytest.approx(expected, rel=1e-4)


def test_conditional_learns_its_pairs():
    """The image is the first channel of its condition, which L1 finds."""
    condition = np.random.default_rng(1).random((16, SIDE, SIDE, 2), np.float32)
    inputs = keras.Input((SIDE, SIDE, 2))
    generator = keras.Model(inputs, layers.Conv2D(3, 1, activation="sigmoid")(inputs))
    discriminator = gan_discriminator((SIDE, SIDE, 3), levels=2, filters=4, condition_channels=2)
    gan = GAN(generator, discriminator, l1_weight=100.0)
    gan.compile(keras.optimizers.Adam(0.1), keras.optimizers.Adam(1e-3))
    real = np.repeat(condition[..., :1], 3, axis=-1)
    first = np.abs(np.asarray(generator(condition)) - real).mean()
    gan.fit(condition, real, batch_size=4, epochs=12, verbose=0)
    assert np.abs(np.asarray(gan.generator(condition)) - real).mean() < 0.4 * first


# The moving average -------------------------------------------------------------------------------


def test_the_moving_average_equals_its_formula():
    gan = small_gan(ema_half_life=20.0, ema_rampup=0.5)
    images, expected = some_images(4), all_weights(gan.generator)
    for step in range(1, 13):
        gan.train_on_batch(images)
        half_life = min(20.0, 0.5 * step * 4)
        decay = 0.5 ** (4 / half_life)
        weights = all_weights(gan.generator)
        expected = [decay * e + (1 - decay) * w for e, w in zip(expected, weights, strict=True)]
    found = all_weights(gan.averaged_generator)
    np.testing.assert_allclose(
        np.concatenate([f.ravel() for f in found]),
        np.concatenate([e.ravel() for e in expected]),
        atol=2e-6,
    )
    assert max(differences(found, weights)) > 1e-4


def test_the_model_calls_the_averaged_generator():
    gan = small_gan()
    gan.fit(some_images(), batch_size=4, verbose=0)
    latents = np.ones((2, LATENT), np.float32)
    np.testing.assert_array_equal(gan(latents), gan.averaged_generator(latents))
    assert np.abs(np.asarray(gan(latents)) - np.asarray(gan.generator(latents))).max() > 0


# Mistakes ----------------------------------------------------------------------------------------


def test_says_what_is_wrong():
    generator, discriminator = networks()
    with pytest.raises(ValueError, match="penalty 'r3' is unknown; choose one of 'none'"):
        GAN(generator, discriminator, penalty="r3")
    with pytest.raises(ValueError, match="noise 'loud' is unknown; choose one of 'white'"):
        GAN(generator, discriminator, noise="loud")
    with pytest.raises(ValueError, match="GAN loss 'x' is unknown"):
        GAN(generator, discriminator, loss="x")
    with pytest.raises(ValueError, match="an unconditional GAN has none; set it to 0"):
        GAN(generator, discriminator, l1_weight=1.0)
    with pytest.raises(ValueError, match=r"shape \(16, 16, 3\), but the .* shape \(8, 8, 3\)"):
        GAN(generator, gan_discriminator((8, 8, 3), levels=2))
    paired = gan_discriminator((SIDE, SIDE, 3), levels=2, condition_channels=1)
    with pytest.raises(ValueError, match="one of latents a discriminator of images"):
        GAN(generator, paired)
    with pytest.raises(ValueError, match=r"conditional: fit it with pairs \(condition, image\)"):
        small_conditional_gan().real_and_condition(some_images())
