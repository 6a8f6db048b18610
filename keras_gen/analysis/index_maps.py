"""Index maps: which inputs a layer's outputs read along one axis.

With kernel 3 and padding 1, the first output of a convolution reads the inputs -1, 0 and 1; the
next one, at stride 2, reads 1, 2 and 3. An `IndexMap` holds such a list in two forms: for the
outputs there are, without what lies outside the input, and as a pattern that repeats itself on an
unbounded grid.

The rules are those of Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
learning", with the paddings of TensorFlow. The tests compare them with the real layers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np

NOTHING = np.iinfo(np.int64).max  # a tap that reads no input


@dataclass(frozen=True, eq=False)
class IndexMap:
    """Which inputs each output of a layer reads along one axis.

    Attributes:
        size_in: number of inputs along the axis.
        inside: `(size_out, taps)` input indices, `size_in` where a tap reads nothing.
        pattern: `(phases, taps)` input indices of the first outputs on an unbounded grid, or `None`
            for a layer that does not repeat itself.
        advance: how far the pattern has moved after `phases` outputs.
    """

    size_in: int
    inside: np.ndarray
    pattern: np.ndarray | None = None
    advance: int = 0

    @property
    def size_out(self) -> int:
        return len(self.inside)

    @cached_property
    def empty(self) -> np.ndarray:
        """The outputs that read nothing."""
        return (self.inside == self.size_in).all(axis=1)

    @cached_property
    def empty_phases(self) -> np.ndarray:
        """The phases that read nothing on an unbounded grid."""
        return self.empty if self.pattern is None else (self.pattern == NOTHING).all(axis=1)

    def unbounded(self, phases: int) -> np.ndarray:
        """The input indices of the first `phases` outputs on an unbounded grid."""
        return _repeat_pattern(self.pattern, self.advance, phases)

    def only(self, tap: int) -> "IndexMap":
        """One of the taps by itself."""
        return replace(self, inside=self.inside[:, [tap]], pattern=self.pattern[:, [tap]])


def _repeat_pattern(pattern, advance, length):
    turns, phase = np.divmod(np.arange(length), len(pattern))
    taps = pattern[phase]
    return np.where(taps == NOTHING, NOTHING, taps + advance * turns[:, None])


def _inside(taps, size_in):
    return np.where((taps >= 0) & (taps < size_in), taps, size_in)


def repeating(size_in: int, size_out: int, pattern, advance: int) -> IndexMap:
    """A layer that repeats `pattern` every `advance` inputs and reads nothing outside."""
    pattern = np.asarray(pattern, dtype=np.int64)
    inside = _inside(_repeat_pattern(pattern, advance, size_out), size_in)
    return IndexMap(size_in, inside, pattern, advance)


def table(size_in: int, indices) -> IndexMap:
    """Indices listed one by one, `(size_out, taps)`: `size_in` for a tap that reads nothing."""
    return IndexMap(size_in, np.asarray(indices, dtype=np.int64))


@lru_cache(1024)
def window(size: int, kernel: int, stride: int = 1, dilation: int = 1, padding="same") -> IndexMap:
    """A convolution or a pooling.

    Args:
        size: number of inputs.
        kernel: number of taps.
        stride: step of the kernel.
        dilation: distance between the taps.
        padding: `"same"`, `"valid"` or `"causal"`.

    Returns:
        Output o reads the inputs `o * stride - left + dilation * j` for j = 0 … kernel-1.

    Example:
        >>> window(5, 3, stride=2).inside.tolist()  # 5 stands for "nothing"
        [[5, 0, 1], [1, 2, 3], [3, 4, 5]]
    """
    extent = dilation * (kernel - 1) + 1
    if padding == "same":  # TensorFlow puts the smaller half of the zeros before the first input
        size_out = math.ceil(size / stride)
        left = max((size_out - 1) * stride + extent - size, 0) // 2
    else:
        left = extent - 1 if padding == "causal" else 0
        size_out = (size + left - extent) // stride + 1
    return repeating(size, size_out, [[dilation * j - left for j in range(kernel)]], stride)


@lru_cache(1024)
def transposed(
    size: int,
    kernel: int,
    stride: int = 1,
    dilation: int = 1,
    padding: str = "same",
    output_padding: int | None = None,
) -> IndexMap:
    """A transposed convolution.

    Args:
        size: number of inputs.
        kernel: number of taps.
        stride: upscaling factor.
        dilation: distance between the taps.
        padding: `"same"` or `"valid"`.
        output_padding: as in Keras; `None` for Keras' default.

    Returns:
        Output o reads the inputs i for which `o + crop - i * stride` is a tap of the kernel. The
        outputs take turns: o and o + stride read alike, one input apart.

    Example:
        >>> transposed(3, 3, stride=2).inside.tolist()  # 3 stands for "nothing"
        [[0, 3], [0, 3], [1, 0], [1, 3], [2, 1], [2, 3]]
    """
    extent = dilation * (kernel - 1) + 1
    full = (size - 1) * stride + extent
    if padding == "valid":
        crop = 0
        size_out = full + (max(stride - extent, 0) if output_padding is None else output_padding)
    else:
        size_out = size * stride
        if output_padding is not None:
            size_out = (size - 1) * stride + extent % 2 + output_padding
        crop = max(full - size_out, 0) // 2
    pattern = np.full((stride, math.ceil(extent / stride)), NOTHING)
    for phase in range(stride):
        for j in range(pattern.shape[1]):
            index = (phase + crop) // stride - j
            offset = phase + crop - index * stride
            if offset < extent and offset % dilation == 0:
                pattern[phase, j] = index
    return repeating(size, size_out, pattern, 1)


@lru_cache(1024)
def repeated(size: int, factor: int) -> IndexMap:
    """Nearest-neighbour upsampling: output o reads input ⌊o / factor⌋."""
    return repeating(size, size * factor, np.zeros((factor, 1)), 1)


@lru_cache(1024)
def sliced(
    size: int, start: int | None, stop: int | None = None, step: int | None = None
) -> IndexMap:
    """The slice `x[start:stop:step]`."""
    chosen = range(size)[start:stop:step]
    return repeating(size, len(chosen), [[chosen.start]], chosen.step)


@lru_cache(1024)
def padded(size: int, before: int, after: int, mode: str = "constant") -> IndexMap:
    """Padding, in the modes of `numpy.pad` that repeat inputs or put constants."""
    size_out = before + size + after
    constant = repeating(size, size_out, [[-before]], 1)
    if mode == "constant":
        return constant
    indices = np.pad(np.arange(size), (before, after), mode=mode)
    return replace(constant, inside=indices[:, None])


@lru_cache(1024)
def rolled(size: int, shift: int) -> IndexMap:
    """`numpy.roll`, which has no pattern: an unbounded grid has no edge to roll around."""
    return table(size, ((np.arange(size) - shift) % size)[:, None])


@lru_cache(1024)
def grouped(size_in: int, size_out: int, groups: int) -> IndexMap:
    """The channels of a grouped convolution; a depthwise one has one group per channel."""
    each = size_in // groups
    group = np.arange(size_out) // (size_out // groups)
    return table(size_in, group[:, None] * each + np.arange(each))


@lru_cache(1024)
def causal(size: int) -> IndexMap:
    """A cumulative sum: output o reads the inputs 0 … o."""
    inputs = np.arange(size)
    return table(size, np.where(inputs[None] <= inputs[:, None], inputs[None], size))


@lru_cache(1024)
def adaptive(size: int, size_out: int) -> IndexMap:
    """Adaptive pooling: output o reads inputs ⌊o·r⌋ … ⌈(o+1)·r⌉-1 for r = size/size_out."""
    ratio = Fraction(size, size_out)
    starts = [math.floor(o * ratio) for o in range(ratio.denominator)]
    stops = [math.ceil((o + 1) * ratio) for o in range(ratio.denominator)]
    longest = max(stop - start for start, stop in zip(starts, stops, strict=True))
    pattern = np.full((ratio.denominator, longest), NOTHING)
    for phase, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        pattern[phase, : stop - start] = range(start, stop)
    return repeating(size, size_out, pattern, ratio.numerator)


@lru_cache(1024)
def resized(size: int, size_out: int, interpolation: str) -> IndexMap:
    """Resizing by `"nearest"`, `"bilinear"` or `"bicubic"`, with half-pixel centres.

    The centre of output o lies at x = (o + ½)·size/size_out - ½ among the inputs. TensorFlow works
    x out in float32, and where it falls beside a whole number that decides which inputs are read:
    from 14 to 23, output 11 reads input 6, where exact arithmetic says 7.

    Args:
        size: number of inputs.
        size_out: number of outputs.
        interpolation: `"nearest"`, `"bilinear"` or `"bicubic"`.

    Returns:
        An index map: its indices inside the image in float32, its pattern in exact arithmetic.

    Example:
        >>> resized(5, 8, "nearest").inside.ravel().tolist()
        [0, 0, 1, 2, 2, 3, 4, 4]
    """
    ratio = Fraction(size, size_out)
    output = np.arange(size_out, dtype=np.float32)
    half = np.float32(0.5)
    position = (output + half) * (np.float32(size) / np.float32(size_out))
    # Exactly, over one period: x = (2o + 1)·size/(2·size_out), as a whole number and a remainder.
    numerator = (2 * np.arange(ratio.denominator) + 1) * ratio.numerator
    denominator = 2 * ratio.denominator
    if interpolation == "nearest":
        inside = np.minimum(np.floor(position).astype(np.int64), size - 1)[:, None]
        return IndexMap(size, inside, (numerator // denominator)[:, None], ratio.numerator)
    position = position - half
    whole = np.floor(position)
    taps = _interpolate(whole.astype(np.int64), position - whole, interpolation)
    whole, rest = np.divmod(numerator - ratio.denominator, denominator)
    pattern = _interpolate(whole, rest / denominator, interpolation)
    return IndexMap(size, _inside(taps, size), pattern, ratio.numerator)


def _interpolate(whole, fraction, interpolation):
    """Taps around a position: those whose weight is not zero."""
    if interpolation == "bilinear":
        return np.stack([whole, np.where(fraction > 0, whole + 1, NOTHING)], axis=1)
    # TensorFlow looks the cubic's weights up in a table of 1024 steps a pixel.
    step = np.rint(fraction * 1024)
    taps = whole[:, None] + np.arange(-1, 3)
    alone = np.where(step == 0, 1, 2)
    lonely = (step == 0) | (step == 1024)
    return np.where(lonely[:, None] & (np.arange(4) != alone[:, None]), NOTHING, taps)


def weighted(size: int, size_out: int, weights: Callable[[int, int], np.ndarray]) -> IndexMap:
    """A resizing that is given by its weights.

    Args:
        size: number of inputs.
        size_out: number of outputs.
        weights: for a number of inputs and of outputs, the array `(outputs, inputs)` of weights.

    Returns:
        Every input whose weight is not zero. The pattern is found in the middle of a larger image,
        far from its borders.
    """
    ratio = Fraction(size, size_out)
    inside = _nonzero(weights(size, size_out), size)
    turns = 2 + math.ceil(2 * inside.shape[1] / ratio.numerator)
    many = weights(2 * turns * ratio.numerator, 2 * turns * ratio.denominator)
    middle = many[turns * ratio.denominator : (turns + 1) * ratio.denominator]
    pattern = _nonzero(middle, NOTHING)
    pattern = np.where(pattern == NOTHING, NOTHING, pattern - turns * ratio.numerator)
    return IndexMap(size, inside, pattern, ratio.numerator)


def _nonzero(weights, nothing):
    """The indices of the weights that are not zero, row by row."""
    found = [np.flatnonzero(row) for row in weights]
    indices = np.full((len(weights), max(map(len, found))), nothing, dtype=np.int64)
    for row, columns in zip(indices, found, strict=True):
        row[: len(columns)] = columns
    return indices
