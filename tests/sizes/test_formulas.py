"""The arithmetic of layers, held against the layers of Keras: run, not only asked for shapes."""

import itertools
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import keras_gen  # noqa: F401 (it quiets Keras, so it comes first)
from keras_gen._util.arguments import as_pair, parse_size
from keras_gen.sizes import formulas, skip_connections

# isort: split
import keras
from keras import layers

REFUSED, FAILS, EMPTY = "refused", "fails when it runs", "gives an empty picture"
LIGHT = {"use_bias": False, "kernel_initializer": "zeros"}


def calculated(formula, *arguments, **options):
    """What the formula says: a pair, or that it refuses."""
    try:
        return as_pair(formula(*arguments, **options))
    except ValueError:
        return REFUSED


def measured(make_layer, size, channels=1):
    """What Keras does: the size of the picture that the layer really gives, or how it fails."""
    picture = np.zeros((1, *as_pair(size), channels), "float32")
    try:
        layer = make_layer()
        promised = layer.compute_output_shape(picture.shape)
    except ValueError:
        return REFUSED
    try:
        given = layer(picture).shape
    except Exception:  # TensorFlow's own classes among them, another on another machine
        return FAILS
    assert tuple(given) == tuple(promised), layer.get_config()
    return tuple(given[1:3]) if min(given) else EMPTY


def compare(cases, formula, make_layer, channels=1):
    """Run every case both ways; count what Keras does, and list where the formula disagrees."""
    done, wrong, failing = Counter(), [], []
    for size, options in cases:
        keras_says = measured(lambda: make_layer(**options), size, channels)  # noqa: B023
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
DEPTHWISE = grid(
    size=(2, 8),
    kernel_size=(2, 3),
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
POOLINGS = grid(
    size=(1, 2, 5, 8, 13),
    pool_size=(1, 2, 3, 5),
    stride=(None, 1, 2, 3, 6),
    padding=("same", "valid"),
)


def conv(kernel_size, stride, padding, dilation):
    return layers.Conv2D(1, kernel_size, stride, padding, dilation_rate=dilation, **LIGHT)


def depthwise_conv(kernel_size, stride, padding, dilation):
    return layers.DepthwiseConv2D(
        kernel_size, stride, padding, dilation_rate=dilation, use_bias=False
    )


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
    assert len(CONVOLUTIONS + DEPTHWISE + TRANSPOSED + POOLINGS) >= 2000


def test_convolution_gives_the_size_that_keras_gives():
    done, wrong, _ = compare(CONVOLUTIONS, formulas.conv_size, conv)
    assert wrong == []
    # Half of the grid has a stride and a dilation; in the other half 37 kernels do not fit.
    assert done == {"size": 240 - 37, REFUSED: 240 + 37}


def test_depthwise_convolution_takes_stride_and_dilation_together():
    done, wrong, _ = compare(DEPTHWISE, formulas.depthwise_conv_size, depthwise_conv)
    assert wrong == []
    assert done == {"size": 96 - 20, REFUSED: 20}  # those that do not fit into 2 pixels


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


@pytest.mark.parametrize("layer", [layers.MaxPooling2D, layers.AveragePooling2D])
def test_pooling_gives_the_size_that_keras_gives(layer):
    done, wrong, _ = compare(
        POOLINGS,
        formulas.pooling_size,
        lambda pool_size, stride, padding: layer(pool_size, stride, padding),
    )
    assert wrong == []
    assert done == {"size": 200 - 25, REFUSED: 25}


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


OTHER_LAYERS = [
    (formulas.upsampled_size, layers.UpSampling2D, [1, 2, 3, (2, 3), (1, 4), 0, -1]),
    (
        formulas.padded_size,
        layers.ZeroPadding2D,
        [0, 1, 3, (2, 3), (0, 1), ((1, 2), (0, 3)), ((0, 0), (0, 1)), -1, (-1, 2)],
    ),
    (
        formulas.cropped_size,
        layers.Cropping2D,
        [0, 1, 2, (1, 0), ((1, 2), (0, 3)), ((5, 0), (0, 0)), ((4, 0), (0, 0)), 3, 20, -1],
    ),
]


@pytest.mark.parametrize(("formula", "layer", "arguments"), OTHER_LAYERS)
@pytest.mark.parametrize("size", [5, 8, (5, 8), (9, 6)])
def test_layers_that_enlarge_pad_and_crop(formula, layer, arguments, size):
    for argument in arguments:
        keras_says = measured(lambda: layer(argument), size)  # noqa: B023
        expected = keras_says if isinstance(keras_says, tuple) else REFUSED
        assert calculated(formula, size, argument) == expected, argument


@pytest.mark.parametrize("size", [(6, 12), (7, 12), (10, 10)])
@pytest.mark.parametrize("block", [0, 1, 2, 3, 5])
def test_space_to_depth_and_depth_to_space(size, block):
    def space_to_depth():
        return keras.ops.space_to_depth(keras.KerasTensor((1, *size, 1)), block)

    try:
        expected = tuple(space_to_depth().shape[1:3])
        run = keras.ops.space_to_depth(np.zeros((1, *size, 1), "float32"), block)
        assert tuple(run.shape[1:3]) == expected
    except ValueError:
        expected = REFUSED
    assert calculated(formulas.space_to_depth_size, size, block) == expected
    if block > 1:
        deep = keras.ops.depth_to_space(np.zeros((1, *size, block**2), "float32"), block)
        assert tuple(deep.shape[1:3]) == formulas.upsampled_size(size, block)


@pytest.mark.parametrize("layer", [layers.Resizing, layers.CenterCrop, layers.RandomCrop])
@pytest.mark.parametrize("asked", [(3, 4), (9, 20)])
def test_layers_that_are_told_their_size_give_it(layer, asked):
    assert measured(lambda: layer(*asked), (6, 10)) == asked


def test_popular_sketch_gives_119_not_400():
    size = formulas.conv_size(64, 3, padding="valid")
    size = formulas.conv_size(size, 3, padding="valid")
    size = formulas.transposed_conv_size(size, 3, 2, padding="valid")
    assert formulas.conv_size(size, 3, padding="valid") == 119


def test_sizes_are_ints_or_pairs_as_they_were_given():
    assert formulas.conv_size(400, 4, 2) == 200
    assert formulas.conv_size((400, 300), 4, 2) == (200, 150)
    assert formulas.conv_size(400, (4, 3), 2) == (200, 200)
    assert formulas.padded_size(5, (1, 2)) == (7, 9)
    assert formulas.conv_size(np.int64(400), 4, 2) == 200


def test_unet_sizes():
    assert skip_connections.skip_sizes((48, 80), 4)[-1] == (3, 5)
    assert skip_connections.skip_sizes(7, 0) == [(7, 7)]
    with pytest.raises(ValueError, match=r"halves 400 to 12\.5; use 4 levels, or 384 or 416 pix"):
        skip_connections.skip_sizes(400, 5)
    with pytest.raises(ValueError, match=r"halves 6×400 to 1\.5 × 100; use 1 level, or 4×400 or 8"):
        skip_connections.skip_sizes((6, 400), 2)
    with pytest.raises(ValueError, match="use 0 levels, or 8 pixels"):
        skip_connections.skip_sizes(5, 3)


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
            "padding='full' is unknown; use 'same'",
        ),
        (lambda: formulas.conv_size(64, 3, padding=1), "padding=1 is unknown"),
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
        (lambda: formulas.pooling_size(4, 5), "does not fit into an input of 4"),
        (lambda: formulas.upsampled_size(4, 1.5), "scale=1.5 is not made of whole numbers"),
        (
            lambda: formulas.space_to_depth_size(400, 3),
            "a block of 3 does not divide 400 pixels; use 399 or 402 pixels, or another block",
        ),
        (lambda: formulas.space_to_depth_size(400, 1), "block_size=1 is too small"),
        (lambda: formulas.padded_size(4, -1), "padding=-1 is too small; it must be at least 0"),
        (lambda: formulas.cropped_size(4, 2), "cropping=2 leaves nothing of 4 pixels; use less"),
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
