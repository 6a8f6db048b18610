"""Methods are compared fairly, numbers are the package's own, and mistakes are one clear line."""

import functools
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import keras_gen as kg
from keras_gen.comparison import comparing, scores, upscalers
from keras_gen.comparison.comparing import compare
from keras_gen.data import image_files, resampling
from keras_gen.data.images import Images
from keras_gen.training import upscaling_evaluation

FIXED = ["nearest", "bilinear", "bicubic", "lanczos"]


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 5 + 2, width // 5 + 2, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def panels(comparison, number=0):
    return {panel.title: panel for panel in comparison.pictures[number].panels}


def enlarger(scale=2, shape=(None, None, 3), name=None):
    inputs = keras.Input(shape)
    x = keras.layers.Conv2DTranspose(3, 2 * scale, scale, "same", activation="sigmoid")(inputs)
    return keras.Model(inputs, x, name=name)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Two networks named like those of the course, and others."""
    place = tmp_path_factory.mktemp("weights")
    keras.utils.set_random_seed(0)
    enlarger(4).save(place / "upsampling_nearest_x4.keras")
    enlarger(4).save(place / "upsampling_transposed_x4.keras")
    for folder in ("a", "b"):
        (place / folder).mkdir()
        enlarger(2).save(place / folder / "mine.keras")
    enlarger(2, (8, 12, 3)).save(place / "fixed.keras")
    enlarger(2, (9, 9, 3)).save(place / "other.keras")
    return place


@pytest.fixture
def weights(stored, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(stored))
    return stored


@pytest.fixture
def run(run):
    """Run the command in this process: exit code, lines of stdout, stderr."""
    return functools.partial(run, "compare")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    (place / "deeper").mkdir(parents=True)
    for number, name in enumerate(("b.png", "a.jpg", "deeper/b.png")):
        Image.fromarray(picture(40, 48, number)).save(place / name)
    (place / "bad.png").write_text("no picture")
    return place


# The reference and what is made of it ----------------------------------------------------------------


def test_interpolators_are_those_of_pillow_and_the_truth_is_first():
    reference = picture(48, 64)
    found = panels(compare({"one": reference}, methods=FIXED))
    assert list(found) == ["Reference", "Nearest", "Bilinear", "Bicubic", "Lanczos"]
    np.testing.assert_array_equal(found["Reference"].image, reference)
    low = Image.fromarray(reference).resize((16, 12), Image.Resampling.BICUBIC)
    for name in FIXED:
        expected = np.asarray(low.resize((64, 48), Image.Resampling[name.upper()]))
        np.testing.assert_array_equal(found[name.capitalize()].image, expected)
    blocks = np.kron(np.asarray(low), np.ones((4, 4, 1), np.uint8))
    np.testing.assert_array_equal(found["Nearest"].image, blocks)


def test_numbers_are_those_by_which_trainings_are_judged():
    """The same picture, judged by the trainings' own code."""
    reference = picture(62, 75)
    images = Images(["one"], [reference], [1.0])
    (judged,) = upscaling_evaluation.compare_with_bicubic(enlarger(4), images, 4)
    found = panels(compare({"one": reference}, methods=["bicubic"]))
    assert found["Bicubic"].numbers["psnr"] == judged["bicubic_psnr"]
    assert found["Bicubic"].numbers["ssim"] == judged["bicubic_ssim"]
    assert scores.BORDER == upscaling_evaluation.BORDER
    reference, drawn = found["Reference"].image / 255, found["Bicubic"].image / 255
    numbers = found["Bicubic"].numbers
    assert numbers["gain"] == kg.checkerboard_gain(drawn, 4)
    assert numbers["spectrum"] == kg.spectrum_distance(drawn, reference)
    assert numbers["sharpness"] == 100 * kg.sharpness(drawn) / kg.sharpness(reference)
    assert found["Reference"].numbers["sharpness"] == 100
    assert numbers["milliseconds"] > 0


@pytest.mark.parametrize(
    ("size", "options", "reference", "given"),
    [
        ((50, 61), {}, (48, 60), (12, 15)),
        ((401, 399), {}, (400, 396), (100, 99)),
        ((1000, 500), {}, (400, 200), (100, 50)),
        ((1000, 500), {"crop": True}, (400, 400), (100, 100)),
        ((1000, 500), {"longest": 100}, (100, 48), (25, 12)),
        ((90, 90), {"scale": 3}, (90, 90), (30, 30)),
        ((100, 120), {"scale": "6.25"}, (100, 100), (16, 16)),
        ((4, 4), {}, (4, 4), (1, 1)),
    ],
)
def test_sizes(size, options, reference, given):
    found = compare({"one": picture(*size)}, methods=["nearest"], **options)
    shown = panels(found)
    assert shown["Reference"].image.shape[:2] == reference
    assert shown["Nearest"].image.shape[:2] == reference
    assert f"was given {given[0]}×{given[1]}" in found.pictures[0].note
    assert found.pictures[0].note.startswith(f"{size[0]}×{size[1]} pixels")


def test_large_pictures_are_reduced_as_a_whole_or_cut_from_the_middle():
    large = picture(80, 120)
    whole = panels(compare({"one": large}, methods=["nearest"], longest=60))["Reference"].image
    np.testing.assert_array_equal(whole, resampling.reduce(large, (40, 60)))
    middle = panels(compare({"one": large}, methods=["nearest"], longest=60, crop=True))
    np.testing.assert_array_equal(middle["Reference"].image, large[10:70, 30:90])


def test_without_a_truth_the_picture_itself_is_enlarged():
    small = picture(10, 7)
    found = compare({"one": small}, methods=["nearest", "bicubic"], upscale=True)
    shown = panels(found)
    assert list(shown) == ["Nearest", "Bicubic"]
    np.testing.assert_array_equal(
        shown["Nearest"].image, np.kron(small, np.ones((4, 4, 1), np.uint8))
    )
    assert not {"psnr", "ssim", "spectrum"} & set(shown["Bicubic"].numbers)
    assert shown["Bicubic"].numbers["sharpness"] == kg.sharpness(shown["Bicubic"].image / 255)
    assert "no PSNR and no SSIM" in found.html()
    middle = compare({"one": picture(50, 30)}, methods=["nearest"], upscale=True, longest=80)
    np.testing.assert_array_equal(
        panels(middle)["Nearest"].image[::4, ::4], picture(50, 30)[15:35, 5:25]
    )


@pytest.mark.parametrize("upscale", [False, True])
def test_one_pixel_is_enlarged_or_too_small(upscale):
    pixel = {"one": np.full((1, 1, 3), 7, np.uint8), "two": picture(8, 8)}
    found = compare(pixel, methods=FIXED, upscale=upscale)
    if upscale:
        assert (panels(found)["Lanczos"].image == 7).all()
        assert panels(found)["Lanczos"].image.shape == (4, 4, 3)
    else:
        assert found.skipped[0][0] == "one"
        assert "a side of 1 is too small" in found.skipped[0][1]
    assert found.html()


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "I;16"])
def test_pictures_of_every_kind(mode, tmp_path):
    file = tmp_path / f"one.{'jpg' if mode == 'CMYK' else 'png'}"
    if mode == "I;16":
        Image.fromarray(picture(20, 24)[..., 0].astype(np.uint16) * 257).save(file)
    else:
        Image.fromarray(picture(20, 24)).convert(mode).save(file)
    found = panels(compare(file, methods=["bicubic"]))
    np.testing.assert_array_equal(found["Reference"].image, image_files.read_image(file))


# Methods and models ------------------------------------------------------------------------------


def test_trained_networks_are_found_and_not_mixed_up_with_interpolators(weights):
    found = compare({"one": picture(16, 16)})
    titles = ["Nearest", "Bilinear", "Bicubic", "Lanczos"]
    titles += ["Nearest + convolution", "Transposed convolution"]
    assert [method.title for method in found.methods] == sorted(titles, key=titles.index)
    kinds = {method.title: method.kind for method in found.methods}
    assert kinds["Nearest"] == "fixed" and kinds["Nearest + convolution"] == "trained"
    captions = {method.title: method.caption for method in found.methods}
    assert captions["Nearest + convolution"] == kg.UPSAMPLING["nearest"]
    network = keras.models.load_model(weights / "upsampling_nearest_x4.keras")
    numbers = panels(found)["Nearest + convolution"].numbers
    assert numbers["parameters"] == network.count_params()
    assert numbers["macs"] == kg.cost(network, input_shape=(4, 4, 3)).macs
    assert panels(found)["Nearest"].numbers["macs"] is None
    drawn = kg.inference.upscale(network, resampling.reduce(picture(16, 16), 4))
    np.testing.assert_array_equal(panels(found)["Nearest + convolution"].image, drawn)


def test_every_upsampling_has_a_title_of_its_own():
    titles = [upscalers._TRAINED_TITLES[method] for method in kg.UPSAMPLING]
    assert len({*titles, *(title for title, _ in upscalers.FIXED.values())}) == len(titles) + 4


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["bicubic", "bicubic"], ["bicubic"]),
        (["fixed", "nearest"], FIXED),
        (["transposed"], ["trained_transposed"]),
        (["trained", "nearest"], ["trained_nearest", "trained_transposed", "nearest"]),
        (["all"], [*FIXED, "trained_nearest", "trained_transposed"]),
    ],
)
def test_names_of_methods(weights, names, expected):
    found = upscalers.find(names, Fraction(4))
    assert sorted(method.name for method in found) == sorted(expected)
    assert len(found) == len(expected)


def test_at_another_scale_only_interpolators_are_there(weights):
    found = compare({"one": picture(16, 16)}, scale=2)
    assert [method.name for method in found.methods] == FIXED


def test_own_models_set_the_scale_and_keep_their_names_apart(weights):
    files = [weights / "a" / "mine.keras", weights / "b" / "mine.keras"]
    found = compare({"one": picture(20, 20)}, models=[*files, files[0]])
    assert found.scale == 2
    assert [method.title for method in found.methods][-2:] == ["a/mine", "b/mine"]
    assert len(found.methods) == 6
    named = compare({"one": picture(20, 20)}, models={"A": enlarger(3)}, methods=["nearest"])
    assert named.scale == 3
    assert list(panels(named)) == ["Reference", "Nearest", "A"]


def test_model_of_fixed_size_gets_the_middle(weights):
    photo = picture(100, 90)
    found = compare({"one": photo, "small": picture(10, 10)}, models="fixed")
    shown = panels(found)
    reference = resampling.reduce(kg.data.center_crop(photo, (16, 24)), (16, 24))
    np.testing.assert_array_equal(shown["Reference"].image, reference)
    drawn = kg.inference.upscale(found.methods[-1].model, resampling.reduce(reference, (8, 12)))
    np.testing.assert_array_equal(shown["fixed"].image, drawn)
    assert found.skipped == [("small", "10×10 is smaller than the 16×24 that the model draws")]
    small = compare({"one": picture(8, 12)}, models="fixed", upscale=True)
    np.testing.assert_array_equal(panels(small)["Nearest"].image[::2, ::2], picture(8, 12))


def test_uneven_overlap_shows_in_the_energy():
    """Kernel 3, stride 2, all weights alike: 4, 2, 2 and 1 taps a phase, hence .48."""
    inputs = keras.Input((None, None, 3))
    layer = keras.layers.Conv2DTranspose(3, 3, 2, "same", use_bias=False)
    model = keras.Model(inputs, layer(inputs))
    layer.kernel.assign(0.2 * np.ones((3, 3, 1, 1)) * np.eye(3))
    found = panels(compare({"one": picture(20, 20)}, models={"uneven": model}))
    taps = np.array([4, 2, 2, 1])
    expected = taps.std() / taps.mean()
    assert found["uneven"].numbers["energy"] == pytest.approx(expected, abs=0.03)
    assert found["Nearest"].numbers["energy"] == 0


# Pictures in folders -----------------------------------------------------------------------------


def test_folder_bad_file_and_names_that_are_alike(folder):
    lines = []
    found = compare([folder, folder / "a.jpg"], methods=["nearest"], progress=lines.append)
    assert [one.name for one in found.pictures] == ["a.jpg", "pictures/b.png", "deeper/b.png"]
    assert found.skipped == [("bad.png", "it is empty, damaged, or no image")]
    assert "Skipped bad.png: it is empty" in found.html()
    assert "1 of 4, a.jpg: Nearest" in lines
    assert len(found.rows()) == 6
    assert found.means()[0]["method"] == "Reference"


def test_too_many_pictures_are_taken_from_all_over():
    many = {f"{number:02}": picture(8, 8, number) for number in range(20)}
    found = compare(many, methods=["nearest"], count=3)
    assert [one.name for one in found.pictures] == ["00", "10", "19"]
    assert len(found.skipped) == 17
    assert len(compare(many, methods=["nearest"]).pictures) == 20


def test_pages_that_no_browser_would_open(monkeypatch):
    two = {"one": picture(40, 40), "two": picture(40, 40)}
    monkeypatch.setattr(comparing, "MOST_PIXELS", 40 * 40 * 5)
    found = compare(two, methods=["nearest", "bicubic"])
    assert [one.name for one in found.pictures] == ["one"]
    assert "too large; use --longest" in found.skipped[0][1]


def test_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    found = compare({"one": picture(8, 8)}, methods=["nearest"])
    page = found.write(tmp_path / "page.html")
    before = page.read_text("utf-8")
    assert before.startswith("<!DOCTYPE html>") and before.rstrip().endswith("</html>")

    def half(self, text, *_):
        with open(self, "w") as file:
            file.write(text[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space"):
        found.write(page)
    assert page.read_text("utf-8") == before
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


# The command line --------------------------------------------------------------------------------


def test_command(run, folder, tmp_path):
    out = tmp_path / "new" / "page.html"
    code, lines, errors = run(folder, "--methods", "nearest", "bicubic", "--out", out)
    assert (code, errors) == (0, "")
    assert lines[0] == "importing Keras"
    assert "skipped bad.png: it is empty, damaged, or no image" in lines
    assert any(line.split()[:1] == ["Bicubic"] for line in lines)
    assert lines[-1].startswith(f"wrote {out} (")
    assert out.read_text("utf-8").count("<figure") == 9


def test_command_takes_several_values_in_any_order(run, folder, weights, tmp_path):
    out = tmp_path / "page"
    files = [weights / "a" / "mine.keras", weights / "b" / "mine.keras"]
    first = ["--out", out, "--methods", "nearest", "--model", *files, "--", folder / "b.png"]
    code, lines, errors = run(*first)
    assert (code, errors) == (0, "")
    assert lines[-1].startswith(f"wrote {out}.html (")
    page = out.with_suffix(".html").read_text("utf-8")
    assert page.count("<figure") == 4
    assert "b/mine" in page


def test_command_mistakes(fails, folder, weights, tmp_path):
    one, out = folder / "b.png", tmp_path / "page.html"
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.keras").write_text("no model")
    mine, fixed = weights / "a" / "mine.keras", weights / "fixed.keras"
    last = ["--methods", "nearest", "--out", out]
    assert "holds no image file" in fails(tmp_path / "empty", *last)
    assert "missing.png does not exist" in fails(tmp_path / "missing.png", *last)
    assert "none of the 1 pictures could be compared; bad.png: it is empty" in fails(
        folder / "bad.png", *last
    )
    unknown = fails(one, "--methods", "cubic", "--out", out)
    assert unknown.startswith("method 'cubic' is unknown; choose from nearest, bilinear,")
    assert "trained_transposed" in unknown
    assert "needs upsampling_blur_x4.keras, which is not in" in fails(one, "--methods", "blur")
    assert "trained_nearest enlarges by 4, not by 2; use --scale 4" in fails(
        one, "--methods", "trained_nearest", "--scale", 2
    )
    assert "there are no weights 'nonsense'" in fails(one, "--model", "nonsense", "--out", out)
    assert "broken.keras is not a .keras file" in fails(one, "--model", tmp_path / "broken.keras")
    assert "mine enlarges by 2, not by 4; use --scale 2" in fails(
        one, "--model", mine, "--scale", 4
    )
    assert "other takes 9×9" in fails(one, "--model", fixed, "other")
    assert "Missing argument" in fails("--methods", "nearest", one)
    for scale in ("1", "0", "17", "many", "nan", "1/0"):
        assert f"{scale}" in fails(one, "--scale", scale)
    assert "is a directory" in fails(one, "--out", folder)
    assert "give a name that ends in .html" in fails(one, "--out", tmp_path / "page.png")
    assert "is not a directory" in fails(one, "--out", one / "page.html")
    assert not out.exists()


def test_models_that_cannot_be_compared():
    flat = keras.Input((8, 8, 3))
    same = keras.Model(flat, keras.layers.Activation("linear")(flat))
    wide = keras.Model(flat, keras.layers.UpSampling2D((1, 2))(flat))
    one_channel = keras.Input((8, 8, 1))
    grey = keras.Model(one_channel, keras.layers.UpSampling2D(2)(one_channel))
    one = {"one": picture(16, 16)}
    for name, model in (("same", same), ("wide", wide)):
        with pytest.raises(ValueError, match=f"{name} cannot be compared: it turns"):
            compare(one, models={name: model})
    with pytest.raises(ValueError, match=r"grey: .*maps \(batch, height, width, 3\)"):
        compare(one, models={"grey": grey})


def test_help(run):
    code, lines, errors = run("--help")
    assert (code, errors) == (0, "")
    text = "\n".join(lines)
    for word in ("--methods", "--model", "--upscale", "--scale", "trained_nearest"):
        assert word in text
