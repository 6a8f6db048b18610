"""The training of the simple generator: what it leaves, and which options it refuses."""

import csv
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gen._util import machine
from keras_gen.data import image_files
from keras_gen.metrics import full_reference
from keras_gen.training import checkpoints, loop, simple
from tests.training.tiny_simple import STEPS, TINY, new_console, train


def test_files_that_are_left(finished):
    path, shown = finished
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


def test_card_says_what_was_measured(finished, pictures):
    path, _ = finished
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
    generated = np.asarray(model(low[None] / np.float32(255)))[0]
    generated = np.rint(generated * 255).astype(np.uint8)
    theirs, ours = ((picture[4:-4, 4:-4] / 255) for picture in (bicubic, generated))
    reference = reference[4:-4, 4:-4] / 255
    cells = []
    for measure, digits, options in (
        (full_reference.psnr, 2, {"luma": True}),
        (full_reference.psnr, 2, {}),
        (full_reference.chroma_psnr, 2, {}),
        (full_reference.ssim, 4, {"luma": True}),
    ):
        before, after = (measure(picture, reference, **options) for picture in (theirs, ours))
        cells.append(f"{before:.{digits}f} → {after:.{digits}f}")
        if len(cells) == 1:
            cells.append(f"{after - before:+.2f}")
    assert f"| 2.png | {' | '.join(cells)} | " in card


def test_saved_generator_needs_nothing_of_this_package(finished, tmp_path):
    """In a process that cannot import keras_gen, from another directory, to the last bit."""
    path, _ = finished
    given = np.random.default_rng(0).random((2, 12, 9, 3), np.float32)
    np.save(tmp_path / "given.npy", given)
    code = """
import sys
sys.modules["keras_gen"] = None  # importing it is an error from here on
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
assert getattr(model, "optimizer", None) is None
np.save("generated.npy", model(np.load("given.npy"), training=False))
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    generated = np.load(tmp_path / "generated.npy")
    expected = keras.models.load_model(path)(given, training=False)
    assert generated.shape == (2, 24, 18, 3)
    np.testing.assert_array_equal(generated, expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": 1}, "--scale 1 is out of range; give a whole number from 2 to 16"),
        ({"scale": 0}, "--scale 0 is out of range"),
        ({"scale": -3}, "--scale -3 is out of range"),
        ({"scale": 10**6}, "--scale 1000000 is out of range"),
        ({"scale": 2, "size": 64}, "--scale and --size were both given"),
        ({"scale": 2, "source": 64}, "--scale and --from were both given"),
        ({"size": 32, "source": 64}, "from 64 to 32 upscales nothing"),
        ({"size": 64, "source": 64}, "from 64 to 64 upscales nothing"),
        ({"size": (300, 500), "source": 64}, "from 64 to 300×500 stretches the picture"),
        ({"size": 0}, "size=0 is too small"),
        ({"size": 16, "source": 8}, "training images of 16 are too small to be evaluated"),
        ({"size": 400, "source": 64, "crop": 10}, "a crop of 10, upscaled by 25/4, is no whole"),
        ({"scale": 2, "crop": 8}, "training images of 16 are too small to be evaluated"),
        ({"scale": 2, "loss": "magic"}, "loss 'magic' is unknown; choose one of 'mean_squared"),
        ({"scale": 2, "learning_rate": 0}, "learning rate 0 is not a number above 0"),
        ({"scale": 2, "learning_rate": np.nan}, "learning rate nan is not"),
        ({"scale": 2, "upsampling": "magic"}, "upsampling method 'magic' is unknown"),
        ({"scale": 2, "activation": "magic"}, "activation 'magic' is unknown"),
    ],
)
def test_options_that_make_no_sense(tmp_path, pictures, settings, message):
    with pytest.raises(ValueError) as caught:
        simple.train_simple(
            directory=tmp_path / "run", data=str(pictures), console=new_console(), **settings
        )
    assert message in str(caught.value)
    assert not (tmp_path / "run").exists(), "nothing is written before all is clear"


def test_pictures_smaller_than_the_crop(tmp_path, pictures):
    with pytest.raises(ValueError, match="none of the 3 images is as large as the crop of 384×384"):
        simple.train_simple(
            directory=tmp_path / "run", data=str(pictures), scale=16, console=new_console()
        )
    assert not (tmp_path / "run").exists()


def test_single_picture_is_trained_on_and_nothing_is_held_out(pictures, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "0.png").write_bytes((pictures / "0.png").read_bytes())
    path, shown = train(tmp_path / "run", folder, steps=2)
    assert "pictures to train on: 1, held out: 0" in shown
    assert path.exists()
    assert not (path.parent / loop.PREVIEW).exists()
    assert "PSNR" not in path.with_suffix(".md").read_text("utf-8")


def test_trained_on_crops_it_is_saved_for_the_whole(pictures, tmp_path):
    path, _ = train(tmp_path / "run", pictures, scale=None, source=32, size=80, crop=16, steps=2)
    assert path.name.startswith("simple_32to80_")
    assert keras.models.load_model(path).output_shape == (None, 80, 80, 3)
    assert json.loads((path.parent / checkpoints.OPTIONS).read_text("utf-8"))["crop"] == "16"


def test_crop_that_the_layers_do_not_allow_is_refused_at_once(pictures, tmp_path):
    """From 30 to 77 a valid convolution adds one pixel, to 60 as to 30: that is no ×2.57."""
    with pytest.raises(ValueError, match=r"--crop 60 does not fit the layers of the route 30"):
        train(tmp_path / "run", pictures, scale=None, source=30, size=77, crop=60)
    assert not (tmp_path / "run").exists()
