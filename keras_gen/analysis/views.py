"""Views: the receptive fields of a tensor's elements along all axes of an image.

For every element of a tensor and for every axis of the image, `Intervals` hold the lowest and the
highest index that the element depends on. The interval of an output is the hull of the intervals
that the layer's taps read. Nothing more is needed for a whole network, however branched, and the
result is exact, because the hull of a union is the hull of the hulls. The arrays broadcast, so that
a tensor of 400×400×64 elements costs two columns of 400 numbers as long as its channels agree.

The same code answers two questions, depending on how the intervals start. A *clipped* view starts
from the indices 0 … n-1 of an image: which pixels does this output really depend on? An *unbounded*
view starts from one index and the step to the next, on a grid without edges, where layers repeat
themselves after a period: how large is the field of this architecture? The `Field` of a tensor has
one view of each kind (see `tensor_field`).

Araujo, Norris and Sim (2019), "Computing receptive fields of convolutional neural networks", treat
the unbounded grid for encoders. Decoders, their phases and the borders are treated here.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from keras_gen.analysis.index_maps import IndexMap
from keras_gen.analysis.intervals import CONSTANT, LONGEST_PERIOD, Intervals, along, changed


@dataclass(frozen=True, eq=False)
class View:
    """The receptive field of every element of a tensor, a box of the image.

    If one side of the box is empty the field is empty. Before the boxes of different elements are
    joined, every side has to be marked as empty (`_propagate_empty`).

    Attributes:
        intervals: for each axis of the image the intervals of all elements.
        unbounded: whether the grid has no edges.
    """

    intervals: tuple[Intervals, ...]
    unbounded: bool

    @property
    def rank(self) -> int:
        return self.intervals[0].low.ndim

    @property
    def everything(self) -> bool:
        """Whether every field covers the whole unbounded grid."""
        return all((side.low == -np.inf).all() for side in self.intervals)

    @property
    def empty(self) -> bool:
        """Whether every field is empty."""
        return any(side.empty.all() for side in self.intervals)

    def map(self, change) -> "View":
        return replace(self, intervals=tuple(change(side) for side in self.intervals))

    def gather(self, axis: int, index_map: IndexMap) -> "View":
        view = self._propagate_empty(axis)
        varies = any(side.varies(axis) for side in view.intervals)
        view = view.map(lambda side: side.gather(axis, index_map))
        empty = index_map.empty_phases if self.unbounded else index_map.empty
        if varies or not empty.any():
            return view
        first, *others = view.intervals  # all inputs are alike, but some outputs read none of them
        marked = along(empty, axis, first.low.ndim)
        first = first.map(lambda ends, none: np.where(marked, none, ends))
        return replace(view, intervals=(first, *others))

    def hull(self, axis: int) -> "View":
        view = self
        if self._empty_unevenly(axis):
            view = self._without_duplicates(axis)._propagate_empty(axis)
        return view.map(lambda side: side.hull(axis))

    def _empty_unevenly(self, axis):
        """Whether sides of the box that vary along an axis may be empty at different elements."""
        varying = [side for side in self.intervals if axis is None or side.varies(axis)]
        return len(varying) > 1 and any(side.empty.any() for side in self.intervals)

    def _propagate_empty(self, axis=None):
        """Mark the elements whose field is empty in every side of the box."""
        if not self._empty_unevenly(axis):
            return self
        sides = _with_one_period(self.intervals)
        empty = reduce(np.logical_or, [side.empty for side in sides])
        zero = reduce(np.logical_or, [side.zero for side in sides])
        return replace(self, intervals=tuple(_emptied(side, empty, zero) for side in sides))

    def lifted(self) -> "View":
        """The view after a constant was added: no element is always zero any more."""
        if not any(side.zero.any() for side in self.intervals):
            return self
        return self.map(lambda side: _emptied(side, side.empty, False))

    def _without_duplicates(self, axis):
        """Keep one of several elements along an axis with equal fields: a hull needs no more."""
        varying = [side for side in self.intervals if side.varies(axis)]
        length = varying[0].low.shape[axis]
        if any(side.steps[axis] or side.low.shape[axis] != length for side in varying):
            return self
        ends = [np.moveaxis(ends, axis, 0) for side in varying for ends in (side.low, side.high)]
        first = {b"".join(values[k].tobytes() for values in ends): k for k in range(length)}
        chosen = sorted(first.values())

        def choose(side):
            return side.map(lambda ends, _: ends.take(chosen, axis)) if side.varies(axis) else side

        return self.map(choose)


def _emptied(intervals, empty, zero):
    """Empty the intervals of the elements that are marked."""
    low = np.where(empty, np.inf, intervals.low)
    high = np.where(zero, -np.inf, np.where(empty, CONSTANT, intervals.high))
    return replace(intervals, low=low, high=high)


def _with_one_period(sides):
    """Write intervals out so that each axis has one period; they may move by different steps."""
    for axis in range(sides[0].low.ndim):
        length = math.lcm(*(side.low.shape[axis] for side in sides))
        sides = [side.stretch(axis, length) for side in sides]
    return sides


def _with_one_stride(branches, but=None):
    """Write intervals out with one period and one step; `None` if their strides differ.

    Args:
        branches: the intervals of several tensors along one axis of the image.
        but: an axis of the tensors to leave as it is.
    """
    rigid = [branch for branch in branches if branch.rigid] or branches[:1]
    for axis in set(range(branches[0].low.ndim)) - {but}:
        strides = {branch.stride(axis) for branch in rigid}
        length = math.lcm(*(branch.low.shape[axis] for branch in branches))
        if len(strides) > 1 or length > LONGEST_PERIOD:
            return None
        step = int(strides.pop() * length)
        branches = [branch.stretch(axis, length) for branch in branches]
        branches = [replace(branch, steps=changed(branch.steps, axis, step)) for branch in branches]
    return branches


def _centred(branches):
    """Whether intervals that are joined have the same centre."""
    centres = []
    for branch in branches:
        finite = np.isfinite(branch.low)
        low, high = (np.where(finite, ends, 0) for ends in (branch.low, branch.high))
        centres.append(np.where(finite, low + high, np.nan))
    pairs = itertools.pairwise(centre for centre in centres if not np.isnan(centre).all())
    return not any((np.abs(one - other) > 0).any() for one, other in pairs)


def union(views: Sequence[View], *, product: bool = False) -> tuple[View, bool]:
    """Join the views of branches that meet element by element.

    Args:
        views: those of the branches, all of the same rank.
        product: whether the branches are multiplied: then the field is empty where one is zero.

    Returns:
        The hull, and whether the branches are centred on one another. If they are not, the hull
        need not be the field of any one branch.
    """
    rank = views[0].rank
    views = [view._propagate_empty() for view in views]
    joined, centred = [], True
    for branches in zip(*(view.intervals for view in views), strict=True):
        lost = any(branch.aperiodic for branch in branches)
        branches = None if lost else _with_one_stride(branches)
        if branches is None:
            joined.append(Intervals.constant(rank, np.nan, np.nan))
            centred = False
            continue
        low = reduce(np.minimum, [branch.low for branch in branches])
        high = reduce(np.maximum, [branch.high for branch in branches])
        side = Intervals(low, high, branches[0].steps)
        if product:
            zero = reduce(np.logical_or, [branch.zero for branch in branches])
            side = _emptied(side, zero, zero)
        joined.append(side.compress())
        centred = centred and _centred(branches)
    return View(tuple(joined), views[0].unbounded), centred


def concatenate(views: Sequence[View], axis: int, sizes: Sequence[int]) -> tuple[View, bool]:
    """Join the views of branches that are put side by side along an axis.

    Args:
        views: those of the branches, all of the same rank.
        axis: the axis along which they are put side by side.
        sizes: how many elements each branch has along it.

    Returns:
        The view of the whole, and whether the branches are centred on one another.
    """
    joined, centred = [], True
    for branches in zip(*(view.intervals for view in views), strict=True):
        hulls = _with_one_stride([branch.hull(axis) for branch in branches])
        centred = centred and hulls is not None and _centred(hulls)
        moving = any(branch.steps[axis] for branch in branches)
        written = [branch.stretch(axis, n) for branch, n in zip(branches, sizes, strict=True)]
        written = None if moving else _with_one_stride(written, but=axis)
        if written is None:
            joined.append(Intervals.constant(views[0].rank, np.nan, np.nan))
            continue
        low = np.concatenate([branch.low for branch in written], axis)
        high = np.concatenate([branch.high for branch in written], axis)
        joined.append(Intervals(low, high, written[0].steps).compress())
    return View(tuple(joined), views[0].unbounded), centred
