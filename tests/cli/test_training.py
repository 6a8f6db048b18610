"""`train` does what its options say; a mistake is one clear line before anything is written."""

import gc
import re
import sys

import keras
import pytest

from keras_gen._util import progress
from keras_gen.cli import main
from keras_gen.training import checkpoints, loop
from tests.cli.commands import tiny_training


def test_train_from_the_command_line(run, pictures, tmp_path):
    out = tmp_path / "run"
    code, lines, errors = run(*tiny_training(pictures, out, "--resume"))
    assert (code, errors) == (0, "")
    assert lines[0] == "importing Keras"
    assert "reading pictures: 0 of 3" in lines
    path = out / f"simple_x2_{pictures.name}.keras"
    assert lines[-1] == f"wrote {path} and its card"
    card = path.with_name(f"simple_x2_{pictures.name}.md").read_text("utf-8")
    command = re.search(r"\| command \| `(.*)` \|", card)[1]
    assert command.startswith("python -m keras_gen train simple --data ")
    assert "--resume" not in command, "the card says how to get the same from the beginning"
    assert keras.models.load_model(path).output_shape == (None, None, None, 3)


def test_train_mistakes_with_data(fails, pictures, tmp_path):
    out = tmp_path / "run"
    (tmp_path / "empty").mkdir()
    assert "holds no image file" in fails(*tiny_training(tmp_path / "empty", out))
    assert "missing does not exist" in fails(*tiny_training(tmp_path / "missing", out))
    assert "is a file; give the folder" in fails(*tiny_training(pictures / "0.png", out))
    small = fails(*tiny_training(pictures, out, "--scale=16"))
    assert "none of the 3 images is as large as the crop of 384×384 (the largest is 60×70)" in small
    for file in pictures.iterdir():
        file.write_text("no picture")
    assert "none of the 3 files" in fails(*tiny_training(pictures, out))
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale=1"], "--scale 1 is out of range; give a whole number from 2 to 16"),
        (["--scale=0"], "--scale 0 is out of range"),
        (["--scale=-2"], "--scale -2 is out of range"),
        (["--scale=100000"], "--scale 100000 is out of range"),
        (["--scale=2.5"], "Invalid value for '--scale'"),
        (["--size=300"], "--scale and --size were both given"),
        (["--from=32"], "--scale and --from were both given"),
        (["--size=huge"], "cannot read the size 'huge'"),
        (["--learning-rate=-1"], "is not a number above 0"),
        (["--learning-rate=nan"], "is not a number above 0"),
        (["--steps=0"], "Invalid value for '--steps'"),
        (["--batch-size=-1"], "Invalid value for '--batch-size'"),
        (["--filters=1000000"], "Invalid value for '--filters'"),
        (["--seed=-1"], "Invalid value for '--seed'"),
        (["--upsampling=magic"], "upsampling method 'magic' is unknown; choose one of"),
        (["--activation=magic"], "activation 'magic' is unknown; choose one of"),
        (["--loss=magic"], "loss 'magic' is unknown; choose one of"),
    ],
)
def test_train_mistakes_with_options(fails, pictures, tmp_path, options, message):
    assert message in fails(*tiny_training(pictures, tmp_path / "run", *options))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from=64", "--size=32"], "from 64 to 32 upscales nothing"),
        (["--from=64", "--size=300x500"], "from 64 to 300×500 stretches the picture"),
        (["--size=-400"], "cannot read the size '-400'"),
        (["--size=10000"], "as large as the crop of 10000×10000"),
        (["--size=99999"], "a side of 99999 pixels is too large; give at most 65536"),
    ],
)
def test_train_mistakes_with_sizes(fails, pictures, tmp_path, options, message):
    found = fails("train", "simple", "--data", pictures, "--out", tmp_path / "run", *options)
    assert message in found


def test_train_mistakes_with_the_directory(fails, run, pictures, tmp_path):
    (tmp_path / "file").write_text("")
    assert "is not a directory" in fails(*tiny_training(pictures, tmp_path / "file"))
    assert "is not a directory" in fails(*tiny_training(pictures, tmp_path / "file" / "deeper"))
    assert "Missing option '--out'" in fails("train", "simple")
    out = tmp_path / "run"
    assert run(*tiny_training(pictures, out))[0] == 0
    assert "already holds a training; add --resume" in fails(*tiny_training(pictures, out))
    message = fails(*tiny_training(pictures, out, "--resume", "--steps=3"))
    assert "was started with steps=2, not 3; resume it with the same options" in message
    (out / checkpoints.CHECKPOINT).write_bytes(b"garbage")
    assert "is damaged" in fails(*tiny_training(pictures, out, "--resume"))


def test_a_disk_that_is_full_is_one_line(fails, pictures, tmp_path, monkeypatch):
    def full(path, *_, **__):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(keras.Model, "save_weights", lambda model, path: full(path))
    message = fails(*tiny_training(pictures, tmp_path / "run"))
    assert message.endswith("checkpoint.unfinished.weights.h5: No space left on device")


def test_too_little_memory_is_one_line(fails, pictures, tmp_path, monkeypatch):
    import tensorflow as tf

    for error in (
        MemoryError(),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nwith shape"),
    ):

        def train(*_, error=error, **__):
            raise error

        monkeypatch.setattr(loop, "train", train)
        assert "there is not enough memory" in fails(*tiny_training(pictures, tmp_path / "run"))


def test_our_own_faults_keep_their_traceback(run, pictures, tmp_path, monkeypatch):
    """Only what a user can get wrong is shortened to a line."""

    def broken(*_, **__):
        raise ZeroDivisionError("a fault in the program")

    monkeypatch.setattr(loop, "train", broken)
    monkeypatch.setattr(
        sys, "argv", ["keras-gen", *map(str, tiny_training(pictures, tmp_path / "run"))]
    )
    with pytest.raises(ZeroDivisionError):
        main.main()


def test_interrupted_is_130(run, pictures, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "train", interrupted)
    code, _, errors = run(*tiny_training(pictures, tmp_path / "run"))
    assert (code, errors) == (130, "")


def test_a_stopped_training_ends_the_threads_that_make_its_batches(
    run, pictures, tmp_path, monkeypatch
):
    """One that still runs Python code while Python ends can crash the process."""

    def iterators():
        return [thing for thing in gc.get_objects() if type(thing).__name__ == "OwnedIterator"]

    def interrupted(*_, **__):
        seen.append(len(iterators()))
        raise KeyboardInterrupt

    seen = []
    monkeypatch.setattr(progress.StepDisplay, "show", interrupted)
    gc.collect()
    before = len(iterators())
    assert run(*tiny_training(pictures, tmp_path / "run"))[0] == 130
    assert seen == [before + 1]
    assert len(iterators()) == before


def test_train_unet_mistakes(fails, tmp_path):
    unet = ("train", "unet", "--out", tmp_path / "run", "--task")
    assert "task 'colour' is unknown; choose one of 'labels'" in fails(*unet, "colour")
    assert "a 5-level U-Net halves 400 to 12.5; use 4 levels, or 384 or 416" in fails(
        *unet, "labels", "--depth", 5
    )
    assert "Invalid value for '--depth'" in fails(*unet, "labels", "--depth", 0)
    assert "only aerial scenes have label maps" in fails(*unet, "labels", "--data", "photos")
    assert not (tmp_path / "run").exists()


def test_train_unet_from_the_command_line(run, pictures, tmp_path):
    out = tmp_path / "run"
    command = ["train", "unet", "--task", "inpaint", "--data", pictures, "--size", 48, "--crop", 16]
    command += ["--depth", 1, "--filters", 2, "--steps", 2, "--batch-size", 2, "--out", out]
    assert run(*command)[0] == 0
    card = (out / f"unet_inpaint_{pictures.name}.md").read_text("utf-8")
    assert "python -m keras_gen train unet --task inpaint" in card
    model = keras.models.load_model(out / f"unet_inpaint_{pictures.name}.keras")
    assert model.output_shape == (None, 48, 48, 3)
