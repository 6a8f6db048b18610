"""The two networks of a GAN: sizes, receptive fields, the noise branch, mixed precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gen as kg
from keras_gen.inference.sampling import sample_latents
from keras_gen.metrics.wasserstein import laplacian_pyramid
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator, gan_generator
from tests.models.small_gan import LATENT, SIDE, all_weights, differences, some_images


def test_generates_400_by_default():
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
    generated = np.asarray(generator(np.ones((2, 3), np.float32)))
    assert generated.shape == (2, *expected, 3)
    assert 0 <= generated.min() < generated.max() <= 1


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


def test_scores_of_a_reduced_image_see_further():
    """The scores of both scales are in a row; the second ones see 184 pixels and cost little."""
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


def test_the_noise_branch_differs_from_pixel_to_pixel_and_from_latent_to_latent():
    """Detail finer than two pixels is a small fraction of the variance without the branch."""
    fractions = {}
    for channels in (0, 4):
        generator = gan_generator(
            16, 64, filters=(16, 12, 8, 8, 8), noise_channels=channels, seed=0
        )
        generated = np.asarray(generator(sample_latents(4, 16), training=False))
        bands = laplacian_pyramid(generated, 3)
        fractions[channels] = np.var(bands[0]) / np.var(generated)
        assert not np.allclose(bands[0][0], bands[0][1], atol=0.01 * np.std(bands[0]))
    assert fractions[4] > 100 * fractions[0]


@pytest.mark.parametrize("upsampling", ["bilinear", "transposed"])
def test_the_noise_branch_fits_any_size(upsampling):
    generator = gan_generator(
        3, (33, 50), upsampling=upsampling, filters=(8, 8, 4), noise_channels=2, seed=0
    )
    assert generator(np.ones((1, 3), np.float32)).shape == (1, 33, 50, 3)
    assert generator.get_layer("join_noise").output.shape[1:3] == (33, 50)


@pytest.mark.parametrize("filters", [(16, 8), (16, 8, 8, 8, 8), (16, 8, 8, 8, 8, 8, 8)])
def test_the_noise_branch_upsamples_sixteenfold_at_most(filters):
    """In one step of 64, it would have more weights than all other layers together."""
    generator = gan_generator(4, 128, filters=filters, noise_channels=2, seed=0)
    stages = len(filters) - 1
    factor = 2 ** min(4, stages)
    assert generator.get_layer("noise").output.shape[1:] == (*2 * (128 // factor,), 2 * factor**2)
    assert ("noise_source" in [layer.name for layer in generator.layers]) == (stages > 4)
    generated = np.asarray(generator(sample_latents(3, 4)))
    generator.get_layer("noise").set_weights(
        [0 * weight for weight in generator.get_layer("noise").get_weights()]
    )
    assert np.abs(np.asarray(generator(sample_latents(3, 4))) - generated).max() > 1e-3


def test_every_pixel_influences_the_scores():
    """Patches of stride 8 cover all 25 pixels, including the last rows."""
    discriminator = gan_discriminator((SIDE + 9, SIDE + 9, 3), levels=3, filters=4, seed=0)
    image = tf.constant(some_images(1, SIDE + 9))
    with tf.GradientTape() as tape:
        tape.watch(image)
        scores = discriminator(image)
        total = tf.reduce_sum(scores**2)
    assert scores.shape == (1, 4, 4, 1)
    assert np.all(np.abs(tape.gradient(total, image)).max(axis=-1) > 0)


def test_saved_generator_needs_nothing_of_this_package(tmp_path):
    """Stock layers and operations only."""
    generator = gan_generator(3, (17, 18), filters=(8, 8, 4), seed=0)
    generator.save(tmp_path / "generator.keras")
    config = str(generator.get_config())
    assert "keras_gen" not in config
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    latents = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(loaded(latents), generator(latents))


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"levels=5 on 16×16 pixels; each level halves them: .*4"):
        gan_discriminator((16, 16, 3))
    with pytest.raises(ValueError, match=r"4 stages .* cannot end at 10×10 pixels; give 1 … 4"):
        gan_generator(size=10)
    with pytest.raises(ValueError, match="upsampling method 'magic' is unknown; choose one of"):
        gan_generator(upsampling="magic")
