"""What the elements of a tensor see of an image: intervals of indices, carried forwards.

For every element of a tensor and for every axis of the image, a *span* holds the lowest and the
highest index that the element sees. The hull of what a layer's taps see is what its output sees:
nothing more is needed for a whole network, however branched, and it is exact, because the hull of a
union is the hull of the hulls. The arrays broadcast, so that a tensor of 400×400×64 elements costs
two columns of 400 numbers as long as its channels see alike.

Spans start in two ways, and the same code then answers two questions. *Clipped* spans start from
the indices 0 … n-1 of an image: what does this output really see? *Endless* spans start from one
index and the step to the next, on a grid without edges, where layers repeat themselves after a
period: what is the field of this architecture?

A *view* has one span for each axis of the image. What one tensor sees, its `Field`, has a clipped
view and an endless one (see `sight`).

Araujo, Norris and Sim (2019), "Computing receptive fields of convolutional neural networks", treat
the endless grid for encoders. Decoders, their phases and the borders are treated here.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce

import numpy as np

from keras_gen.taps import NOTHING, Taps

LONGEST_PERIOD = 1 << 16  # beyond it a pattern counts as having no period
CONSTANT = -1e300  # the upper end of an element that sees nothing and need not be zero

# ---------------------------------------------------------------------------------------------
# Spans: all elements of a tensor, one axis of the image
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Span:
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
    def constant(cls, rank: int, low: float, high: float) -> "Span":
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

    def map(self, change, steps=None) -> "Span":
        """Change both ends alike; `change(ends, none)` gets the end that stands for nothing."""
        return Span(change(self.low, np.inf), change(self.high, -np.inf), steps or self.steps)

    def stretch(self, axis: int, length: int) -> "Span":
        """Write out the first `length` elements along an axis."""
        period, step = self.low.shape[axis], self.steps[axis]
        if period == length:
            return self
        turns, phase = np.divmod(np.arange(length), period)
        shift = _along(step * turns, axis, self.low.ndim)
        steps = _changed(self.steps, axis, step * length // period)
        return self.map(lambda ends, _: ends.take(phase, axis) + shift, steps)

    def freeze(self, axis: int) -> "Span":
        """Keep the first element only, for all positions along an axis."""
        return self.map(lambda ends, _: ends.take([0], axis), _changed(self.steps, axis, 0))

    def hull(self, axis: int) -> "Span":
        """One interval for all elements along an axis."""
        if not self.varies(axis):
            return self
        low, high = self.low.min(axis, keepdims=True), self.high.max(axis, keepdims=True)
        if self.steps[axis]:  # on an endless grid, moving intervals cover everything
            seeing = np.isfinite(low)
            low, high = np.where(seeing, -np.inf, low), np.where(seeing, np.inf, high)
        return Span(low, high, _changed(self.steps, axis, 0))

    def gather(self, axis: int, taps: Taps) -> "Span":
        """The hulls of the intervals that the taps read along an axis."""
        if not self.varies(axis):
            return self
        period, step = self.low.shape[axis], self.steps[axis]
        if step == 0 and period == taps.size_in:
            empty, indices = taps.inside == taps.size_in, taps.inside
            shift, moved = None, 0
        elif taps.pattern is None or len(taps.pattern) * period > LONGEST_PERIOD:
            return Span.constant(self.low.ndim, np.nan, np.nan)
        else:
            common = math.gcd(period, taps.advance)
            indices = taps.endless(len(taps.pattern) * period // common)
            empty, moved = indices == NOTHING, step * taps.advance // common
            shift, indices = np.divmod(np.where(empty, 0, indices), period)
            shift = _along(step * shift, axis, self.low.ndim)
        empty = _along(empty, axis, self.low.ndim)

        def read(ends, none):
            found = ends.take(indices, axis, mode="clip")
            found = np.where(empty, none, found if shift is None else found + shift)
            return found.min(axis + 1) if none > 0 else found.max(axis + 1)

        return self.map(read, _changed(self.steps, axis, moved))

    def transpose(self, order: Sequence[int]) -> "Span":
        steps = tuple(self.steps[axis] for axis in order)
        return self.map(lambda ends, _: ends.transpose(order), steps)

    def reshape(self, old: tuple[int, ...], new: tuple[int, ...]) -> "Span":
        """Follow `numpy.reshape` from the tensor shape `old` to `new`."""
        span, at = self, 0
        for olds, news in matching_axes(old, new):
            span = span._regroup(at, [old[axis] for axis in olds], [new[axis] for axis in news])
            if span is None:
                return Span.constant(len(new), np.nan, np.nan)
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
        return Span(self.low.reshape(whole), self.high.reshape(whole), steps)

    def compress(self) -> "Span":
        """Drop the axes along which all elements see alike."""
        span = self
        for axis in range(self.low.ndim):
            first = span.freeze(axis)
            if span.low.shape[axis] > 1 and not span.steps[axis]:
                same = (span.low == first.low) & (span.high == first.high)
                span = first if same.all() else span
        return span


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


def _along(values, axis, rank):
    """Give `values` (one or two axes) the place of `axis` in an array of `rank` axes."""
    return values.reshape(values.shape + (1,) * (rank - axis - 1))


def _changed(steps, axis, step):
    return (*steps[:axis], step, *steps[axis + 1 :])


# ---------------------------------------------------------------------------------------------
# Views: all axes of the image
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class View:
    """What every element of a tensor sees of the image: one span for each axis of the image.

    An element sees a box. Where one side of the box is empty the element sees nothing, and before
    boxes of different elements join, every side has to know (`_settled`).
    """

    spans: tuple[Span, ...]
    endless: bool

    @property
    def rank(self) -> int:
        return self.spans[0].low.ndim

    @property
    def whole(self) -> bool:
        """Whether all elements see everything on an endless grid."""
        return all((span.low == -np.inf).all() for span in self.spans)

    @property
    def blind(self) -> bool:
        """Whether no element sees anything."""
        return any(span.blind.all() for span in self.spans)

    def map(self, change) -> "View":
        return replace(self, spans=tuple(change(span) for span in self.spans))

    def gather(self, axis: int, taps: Taps) -> "View":
        view = self._settled(axis)
        varies = any(span.varies(axis) for span in view.spans)
        view = view.map(lambda span: span.gather(axis, taps))
        blind = taps.blind_phases if self.endless else taps.blind
        if varies or not blind.any():
            return view
        first, *others = view.spans  # all inputs see alike, but some outputs read none of them
        hidden = _along(blind, axis, first.low.ndim)
        first = first.map(lambda ends, none: np.where(hidden, none, ends))
        return replace(view, spans=(first, *others))

    def hull(self, axis: int) -> "View":
        view = self
        if self._tangled(axis):
            view = self._distinct(axis)._settled(axis)
        return view.map(lambda span: span.hull(axis))

    def _tangled(self, axis):
        """Whether joining elements along an axis needs every side to know the empty ones."""
        varying = [span for span in self.spans if axis is None or span.varies(axis)]
        return len(varying) > 1 and any(span.blind.any() for span in self.spans)

    def _settled(self, axis=None):
        """Write the elements that see nothing into every side of the box."""
        if not self._tangled(axis):
            return self
        spans = _aligned(self.spans)
        blind = reduce(np.logical_or, [span.blind for span in spans])
        zero = reduce(np.logical_or, [span.zero for span in spans])
        return replace(self, spans=tuple(_hidden(span, blind, zero) for span in spans))

    def lifted(self) -> "View":
        """The view after a constant was added: what sees nothing is no longer zero."""
        if not any(span.zero.any() for span in self.spans):
            return self
        return self.map(lambda span: _hidden(span, span.blind, False))

    def _distinct(self, axis):
        """Keep one of several elements along an axis that see alike: a hull needs no more."""
        spans = [span for span in self.spans if span.varies(axis)]
        length = spans[0].low.shape[axis]
        if any(span.steps[axis] or span.low.shape[axis] != length for span in spans):
            return self
        ends = [np.moveaxis(ends, axis, 0) for span in spans for ends in (span.low, span.high)]
        first = {b"".join(values[k].tobytes() for values in ends): k for k in range(length)}
        chosen = sorted(first.values())
        return self.map(
            lambda span: (
                span.map(lambda ends, _: ends.take(chosen, axis)) if span.varies(axis) else span
            )
        )


def _hidden(span, blind, zero):
    """Let the elements marked `blind` see nothing."""
    low = np.where(blind, np.inf, span.low)
    high = np.where(zero, -np.inf, np.where(blind, CONSTANT, span.high))
    return replace(span, low=low, high=high)


def _aligned(spans):
    """Write spans out so that each axis has one period; they may move by different steps."""
    for axis in range(spans[0].low.ndim):
        length = math.lcm(*(span.low.shape[axis] for span in spans))
        spans = [span.stretch(axis, length) for span in spans]
    return spans


def _in_step(spans, but=None):
    """Align spans of one axis of the image; `None` where they move at different strides.

    Args:
        spans: what several tensors see along one axis of the image.
        but: an axis of the tensors to leave as it is.
    """
    rigid = [span for span in spans if span.rigid] or spans[:1]
    for axis in set(range(spans[0].low.ndim)) - {but}:
        strides = {span.stride(axis) for span in rigid}
        length = math.lcm(*(span.low.shape[axis] for span in spans))
        if len(strides) > 1 or length > LONGEST_PERIOD:
            return None
        step = int(strides.pop() * length)
        spans = [span.stretch(axis, length) for span in spans]
        spans = [replace(span, steps=_changed(span.steps, axis, step)) for span in spans]
    return spans


def _centred(spans):
    """Whether intervals that are joined have the same centre."""
    seeing = [np.isfinite(span.low) for span in spans]
    centres = [
        np.where(seen, np.where(seen, span.low, 0) + np.where(seen, span.high, 0), np.nan)
        for span, seen in zip(spans, seeing, strict=True)
    ]
    pairs = itertools.pairwise(centre for centre in centres if not np.isnan(centre).all())
    return not any((np.abs(one - other) > 0).any() for one, other in pairs)


def union(views: Sequence[View], *, product: bool = False) -> tuple[View, bool]:
    """Join the views of branches that meet element by element.

    Args:
        views: what the branches see, all of the same rank.
        product: whether the branches are multiplied: then nothing is seen past a zero.

    Returns:
        The hull, and whether the branches are centred on one another. Where they are not, the hull
        need not be the field of any one branch.
    """
    rank = views[0].rank
    views = [view._settled() for view in views]
    joined, centred = [], True
    for spans in zip(*(view.spans for view in views), strict=True):
        spans = None if any(span.lost for span in spans) else _in_step(spans)
        if spans is None:
            joined.append(Span.constant(rank, np.nan, np.nan))
            centred = False
            continue
        low = reduce(np.minimum, [span.low for span in spans])
        high = reduce(np.maximum, [span.high for span in spans])
        span = Span(low, high, spans[0].steps)
        if product:
            zero = reduce(np.logical_or, [span.zero for span in spans])
            span = _hidden(span, zero, zero)
        joined.append(span.compress())
        centred = centred and _centred(spans)
    return View(tuple(joined), views[0].endless), centred


def concatenate(views: Sequence[View], axis: int, sizes: Sequence[int]) -> tuple[View, bool]:
    """Join the views of branches that are put side by side along an axis.

    Args:
        views: what the branches see, all of the same rank.
        axis: the axis along which they are put side by side.
        sizes: how many elements each branch has along it.

    Returns:
        The view of the whole, and whether the branches are centred on one another.
    """
    joined, centred = [], True
    for spans in zip(*(view.spans for view in views), strict=True):
        hulls = _in_step([span.hull(axis) for span in spans])
        centred = centred and hulls is not None and _centred(hulls)
        moving = any(span.steps[axis] for span in spans)
        written = [span.stretch(axis, size) for span, size in zip(spans, sizes, strict=True)]
        written = None if moving else _in_step(written, but=axis)
        if written is None:
            joined.append(Span.constant(views[0].rank, np.nan, np.nan))
            continue
        low = np.concatenate([span.low for span in written], axis)
        high = np.concatenate([span.high for span in written], axis)
        joined.append(Span(low, high, written[0].steps).compress())
    return View(tuple(joined), views[0].endless), centred
