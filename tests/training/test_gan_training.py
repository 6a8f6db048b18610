"""The training of a GAN: killed and resumed bit for bit, the best state kept, the card."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import keras_gen as kg
from keras_gen.data import batches
from keras_gen.inference import sampling
from keras_gen.training import (
    calibration,
    cards,
    checkpoints,
    datasets,
    evaluation,
    gan,
    loop,
    progress_pictures,
)
from tests.training.tiny_gan import TINY, arrays, train
from tests.training.tiny_simple import new_console, stored_weights

ROOT = Path(__file__).parents[2]
STEPS = 8


def rows_of(directory):
    with open(directory / checkpoints.HISTORY, newline="") as file:
        return [{key: float(text) for key, text in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    directory = tmp_path_factory.mktemp("unbroken")
    return train(directory, command="the command")


# Killed and resumed ------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_killed_and_resumed_gives_the_same_state(unbroken, tmp_path):
    """kill -9 on the command line, the rest in this process: weights, average, moments, counters,
    and the best state beside the last. The number of steps may change, as a GAN is never done."""
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
    assert "resuming after step 4 of 8" in shown or "resuming after step 6 of 8" in shown
    assert stored_weights(path) == stored_weights(unbroken[0])
    for name in (checkpoints.CHECKPOINT, checkpoints.BEST):
        assert arrays(tmp_path / name) == arrays(unbroken[0].parent / name), name
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    first, second = rows_of(tmp_path), rows_of(unbroken[0].parent)
    times = {"minutes", "cpu_minutes"}
    assert [{k: v for k, v in row.items() if k not in times} for row in first] == [
        {k: v for k, v in row.items() if k not in times} for row in second
    ]


def test_training_resumes_without_its_history(unbroken, tmp_path):
    shutil.copytree(unbroken[0].parent, tmp_path, dirs_exist_ok=True)
    (tmp_path / checkpoints.HISTORY).unlink()
    path, _ = train(tmp_path, resume=True)
    card = path.with_suffix(".md").read_text("utf-8")
    assert "| state | the lowest separately normalised SWD |" in card
    assert "| time | nan minutes" in card


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
                progress_pictures.PROGRESS,
                path.name,
                "gan_hubble.md",
            ),
            *("gan_hubble.jpg", "gan_hubble_progress.jpg", "gan_hubble_curves.png"),
        ]
    )
    rows = rows_of(path.parent)
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    assert {"swd_separate", "swd_joint", "diversity", "gap", "discriminator_advantage"} <= rows[
        0
    ].keys()
    card = path.with_suffix(".md").read_text("utf-8")
    best = min(rows, key=lambda row: row["swd_separate"])
    for name in ("gan_hubble.jpg", "gan_hubble_progress.jpg", "gan_hubble_curves.png"):
        assert f"]({name})" in card
    for part in ("| command | `the command` |", "| filters | 8-4 |"):
        assert part in card
    assert re.search(r"\| weights \| averaged over steps; .* shifted by [+-]\d.* to the mean", card)
    assert f"| steps | {STEPS} |" in card
    assert f"| state | step {best['step']:.0f}, the lowest separately normalised SWD |" in card
    assert "sliced Wasserstein distance × 1000 of 3 images to as many real crops" in card
    assert "| | real | generated | generated ÷ real | held-out real ÷ real |" in card
    assert f"wrote {path} and its card" in shown
    with Image.open(path.parent / loop.PREVIEW) as preview:
        assert preview.size == (2 * 32 + 4, 32)


def test_saved_generator_can_be_trained_further(unbroken):
    """All but the noise branch, which was built non-trainable."""
    model = keras.models.load_model(unbroken[0])
    frozen = {layer.name for layer in model.layers if layer.weights and not layer.trainable}
    assert frozen == {"noise"}
    assert len(model.trainable_weights) == len(model.weights) - 2


def test_card_shows_progress_at_times_that_double():
    minutes = [0.5, 1.5, 2.5, 3.5, 4.5, 9.0, 10.0, 11.0]
    rows = [
        {"step": step, "minutes": at, "swd_separate": 2.0, "swd_joint": 3.0, "raw_swd": at}
        | {"diversity": 0.5}
        for step, at in enumerate(minutes)
    ]
    lines = cards.progress_lines(rows)
    assert [line.split(" | ")[0] for line in lines[4:-1]] == [
        f"| {at}" for at in (0.5, 2.5, 4.5, 9.0, 11.0)
    ]
    assert lines[5] == "| 2.5 | 2 | 2.00 | 3.00 | 2.50 | 0.50 |"
    assert cards.progress_lines([]) == []


def test_card_numbers_are_those_of_the_file(unbroken):
    """The mean and the range of four evaluations, each with its own crops and latents."""
    path, _ = unbroken
    images, turn = datasets.read_gan_images("hubble", (32, 32), 2**30, new_console())
    model, rows = keras.models.load_model(path), []
    for number in range(4):
        real = kg.data.crop_batch(images, (32, 32), 6, seed=(7, 2, number), turn=turn)
        evaluator = evaluation.Evaluator(real, sampling.sample_latents(3, 4, seed=(1, number)))
        sky = kg.data.held_out_sky()
        unseen = kg.data.crop_batch(sky, (32, 32), 3, seed=(7, 3, number), turn=True)
        rows.append((evaluator(model), evaluator.compare(unseen)))
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
    generated = np.asarray(
        keras.models.load_model(path)(sampling.sample_latents(3, 4, seed=(1, 3)))
    )
    unseen = kg.data.crop_batch(kg.data.held_out_sky(), (64, 64), 3, seed=(7, 3, 3), turn=True)
    search = {"patches": 30, "shifts": 2, "turned": True}
    expected = [kg.nearest_patch_distance(images, sky, **search) for images in (generated, unseen)]
    assert [float(text) for text in found.groups()] == pytest.approx(expected, abs=2e-3)


def test_best_state_is_the_one_that_is_saved(tmp_path, monkeypatch, eager):
    """By its averaged generator, whatever happens after it; and it is saved when the training ends
    in a collapse, too."""
    scores = iter([5.0, 1.0, 4.0, 6.0])
    plain = evaluation.Evaluator.__call__
    seen = []

    def scored(self, generator):
        weights = generator.get_weights()
        before = [score for one, score in seen if all(map(np.array_equal, one, weights))]
        score = before[0] if before else next(scores, 9.0)
        seen.append((weights, score))
        others = {"swd_separate": score, "diversity": 0.9 if len(seen) < 3 else 0.01}
        return plain(self, generator) | {"swd": 1 / score} | others

    monkeypatch.setattr(evaluation.Evaluator, "__call__", scored)
    monkeypatch.setattr(calibration, "calibrate", lambda *given: "as it was")
    monkeypatch.setattr(calibration, "fit_mean_colour", lambda *given: None)
    with pytest.raises(FloatingPointError, match=r"has collapsed: .* \(step 8\)"):
        train(tmp_path, steps=20)
    kept = keras.models.load_model(tmp_path / "gan_hubble.keras").get_weights()
    # Each round evaluates the averaged generator, then the raw one. The second round's 4 is the
    # lowest of an averaged generator, although the first raw one scored 1 by chance.
    assert [score for _, score in seen[:4]] == [5, 1, 4, 6]
    for a, b in zip(kept, seen[2][0], strict=True):
        np.testing.assert_array_equal(a, b)
    card = (tmp_path / "gan_hubble.md").read_text("utf-8")
    assert "| step 4, the lowest separately normalised SWD |" in card
    assert "| averaged over steps; as it was |" in card


def test_rounds_evaluate_the_colours_that_the_result_will_have(tmp_path, monkeypatch, eager):
    compare, seen = evaluation.Evaluator.compare, []

    def compared(self, images):
        seen.append(images.mean((0, 1, 2), dtype=float))
        return compare(self, images)

    monkeypatch.setattr(evaluation.Evaluator, "compare", compared)
    train(tmp_path, steps=2)
    real_images, _ = datasets.read_gan_images("hubble", (32, 32), 2**30, new_console())
    expected = kg.data.mean_colour(real_images, (32, 32))
    # Every third row and column is fitted; with the trained bias they differ by 0.2 to 0.3.
    np.testing.assert_allclose(seen[:2], [expected, expected], atol=0.01)


def test_divergence_leaves_the_last_good_state(tmp_path, monkeypatch, eager):
    real = batches.image_batches

    def crops(images, size, *, first_step, **settings):
        dataset = real(images, size, first_step=first_step, **settings)
        return dataset.map(lambda batch: batch * np.nan) if first_step >= 2 else dataset

    monkeypatch.setattr(gan, "image_batches", crops)
    with pytest.raises(FloatingPointError, match=r"diverged at step 3 .*the state after step 2 is"):
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
