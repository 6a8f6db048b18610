"""Trainings that can be killed at any moment, judged fairly, and leave files that are whole."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from fractions import Fraction
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from rich.console import Console

from keras_gen._util import files, machine, progress
from keras_gen.data import batches, folders, image_files
from keras_gen.data.images import Images
from keras_gen.metrics import full_reference
from keras_gen.training import checkpoints, loop, simple, sources, upscaling_evaluation

ROOT = Path(__file__).parents[2]
STEPS = 40
TINY = {"scale": 2, "filters": 8, "blocks": 1, "batch_size": 4, "seed": 7}


def console():
    return Console(file=io.StringIO(), width=10_000)


def text_of(console):
    return console.file.getvalue()


def stored_weights(path):
    """The bytes of every array in a .keras file, read without Keras."""
    with zipfile.ZipFile(path) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    arrays = {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()].tobytes()

    with h5py.File(content) as file:
        file.visititems(collect)
    return arrays


def checkpoint(directory):
    return directory / checkpoints.CHECKPOINT


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Three pictures with edges and a gradient: two to learn from, one held out."""
    folder = tmp_path_factory.mktemp("pictures")
    rows, columns = np.mgrid[:120, :140]
    for index in range(3):
        red = 255 * (rows + 20 * index > columns)
        green = (rows * 2 + index * 40) % 256
        blue = 127 + 120 * np.sin(columns / (2 + index))
        picture = np.stack([red, green, blue], axis=-1).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{index}.png")
    return folder


def train(directory, pictures, **settings):
    shown = console()
    settings = {"steps": STEPS, "every": 8, **TINY} | settings
    path = simple.train_simple(directory=directory, data=str(pictures), console=shown, **settings)
    return path, text_of(shown)


@pytest.fixture(scope="module")
def unbroken(pictures, tmp_path_factory):
    directory = tmp_path_factory.mktemp("unbroken")
    path, shown = train(directory, pictures, command="the command")
    return path, shown


# Killed and resumed ------------------------------------------------------------------------------


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
def test_killed_interrupted_and_resumed_gives_the_same_weights(pictures, unbroken, tmp_path):
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
    assert any(line.startswith("going on after step 1") for line in seen)
    assert rest.splitlines()[-1].startswith("stopped; the state after step ")
    assert rest.splitlines()[-1].endswith(" is kept, go on with --resume")

    path, shown = train(directory, pictures, resume=True, command="the command")
    assert "going on after step " in shown
    assert stored_weights(path) == stored_weights(unbroken[0])
    assert [file.name for file in directory.iterdir() if file.name.startswith(".")] == []


def test_training_changes_the_weights_and_the_seed_matters(pictures, unbroken, tmp_path):
    """Otherwise equal weights would prove nothing."""
    path, _ = train(tmp_path / "other", pictures, seed=8, steps=2)
    other, weights = stored_weights(path), stored_weights(unbroken[0])
    assert other.keys() == weights.keys()
    assert sum(other[name] != weights[name] for name in weights) >= len(weights) / 2


def test_where_the_rounds_end_makes_no_difference(pictures, tmp_path):
    paths = [train(tmp_path / str(every), pictures, steps=10, every=every)[0] for every in (3, 10)]
    assert stored_weights(paths[0]) == stored_weights(paths[1])


def test_finished_training_resumed_changes_nothing(pictures, unbroken, tmp_path):
    directory = unbroken[0].parent
    before = stored_weights(unbroken[0])
    history = (directory / checkpoints.HISTORY).read_bytes()
    card = unbroken[0].with_suffix(".md").read_text("utf-8")
    path, shown = train(directory, pictures, resume=True, command="the command")
    assert path == unbroken[0]
    assert f"all {STEPS} steps are done" in shown
    assert stored_weights(path) == before
    assert (directory / checkpoints.HISTORY).read_bytes() == history
    assert path.with_suffix(".md").read_text("utf-8") == card


def test_resume_with_other_options_is_refused(pictures, unbroken):
    for name, value in (
        ("filters", 16),
        ("steps", STEPS + 1),
        ("scale", 3),
        ("learning_rate", 0.1),
    ):
        with pytest.raises(ValueError, match="resume it with the same options, or choose another"):
            train(unbroken[0].parent, pictures, resume=True, **{name: value})
    message = r"was started with filters=8, not 16; resume it with the same options"
    with pytest.raises(ValueError, match=message):
        train(unbroken[0].parent, pictures, resume=True, filters=16)


def test_resume_with_the_folder_written_otherwise(pictures, unbroken):
    path, _ = train(unbroken[0].parent, f"{pictures}/", resume=True, command="the command")
    assert path == unbroken[0]


def test_directory_that_holds_a_training_is_not_overwritten(pictures, unbroken):
    before = checkpoint(unbroken[0].parent).read_bytes()
    with pytest.raises(ValueError, match="already holds a training; add --resume"):
        train(unbroken[0].parent, pictures)
    assert checkpoint(unbroken[0].parent).read_bytes() == before


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
        patch.setattr(simple, "pairs", pairs)
        train(directory, folder, steps=4, every=2)


# A damaged directory -----------------------------------------------------------------------------


@pytest.fixture
def copy(unbroken, tmp_path):
    directory = tmp_path / "copy"
    directory.mkdir()
    for file in unbroken[0].parent.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    return directory


def cut(content):
    return content[: len(content) // 2]


def flip_a_weight(content):
    """Change one bit in the middle of a kernel, where HDF5 itself notices nothing."""
    with h5py.File(io.BytesIO(content)) as file:
        sizes = {}
        file.visititems(
            lambda name, item: (
                sizes.update({name: item.nbytes}) if isinstance(item, h5py.Dataset) else None
            )
        )
        largest = file[max(sizes, key=sizes.get)]
        place = largest.id.get_offset() + largest.nbytes // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage", [cut, flip_a_weight, lambda content: b"", lambda content: b"garbage" * 1000]
)
def test_damaged_checkpoint_is_one_clear_line(copy, pictures, damage):
    file = checkpoint(copy)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"checkpoint\.weights\.h5 is damaged") as caught:
        train(copy, pictures, resume=True)
    assert "begin again in another directory" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (checkpoints.OPTIONS, "{broken"),
        (checkpoints.HISTORY, "step,loss\n1,abc\n"),
        (checkpoints.HISTORY, "loss\n1\n"),
        (checkpoints.HISTORY, "step\n1\n1,1,1\n"),
    ],
)
def test_other_damaged_files_are_named(copy, pictures, name, content):
    (copy / name).write_text(content)
    with pytest.raises(ValueError, match=f"{name.split('.')[0]}.* is damaged"):
        train(copy, pictures, resume=True)


def test_lost_history_is_got_over(copy, pictures, unbroken):
    (copy / checkpoints.HISTORY).unlink()
    path, _ = train(copy, pictures, resume=True)
    assert stored_weights(path) == stored_weights(unbroken[0])
    assert "nan minutes" in path.with_suffix(".md").read_text("utf-8")


# What a training leaves --------------------------------------------------------------------------


def test_files_that_are_left(unbroken):
    path, shown = unbroken
    assert path.name.startswith("simple_x2_pictures")
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(
        [
            *(checkpoints.CHECKPOINT, checkpoints.HISTORY, checkpoints.OPTIONS, loop.PREVIEW),
            *(path.name, path.with_suffix(".md").name),
        ]
    )
    with open(path.parent / checkpoints.HISTORY, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [*range(8, STEPS, 8), STEPS]
    minutes = [float(row["minutes"]) for row in rows]
    assert minutes == sorted(minutes)
    with Image.open(path.parent / loop.PREVIEW) as preview:
        assert preview.width > preview.height > 0
    options = json.loads((path.parent / checkpoints.OPTIONS).read_text("utf-8"))
    assert options["job"] == "simple_x2"
    assert options["seed"] == TINY["seed"]
    assert f"wrote {path} and its card" in shown


def test_card_says_what_was_measured(unbroken, pictures):
    path, _ = unbroken
    card = path.with_suffix(".md").read_text("utf-8")
    for part in (
        "| command | `the command` |",
        f"| steps | {STEPS} |",
        "| seed | 7 |",
        "0.png, 1.png",
    ):
        assert part in card
    assert machine.machine() in card
    model = keras.models.load_model(path)
    assert f"{model.count_params():,} parameters" in card
    reference = image_files.read_image(pictures / "2.png")
    low = np.asarray(Image.fromarray(reference).resize((70, 60), Image.Resampling.BICUBIC))
    bicubic = np.asarray(Image.fromarray(low).resize((140, 120), Image.Resampling.BICUBIC))
    drawn = np.asarray(model(low[None] / np.float32(255)))[0]
    drawn = np.rint(drawn * 255).astype(np.uint8)
    theirs, ours = (
        full_reference.psnr(picture / 255, reference / 255, luma=True, border=4)
        for picture in (bicubic, drawn)
    )
    assert f"| 2.png | {theirs:.2f} | {ours:.2f} | {ours - theirs:+.2f} |" in card


def test_saved_generator_needs_nothing_of_this_package(unbroken, tmp_path):
    """In a process that cannot import keras_gen, from another directory, to the last bit."""
    path, _ = unbroken
    given = np.random.default_rng(0).random((2, 12, 9, 3), np.float32)
    np.save(tmp_path / "given.npy", given)
    code = """
import sys
sys.modules["keras_gen"] = None  # importing it is an error from here on
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
assert getattr(model, "optimizer", None) is None
np.save("drawn.npy", model(np.load("given.npy"), training=False))
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    drawn = np.load(tmp_path / "drawn.npy")
    expected = keras.models.load_model(path)(given, training=False)
    assert drawn.shape == (2, 24, 18, 3)
    np.testing.assert_array_equal(drawn, expected)


def test_write_whole_is_all_or_nothing(tmp_path):
    file = tmp_path / "deep" / "a.weights.h5"
    files.atomic_write(file, lambda path: Path(path).write_text("first"))
    names = []

    def fail(path):
        names.append(Path(path).name)
        Path(path).write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        files.atomic_write(file, fail)
    assert file.read_text() == "first"
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert names[0].endswith(".weights.h5"), "Keras chooses the format by the ending"


# The loop itself, on the smallest model ----------------------------------------------------------


@pytest.fixture
def model():
    inputs = keras.Input((2, 2, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(3, 1)(inputs))
    loop.compile_for_images(model, steps=6)
    return model


def constant(first, last, value=0.5):
    images = np.full((last - first, 2, 2, 3), value, np.float32)
    return tf.data.Dataset.from_tensor_slices((images, images)).batch(1)


def test_loss_that_is_no_number_ends_the_training(model, tmp_path):
    def batches(first, last):
        return constant(first, last, np.nan if first >= 2 else 0.5)

    with pytest.raises(FloatingPointError) as caught:
        loop.train(model, batches, directory=tmp_path, steps=6, every=2, console=console())
    message = str(caught.value)
    assert "ran away at step 3 (loss nan), and the state after step 2 is kept" in message
    assert "lower learning rate" in message
    with h5py.File(checkpoint(tmp_path)) as file:
        arrays = []
        file.visititems(
            lambda _, item: arrays.append(item[()]) if isinstance(item, h5py.Dataset) else None
        )
    assert arrays
    assert all(np.isfinite(array).all() for array in arrays)


def test_weights_that_run_away_are_not_kept(model, tmp_path):
    """The loss of the last step is still a number, but its update has spoilt the weights."""

    class Spoil(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            variable.assign(variable * np.inf)

    model.compile(Spoil(), loss="mean_absolute_error")
    with pytest.raises(FloatingPointError, match="no state is kept yet"):
        loop.train(model, constant, directory=tmp_path, steps=1, console=console())
    assert not checkpoint(tmp_path).exists()


def test_resume_where_nothing_is_starts(model, tmp_path):
    outcome = loop.train(
        model,
        constant,
        directory=tmp_path / "new",
        steps=6,
        every=4,
        resume=True,
        console=console(),
    )
    assert [row["step"] for row in outcome.history] == [4, 6]


def test_resume_adds_to_the_history(model, tmp_path):
    def stop(first, last):
        if first == 4:
            raise KeyboardInterrupt
        return constant(first, last)

    shown = console()
    with pytest.raises(KeyboardInterrupt):
        loop.train(model, stop, directory=tmp_path, steps=6, every=2, console=shown)
    assert "stopped; the state after step 4 is kept, go on with --resume" in text_of(shown)
    other = keras.Model(model.input, model.output)
    loop.compile_for_images(other, steps=6)
    other.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    firsts = []

    def batches(first, last):
        firsts.append(first)
        return constant(first, last)

    outcome = loop.train(
        other, batches, directory=tmp_path, steps=6, every=1, resume=True, console=console()
    )
    assert firsts == [4, 5], "only what was missing is done"
    assert [row["step"] for row in outcome.history] == [2, 4, 5, 6]
    assert outcome.history[-1]["minutes"] > outcome.history[1]["minutes"] > 0


def test_rate_rises_and_falls(model):
    loop.compile_for_images(model, steps=1000, learning_rate=0.01)
    rate = [float(model.optimizer._learning_rate(step)) for step in range(1001)]
    assert rate[0] == 0
    assert np.argmax(rate) == 50
    assert rate[50] == pytest.approx(0.01)
    assert rate[1000] == pytest.approx(0, abs=1e-9)
    assert (np.diff(rate[:50]) > 0).all()
    assert (np.diff(rate[50:]) < 0).all()


@pytest.mark.parametrize("loss", loop.LOSSES)
def test_every_loss_trains(model, tmp_path, loss):
    loop.compile_for_images(model, steps=2, loss=loss)
    outcome = loop.train(model, constant, directory=tmp_path, steps=2, console=console())
    assert outcome.history[-1]["loss"] > 0


def test_psnr_of_a_known_error():
    reference = np.zeros((2, 4, 4, 3), np.float32)
    image = np.stack([np.full((4, 4, 3), 0.1), np.full((4, 4, 3), 0.01)]).astype(np.float32)
    np.testing.assert_allclose(loop.psnr(reference, image), [20, 40], rtol=1e-5)
    assert np.isfinite(loop.psnr(reference, reference)).all()


def test_progress_is_shown_before_the_first_step_and_now_and_then(model, tmp_path, monkeypatch):
    shown = console()
    asked = []

    def batches(first, last):
        asked.append(text_of(shown))
        return constant(first, last)

    loop.train(model, batches, directory=tmp_path / "a", steps=6, every=3, console=shown)
    assert asked[0] == "preparing the first step\n"
    lines = text_of(shown).splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == [
        *("step 1 of 6", "step 3 of 6", "step 6 of 6")
    ]
    assert "loss 0." in lines[1]
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    monkeypatch.setattr(progress.NowAndThen.__init__, "__defaults__", (0.0,))
    shown = console()
    loop.compile_for_images(model, steps=6)
    loop.train(model, constant, directory=tmp_path / "b", steps=6, every=3, console=shown)
    assert "step 5 of 6: loss 0." in text_of(shown)


def test_in_a_terminal_a_bar_is_shown(model, tmp_path):
    shown = Console(file=io.StringIO(), force_terminal=True, width=120, highlight=False)
    loop.train(model, constant, directory=tmp_path, steps=6, every=3, console=shown)
    assert "preparing the first step" in text_of(shown)
    assert "6/6" in text_of(shown)
    assert "step 3 of 6: loss " in text_of(shown), "what a round measured stays above the bar"


# Directories and options -------------------------------------------------------------------------


def test_directories_that_cannot_be_used(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for place in (file, file / "deeper"):
        with pytest.raises(ValueError, match="file is not a directory; choose another place"):
            files.check_writable(place)
    files.check_writable(tmp_path / "new" / "newer")
    assert not (tmp_path / "new").exists(), "asking makes nothing"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_directory_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="must not be written to"):
        files.check_writable(tmp_path / "new")
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": 1}, "--scale 1 is out of range; give a whole number from 2 to 16"),
        ({"scale": 0}, "--scale 0 is out of range"),
        ({"scale": -3}, "--scale -3 is out of range"),
        ({"scale": 10**6}, "--scale 1000000 is out of range"),
        ({"scale": 2, "size": 64}, "--scale and --size were both given"),
        ({"scale": 2, "source": 64}, "--scale and --from were both given"),
        ({"size": 32, "source": 64}, "from 64 to 32 enlarges nothing"),
        ({"size": 64, "source": 64}, "from 64 to 64 enlarges nothing"),
        ({"size": (300, 500), "source": 64}, "from 64 to 300×500 stretches the picture"),
        ({"size": 0}, "size=0 is too small"),
        ({"size": 16, "source": 8}, "training images of 16 are too small to be judged"),
        ({"size": 400, "source": 64, "crop": 10}, "a crop of 10, enlarged by 25/4, is no whole"),
        ({"scale": 2, "crop": 8}, "training images of 16 are too small to be judged"),
        ({"scale": 2, "loss": "magic"}, "loss 'magic' is unknown; choose one of 'mean_squared"),
        ({"scale": 2, "learning_rate": 0}, "learning_rate=0 is not a number above 0"),
        ({"scale": 2, "learning_rate": np.nan}, "learning_rate=nan is not"),
        ({"scale": 2, "upsampling": "magic"}, "upsampling method 'magic' is unknown"),
        ({"scale": 2, "activation": "magic"}, "activation 'magic' is unknown"),
    ],
)
def test_options_that_make_no_sense(tmp_path, pictures, settings, message):
    with pytest.raises(ValueError) as caught:
        simple.train_simple(
            directory=tmp_path / "run", data=str(pictures), console=console(), **settings
        )
    assert message in str(caught.value)
    assert not (tmp_path / "run").exists(), "nothing is written before all is clear"


def test_pictures_smaller_than_the_crop(tmp_path, pictures):
    with pytest.raises(ValueError, match="none of the 3 images is as large as the crop of 384×384"):
        simple.train_simple(
            directory=tmp_path / "run", data=str(pictures), scale=16, console=console()
        )
    assert not (tmp_path / "run").exists()


# Judging -----------------------------------------------------------------------------------------


def test_single_picture_is_trained_on_and_nothing_is_held_out(pictures, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "0.png").write_bytes((pictures / "0.png").read_bytes())
    path, shown = train(tmp_path / "run", folder, steps=2)
    assert "pictures to train on: 1, held out: 0" in shown
    assert path.exists()
    assert not (path.parent / loop.PREVIEW).exists()
    assert "bicubic PSNR" not in path.with_suffix(".md").read_text("utf-8")


def test_fixed_size_is_judged_on_what_its_layers_allow(pictures, tmp_path):
    """16 → 40 is no whole factor, so that the held-out picture is cut to multiples of 5 and 2."""
    path, _ = train(tmp_path / "run", pictures, scale=None, source=16, size=40, steps=2)
    assert path.name.startswith("simple_16to40_")
    assert keras.models.load_model(path).output_shape == (None, 40, 40, 3)
    model = keras.models.load_model(path)
    images = folders.folder(pictures)
    (row, *_) = upscaling_evaluation.compare_with_bicubic(model, images, Fraction(5, 2))
    assert row["low"].shape == (48, 56, 3)
    assert row["reference"].shape == row["generated"].shape == row["bicubic"].shape == (120, 140, 3)
    np.testing.assert_array_equal(row["reference"], images[0])


def test_trained_on_crops_it_is_saved_for_the_whole(pictures, tmp_path):
    path, _ = train(tmp_path / "run", pictures, scale=None, source=32, size=80, crop=16, steps=2)
    assert path.name.startswith("simple_32to80_")
    assert keras.models.load_model(path).output_shape == (None, 80, 80, 3)
    assert json.loads((path.parent / checkpoints.OPTIONS).read_text("utf-8"))["crop"] == "16"


def test_crop_that_the_layers_do_not_allow_is_refused_at_once(pictures, tmp_path):
    """From 30 to 77 a valid convolution adds one pixel, to 60 as to 30: that is no ×2.57."""
    with pytest.raises(ValueError, match=r"--crop 60 does not fit the layers that lead through 30"):
        train(tmp_path / "run", pictures, scale=None, source=30, size=77, crop=60)
    assert not (tmp_path / "run").exists()


def test_layers_that_do_not_scale_are_judged_on_the_middle():
    """A valid convolution takes two pixels off whatever the size: 20 → 18 → 36, not ×1.8."""
    inputs = keras.Input((20, 20, 3))
    x = keras.layers.Conv2D(3, 3, padding="valid")(inputs)
    model = keras.Model(inputs, keras.layers.UpSampling2D(2)(x))
    images = Images()
    for name, size in (("large", (60, 80)), ("small", (27, 80))):
        images.append(name, np.full((*size, 3), 90, np.uint8), 1.0)
    rows = upscaling_evaluation.compare_with_bicubic(model, images, Fraction(9, 5))
    assert [row["name"] for row in rows] == ["large"]
    assert rows[0]["reference"].shape == rows[0]["generated"].shape == (36, 36, 3)


def test_few_and_small_parts_of_a_large_folder_are_judged():
    images = Images()
    for index in range(40):
        images.append(str(index), np.full((700, 900, 3), index, np.uint8), 1.0)
    few = sources._evaluation_crops(images)
    assert 8 <= len(few) <= sources.EVALUATION_PICTURES
    assert {picture.shape for _, picture in few} == {(600, 600, 3)}
    assert len(sources._evaluation_crops(Images())) == 0
