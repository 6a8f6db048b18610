"""The trainings of a conditional GAN: from label maps, and with clouds removed."""

import re

import keras
from PIL import Image

from keras_gen.training import checkpoints, pix2pix
from tests.training.tiny_simple import new_console


def test_pix2pix_from_label_maps(tmp_path, eager):
    settings = {"size": 48, "crop": 32, "depth": 2, "filters": 4, "levels": 2, "batch_size": 2}
    settings |= {
        "evaluation_images": 2,
        "final_evaluation_images": 2,
        "steps": 2,
        "every": 1,
        "console": new_console(),
    }
    path = pix2pix.train_pix2pix(directory=tmp_path, **settings)
    assert path.name == "pix2pix_aerial.keras"
    model = keras.models.load_model(path)
    assert model.input_shape == (None, 48, 48, 7) and model.output_shape == (None, 48, 48, 3)
    card = path.with_suffix(".md").read_text("utf-8")
    assert "pixels whose class is read back correctly" in card
    assert "| l1 weight | 30.0 |" in card
    assert re.search(r"\| weights \| averaged over steps; contrast multiplied by \d\.\d\d \(", card)
    assert model.get_layer("cut_margin").cropping == ((4, 4), (4, 4))
    assert all("l1" in row for row in checkpoints.read_history(tmp_path))
    with Image.open(path.with_suffix(".jpg")) as sheet:  # input, generated, real; two pairs a row
        assert sheet.size == (6 * 48 + 5 * 4, 2 * 48 + 4)


def test_pix2pix_removes_clouds(tmp_path, pictures, eager):
    """The saved generator has the whole size; crops of the training's size are evaluated."""
    settings = {"size": 48, "crop": 32, "depth": 2, "filters": 4, "levels": 2, "batch_size": 2}
    settings |= {"evaluation_images": 2, "final_evaluation_images": 2, "steps": 1}
    path = pix2pix.train_pix2pix(
        directory=tmp_path, data=str(pictures), console=new_console(), **settings
    )
    model = keras.models.load_model(path)
    assert model.input_shape == model.output_shape == (None, 48, 48, 3)
    assert len(model.trainable_weights) == len(model.weights)
    card = path.with_suffix(".md").read_text("utf-8")
    assert "| weights | averaged over steps |" in card
    assert "of 2 images to as many crops of the training images." in card
    with Image.open(path.with_suffix(".jpg")) as sheet:
        assert sheet.size == (6 * 32 + 5 * 4, 2 * 32 + 4)
