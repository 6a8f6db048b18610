"""Every command does its job, and everything a user can get wrong is one clear line."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import keras_gen as kg
from keras_gen._util import progress
from keras_gen.cli import checking, main
from keras_gen.training import checkpoints, loop

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "my [red]pictures :smile:"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(3):
        picture = rng.integers(0, 256, (60, 70, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A directory of weights with small generators, those of the tour named like the course's."""
    place = tmp_path_factory.mktemp("weights")
    settings = {"filters": 8, "blocks": 0, "seed": 0}
    upscaler = kg.simple_generator((None, None, 3), scale=2, **settings)
    upscaler.save(place / "simple_x2_tiny.keras")
    course = kg.simple_generator((64, 64, 3), 400, **settings)
    course.save(place / "simple_64to400_photos.keras")
    settings = {"filters": 1, "depth": 2, "seed": 0}
    kg.unet_generator((64, 64, 3), 400, **settings).save(place / "unet_64to400_photos.keras")
    for name in ("unet_labels_aerial", "pix2pix_aerial"):
        kg.unet_generator((400, 400, 7), **settings).save(place / f"{name}.keras")
    kg.gan_generator(12, 400, filters=(4, 4, 4, 4, 4), seed=0).save(place / "gan_hubble.keras")
    return place


@pytest.fixture
def weights(stored, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(stored))


# Help --------------------------------------------------------------------------------------------

COMMANDS = [["check"], ["tour"], ["sizes"], ["inspect"], ["compare"], ["generate"], ["train"]]
COMMANDS += [[], ["train", "simple"], ["train", "unet"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_explains_every_option(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    code, lines, errors = run(*command, "--help")
    assert (code, errors) == (0, "")
    text = "\n".join(lines)
    assert "Usage: " in text
    described = [line for line in lines if re.match(r"│ [ *]{0,4}--\w", line)]
    assert described
    for line in described:
        words = re.sub(r"--[\w-]+|<\w+>|\[.*?\]|[A-Z]{2,}|\bN\b", "", line).strip("│ *")
        assert len(words) > 8, f"no explanation: {line}"


@pytest.mark.parametrize("command", [[], ["train"]])
def test_without_a_command_help_is_shown(run, command):
    code, lines, errors = run(*command)
    assert (code, errors) == (2, "")
    assert any("Usage: " in line for line in lines)


def test_help_lists_all_commands(run):
    text = "\n".join(run("--help")[1])
    for command in ("check", "tour", "sizes", "inspect", "generate", "train"):
        assert re.search(rf"│ {command} +[A-Z]", text)


# sizes -------------------------------------------------------------------------------------------


def test_sizes_prints_the_routes(run):
    code, lines, errors = run("sizes", "400", "--from", "100")
    assert (code, errors) == (0, "")
    assert any(re.match(r" *1 +100 → 200 → 400 ", line) for line in lines)
    reasons = [line for line in lines if re.match(r"\d+\. \w", line)]
    assert len(reasons) > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["abc"], "cannot read the size 'abc'; write 400, or height and width like 300x500"),
        (["0"], "has no pixels"),
        (["400", "--from", "64x"], "cannot read the size '64x'"),
        (["4e2"], "cannot read the size '4e2'"),
        (["400x300x200"], "cannot read the size"),
        (["999999999"], "a side of 999999999 pixels is too large; give at most 65536"),
        (["400", "--max-stages", "0"], "Invalid value for '--max-stages'"),
        (["400", "--count", "many"], "Invalid value for '--count'"),
        (["--magic"], "No such option: --magic"),
        (["400", "300"], "unexpected extra argument"),
        (["401", "--from", "64", "--max-stages", "1"], "no route leads from 64 to 401"),
    ],
)
def test_sizes_that_make_no_sense(fails, arguments, message):
    assert message in fails("sizes", *arguments)


def test_unknown_commands(fails):
    assert "No such command 'frobnicate'" in fails("frobnicate")
    assert "No such command 'frobnicate'" in fails("train", "frobnicate")


# inspect -----------------------------------------------------------------------------------------


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


# generate ----------------------------------------------------------------------------------------


def test_generate_a_folder(run, weights, pictures, tmp_path):
    (pictures / "bad.png").write_text("no picture")
    out = tmp_path / "out"
    code, lines, errors = run("generate", "simple_x2_tiny", "--input", pictures, "--out", out)
    assert (code, errors) == (0, "")
    names = [f"{index}_simple_x2_tiny.png" for index in range(3)]
    assert sorted(path.name for path in out.iterdir()) == names
    with Image.open(out / names[0]) as result:
        assert result.size == (140, 120)
    assert f"skipped {pictures / 'bad.png'}: it is empty, damaged, or no image" in lines
    assert lines[-1] == f"wrote 3 pictures to {out}"
    assert lines[0] == "importing Keras"


def test_generate_one_picture_with_a_file_of_weights(run, stored, pictures, tmp_path):
    picture, path = pictures / "0.png", stored / "simple_64to400_photos.keras"
    code, lines, errors = run("generate", path, "--input", picture, "--out", tmp_path / "out")
    assert (code, errors) == (0, "")
    result = tmp_path / "out" / "0_simple_64to400_photos.png"
    assert lines[-1] == f"wrote {result}"
    with Image.open(result) as image:
        assert image.size == (400, 400)


def test_generate_does_not_upscale_its_own_results(run, weights, pictures):
    out = pictures / "large"
    for _ in range(2):
        code, _, _ = run("generate", "simple_x2_tiny", "--input", pictures, "--out", out)
        assert code == 0
        assert len(list(out.iterdir())) == 3


def test_generate_mistakes(fails, weights, pictures, tmp_path):
    def message(generator="simple_x2_tiny", given=pictures, out=tmp_path / "out"):
        return fails("generate", generator, "--input", given, "--out", out)

    text = message(generator="simple_x3")
    assert (
        "there are no weights 'simple_x3'; give the path of a .keras file, or one of: gan_hubble, "
        in text
    )
    (tmp_path / "fake.keras").write_text("no archive")
    assert "fake.keras is not a .keras file" in message(generator=tmp_path / "fake.keras")
    inputs = keras.Input((4,))
    keras.Model(inputs, keras.layers.Dense(3)(inputs)).save(tmp_path / "dense.keras")
    assert "maps (None, 4) to (None, 3)" in message(generator=tmp_path / "dense.keras")
    assert "missing does not exist" in message(given=tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "holds no image file" in message(given=tmp_path / "empty")
    (tmp_path / "text.png").write_text("no picture")
    assert "none of the 1 pictures" in message(given=tmp_path / "text.png")
    assert "is not a directory" in message(out=tmp_path / "text.png")
    assert "is not a directory" in message(out=tmp_path / "text.png" / "deeper")
    assert "results would mix with them" in message(out=pictures)
    assert not (tmp_path / "out").exists(), "nothing is written where nothing could be done"
    assert "say which with --input" in fails("generate", "simple_x2_tiny", "--out", "x")
    assert "missing argument 'weights'" in fails("generate").lower()


@pytest.fixture
def unspeakable(pictures):
    """A picture and a broken one whose names are not Unicode."""
    good = (pictures / "0.png").read_bytes()
    for name, content in ((b"good \xff.png", good), (b"bad \xff.png", b"no picture")):
        try:
            Path(os.fsdecode(os.fsencode(pictures) + b"/" + name)).write_bytes(content)
        except OSError:
            pytest.skip("this file system wants Unicode names")
    return pictures


def test_names_that_no_terminal_can_show(run, weights, unspeakable, tmp_path):
    out = tmp_path / "out"
    code, lines, errors = run("generate", "simple_x2_tiny", "--input", unspeakable, "--out", out)
    assert (code, errors) == (0, "")
    assert len(list(out.iterdir())) == 4
    assert f"skipped {unspeakable}/bad ?.png: it is empty, damaged, or no image" in lines
    code, lines, errors = run(*tiny(unspeakable, tmp_path / "run"))
    assert (code, errors) == (0, "")
    assert "skipped bad ?.png: it is empty, damaged, or no image" in lines


def test_signs_that_this_terminal_cannot_show():
    finished = subprocess.run(
        [sys.executable, "-m", "keras_gen", "sizes", "400", "--from", "100"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "100 ? 200 ? 400" in finished.stdout


# train -------------------------------------------------------------------------------------------


def tiny(pictures, out, *options):
    arguments = ["--scale=2", "--filters=8", "--blocks=0", "--batch-size=2", "--steps=2"]
    return ["train", "simple", "--data", pictures, "--out", out, *arguments, *options]


def test_train_from_the_command_line(run, pictures, tmp_path):
    out = tmp_path / "run"
    code, lines, errors = run(*tiny(pictures, out, "--resume"))
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
    assert "holds no image file" in fails(*tiny(tmp_path / "empty", out))
    assert "missing does not exist" in fails(*tiny(tmp_path / "missing", out))
    assert "is a file; give the folder" in fails(*tiny(pictures / "0.png", out))
    small = fails(*tiny(pictures, out, "--scale=16"))
    assert "none of the 3 images is as large as the crop of 384×384 (the largest is 60×70)" in small
    for file in pictures.iterdir():
        file.write_text("no picture")
    assert "none of the 3 files" in fails(*tiny(pictures, out))
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
    assert message in fails(*tiny(pictures, tmp_path / "run", *options))
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
    assert "is not a directory" in fails(*tiny(pictures, tmp_path / "file"))
    assert "is not a directory" in fails(*tiny(pictures, tmp_path / "file" / "deeper"))
    assert "Missing option '--out'" in fails("train", "simple")
    out = tmp_path / "run"
    assert run(*tiny(pictures, out))[0] == 0
    assert "already holds a training; add --resume" in fails(*tiny(pictures, out))
    message = fails(*tiny(pictures, out, "--resume", "--steps=3"))
    assert "was started with steps=2, not 3; resume it with the same options" in message
    (out / checkpoints.CHECKPOINT).write_bytes(b"garbage")
    assert "is damaged" in fails(*tiny(pictures, out, "--resume"))


def test_a_disk_that_is_full_is_one_line(fails, pictures, tmp_path, monkeypatch):
    def full(path, *_, **__):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(keras.Model, "save_weights", lambda model, path: full(path))
    message = fails(*tiny(pictures, tmp_path / "run"))
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
        assert "there is not enough memory" in fails(*tiny(pictures, tmp_path / "run"))


def test_our_own_faults_keep_their_traceback(run, pictures, tmp_path, monkeypatch):
    """Only what a user can get wrong is shortened to a line."""

    def broken(*_, **__):
        raise ZeroDivisionError("a fault in the program")

    monkeypatch.setattr(loop, "train", broken)
    monkeypatch.setattr(sys, "argv", ["keras-gen", *map(str, tiny(pictures, tmp_path / "run"))])
    with pytest.raises(ZeroDivisionError):
        main.main()


def test_interrupted_is_130(run, pictures, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "train", interrupted)
    code, _, errors = run(*tiny(pictures, tmp_path / "run"))
    assert (code, errors) == (130, "")


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


# check and tour ----------------------------------------------------------------------------------


def test_check_says_ready(run, weights):
    code, lines, errors = run("check")
    text = "\n".join(lines)
    for question in ("Python", "memory", "free disk here", "JupyterLab", "libraries", "oneDNN"):
        assert re.search(rf"^ *ok +{question} ", text, re.M), text
    assert re.search(r"ok +simple_64to400_photos generates +400×400 in \d+\.\d\d s", text)
    assert (code, errors) == (0, "")
    assert lines[-1] == "ready: jupyter lab notebooks/00_start_here.ipynb"


def test_check_says_what_is_missing_and_what_to_do(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setattr(checking, "LEAST_MEMORY", 2**60)
    monkeypatch.setattr(checking, "LEAST_DISK", 2**60)
    monkeypatch.setattr(checking.importlib.util, "find_spec", lambda name: None)
    code, lines, errors = run("check")
    text = "\n".join(lines)
    assert code == 2
    missing = "memory, free disk here, JupyterLab, oneDNN, trained weights"
    assert errors == f"error: not ready yet: {missing}\n"
    for advice in ("close other programs", "free a gigabyte", "pip install", "unset", "run from"):
        assert f"→ {advice}" in text
    assert re.search(rf"no +trained weights +none in {re.escape(str(tmp_path))}", text)
    assert "ready:" not in text


def test_check_names_damaged_weights(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(tmp_path))
    (tmp_path / "a.keras").write_text("no archive")
    code, lines, errors = run("check")
    assert (code, errors) == (2, "error: not ready yet: a generates\n")
    assert re.search(r"no +a generates .*a\.keras is not a \.keras file", "\n".join(lines))


def test_check_gets_over_libraries_that_do_not_import(run, monkeypatch):
    for name in ("keras", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)
    code, lines, errors = run("check")
    assert (code, errors) == (2, "error: not ready yet: libraries\n")
    assert re.search(r"no +libraries +import of keras halted.*→ pip install", "\n".join(lines))


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


# Pipes and terminals -----------------------------------------------------------------------------


def piped(command):
    return subprocess.run(
        ["sh", "-c", command.replace("keras-gen", f'"{sys.executable}" -m keras_gen')],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_pipe_that_is_closed_early():
    finished = piped("keras-gen sizes 400 | true; keras-gen sizes 400 --from 100 | head -n 1")
    assert finished.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_errors_go_to_stderr_on_one_line_however_long():
    finished = piped(f"keras-gen sizes 400 --from {'z' * 300}; echo code $?")
    assert finished.stdout == "code 2\n"
    assert finished.stderr.count("\n") == 1
    assert "z" * 300 in finished.stderr


def test_rows_are_not_broken_in_a_pipe(run):
    _, lines, _ = run("sizes", "300x500", "--from", "75x125", "--count", "20")
    assert max(map(len, lines)) > 100, "the terminal's 80 columns do not count in a pipe"


def terminal():
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        width=60,
        markup=False,
        emoji=False,
        highlight=False,
    )


def test_progress_in_a_terminal_moves():
    console = terminal()
    with progress.activity(console, "first [bold]x[/bold]") as update:
        update("then :smile:")
    text = console.file.getvalue()
    assert "first [bold]x[/bold]" in text or "then :smile:" in text
    assert list(progress.tracked(console, [1, 2, 3], "reading [a]")) == [1, 2, 3]
    assert "reading [a]" in console.file.getvalue()


def test_progress_in_a_pipe_is_a_line_now_and_then(monkeypatch):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    console = Console(file=io.StringIO(), width=200)
    assert list(progress.tracked(console, "abcdefgh", "reading")) == list("abcdefgh")
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "reading: 0 of 8"
    assert 1 < len(lines) < 8


def test_many_skipped_files_are_summed_up():
    console = Console(file=io.StringIO(), width=200)
    progress.print_skipped(console, [(f"{n}.png", "it is\nempty") for n in range(25)])
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "skipped 0.png: it is empty"
    assert lines[-1] == "skipped 5 more"
    assert len(lines) == 21
