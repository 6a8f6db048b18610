"""The adversarial pair: sizes, fields, who learns from what, the average, and going on exactly."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import keras_gen as kg
from keras_gen.inference.sampling import sample_latents
from keras_gen.models import gan_losses
from keras_gen.models.augmentation import augment
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator, gan_generator

SIDE, LATENT = 16, 4


def some_images(count=8, side=SIDE, seed=0):
    return np.random.default_rng(seed).random((count, side, side, 3), np.float32)


def networks(seed=1):
    generator = gan_generator(LATENT, SIDE, filters=(8, 8), seed=seed)
    discriminator = gan_discriminator((SIDE, SIDE, 3), levels=2, filters=4, seed=seed + 1)
    return generator, discriminator


def pair(seed=1, *, rate=1e-3, eager=True, **options):
    gan = GAN(*networks(seed), **options)
    optimizers = (keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2))
    gan.compile(*optimizers, run_eagerly=eager)
    return gan


def conditional(**options):
    given = keras.Input((SIDE, SIDE, 2))
    drawn = layers.Conv2D(3, 3, padding="same", activation="sigmoid")(
        layers.Dropout(0.5)(layers.BatchNormalization()(given))
    )
    discriminator = gan_discriminator((SIDE, SIDE, 3), levels=2, filters=4, condition_channels=2)
    gan = GAN(keras.Model(given, drawn), discriminator, **options)
    gan.compile(run_eagerly=True)
    return gan


def play(gan, images, given=None):
    """One step's losses, and the gradients of each by the weights of both networks."""
    draws = gan.sample_inputs(len(images), images.shape[1:])
    with tf.GradientTape(persistent=True) as tape:
        losses = gan.compute_losses(
            ops.array(images), draws, None if given is None else ops.array(given)
        )
    weights = {"generator": gan.generator, "discriminator": gan.discriminator}
    weights = {name: network.trainable_variables for name, network in weights.items()}
    return draws, losses, tape, weights


def all_weights(model):
    return [np.array(weight) for weight in model.get_weights()]


def differences(before, after):
    return [np.abs(a - b).max() for a, b in zip(before, after, strict=True)]


# The two networks --------------------------------------------------------------------------------


def test_draws_400_by_default():
    generator = gan_generator()
    assert generator.input_shape == (None, 128)
    assert generator.output_shape == (None, 400, 400, 3)
    assert generator.count_params() < 2e6
    grids = [layer.output.shape[1] for layer in generator.layers if "resize" in layer.name]
    assert grids == [50, 100, 200, 400]
    assert not any("Crop" in type(layer).__name__ for layer in generator.layers)


@pytest.mark.parametrize("size", [16, 33, (30, 50), (2, 7)])
def test_any_size(size):
    generator = gan_generator(3, size, filters=(8, 4), seed=0)
    expected = size if isinstance(size, tuple) else (size, size)
    drawn = np.asarray(generator(np.ones((2, 3), np.float32)))
    assert drawn.shape == (2, *expected, 3)
    assert 0 <= drawn.min() < drawn.max() <= 1


@pytest.mark.parametrize("upsampling", kg.UPSAMPLING)
def test_any_upsampling(upsampling):
    generator = gan_generator(3, (17, 18), upsampling=upsampling, filters=(8, 8, 4), seed=0)
    assert generator(np.ones((1, 3), np.float32)).shape == (1, 17, 18, 3)


def test_seed_of_the_weights():
    same, again, other = (
        all_weights(gan_generator(3, 8, filters=(8, 8), seed=s)) for s in (1, 1, 2)
    )
    assert max(differences(same, again)) == 0
    assert max(differences(same, other)) > 0.01


@pytest.mark.parametrize(("levels", "size"), [(3, 22), (4, 46), (5, 94)])
def test_receptive_field_is_what_the_docstring_says(levels, size):
    discriminator = gan_discriminator((400, 400, 3), levels=levels)
    assert kg.receptive_field(discriminator).size == (size, size)
    table = " ".join(gan_discriminator.__doc__.split())
    assert "levels 3 4 5 6 receptive field 22 46 94 190" in table


def test_a_reduced_image_is_judged_further_and_apart():
    """Scores of both scales in a row; the second ones see 184 pixels, and are cheap."""
    one = gan_discriminator((400, 400, 3), scales=(1,))
    both = gan_discriminator((400, 400, 3), scales=(1, 4))
    assert both.output_shape == (None, 13 * 13 + 7 * 7, 1)
    coarse = gan_discriminator((400, 400, 3), scales=(4,))
    assert kg.receptive_field(coarse).size == (184, 184)
    extra = kg.cost(both).macs / kg.cost(one).macs - 1
    assert 0.05 < extra < 0.1
    with pytest.raises(ValueError, match=r"scales=\(1, 3\); expected powers of two"):
        gan_discriminator((400, 400, 3), scales=(1, 3))


@pytest.mark.parametrize("scales", [(1,), (1, 4)])
def test_trains_in_bfloat16_with_scores_and_images_in_float32(scales):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        generator = gan_generator(LATENT, SIDE, filters=(8, 8), seed=1)
        discriminator = gan_discriminator((SIDE, SIDE, 3), levels=2, scales=scales, seed=2)
    finally:
        keras.config.set_dtype_policy("float32")
    assert generator.output.dtype == discriminator.output.dtype == "float32"
    gan = GAN(generator, discriminator)
    gan.compile(run_eagerly=True)
    history = gan.fit(some_images(2), batch_size=2, verbose=0).history
    assert np.isfinite(history["generator_loss"][0])


def test_grain_differs_from_pixel_to_pixel_and_from_latent_to_latent():
    """Detail finer than two pixels, as a share of all: a smooth enlargement begins with little."""
    shares = {}
    for grain in (0, 4):
        generator = gan_generator(16, 64, filters=(16, 12, 8, 8, 8), noise_channels=grain, seed=0)
        drawn = np.asarray(generator(sample_latents(4, 16), training=False))
        bands = kg.metrics.laplacian_pyramid(drawn, 3)
        shares[grain] = np.var(bands[0]) / np.var(drawn)
        assert not np.allclose(bands[0][0], bands[0][1], atol=0.01 * np.std(bands[0]))
    assert shares[4] > 100 * shares[0]


@pytest.mark.parametrize("upsampling", ["bilinear", "transposed"])
def test_grain_fits_any_size(upsampling):
    generator = gan_generator(
        3, (33, 50), upsampling=upsampling, filters=(8, 8, 4), noise_channels=2, seed=0
    )
    assert generator(np.ones((1, 3), np.float32)).shape == (1, 33, 50, 3)
    assert generator.get_layer("join_noise").output.shape[1:3] == (33, 50)


@pytest.mark.parametrize("filters", [(16, 8), (16, 8, 8, 8, 8), (16, 8, 8, 8, 8, 8, 8)])
def test_grain_takes_one_step_of_sixteen_at_most(filters):
    """In one step of 64, it would have more weights than all other layers together."""
    generator = gan_generator(4, 128, filters=filters, noise_channels=2, seed=0)
    stages = len(filters) - 1
    times = 2 ** min(4, stages)
    assert generator.get_layer("noise").output.shape[1:] == (*2 * (128 // times,), 2 * times**2)
    assert ("noise_source" in [layer.name for layer in generator.layers]) == (stages > 4)
    drawn = np.asarray(generator(sample_latents(3, 4)))
    generator.get_layer("noise").set_weights(
        [0 * weight for weight in generator.get_layer("noise").get_weights()]
    )
    assert np.abs(np.asarray(generator(sample_latents(3, 4))) - drawn).max() > 1e-3


def test_every_pixel_is_judged():
    """13 patches of stride 32 cover 400 pixels, the last rows too."""
    discriminator = gan_discriminator((SIDE + 9, SIDE + 9, 3), levels=3, filters=4, seed=0)
    image = tf.constant(some_images(1, SIDE + 9))
    with tf.GradientTape() as tape:
        tape.watch(image)
        scores = discriminator(image)
        total = tf.reduce_sum(scores**2)
    assert scores.shape == (1, 4, 4, 1)
    assert np.all(np.abs(tape.gradient(total, image)).max(axis=-1) > 0)


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match=r"levels=5 on 16×16 pixels; each level halves them: .*4"):
        gan_discriminator((16, 16, 3))
    with pytest.raises(ValueError, match="4 stages that double cannot end at 10×10 pixels"):
        gan_generator(size=10)
    with pytest.raises(ValueError, match="upsampling method 'magic' is unknown; choose one of"):
        gan_generator(upsampling="magic")
    generator, discriminator = networks()
    with pytest.raises(ValueError, match="penalty 'r3' is unknown; choose one of 'none'"):
        GAN(generator, discriminator, penalty="r3")
    with pytest.raises(ValueError, match="noise 'loud' is unknown; choose one of 'white'"):
        GAN(generator, discriminator, noise="loud")
    with pytest.raises(ValueError, match="GAN loss 'x' is unknown"):
        GAN(generator, discriminator, loss="x")
    with pytest.raises(ValueError, match="an unconditional GAN has none; set it to 0"):
        GAN(generator, discriminator, l1_weight=1.0)
    with pytest.raises(ValueError, match=r"draws \(16, 16, 3\) and the discriminator judges \(8, "):
        GAN(generator, gan_discriminator((8, 8, 3), levels=2))
    paired = gan_discriminator((SIDE, SIDE, 3), levels=2, condition_channels=1)
    with pytest.raises(ValueError, match="one of latents a discriminator of images"):
        GAN(generator, paired)
    with pytest.raises(ValueError, match=r"conditional: fit it with pairs \(given, image\)"):
        conditional().real_and_given(some_images())


# One step ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["white", "natural"])
def test_losses_are_those_of_the_scores(noise):
    """Everything that a step computes, once more by hand from what was drawn."""
    gan = pair(gamma=0.3, sigma=0.1, noise=noise, augmentation=("translation", "colour"))
    real = some_images()
    draws, losses, *_ = play(gan, real)
    real_seen = augment(real, draws["augmentation"])
    fake_seen = augment(gan.generator(draws["latents"]), draws["augmentation"])
    scores = [np.asarray(gan.discriminator(seen)) for seen in (real_seen, fake_seen)]
    noisy = [
        np.asarray(gan.discriminator(seen + 0.1 * draws[name]))
        for seen, name in ((real_seen, "real_noise"), (fake_seen, "fake_noise"))
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
    """Every weight hears of its own player's loss."""
    gan = pair(penalty=penalty, gamma=10.0)
    _, losses, tape, weights = play(gan, some_images())
    for player, own in weights.items():
        gradients = tape.gradient(losses[f"{player}_loss"], own)
        assert all(np.abs(gradient).max() > 0 for gradient in gradients if gradient.shape[-1] > 1)
    if penalty != "none":
        assert float(losses["penalty"]) > 0
        slopes = tape.gradient(losses["penalty"], weights["discriminator"])
        assert np.abs(slopes[0]).max() > 0


def test_exact_penalty_equals_finite_differences():
    gan = pair(penalty="r1", gamma=2.0, augmentation=())
    real = some_images(1)
    _, losses, *_ = play(gan, real)
    squares, step = 0.0, 1e-2
    shifted = real + step * np.eye(real.size, dtype=np.float32).reshape(-1, *real.shape[1:])
    back = real - step * np.eye(real.size, dtype=np.float32).reshape(-1, *real.shape[1:])
    ahead, behind = (np.asarray(gan.discriminator(x)).sum((1, 2, 3)) for x in (shifted, back))
    squares = np.sum(((ahead - behind) / (2 * step)) ** 2)
    assert float(losses["penalty"]) == pytest.approx(squares / 16, rel=0.02)  # 4×4 patches


def test_steps_change_both_networks_and_nothing_is_left_out():
    gan = pair(loss="non_saturating")  # to a relativistic loss, the scores' bias is all one
    before = all_weights(gan.generator), all_weights(gan.discriminator)
    history = gan.fit(some_images(), batch_size=4, verbose=0).history
    for start, network in zip(before, (gan.generator, gan.discriminator), strict=True):
        changed = np.array(differences(start, all_weights(network))) > 0
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


def test_a_step_is_plain_gradient_descent_at_once():
    """With SGD, a step moves each network by −rate · gradient, both taken before either moved."""
    gan = GAN(*networks())
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2), run_eagerly=True)
    images = some_images(4)
    _, losses, tape, weights = play(gan, images)
    expected = [
        np.asarray(weight) - rate * np.asarray(tape.gradient(losses[f"{player}_loss"], weight))
        for player, rate in (("generator", 0.1), ("discriminator", 0.2))
        for weight in weights[player]
    ]
    gan.train_step(ops.array(images))
    found = [np.asarray(weight) for own in weights.values() for weight in own]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_generator_draws_once_a_step():
    gan = pair()
    calls, call = [], gan.generator.call

    def counted(*arguments, **settings):
        calls.append(1)
        return call(*arguments, **settings)

    gan.generator.call = counted
    gan.train_step(ops.array(some_images(4)))
    assert len(calls) == 1


def test_networks_train_in_training_mode():
    """Otherwise dropout and batch normalisation would be off without a word."""
    gan = conditional(ema_rampup=0.1)
    moving = [weight for weight in gan.generator.weights if "moving_mean" in weight.path]
    given = np.random.default_rng(1).random((4, SIDE, SIDE, 2), np.float32)
    gan.fit(given, some_images(4), batch_size=4, verbose=0)
    assert np.abs(np.asarray(moving[0])).max() > 1e-4
    averaged = [w for w in gan.averaged_generator.weights if "moving_mean" in w.path]
    np.testing.assert_allclose(averaged[0], moving[0], rtol=2e-3)  # it hardly holds a past yet


def test_sketch_as_written_learns_to_be_wrong():
    """Bright images are real, dark ones are drawn; nothing is easier to tell apart."""
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
    gan = conditional(l1_weight=10.0, penalty="none", loss="hinge")
    gan.generator.layers[2].rate = 0.0
    given = np.random.default_rng(1).random((4, SIDE, SIDE, 2), np.float32)
    real = some_images(4)
    draws, losses, *_ = play(gan, real, given)
    assert "latents" not in draws
    fake = np.asarray(gan.generator(given, training=True))
    move = {"translation": draws["augmentation"]["translation"]}
    scores = [
        np.asarray(gan.discriminator([augment(given, move), augment(image, move)]))
        for image in (real, fake)
    ]
    l1 = np.abs(fake - real).mean()
    expected = np.mean(np.maximum(1 - scores[0], 0)) + np.mean(np.maximum(1 + scores[1], 0))
    assert float(losses["discriminator_loss"]) == pytest.approx(expected, rel=1e-4)
    assert float(losses["l1"]) == pytest.approx(l1, rel=1e-4)
    expected = 10 * l1 - scores[1].mean()
    assert float(losses["generator_loss"]) == pytest.approx(expected, rel=1e-4)


def test_conditional_learns_its_pairs():
    """The image is the first channel of what is given: L1 finds it."""
    given = np.random.default_rng(1).random((16, SIDE, SIDE, 2), np.float32)
    inputs = keras.Input((SIDE, SIDE, 2))
    generator = keras.Model(inputs, layers.Conv2D(3, 1, activation="sigmoid")(inputs))
    discriminator = gan_discriminator((SIDE, SIDE, 3), levels=2, filters=4, condition_channels=2)
    gan = GAN(generator, discriminator, l1_weight=100.0)
    gan.compile(keras.optimizers.Adam(0.1), keras.optimizers.Adam(1e-3))
    real = np.repeat(given[..., :1], 3, axis=-1)
    first = np.abs(np.asarray(generator(given)) - real).mean()
    gan.fit(given, real, batch_size=4, epochs=12, verbose=0)
    assert np.abs(np.asarray(gan.generator(given)) - real).mean() < 0.4 * first


# The average -------------------------------------------------------------------------------------


def test_average_equals_its_formula():
    gan = pair(ema_half_life=20.0, ema_rampup=0.5)
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
    gan = pair()
    gan.fit(some_images(), batch_size=4, verbose=0)
    latents = np.ones((2, LATENT), np.float32)
    np.testing.assert_array_equal(gan(latents), gan.averaged_generator(latents))
    assert np.abs(np.asarray(gan(latents)) - np.asarray(gan.generator(latents))).max() > 0


# State -------------------------------------------------------------------------------------------


def batches(first, last):
    images = np.stack([some_images(4, seed=step) for step in range(first, last)])
    return tf.data.Dataset.from_tensor_slices(images)


def state(gan):
    """Weights, average, moments and counters, by path."""
    variables = [*gan.variables, *gan.generator_optimizer.variables]
    variables += gan.discriminator_optimizer.variables
    return [np.array(variable) for variable in variables]


@pytest.mark.parametrize("whole", [True, False])
def test_restored_goes_on_exactly(whole, tmp_path):
    """Saved whole in the middle of training, or as a checkpoint into a GAN of other weights."""
    options = {"augmentation": ("translation", "colour")}
    unbroken = pair(**options)
    unbroken.fit(batches(0, 3), verbose=0, shuffle=False)
    if whole:
        unbroken.save(tmp_path / "gan.keras")
        restored = keras.models.load_model(tmp_path / "gan.keras")
    else:
        unbroken.save_weights(tmp_path / "gan.weights.h5")
        restored = pair(seed=9, **options)
        restored.load_weights(tmp_path / "gan.weights.h5")
    assert int(restored.generator_optimizer.iterations) == 3
    assert restored.options == unbroken.options
    for gan in (unbroken, restored):
        gan.trained = gan.fit(batches(3, 5), verbose=0, shuffle=False).history
    assert unbroken.trained == restored.trained
    pairs = list(zip(state(unbroken), state(restored), strict=True))
    assert len(pairs) > 40
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)
    assert restored.discriminator_optimizer.beta_1 == 0.5


def test_random_numbers_depend_on_seed_and_step_alone():
    drawn = {}
    for name, seed, steps in (("a", 1, 2), ("b", 1, 2), ("other seed", 2, 2), ("later", 1, 3)):
        gan = GAN(*networks(), seed=seed)
        gan.compile()
        if name == "b":
            gan.random.state.assign([7, 7])  # whatever was drawn before
        gan.generator_optimizer.iterations.assign(steps)
        drawn[name] = gan.sample_inputs(2, (SIDE, SIDE, 3))
    for key in ("latents", "real_noise", "fake_noise"):
        np.testing.assert_array_equal(drawn["a"][key], drawn["b"][key])
        for other in ("other seed", "later"):
            assert np.abs(drawn["a"][key] - drawn[other][key]).max() > 0.1
    assert np.abs(drawn["a"]["real_noise"] - drawn["a"]["fake_noise"]).max() > 0.1


def test_saved_generator_needs_nothing_of_this_package(tmp_path):
    """Stock layers and operations only."""
    generator = gan_generator(3, (17, 18), filters=(8, 8, 4), seed=0)
    generator.save(tmp_path / "generator.keras")
    config = str(generator.get_config())
    assert "keras_gen" not in config
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    latents = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(loaded(latents), generator(latents))
