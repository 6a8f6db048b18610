"""What one tensor of a network sees of an image, and how layers change it.

A `Field` has the shape of a tensor and, for each of its elements, what the element sees. Its
methods are named after what layers do: `gather` reads some of the elements along an axis, `hull`
all of them, `join` lets branches meet. The rules of all layers are written with them.
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
    """What the elements of one tensor see of an image.

    Attributes:
        shape: the tensor's shape, the batch included.
        clipped: what each element really sees of the image.
        endless: the same on a grid without edges.
        channel: the axis of the channels, if there is one.
        centred: whether all branches that met on the way had the same centre.
        gates: whether a branch that sees everything counts where it meets one that does not.
    """

    shape: tuple[int, ...]
    clipped: View
    endless: View
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
        """The field of an image: every pixel sees itself.

        Args:
            shape: shape of the image, the batch included.
            axes: the axes along which positions count; the others are channels or examples.
            channel: the axis of the channels.
            gates: as in `Field`.
            position: one pixel; all others then see nothing, so that what sees anything at the
                end sees this pixel.
        """
        clipped, endless = [], []
        for number, axis in enumerate(axes):
            row = [-1 if a == axis else 1 for a in range(len(shape))]
            low = high = np.arange(shape[axis], dtype=float).reshape(row)
            if position is not None:
                low = np.where(low == position[number], low, np.inf)
                high = np.where(high == position[number], high, CONSTANT)
            clipped.append(Intervals(low, high, (0,) * len(shape)))
            steps = tuple(int(a == axis) for a in range(len(shape)))
            endless.append(replace(Intervals.constant(len(shape), 0, 0), steps=steps))
        clipped, endless = View(tuple(clipped), False), View(tuple(endless), True)
        return cls(shape, clipped, endless, channel, gates=gates)

    def constant(self, shape: tuple[int, ...], *, zero: bool = False) -> "Field":
        """The field of a tensor of another shape that sees nothing."""
        nothing = Intervals.constant(len(shape), np.inf, -np.inf if zero else CONSTANT)
        clipped, endless = (view.map(lambda _: nothing) for view in (self.clipped, self.endless))
        channel = len(shape) - 1 if len(shape) > 1 else None
        return Field(tuple(shape), clipped, endless, channel, True, self.gates)

    @property
    def positions(self) -> list[int]:
        """The axes that are positions, not examples or channels."""
        return [axis for axis in range(1, len(self.shape)) if axis != self.channel]

    @property
    def size(self) -> tuple[int, ...]:
        """The sizes of the axes that are positions: height and width of an image."""
        return tuple(self.shape[axis] for axis in self.positions)

    @property
    def blind(self) -> bool:
        """Whether no element sees anything."""
        return self.clipped.blind

    @property
    def zero(self) -> bool:
        """Whether some elements see nothing and are zero."""
        return any(span.zero.any() for span in self.clipped.spans)

    def with_channel(self, axis: int | None) -> "Field":
        """The same field, told which axis its channels are on."""
        return self if axis == self.channel else replace(self, channel=axis)

    def lift(self) -> "Field":
        """Add constants: elements that see nothing are no longer zero."""
        clipped, endless = self.clipped.lifted(), self.endless.lifted()
        if clipped is self.clipped and endless is self.endless:
            return self
        return replace(self, clipped=clipped, endless=endless)

    def _map(self, change, shape, **changes):
        clipped, endless = change(self.clipped), change(self.endless)
        return replace(self, shape=tuple(shape), clipped=clipped, endless=endless, **changes)

    def gather(self, axis: int, taps: IndexMap) -> "Field":
        """Let every element along an axis read some of the elements there were."""
        axis %= len(self.shape)
        if self.shape[axis] != taps.size_in:
            raise ValueError(
                f"taps over {taps.size_in} inputs do not fit axis {axis} of {self.shape}"
            )
        shape = _with(self.shape, axis, taps.size_out)
        return self._map(lambda view: view.gather(axis, taps), shape)

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
        change = lambda view: view.map(lambda span: span.transpose(order))  # noqa: E731
        return self._map(change, shape, channel=channel)

    def reshape(self, shape: Sequence[int]) -> "Field":
        """Follow `numpy.reshape`, one `-1` included."""
        shape = list(shape)
        if -1 in shape:
            known = -math.prod(shape)
            shape[shape.index(-1)] = math.prod(self.shape) // known
        if math.prod(shape) != math.prod(self.shape):
            raise ValueError(f"a tensor of shape {self.shape} cannot be reshaped to {tuple(shape)}")
        shape, old = tuple(shape), self.shape
        change = lambda view: view.map(lambda span: span.reshape(old, shape).compress())  # noqa: E731
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
                field = field._map(lambda view, axis=axis: view.map(lambda s: s.freeze(axis)), kept)
        return field

    @staticmethod
    def join(fields: Sequence["Field"], *, product: bool = False) -> "Field":
        """Let branches meet element by element, shapes broadcast.

        Args:
            fields: the branches.
            product: whether they are multiplied, so that a zero hides what the others see.
        """
        shape = np.broadcast_shapes(*(field.shape for field in fields))
        fields = [field.broadcast(shape) for field in fields]
        # Constants add nothing to what is seen, but where they are zero that has to be known.
        seeing = _without_gates([field for field in fields if not field.blind or field.zero])
        if len(seeing) < 2:
            joined = (seeing or fields)[0]
            return joined if product or len(fields) == 1 else joined.lift()
        clipped, _ = union([field.clipped for field in seeing], product=product)
        endless, centred = union([field.endless for field in seeing], product=product)
        centred = centred and all(field.centred for field in seeing)
        joined = replace(seeing[0], clipped=clipped, endless=endless, centred=centred)
        return joined if product or len(seeing) == len(fields) else joined.lift()

    @staticmethod
    def concatenate(fields: Sequence["Field"], axis: int) -> "Field":
        """Put branches side by side along an axis."""
        axis %= len(fields[0].shape)
        sizes = [field.shape[axis] for field in fields]
        kept = _without_gates(fields)
        first = next((field for field in kept if not field.blind), fields[0])
        fields = [field if field in kept else field.constant(field.shape) for field in fields]
        clipped, _ = concatenate([field.clipped for field in fields], axis, sizes)
        endless, centred = concatenate([field.endless for field in fields], axis, sizes)
        centred = centred and all(field.centred for field in fields)
        shape = _with(first.shape, axis, sum(sizes))
        return replace(first, shape=shape, clipped=clipped, endless=endless, centred=centred)


def _without_gates(fields):
    """Leave out the branches that see everything, if that was asked for and some do not."""
    local = [field for field in fields if not field.endless.whole]
    wanted = all(field.gates for field in fields) or all(field.blind for field in local)
    return fields if wanted else local


def _with(shape, axis, size):
    """A shape with another size along one axis."""
    return (*shape[:axis], size, *shape[axis + 1 :])
