"""TODO: say what this module holds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from keras_gen.analysis.index_maps import NOTHING, IndexMap

LONGEST_PERIOD = 1 << 16  # beyond it a pattern counts as having no period


CONSTANT = -1e300  # the upper end of an element that sees nothing and need not be zero


# ---------------------------------------------------------------------------------------------
# Spans: all elements of a tensor, one axis of the image
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Intervals:
    """What every element of a tensor sees along one axis of the image.

    `low` and `high` have an axis for each axis of the tensor: of length 1 where the elements see
    alike, of the axis' own length, or of a period after which the interval is the same but for a
    step. An element that sees nothing has `low = inf`, and `high = -inf` if it is zero (it comes
    from zero padding) or else `CONSTANT`; the order of these ends lets hulls come out right. One
    that sees everything on an endless grid has the ends `-inf` and `inf`, and `nan` stands for a
    pattern that has no period any more.
    """

    low: np.ndarray
    high: np.ndarray
    steps: tuple[int, ...]  # for each axis of the tensor, how far one period moves

    @classmethod
    def constant(cls, rank: int, low: float, high: float) -> "Intervals":
        return cls(np.full((1,) * rank, low), np.full((1,) * rank, high), (0,) * rank)

    @property
    def rigid(self) -> bool:
        """Whether the steps matter: infinite ends stay where they are."""
        return bool(np.isfinite(self.low).any())

    @property
    def lost(self) -> bool:
        return bool(np.isnan(self.low).any())

    @property
    def blind(self) -> np.ndarray:
        """The elements that see nothing."""
        return self.low > self.high

    @property
    def zero(self) -> np.ndarray:
        """The elements that see nothing and are zero."""
        return self.high == -np.inf

    def varies(self, axis: int) -> bool:
        return self.low.shape[axis] > 1 or self.steps[axis] != 0

    def at(self, index: Sequence[int]) -> tuple[float, float]:
        """The ends of one element that is written out."""
        place = tuple(i if size > 1 else 0 for i, size in zip(index, self.low.shape, strict=True))
        return self.low[place], self.high[place]

    def stride(self, axis: int) -> Fraction:
        return Fraction(self.steps[axis], self.low.shape[axis])

    def map(self, change, steps=None) -> "Intervals":
        """Change both ends alike; `change(ends, none)` gets the end that stands for nothing."""
        return Intervals(change(self.low, np.inf), change(self.high, -np.inf), steps or self.steps)

    def stretch(self, axis: int, length: int) -> "Intervals":
        """Write out the first `length` elements along an axis."""
        period, step = self.low.shape[axis], self.steps[axis]
        if period == length:
            return self
        turns, phase = np.divmod(np.arange(length), period)
        shift = along(step * turns, axis, self.low.ndim)
        steps = changed(self.steps, axis, step * length // period)
        return self.map(lambda ends, _: ends.take(phase, axis) + shift, steps)

    def freeze(self, axis: int) -> "Intervals":
        """Keep the first element only, for all positions along an axis."""
        return self.map(lambda ends, _: ends.take([0], axis), changed(self.steps, axis, 0))

    def hull(self, axis: int) -> "Intervals":
        """One interval for all elements along an axis."""
        if not self.varies(axis):
            return self
        low, high = self.low.min(axis, keepdims=True), self.high.max(axis, keepdims=True)
        if self.steps[axis]:  # on an endless grid, moving intervals cover everything
            seeing = np.isfinite(low)
            low, high = np.where(seeing, -np.inf, low), np.where(seeing, np.inf, high)
        return Intervals(low, high, changed(self.steps, axis, 0))

    def gather(self, axis: int, taps: IndexMap) -> "Intervals":
        """The hulls of the intervals that the taps read along an axis."""
        if not self.varies(axis):
            return self
        period, step = self.low.shape[axis], self.steps[axis]
        if step == 0 and period == taps.size_in:
            empty, indices = taps.inside == taps.size_in, taps.inside
            shift, moved = None, 0
        elif taps.pattern is None or len(taps.pattern) * period > LONGEST_PERIOD:
            return Intervals.constant(self.low.ndim, np.nan, np.nan)
        else:
            common = math.gcd(period, taps.advance)
            indices = taps.endless(len(taps.pattern) * period // common)
            empty, moved = indices == NOTHING, step * taps.advance // common
            shift, indices = np.divmod(np.where(empty, 0, indices), period)
            shift = along(step * shift, axis, self.low.ndim)
        empty = along(empty, axis, self.low.ndim)

        def read(ends, none):
            found = ends.take(indices, axis, mode="clip")
            found = np.where(empty, none, found if shift is None else found + shift)
            return found.min(axis + 1) if none > 0 else found.max(axis + 1)

        return self.map(read, changed(self.steps, axis, moved))

    def transpose(self, order: Sequence[int]) -> "Intervals":
        steps = tuple(self.steps[axis] for axis in order)
        return self.map(lambda ends, _: ends.transpose(order), steps)

    def reshape(self, old: tuple[int, ...], new: tuple[int, ...]) -> "Intervals":
        """Follow `numpy.reshape` from the tensor shape `old` to `new`."""
        span, at = self, 0
        for olds, news in matching_axes(old, new):
            span = span._regroup(at, [old[axis] for axis in olds], [new[axis] for axis in news])
            if span is None:
                return Intervals.constant(len(new), np.nan, np.nan)
            at += len(news)
        return span

    def _regroup(self, at, olds, news):
        """Reshape the axes `at …` of sizes `olds` into `news`; `None` where the period is lost."""
        axes = range(at, at + len(olds))
        leading = next((axis for axis, size in zip(axes, olds, strict=True) if size > 1), at)
        span = self
        for axis, size in zip(axes, olds, strict=True):
            if size == 1 and (axis != leading or not news):
                span = span.freeze(axis)
        if not any(span.varies(axis) for axis in axes):
            return span._fold(at, len(olds), (1,) * len(news), (0,) * len(news))
        if any(span.steps[axis] for axis in axes if axis != leading):
            return None
        for axis, size in zip(axes, olds, strict=True):
            if not span.steps[axis]:
                span = span.stretch(axis, size)
        step = span.steps[leading]
        # Now flat, as one row that repeats itself (or not); then cut into the new axes.
        span = span._fold(at, len(olds), (math.prod(span.low.shape[at : at + len(olds)]),), (step,))
        first = next((k for k, size in enumerate(news) if size > 1), 0)
        rest = math.prod(news[first + 1 :])
        if step:
            span = span.stretch(at, math.lcm(span.low.shape[at], rest))
        shape = (*news[:first], span.low.shape[at] // rest, *news[first + 1 :])
        steps = tuple(span.steps[at] if k == first else 0 for k in range(len(news)))
        return span._fold(at, 1, shape, steps)

    def _fold(self, at, count, shape, steps):
        whole = (*self.low.shape[:at], *shape, *self.low.shape[at + count :])
        steps = (*self.steps[:at], *steps, *self.steps[at + count :])
        return Intervals(self.low.reshape(whole), self.high.reshape(whole), steps)

    def compress(self) -> "Intervals":
        """Drop the axes along which all elements see alike."""
        span = self
        for axis in range(self.low.ndim):
            first = span.freeze(axis)
            if span.low.shape[axis] > 1 and not span.steps[axis]:
                same = (span.low == first.low) & (span.high == first.high)
                span = first if same.all() else span
        return span


def along(values, axis, rank):
    """Give `values` (one or two axes) the place of `axis` in an array of `rank` axes."""
    return values.reshape(values.shape + (1,) * (rank - axis - 1))


def changed(steps, axis, step):
    return (*steps[:axis], step, *steps[axis + 1 :])


def matching_axes(old: Sequence[int], new: Sequence[int]) -> list[tuple[range, range]]:
    """Cut two shapes of equal size into the shortest runs of axes that hold equally many elements.

    Example:
        >>> matching_axes((1, 25, 25, 12), (1, 625, 3, 4))
        [(range(0, 1), range(0, 1)), (range(1, 3), range(1, 2)), (range(3, 4), range(2, 4))]
    """
    runs, i, j = [], 0, 0
    while i < len(old) or j < len(new):
        start, left, right = (i, j), 1, 1
        if i < len(old):
            left, i = old[i], i + 1
        if j < len(new):
            right, j = new[j], j + 1
        while left != right:
            if left < right:
                left, i = left * old[i], i + 1
            else:
                right, j = right * new[j], j + 1
        runs.append((range(start[0], i), range(start[1], j)))
    return runs
