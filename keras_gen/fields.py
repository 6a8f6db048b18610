"""Receptive fields of Keras models, encoders and decoders alike.

    rf = receptive_field(model)
    rf.size               # how large a field this architecture has: (188, 188)
    image[rf.at(200, 200)]  # what this one output really sees of the image

    projective_field(generator, 12, 12, input="latent")  # what one latent cell paints
    effective_receptive_field(model)       # how much of its field a network uses, by gradients

Two questions, two computations. What an output *really* sees is followed index by index, borders
and all, and is exact. The field of the *architecture* is followed on a grid without edges, where an
encoder has one size and a decoder one for each phase of its stride.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import keras
import numpy as np

from keras_gen import rules as _rules
from keras_gen import rules_axes, rules_moves, rules_windows  # noqa: F401  (they register rules)
from keras_gen.graph import Graph, Step, trace
from keras_gen.sight import Field
from keras_gen.tables import Table

# ---------------------------------------------------------------------------------------------
# Following the graph
# ---------------------------------------------------------------------------------------------


class _Walk:
    """Fields of all tensors between one tensor of a model (the image) and another (the output)."""

    def __init__(self, model, layer, source, *, rules, input_shape, gates=True, position=None):
        self.graph = graph = trace(model)
        self.rules = rules or {}
        self.target = graph.outputs[0] if layer is None else graph.find(layer, among=graph.outputs)
        self.source = graph.inputs[0] if source is None else graph.find(source, among=graph.inputs)
        self.needed = graph.before(self.target, stop=self.source)
        self.start = self._start(model, input_shape, gates, position)

    def _start(self, model, input_shape, gates, position):
        shapes = _input_shapes(self.graph, input_shape)
        start = {
            number: Field.image(shape, range(1, len(shape)), gates=gates).constant(shape)
            for number, shape in shapes.items()
            if None not in shape
        }
        shape = shapes.get(self.source) or self._shape_inside(start)
        if None in shape:
            raise ValueError(
                f"input {self.graph.name_of(self.source)!r} has the open shape {shape[1:]}; say at "
                f"which size to look, with input_shape={_example_shape(shape[1:])}"
            )
        axes, channel = _image_axes(self.graph, self.source, shape)
        if position is not None:
            position = _check_position(position, [shape[axis] for axis in axes], "input")
        start[self.source] = Field.image(shape, axes, channel, gates=gates, position=position)
        return start

    def _shape_inside(self, start):
        """The shape of a tensor inside the model that serves as the image."""
        shape = self.graph.shapes[self.source]
        if None not in shape[1:]:
            return _with_batch(shape)
        for _, fields in self._follow(dict(start), self.graph.before(self.source)):
            shape = fields.get(self.source, shape)
        return shape.shape if isinstance(shape, Field) else shape

    def steps(self):
        """Yield every step on the way with the field of its (first) output."""
        for step, fields in self._follow(dict(self.start), self.needed):
            yield step, fields[step.outputs[0]]

    def result(self) -> Field:
        fields = dict(self.start)
        for _ in self._follow(fields, self.needed):
            pass
        return fields[self.target]

    def _follow(self, fields, needed):
        graph = self.graph
        steps = [
            step
            for step in graph.steps
            if needed.intersection(step.outputs) and step.outputs[0] not in fields
        ]
        last_use = {number: step for step in steps for number in step.inputs}
        for step in steps:
            for number, field in zip(step.outputs, self._apply(step, fields), strict=True):
                fields[number] = field
            yield step, fields
            for number in {n for n in step.inputs if last_use[n] is step} - {self.target}:
                fields.pop(number)

    def _apply(self, step: Step, fields) -> list[Field]:
        graph = self.graph
        shapes = [graph.shapes[number] for number in step.outputs]
        seen = [fields[number] for number in step.inputs if number in fields]
        open_sizes = any(None in shape[1:] for shape in shapes)
        if all(field.blind and not field.zero for field in seen) and not open_sizes:
            like = (seen or list(self.start.values()))[0]
            return [like.constant(_with_batch(shape)) for shape in shapes]
        args, kwargs = step.fill_in(fields)
        results = _rules.apply(step.operation, step.name, args, kwargs, self.rules, shapes)
        for shape, field in zip(shapes, results, strict=True):
            sizes = zip(shape[1:], field.shape[1:], strict=False)
            if len(shape) != len(field.shape) or any(s not in (None, f) for s, f in sizes):
                raise ValueError(
                    f"layer {step.name!r} ({type(step.operation).__name__}): its rule gives the "
                    f"shape {field.shape[1:]}, Keras says {shape[1:]}; is rules= right for it?"
                )
        return results


def _with_batch(shape):
    return (shape[0] or 1, *shape[1:])


def _input_shapes(graph: Graph, input_shape):
    """The shapes of the model's inputs, open sizes filled in from the caller's."""
    given = input_shape or {}
    if not isinstance(given, dict):
        given = {graph.inputs[0]: tuple(given)}
    given = {graph.find(k, among=None) if isinstance(k, str) else k: v for k, v in given.items()}
    shapes = {}
    for number in graph.inputs:
        known = graph.shapes[number]
        wanted = given.get(number, known[1:])
        agrees = len(wanted) == len(known) - 1 and all(
            k in (None, w) for k, w in zip(known[1:], wanted, strict=True)
        )
        if not agrees:
            raise ValueError(
                f"input_shape={wanted} does not fit input {graph.name_of(number)!r} of shape "
                f"{known[1:]}; give one size for each of its axes, without the batch"
            )
        shapes[number] = (known[0] or 1, *wanted)
    return shapes


def _example_shape(shape):
    return tuple(400 if size is None else size for size in shape)


def _image_axes(graph: Graph, source: int, shape):
    """The axes of an input along which positions count, and the axis of its channels."""
    rank, after, data_format = len(shape), {source}, keras.config.image_data_format()
    windows = rank - 2
    for step in graph.steps:
        if after.intersection(step.inputs):
            after.update(step.outputs)
            known = getattr(step.operation, "data_format", None)
            if known is not None and len(graph.shapes[step.inputs[0]]) > 2:
                data_format, windows = known, len(graph.shapes[step.inputs[0]]) - 2
                break
    if rank - 1 <= max(windows, 1):  # a latent vector, or an image without channels
        return list(range(1, rank)), None
    channel = 1 if data_format == "channels_first" else rank - 1
    return [axis for axis in range(1, rank) if axis != channel], channel


def _check_position(position, sizes, what):
    if len(position) != len(sizes):
        raise ValueError(
            f"{what} position {tuple(position)} has {len(position)} numbers; the {what} has "
            f"{len(sizes)} axes of sizes {tuple(sizes)}"
        )
    for index, size in zip(position, sizes, strict=True):
        if not -size <= index < size:
            raise ValueError(
                f"{what} position {tuple(position)} lies outside the {what} of size {tuple(sizes)}"
            )
    return tuple(int(index) % size for index, size in zip(position, sizes, strict=True))


def _position_axes(field: Field):
    return [axis for axis in range(1, len(field.shape)) if axis != field.channel]


# ---------------------------------------------------------------------------------------------
# Reading a field
# ---------------------------------------------------------------------------------------------


class Box(tuple):
    """A box of pixels: a tuple of slices, one an axis, that cuts it out of an array.

    Example:
        >>> box = Box([slice(3, 7), slice(0, 5)])
        >>> box.size, np.zeros((8, 8))[box].shape
        ((4, 5), (4, 5))
    """

    @property
    def size(self) -> tuple[int, ...]:
        return tuple(part.stop - part.start for part in self)


@dataclass(frozen=True)
class _Axis:
    """The field of an architecture along one axis of the image."""

    sizes: tuple[int, ...]  # by phase
    stride: Fraction | None
    padding: int | None


def _read_architecture(field: Field) -> list[_Axis]:
    positions = _position_axes(field)
    endless, clipped = field.endless, field.clipped
    for axis in set(range(len(field.shape))) - set(positions):
        endless, clipped = endless.hull(axis), clipped.hull(axis)
    axes = []
    for span, inside in zip(endless.spans, clipped.spans, strict=True):
        running = [axis for axis in positions if span.steps[axis]]
        if not (np.isfinite(span.low) | span.blind).all() or len(running) > 1:
            # No pattern, or everything: what is seen inside the image is all there is to say.
            extent = np.where(inside.blind, 0, inside.high - inside.low + 1).max()
            everything = (span.low == -np.inf).all()
            axes.append(_Axis((int(extent),), Fraction(0) if everything else None, 0))
            continue
        axis = (running or positions or [0])[0]
        for other in set(positions) - {axis}:
            span = span.hull(other)
        low, high = span.low.ravel(), span.high.ravel()
        sizes = np.where(
            low > high, 0, np.where(low > high, 0, high) - np.where(low > high, 0, low) + 1
        )
        axes.append(
            _Axis(
                _shortest_period(sizes), span.stride(axis), 0 if low[0] > high[0] else int(-low[0])
            )
        )
    return axes


def _shortest_period(sizes):
    count = len(sizes)
    for period in range(1, count + 1):
        if count % period == 0 and (sizes == np.tile(sizes[:period], count // period)).all():
            return tuple(int(size) for size in sizes[:period])
    raise AssertionError("a row is its own period")


class ReceptiveField:
    """What one layer of a model sees of an input; made by `receptive_field`.

    Attributes:
        input: name of the input.
        output: name of the layer.
        input_size: size of the input in pixels, `(height, width)` for images.
        output_size: size of the layer's output, likewise.
        size: the field of the architecture, `(height, width)` in input pixels: the largest over
            the phases, not clipped to the image. What sees the whole image (through global
            pooling, say) has the image's size.
        size_by_phase: for each axis the sizes that outputs have in turn.
        stride: how many input pixels further the next output looks, a `Fraction`: 16 for an
            encoder that halves four times, 1/16 for a decoder that doubles four times. A tuple if
            the axes differ; 0 where every output sees the whole image; `None` where no pattern
            describes the outputs.
        padding: how far the first output's field reaches beyond the image's first pixel (Araujo et
            al. 2019), `(height, width)`.
        hull: whether branches met that are not centred on one another, so that the field is the
            hull of several.
    """

    def __init__(self, walk: _Walk, field: Field):
        self._walk, self._field = walk, field
        self.input = walk.graph.name_of(walk.source)
        self.output = walk.graph.name_of(walk.target)
        image = walk.start[walk.source]
        self.input_size = tuple(image.shape[axis] for axis in _position_axes(image))
        self.output_size = tuple(field.shape[axis] for axis in _position_axes(field))
        axes = _read_architecture(field)
        self.size = tuple(max(axis.sizes) for axis in axes)
        self.size_by_phase = tuple(axis.sizes for axis in axes)
        self.stride = _common([axis.stride for axis in axes])
        self.padding = tuple(axis.padding for axis in axes)
        self.hull = not field.centred

    @cached_property
    def bounds(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """For each axis of the input, where the field of every output starts and stops.

        Two integer arrays of the output's size an axis; both are 0 for an output that sees nothing.
        """
        field, view = self._field, self._field.clipped
        positions = _position_axes(field)
        for axis in set(range(len(field.shape))) - set(positions):
            view = view.hull(axis)
        shape = [field.shape[axis] if axis in positions else 1 for axis in range(len(field.shape))]
        blind = np.any([np.broadcast_to(span.blind, shape) for span in view.spans], axis=0)
        bounds = []
        for span in view.spans:
            start, stop = np.where(blind, 0, span.low), np.where(blind, 0, span.high + 1)
            start, stop = (ends.astype(int).reshape(self.output_size) for ends in (start, stop))
            bounds.append((start, stop))
        return tuple(bounds)

    def at(self, *position: int) -> Box:
        """What one output really sees of the input.

        Args:
            position: the output's indices, row and column for images.

        Returns:
            One slice an axis of the input, so that `image[rf.at(row, col)]` is what the output
            sees: the hull of the taps inside the image. Empty slices where it sees nothing.

        Raises:
            ValueError: for a position outside the output.
        """
        position = _check_position(position, self.output_size, "output")
        return Box(slice(int(start[position]), int(stop[position])) for start, stop in self.bounds)

    def table(self) -> Table:
        """The field of every layer on the way.

        Returns:
            A list of rows with `layer`, `type`, `output_size`, `receptive_field`, `stride`,
            `padding` and `hull`; it prints as a table.
        """
        rows = Table()
        for step, field in self._walk.steps():
            axes = _read_architecture(field)
            rows.append(
                {
                    "layer": step.name,
                    "type": type(step.operation).__name__,
                    "output_size": tuple(field.shape[axis] for axis in _position_axes(field)),
                    "receptive_field": tuple(max(axis.sizes) for axis in axes),
                    "stride": _common([axis.stride for axis in axes]),
                    "padding": tuple(axis.padding for axis in axes),
                    "hull": not field.centred,
                }
            )
        return rows

    def __repr__(self) -> str:
        size = "×".join(map(str, self.size))
        return f"<{self.output} sees {size} of {self.input}, stride {self.stride}>"


def _common(values):
    return values[0] if len(set(values)) == 1 else tuple(values)


def receptive_field(
    model: keras.Model,
    layer=None,
    input=None,
    *,
    gates: bool = True,
    rules: dict | None = None,
    input_shape: Sequence[int] | dict | None = None,
) -> ReceptiveField:
    """Compute what the outputs of a model, or of one of its layers, see of an input.

    Args:
        model: a functional or sequential Keras model; nested models are opened. Its weights do not
            matter.
        layer: whose output: a layer, its name (`"encoder/conv_1"` inside a nested model,
            `"conv_1#2"` for the second call of a shared one), a Keras tensor, or the number of one
            of the model's outputs. By default the model's first output.
        input: of what: an input of the model, by name or number, or a layer whose output then
            counts as the image. By default the model's first input.
        gates: `False` leaves out branches that see the whole image where they meet one that does
            not, as squeeze-and-excitation gates do, and the picture's statistics in group and layer
            normalisation; the classic number comes back.
        rules: what unknown layers do, by layer name or class: `"elementwise"`, `"global"`, a Keras
            layer that sees alike, or a function `(layer, *fields) -> field`.
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
        >>> rf.size, rf.size_by_phase[0], rf.stride
        ((5, 5), (5, 5), Fraction(1, 1))
        >>> rf.at(0, 63)
        (slice(0, 3, None), slice(60, 64, None))

    References:
        Araujo, Norris and Sim (2019), "Computing receptive fields of convolutional neural
        networks", for encoders; Dumoulin and Visin (2016) for the single layers.
    """
    walk = _Walk(model, layer, input, rules=rules, input_shape=input_shape, gates=gates)
    return ReceptiveField(walk, walk.result())
