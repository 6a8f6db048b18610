"""`inspect` tells and plots what a stored model computes, layer by layer."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    x = keras.Input((32, 48, 3))
    y = keras.layers.Conv2D(8, 5, strides=2, padding="same", name="halve")(x)
    y = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", name="double")(y)
    path = tmp_path_factory.mktemp("models") / "small.keras"
    keras.Model(x, y).save(path)
    return path


def test_tells_size_field_stride_and_cost_of_every_layer(run, model_file):
    code, lines, errors = run("inspect", model_file)
    assert (code, errors) == (0, "")
    rows = {line.split()[0]: line.split() for line in lines if line.strip()}
    # layer, type, size, channels, field, stride, parameters, multiply–accumulates
    assert rows["halve"][2:] == ["16×24", "8", "5×5", "2", "608", f"{16 * 24 * 8 * 75:,}"]
    assert rows["double"][2:] == ["32×48", "3", "7×7", "1", "387", f"{16 * 24 * 8 * 48:,}"]
    assert any("995 parameters" in line for line in lines)


def test_plots_the_fields(run, model_file, tmp_path):
    photograph = tmp_path / "photograph.png"
    Image.fromarray(np.zeros((32, 48, 3), np.uint8)).save(photograph)
    plot = ["--plot", tmp_path / "fields.png", "--on", photograph]
    assert run("inspect", model_file, *plot)[0] == 0
    with Image.open(tmp_path / "fields.png") as picture:
        assert min(picture.size) > 200
        assert len(picture.convert("RGB").getcolors(2**20)) > 10


def test_inspect_prints_and_plots(run, weights, pictures, tmp_path):
    code, lines, errors = run("inspect", "simple_64to400_photos", "--plot", tmp_path / "fields")
    assert (code, errors) == (0, "")
    assert lines[-1] == f"wrote {tmp_path / 'fields.png'}"
    assert (tmp_path / "fields.png").exists()
    text = "\n".join(lines)
    model = keras.models.load_model(
        Path(os.environ["KERAS_GEN_WEIGHTS"]) / "simple_64to400_photos.keras"
    )
    assert f"{model.count_params():,}" in text
    assert run("inspect", "simple_x2_tiny", "--size", "30x20")[0] == 0


def test_inspect_mistakes(fails, weights, pictures, tmp_path):
    assert "there are no weights 'nothing'" in fails("inspect", "nothing")
    assert "say which one to inspect: --size 400" in fails("inspect", "simple_x2_tiny")
    assert "cannot read the size 'big'" in fails("inspect", "simple_x2_tiny", "--size", "big")
    assert "--plot FILE" in fails("inspect", "simple_x2_tiny", "--on", pictures / "0.png")
    plot = ["--size", "20", "--plot", tmp_path / "a.png"]
    message = fails("inspect", "simple_x2_tiny", *plot, "--on", tmp_path / "missing.png")
    assert "missing.png cannot be read: there is no such file" in message
    strange = ["--size", "20", "--plot", tmp_path / "a.strange"]
    assert "strange" in fails("inspect", "simple_x2_tiny", *strange)
    assert [path.name for path in tmp_path.iterdir()] == [pictures.name]
