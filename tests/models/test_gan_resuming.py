"""A GAN resumes exactly: its saved state is complete, and its random numbers depend on the step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.models.gan import GAN
from tests.models.small_gan import SIDE, networks, small_gan, some_images


def batches(first, last):
    images = np.stack([some_images(4, seed=step) for step in range(first, last)])
    return tf.data.Dataset.from_tensor_slices(images)


def state(gan):
    """Weights, moving averages, moments and counters."""
    variables = [*gan.variables, *gan.generator_optimizer.variables]
    variables += gan.discriminator_optimizer.variables
    return [np.array(variable) for variable in variables]


@pytest.mark.parametrize("whole", [True, False])
def test_a_restored_gan_continues_exactly(whole, tmp_path):
    """Saved whole in the middle of training, or as a checkpoint into a GAN of other weights."""
    options = {"augmentation": ("translation", "colour")}
    uninterrupted = small_gan(**options)
    uninterrupted.fit(batches(0, 3), verbose=0, shuffle=False)
    if whole:
        uninterrupted.save(tmp_path / "gan.keras")
        restored = keras.models.load_model(tmp_path / "gan.keras")
    else:
        uninterrupted.save_weights(tmp_path / "gan.weights.h5")
        restored = small_gan(seed=9, **options)
        restored.load_weights(tmp_path / "gan.weights.h5")
    assert int(restored.generator_optimizer.iterations) == 3
    assert restored.options == uninterrupted.options
    for gan in (uninterrupted, restored):
        gan.logs = gan.fit(batches(3, 5), verbose=0, shuffle=False).history
    assert uninterrupted.logs == restored.logs
    pairs = list(zip(state(uninterrupted), state(restored), strict=True))
    assert len(pairs) > 40
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)
    assert restored.discriminator_optimizer.beta_1 == 0.5


def test_random_numbers_depend_on_seed_and_step_alone():
    sampled = {}
    for name, seed, steps in (("a", 1, 2), ("b", 1, 2), ("other seed", 2, 2), ("later", 1, 3)):
        gan = GAN(*networks(), seed=seed)
        gan.compile()
        if name == "b":
            gan.random.state.assign([7, 7])  # whatever was sampled before
        gan.generator_optimizer.iterations.assign(steps)
        sampled[name] = gan.sample_inputs(2, (SIDE, SIDE, 3))
    for key in ("latents", "real_noise", "fake_noise"):
        np.testing.assert_array_equal(sampled["a"][key], sampled["b"][key])
        for other in ("other seed", "later"):
            assert np.abs(sampled["a"][key] - sampled[other][key]).max() > 0.1
    assert np.abs(sampled["a"]["real_noise"] - sampled["a"]["fake_noise"]).max() > 0.1
