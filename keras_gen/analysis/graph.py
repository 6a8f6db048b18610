"""The graph of a Keras model as a list of steps, nested models included.

`trace` turns a model into a list of steps in the order of computation: which operation, on which
tensors, to which tensors. Tensors are numbers. A nested model is opened, a layer that is called
twice gives two steps, and nothing is computed. `fields` and `costs` are two readers of that list.

    for step in trace(model).steps:
        print(step.name, step.inputs, "→", step.outputs)
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import keras
from keras import tree


@dataclass(frozen=True)
class Slot:
    """The place of a tensor among the arguments of a step."""

    number: int


@dataclass(frozen=True)
class Step:
    """One call of a layer or of an operation of `keras.ops`.

    Attributes:
        name: the layer's name, after the names of the models around it (`"encoder/conv_1"`), and
            with `#2`, `#3`, … when the same layer is called again.
        operation: the layer, or the `keras.Operation`.
        args: positional arguments of the call, each tensor replaced by its `Slot`.
        kwargs: keyword arguments of the call, likewise.
        inputs: numbers of the tensors among the arguments.
        outputs: numbers of the tensors that come out.
    """

    name: str
    operation: keras.Operation
    args: tuple
    kwargs: dict
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def fill_in(self, values) -> tuple[tuple, dict]:
        """Put `values[number]` in the places of the tensors.

        Returns:
            The arguments and the keyword arguments of the call.
        """

        def value(argument):
            return values[argument.number] if isinstance(argument, Slot) else argument

        return tree.map_structure(value, (self.args, self.kwargs))


@dataclass(frozen=True)
class Graph:
    """A model as a list of steps.

    Attributes:
        steps: in an order in which they can be computed.
        inputs: numbers of the model's inputs.
        outputs: numbers of the model's outputs.
        shapes: for each tensor the shape that Keras knows, with `None` for what it does not.
        dtypes: for each tensor its dtype.
        names: for each name (inputs, steps, nested models) the number of its first output.
        tensors: for the numbers of the outermost model the Keras tensors.
    """

    steps: list[Step]
    inputs: list[int]
    outputs: list[int]
    shapes: list[tuple[int | None, ...]]
    dtypes: list[str]
    names: dict[str, int]
    tensors: dict[int, keras.KerasTensor]

    def find(self, which, *, among: list[int] | None = None) -> int:
        """Find a tensor.

        Args:
            which: a name (`"block_3"`; `"encoder/block_3"` where several nested models have one;
                `"block_3#2"` for the second call), a layer, a Keras tensor, or an index into
                `among`.
            among: numbers of tensors that an index chooses from.

        Returns:
            The tensor's number.

        Raises:
            ValueError: if the model has no such layer or tensor.
        """
        if isinstance(which, int) and among is not None and -len(among) <= which < len(among):
            return among[which]
        same = [number for number, tensor in self.tensors.items() if tensor is which]
        if same:
            return same[0]
        name = which if isinstance(which, str) else getattr(which, "name", repr(which))
        if not isinstance(which, keras.KerasTensor):
            inside = [known for known in self.names if known.endswith(f"/{name}")]
            found = [name] if name in self.names else inside
            if len({re.sub(r"#\d+", "", known) for known in found}) == 1:
                return self.names[found[0]]
        close = difflib.get_close_matches(name, self.names, n=3) or list(self.names)[:8]
        raise ValueError(
            f"the model has no layer {name!r}; try one of {', '.join(map(repr, close))}"
        )

    def before(self, target: int, *, stop: int | None = None) -> set[int]:
        """The tensors needed to compute one, itself included; nothing that only `stop` needs."""
        needed = {target}
        for step in reversed(self.steps):
            wanted = needed.intersection(step.outputs)
            if wanted and wanted != {stop}:
                needed.update(step.inputs)
        return needed

    def check_closed(self, numbers: Iterable[int]):
        """Check that tensors have a known size.

        Raises:
            ValueError: for an open shape; says what to give.
        """
        if not any(None in self.shapes[number][1:] for number in numbers):
            return
        shapes = {self.name_of(number): self.shapes[number][1:] for number in self.inputs}
        name, shape = next((item for item in shapes.items() if None in item[1]), (None, ()))
        if name is None:
            raise ValueError("the model has layers whose output size is open; rebuild it closed")
        wanted = tuple(400 if size is None else size for size in shape)
        raise ValueError(
            f"input {name!r} has the open shape {shape}; say at which size to look, for example "
            f"with input_shape={wanted if len(shapes) == 1 else {name: wanted}}"
        )

    def name_of(self, number: int) -> str:
        """The name under which a tensor is found."""
        return next((name for name, found in self.names.items() if found == number), str(number))


def trace(model: keras.Model, input_shape: Sequence[int] | dict | None = None) -> Graph:
    """List the steps of the graph of a functional or sequential model.

    Args:
        model: a built model; nested models are opened.
        input_shape: shape of the input without the batch, where the model leaves it open; for
            several inputs a dictionary of names and shapes.

    Returns:
        The steps, in an order in which they can be computed.

    Raises:
        ValueError: for a model without a graph (a subclassed one, or one that is not built yet),
            or an input shape that does not fit.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="c")])
        >>> [(step.name, step.inputs, step.outputs) for step in trace(model).steps]
        [('c', (0,), (1,))]
    """
    if not _has_graph(model):
        raise ValueError(
            f"{getattr(model, 'name', model)!r} is a {type(model).__name__} and has no graph to "
            "follow; give a functional or a sequential Keras model that knows its input's shape "
            "(a sequential one: start it with keras.Input, or call model.build)"
        )
    graph = Graph([], [], [], [], [], {}, {})
    numbers = {}
    for tensor in model.inputs:
        numbers[id(tensor)] = _new_tensor(graph, tensor)
        graph.names[tensor._keras_history.operation.name] = numbers[id(tensor)]
    graph.inputs.extend(numbers[id(tensor)] for tensor in model.inputs)
    graph.outputs.extend(_open(graph, model, numbers, prefix=""))
    for tensor in (*model.inputs, *(t for node in _nodes_in_order(model) for t in node.outputs)):
        graph.tensors[numbers[id(tensor)]] = tensor
    if input_shape:
        _close_shapes(graph, input_shape)
    return graph


def _has_graph(operation):
    if not isinstance(operation, keras.Sequential):
        return isinstance(operation, keras.Function)
    try:
        return bool(operation.inputs)
    except (AttributeError, ValueError):  # not built yet
        return False


def _close_shapes(graph, input_shape):
    """Put the caller's input shapes in, and let each operation state its outputs' shapes."""
    if not isinstance(input_shape, dict):
        input_shape = {0: input_shape}
    for which, wanted in input_shape.items():
        number = graph.find(which, among=graph.inputs)
        batch, *known = graph.shapes[number]
        agrees = len(wanted) == len(known) and all(
            size in (None, want) for size, want in zip(known, wanted, strict=True)
        )
        if number not in graph.inputs or not agrees:
            raise ValueError(
                f"input_shape={tuple(wanted)} does not fit input {graph.name_of(number)!r} of "
                f"shape {tuple(known)}; give one size for each of its axes, without the batch"
            )
        graph.shapes[number] = (batch, *wanted)
    for step in graph.steps:
        if any(None in graph.shapes[number][1:] for number in step.outputs):
            args, kwargs = step.fill_in(
                {
                    number: keras.KerasTensor(graph.shapes[number], dtype=graph.dtypes[number])
                    for number in step.inputs
                }
            )
            outputs = tree.flatten(step.operation.compute_output_spec(*args, **kwargs))
            for number, output in zip(step.outputs, outputs, strict=True):
                graph.shapes[number] = tuple(output.shape)


def _new_tensor(graph, tensor):
    graph.shapes.append(tuple(tensor.shape))
    graph.dtypes.append(keras.backend.standardize_dtype(tensor.dtype))
    return len(graph.shapes) - 1


def _open(graph, model, numbers, prefix):
    """Append the steps of a model whose inputs have numbers, and return its outputs' numbers."""
    for node in _nodes_in_order(model):
        operation = node.operation
        outputs = [tensor for tensor in node.outputs if id(tensor) not in numbers]
        if not outputs:  # an input of the model
            continue
        name = _new_name(graph, prefix + operation.name)

        def slot(argument):
            is_tensor = isinstance(argument, keras.KerasTensor)
            return Slot(numbers[id(argument)]) if is_tensor else argument

        args, kwargs = node.arguments.convert(slot)
        inputs = [x.number for x in tree.flatten((args, kwargs)) if isinstance(x, Slot)]
        if _has_graph(operation):
            inner = zip(operation.inputs, inputs, strict=False)
            inner = {id(tensor): number for tensor, number in inner}
            found = _open(graph, operation, inner, prefix=f"{name}/")
        else:
            found = [_new_tensor(graph, tensor) for tensor in node.outputs]
            graph.steps.append(Step(name, operation, args, kwargs, tuple(inputs), tuple(found)))
        numbers.update({id(t): number for t, number in zip(node.outputs, found, strict=True)})
        graph.names[name] = found[0]
    return [numbers[id(tensor)] for tensor in model.outputs]


def _new_name(graph, name):
    """Number the second and later calls of a layer."""
    if name not in graph.names:
        return name
    call = 2
    while f"{name}#{call}" in graph.names:
        call += 1
    return f"{name}#{call}"


def _nodes_in_order(model) -> Iterator:
    """The calls that lead from a model's inputs to its outputs, each after those it needs."""
    done = {id(tensor) for tensor in model.inputs}
    stack = [(tensor, False) for tensor in reversed(model.outputs)]
    while stack:
        tensor, ready = stack.pop()
        if id(tensor) in done:
            continue
        operation, index, _ = tensor._keras_history
        node = operation._inbound_nodes[index]
        if ready or not node.input_tensors:
            done.update(id(output) for output in node.outputs)
            yield node
            continue
        stack.append((tensor, True))
        stack.extend((source, False) for source in reversed(node.input_tensors))
