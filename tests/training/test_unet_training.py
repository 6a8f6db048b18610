"""The trainings of the U-Net: the generator and its card, resuming, and refused options."""

import io
import json
from fractions import Fraction

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import keras_gen as kg
from keras_gen.data.aerial import readback, rendering
from keras_gen.metrics import full_reference
from keras_gen.training import checkpoints, datasets, loop, tasks, unet, upscaling_evaluation

TINY = {
    "depth": 2,
    "filters": 2,
    "steps": 4,
    "every": 2,
    "batch_size": 2,
    "seed": 3,
    "evaluation_images": 2,
}
LABELS = {"task": "labels", "size": 48, "crop": 32}


def train(directory, **settings):
    shown = Console(file=io.StringIO(), width=200)
    path = unet.train_unet(directory=directory, console=shown, **(TINY | settings))
    return path, shown.file.getvalue()


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    return train(tmp_path_factory.mktemp("labels") / "run", **LABELS)[0]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for index in range(3):
        picture = rng.integers(0, 256, (60, 70, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{index}.png")
    return folder


def test_labels_to_aerial_scenes(labels):
    assert labels.name == "unet_labels_aerial.keras"
    model = keras.models.load_model(labels)
    assert model.input_shape == (None, 48, 48, 7) and model.output_shape == (None, 48, 48, 3)
    with Image.open(labels.parent / loop.PREVIEW) as preview:
        assert preview.width >= 3 * 48 and preview.height >= 2 * 48


def test_the_card_says_what_was_measured(labels):
    model = keras.models.load_model(labels)
    card = labels.with_suffix(".md").read_text("utf-8")
    assert f"{model.count_params():,} parameters" in card
    assert "aerial scenes of seeds 1000 to 1599" in card
    assert "means over 2 held-out scenes, of seeds 0 to 1" in card
    psnr, ssim, read, edges, real = [], [], [], [], []
    for seed in (0, 1):
        one, reference = rendering.scene(seed, 48)
        generated = np.asarray(model(rendering.one_hot(one)[None], training=False)[0])
        generated = np.rint(generated * 255).astype(np.float32) / 255
        psnr.append(full_reference.psnr(generated, reference, border=4))
        ssim.append(full_reference.ssim(generated, reference, luma=True, border=4))
        read.append(readback.class_agreement(generated, one))
        edges.append(readback.edge_agreement(generated, one))
        real.append(
            (readback.class_agreement(reference, one), readback.edge_agreement(reference, one))
        )
    really_read, real_edges = np.mean(real, axis=0)
    assert f"| RGB PSNR, dB | {np.mean(psnr):.2f} |" in card
    assert f"| SSIM | {np.mean(ssim):.4f} |" in card
    assert f"read back correctly | {np.mean(read):.1%} | {really_read:.1%} |" in card
    assert f"the label map's | {np.mean(edges):.3f} | {real_edges:.3f} |" in card


def test_stopped_and_resumed_it_reaches_the_same_weights(labels, tmp_path, monkeypatch):
    previews = []

    def stop_at_the_second(*_, **__):
        previews.append(1)
        if len(previews) == 2:
            raise KeyboardInterrupt
        return np.zeros((4, 4, 3), np.uint8)

    with monkeypatch.context() as patched:
        patched.setattr(tasks, "closeups", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "run", **LABELS)
    path, shown = train(tmp_path / "run", resume=True, **LABELS)
    assert "resuming after step 2 of 4" in shown
    broken, unbroken = (keras.models.load_model(p).get_weights() for p in (path, labels))
    assert all(np.array_equal(a, b) for a, b in zip(broken, unbroken, strict=True))


def test_resumed_with_other_options_is_an_error(labels):
    message = "was started with depth=2, not 1; resume it with the same options"
    with pytest.raises(ValueError, match=message):
        train(labels.parent, resume=True, **LABELS | {"depth": 1})
    with pytest.raises(ValueError, match="already holds a training; add --resume"):
        train(labels.parent, **LABELS)


def test_upscaling(pictures, tmp_path):
    """From 16 to 40 is no whole factor, and 40 is what two levels can halve."""
    settings = {"task": "upscale", "data": str(pictures), "source": 16, "size": 40}
    path, _ = train(tmp_path / "run", **settings)
    assert path.name == f"unet_16to40_{pictures.name}.keras"
    model = keras.models.load_model(path)
    assert model.input_shape == (None, 16, 16, 3) and model.output_shape == (None, 40, 40, 3)
    options = json.loads((path.parent / checkpoints.OPTIONS).read_text("utf-8"))
    assert options["crop"] == "8" and options["source"] == "16" and "picture_digest" in options
    card = path.with_suffix(".md").read_text("utf-8")
    (row,) = [line for line in card.splitlines() if line.startswith("| **mean**")]
    # The held-out picture is evaluated whole: 60×70 pixels hold 24×28 small ones.
    picture = np.asarray(Image.open(pictures / "2.png"))
    found = upscaling_evaluation.compare_with_bicubic(
        model, [("2.png", picture)], Fraction(5, 2), resized=lambda *_: whole(model)
    )[0]
    assert found["reference"].shape == (60, 70, 3)
    assert f"{found['bicubic_psnr']:.2f} → {found['psnr']:.2f}" in row


def whole(model):
    wide = unet.unet_generator(
        (24, 28, 3), (60, 70), global_residual=True, pad=True, depth=2, filters=2
    )
    wide.set_weights(model.get_weights())
    return wide


def test_removing_clouds(pictures, tmp_path):
    path, _ = train(tmp_path / "run", task="inpaint", data=str(pictures), size=48, crop=16)
    assert path.name == f"unet_inpaint_{pictures.name}.keras"
    model = keras.models.load_model(path)
    assert model.input_shape == model.output_shape == (None, 48, 48, 3)
    card = path.with_suffix(".md").read_text("utf-8")
    rows = [line for line in card.splitlines() if line.startswith("| 2.png, clouds ")]
    assert len(rows) == tasks.CLOUDS
    scores = [[float(cell) for cell in row.split("|")[2:6]] for row in rows]
    assert all(before > 0 and after > 0 for before, after, *_ in scores)
    assert len({tuple(row) for row in scores}) == len(rows), "every picture has its own clouds"


def test_aerial_scenes_serve_the_other_tasks_too(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "PAIR_SCENES", 2)
    monkeypatch.setattr(datasets, "EVALUATION_PICTURES", 1)
    path, shown = train(tmp_path / "run", task="inpaint", data="aerial", size=48, crop=16)
    assert path.name == "unet_inpaint_aerial.keras"
    assert "rendering aerial scenes" in shown
    assert "aerial_1000, aerial_1001 |" in path.with_suffix(".md").read_text("utf-8")


@pytest.mark.parametrize(("low", "full", "depth"), [(64, 400, 4), (64, 400, 3), (48, 96, 2)])
def test_the_default_crop_is_one_that_the_levels_can_halve(low, full, depth):
    part, high = unet._crop(None, (low, low), (full, full), depth)
    assert high[0] % 2**depth == 0 and high[0] * low == part[0] * full
    assert full / 2 <= high[0] <= full


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "colour"}, "task 'colour' is unknown; choose one of 'labels', 'upscale', 'inp"),
        (LABELS | {"data": "photos"}, "only aerial scenes have label maps, not photos"),
        (LABELS | {"source": 24}, "--from is the size of a small picture; --task labels has none"),
        (LABELS | {"size": 50}, "a 2-level U-Net halves 50 to 12.5; use 1 level, or 48"),
        (LABELS | {"crop": 30}, "a 2-level U-Net halves 30 to 7.5; use 1 level"),
        (LABELS | {"crop": 64}, "--crop 64 is larger than the whole, 48"),
        (LABELS | {"learning_rate": 0}, "learning rate 0 is not a number above 0"),
        (LABELS | {"loss": "magic"}, "loss 'magic' is unknown"),
        ({"task": "upscale", "size": 40, "source": 40}, "from 40 to 40 upscales nothing"),
        ({"task": "upscale", "size": (40, 80), "source": 16}, "stretches the picture"),
        ({"task": "upscale", "size": 40, "source": 16, "crop": 9}, "a crop of 9, upscaled by 5/2"),
        ({"task": "inpaint", "data": "missing"}, "missing"),
        ({"task": "inpaint", "size": 16}, "images of 16 are too small to be evaluated"),
    ],
)
def test_says_what_is_wrong(tmp_path, settings, message):
    with pytest.raises(ValueError) as caught:
        train(tmp_path / "run", **settings)
    assert message in str(caught.value)
    assert not (tmp_path / "run").exists(), "nothing is written before all is clear"


def test_scene_scores_read_the_label_map_back(labels):
    """From the generated scene, of 8 bits, and from the real one."""
    model = keras.models.load_model(labels)
    (row,) = tasks.scene_scores(model, [5])
    one, reference = rendering.scene(5, 48)
    generated = np.asarray(model(rendering.one_hot(one)[None], training=False)[0])
    generated = np.rint(generated * 255) / np.float32(255)
    assert row["classes"] == readback.class_agreement(generated, one)
    assert row["real_classes"] == readback.class_agreement(reference, one)
    assert row["psnr_rgb"] == kg.quality(generated, reference).psnr_rgb
