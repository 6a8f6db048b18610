"""Pictures of any size are upscaled, in tiles where they are large, and no result is lost."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import keras_gen as kg
from keras_gen.data import image_files, resampling
from keras_gen.inference import upscaling


def noise(height, width, seed=0):
    """Smooth noise with edges: pictures on which a network has something to do."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 6 + 2, width // 6 + 2, 3), dtype=np.uint8)
    picture = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return np.where(picture > 180, 255, picture).astype(np.uint8)


def shake(model, seed=0):
    """Give every weight a value, as a training would: fresh ones return the bicubic skip."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            rng.normal(0, 0.6 / np.sqrt(np.prod(w.shape[:-1]) or 1), w.shape)
            for w in model.get_weights()
        ]
    )
    return model


@pytest.fixture(scope="module")
def convolutional():
    return shake(kg.simple_generator((None, None, 3), scale=2, filters=8, blocks=3))


@pytest.fixture(scope="module")
def fixed():
    return shake(kg.simple_generator((16, 24, 3), size=(40, 60), filters=8, blocks=1))


def whole(model, picture):
    upscaled = np.asarray(model(picture[None] / np.float32(255), training=False))[0]
    return np.rint(upscaled * 255).astype(np.uint8)


# Any size ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (37, 23), (64, 64)])
def test_convolutional_generator_takes_the_picture_as_it_is(convolutional, size):
    picture = noise(*size)
    large = upscaling.upscale(convolutional, picture)
    assert large.dtype == np.uint8
    assert large.shape == (2 * size[0], 2 * size[1], 3)
    np.testing.assert_array_equal(large, whole(convolutional, picture))


@pytest.mark.parametrize("size", [(16, 24), (32, 48), (100, 100), (7, 300), (5, 5)])
def test_generator_of_fixed_size_gets_the_middle_reduced(fixed, size):
    picture = noise(*size)
    tall, wide = (min(size[0], size[1] * 16 // 24), min(size[1], size[0] * 24 // 16))
    top, left = (size[0] - tall) // 2, (size[1] - wide) // 2
    part = Image.fromarray(picture[top : top + tall, left : left + wide])
    given = np.asarray(part.resize((24, 16), Image.Resampling.BICUBIC))
    large = upscaling.upscale(fixed, picture)
    assert large.shape == (40, 60, 3)
    np.testing.assert_array_equal(large, whole(fixed, given))


def test_network_does_more_than_bicubic(convolutional):
    """Otherwise the comparisons above and below would only compare bicubic upscaling."""
    picture = noise(40, 40)
    bicubic = resampling.upscale_bicubic(picture, 80)
    assert np.abs(upscaling.upscale(convolutional, picture).astype(int) - bicubic).mean() > 5


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((400, 600), (64, 64), (slice(0, 400), slice(100, 500))),
        ((600, 400), (64, 64), (slice(100, 500), slice(0, 400))),
        ((90, 90), (10, 20), (slice(22, 67), slice(0, 90))),
        ((3, 1), (64, 64), (slice(1, 2), slice(0, 1))),
    ],
)
def test_middle(shape, size, expected):
    picture = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(resampling.center_crop(picture, size), picture[expected])


def test_resized_generator_gives_the_same_for_the_same_receptive_field(fixed):
    """Far from the borders a wider picture comes out as its part does."""
    wide = upscaling.resized(fixed, (16, 48))
    assert wide.output_shape == (None, 40, 120, 3)
    picture = noise(16, 48)
    part, large = whole(fixed, picture[:, :24]), whole(wide, picture)
    rf = kg.receptive_field(fixed)
    safe = next(o for o in range(60) if rf.at(0, o)[1].stop > 23)
    assert safe > 5
    assert np.abs(part[:, : safe - 1].astype(int) - large[:, : safe - 1]).max() <= 1
    assert upscaling.resized(fixed, (16, 24)) is fixed
    with pytest.raises(ValueError, match="not a whole number of pixels"):
        upscaling.resized(fixed, (17, 24))


# Tiles -------------------------------------------------------------------------------------------


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(upscaling, "TILE", 64)


@pytest.mark.parametrize("size", [(200, 150), (64, 300), (129, 257), (193, 65)])
def test_tiles_give_what_the_whole_picture_gives(convolutional, small_tiles, size):
    """oneDNN may add in another order for another size, which may change the rounding."""
    picture, fractions = noise(*size), []
    tiled = upscaling.upscale(convolutional, picture, progress=fractions.append)
    expected = whole(convolutional, picture)
    assert tiled.shape == expected.shape
    difference = np.abs(tiled.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3
    assert len(fractions) == -(-size[0] // 64) * -(-size[1] // 64)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_tiles_that_overlap_too_little_would_differ(convolutional, small_tiles, monkeypatch):
    """The margin matters: without it seams show."""
    picture = noise(200, 150)
    tiled = upscaling._in_tiles(convolutional, picture, 2, 0, lambda fraction: None)
    assert np.abs(tiled.astype(int) - whole(convolutional, picture)).max() > 10


@pytest.mark.parametrize("blocks", [0, 8, 20])
def test_margin_covers_the_receptive_field(blocks):
    """2 convolutions a block, head, output, the stage: 16 blocks reach farther than 32 pixels."""
    model = kg.simple_generator((None, None, 3), scale=4, filters=4, blocks=blocks)
    scale, margin = upscaling._scale_and_margin(model)
    reach = 2 * blocks + 3
    assert scale == 4
    assert margin % upscaling.ALIGNMENT == 0
    assert reach - 1 <= margin < reach + upscaling.ALIGNMENT


def test_what_depends_on_the_whole_picture_is_not_split_into_tiles(small_tiles):
    """A gate by global pooling: tiles would each get a gate of their own."""
    inputs = keras.Input((None, None, 3))
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(inputs)
    x = keras.layers.Multiply()([inputs, gate])
    model = keras.Model(inputs, keras.layers.UpSampling2D(2)(x))
    picture = noise(200, 150)
    fractions = []
    large = upscaling.upscale(model, picture, progress=fractions.append)
    np.testing.assert_array_equal(large, whole(model, picture))
    assert fractions == []


@pytest.mark.parametrize("size", [(200, 200), (201, 199)])
def test_generator_that_halves_first(small_tiles, size):
    """Tiles begin where whole steps begin; a picture of odd sides is upscaled in one piece."""
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="tanh")(inputs)
    x = keras.layers.Conv2DTranspose(3, 8, strides=4, padding="same", activation="sigmoid")(x)
    model = shake(keras.Model(inputs, x))
    picture = noise(*size)
    difference = upscaling.upscale(model, picture).astype(int) - whole(model, picture)
    assert np.abs(difference).max() <= 1


# Models that do not upscale pictures -------------------------------------------------------------


def identity(shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, keras.layers.Activation("linear")(inputs))


def test_models_that_do_not_map_pictures_to_pictures():
    latent = keras.Input((8,))
    decoder = keras.Model(latent, keras.layers.Reshape((1, 1, 3))(keras.layers.Dense(3)(latent)))
    two = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    for model in (identity((8, 8, 1)), decoder, keras.Model(two, keras.layers.Add()(two))):
        with pytest.raises(ValueError, match=r"a generator that upscales pictures maps \(batch"):
            upscaling.upscale(model, noise(8, 8))


def test_values_outside_0_to_1_are_clipped_and_infinite_ones_refused():
    inputs = keras.Input((None, None, 3))
    stretched = keras.Model(inputs, keras.layers.Rescaling(3, offset=-1)(inputs))
    picture = np.array([[[0, 85, 170], [128, 200, 255]]], np.uint8)
    expected = np.clip(picture.astype(int) * 3 - 255, 0, 255)
    assert np.abs(upscaling.upscale(stretched, picture) - expected).max() <= 1
    infinite = keras.Model(inputs, keras.layers.Rescaling(np.inf)(inputs))
    with pytest.raises(ValueError, match="values that are not numbers"):
        upscaling.upscale(infinite, picture)


def test_what_tensorflow_refuses_is_one_line():
    inputs = keras.Input((None, None, 3))
    skip = keras.layers.UpSampling2D(2)(keras.layers.AveragePooling2D(2)(inputs))
    model = keras.Model(inputs, keras.layers.Add()([inputs, skip]), name="halving")
    assert upscaling.upscale(model, noise(8, 8)).shape == (8, 8, 3)
    with pytest.raises(ValueError, match=r"halving cannot upscale 9×8 pixels: ") as caught:
        upscaling.upscale(model, noise(9, 8))
    assert "\n" not in str(caught.value)


def test_results_that_would_not_fit_are_refused(convolutional, monkeypatch):
    monkeypatch.setattr(upscaling, "MAX_PIXELS", 10_000)
    assert upscaling.upscale(convolutional, noise(50, 50)).shape == (100, 100, 3)
    with pytest.raises(ValueError, match="50×51 upscaled by 2 has more than 0 million pixels"):
        upscaling.upscale(convolutional, noise(50, 51))


# Files -------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path):
    root = tmp_path / "in"
    for name, size in (("a.png", (8, 9)), ("a.jpg", (7, 7)), ("deep er/ü.png", (5, 11))):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(*size)).save(root / name)
    (root / "bad.png").write_text("no picture")
    return root


def test_files_are_upscaled_and_bad_ones_named(convolutional, pictures, tmp_path):
    lines = []
    written, skipped = upscaling.upscale_files(
        convolutional,
        image_files.list_images(pictures),
        tmp_path / "out",
        root=pictures,
        label="x2",
        progress=lines.append,
    )
    names = ["a_jpg_x2.png", "a_png_x2.png", "deep er/ü_x2.png"]
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == names
    assert [(path.name, reason) for path, reason in skipped] == [
        ("bad.png", "it is empty, damaged, or no image")
    ]
    expected = upscaling.upscale(convolutional, image_files.read_image(pictures / "a.png"))
    np.testing.assert_array_equal(image_files.read_image(written[1]), expected)
    assert lines[0] == "upscaling 1 of 4, a.jpg"
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == sorted(
        path.name for path in written
    )


def test_second_run_replaces_its_own_results_and_no_others(convolutional, pictures, tmp_path):
    out = tmp_path / "out"
    files = [pictures / "a.png"]
    upscaling.upscale_files(convolutional, files, out, label="first")
    Image.fromarray(noise(4, 4)).save(pictures / "a.png")
    upscaling.upscale_files(convolutional, files, out, label="second")
    upscaling.upscale_files(convolutional, files, out, label="second")
    assert sorted(path.name for path in out.iterdir()) == ["a_first.png", "a_second.png"]
    assert image_files.read_image(out / "a_first.png").shape == (16, 18, 3)
    assert image_files.read_image(out / "a_second.png").shape == (8, 8, 3)


def test_names_never_collide():
    files = [Path(f"d/{name}") for name in ("a.png", "a.jpg", "a_png.png", "b.jpg", "e/b.png")]
    names = upscaling.result_names(files, label="x", root=Path("d"))
    assert len(set(names)) == 5
    assert [name.as_posix() for name in names] == [
        *("a_png_x.png", "a_jpg_x.png", "a_png_png_x.png", "b_x.png", "e/b_x.png")
    ]
    assert len(set(upscaling.result_names([Path("d/a.png"), Path("e/a.png")]))) == 2
