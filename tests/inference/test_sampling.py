"""Images from latents, as the command `generate` writes them: each, a sheet, and a walk."""

import numpy as np
import pytest
from PIL import Image

import keras_gen as kg
from keras_gen.inference import sampling


@pytest.fixture(scope="module")
def generator():
    return kg.gan_generator(4, 32, filters=(8, 4), seed=1)


@pytest.fixture(scope="module")
def stored(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("stored") / "sky.keras"
    generator.save(path)
    return path


def test_latents_are_standard_normal_and_extend():
    few, many = sampling.sample_latents(3, 5), sampling.sample_latents(4000, 5)
    np.testing.assert_array_equal(few, many[:3])
    assert abs(many.mean()) < 0.03 and abs(many.std() - 1) < 0.03
    assert many.dtype == np.float32
    np.testing.assert_allclose(sampling.sample_latents(3, 5, truncation=0.5), few / 2, rtol=1e-6)
    assert np.abs(sampling.sample_latents(3, 5, seed=1) - few).min() > 1e-4


def test_generate_writes_images_a_sheet_and_a_walk(generator, stored, run, tmp_path):
    out = tmp_path / "generated"
    options = ["--count", 5, "--seed", 3, "--walk", 2, "--out", out]
    code, shown, errors = run("generate", stored, *options)
    assert (code, errors) == (0, "")
    assert any(line.startswith("wrote 5 images and ") for line in shown)
    names = [f"sky_3_{place:04d}.png" for place in range(5)]
    assert sorted(file.name for file in out.iterdir()) == sorted(
        [*names, "sky_3_sheet.png", "sky_3_walk.gif"]
    )
    expected = np.rint(np.asarray(generator(sampling.sample_latents(5, 4, seed=3))) * 255)
    for name, image in zip(names, expected, strict=True):
        with Image.open(out / name) as written:
            assert np.abs(np.asarray(written, float) - image).max() <= 1
    with Image.open(out / "sky_3_sheet.png") as sheet:
        assert sheet.size == (3 * 32 + 8, 2 * 32 + 4)
    with Image.open(out / "sky_3_walk.gif") as walk:
        assert walk.size == (32, 32) and walk.n_frames > 1


def test_truncation_generates_images_nearer_to_the_mean():
    """Where nothing is normalised; a normalisation undoes the scale, until biases are learned."""
    deviation = {}
    for normalise in (True, False):
        model = kg.gan_generator(
            4, 32, filters=(8, 4), noise_channels=0, normalize=normalise, seed=1
        )
        deviation[normalise] = [
            sampling.generate(model, sampling.sample_latents(8, 4, truncation=factor))
            .std(axis=0)
            .mean()
            for factor in (1.0, 0.2)
        ]
    assert deviation[False][1] < 0.5 * deviation[False][0]
    assert deviation[True][1] == pytest.approx(deviation[True][0], rel=0.05)


def test_generate_mistakes(stored, fails, tmp_path):
    upscaler = kg.simple_generator((8, 8, 3), 16, filters=8, blocks=1)
    upscaler.save(tmp_path / "upscaler.keras")
    for arguments, message in (
        ([tmp_path / "upscaler.keras"], "upscales pictures; say which with --input"),
        ([stored, "--count", 1, "--walk", 2], "2 or more to walk between them"),
    ):
        assert message in fails("generate", *arguments, "--out", tmp_path / "out")
    with pytest.raises(ValueError, match="generates nothing from latents; give it pictures"):
        sampling.generate(upscaler, np.zeros((1, 4)))


def test_walk_keeps_its_distance_from_the_origin():
    latents = np.eye(3)[:2] * 2
    path = sampling.latent_walk(latents, 4)
    assert path.shape == (8, 3) and path.dtype == np.float32
    np.testing.assert_allclose(path[[0, 4]], latents, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 2, atol=1e-6)
    angles = np.arccos(np.sum(path * np.roll(path, -1, axis=0), axis=1) / 4)
    np.testing.assert_allclose(angles, np.pi / 8, atol=1e-4)
    np.testing.assert_allclose(sampling.latent_walk(np.ones((2, 3)), 3), np.ones((6, 3)), atol=1e-6)
    with pytest.raises(ValueError, match="received 1 latents and frames=2; a walk needs"):
        sampling.latent_walk(latents[:1], 2)
