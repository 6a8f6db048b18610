"""`tour` generates with every kind of generator and writes one picture."""

import os
from pathlib import Path

import keras
import numpy as np
from PIL import Image


def test_tour_generates_400_by_400(run, weights, tmp_path):
    code, lines, errors = run("tour", "--out", tmp_path / "tour")
    assert (code, errors) == (0, "")
    table = (tmp_path / "tour" / "tour.md").read_text("utf-8")
    names = [f"{kind}_64to400_photos" for kind in ("simple", "unet")]
    names += ["unet_labels_aerial", "pix2pix_aerial", "gan_hubble"]
    for name in names:
        row = next(line for line in table.splitlines() if line.startswith(f"| {name} |"))
        assert "400×400×3" in row and (" dB" in row) == (name != "gan_hubble")
        assert ("(bicubic " in row) == ("photos" in name)
        assert any(name in line and "400×400×3" in line for line in lines)
    with Image.open(tmp_path / "tour" / "tour.png") as picture:
        assert picture.width > 1000
        assert len(np.unique(np.asarray(picture.convert("L")))) > 100
    for name in names:
        model = keras.models.load_model(Path(os.environ["KERAS_GEN_WEIGHTS"]) / f"{name}.keras")
        assert f"| {model.count_params():,} |" in table


def test_tour_mistakes(fails, weights, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    assert "is not a directory" in fails("tour", "--out", tmp_path / "file")
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(tmp_path))
    assert "there are no weights 'simple_64to400_photos'" in fails("tour", "--out", tmp_path / "t")
    assert not (tmp_path / "t").exists()
