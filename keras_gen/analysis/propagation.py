"""Propagate fields through a model's graph, from one tensor (the image) to another (the output)."""

from collections.abc import Iterator, Sequence

import keras

from keras_gen.analysis import rules_axes, rules_moves, rules_windows  # noqa: F401  they register
from keras_gen.analysis.graph import Graph, Step, trace
from keras_gen.analysis.rules import UnknownLayerError, apply
from keras_gen.analysis.tensor_field import Field


class Propagation:
    """The fields of all tensors between an image and an output.

    Args:
        model: the model.
        layer: the layer whose fields are wanted; see `receptive_field` for this and the following.
        source: what counts as the image.
        rules: what unknown layers do.
        input_shape: the input's shape where the model leaves it open.
        gates: whether branches that depend on everything count.
        position: a single pixel of the image to follow; by default all of them.

    Attributes:
        graph: the model's graph.
        source: number of the tensor that is the image.
        target: number of the tensor whose field is wanted.
        image: the field of the image.
    """

    def __init__(
        self,
        model: keras.Model,
        layer=None,
        source=None,
        *,
        rules: dict | None = None,
        input_shape: Sequence[int] | dict | None = None,
        gates: bool = True,
        position: Sequence[int] | None = None,
    ):
        self.graph = graph = trace(model, input_shape)
        self.rules = rules or {}
        self.target = graph.find(0 if layer is None else layer, among=graph.outputs)
        self.source = graph.find(0 if source is None else source, among=graph.inputs)
        graph.check_closed([*graph.inputs, self.source])
        shape = _with_batch(graph.shapes[self.source])
        axes, channel = _image_axes(graph, self.source)
        if position is not None:
            position = check_position(position, [shape[axis] for axis in axes], "input")
        self.image = Field.image(shape, axes, channel, gates=gates, position=position)

    def result(self) -> Field:
        """The field of the output."""
        fields = self._initial_fields()
        for _ in self._follow(fields):
            pass
        return fields[self.target]

    def steps(self) -> Iterator[tuple[Step, Field]]:
        """Every step on the way with the field of its (first) output."""
        fields = self._initial_fields()
        for step in self._follow(fields):
            yield step, fields[step.outputs[0]]

    def _initial_fields(self):
        """The image, and the other inputs, which do not depend on it."""
        shapes = {number: _with_batch(self.graph.shapes[number]) for number in self.graph.inputs}
        others = {number: self.image.constant(shape) for number, shape in shapes.items()}
        return others | {self.source: self.image}

    def _follow(self, fields):
        """Compute the steps that lead to the target, and forget what is no longer needed."""
        needed = self.graph.before(self.target, stop=self.source)
        steps = [
            step
            for step in self.graph.steps
            if needed.intersection(step.outputs) and step.outputs[0] not in fields
        ]
        last_use = {number: step for step in steps for number in step.inputs}
        for step in steps:
            fields.update(zip(step.outputs, self._apply(step, fields), strict=True))
            yield step
            for number in set(step.inputs) - {self.target}:
                if last_use[number] is step:
                    del fields[number]

    def _apply(self, step, fields):
        shapes = [self.graph.shapes[number] for number in step.outputs]
        args, kwargs = step.fill_in(fields)
        try:
            results = apply(step.operation, step.name, args, kwargs, self.rules, shapes)
        except UnknownLayerError:
            # What does not depend on the image still does not after an unknown layer.
            if not all(fields[number].empty for number in step.inputs):
                raise
            results = [self.image.constant(_with_batch(shape)) for shape in shapes]
        for shape, field in zip(shapes, results, strict=True):
            agrees = len(shape) == len(field.shape) and all(
                known in (None, size)
                for known, size in zip(shape[1:], field.shape[1:], strict=True)
            )
            if not agrees:
                raise ValueError(
                    f"layer {step.name!r} ({type(step.operation).__name__}): its rule gives the "
                    f"shape {field.shape[1:]}, Keras says {shape[1:]}; is rules= right for it?"
                )
        return results


def check_position(position: Sequence[int], sizes: Sequence[int], what: str) -> tuple[int, ...]:
    """Check a position against the sizes of an input or output; negative ones count from the end.

    Raises:
        ValueError: for a position outside, or with too few or too many numbers.
    """
    if len(position) != len(sizes):
        raise ValueError(
            f"{what} position {tuple(position)} has {len(position)} numbers; the {what} has "
            f"{len(sizes)} axes, of sizes {tuple(sizes)}"
        )
    if not all(-size <= index < size for index, size in zip(position, sizes, strict=True)):
        raise ValueError(
            f"{what} position {tuple(position)} lies outside the {what} of size {tuple(sizes)}"
        )
    return tuple(int(index) % size for index, size in zip(position, sizes, strict=True))


def _with_batch(shape):
    return (shape[0] or 1, *shape[1:])


def _image_axes(graph: Graph, source: int):
    """The axes of an image along which positions count, and the axis of its channels."""
    shape = graph.shapes[source]
    after, windows, first = {source}, len(shape) - 2, None
    for step in graph.steps:
        if not after.intersection(step.inputs):
            continue
        after.update(step.outputs)
        rank = len(graph.shapes[step.inputs[0]])
        if rank > 2 and getattr(step.operation, "data_format", None):
            windows, first = rank - 2, rules_windows.channels_first(step.operation)
            break
    if first is None:
        first = keras.config.image_data_format() == "channels_first"
    axes = list(range(1, len(shape)))
    if len(axes) <= max(windows, 1):  # a latent vector, or an image without channels
        return axes, None
    channel = 1 if first else len(shape) - 1
    return [axis for axis in axes if axis != channel], channel
