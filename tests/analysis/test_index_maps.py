"""Index maps against the weights of the real layers, which unit vectors reveal."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_gen.analysis import index_maps
from keras_gen.analysis.rules_windows import _resizing_weights


def same(found: index_maps.IndexMap, weights):
    """Whether an index map reads exactly the inputs whose weight is not zero."""
    read = np.zeros((found.size_out, found.size_in + 1), dtype=bool)
    np.put_along_axis(read, found.inside, True, axis=1)
    return read[:, :-1].shape == weights.shape and (read[:, :-1] == (weights != 0)).all()


def weights_of(layer, size):
    """The matrix of a linear layer of one axis and one channel."""
    return ops.convert_to_numpy(layer(np.eye(size, dtype="float32")[:, :, None]))[..., 0].T


def ones(kind, *args, **options):
    return kind(1, *args, kernel_initializer="ones", use_bias=False, **options)


@pytest.mark.parametrize("padding", ["same", "valid", "causal"])
def test_windows(padding):
    for size in (5, 8, 9):
        for kernel in (1, 2, 3, 5):
            for stride, dilation in ((1, 1), (2, 1), (3, 1), (1, 2), (1, 3)):
                if padding == "valid" and dilation * (kernel - 1) >= size:
                    continue
                options = {"strides": stride, "dilation_rate": dilation, "padding": padding}
                layer = ones(layers.Conv1D, kernel, **options)
                found = index_maps.window(size, kernel, stride, dilation, padding)
                assert same(found, weights_of(layer, size)), (size, kernel, options)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_transposed(padding):
    for size in (1, 2, 5):
        for kernel in range(1, 7):
            for stride in range(1, 5):
                for extra in (None, *range(stride)):
                    if extra == 0 and padding == "same" and kernel % 2 == 0:
                        continue  # accepted, and aborted on
                    layer = ones(
                        layers.Conv1DTranspose,
                        kernel,
                        stride,
                        padding=padding,
                        output_padding=extra,
                    )
                    found = index_maps.transposed(size, kernel, stride, 1, padding, extra)
                    assert same(found, weights_of(layer, size)), (size, kernel, stride, extra)


def test_transposed_is_the_transpose_of_a_dilated_window():
    """TensorFlow does not run dilated transposed convolutions on a CPU; algebra does."""
    for kernel, dilation in ((2, 2), (3, 2), (3, 3), (4, 2)):
        for size in (4, 7):
            for padding in ("same", "valid"):
                found = index_maps.transposed(size, kernel, 1, dilation, padding)
                forward = index_maps.window(found.size_out, kernel, 1, dilation, padding)
                pairs = {(i, o) for o, row in enumerate(found.inside) for i in row if i < size}
                transposed = {
                    (i, o)
                    for i, row in enumerate(forward.inside)
                    for o in row
                    if o < found.size_out
                }
                assert pairs == transposed


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_resizing_in_single_precision(interpolation):
    """All sizes up to 40, and some large ones, where float32 decides."""
    pairs = [(n, m) for n in range(1, 41) for m in range(1, 41, 3)]
    pairs += [(64, 400), (400, 64), (399, 401), (701, 700), (333, 1000), (1000, 333), (14, 23)]
    for size, size_out in pairs:
        weights = _resizing_weights(interpolation, False, size, size_out)
        assert same(index_maps.resized(size, size_out, interpolation), weights), (size, size_out)


def test_float32_decides_what_nearest_reads():
    """From 14 to 23, output 11: exact arithmetic says ⌊11.5·14/23⌋ = 7."""
    found = index_maps.resized(14, 23, "nearest")
    assert found.inside[11] == 6
    assert found.pattern[11] == 7


@pytest.mark.parametrize("kind", [layers.AdaptiveAveragePooling1D, layers.AdaptiveMaxPooling1D])
def test_adaptive_pooling(kind):
    for size in range(1, 30):
        for size_out in range(1, size + 1):
            weights = weights_of(kind(size_out, dtype="float64"), size)
            assert same(index_maps.adaptive(size, size_out), weights), (size, size_out)


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric"])
def test_padding(mode):
    for before, after in ((0, 3), (2, 0), (3, 3)):
        weights = ops.convert_to_numpy(ops.pad(np.eye(5), [[before, after], [0, 0]], mode=mode))
        assert same(index_maps.padded(5, before, after, mode), weights)


def patterns():
    yield index_maps.window(60, 3, 2, 1, "same")
    yield index_maps.window(60, 4, 3, 1, "valid")
    yield index_maps.transposed(30, 5, 3, 1, "same")
    yield index_maps.transposed(30, 2, 3, 1, "valid")
    yield index_maps.repeated(30, 3)
    yield index_maps.sliced(60, 5, -5, 3)
    yield index_maps.sliced(60, None, None, -2)
    yield index_maps.adaptive(60, 24)
    yield index_maps.resized(40, 60, "bicubic")
    yield index_maps.resized(60, 25, "bilinear")
    yield index_maps.padded(40, 4, 4, "reflect")
    yield index_maps.weighted(40, 60, lambda *sizes: _resizing_weights("lanczos3", False, *sizes))
    yield index_maps.weighted(60, 24, lambda *sizes: _resizing_weights("bilinear", True, *sizes))


@pytest.mark.parametrize("found", list(patterns()))
def test_patterns_agree_with_the_middle(found):
    """Far from the borders, the outputs read what the unbounded pattern says."""
    middle = slice(found.size_out // 3, 2 * found.size_out // 3)
    unbounded = found.unbounded(found.size_out)[middle]
    inside = found.inside[middle]
    for one, other in zip(unbounded, inside, strict=True):
        assert set(one[one != index_maps.NOTHING]) == set(other[other != found.size_in])


def test_keras_still_refuses_strides_with_dilation():
    with pytest.raises(ValueError, match="dilation_rate"):
        keras.layers.Conv1D(1, 3, strides=2, dilation_rate=2)
