"""What each Keras layer and each `keras.ops` operation does to a field.

One short function per kind of layer, written with the methods of `Field`: `gather` reads some
elements along an axis, `hull` all of them, `Field.join` lets branches meet. Nothing is computed
with weights. `apply` finds the rule for a step of a graph, or explains that there is none.
"""

import math
import re
from collections.abc import Callable
from functools import partial, reduce

import keras
import numpy as np
from keras import layers, tree

from keras_gen import taps
from keras_gen.intervals import Field

Rule = Callable[..., Field | list[Field]]

_LAYERS: dict[type, Rule] = {}
_OPERATIONS: dict[str, Rule] = {}


def _layer(names: str):
    """Register a rule for layers of `keras.layers`, those that this version of Keras has."""

    def register(rule):
        known = [getattr(layers, name) for name in names.split() if hasattr(layers, name)]
        _LAYERS.update(dict.fromkeys(known, rule))
        return rule

    return register


def _operation(names: str):
    """Register a rule for operations of `keras.ops`, named after their classes."""

    def register(rule):
        _OPERATIONS.update(dict.fromkeys(names.split(), rule))
        return rule

    return register


class UnknownLayerError(ValueError):
    """A layer whose behaviour is not known and was not given."""


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
        shapes: shapes of the outputs, for rules that are just a word.

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

    A subclass of a known layer has its rule as long as it does not bring its own `call`.
    """
    kind = type(operation)
    if not isinstance(operation, keras.Layer):
        known = kind.__module__.startswith("keras.src.ops.")
        return _OPERATIONS.get(kind.__name__) if known else None
    if kind.__module__.startswith("keras.src.applications."):
        return elementwise if kind.__name__ in _IN_APPLICATIONS else None
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
    if rule == "elementwise":
        return elementwise
    if rule == "global":
        return partial(_see_everything, shapes)
    if isinstance(rule, keras.Operation):
        known = find_rule(rule)
        if known is not None:
            return lambda _, *args, **kwargs: known(rule, *args, **kwargs)
    elif callable(rule):
        return rule
    raise ValueError(
        f"rules[{key!r}] is {rule!r}; give 'elementwise', 'global', a known layer that behaves "
        "alike, or a function (layer, *fields) -> field"
    )


def _explain(operation, name):
    kind = type(operation)
    what = "layer" if isinstance(operation, keras.Layer) else "operation"
    return (
        f"{what} {name!r} ({kind.__name__}) is unknown: it does not tell which inputs its outputs "
        f"see. Say what it does: rules={{{operation.name!r}: 'elementwise'}} if every output "
        "sees the input at its own position only, 'global' if it sees all of them, or a Keras "
        "layer that sees alike, such as keras.layers.AveragePooling2D(2)"
    )


def _fields(*arguments) -> list[Field]:
    return [leaf for leaf in tree.flatten(arguments) if isinstance(leaf, Field)]


def _see_everything(shapes, _, *args, **kwargs):
    seen = Field.join([field.reduce() for field in _fields(args, kwargs)])
    outputs = []
    for shape in shapes:
        if None in shape[1:]:
            raise UnknownLayerError(f"its output's shape {shape} is open")
        field = seen
        for size in shape[1:]:
            field = field.insert(len(field.shape)).hull(-1, size)
        outputs.append(field.with_channel(len(shape) - 1 if len(shape) > 1 else None))
    return outputs


# ---------------------------------------------------------------------------------------------
# Element by element
# ---------------------------------------------------------------------------------------------

_IN_APPLICATIONS = ("LayerScale", "StochasticDepth", "CustomScaleLayer")


@_layer("Activation")
def _activation(layer, x, **_):
    return activate(x, layer.activation)


@_layer(
    "Identity ReLU LeakyReLU PReLU ELU BatchNormalization Rescaling Normalization Dropout "
    "SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout "
    "GaussianNoise ActivityRegularization"
)
@_layer(  # layers that change pictures in training only
    "RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast "
    "RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue "
    "RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation "
    "RandomSharpness RandomShear RandomTranslation RandomZoom MixUp CutMix AugMix RandAugment"
)
@_operation(
    "Abs Absolute Add Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Array BatchNorm "
    "BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor "
    "Cast Cbrt Ceil Celu Clip Conj Conjugate ConvertToTensor Copy Cos Cosh Deg2rad Digitize Divide "
    "DivideNoNan Elu Equal Erf Erfc Erfinv Exp Exp2 Expm1 Fabs Floor FloorDivide Fmax Fmin Fmod "
    "Gcd Gelu Greater GreaterEqual HardShrink HardSigmoid HardSilu HardTanh Heaviside Hypot I0 "
    "Imag Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal Lcm Ldexp LeakyRelu LeftShift Less "
    "LessEqual Log Log10 Log1p Log2 LogSigmoid Logaddexp Logaddexp2 LogicalAnd LogicalNot "
    "LogicalOr LogicalXor Maximum Minimum Mod Multiply NanToNum Negative Nextafter NotEqual Polar "
    "Power Rad2deg Real Reciprocal Relu Relu6 RightShift Round Rsqrt SaturateCast Select Selu "
    "Sigmoid Sign Signbit Silu Sin Sinc Sinh SoftShrink Softplus Softsign SparsePlus SparseSigmoid "
    "Sqrt Square Squareplus StopGradient Subtract Tan Tanh TanhShrink Threshold TrueDivide Trunc "
    "View Where"
)
def elementwise(_, *args, **kwargs):
    """Every output sees its own position in all inputs; shapes broadcast."""
    fields = _fields(args, kwargs)
    arrays = [
        leaf
        for leaf in tree.flatten((args, kwargs))
        if hasattr(leaf, "shape") and not isinstance(leaf, Field)
    ]
    return Field.join(fields + [fields[0].constant(tuple(array.shape)) for array in arrays])


@_layer("Add Subtract Multiply Average Maximum Minimum")
def _merge(_, inputs, **__):
    rank = max(len(field.shape) for field in inputs)
    widened = []
    for field in inputs:
        while len(field.shape) < rank:  # the merging layers of Keras broadcast after the batch
            field = field.insert(1)
        widened.append(field)
    return Field.join(widened)


@_operation("OnesLike ZerosLike EmptyLike FullLike")
def _constant_like(_, x, *__, **___):
    return x.constant(x.shape)


def activate(x: Field, function) -> Field:
    """Apply an activation function, which may be a layer."""
    if isinstance(function, keras.Layer):
        rule = find_rule(function)
        if rule is None:
            raise UnknownLayerError(f"its activation {function.name!r} is unknown")
        return rule(function, x)
    name = getattr(function, "__name__", type(function).__name__)
    if name in ("softmax", "log_softmax", "sparsemax"):
        return x.hull(-1)
    if name == "glu":
        return _gated_linear_unit(x, -1)
    if getattr(function, "__module__", "").startswith("keras.src.activations"):
        return x
    if not _is_elementwise(function):
        raise UnknownLayerError(f"its activation {name!r} does not act on each element by itself")
    return x


def _is_elementwise(function):
    """Try a function on random numbers: each result may depend on its own element only."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 2, 6, 6, 6)).astype("float32")
    kept = random.random(x.shape) < 0.5
    try:
        one = keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(x)))
        other = np.where(kept, x, y)
        other = keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(other)))
    except Exception:  # whatever the function raises, it is not one that takes any element
        return False
    return one.shape == x.shape and np.array_equal(one[kept], other[kept])


def _gated_linear_unit(x, axis):
    half = x.shape[axis] // 2
    first, second = (
        x.gather(axis, taps.sliced(x.shape[axis], start, start + half)) for start in (0, half)
    )
    return Field.join([first, second])


@_operation("Glu")
def _glu(operation, x):
    return _gated_linear_unit(x, operation.axis)


# ---------------------------------------------------------------------------------------------
# Windows: convolution, pooling
# ---------------------------------------------------------------------------------------------


def _axes(x: Field, data_format: str) -> tuple[Field, list[int], int]:
    """The field, told which axis its channels are on, its spatial axes and its channel axis."""
    rank = len(x.shape)
    first = (data_format or keras.config.image_data_format()) == "channels_first"
    channel = 1 if first else rank - 1
    return x.with_channel(channel), [a for a in range(1, rank) if a != channel], channel


def _each(value, axes):
    """One value per axis, from a number or a sequence."""
    return [value] * len(axes) if value is None or isinstance(value, int) else list(value)


def _gather_each(x, axes, make, *values):
    """Gather along each axis with the taps that `make(size, …)` gives."""
    for axis, *arguments in zip(axes, *(_each(value, axes) for value in values), strict=True):
        x = x.gather(axis, make(x.shape[axis], *arguments))
    return x


def _window(x, options, kernel, dilation=1):
    x, axes, channel = _axes(x, options.data_format)
    strides = kernel if options.strides is None else options.strides
    padding = [options.padding] * len(axes)
    return _gather_each(x, axes, taps.window, kernel, strides, dilation, padding), channel


def _mix(x, channel, filters, groups=1):
    if groups == 1:
        return x.hull(channel, filters)
    return x.gather(channel, taps.grouped(x.shape[channel], filters, groups))


@_layer("Conv1D Conv2D Conv3D")
def _convolution(layer, x, **_):
    x, channel = _window(x, layer, layer.kernel_size, layer.dilation_rate)
    return activate(_mix(x, channel, layer.filters, layer.groups), layer.activation)


@_layer("DepthwiseConv1D DepthwiseConv2D")
def _depthwise_convolution(layer, x, **_):
    x, channel = _window(x, layer, layer.kernel_size, layer.dilation_rate)
    channels = x.shape[channel]
    x = _mix(x, channel, channels * layer.depth_multiplier, groups=channels)
    return activate(x, layer.activation)


@_layer("SeparableConv1D SeparableConv2D")
def _separable_convolution(layer, x, **_):
    x, channel = _window(x, layer, layer.kernel_size, layer.dilation_rate)
    return activate(x.hull(channel, layer.filters), layer.activation)


@_layer("Conv1DTranspose Conv2DTranspose Conv3DTranspose")
def _transposed_convolution(layer, x, **_):
    x = _spread(x, layer, layer.kernel_size, layer.filters)
    return activate(x, layer.activation)


def _spread(x, options, kernel, filters):
    x, axes, channel = _axes(x, options.data_format)
    padding = [options.padding] * len(axes)
    x = _gather_each(
        x,
        axes,
        taps.transposed,
        kernel,
        options.strides,
        options.dilation_rate,
        padding,
        options.output_padding,
    )
    return x.hull(channel, filters)


@_operation("Conv DepthwiseConv SeparableConv ConvTranspose")
def _convolution_operation(operation, x, kernel, pointwise_kernel=None):
    if any(isinstance(array, Field) for array in (kernel, pointwise_kernel)):
        raise UnknownLayerError("its kernel is computed by the network")
    *size, inputs, filters = kernel.shape
    name = type(operation).__name__
    if name == "ConvTranspose":
        return _spread(x, operation, size, inputs)
    x, channel = _window(x, operation, size, operation.dilation_rate)
    channels = x.shape[channel]
    if name == "Conv":
        return _mix(x, channel, filters, groups=channels // inputs)
    if name == "DepthwiseConv":
        return _mix(x, channel, channels * filters, groups=channels)
    return x.hull(channel, pointwise_kernel.shape[-1])


@_layer("MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D")
@_operation("MaxPool AveragePool")
def _pooling(layer, x):
    return _window(x, layer, layer.pool_size)[0]


@_layer(
    "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D"
)
@_operation("AdaptiveMaxPool AdaptiveAveragePool")
def _adaptive_pooling(layer, x):
    x, axes, _ = _axes(x, layer.data_format)
    return _gather_each(x, axes, taps.adaptive, layer.output_size)


@_layer(
    "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D"
)
def _global_pooling(layer, x, **_):
    x, axes, _ = _axes(x, layer.data_format)
    return x.reduce(axes, layer.keepdims)


@_operation("GaussianBlur")
def _gaussian_blur(operation, x):
    for axis, size in zip(_picture_axes(x, operation), operation.kernel_size, strict=True):
        x = x.gather(axis, taps.window(x.shape[axis], size))
    return x


@_operation("ExtractPatches")
def _patches(operation, x):
    """Each channel of a patch is one tap of the window."""
    x, axes, channel = _axes(x, operation.data_format)
    size = _each(operation.size, axes)
    strides = _each(operation.strides or size, axes)
    dilation = _each(operation.dilation_rate, axes)
    pieces = []
    for offsets in np.ndindex(*size):
        piece = x
        for axis, k, s, d, offset in zip(axes, size, strides, dilation, offsets, strict=True):
            window = taps.window(x.shape[axis], k, s, d, operation.padding)
            piece = piece.gather(axis, window.only(offset))
        pieces.append(piece)
    return Field.concatenate(pieces, channel)


# ---------------------------------------------------------------------------------------------
# Resizing
# ---------------------------------------------------------------------------------------------


def _picture_axes(x, options):
    """Height and width of a picture, with or without a batch."""
    rank = len(x.shape)
    first = (options.data_format or keras.config.image_data_format()) == "channels_first"
    return (rank - 2, rank - 1) if first else (rank - 3, rank - 2)


@_layer("UpSampling1D UpSampling2D UpSampling3D")
def _upsampling(layer, x):
    data_format = getattr(layer, "data_format", "channels_last")
    x, axes, _ = _axes(x, data_format)
    if getattr(layer, "interpolation", "nearest") == "nearest":
        return _gather_each(x, axes, taps.repeated, layer.size)
    sizes = [x.shape[axis] * factor for axis, factor in zip(axes, layer.size, strict=True)]
    return _gather_each(x, axes, _resized, sizes, [layer.interpolation] * 2)


@_layer("Resizing")
def _resizing(layer, x, *_, **__):
    return _resize(layer, x, (layer.height, layer.width), layer.interpolation)


@_operation("Resize")
def _resize_operation(operation, x):
    return _resize(operation, x, operation.size, operation.interpolation)


def _resize(options, x, size, interpolation, antialias=None):
    axes = _picture_axes(x, options)
    channel = next(a for a in (len(x.shape) - 3, len(x.shape) - 1) if a not in axes)
    x = x.with_channel(channel)
    (height, width), (wide, high) = (x.shape[axis] for axis in axes), size[::-1]
    # What is left over after the other side is filled, in float32 as TensorFlow computes it.
    fitting = [int(np.float32(width * high) / np.float32(wide))]
    fitting.append(int(np.float32(height * wide) / np.float32(high)))
    if getattr(options, "crop_to_aspect_ratio", False):
        for axis, length in zip(axes, fitting, strict=True):
            x = x.gather(axis, _central(x.shape[axis], max(min(x.shape[axis], length), 1)))
    elif getattr(options, "pad_to_aspect_ratio", False):
        for axis, length in zip(axes, fitting, strict=True):
            margin = max(length - x.shape[axis], 0) // 2
            x = x.gather(axis, taps.padded(x.shape[axis], margin, margin))
    antialias = bool(getattr(options, "antialias", False))
    return _gather_each(x, axes, _resized, size, [interpolation] * 2, [antialias] * 2)


def _central(size, length):
    start = (size - length) // 2
    return taps.sliced(size, start, start + length)


@_layer("CenterCrop")
def _center_crop(layer, x, *_, **__):
    axes, size = _picture_axes(x, layer), (layer.height, layer.width)
    if all(x.shape[axis] >= length for axis, length in zip(axes, size, strict=True)):
        return _gather_each(x, axes, _central, size)
    height, width = (x.shape[axis] for axis in axes)
    fitting = (int(width * layer.height / layer.width), int(height * layer.width / layer.height))
    for axis, length in zip(axes, fitting, strict=True):
        x = x.gather(axis, _central(x.shape[axis], max(min(x.shape[axis], length), 1)))
    return _gather_each(x, axes, _resized, size, ["bilinear"] * 2)


def _resized(size, size_out, interpolation, antialias=False):
    if size == size_out:
        return taps.sliced(size, 0)
    if interpolation in ("nearest", "bilinear", "bicubic") and not antialias:
        return taps.resized(size, size_out, interpolation)
    return taps.weighted(size, size_out, partial(_resizing_weights, interpolation, antialias))


def _resizing_weights(interpolation, antialias, size, size_out):
    """The weights of a resizing along one axis: resize the unit vectors."""
    unit = np.eye(size, dtype="float32")[:, None, :]
    resized = keras.ops.image.resize(
        unit,
        (size_out, 1),
        interpolation=interpolation,
        antialias=antialias,
        data_format="channels_last",
    )
    return keras.ops.convert_to_numpy(resized)[:, 0, :]


# ---------------------------------------------------------------------------------------------
# Moving elements: padding, cropping, slicing, reshaping
# ---------------------------------------------------------------------------------------------


@_layer("ZeroPadding1D ZeroPadding2D ZeroPadding3D")
def _zero_padding(layer, x):
    x, axes, _ = _axes(x, getattr(layer, "data_format", "channels_last"))
    margins = [layer.padding] if len(axes) == 1 else layer.padding
    for axis, (before, after) in zip(axes, margins, strict=True):
        x = x.gather(axis, taps.padded(x.shape[axis], before, after))
    return x


@_layer("Cropping1D Cropping2D Cropping3D")
def _cropping(layer, x):
    x, axes, _ = _axes(x, getattr(layer, "data_format", "channels_last"))
    margins = [layer.cropping] if len(axes) == 1 else layer.cropping
    for axis, (before, after) in zip(axes, margins, strict=True):
        x = x.gather(axis, taps.sliced(x.shape[axis], before, x.shape[axis] - after))
    return x


@_operation("Pad")
def _pad(operation, x, constant_values=None):
    if operation.mode not in ("constant", "reflect", "symmetric", "edge", "wrap"):
        raise UnknownLayerError(f"its mode is {operation.mode!r}")
    margins = list(operation.pad_width)
    margins = margins * len(x.shape) if len(margins) == 1 else margins
    for axis, (before, after) in enumerate(margins):
        if before or after:
            x = x.gather(axis, taps.padded(x.shape[axis], before, after, operation.mode))
    return x


@_operation("PadImages")
def _pad_images(operation, x):
    axes = _picture_axes(x, operation)
    margins = _margins(operation, "padding", [x.shape[axis] for axis in axes], sign=1)
    for axis, (before, after) in zip(axes, margins, strict=True):
        x = x.gather(axis, taps.padded(x.shape[axis], before, after))
    return x


@_operation("CropImages")
def _crop_images(operation, x):
    axes = _picture_axes(x, operation)
    margins = _margins(operation, "cropping", [x.shape[axis] for axis in axes], sign=-1)
    for axis, (before, after) in zip(axes, margins, strict=True):
        x = x.gather(axis, taps.sliced(x.shape[axis], before, x.shape[axis] - after))
    return x


def _margins(operation, word, sizes, sign):
    """Margins before and after, one of which may follow from the size that is wanted."""
    targets = (operation.target_height, operation.target_width)
    for sides, size, target in zip((("top", "bottom"), ("left", "right")), sizes, targets):  # noqa: B905
        before, after = (getattr(operation, f"{side}_{word}") for side in sides)
        total = None if target is None else sign * (target - size)
        yield (
            total - after if before is None else before,
            total - before if after is None else after,
        )


@_operation("GetItem")
def _get_item(_, x, key):
    key = list(key) if isinstance(key, (tuple, list)) else [key]
    if not all(k is None or k is Ellipsis or isinstance(k, (int, slice)) for k in key):
        raise UnknownLayerError("it is indexed by a tensor")
    named = sum(k is not None and k is not Ellipsis for k in key)
    rest = [slice(None)] * (len(x.shape) - named)
    at = key.index(Ellipsis) if Ellipsis in key else len(key)
    key[at : at + 1] = rest
    dropped = []
    for axis, k in enumerate(key):
        if k is None:
            x = x.insert(axis)
        elif isinstance(k, slice):
            if k != slice(None):
                x = x.gather(axis, taps.sliced(x.shape[axis], k.start, k.stop, k.step))
        else:
            k %= x.shape[axis]
            x = x.gather(axis, taps.sliced(x.shape[axis], k, k + 1))
            dropped.append(axis)
    return x.drop(dropped) if dropped else x


@_operation("Slice")
def _slice(operation, x, start_indices):
    for axis, (start, length) in enumerate(zip(start_indices, operation.shape, strict=True)):
        if axis and length != x.shape[axis]:
            length = x.shape[axis] - start if length == -1 else length
            x = x.gather(axis, taps.sliced(x.shape[axis], int(start), int(start) + int(length)))
    return x


@_operation("Take")
def _take(operation, x, indices):
    if isinstance(indices, Field):
        raise UnknownLayerError("it is indexed by a tensor")
    indices = np.asarray(keras.ops.convert_to_numpy(indices))
    if operation.axis is None:
        x, axis = x.reshape((-1,)), 0
    else:
        axis = operation.axis % len(x.shape)
    size = x.shape[axis]
    x = x.gather(axis, taps.table(size, indices.reshape(-1, 1) % size))
    return x.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def _axes_of(axis, x):
    axes = range(len(x.shape)) if axis is None else [axis] if isinstance(axis, int) else axis
    return [a % len(x.shape) for a in axes]


@_operation("Flip Fliplr Flipud")
def _flip(operation, x):
    axis = {"Fliplr": 1, "Flipud": 0}.get(type(operation).__name__)
    axis = operation.axis if axis is None else axis
    for a in _axes_of(axis, x):
        x = x.gather(a, taps.sliced(x.shape[a], None, None, -1))
    return x


@_operation("Roll")
def _roll(operation, x):
    if operation.axis is None:
        flat = x.reshape((-1,))
        return flat.gather(0, taps.rolled(flat.shape[0], operation.shift)).reshape(x.shape)
    axes = _axes_of(operation.axis, x)
    for axis, shift in zip(axes, _each(operation.shift, axes), strict=True):
        x = x.gather(axis, taps.rolled(x.shape[axis], shift))
    return x


@_operation("Repeat")
def _repeat(operation, x):
    if operation.axis is None:
        x, axis = x.reshape((-1,)), 0
    else:
        axis = operation.axis % len(x.shape)
    repeats = np.ravel(operation.repeats)
    if len(repeats) == 1:
        return x.gather(axis, taps.repeated(x.shape[axis], int(repeats[0])))
    indices = np.repeat(np.arange(x.shape[axis]), repeats)
    return x.gather(axis, taps.table(x.shape[axis], indices[:, None]))


@_operation("Tile")
def _tile(operation, x):
    repeats = list(np.ravel(operation.repeats))
    while len(x.shape) < len(repeats):
        x = x.insert(0)
    for axis, count in enumerate(reversed(repeats), start=1):
        size = x.shape[-axis]
        if count != 1:
            indices = np.arange(size * count)[:, None] % size
            x = x.gather(-axis, taps.table(size, indices))
    return x


@_layer("Concatenate")
@_operation("Concatenate")
def _concatenate(operation, xs):
    return Field.concatenate(_fields(xs), operation.axis)


@_operation("Append")
def _append(operation, x1, x2):
    xs = _fields(x1, x2)
    return Field.concatenate(
        [x.reshape((-1,)) for x in xs] if operation.axis is None else xs, operation.axis or 0
    )


@_operation("Hstack Vstack Dstack")
def _stack_along(operation, xs):
    axis = {"Hstack": 1, "Vstack": 0, "Dstack": 2}[type(operation).__name__]
    return Field.concatenate(xs, axis)


@_operation("Stack")
def _stack(operation, xs):
    rank = len(xs[0].shape) + 1
    axis = operation.axis % rank
    return Field.concatenate([x.insert(axis) for x in xs], axis)


@_operation("Split ArraySplit")
def _split(operation, x):
    axis = operation.axis % len(x.shape)
    pieces = np.array_split(np.arange(x.shape[axis]), operation.indices_or_sections)
    bounds = [(piece[0], piece[-1] + 1) if len(piece) else (0, 0) for piece in pieces]
    return [x.gather(axis, taps.sliced(x.shape[axis], int(a), int(b))) for a, b in bounds]


@_operation("Unstack")
def _unstack(operation, x):
    axis = operation.axis % len(x.shape)
    size = x.shape[axis]
    return [x.gather(axis, taps.sliced(size, k, k + 1)).drop([axis]) for k in range(size)]


@_layer("Reshape")
def _reshape(layer, x):
    return x.reshape((x.shape[0], *_resolve(layer.target_shape, x.shape[1:])))


@_operation("Reshape")
def _reshape_operation(operation, x, *_):
    return x.reshape(_resolve(operation.newshape, x.shape))


def _resolve(shape, old):
    """A target shape whose open axes keep their size."""
    if not all(size is None or isinstance(size, (int, np.integer)) for size in shape):
        raise UnknownLayerError("its target shape is computed by the network")
    if None in shape and -1 not in shape and list(shape).count(None) == 1:
        return [-1 if size is None else int(size) for size in shape]
    return [old[k] if size is None else int(size) for k, size in enumerate(shape)]


@_operation("Ravel")
def _ravel(_, x):
    return x.reshape((-1,))


@_layer("Flatten")
def _flatten(layer, x):
    if layer.data_format == "channels_first" and len(x.shape) > 1:
        x = x.transpose([0, *range(2, len(x.shape)), 1])
    return x.reshape((x.shape[0], -1))


@_layer("Permute")
def _permute(layer, x):
    return x.transpose([0, *layer.dims])


@_operation("Transpose")
def _transpose(operation, x):
    return x.transpose(operation.axes or range(len(x.shape))[::-1])


@_operation("Swapaxes")
def _swap_axes(operation, x):
    order = list(range(len(x.shape)))
    one, other = operation.axis1 % len(order), operation.axis2 % len(order)
    order[one], order[other] = order[other], order[one]
    return x.transpose(order)


@_operation("Moveaxis")
def _move_axis(operation, x):
    axes = np.empty(range(len(x.shape)))  # its lengths tell where each axis goes
    return x.transpose(np.moveaxis(axes, operation.source, operation.destination).shape)


@_operation("Rot90")
def _rotate(operation, x):
    one, other = (axis % len(x.shape) for axis in operation.axes)
    for _ in range(operation.k % 4):
        x = x.gather(other, taps.sliced(x.shape[other], None, None, -1))
        order = list(range(len(x.shape)))
        order[one], order[other] = other, one
        x = x.transpose(order)
    return x


@_operation("ExpandDims")
def _expand_dims(operation, x):
    axes = [operation.axis] if isinstance(operation.axis, int) else operation.axis
    rank = len(x.shape) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.insert(axis)
    return x


@_operation("Squeeze")
def _squeeze(operation, x):
    if operation.axis is None:
        return x.drop([axis for axis, size in enumerate(x.shape) if axis and size == 1])
    return x.drop(_axes_of(operation.axis, x))


@_operation("BroadcastTo")
def _broadcast_to(operation, x):
    shape = [
        old if new in (None, -1) else new
        for new, old in zip(
            operation.shape,
            ((1,) * len(operation.shape) + x.shape)[-len(operation.shape) :],
            strict=True,
        )
    ]
    return x.broadcast(shape)


@_layer("RepeatVector")
def _repeat_vector(layer, x):
    return x.insert(1).broadcast((x.shape[0], layer.n, x.shape[1])).with_channel(2)


@_operation("DepthToSpace")
def _depth_to_space(operation, x):
    r = operation.block_size
    first = operation.data_format == "channels_first"
    x = x.transpose((0, 2, 3, 1)) if first else x
    batch, height, width, channels = x.shape
    x = x.reshape((batch, height, width, r, r, channels // r**2)).transpose((0, 1, 3, 2, 4, 5))
    x = x.reshape((batch, height * r, width * r, channels // r**2)).with_channel(3)
    return x.transpose((0, 3, 1, 2)) if first else x


@_operation("SpaceToDepth")
def _space_to_depth(operation, x):
    r = operation.block_size
    first = operation.data_format == "channels_first"
    x = x.transpose((0, 2, 3, 1)) if first else x
    batch, height, width, channels = x.shape
    x = x.reshape((batch, height // r, r, width // r, r, channels)).transpose((0, 1, 3, 2, 4, 5))
    x = x.reshape((batch, height // r, width // r, channels * r**2)).with_channel(3)
    return x.transpose((0, 3, 1, 2)) if first else x


@_operation("Rearrange")
def _rearrange(_, x, pattern, **lengths):
    left, right = (
        [part.strip("()").split() for part in re.findall(r"\(.*?\)|\S+", side)]
        for side in pattern.split("->")
    )
    names, sizes = [], []
    for group, size in zip(left, x.shape, strict=True):
        known = math.prod(lengths[name] for name in group if name in lengths)
        names += group
        sizes += [lengths.get(name, size // known) for name in group]
    order = [names.index(name) for group in right for name in group]
    x = x.reshape(sizes).transpose(order)
    return x.reshape([math.prod(sizes[names.index(name)] for name in group) for group in right])


# ---------------------------------------------------------------------------------------------
# Whole axes: dense layers, reductions, normalisation, attention
# ---------------------------------------------------------------------------------------------


@_layer("Dense")
def _dense(layer, x, **_):
    return activate(x.hull(-1, layer.units), layer.activation)


@_layer("Embedding")
def _embedding(layer, x):
    rank = len(x.shape)
    return x.insert(rank).hull(rank, layer.output_dim).with_channel(rank)


@_layer("EinsumDense")
def _einsum_dense(layer, x, **_):
    kernel = x.constant(tuple(layer.kernel.shape))
    return activate(_contract(layer.equation, [x, kernel]), layer.activation)


@_operation("Einsum")
def _einsum(operation, *operands, **_):
    first = _fields(operands)[0]
    operands = [x if isinstance(x, Field) else first.constant(tuple(x.shape)) for x in operands]
    return _contract(operation.subscripts, operands)


@_operation("Matmul")
def _matmul(_, x1, x2):
    first = _fields(x1, x2)[0]
    x1, x2 = (x if isinstance(x, Field) else first.constant(tuple(x.shape)) for x in (x1, x2))
    return _contract("...ij,...jk->...ik", [x1, x2])


@_operation("Dot")
def _dot(_, x, kernel):
    if isinstance(kernel, Field) or len(kernel.shape) != 2:
        raise UnknownLayerError("only a product with a constant matrix is known")
    return _contract("...j,jk->...k", [x, x.constant(tuple(kernel.shape))])


@_layer("Dot")
def _dot_layer(layer, inputs, **_):
    one, other = inputs
    axes = [layer.axes] * 2 if isinstance(layer.axes, int) else layer.axes
    terms = ["bcdefgh"[: len(one.shape) - 1], "stuvwxy"[: len(other.shape) - 1]]
    terms = [list("a" + term) for term in terms]
    for term, axis in zip(terms, axes, strict=True):
        term[axis % len(term)] = "z"
    kept = [label for term in terms for label in term[1:] if label != "z"] or ["o"]
    if kept == ["o"]:  # two vectors give one number
        return Field.join([x.hull(1, 1) for x in inputs])
    return _contract("{},{}->a{}".format(*map("".join, terms), "".join(kept)), [one, other])


def _contract(equation, operands):
    """What an Einstein sum sees: each operand over all values of the labels that are summed."""
    terms, result = equation.replace(" ", "").split("->")
    terms = terms.split(",")
    ranks = [len(x.shape) - len(t.replace("...", "")) for x, t in zip(operands, terms, strict=True)]
    longest = max([rank for rank, t in zip(ranks, terms, strict=True) if "..." in t], default=0)
    dots = "ABCDEFGH"[:longest]
    terms = [t.replace("...", dots[longest - rank :]) for rank, t in zip(ranks, terms, strict=True)]
    result = result.replace("...", dots)
    seen = []
    for x, term in zip(operands, terms, strict=True):
        if len(set(term)) < len(term):
            raise UnknownLayerError(f"{equation!r} takes a diagonal")
        summed = [axis for axis, label in enumerate(term) if label not in result]
        x = x.reduce(summed) if summed else x
        kept = [label for label in term if label in result]
        x = x.transpose([kept.index(label) for label in result if label in kept])
        for axis, label in enumerate(result):
            x = x if label in kept else x.insert(axis)
        seen.append(x)
    joined = Field.join(seen)
    return joined.with_channel(len(result) - 1 if len(result) > 1 else None)


@_operation(
    "All Any Amax Amin Argmax Argmin CountNonzero Max Mean Median Min Nanargmax Nanargmin Nanmax "
    "Nanmean Nanmedian Nanmin Nanprod Nanstd Nansum Nanvar Prod Ptp Std Sum Var Logsumexp Norm"
)
def _reduction(operation, x):
    axes = range(len(x.shape)) if operation.axis is None else operation.axis
    return x.reduce(axes, operation.keepdims)


@_operation("Average")
def _weighted_average(operation, x, weights=None):
    axes = range(len(x.shape)) if operation.axis is None else operation.axis
    return x.reduce(axes)


@_operation("Moments")
def _moments(operation, x):
    mean = x.reduce(operation.axes, operation.keepdims)
    return [mean, mean]


@_operation("Cumsum Cumprod Nancumsum Nancumprod")
def _cumulate(operation, x):
    if operation.axis is None:
        x, axis = x.reshape((-1,)), 0
    else:
        axis = operation.axis
    return x.gather(axis, taps.causal(x.shape[axis]))


def _hull_axes(x, axes):
    return reduce(lambda field, axis: field.hull(axis), _axes_of(axes, x), x)


@_layer("Softmax UnitNormalization")
@_operation("Softmax LogSoftmax Sparsemax Normalize Sort Argsort")
def _over_axes(operation, x, **_):
    return _hull_axes(x, operation.axis)


@_layer("LayerNormalization RMSNormalization")
@_operation("LayerNorm RMSNorm")
def _layer_normalization(operation, x, *_, **__):
    axes = _axes_of(operation.axis, x)
    if not x.gates:  # leave the picture's statistics out, keep those of one position
        axes = [axis for axis in axes if axis == x.channel]
    return _hull_axes(x, axes)


@_layer("GroupNormalization")
def _group_normalization(layer, x):
    channel = layer.axis % len(x.shape)
    if x.gates:
        x = _hull_axes(x, [axis for axis in range(1, len(x.shape)) if axis != channel])
    channels = x.shape[channel]
    groups = channels if layer.groups == -1 else layer.groups
    return x.gather(channel, taps.grouped(channels, channels, groups))


@_layer("Masking")
def _masking(_, x):
    return x.hull(-1)


@_layer("MultiHeadAttention GroupQueryAttention")
def _multi_head_attention(layer, query, value, key=None, use_causal_mask=False, **_):
    channels = query.shape[-1]
    seen = Field.join([value] if key is None else [value.hull(-1, 1), key.hull(-1, 1)]).hull(-1, 1)
    seen = _attend(seen, query.shape[1], use_causal_mask)
    return Field.join([query.hull(-1, channels), seen])


@_layer("Attention AdditiveAttention")
def _attention(layer, inputs, use_causal_mask=False, **_):
    query, value, *key = inputs
    seen = Field.join([x.hull(-1, 1) for x in (value, *key)])
    seen = _attend(seen, query.shape[1], use_causal_mask)
    return Field.join([query.hull(-1, value.shape[-1]), seen])


@_operation("DotProductAttention")
def _dot_product_attention(operation, query, key, value, *_, **__):
    seen = Field.join([x.hull(-1, 1) for x in (value, key)])
    seen = _attend(seen, query.shape[1], operation.is_causal)
    return Field.join([query.hull(-1), seen.hull(2, 1)])


def _attend(seen, queries, is_causal):
    if is_causal and seen.shape[1] == queries:
        return seen.gather(1, taps.causal(queries))
    return seen.hull(1, 1)


@_layer("SpectralNormalization")
def _wrapped(wrapper, x, **_):
    rule = find_rule(wrapper.layer)
    if rule is None:
        raise UnknownLayerError(f"it wraps {wrapper.layer.name!r}, which is unknown")
    return rule(wrapper.layer, x)


@_layer("TimeDistributed")
def _time_distributed(wrapper, x, **_):
    batch, times = x.shape[:2]
    x = _wrapped(wrapper, x.reshape((batch * times, *x.shape[2:])))
    return x.reshape((batch, times, *x.shape[1:]))


# ---------------------------------------------------------------------------------------------
# Colours
# ---------------------------------------------------------------------------------------------


@_operation("RGBToGrayscale RGBToHSV HSVToRGB")
def _colours(operation, x):
    channel = {*range(len(x.shape) - 3, len(x.shape))} - {*_picture_axes(x, operation)}
    channels = 1 if type(operation).__name__ == "RGBToGrayscale" else x.shape[max(channel)]
    return x.hull(max(channel), channels)
