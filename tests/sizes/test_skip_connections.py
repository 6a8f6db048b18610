"""Skip connections: the arithmetic against U-Nets that Keras builds, or refuses to build."""

import subprocess
import sys

import keras
import pytest
from hypothesis import given, settings, strategies as st
from keras import layers

from keras_gen.sizes.skip_connections import explain_skips


def build_unet(size, depth, padding):
    """A U-Net whose skips must fit."""
    x = inputs = keras.Input((*size, 1))
    skips = []
    for _ in range(depth):
        skips.append(x)
        x = layers.MaxPooling2D(2, padding=padding)(x)
    for skip in reversed(skips):
        x = layers.Concatenate()([layers.UpSampling2D(2)(x), skip])
    return keras.Model(inputs, x)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_says_what_keras_says(depth, padding):
    for size in range(9, 34):
        report = explain_skips((size, 16), depth, padding=padding)
        if report.fits:
            assert build_unet((size, 16), depth, padding).output_shape[1:3] == report.output
        else:
            with pytest.raises(ValueError, match="Concatenate"):
                build_unet((size, 16), depth, padding)


@pytest.mark.parametrize(("size", "arriving"), [(712, 88), (840, 104)])
def test_the_mismatches_that_people_ask_about(size, arriving):
    """88 against 89, and 104 against 105."""
    report = explain_skips(size, 4, padding="valid")
    parting = report.joints[0][0]
    assert (parting.level, parting.skip, parting.arriving) == (3, arriving + 1, arriving)
    assert f"{arriving + 1} pixels and {arriving} arrive" in str(report)


def test_400_halves_four_times():
    assert explain_skips(400, 4).fits
    report = explain_skips(400, 5)
    assert not report.fits
    assert report.output is None
    assert report.deepest == 4
    assert report.nearest == ((384, 416), (384, 416))
    assert "use 384 or 416 pixels, or at most 4 levels" in str(report)


def test_the_original_unet():
    report = explain_skips(572, 4, lost=4)
    assert report.fits
    assert report.output == (388, 388)
    crops = [row["crop"] for row in report.table() if row["axis"] == "height"]
    assert crops == [8, 32, 80, 176]
    assert explain_skips(571, 4, lost=4).nearest[0] == (556, 572)


def test_only_the_axis_that_parts_is_named():
    text = str(explain_skips((400, 401), 2))
    assert "width" in text
    assert "height" not in text


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 600), st.integers(1, 5), st.integers(2, 3), st.sampled_from([0, 2, 4]))
def test_nearest_sizes_are_the_nearest_that_fit(size, depth, factor, lost):
    def fits(candidate):
        try:
            return explain_skips(candidate, depth, factor=factor, lost=lost).fits
        except ValueError:
            return False

    try:
        below, above = explain_skips(size, depth, factor=factor, lost=lost).nearest[0]
    except ValueError:  # used up on the way down
        return
    assert fits(above)
    assert below is None or fits(below)
    between = range((below or 0) + 1, above)
    assert not any(fits(candidate) for candidate in between if candidate != below)
    assert fits(size) == (below == above == size)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((400, 0), {}, "depth=0"),
        ((400, 3), {"factor": 1}, "factor=1"),
        ((400, 3), {"padding": "full"}, "'full' is unknown"),
        ((0, 3), {}, "too small"),
        ((20, 4), {"lost": 4}, "used up after 2 of 4 levels"),
    ],
)
def test_refusals(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        explain_skips(*arguments, **options)


def test_needs_no_keras():
    code = "import sys, keras_gen.skips; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
