"""Intervals of image indices, one for each element of a tensor, along one axis of the image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from keras_gen.analysis.index_maps import NOTHING, IndexMap

LONGEST_PERIOD = 1 << 16  # beyond it a pattern counts as aperiodic


CONSTANT = -1e300  # the upper end of an empty interval of an element that need not be zero


@dataclass(frozen=True, eq=False)
class Intervals:
    """The receptive fields of all elements of a tensor along one axis of the image.

    `low` and `high` have an axis for each axis of the tensor. It has length 1 if all elements along
    it have the same interval, the length of the tensor's axis, or that of a period after which the
    interval is the same but for a step.

    An empty interval has `low = inf`, and `high = -inf` if the element is zero (it comes from zero
    padding) or else `CONSTANT`; the order of these ends makes hulls come out right. An interval
    that covers an unbounded grid has the ends `-inf` and `inf`. The ends are `nan` if the intervals
    have no period any more.

    Attributes:
        low: the first index of each interval, float64.
        high: the last index of each interval, float64.
        steps: for each axis of the tensor, by how many indices the intervals move in one period.
    """

    low: np.ndarray
    high: np.ndarray
    steps: tuple[int, ...]

    @classmethod
    def constant(cls, rank: int, low: float, high: float) -> "Intervals":
        return cls(np.full((1,) * rank, low), np.full((1,) * rank, high), (0,) * rank)

    @property
    def rigid(self) -> bool:
        """Whether the steps matter: infinite ends stay where they are."""
        return bool(np.isfinite(self.low).any())

    @property
    def aperiodic(self) -> bool:
        return bool(np.isnan(self.low).any())

    @property
    def empty(self) -> np.ndarray:
        """Which intervals are empty."""
        return self.low > self.high

    @property
    def zero(self) -> np.ndarray:
        """Which elements have an empty interval and are zero."""
        return self.high == -np.inf

    def varies(self, axis: int) -> bool:
        return self.low.shape[axis] > 1 or self.steps[axis] != 0

    def at(self, index: Sequence[int]) -> tuple[float, float]:
        """The ends of one interval that is written out."""
        place = tuple(i if size > 1 else 0 for i, size in zip(index, self.low.shape, strict=True))
        return self.low[place], self.high[place]

    def stride(self, axis: int) -> Fraction:
        return Fraction(self.steps[axis], self.low.shape[axis])

    def map(self, change, steps=None) -> "Intervals":
        """Change both ends alike; `change(ends, none)` gets the end of an empty interval."""
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
        """Keep the first interval only, for all elements along an axis."""
        return self.map(lambda ends, _: ends.take([0], axis), changed(self.steps, axis, 0))

    def hull(self, axis: int) -> "Intervals":
        """One interval for all elements along an axis."""
        if not self.varies(axis):
            return self
        low, high = self.low.min(axis, keepdims=True), self.high.max(axis, keepdims=True)
        if self.steps[axis]:  # on an unbounded grid, moving intervals cover everything
            finite = np.isfinite(low)
            low, high = np.where(finite, -np.inf, low), np.where(finite, np.inf, high)
        return Intervals(low, high, changed(self.steps, axis, 0))

    def gather(self, axis: int, index_map: IndexMap) -> "Intervals":
        """The hulls of the intervals that each output reads along an axis."""
        if not self.varies(axis):
            return self
        period, step = self.low.shape[axis], self.steps[axis]
        if step == 0 and period == index_map.size_in:
            nothing, indices = index_map.inside == index_map.size_in, index_map.inside
            shift, moved = None, 0
        elif index_map.pattern is None or len(index_map.pattern) * period > LONGEST_PERIOD:
            return Intervals.constant(self.low.ndim, np.nan, np.nan)
        else:
            common = math.gcd(period, index_map.advance)
            indices = index_map.unbounded(len(index_map.pattern) * period // common)
            nothing, moved = indices == NOTHING, step * index_map.advance // common
            shift, indices = np.divmod(np.where(nothing, 0, indices), period)
            shift = along(step * shift, axis, self.low.ndim)
        nothing = along(nothing, axis, self.low.ndim)

        def read(ends, none):
            found = ends.take(indices, axis, mode="clip")
            found = np.where(nothing, none, found if shift is None else found + shift)
            return found.min(axis + 1) if none > 0 else found.max(axis + 1)

        return self.map(read, changed(self.steps, axis, moved))

    def transpose(self, order: Sequence[int]) -> "Intervals":
        steps = tuple(self.steps[axis] for axis in order)
        return self.map(lambda ends, _: ends.transpose(order), steps)

    def reshape(self, old: tuple[int, ...], new: tuple[int, ...]) -> "Intervals":
        """Follow `numpy.reshape` from the tensor shape `old` to `new`."""
        result, at = self, 0
        for olds, news in matching_axes(old, new):
            sizes = [old[axis] for axis in olds], [new[axis] for axis in news]
            result = result._regroup(at, *sizes)
            if result is None:
                return Intervals.constant(len(new), np.nan, np.nan)
            at += len(news)
        return result

    def _regroup(self, at, olds, news):
        """Reshape the axes `at …` of sizes `olds` into `news`; `None` if the period is lost."""
        axes = range(at, at + len(olds))
        leading = next((axis for axis, size in zip(axes, olds, strict=True) if size > 1), at)
        result = self
        for axis, size in zip(axes, olds, strict=True):
            if size == 1 and (axis != leading or not news):
                result = result.freeze(axis)
        if not any(result.varies(axis) for axis in axes):
            return result._fold(at, len(olds), (1,) * len(news), (0,) * len(news))
        if any(result.steps[axis] for axis in axes if axis != leading):
            return None
        for axis, size in zip(axes, olds, strict=True):
            if not result.steps[axis]:
                result = result.stretch(axis, size)
        step = result.steps[leading]
        # Flatten into one row that repeats itself (or not), then split the row into the new axes.
        length = math.prod(result.low.shape[at : at + len(olds)])
        result = result._fold(at, len(olds), (length,), (step,))
        first = next((k for k, size in enumerate(news) if size > 1), 0)
        rest = math.prod(news[first + 1 :])
        if step:
            result = result.stretch(at, math.lcm(result.low.shape[at], rest))
        shape = (*news[:first], result.low.shape[at] // rest, *news[first + 1 :])
        steps = tuple(result.steps[at] if k == first else 0 for k in range(len(news)))
        return result._fold(at, 1, shape, steps)

    def _fold(self, at, count, shape, steps):
        """Replace the `count` axes from `at` on by axes of other sizes and steps."""
        whole = (*self.low.shape[:at], *shape, *self.low.shape[at + count :])
        steps = (*self.steps[:at], *steps, *self.steps[at + count :])
        return Intervals(self.low.reshape(whole), self.high.reshape(whole), steps)

    def compress(self) -> "Intervals":
        """Drop the axes along which all intervals are the same."""
        result = self
        for axis in range(self.low.ndim):
            first = result.freeze(axis)
            if result.low.shape[axis] > 1 and not result.steps[axis]:
                same = (result.low == first.low) & (result.high == first.high)
                result = first if same.all() else result
        return result


def along(values, axis, rank):
    """Give `values` (one or two axes) the place of `axis` in an array of `rank` axes."""
    return values.reshape(values.shape + (1,) * (rank - axis - 1))


def changed(steps, axis, step):
    """The steps with another one along one axis."""
    return (*steps[:axis], step, *steps[axis + 1 :])


def matching_axes(old: Sequence[int], new: Sequence[int]) -> list[tuple[range, range]]:
    """Split two shapes of equal size into the shortest runs of axes with equally many elements.

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
