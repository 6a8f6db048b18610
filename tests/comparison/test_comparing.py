"""Methods are compared fairly, numbers are the package's own, and mistakes are one clear line."""

import dataclasses
from fractions import Fraction
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import keras_gen as kg
from keras_gen.comparison import comparing, upscalers
from keras_gen.comparison.comparing import compare
from keras_gen.data import image_files, resampling
from tests.comparison.pictures import panels, picture, upscaler

FIXED = ["nearest", "bilinear", "bicubic", "lanczos"]


# The reference and what the methods get ---------------------------------------------------------


def test_interpolators_are_those_of_pillow_and_the_reference_is_first():
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


def test_numbers_are_those_of_the_package():
    """One definition of quality: PSNR, SSIM and the rest inside a border of 4 pixels."""
    found = panels(compare({"one": picture(62, 75)}, methods=["bicubic"]))
    reference, large = found["Reference"].image, found["Bicubic"].image
    numbers = found["Bicubic"].numbers
    quality = dataclasses.asdict(kg.quality(large, reference))
    assert quality["border"] == 4
    assert {key: numbers[key] for key in quality} == quality
    inside, theirs = large[4:-4, 4:-4] / 255, reference[4:-4, 4:-4] / 255
    assert numbers["psnr"] == kg.psnr(large / 255, reference / 255, luma=True, border=4)
    assert numbers["ssim"] == kg.ssim(large / 255, reference / 255, luma=True, border=4)
    assert numbers["spectrum_distance"] == kg.spectrum_distance(inside, theirs)
    assert numbers["sharpness"] == kg.sharpness(inside) / kg.sharpness(theirs)
    assert numbers["gain"] == kg.checkerboard_gain(large / 255, 4)
    assert found["Reference"].numbers["sharpness"] == 1
    assert numbers["milliseconds"] > 0


def test_every_column_is_filled_and_shown():
    found = compare({"one": picture(64, 64)}, models={"mine": upscaler(4)})
    keys = [column.key for column in found.columns]
    assert keys[:4] == ["psnr", "ssim", "psnr_chroma", "delta_e"]
    mine = next(row for row in found.rows() if row["method"] == "mine")
    assert None not in [mine[key] for key in keys]
    for heading in ("Chroma PSNR<small>dB</small>", "ΔE2000", "Sharpness<small>%</small>"):
        assert f"{heading}</button>" in found.html()


def test_table_holds_the_means_as_the_page_shows_them():
    found = compare({"a": picture(48, 48), "b": picture(64, 48, 1)}, methods=["nearest", "bicubic"])
    table = found.table(["gain", "psnr"])
    assert list(table[0]) == ["method", "Checkerboard gain (ppm)", "PSNR (dB)"]
    assert [row["method"] for row in table] == ["Reference", "Nearest", "Bicubic"]
    mean = np.mean([row["psnr"] for row in found.rows() if row["method"] == "Bicubic"])
    assert table[2]["PSNR (dB)"] == f"{mean:.2f}"
    assert table[0]["PSNR (dB)"] == "–"
    assert len(found.table()[0]) == 1 + len(found.columns)
    with pytest.raises(ValueError, match="column 'PSNR' is unknown; choose one of 'psnr', 'ssim'"):
        found.table(["PSNR"])


def test_figure_has_every_panel_with_its_numbers_and_the_reference_last():
    found = compare({"a": picture(48, 48), "b": picture(64, 48, 1)}, methods=["nearest", "bicubic"])
    figure = found.figure((4, 8, 16), picture=1, keys=["psnr", "ssim"], columns=2)
    numbers = panels(found, 1)["Bicubic"].numbers
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert [title.partition("\n")[0] for title in titles] == ["Nearest", "Bicubic", "Reference"]
    assert titles[1] == f"Bicubic\nPSNR {numbers['psnr']:.2f} dB\nSSIM {numbers['ssim']:.4f}"
    shown = [axis for axis in figure.axes if axis.images]
    assert len(shown) == 6
    for axis in shown:
        if not axis.get_title():
            assert (axis.get_xlim(), axis.get_ylim()) == ((8, 24), (20, 4))
    framed = [axis.get_title() for axis in figure.axes if axis.patches]
    assert framed == ["Reference"]
    plt.close(figure)


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


def test_large_pictures_are_reduced_as_a_whole_or_cropped_to_the_middle():
    large = picture(80, 120)
    whole = panels(compare({"one": large}, methods=["nearest"], longest=60))["Reference"].image
    np.testing.assert_array_equal(whole, resampling.reduce(large, (40, 60)))
    middle = panels(compare({"one": large}, methods=["nearest"], longest=60, crop=True))
    np.testing.assert_array_equal(middle["Reference"].image, large[10:70, 30:90])


def test_without_a_reference_the_picture_itself_is_upscaled():
    small = picture(10, 7)
    found = compare({"one": small}, methods=["nearest", "bicubic"], upscale=True)
    shown = panels(found)
    assert list(shown) == ["Nearest", "Bicubic"]
    np.testing.assert_array_equal(
        shown["Nearest"].image, np.kron(small, np.ones((4, 4, 1), np.uint8))
    )
    assert not {"psnr", "ssim", "spectrum_distance"} & set(shown["Bicubic"].numbers)
    assert shown["Bicubic"].numbers["sharpness"] == kg.sharpness(shown["Bicubic"].image / 255)
    assert "no PSNR and no SSIM" in found.html()
    middle = compare({"one": picture(50, 30)}, methods=["nearest"], upscale=True, longest=80)
    np.testing.assert_array_equal(
        panels(middle)["Nearest"].image[::4, ::4], picture(50, 30)[15:35, 5:25]
    )


@pytest.mark.parametrize("upscale", [False, True])
def test_one_pixel_is_upscaled_or_too_small(upscale):
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
    large = kg.inference.upscale(network, resampling.reduce(picture(16, 16), 4))
    np.testing.assert_array_equal(panels(found)["Nearest + convolution"].image, large)


def test_stored_networks_are_there_for_every_method():
    assert {f"upsampling_{method}_x4" for method in kg.UPSAMPLING} <= set(
        kg.inference.stored_names()
    )


def test_every_upsampling_has_a_title_of_its_own():
    titles = [upscalers._TITLES["trained"][method] for method in kg.UPSAMPLING]
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
    named = compare({"one": picture(20, 20)}, models={"A": upscaler(3)}, methods=["nearest"])
    assert named.scale == 3
    assert list(panels(named)) == ["Reference", "Nearest", "A"]


def test_model_of_fixed_size_gets_the_middle(weights):
    photo = picture(100, 90)
    found = compare({"one": photo, "small": picture(10, 10)}, models="fixed")
    shown = panels(found)
    reference = resampling.reduce(kg.data.center_crop(photo, (16, 24)), (16, 24))
    np.testing.assert_array_equal(shown["Reference"].image, reference)
    large = kg.inference.upscale(found.methods[-1].model, resampling.reduce(reference, (8, 12)))
    np.testing.assert_array_equal(shown["fixed"].image, large)
    assert found.skipped == [("small", "10×10 is smaller than the 16×24 that the model generates")]
    small = compare({"one": picture(8, 12)}, models="fixed", upscale=True)
    np.testing.assert_array_equal(panels(small)["Nearest"].image[::2, ::2], picture(8, 12))


def test_uneven_overlap_shows_in_the_energy():
    """Kernel 3, stride 2, all weights alike: 4, 2, 2 and 1 taps for the phases, hence 0.48."""
    inputs = keras.Input((None, None, 3))
    layer = keras.layers.Conv2DTranspose(3, 3, 2, "same", use_bias=False)
    model = keras.Model(inputs, layer(inputs))
    layer.kernel.assign(0.2 * np.ones((3, 3, 1, 1)) * np.eye(3))
    found = panels(compare({"one": picture(20, 20)}, models={"uneven": model}))
    taps = np.array([4, 2, 2, 1])
    expected = taps.std() / taps.mean()
    assert found["uneven"].numbers["energy"] == pytest.approx(expected, abs=0.03)
    assert found["Nearest"].numbers["energy"] == 0


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
