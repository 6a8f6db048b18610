"""The receptive fields of the elements of one tensor, and how layers change them.

A `Field` has the shape of a tensor and, for each of its elements, a receptive field in the image.
Its methods are named after what layers do: `gather` reads some of the elements along an axis,
`hull` all of them, `join` lets branches meet. The rules of all layers are written with them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_gen.analysis.index_maps import IndexMap
from keras_gen.analysis.intervals import CONSTANT, Intervals, matching_axes
from keras_gen.analysis.views import View, concatenate, union


@dataclass(frozen=True, eq=False)
class Field:
    """The receptive fields of the elements of one tensor.

    Attributes:
        shape: the tensor's shape, the batch included.
        clipped: the pixels of the image that each element really depends on.
        unbounded: the same on a grid without edges.
        channel: the axis of the channels, if there is one.
        centred: whether all branches that met on the way had the same centre.
        gates: whether a branch that depends on everything counts where it meets one that does not.
    """

    shape: tuple[int, ...]
    clipped: View
    unbounded: View
    channel: int | None
    centred: bool = True
    gates: bool = True

    @classmethod
    def image(
        cls,
        shape: tuple[int, ...],
        axes: Sequence[int],
        channel: int | None = None,
        *,
        gates: bool = True,
        position: Sequence[int] | None = None,
    ) -> "Field":
        """The field of an image: every pixel depends on itself.

        Args:
            shape: shape of the image, the batch included.
            axes: the axes along which positions count; the others are channels or examples.
            channel: the axis of the channels.
            gates: as in `Field`.
            position: one pixel; the fields of all others are empty, so that any field that is not
                empty at the end contains this pixel.
        """
        clipped, unbounded = [], []
        for number, axis in enumerate(axes):
            row = [-1 if a == axis else 1 for a in range(len(shape))]
            low = high = np.arange(shape[axis], dtype=float).reshape(row)
            if position is not None:
                low = np.where(low == position[number], low, np.inf)
                high = np.where(high == position[number], high, CONSTANT)
            clipped.append(Intervals(low, high, (0,) * len(shape)))
            steps = tuple(int(a == axis) for a in range(len(shape)))
            unbounded.append(replace(Intervals.constant(len(shape), 0, 0), steps=steps))
        clipped, unbounded = View(tuple(clipped), False), View(tuple(unbounded), True)
        return cls(shape, clipped, unbounded, channel, gates=gates)

    def constant(self, shape: tuple[int, ...], *, zero: bool = False) -> "Field":
        """The empty field of a tensor of another shape that does not depend on the image."""
        empty = Intervals.constant(len(shape), np.inf, -np.inf if zero else CONSTANT)
        clipped, unbounded = (view.map(lambda _: empty) for view in (self.clipped, self.unbounded))
        channel = len(shape) - 1 if len(shape) > 1 else None
        return Field(tuple(shape), clipped, unbounded, channel, True, self.gates)

    @property
    def positions(self) -> list[int]:
        """The axes that are positions, not examples or channels."""
        return [axis for axis in range(1, len(self.shape)) if axis != self.channel]

    @property
    def size(self) -> tuple[int, ...]:
        """The sizes of the axes that are positions: height and width of an image."""
        return tuple(self.shape[axis] for axis in self.positions)

    @property
    def empty(self) -> bool:
        """Whether no element depends on the image."""
        return self.clipped.empty

    @property
    def zero(self) -> bool:
        """Whether some elements do not depend on the image and are zero."""
        return any(side.zero.any() for side in self.clipped.intervals)

    def with_channel(self, axis: int | None) -> "Field":
        """The same field with its channels on another axis."""
        return self if axis == self.channel else replace(self, channel=axis)

    def lift(self) -> "Field":
        """Add a constant: elements that do not depend on the image are no longer zero."""
        clipped, unbounded = self.clipped.lifted(), self.unbounded.lifted()
        if clipped is self.clipped and unbounded is self.unbounded:
            return self
        return replace(self, clipped=clipped, unbounded=unbounded)

    def _map(self, change, shape, **changes):
        clipped, unbounded = change(self.clipped), change(self.unbounded)
        return replace(self, shape=tuple(shape), clipped=clipped, unbounded=unbounded, **changes)

    def gather(self, axis: int, index_map: IndexMap) -> "Field":
        """Let every element along an axis read some of the elements there were."""
        axis %= len(self.shape)
        if self.shape[axis] != index_map.size_in:
            raise ValueError(
                f"an index map over {index_map.size_in} inputs does not fit axis {axis} of "
                f"{self.shape}; make one of the size of that axis"
            )
        shape = _with(self.shape, axis, index_map.size_out)
        return self._map(lambda view: view.gather(axis, index_map), shape)

    def hull(self, axis: int, size: int | None = None) -> "Field":
        """Let every element along an axis read all elements there were, and change their number."""
        axis %= len(self.shape)
        shape = _with(self.shape, axis, self.shape[axis] if size is None else size)
        return self._map(lambda view: view.hull(axis), shape)

    def reduce(self, axes: Iterable[int] | int | None = None, keepdims: bool = False) -> "Field":
        """Reduce axes as `numpy.sum` does; `None` for all axes but the batch."""
        rank = len(self.shape)
        axes = range(1, rank) if axes is None else [axes] if isinstance(axes, int) else axes
        axes = {axis % rank for axis in axes}
        field = self
        for axis in axes:
            field = field.hull(axis, 1)
        return field if keepdims else field.drop(axes)

    def drop(self, axes: Iterable[int]) -> "Field":
        """Remove axes of length 1."""
        kept = [axis for axis in range(len(self.shape)) if axis not in set(axes)]
        field = self.reshape(tuple(self.shape[axis] for axis in kept))
        channel = kept.index(self.channel) if self.channel in kept else None
        return replace(field, channel=channel)

    def insert(self, axis: int) -> "Field":
        """Add an axis of length 1."""
        axis %= len(self.shape) + 1
        field = self.reshape((*self.shape[:axis], 1, *self.shape[axis:]))
        channel = self.channel
        if channel is not None and channel >= axis:
            channel += 1
        return replace(field, channel=channel)

    def transpose(self, order: Sequence[int]) -> "Field":
        order = [axis % len(self.shape) for axis in order]
        shape = [self.shape[axis] for axis in order]
        channel = None if self.channel is None else order.index(self.channel)
        return self._map(
            lambda view: view.map(lambda side: side.transpose(order)), shape, channel=channel
        )

    def reshape(self, shape: Sequence[int]) -> "Field":
        """Follow `numpy.reshape`, one `-1` included."""
        shape = list(shape)
        if -1 in shape:
            known = -math.prod(shape)
            shape[shape.index(-1)] = math.prod(self.shape) // known
        if math.prod(shape) != math.prod(self.shape):
            raise ValueError(f"a tensor of shape {self.shape} cannot be reshaped to {tuple(shape)}")
        shape, old = tuple(shape), self.shape

        def change(view):
            return view.map(lambda side: side.reshape(old, shape).compress())

        return self._map(change, shape, channel=self._channel_after(shape))

    def _channel_after(self, shape):
        channel, same_rank = self.channel, len(shape) == len(self.shape)
        if same_rank and channel is not None and shape[channel] == self.shape[channel]:
            return channel
        for olds, news in matching_axes(self.shape, shape):
            if self.channel in olds and len(olds) == 1 and len(news) <= 1:
                return news[0] if news else None
        return len(shape) - 1 if len(shape) > 1 else None

    def broadcast(self, shape: Sequence[int]) -> "Field":
        """Follow `numpy.broadcast_to`."""
        field = self
        while len(field.shape) < len(shape):
            field = field.insert(0)
        for axis, size in enumerate(shape):
            if field.shape[axis] == 1 != size:
                kept = _with(field.shape, axis, size)
                field = field._map(lambda view, a=axis: view.map(lambda side: side.freeze(a)), kept)
        return field

    @staticmethod
    def join(fields: Sequence["Field"], *, product: bool = False) -> "Field":
        """Let branches meet element by element, shapes broadcast.

        Args:
            fields: the branches.
            product: whether they are multiplied, so that the field is empty where one is zero.
        """
        shape = np.broadcast_shapes(*(field.shape for field in fields))
        fields = [field.broadcast(shape) for field in fields]
        # Constants add nothing to a field, but in a product it matters whether they are zero.
        kept = _without_gates([field for field in fields if not field.empty or field.zero])
        if len(kept) < 2:
            joined = (kept or fields)[0]
            return joined if product or len(fields) == 1 else joined.lift()
        clipped, _ = union([field.clipped for field in kept], product=product)
        unbounded, centred = union([field.unbounded for field in kept], product=product)
        centred = centred and all(field.centred for field in kept)
        joined = replace(kept[0], clipped=clipped, unbounded=unbounded, centred=centred)
        return joined if product or len(kept) == len(fields) else joined.lift()

    @staticmethod
    def concatenate(fields: Sequence["Field"], axis: int) -> "Field":
        """Put branches side by side along an axis."""
        axis %= len(fields[0].shape)
        sizes = [field.shape[axis] for field in fields]
        kept = _without_gates(fields)
        first = next((field for field in kept if not field.empty), fields[0])
        fields = [field if field in kept else field.constant(field.shape) for field in fields]
        clipped, _ = concatenate([field.clipped for field in fields], axis, sizes)
        unbounded, centred = concatenate([field.unbounded for field in fields], axis, sizes)
        centred = centred and all(field.centred for field in fields)
        shape = _with(first.shape, axis, sum(sizes))
        return replace(first, shape=shape, clipped=clipped, unbounded=unbounded, centred=centred)


def _without_gates(fields):
    """Leave out branches that depend on everything, if that was asked for and some do not."""
    local = [field for field in fields if not field.unbounded.everything]
    wanted = all(field.gates for field in fields) or all(field.empty for field in local)
    return fields if wanted else local


def _with(shape, axis, size):
    """A shape with another size along one axis."""
    return (*shape[:axis], size, *shape[axis + 1 :])
