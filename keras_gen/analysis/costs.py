"""What a Keras model costs: parameters, multiply–accumulates and activation memory.

    cost(model).macs          # per image
    print(cost(model).table())

The conventions are those of most papers. A multiply–accumulate is one multiplication by a weight
and one addition, so floating-point operations are about twice as many. Biases, activations,
normalisation, pooling, resizing and additions are not counted: compared with the products with
weights they are small. A convolution multiplies every tap of its kernel for every output, zeros of
the padding included; a transposed convolution does so for every input. A layer that is called twice
computes twice, but its parameters count once.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras

from keras_gen._util.tables import Table
from keras_gen.analysis.graph import Step, trace
from keras_gen.analysis.rules_windows import channels_first

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """What a model costs; made by `cost`.

    Attributes:
        parameters: number of weights, trainable or not; shared ones count once.
        macs: multiply–accumulates for one image.
        activation_bytes: bytes of the outputs of all layers for one image, as training keeps them.
        rows: one row per call of a layer; see `table`.
    """

    parameters: int
    macs: int
    activation_bytes: int
    rows: Table

    def table(self) -> Table:
        """The cost of every layer.

        Returns:
            A list of rows with `layer`, `type`, `output_shape` (without the batch), `parameters`
            (0 where an earlier call has counted them), `macs` and `activation_bytes`; it prints as
            a table.
        """
        return self.rows

    def __repr__(self) -> str:
        return (
            f"<{self.parameters:,} parameters, {self.macs:,} multiply–accumulates and "
            f"{self.activation_bytes:,} bytes of activations per image>"
        )


def cost(
    model: keras.Model,
    *,
    rules: dict | None = None,
    input_shape: Sequence[int] | dict | None = None,
) -> Cost:
    """Count what a model costs.

    Args:
        model: a functional or sequential Keras model; nested models are opened.
        rules: multiply–accumulates of layers that are not known, by name or class: a number, or a
            function `(layer, input_shapes, output_shapes) -> number` of shapes without the batch.
        input_shape: shape of the input without the batch, where the model leaves it open; for
            several inputs a dictionary of names and shapes.

    Returns:
        A `Cost`.

    Raises:
        ValueError: for a model without a graph, an open input shape, or a layer with weights that
            is not known and not in `rules`.

    Example:
        >>> model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(8, 5)])
        >>> counted = cost(model)
        >>> counted.parameters, counted.macs  # 8·(5·5·3 + 1), 28·28·8·(5·5·3)
        (608, 470400)

    References:
        The counts of He et al. (2016), "Deep residual learning for image recognition", and Howard
        et al. (2017), "MobileNets", follow these conventions.
    """
    graph = trace(model, input_shape)
    graph.check_closed(range(len(graph.shapes)))
    shapes = graph.shapes
    rows, counted = Table(), set()
    for step in graph.steps:
        inputs = [shapes[number][1:] for number in step.inputs]
        outputs = [shapes[number][1:] for number in step.outputs]
        weights = [w for w in getattr(step.operation, "weights", []) if id(w) not in counted]
        counted.update(id(weight) for weight in weights)
        sizes = [math.prod(shape) for shape in outputs]
        rows.append(
            {
                "layer": step.name,
                "type": type(step.operation).__name__,
                "output_shape": outputs[0],
                "parameters": sum(math.prod(weight.shape) for weight in weights),
                "macs": _macs(step, inputs, outputs, rules or {}),
                "activation_bytes": sum(
                    size * _bytes_each(graph.dtypes[number])
                    for size, number in zip(sizes, step.outputs, strict=True)
                ),
            }
        )
    columns = ("parameters", "macs", "activation_bytes")
    return Cost(*(sum(row[column] for row in rows) for column in columns), rows)


def _bytes_each(dtype):
    return 1 if dtype == "bool" else int("".join(filter(str.isdigit, dtype.partition("_")[0]))) // 8


# ---------------------------------------------------------------------------------------------
# Products with weights, layer by layer
# ---------------------------------------------------------------------------------------------

_COUNTS: dict[str, Callable[..., int]] = {}


# Layers whose weights scale or look up, at most one multiplication per element.
_SMALL = (
    "BatchNormalization",
    "Embedding",
    "GroupNormalization",
    "LayerNormalization",
    "LayerScale",
    "Normalization",
    "PReLU",
    "RMSNormalization",
)


def _counts(names: str):
    """Register how a kind of layer or operation is counted."""

    def register(count):
        _COUNTS.update(dict.fromkeys(names.split(), count))
        return count

    return register


def _macs(step: Step, inputs: list[Shape], outputs: list[Shape], rules: dict) -> int:
    operation, kind = step.operation, type(step.operation)
    for key in (step.name, operation.name, kind, kind.__name__):
        if key in rules:
            count = rules[key]
            return count(operation, inputs, outputs) if callable(count) else count
    count = _find_count(operation)
    if count is not None:
        constants = [x for x in (*step.args, *step.kwargs.values()) if hasattr(x, "shape")]
        return count(operation, inputs, outputs, *(tuple(x.shape) for x in constants))
    if getattr(operation, "weights", None):
        raise ValueError(
            f"layer {step.name!r} ({kind.__name__}) has weights, and it is not known how often it "
            f"multiplies by them; say so with rules={{{operation.name!r}: number}} for one image, "
            "or a function (layer, input_shapes, output_shapes) -> number"
        )
    return 0


def _find_count(operation):
    """How to count an operation; `None` if it is not known."""
    for kind in type(operation).__mro__:
        call = getattr(kind, "call", None)
        if kind.__module__.startswith("keras.src.") and call is type(operation).call:
            if kind.__name__ in _SMALL:
                return lambda *_: 0
            if kind.__name__ in _COUNTS:
                return _COUNTS[kind.__name__]
    return None


def _pixels(shape, options):
    """How many positions a feature map has."""
    return math.prod(shape) // (shape[0] if channels_first(options) else shape[-1])


@_counts("Conv1D Conv2D Conv3D DepthwiseConv1D DepthwiseConv2D")
def _convolution(layer, inputs, outputs):
    return _pixels(outputs[0], layer) * math.prod(layer.kernel.shape)


@_counts("SeparableConv1D SeparableConv2D")
def _separable_convolution(layer, inputs, outputs):
    kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
    return _pixels(outputs[0], layer) * sum(math.prod(kernel.shape) for kernel in kernels)


@_counts("Conv1DTranspose Conv2DTranspose Conv3DTranspose")
def _transposed_convolution(layer, inputs, outputs):
    return _pixels(inputs[0], layer) * math.prod(layer.kernel.shape)


@_counts("Conv DepthwiseConv SeparableConv")
def _convolution_operation(operation, inputs, outputs, *kernels):
    return _pixels(outputs[0], operation) * sum(map(math.prod, kernels))


@_counts("ConvTranspose")
def _transposed_convolution_operation(operation, inputs, outputs, kernel):
    return _pixels(inputs[0], operation) * math.prod(kernel)


@_counts("Dense")
def _dense(layer, inputs, outputs):
    return math.prod(outputs[0]) * inputs[0][-1]


@_counts("EinsumDense")
def _einsum_dense(layer, inputs, outputs):
    return _contraction(layer.equation, [(1, *inputs[0]), tuple(layer.kernel.shape)])


@_counts("Matmul Dot")
def _matmul(operation, inputs, outputs, *constants):
    return math.prod(outputs[0]) * inputs[0][-1]


@_counts("Einsum")
def _einsum(operation, inputs, outputs, *constants):
    return _contraction(operation.subscripts, [*((1, *shape) for shape in inputs), *constants])


def _contraction(equation, shapes):
    """An Einstein sum multiplies once for every choice of all its labels."""
    sizes = {}
    for term, shape in zip(
        equation.split("->")[0].replace(" ", "").split(","), shapes, strict=True
    ):
        before, _, after = term.partition("...")
        dots = len(shape) - len(before) - len(after)
        labels = [*before, *range(-dots, 0), *after] if "..." in term else [*term]
        sizes.update(zip(labels, shape, strict=True))
    return math.prod(sizes.values())


@_counts("MultiHeadAttention")
def _multi_head_attention(layer, inputs, outputs):
    query, value = inputs[0], inputs[1] if len(inputs) > 1 else inputs[0]
    queries, values = query[0], value[0]
    projections = sum(
        count * math.prod(dense.kernel.shape)
        for count, dense in (
            (queries, layer.query_dense),
            (values, layer.key_dense),
            (values, layer.value_dense),
            (queries, layer.output_dense),
        )
    )
    per_pair = layer.num_heads * (layer.key_dim + layer.value_dim)
    return projections + queries * values * per_pair


@_counts("TimeDistributed")
def _time_distributed(wrapper, inputs, outputs):
    times = inputs[0][0]
    shapes = ([shape[1:] for shape in side] for side in (inputs, outputs))
    return times * _wrapped(wrapper, *shapes)


@_counts("SpectralNormalization")
def _wrapped(wrapper, inputs, outputs):
    count = _find_count(wrapper.layer)
    if count is None and wrapper.layer.weights:
        raise ValueError(f"layer {wrapper.name!r} wraps {wrapper.layer.name!r}, which is unknown")
    return count(wrapper.layer, inputs, outputs) if count else 0
