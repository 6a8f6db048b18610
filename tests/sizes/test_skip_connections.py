"""Skip connections: the arithmetic against U-Nets that Keras builds, or refuses to build."""

import subprocess
import sys

import keras
import pytest
from hypothesis import given, settings, strategies as st
from keras import layers

from keras_gen.sizes.skip_connections import explain_skips, skip_sizes


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
    deepest = report.junctions[0][0]
    assert (deepest.level, deepest.skip, deepest.arriving) == (3, arriving + 1, arriving)
    assert f"halves {size} to {arriving / 2 + 0.5}; use 3 levels" in str(report)


def test_400_halves_four_times():
    assert explain_skips(400, 4).fits
    report = explain_skips(400, 5)
    assert not report.fits
    assert report.output is None
    assert report.deepest == 4
    assert report.nearest == ((384, 416), (384, 416))
    assert str(report) == "a 5-level U-Net halves 400 to 12.5; use 4 levels, or 384 or 416 pixels"
    assert str(explain_skips(400, 4)) == "a 4-level U-Net fits 400 pixels"


def test_the_original_unet():
    report = explain_skips(572, 4, lost=4)
    assert report.fits
    assert report.output == (388, 388)
    crops = [row["crop"] for row in report.table() if row["axis"] == "height"]
    assert crops == [8, 32, 80, 176]
    assert explain_skips(571, 4, lost=4).nearest[0] == (556, 572)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_every_size_fits_or_says_why_not(depth):
    """By halving: what stays whole fits; otherwise, the nearest sizes that are named do."""
    for size in range(40, 421):
        report = explain_skips(size, depth)
        if size % 2**depth == 0:
            assert report.fits
            continue
        message, level = str(report), next(n for n in range(1, depth + 1) if size % 2**n)
        place = f" at level {level}" if level < depth else ""
        assert message.startswith(
            f"a {depth}-level U-Net halves {size} to {size / 2**level:g}{place}; use "
        )
        below, above = size // 2**depth * 2**depth, -(-size // 2**depth) * 2**depth
        assert message.endswith(f"{below} or {above} pixels" if below else f"{above} pixels")
        assert explain_skips(above, depth).fits
        assert (f"use {level - 1} level" in message) == (level > 1)


def test_only_the_axis_that_does_not_fit_is_named():
    text = str(explain_skips((400, 401), 2))
    assert "halves a width of 401 to 200.5 at level 1; use a width of 400 or 404 pixels" in text
    assert "height" not in text
    both = str(explain_skips((300, 450), 4))
    assert "a height of 300 to 37.5 at level 3 and a width of 450 to 112.5 at level 2; " in both
    assert "; use 1 level, or a height of 288 or 304 and a width of 448 or 464 pixels" in both


def test_other_reductions_are_not_called_halving():
    assert "reduces 100 to 33.33 at level 1; use 99 or 108 pixels" in str(
        explain_skips(100, 2, factor=3)
    )
    assert "reduces 571 to 283.5 at level 1" in str(explain_skips(571, 4, lost=4))


def test_sizes_of_every_level():
    assert skip_sizes((48, 80), 4)[-1] == (3, 5)
    assert skip_sizes(7, 0) == [(7, 7)]
    for size, depth, message in [
        (400, 5, r"halves 400 to 12\.5; use 4 levels, or 384 or 416 pixels$"),
        ((6, 400), 2, r"a height of 6 to 1\.5; use 1 level, or a height of 4 or 8 pixels$"),
        (5, 3, "halves 5 to 2.5 at level 1; use 8 pixels$"),
    ]:
        with pytest.raises(ValueError, match=message):
            skip_sizes(size, depth)


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
    code = (
        "import sys, keras_gen.sizes.skip_connections; "
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
