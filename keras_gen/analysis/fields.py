"""Receptive fields of Keras models, encoders and decoders alike.

    rf = receptive_field(model)
    rf.size                 # how large the field of this architecture is: (188, 188)
    image[rf.at(200, 200)]  # the pixels that this one output really depends on

    projective_field(decoder, 12, 12)  # the outputs that depend on one latent cell

Two questions, two computations. What an output *really* depends on is propagated index by index,
borders included, and is exact. The field of the *architecture* is propagated on a grid without
edges, where an encoder has one size and a decoder has one for each phase of its stride. How much of
its field a network uses is a third question, answered by gradients: see `effective_fields`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import keras
import numpy as np

from keras_gen._util.tables import Table
from keras_gen.analysis.intervals import Intervals
from keras_gen.analysis.propagation import Propagation, check_position
from keras_gen.analysis.tensor_field import Field


class Box(tuple):
    """A box of pixels: a tuple of slices, one per axis, that crops an array to the box.

    Example:
        >>> box = Box([slice(3, 7), slice(0, 5)])
        >>> box.size, np.zeros((8, 8))[box].shape
        ((4, 5), (4, 5))
    """

    @property
    def size(self) -> tuple[int, ...]:
        """The sides of the box in pixels."""
        return tuple(side.stop - side.start for side in self)


class ReceptiveField:
    """The receptive fields of one layer's outputs in an input; made by `receptive_field`.

    Attributes:
        input: name of the input.
        output: name of the layer.
        input_size: size of the input in pixels, `(height, width)` for images.
        output_size: size of the layer's output, likewise.
        size: the field of the architecture, `(height, width)` in input pixels: the largest over
            the phases, and not clipped to the image. If no size describes it (global pooling,
            dense layers, rolling), the largest that an output sees of this image. Padding that
            reflects the image is included in `at`, not here.
        size_by_phase: for each axis the sizes that successive outputs have in turn.
        stride: by how many input pixels the field moves from one output to the next, a `Fraction`:
            16 for an encoder that halves four times, 1/16 for a decoder that doubles four times. A
            tuple if the axes differ; 0 if all outputs have the same field, `None` if their fields
            follow no regular pattern.
        padding: how far the first output's field reaches beyond the image (Araujo et al. 2019),
            `(height, width)` in pixels.
        hull: whether branches met that are not centred on one another, so that the field is the
            hull of several.
    """

    def __init__(self, propagation: Propagation):
        self._propagation, self._field = propagation, propagation.result()
        self.input = propagation.graph.name_of(propagation.source)
        self.output = propagation.graph.name_of(propagation.target)
        self.input_size = propagation.image.size
        self.output_size = self._field.size
        axes = _read_architecture(self._field)
        self.size = tuple(max(axis.sizes) for axis in axes)
        self.size_by_phase = tuple(axis.sizes for axis in axes)
        self.stride = _common(axis.stride for axis in axes)
        self.padding = tuple(axis.padding for axis in axes)
        self.hull = not self._field.centred

    @cached_property
    def _view(self):
        """The clipped field of each position, with an axis for each axis of the output."""
        return _over_positions(self._field, self._field.clipped)

    def at(self, *position: int) -> Box:
        """The part of the input that one output really depends on.

        Args:
            position: the output's indices, row and column for images.

        Returns:
            One slice per axis of the input, so that `image[rf.at(row, col)]` is what the output
            sees: the hull of the taps inside the image. Empty slices if it depends on no pixel.

        Raises:
            ValueError: for a position outside the output.
        """
        position = check_position(position, self.output_size, "output")
        index = [0] * len(self._field.shape)
        for axis, place in zip(self._field.positions, position, strict=True):
            index[axis] = place
        ends = [side.at(index) for side in self._view.intervals]
        if any(low > high for low, high in ends):
            return Box(slice(0, 0) for _ in ends)
        return Box(slice(int(low), int(high) + 1) for low, high in ends)

    @property
    def bounds(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """For each axis of the input, where the fields of all outputs start and stop.

        Two integer arrays of the output's size per axis; both are 0 for an empty field.
        """
        nonempty = _nonempty(self._field)

        def fill(ends):
            return np.where(nonempty, ends, 0).astype(int).reshape(self.output_size)

        return tuple((fill(side.low), fill(side.high + 1)) for side in self._view.intervals)

    def table(self) -> Table:
        """The field of every layer on the way.

        Returns:
            A list of rows with `layer`, `type`, `output_size`, `receptive_field`, `stride`,
            `padding` and `hull`; it prints as a table.
        """
        rows = Table()
        for step, field in self._propagation.steps():
            axes = _read_architecture(field)
            rows.append(
                {
                    "layer": step.name,
                    "type": type(step.operation).__name__,
                    "output_size": field.size,
                    "receptive_field": tuple(max(axis.sizes) for axis in axes),
                    "stride": _common(axis.stride for axis in axes),
                    "padding": tuple(axis.padding for axis in axes),
                    "hull": not field.centred,
                }
            )
        return rows

    def __repr__(self) -> str:
        size = "×".join(map(str, self.size))
        return f"<{self.output} sees {size} of {self.input}, stride {self.stride}>"


def receptive_field(
    model: keras.Model,
    layer=None,
    input=None,
    *,
    gates: bool = True,
    rules: dict | None = None,
    input_shape: Sequence[int] | dict | None = None,
) -> ReceptiveField:
    """Compute the receptive fields of a model's outputs, or of one of its layers, in an input.

    Args:
        model: a functional or sequential Keras model; nested models are opened. Its weights do not
            matter.
        layer: whose output: a layer, its name (`"encoder/conv_1"` inside a nested model,
            `"conv_1#2"` for the second call of a shared one), a Keras tensor, or the number of one
            of the model's outputs. By default the model's first output.
        input: of what: an input of the model, by name or number, or a layer whose output then
            counts as the image. By default the model's first input.
        gates: `False` leaves out branches that depend on the whole image if they meet one that does
            not, as squeeze-and-excitation gates do, and the image's statistics in group and layer
            normalisation. The result is then the number that is usually published.
        rules: what unknown layers do, by layer name or class: `"elementwise"`, `"global"`, a Keras
            layer with the same receptive field, or a function `(layer, *fields) -> field`.
        input_shape: shape of the input without the batch, where the model leaves it open; for
            several inputs a dictionary of names and shapes.

    Returns:
        A `ReceptiveField`.

    Raises:
        ValueError: for a model without a graph, a layer or input that it does not have, an open
            input shape, or a layer that is not known (it is named, with what to do).

    Example:
        >>> x = inputs = keras.Input((64, 64, 3))
        >>> x = keras.layers.Conv2D(8, 3, strides=2, padding="same")(x)
        >>> x = keras.layers.Conv2DTranspose(8, 4, strides=2, padding="same")(x)
        >>> rf = receptive_field(keras.Model(inputs, x))
        >>> rf.size, rf.stride
        ((5, 5), Fraction(1, 1))
        >>> rf.at(0, 63)
        (slice(0, 3, None), slice(62, 64, None))

    References:
        Araujo, Norris and Sim (2019), "Computing receptive fields of convolutional neural
        networks", for encoders; Dumoulin and Visin (2016), "A guide to convolution arithmetic for
        deep learning", for the single layers.
    """
    return ReceptiveField(
        Propagation(model, layer, input, rules=rules, input_shape=input_shape, gates=gates)
    )


def projective_field(
    model: keras.Model,
    *position: int,
    layer=None,
    input=None,
    gates: bool = True,
    rules: dict | None = None,
    input_shape: Sequence[int] | dict | None = None,
) -> Box:
    """Compute which outputs depend on one input, or on one latent cell.

    Args:
        model: as for `receptive_field`, and so are `layer`, `gates`, `rules` and `input_shape`.
        position: the input's indices, row and column for images.
        input: of what the position is: an input of the model, or a layer, such as the one that
            gives a generator's latent cells. By default the model's first input.

    Returns:
        One slice per axis of the output: the hull of the outputs that depend on the position.
        `.size` has its sides; empty slices if no output depends on it.

    Raises:
        ValueError: for a position outside the input, and as `receptive_field`.

    Example:
        >>> decoder = keras.Sequential([keras.Input((25, 25, 8))])
        >>> for _ in range(4):
        ...     decoder.add(keras.layers.Conv2DTranspose(8, 4, strides=2, padding="same"))
        >>> projective_field(decoder, 12, 12).size
        (46, 46)
    """
    propagation = Propagation(
        model, layer, input, rules=rules, input_shape=input_shape, gates=gates, position=position
    )
    field = propagation.result()
    nonempty = _nonempty(field)  # only this position has a field: any field contains it
    sides = []
    for axis in field.positions:
        others = tuple({*range(nonempty.ndim)} - {axis})
        found = np.flatnonzero(nonempty.any(axis=others))
        sides.append(slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0))
    return Box(sides)


# ---------------------------------------------------------------------------------------------
# Reading a field
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Axis:
    """The field of an architecture along one axis of the image."""

    sizes: tuple[int, ...]  # one for each phase
    stride: Fraction | None
    padding: int


def _nonempty(field: Field):
    """Which positions depend on the image, with an axis for each axis of the tensor."""
    view = _over_positions(field, field.clipped)
    shape = [size if axis in field.positions else 1 for axis, size in enumerate(field.shape)]
    return ~np.any([np.broadcast_to(side.empty, shape) for side in view.intervals], axis=0)


def _over_positions(field, view):
    """One view for all channels and examples at a position."""
    for axis in set(range(len(field.shape))) - set(field.positions):
        view = view.hull(axis)
    return view


def _read_architecture(field: Field) -> list[_Axis]:
    unbounded = _over_positions(field, field.unbounded)
    clipped = _over_positions(field, field.clipped)
    pairs = zip(unbounded.intervals, clipped.intervals, strict=True)
    return [_read_axis(field.positions, side, inside) for side, inside in pairs]


def _read_axis(positions, side: Intervals, inside: Intervals) -> _Axis:
    """Read the sizes, the stride and the padding from unbounded and clipped intervals."""
    running = [axis for axis in positions if side.steps[axis]]
    everything = (side.low == -np.inf).any()
    if side.aperiodic or everything or len(running) > 1:
        extent = np.where(inside.empty, 0, inside.high - inside.low + 1).max()
        return _Axis((int(extent),), Fraction(0) if everything else None, 0)
    for axis in positions:
        if axis not in running:
            side = side.hull(axis)
    stride = side.stride(running[0]) if running else Fraction(0)
    empty = side.empty.ravel()
    low, high = (np.where(empty, 0, ends.ravel()) for ends in (side.low, side.high))
    sizes = np.where(empty, 0, high - low + 1).astype(int)
    return _Axis(_one_period(sizes.tolist()), stride, int(-low[0]))


def _one_period(sizes):
    """The shortest row that, repeated, gives all sizes."""
    lengths = (length for length in range(1, len(sizes) + 1) if len(sizes) % length == 0)
    length = next(n for n in lengths if sizes[:n] * (len(sizes) // n) == sizes)
    return tuple(sizes[:length])


def _common(values):
    """One value if all agree, else a tuple."""
    values = tuple(values)
    return values[0] if len(set(values)) == 1 else values
