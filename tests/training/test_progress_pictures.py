"""The pictures that a GAN's training leaves: stages that double, samples, curves."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_gen.training import progress_pictures

ROW = {"swd_separate": 2.0, "swd_joint": 3.0, "raw_swd": 4.0, "diversity": 0.9}
ROW |= {"real_score": 0.5, "fake_score": -0.5}


def flat(shade, count=6, size=(32, 48)):
    return np.full((count, *size, 3), shade, np.float32)


def history(*steps):
    return [ROW | {"step": step, "minutes": step / 10} for step in steps]


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_stages_are_kept_at_steps_that_double(tmp_path):
    for step in range(2, 20, 2):
        progress_pictures.keep_stage(flat(step / 20), tmp_path, step)
    names = [f"{step:07d}.png" for step in (2, 4, 8, 16)]
    assert sorted(file.name for file in (tmp_path / progress_pictures.PROGRESS).iterdir()) == names
    strip = pixels(tmp_path / progress_pictures.PROGRESS / names[2])
    assert strip.shape == (32, 5 * 48 + 4 * 4, 3) and strip[0, 0, 0] == round(0.4 * 255)


def test_a_resumed_training_keeps_the_same_stages(tmp_path):
    """Stopped at 7 and resumed from 4: what is kept is what an unbroken training keeps."""
    for step in (2, 4, 6, 5, 6, 8):
        progress_pictures.keep_stage(flat(0.5), tmp_path, step)
    assert sorted(int(file.stem) for file in (tmp_path / progress_pictures.PROGRESS).iterdir()) == [
        2,
        4,
        8,
    ]


def test_large_images_are_reduced_by_averages(tmp_path):
    """400 pixels to 200: stripes one pixel wide become their mean, not one of the two."""
    striped = flat(0.0, size=(400, 400))
    striped[:, :, 1::2] = 1.0
    progress_pictures.keep_stage(striped, tmp_path, 1)
    strip = pixels(tmp_path / progress_pictures.PROGRESS / "0000001.png")
    assert strip.shape == (200, 5 * 200 + 4 * 4, 3)
    assert set(np.unique(strip[:, :200])) == {128}


def test_files_and_what_shows_them(tmp_path):
    rounds = history(2, 4, 8)
    for step in (2, 4, 8):
        progress_pictures.keep_stage(flat(step / 10), tmp_path, step)
    path = tmp_path / "name.keras"
    lines = progress_pictures.write_pictures(
        path,
        flat(0.5),
        stage=flat(0.4),
        history=rounds,
        directory=tmp_path,
        best=rounds[1],
        columns=3,
    )
    names = ["name.jpg", "name_progress.jpg", "name_curves.png"]
    assert [line.partition("](")[2][:-1] for line in lines[::2]] == names
    assert pixels(tmp_path / names[0]).shape == (2 * 32 + 4, 3 * 48 + 2 * 4, 3)
    # Three rows: steps 2 and 8, then step 4 once, as the best state and not as a stage as well.
    sheet = pixels(tmp_path / names[1])
    assert sheet.shape[0] == 3 * 32 + 2 * 6
    shades = [sheet[top + 16, 130, 0] / 255 for top in (0, 38, 76)]
    assert shades == pytest.approx([0.2, 0.8, 0.4], abs=0.02)


def test_without_a_history_there_are_samples_alone(tmp_path):
    lines = progress_pictures.write_pictures(
        tmp_path / "name.keras", flat(0.5), stage=flat(0.5), history=[], directory=tmp_path
    )
    assert len(lines) == 2 and "name.jpg" in lines[0]
    assert [file.name for file in tmp_path.iterdir()] == ["name.jpg"]


def test_curves_mark_the_best_round():
    rounds = history(*range(10, 100, 10))
    with Image.open(io.BytesIO(progress_pictures.curves(rounds))) as picture:
        unmarked = np.asarray(picture.convert("RGB"), int)
    with Image.open(io.BytesIO(progress_pictures.curves(rounds, rounds[4]))) as picture:
        marked = np.asarray(picture.convert("RGB"), int)
    assert unmarked.shape == marked.shape == (340, 1100, 3)
    changed = np.abs(unmarked - marked).sum(axis=2) > 0
    assert changed.any(axis=0).sum() in range(3, 10)  # one thin line in each of three panels
