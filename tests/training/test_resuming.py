"""Trainings that are killed at any moment and resumed give the same weights."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_gen.data import batches
from keras_gen.training import checkpoints, loop, tasks
from tests.training.tiny_simple import STEPS, TINY, checkpoint, stored_weights, train

ROOT = Path(__file__).parents[2]


def started(directory, pictures, *options):
    """Start the same training on the command line."""
    tiny = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
    # Tests that run in the background inherit a Ctrl-C that is ignored; a terminal's is not.
    code = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "runpy.run_module('keras_gen', run_name='__main__')"
    )
    command = [sys.executable, "-c", code, "train", "simple", "--data", str(pictures)]
    command += [*tiny, "--steps", str(STEPS), "--every", "2", "--out", str(directory), *options]
    return subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process, start):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(start):
            return lines
    raise AssertionError("".join(lines) + process.stderr.read())


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_killed_interrupted_and_resumed_gives_the_same_weights(pictures, finished, tmp_path):
    """kill -9 in one process, Ctrl-C in the next, the rest in this one, with other rounds."""
    directory = tmp_path / "broken"
    killed = started(directory, pictures, "--resume")
    read_until(killed, "step 12 ")
    time.sleep(0.05)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    killed.communicate()
    kept = [file.name for file in directory.iterdir() if not file.name.startswith(".")]
    assert set(kept) <= {
        checkpoints.CHECKPOINT,
        checkpoints.HISTORY,
        checkpoints.OPTIONS,
        loop.PREVIEW,
    }
    # What a kill in the middle of writing leaves behind must neither be used nor stay.
    (directory / ".checkpoint.unfinished.weights.h5").write_bytes(b"half of a checkpoint")

    interrupted = started(directory, pictures, "--resume")
    seen = read_until(interrupted, "step 24 ")
    interrupted.send_signal(signal.SIGINT)
    rest, errors = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130
    assert errors == ""
    assert any(line.startswith("resuming after step 1") for line in seen)
    assert rest.splitlines()[-1].startswith("stopped; the state after step ")
    assert rest.splitlines()[-1].endswith(" is kept, continue with --resume")

    path, shown = train(directory, pictures, resume=True, command="the command")
    assert "resuming after step " in shown
    assert stored_weights(path) == stored_weights(finished[0])
    assert [file.name for file in directory.iterdir() if file.name.startswith(".")] == []


def test_training_changes_the_weights_and_the_seed_matters(pictures, finished, tmp_path):
    """Otherwise equal weights would prove nothing."""
    path, _ = train(tmp_path / "other", pictures, seed=8, steps=2)
    other, weights = stored_weights(path), stored_weights(finished[0])
    assert other.keys() == weights.keys()
    assert sum(other[name] != weights[name] for name in weights) >= len(weights) / 2


def test_where_the_rounds_end_makes_no_difference(pictures, tmp_path):
    paths = [train(tmp_path / str(every), pictures, steps=10, every=every)[0] for every in (3, 10)]
    assert stored_weights(paths[0]) == stored_weights(paths[1])


def test_finished_training_resumed_changes_nothing(pictures, finished, tmp_path):
    directory = finished[0].parent
    before = stored_weights(finished[0])
    history = (directory / checkpoints.HISTORY).read_bytes()
    card = finished[0].with_suffix(".md").read_text("utf-8")
    path, shown = train(directory, pictures, resume=True, command="the command")
    assert path == finished[0]
    assert f"all {STEPS} steps are done" in shown
    assert stored_weights(path) == before
    assert (directory / checkpoints.HISTORY).read_bytes() == history
    assert path.with_suffix(".md").read_text("utf-8") == card


def test_resume_with_other_options_is_refused(pictures, finished):
    for name, value in (
        ("filters", 16),
        ("steps", STEPS + 1),
        ("scale", 3),
        ("learning_rate", 0.1),
    ):
        with pytest.raises(ValueError, match="resume it with the same options, or choose another"):
            train(finished[0].parent, pictures, resume=True, **{name: value})
    message = r"was started with filters=8, not 16; resume it with the same options"
    with pytest.raises(ValueError, match=message):
        train(finished[0].parent, pictures, resume=True, filters=16)


def test_resume_with_the_folder_written_otherwise(pictures, finished):
    path, _ = train(finished[0].parent, f"{pictures}/", resume=True, command="the command")
    assert path == finished[0]


def test_directory_that_holds_a_training_is_not_overwritten(pictures, finished):
    before = checkpoint(finished[0].parent).read_bytes()
    with pytest.raises(ValueError, match="already holds a training; add --resume"):
        train(finished[0].parent, pictures)
    assert checkpoint(finished[0].parent).read_bytes() == before


def test_changed_pictures_are_noticed(pictures, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for file in pictures.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with pytest.raises(KeyboardInterrupt):
        stopped_after(2, tmp_path / "run", folder)
    (folder / "0.png").write_bytes((folder / "1.png").read_bytes())
    _, shown = train(tmp_path / "run", folder, steps=4, every=2, resume=True)
    assert "the picture digest has changed since the training began" in shown


def stopped_after(step, directory, folder):
    """Train four steps, two a round, and press Ctrl-C after one round."""
    real = batches.pairs

    def pairs(*arguments, first_step, **settings):
        if first_step >= step:
            raise KeyboardInterrupt
        return real(*arguments, first_step=first_step, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "pairs", pairs)
        train(directory, folder, steps=4, every=2)
