"""Rules: what each Keras layer and each operation of `keras.ops` does to a field.

A rule is one short function per kind of layer, written with the methods of `Field`; it needs no
weights. This module finds the rule for a step of a graph, or explains that there is none. It holds
the rules for what acts element by element; the others are in `rules_windows` (convolution, pooling,
resizing), `rules_moves` (padding, slicing, reshaping) and `rules_axes` (dense layers, reductions,
normalisation, attention).

Whether an element is always zero matters in one place: a product with zero padding depends on no
pixel. So rules `lift` a field where a bias or another constant is added.
"""

from collections.abc import Callable
from functools import lru_cache, partial

import keras
import numpy as np
from keras import layers, tree

from keras_gen.analysis import index_maps
from keras_gen.analysis.tensor_field import Field

Rule = Callable[..., Field | list[Field]]


_LAYERS: dict[type, Rule] = {}


_OPERATIONS: dict[str, Rule] = {}


def layer_rule(names: str):
    """Register a rule for layers of `keras.layers`, those that this version of Keras has."""

    def register(rule):
        known = [getattr(layers, name) for name in names.split() if hasattr(layers, name)]
        _LAYERS.update(dict.fromkeys(known, rule))
        return rule

    return register


def operation_rule(names: str):
    """Register a rule for operations of `keras.ops`, named after their classes."""

    def register(rule):
        _OPERATIONS.update(dict.fromkeys(names.split(), rule))
        return rule

    return register


class UnknownLayerError(ValueError):
    """A layer that has no rule and for which none was given."""


# ---------------------------------------------------------------------------------------------
# Finding the rule
# ---------------------------------------------------------------------------------------------


def apply(
    operation, name: str, args: tuple, kwargs: dict, given: dict, shapes: list
) -> list[Field]:
    """Apply the rule of one layer or operation.

    Args:
        operation: the layer or `keras.Operation`.
        name: its name in the graph, for the error message and to look up `given`.
        args: arguments of the call, with fields in the places of tensors.
        kwargs: keyword arguments of the call, likewise.
        given: the caller's own rules (see `receptive_field`).
        shapes: shapes of the outputs, for the rule `"global"`.

    Returns:
        The fields of the outputs.

    Raises:
        UnknownLayerError: if there is no rule.
    """
    rule = _given_rule(operation, name, given, shapes) or find_rule(operation)
    if rule is None:
        raise UnknownLayerError(_explain(operation, name))
    try:
        return tree.flatten(rule(operation, *args, **kwargs))
    except UnknownLayerError as error:
        raise UnknownLayerError(f"{_explain(operation, name)} ({error})") from None


def find_rule(operation) -> Rule | None:
    """The rule for a layer or an operation, or `None`.

    A subclass of a known layer has the same rule as long as it has no `call` of its own.
    """
    kind = type(operation)
    if not isinstance(operation, keras.Layer):
        known = kind.__module__.startswith("keras.src.ops.")
        return _OPERATIONS.get(kind.__name__) if known else None
    if kind.__module__.startswith("keras.src.applications."):
        return _IN_APPLICATIONS.get(kind.__name__)
    for base in kind.__mro__:
        if base in _LAYERS and base.call is kind.call:
            return _LAYERS[base]
    return None


def _given_rule(operation, name, given, shapes):
    kind = type(operation)
    for key in (name, name.partition("#")[0], operation.name, kind, kind.__name__):
        if key in given:
            return _as_rule(given[key], key, shapes)
    return None


def _as_rule(rule, key, shapes):
    if isinstance(rule, str) and rule == "elementwise":
        return elementwise
    if isinstance(rule, str) and rule == "global":
        return partial(_depend_on_everything, shapes)
    if isinstance(rule, keras.Operation):
        known = find_rule(rule)
        if known is not None:
            return lambda _, *args, **kwargs: known(rule, *args, **kwargs)
    elif callable(rule):
        return rule
    raise ValueError(
        f"rules[{key!r}] is {rule!r}; give 'elementwise', 'global', a known layer with the same "
        "receptive field, or a function (layer, *fields) -> field"
    )


def _explain(operation, name):
    kind = type(operation)
    what = "layer" if isinstance(operation, keras.Layer) else "operation"
    return (
        f"{what} {name!r} ({kind.__name__}) is unknown: its receptive field cannot be worked out. "
        f"Give its rule: rules={{{operation.name!r}: 'elementwise'}} if every output depends on "
        "the input at its own position only, 'global' if it depends on all positions, or a Keras "
        "layer with the same receptive field, such as keras.layers.AveragePooling2D(2)"
    )


def fields_among(*arguments) -> list[Field]:
    """The tensors among the arguments of a call."""
    return [leaf for leaf in tree.flatten(arguments) if isinstance(leaf, Field)]


def _depend_on_everything(shapes, _, *args, **kwargs):
    everything = Field.join([field.reduce() for field in fields_among(args, kwargs)])
    outputs = []
    for shape in shapes:
        if None in shape[1:]:
            raise UnknownLayerError(f"its output's shape {shape} is open")
        field = everything
        for size in shape[1:]:
            field = field.insert(len(field.shape)).hull(-1, size)
        outputs.append(field.with_channel(len(shape) - 1 if len(shape) > 1 else None))
    return outputs


# ---------------------------------------------------------------------------------------------
# Element by element
# ---------------------------------------------------------------------------------------------


@layer_rule(
    "Identity ReLU LeakyReLU PReLU ELU Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D "
    "AlphaDropout GaussianDropout GaussianNoise ActivityRegularization"
)
@layer_rule(  # layers that change images in training only
    "RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast "
    "RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue "
    "RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation "
    "RandomSharpness RandomShear RandomTranslation RandomZoom MixUp CutMix AugMix RandAugment"
)
@operation_rule(
    "Abs Absolute Angle Arcsin Arcsinh Arctan Arctanh Array Cast Cbrt Ceil Celu Conj Conjugate "
    "ConvertToTensor Copy Deg2rad Elu Erf Erfinv Expm1 Fabs Floor Gelu HardShrink HardSilu "
    "HardTanh Imag LeakyRelu Log1p NanToNum Negative Rad2deg Real Relu Relu6 Round SaturateCast "
    "Selu Sign Silu Sin Sinh SoftShrink Softsign Sqrt Square StopGradient Tan Tanh TanhShrink "
    "Trunc View"
)
def _zero_preserving(_, x, *__, **___):
    """Every output depends on its own position, and zero stays zero."""
    return x


@layer_rule("BatchNormalization Normalization")
@operation_rule(
    "Arccos Arccosh BatchNorm BitwiseInvert BitwiseNot Clip Cos Cosh Digitize Erfc Exp Exp2 "
    "HardSigmoid I0 Isfinite Isinf Isnan Isneginf Isposinf Isreal Log Log10 Log2 LogSigmoid "
    "LogicalNot Reciprocal Rsqrt Sigmoid Signbit Sinc Softplus SparsePlus SparseSigmoid Squareplus "
    "Threshold"
)
@operation_rule(
    "Arctan2 BitwiseAnd BitwiseLeftShift BitwiseOr BitwiseRightShift BitwiseXor Equal FloorDivide "
    "Fmod Gcd Greater GreaterEqual Heaviside Hypot Isclose Lcm Ldexp LeftShift Less LessEqual "
    "Logaddexp Logaddexp2 LogicalAnd LogicalOr LogicalXor Mod Nextafter NotEqual Polar RightShift "
    "Select Where"
)
def elementwise(_, *args, **kwargs):
    """Every output depends on its own position in all inputs; shapes broadcast."""
    return _join(args, kwargs).lift()


@operation_rule("Add Subtract Maximum Minimum Fmax Fmin")
def _sum(_, *args):
    numbers = [x for x in args if isinstance(x, (int, float, complex)) and x != 0]
    return _join(args).lift() if numbers else _join(args)


@operation_rule("Multiply")
def _product(_, *args):
    return _join(args, product=True)


@operation_rule("Divide DivideNoNan TrueDivide Power")
def _quotient(_, first, second):
    return _join(first, second, product=isinstance(first, Field))


def _join(*arguments, product=False):
    """Let tensors and constant arrays meet."""
    fields = fields_among(arguments)
    arrays = [
        leaf
        for leaf in tree.flatten(arguments)
        if hasattr(leaf, "shape") and not isinstance(leaf, Field)
    ]
    constants = [fields[0].constant(tuple(array.shape)) for array in arrays]
    return Field.join(fields + constants, product=product)


@layer_rule("Rescaling")
def _rescaling(layer, x):
    return x if np.all(np.equal(layer.offset, 0)) else x.lift()


@layer_rule("Add Subtract Multiply Average Maximum Minimum")
def _merge(layer, inputs, **__):
    rank = max(len(field.shape) for field in inputs)
    widened = []
    for field in inputs:
        while len(field.shape) < rank:  # the merging layers of Keras broadcast after the batch
            field = field.insert(1)
        widened.append(field)
    return Field.join(widened, product=isinstance(layer, layers.Multiply))


@operation_rule("OnesLike ZerosLike EmptyLike FullLike")
def _constant_like(operation, x, *_, **__):
    return x.constant(x.shape, zero=type(operation).__name__ == "ZerosLike")


# Layers that only the models of keras.applications have.
_IN_APPLICATIONS = {
    "LayerScale": _zero_preserving,
    "StochasticDepth": _zero_preserving,
    "CustomScaleLayer": lambda _, inputs: Field.join(inputs),
}


# ---------------------------------------------------------------------------------------------
# Activations
# ---------------------------------------------------------------------------------------------


@layer_rule("Activation")
def _activation(layer, x, **_):
    return activate(x, layer.activation)


def activate(x: Field, function, bias: bool = False) -> Field:
    """Add a bias if there is one, then apply an activation function, which may be a layer."""
    x = x.lift() if bias else x
    if isinstance(function, keras.Layer):
        rule = find_rule(function)
        if rule is None:
            raise UnknownLayerError(f"its activation {function.name!r} is unknown")
        return rule(function, x)
    name = getattr(function, "__name__", type(function).__name__)
    if name in ("softmax", "log_softmax", "sparsemax"):
        return normalize_over(x, [len(x.shape) - 1])
    if name == "glu":
        return _gated_linear_unit(x, -1)
    in_keras = getattr(function, "__module__", "").startswith("keras.src.activations")
    if not in_keras and not _is_elementwise(function):
        raise UnknownLayerError(f"its activation {name!r} does not act element by element")
    return x if _keeps_zero(function) else x.lift()


@lru_cache(256)
def _keeps_zero(function):
    zero = keras.ops.zeros((1, 1, 1, 1))
    return bool((keras.ops.convert_to_numpy(function(zero)) == 0).all())


@lru_cache(256)
def _is_elementwise(function):
    """Try a function on random numbers: does each result depend on its own element only?"""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 2, 6, 6, 6)).astype("float32")
    kept = random.random(x.shape) < 0.5
    try:
        one, other = (
            keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(array)))
            for array in (x, np.where(kept, x, y))
        )
    except Exception:  # whatever it raises, it is not a function that takes any element
        return False
    return one.shape == x.shape and np.array_equal(one[kept], other[kept])


def normalize_over(x: Field, axes: list[int]) -> Field:
    """Divide by a sum, or subtract a mean, over axes: the result is constant for one element."""
    if all(x.shape[axis] == 1 for axis in axes):
        return x.constant(x.shape)
    for axis in axes:
        x = x.hull(axis)
    return x.lift()


@layer_rule("Softmax")
@operation_rule("Softmax LogSoftmax Sparsemax")
def _softmax(operation, x, **_):
    axes = [operation.axis] if isinstance(operation.axis, int) else operation.axis
    return normalize_over(x, list(axes))


@operation_rule("Glu")
def _glu(operation, x):
    return _gated_linear_unit(x, operation.axis)


def _gated_linear_unit(x, axis):
    size = x.shape[axis]
    value = x.gather(axis, index_maps.sliced(size, 0, size // 2))
    gate = x.gather(axis, index_maps.sliced(size, size // 2, size))
    return Field.join([value, gate.lift()], product=True)
