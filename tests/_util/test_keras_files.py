"""Saved generators can be trained further; what was built non-trainable stays so."""

import keras
import numpy as np
import pytest

import keras_gen as kg
from keras_gen._util.keras_files import load_keras_file, save_generator, with_weights


def frozen_layers(model):
    return {layer.name for layer in model.layers if layer.weights and not layer.trainable}


@pytest.mark.parametrize("upsampling", ["bilinear", "blur"])
def test_saved_layers_are_trainable_as_they_were_built(tmp_path, upsampling):
    """The noise branch and the low-pass filters of "blur" are fixed, all other layers are not."""
    generator = kg.gan_generator(4, 32, filters=(8, 4), upsampling=upsampling, seed=1)
    save_generator(generator, tmp_path / "sky.keras")
    saved = load_keras_file(tmp_path / "sky.keras")
    assert frozen_layers(saved) == frozen_layers(generator)
    assert "noise" in frozen_layers(saved)
    assert any("low_pass" in name for name in frozen_layers(saved)) == (upsampling == "blur")
    assert saved.trainable_weights
    latents = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    np.testing.assert_array_equal(saved(latents), generator(latents))


def test_an_averaged_generator_is_saved_by_its_weights(tmp_path):
    generator = kg.gan_generator(4, 32, filters=(8, 4), seed=1)
    gan = kg.GAN(generator, kg.gan_discriminator((32, 32, 3), levels=2, filters=4))
    with pytest.raises(ValueError, match=r"are frozen.* copy its weights to the network as it was"):
        save_generator(gan.averaged_generator, tmp_path / "sky.keras")
    gan.averaged_generator.set_weights([weight + 1 for weight in generator.get_weights()])
    copy = keras.Model.from_config(generator.get_config())
    save_generator(with_weights(copy, gan.averaged_generator), tmp_path / "sky.keras")
    saved = load_keras_file(tmp_path / "sky.keras")
    assert frozen_layers(saved) == {"noise"}
    for weight, expected in zip(saved.weights, gan.averaged_generator.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_compiled_model_is_saved_without_its_training(tmp_path):
    model = kg.simple_generator((None, None, 3), scale=2, filters=4, blocks=0)
    kg.training.compile_for_images(model, steps=2)
    save_generator(model, tmp_path / "x2.keras")
    assert not keras.models.load_model(tmp_path / "x2.keras").compiled
    assert model.compiled
