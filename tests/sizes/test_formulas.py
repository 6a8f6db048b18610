"""Size formulas against the layers of Keras, which are run and not only asked for shapes."""

import itertools
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import keras_gen  # noqa: F401 (it quiets Keras, so it comes first)
from keras_gen._util.arguments import as_pair, parse_size
from keras_gen.sizes import formulas

# isort: split
from keras import layers

REFUSED, FAILS, EMPTY = "refused", "fails when it runs", "gives an empty image"
LIGHT = {"use_bias": False, "kernel_initializer": "zeros"}


def calculated(formula, *arguments, **options):
    """What the formula says: a pair, or that it refuses."""
    try:
        return as_pair(formula(*arguments, **options))
    except ValueError:
        return REFUSED


def measured(make_layer, size):
    """What Keras does: the size of the image that the layer really gives, or how it fails."""
    image = np.zeros((1, *as_pair(size), 1), "float32")
    try:
        layer = make_layer()
        promised = layer.compute_output_shape(image.shape)
    except ValueError:
        return REFUSED
    try:
        given = layer(image).shape
    except Exception:  # TensorFlow's own classes among them, another on another machine
        return FAILS
    assert tuple(given) == tuple(promised), layer.get_config()
    return tuple(given[1:3]) if min(given) else EMPTY


def compare(cases, formula, make_layer):
    """Run every case both ways; count what Keras does, and list where the formula disagrees."""
    done, wrong, failing = Counter(), [], []
    for size, options in cases:
        keras_says = measured(lambda: make_layer(**options), size)  # noqa: B023
        formula_says = calculated(formula, size, **options)
        done[keras_says if isinstance(keras_says, str) else "size"] += 1
        if keras_says in (FAILS, EMPTY):
            failing.append((size, options))
        if formula_says != (REFUSED if isinstance(keras_says, str) else keras_says):
            wrong.append((size, options, keras_says, formula_says))
    return dict(done), wrong, failing


def grid(size, **options):
    return [
        (n, dict(zip(options, values, strict=True)))
        for n, *values in itertools.product(size, *options.values())
    ]


CONVOLUTIONS = grid(
    size=(1, 2, 5, 8, 13),
    kernel_size=(1, 2, 3, 5),
    stride=(1, 2, 3, 4),
    padding=("same", "valid"),
    dilation=(1, 2, 3),
)
TRANSPOSED = grid(
    size=(1, 2, 7),
    kernel_size=(1, 2, 3, 4, 5, 6),
    stride=(1, 2, 3, 4),
    padding=("same", "valid"),
    output_padding=(None, 0, 1, 2, 3, 4),
    dilation=(1, 2),
)


def conv(kernel_size, stride, padding, dilation):
    return layers.Conv2D(1, kernel_size, stride, padding, dilation_rate=dilation, **LIGHT)


def transposed_conv(kernel_size, stride, padding, output_padding, dilation):
    return layers.Conv2DTranspose(
        1,
        kernel_size,
        stride,
        padding,
        output_padding=output_padding,
        dilation_rate=dilation,
        **LIGHT,
    )


def test_enough_combinations_are_compared():
    assert len(CONVOLUTIONS + TRANSPOSED) >= 2000


def test_convolution_gives_the_size_that_keras_gives():
    done, wrong, _ = compare(CONVOLUTIONS, formulas.conv_size, conv)
    assert wrong == []
    # Half of the grid has a stride and a dilation; in the other half 37 kernels do not fit.
    assert done == {"size": 240 - 37, REFUSED: 240 + 37}


def test_transposed_convolution_gives_the_size_that_keras_gives():
    done, wrong, failing = compare(TRANSPOSED, formulas.transposed_conv_size, transposed_conv)
    assert wrong == []
    # Refused: 648 with stride and dilation, 504 whose output padding is not below the stride.
    assert done == {"size": 540, REFUSED: 648 + 504, FAILS: 24, EMPTY: 12}
    # What Keras accepts and TensorFlow cannot run is one kind of case, and every one of it:
    # 3 even kernels, 4 strides and 3 sizes (of which one pixel would give an empty picture).
    expected = [
        (size, options)
        for size, options in TRANSPOSED
        if options["kernel_size"] % 2 == 0
        and (options["padding"], options["output_padding"], options["dilation"]) == ("same", 0, 1)
    ]
    assert failing == expected
    assert len(failing) == 36


pairs = st.tuples(st.integers(1, 6), st.integers(1, 6))
either = st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4)))
paddings = st.sampled_from(["same", "valid", "SAME"])


@settings(max_examples=120, deadline=None, derandomize=True)
@given(size=pairs, kernel_size=either, stride=either, padding=paddings, dilation=either)
def test_convolution_with_axes_that_differ(size, **options):
    _, wrong, _ = compare([(size, options)], formulas.conv_size, conv)
    assert wrong == []


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    size=pairs,
    kernel_size=either,
    stride=either,
    padding=paddings,
    output_padding=st.one_of(
        st.none(), st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 2))
    ),
    dilation=st.sampled_from([1, 1, 2, (1, 2)]),
)
def test_transposed_convolution_with_axes_that_differ(size, **options):
    _, wrong, _ = compare([(size, options)], formulas.transposed_conv_size, transposed_conv)
    assert wrong == []


def test_popular_sketch_gives_119_not_400():
    size = formulas.conv_size(64, 3, padding="valid")
    size = formulas.conv_size(size, 3, padding="valid")
    size = formulas.transposed_conv_size(size, 3, 2, padding="valid")
    assert formulas.conv_size(size, 3, padding="valid") == 119


def test_sizes_are_ints_or_pairs_as_they_were_given():
    assert formulas.conv_size(400, 4, 2) == 200
    assert formulas.conv_size((400, 300), 4, 2) == (200, 150)
    assert formulas.conv_size(400, (4, 3), 2) == (200, 200)
    assert formulas.conv_size(np.int64(400), 4, 2) == 200


@pytest.mark.parametrize(
    ("text", "pair"),
    [("400", (400, 400)), (" 300x500 ", (300, 500)), ("300X500", (300, 500)), ("3 × 5", (3, 5))],
)
def test_sizes_are_read_from_text(text, pair):
    assert parse_size(text) == pair


@pytest.mark.parametrize("text", ["", "x", "400x", "x400", "-4", "4.5", "3x4x5", "٣", "wide"])
def test_text_that_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match=r"cannot read the size .* 400, or height and width"):
        parse_size(text)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parse_size("0x4"), "'0x4' has no pixels; it must be at least 1"),
        (lambda: formulas.conv_size((1, 2, 3), 3), "has length 3; give one whole number, or"),
        (lambda: formulas.conv_size(64.0, 3), "size=64.0 is not made of whole numbers; give one"),
        (lambda: formulas.conv_size("64", 3), "size='64' is not made of whole numbers"),
        (lambda: formulas.conv_size(True, 3), "size=True is not made of whole numbers"),
        (lambda: formulas.conv_size(0, 3), "size=0 is too small; it must be at least 1"),
        (lambda: formulas.conv_size(64, 0), "kernel_size=0 is too small; it must be at least 1"),
        (lambda: formulas.conv_size(64, 3, 0), "stride=0 is too small"),
        (lambda: formulas.conv_size(64, 3, dilation=0), "dilation=0 is too small"),
        (
            lambda: formulas.conv_size(64, 3, padding="full"),
            "padding 'full' is unknown; choose one of 'same', 'valid'",
        ),
        (lambda: formulas.conv_size(64, 3, padding=1), "padding 1 is unknown"),
        (
            lambda: formulas.conv_size(4, 5, padding="valid"),
            "spans 5 pixels does not fit into an input of 4 .* use a smaller kernel",
        ),
        (
            lambda: formulas.conv_size(64, 3, (2, 1), dilation=(1, 2)),
            r"Keras refuses stride=\(2, 1\) together with dilation=\(1, 2\); set one of them to 1",
        ),
        (
            lambda: formulas.transposed_conv_size(64, 3, 2, dilation=2),
            "Keras refuses stride=2 together with dilation=2",
        ),
        (
            lambda: formulas.transposed_conv_size(64, 3, 2, output_padding=2),
            "output_padding 2 is not below the stride, 2; use at most 1, or leave",
        ),
        (
            lambda: formulas.transposed_conv_size(64, 3, 2, output_padding=-1),
            "output_padding=-1 is too small; it must be at least 0",
        ),
        (
            lambda: formulas.transposed_conv_size(64, 4, 2, output_padding=0),
            "even 4 pixels, .* passes Keras' checks and fails when it runs; use an odd kernel",
        ),
    ],
)
def test_errors_say_what_was_received_and_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sizes_answer_without_importing_keras():
    script = (
        "import sys, keras_gen.sizes as s; s.routes(400, source=64); "
        "print([m for m in ('keras', 'tensorflow', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
