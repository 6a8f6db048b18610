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
from functools import reduce

import numpy as np

from keras_gen.analysis.index_maps import IndexMap
from keras_gen.analysis.intervals import (
    CONSTANT,
    LONGEST_PERIOD,
    Intervals,
    along,
    changed,
)

# ---------------------------------------------------------------------------------------------
# Views: all axes of the image
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class View:
    """What every element of a tensor sees of the image: one span for each axis of the image.

    An element sees a box. Where one side of the box is empty the element sees nothing, and before
    boxes of different elements join, every side has to know (`_settled`).
    """

    spans: tuple[Intervals, ...]
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

    def gather(self, axis: int, taps: IndexMap) -> "View":
        view = self._settled(axis)
        varies = any(span.varies(axis) for span in view.spans)
        view = view.map(lambda span: span.gather(axis, taps))
        blind = taps.blind_phases if self.endless else taps.blind
        if varies or not blind.any():
            return view
        first, *others = view.spans  # all inputs see alike, but some outputs read none of them
        hidden = along(blind, axis, first.low.ndim)
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
        spans = [replace(span, steps=changed(span.steps, axis, step)) for span in spans]
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
            joined.append(Intervals.constant(rank, np.nan, np.nan))
            centred = False
            continue
        low = reduce(np.minimum, [span.low for span in spans])
        high = reduce(np.maximum, [span.high for span in spans])
        span = Intervals(low, high, spans[0].steps)
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
            joined.append(Intervals.constant(views[0].rank, np.nan, np.nan))
            continue
        low = np.concatenate([span.low for span in written], axis)
        high = np.concatenate([span.high for span in written], axis)
        joined.append(Intervals(low, high, written[0].steps).compress())
    return View(tuple(joined), views[0].endless), centred
