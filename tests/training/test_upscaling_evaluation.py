"""Upscalers are evaluated on whole held-out pictures wherever their layers allow it."""

from dataclasses import asdict
from fractions import Fraction

import keras
import numpy as np

import keras_gen as kg
from keras_gen.data import folders
from keras_gen.data.images import Images
from keras_gen.training.upscaling_evaluation import compare_with_bicubic
from tests.training.tiny_simple import train


def test_fixed_size_is_evaluated_on_what_its_layers_allow(pictures, tmp_path):
    """16 → 40 is no whole factor: the held-out picture is cropped to multiples of 5 and 2."""
    path, _ = train(tmp_path / "run", pictures, scale=None, source=16, size=40, steps=2)
    assert path.name.startswith("simple_16to40_")
    assert keras.models.load_model(path).output_shape == (None, 40, 40, 3)
    model = keras.models.load_model(path)
    images = folders.folder(pictures)
    (row, *_) = compare_with_bicubic(model, images, Fraction(5, 2))
    assert row["low"].shape == (48, 56, 3)
    assert row["reference"].shape == row["generated"].shape == row["bicubic"].shape == (120, 140, 3)
    np.testing.assert_array_equal(row["reference"], images[0])


def test_layers_that_do_not_scale_are_evaluated_on_the_centre_crop():
    """A valid convolution takes two pixels off whatever the size: 20 → 18 → 36, not ×1.8."""
    inputs = keras.Input((20, 20, 3))
    x = keras.layers.Conv2D(3, 3, padding="valid")(inputs)
    model = keras.Model(inputs, keras.layers.UpSampling2D(2)(x))
    images = Images()
    for name, size in (("large", (60, 80)), ("small", (27, 80))):
        images.append(name, np.full((*size, 3), 90, np.uint8), 1.0)
    rows = compare_with_bicubic(model, images, Fraction(9, 5))
    assert [row["name"] for row in rows] == ["large"]
    assert rows[0]["reference"].shape == rows[0]["generated"].shape == (36, 36, 3)


def test_measures_are_those_of_quality():
    """Of the generated picture, and of the bicubic one."""
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.UpSampling2D(2)(inputs))
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    (row,) = compare_with_bicubic(model, Images(["noise"], [picture], [1.0]), 2)
    np.testing.assert_array_equal(row["generated"], row["low"].repeat(2, 0).repeat(2, 1))
    for prefix, image in (("", row["generated"]), ("bicubic_", row["bicubic"])):
        for key, value in asdict(kg.quality(image, picture)).items():
            assert row[f"{prefix}{key}"] == value
    pair = (row["generated"] / 255, picture / 255)
    assert row["psnr"] == kg.psnr(*pair, luma=True, border=4)
    assert row["ssim"] == kg.ssim(*pair, luma=True, border=4)
