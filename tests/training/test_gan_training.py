"""Trainings of GANs: killed and resumed bit for bit, the best state kept, images drawn from it."""

import csv
import functools
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from rich.console import Console

import keras_gen as kg
from keras_gen.cli import main
from keras_gen.data import batches
from keras_gen.inference import sampling
from keras_gen.models.gan import GAN
from keras_gen.training import (
    adversarial,
    calibration,
    checkpoints,
    evaluation,
    gan,
    gan_cards,
    gan_sources,
    loop,
    pix2pix,
    progress_pictures,
)
from tests.training.tiny_gan import TINY, arrays, train

ROOT = Path(__file__).parents[2]
STEPS = 8


def console():
    return Console(file=io.StringIO(), width=10_000)


def stored_weights(path):
    with zipfile.ZipFile(path) as archive:
        return arrays(io.BytesIO(archive.read("model.weights.h5")))


def rows_of(directory):
    with open(directory / checkpoints.HISTORY, newline="") as file:
        return [{key: float(text) for key, text in row.items()} for row in csv.DictReader(file)]


@pytest.fixture
def eager(monkeypatch):
    """Without the seconds that TensorFlow takes to turn the step into a graph."""
    compiled = functools.partialmethod(GAN.compile, run_eagerly=True)
    monkeypatch.setattr(GAN, "compile", compiled)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    directory = tmp_path_factory.mktemp("unbroken")
    return train(directory, command="the command")


# Killed and resumed ------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_killed_and_resumed_gives_the_same_state(unbroken, tmp_path):
    """kill -9 on the command line, the rest in this process: weights, average, moments, counters,
    and the best state beside the last. A GAN is never done, so the number of steps may change."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
    options[options.index("--filters=(8, 4)")] = "--filters=8-4"
    command = [sys.executable, "-m", "keras_gen", "train", "gan", *options, "--steps", "50"]
    killed = subprocess.Popen(
        [*command, "--out", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in killed.stdout:
        if line.startswith("step 4 ") and "SWD" in line:
            break
    killed.kill()
    assert killed.wait() == -signal.SIGKILL, killed.stderr.read()
    killed.communicate()
    (tmp_path / ".best.unfinished.weights.h5").write_bytes(b"half of a state")

    path, shown = train(tmp_path, resume=True, command="the command")
    assert "going on after step 4 of 8" in shown or "going on after step 6 of 8" in shown
    assert stored_weights(path) == stored_weights(unbroken[0])
    for name in (checkpoints.CHECKPOINT, checkpoints.BEST):
        assert arrays(tmp_path / name) == arrays(unbroken[0].parent / name), name
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    first, second = rows_of(tmp_path), rows_of(unbroken[0].parent)
    times = {"minutes", "cpu_minutes"}
    assert [{k: v for k, v in row.items() if k not in times} for row in first] == [
        {k: v for k, v in row.items() if k not in times} for row in second
    ]


def test_lost_history_is_got_over(unbroken, tmp_path):
    shutil.copytree(unbroken[0].parent, tmp_path, dirs_exist_ok=True)
    (tmp_path / checkpoints.HISTORY).unlink()
    path, _ = train(tmp_path, resume=True)
    card = path.with_suffix(".md").read_text("utf-8")
    assert (
        "| state | the best by SWD, separately normalised |" in card
        and "| time | nan minutes" in card
    )


def test_other_options_are_refused(unbroken):
    with pytest.raises(ValueError, match="started with loss='relativistic', not 'hinge'; resume"):
        train(unbroken[0].parent, resume=True, loss="hinge")


def test_rates_and_penalty_may_change_and_the_card_says_so(tmp_path, eager):
    others = {"ema_half_life": 500.0, "noise": "natural"}
    train(tmp_path, steps=2)
    path, shown = train(tmp_path, steps=4, resume=True, learning_rate=1e-3, **others)
    assert "the learning rate has changed since the training began" in shown
    path, shown = train(tmp_path, steps=6, resume=True, learning_rate=1e-9, **others)
    card = path.with_suffix(".md").read_text("utf-8")
    assert "| learning rate | 1e-09 (0.001 until step 4) (0.002 until step 2) |" in card
    assert "| discriminator rate | 1e-09 (0.001 until step 4) (0.002 until step 2) |" in card
    assert "| ema half life | 500.0 (4000.0 until step 2) |" in card
    assert "| noise | natural (white until step 2) |" in card
    _, shown = train(tmp_path, steps=6, resume=True, learning_rate=1e-9, **others)
    assert "has changed" not in shown


# What a training leaves --------------------------------------------------------------------------


def test_files_and_card(unbroken):
    path, shown = unbroken
    assert path.name == "gan_hubble.keras"
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(
        [
            *(checkpoints.BEST, checkpoints.CHECKPOINT, checkpoints.HISTORY, checkpoints.OPTIONS),
            *(
                loop.PREVIEW,
                adversarial.EVENTS,
                progress_pictures.COURSE,
                path.name,
                "gan_hubble.md",
            ),
            *("gan_hubble.jpg", "gan_hubble_course.jpg", "gan_hubble_curves.png"),
        ]
    )
    rows = rows_of(path.parent)
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    assert {"swd_separate", "swd_joint", "diversity", "gap", "discriminator_advantage"} <= rows[
        0
    ].keys()
    card = path.with_suffix(".md").read_text("utf-8")
    best = min(rows, key=lambda row: row["swd_separate"])
    for name in ("gan_hubble.jpg", "gan_hubble_course.jpg", "gan_hubble_curves.png"):
        assert f"]({name})" in card
    for part in ("| command | `the command` |", "| filters | 8-4 |"):
        assert part in card
    assert re.search(r"\| weights \| averaged over steps, .* moved by [+-]\d.* to the mean", card)
    assert f"| steps | {STEPS} |" in card
    assert f"| state | step {best['step']:.0f}, the best by SWD, separately normalised |" in card
    assert "Sliced Wasserstein distances × 1000 of 3 images to as many real crops" in card
    assert "| | real | drawn | over real | held-out real, over real |" in card
    assert f"wrote {path} and its card" in shown
    with Image.open(path.parent / loop.PREVIEW) as preview:
        assert preview.size == (2 * 32 + 4, 32)


def test_tensorboard_finds_the_history(unbroken):
    """What the event file holds, as TensorFlow reads it, against the table."""
    path = str(unbroken[0].parent / adversarial.EVENTS)
    records = [record.numpy() for record in tf.data.TFRecordDataset(path)]
    first, *events = map(tf.compat.v1.Event.FromString, records)
    assert first.file_version == "brain.Event:2" and "tfevents" in path
    rows = rows_of(unbroken[0].parent)
    assert [event.step for event in events] == [row["step"] for row in rows] == [2, 4, 6, 8]
    for event, row in zip(events, rows, strict=True):
        found = {value.tag: value.simple_value for value in event.summary.value}
        assert found == pytest.approx(row, rel=1e-6)


def test_card_says_how_it_went_at_times_that_double():
    minutes = [0.5, 1.5, 2.5, 3.5, 4.5, 9.0, 10.0, 11.0]
    rows = [
        {"step": step, "minutes": at, "swd_separate": 2.0, "swd_joint": 3.0, "plain_swd": at}
        | {"diversity": 0.5}
        for step, at in enumerate(minutes)
    ]
    lines = gan_cards.course_lines(rows)
    assert [line.split(" | ")[0] for line in lines[4:-1]] == [
        f"| {at}" for at in (0.5, 2.5, 4.5, 9.0, 11.0)
    ]
    assert lines[5] == "| 2.5 | 2 | 2.00 | 3.00 | 2.50 | 0.50 |"
    assert gan_cards.course_lines([]) == []


def test_card_numbers_are_those_of_the_file(unbroken):
    """Of four draws of crops and latents the mean, and the range."""
    path, _ = unbroken
    images, turn = gan_sources.real_images("hubble", (32, 32), 2**30, console())
    model, rows = keras.models.load_model(path), []
    for draw in range(4):
        real = kg.data.crop_batch(images, (32, 32), 6, seed=(7, 2, draw), turn=turn)
        judge = evaluation.Evaluator(real, sampling.sample_latents(3, 4, seed=(1, draw)))
        sky = kg.data.held_out_sky()
        unseen = kg.data.crop_batch(sky, (32, 32), 3, seed=(7, 3, draw), turn=True)
        rows.append((judge(model), judge.compare(unseen)))
    card = path.with_suffix(".md").read_text("utf-8")
    for label, key in (("SWD, separately", "swd_separate"), ("diversity", "diversity")):
        line = next(line for line in card.splitlines() if line.startswith(f"| {label}"))
        expected = []
        for column in zip(*rows, strict=True):
            values = [row[key] for row in column]
            expected += [np.mean(values), min(values), max(values)]
        shown = [float(text) for text in re.findall(r"[\d.]+", line.split("|", 4)[4])]
        np.testing.assert_allclose(shown, expected, atol=0.0051)


def test_card_says_whether_it_copies(tmp_path, eager):
    path, _ = train(tmp_path, size=64, steps=2)
    card = path.with_suffix(".md").read_text("utf-8")
    found = re.search(r"\| nearest training patch, .* \| \| ([\d.]+) \| \| ([\d.]+) \|", card)
    sky = kg.data.photographs("train")["hubble"][None] / np.float32(255)
    drawn = np.asarray(keras.models.load_model(path)(sampling.sample_latents(3, 4, seed=(1, 3))))
    unseen = kg.data.crop_batch(kg.data.held_out_sky(), (64, 64), 3, seed=(7, 3, 3), turn=True)
    search = {"patches": 30, "shifts": 2, "turned": True}
    expected = [kg.nearest_patch_distance(images, sky, **search) for images in (drawn, unseen)]
    assert [float(text) for text in found.groups()] == pytest.approx(expected, abs=2e-3)


def test_hubble_learns_from_its_training_part():
    images, turn = gan_sources.real_images("hubble", (32, 32), 2**30, console())
    assert images.names == ["hubble"] and images[0].shape == (872, 600, 3) and turn


def test_mean_colour_is_that_of_all_crops():
    rng = np.random.default_rng(0)
    images = kg.data.Images()
    images.append("one", rng.integers(0, 256, (7, 9, 3), dtype=np.uint8), 3.0)
    images.append("two", rng.integers(0, 256, (6, 5, 3), dtype=np.uint8), 1.0)
    means = [
        np.lib.stride_tricks.sliding_window_view(picture, (4, 5), (0, 1)).mean((0, 1, 3, 4))
        for picture in images.pictures
    ]
    expected = (3 * means[0] + means[1]) / 4 / 255
    np.testing.assert_allclose(kg.data.mean_colour(images, (4, 5)), expected, rtol=1e-12)


def test_best_state_is_the_one_that_is_saved(tmp_path, monkeypatch, eager):
    """By its averaged generator, whatever happens after it; and it is saved when the training ends
    in a collapse, too."""
    scores = iter([5.0, 1.0, 4.0, 6.0])
    plain = evaluation.Evaluator.__call__
    seen = []

    def judged(self, generator):
        weights = generator.get_weights()
        before = [score for one, score in seen if all(map(np.array_equal, one, weights))]
        score = before[0] if before else next(scores, 9.0)
        seen.append((weights, score))
        told = {"swd_separate": score, "diversity": 0.9 if len(seen) < 3 else 0.01}
        return plain(self, generator) | {"swd": 1 / score} | told

    monkeypatch.setattr(evaluation.Evaluator, "__call__", judged)
    monkeypatch.setattr(calibration, "calibrate", lambda *given: "as it was")
    monkeypatch.setattr(calibration, "fit_mean_colour", lambda *given: None)
    with pytest.raises(FloatingPointError, match=r"has collapsed: .* \(step 8\)"):
        train(tmp_path, steps=20)
    kept = keras.models.load_model(tmp_path / "gan_hubble.keras").get_weights()
    # Round by round the averaged generator is judged, then the plain one; the second round's 4 is
    # the least of an average, though the first plain one had the luck of a 1.
    assert [score for _, score in seen[:4]] == [5, 1, 4, 6]
    for a, b in zip(kept, seen[2][0], strict=True):
        np.testing.assert_array_equal(a, b)
    card = (tmp_path / "gan_hubble.md").read_text("utf-8")
    assert (
        "step 4, the best by SWD, separately" in card
        and "| averaged over steps, as it was |" in card
    )


def test_rounds_judge_the_colours_that_the_result_will_have(tmp_path, monkeypatch, eager):
    compare, seen = evaluation.Evaluator.compare, []

    def compared(self, drawn):
        seen.append(drawn.mean((0, 1, 2), dtype=float))
        return compare(self, drawn)

    monkeypatch.setattr(evaluation.Evaluator, "compare", compared)
    train(tmp_path, steps=2)
    images, _ = gan_sources.real_images("hubble", (32, 32), 2**30, console())
    expected = kg.data.mean_colour(images, (32, 32))
    # Every third row and column is fitted; with the bias that was trained they differ by .2 to .3.
    np.testing.assert_allclose(seen[:2], [expected, expected], atol=0.01)


def test_numbers_that_run_away_leave_the_last_good_state(tmp_path, monkeypatch, eager):
    real = batches.image_batches

    def crops(images, size, *, first_step, **settings):
        dataset = real(images, size, first_step=first_step, **settings)
        return dataset.map(lambda batch: batch * np.nan) if first_step >= 2 else dataset

    monkeypatch.setattr(gan, "image_batches", crops)
    with pytest.raises(FloatingPointError, match=r"ran away at step 3 .*the state after step 2 is"):
        train(tmp_path)
    for weights in keras.models.load_model(tmp_path / "gan_hubble.keras").get_weights():
        assert np.isfinite(weights).all()


def test_mistakes(tmp_path):
    with pytest.raises(ValueError, match="learning rate -1 is not a number above 0"):
        train(tmp_path, learning_rate=-1)
    with pytest.raises(ValueError, match="GAN loss 'x' is unknown"):
        train(tmp_path, loss="x")
    with pytest.raises(ValueError, match="no_such_folder"):
        train(tmp_path, data=str(tmp_path / "no_such_folder"))
    assert list(tmp_path.iterdir()) == []


# pix2pix -----------------------------------------------------------------------------------------


def test_pix2pix_from_label_maps(tmp_path, eager):
    settings = {"size": 48, "crop": 32, "depth": 2, "filters": 4, "levels": 2, "batch_size": 2}
    settings |= {
        "evaluation_images": 2,
        "final_evaluation_images": 2,
        "steps": 2,
        "every": 1,
        "console": console(),
    }
    path = pix2pix.train_pix2pix(directory=tmp_path, **settings)
    assert path.name == "pix2pix_aerial.keras"
    model = keras.models.load_model(path)
    assert model.input_shape == (None, 48, 48, 7) and model.output_shape == (None, 48, 48, 3)
    card = path.with_suffix(".md").read_text("utf-8")
    assert "pixels whose class reads back right" in card
    assert "| l1 weight | 30.0 |" in card
    assert re.search(r"\| weights \| averaged over steps, the contrast \d\.\d\d times", card)
    assert model.get_layer("cut_margin").cropping == ((4, 4), (4, 4))
    assert all("l1" in row for row in rows_of(tmp_path))
    with Image.open(path.with_suffix(".jpg")) as sheet:  # given, drawn, real; two pairs a row
        assert sheet.size == (6 * 48 + 5 * 4, 2 * 48 + 4)


# Drawing -----------------------------------------------------------------------------------------


def command(monkeypatch, capfd, *arguments):
    monkeypatch.setattr(sys, "argv", ["keras-gen", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main.main()
    shown, errors = capfd.readouterr()
    return stop.value.code, shown, errors


def test_generate_draws_images_a_sheet_and_a_walk(unbroken, tmp_path, monkeypatch, capfd):
    out = tmp_path / "generated"
    options = ["--count", 5, "--seed", 3, "--walk", 2, "--out", out]
    code, shown, errors = command(monkeypatch, capfd, "generate", unbroken[0], *options)
    assert (code, errors) == (0, "")
    assert "wrote 5 images and " in shown
    names = [f"gan_hubble_3_{place:04d}.png" for place in range(5)]
    assert sorted(file.name for file in out.iterdir()) == sorted(
        [*names, "gan_hubble_3_sheet.png", "gan_hubble_3_walk.gif"]
    )
    model = keras.models.load_model(unbroken[0])
    expected = np.rint(np.asarray(model(sampling.sample_latents(5, 4, seed=3))) * 255)
    for name, image in zip(names, expected, strict=True):
        with Image.open(out / name) as drawn:
            assert np.abs(np.asarray(drawn, float) - image).max() <= 1
    with Image.open(out / "gan_hubble_3_sheet.png") as sheet:
        assert sheet.size == (3 * 32 + 8, 2 * 32 + 4)
    with Image.open(out / "gan_hubble_3_walk.gif") as walk:
        assert walk.size == (32, 32) and walk.n_frames > 1


def test_truncation_draws_nearer_to_the_mean():
    """Where nothing is normalised; a normalisation undoes the scale, until biases are learned."""
    spread = {}
    for normalise in (True, False):
        model = kg.gan_generator(
            4, 32, filters=(8, 4), noise_channels=0, normalize=normalise, seed=1
        )
        spread[normalise] = [
            sampling.generate(model, sampling.sample_latents(8, 4, truncation=share))
            .std(axis=0)
            .mean()
            for share in (1.0, 0.2)
        ]
    assert spread[False][1] < 0.5 * spread[False][0]
    assert spread[True][1] == pytest.approx(spread[True][0], rel=0.05)


def test_generate_mistakes(unbroken, tmp_path, monkeypatch, capfd):
    enlarger = kg.simple_generator((8, 8, 3), 16, filters=8, blocks=1)
    enlarger.save(tmp_path / "enlarger.keras")
    for arguments, message in (
        ([tmp_path / "enlarger.keras"], "enlarges pictures; say which with --input"),
        ([unbroken[0], "--count", 1, "--walk", 2], "2 or more to walk between them"),
    ):
        code, _, errors = command(
            monkeypatch, capfd, "generate", *arguments, "--out", tmp_path / "out"
        )
        assert code == 2 and errors.count("\n") == 1 and message in errors
    with pytest.raises(ValueError, match="draws nothing from latents; give it pictures"):
        sampling.generate(enlarger, np.zeros((1, 4)))


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
