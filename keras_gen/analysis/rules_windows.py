"""Rules for layers whose outputs read a window of the input: convolution, pooling, resizing."""

from functools import partial

import keras
import numpy as np

from keras_gen.analysis import index_maps
from keras_gen.analysis.rules import UnknownLayerError, activate, layer_rule, operation_rule
from keras_gen.analysis.tensor_field import Field


def spatial_axes(x: Field, options) -> tuple[Field, list[int], int]:
    """The field with its channel axis set, its spatial axes and its channel axis."""
    rank = len(x.shape)
    channel = 1 if channels_first(options) else rank - 1
    return x.with_channel(channel), [axis for axis in range(1, rank) if axis != channel], channel


def image_axes(x: Field, options) -> tuple[int, int]:
    """The axes of height and width."""
    rank = len(x.shape)
    return (rank - 2, rank - 1) if channels_first(options) else (rank - 3, rank - 2)


def channels_first(options) -> bool:
    """Whether a layer or an operation wants its channels first."""
    data_format = getattr(options, "data_format", "channels_last")
    return (data_format or keras.config.image_data_format()) == "channels_first"


def gather_each(x: Field, axes, make, *values) -> Field:
    """Gather along each axis with the index map that `make(size, …)` gives.

    Args:
        x: the field.
        axes: axes to gather along.
        make: makes an index map from the size of an axis and one of each of the values.
        values: arguments of `make`, one per axis, or a single one for all.
    """
    values = [
        value if isinstance(value, (tuple, list)) else [value] * len(axes) for value in values
    ]
    for axis, *arguments in zip(axes, *values, strict=True):
        x = x.gather(axis, make(x.shape[axis], *arguments))
    return x


# ---------------------------------------------------------------------------------------------
# Convolution
# ---------------------------------------------------------------------------------------------


@layer_rule("Conv1D Conv2D Conv3D")
def _convolution(layer, x, **_):
    x, channel = _window(x, layer, layer.kernel_size, layer.dilation_rate)
    x = _mix(x, channel, layer.filters, layer.groups)
    return activate(x, layer.activation, layer.use_bias)


@layer_rule("DepthwiseConv1D DepthwiseConv2D")
def _depthwise_convolution(layer, x, **_):
    x, channel = _window(x, layer, layer.kernel_size, layer.dilation_rate)
    channels = x.shape[channel]
    x = _mix(x, channel, channels * layer.depth_multiplier, groups=channels)
    return activate(x, layer.activation, layer.use_bias)


@layer_rule("SeparableConv1D SeparableConv2D")
def _separable_convolution(layer, x, **_):
    x, channel = _window(x, layer, layer.kernel_size, layer.dilation_rate)
    return activate(x.hull(channel, layer.filters), layer.activation, layer.use_bias)


@layer_rule("Conv1DTranspose Conv2DTranspose Conv3DTranspose")
def _transposed_convolution(layer, x, **_):
    x = _transposed_window(x, layer, layer.kernel_size, layer.filters)
    return activate(x, layer.activation, layer.use_bias)


@operation_rule("Conv DepthwiseConv SeparableConv ConvTranspose")
def _convolution_operation(operation, x, kernel, pointwise_kernel=None):
    if isinstance(kernel, Field) or isinstance(pointwise_kernel, Field):
        raise UnknownLayerError("its kernel is computed by the network")
    *size, inputs, filters = kernel.shape
    kind = type(operation).__name__
    if kind == "ConvTranspose":
        return _transposed_window(x, operation, size, inputs)
    x, channel = _window(x, operation, size, operation.dilation_rate)
    channels = x.shape[channel]
    if kind == "Conv":
        return _mix(x, channel, filters, groups=channels // inputs)
    if kind == "DepthwiseConv":
        return _mix(x, channel, channels * filters, groups=channels)
    return x.hull(channel, pointwise_kernel.shape[-1])


def _window(x, options, kernel, dilation=1):
    x, axes, channel = spatial_axes(x, options)
    strides = kernel if options.strides is None else options.strides
    return gather_each(
        x, axes, index_maps.window, kernel, strides, dilation, options.padding
    ), channel


def _transposed_window(x, options, kernel, filters):
    x, axes, channel = spatial_axes(x, options)
    settings = (options.strides, options.dilation_rate, options.padding, options.output_padding)
    return gather_each(x, axes, index_maps.transposed, kernel, *settings).hull(channel, filters)


def _mix(x, channel, filters, groups):
    """Every filter reads all channels of its group."""
    if groups == 1:
        return x.hull(channel, filters)
    return x.gather(channel, index_maps.grouped(x.shape[channel], filters, groups))


@operation_rule("GaussianBlur")
def _gaussian_blur(operation, x):
    return gather_each(x, image_axes(x, operation), index_maps.window, tuple(operation.kernel_size))


@operation_rule("ExtractPatches")
def _patches(operation, x):
    """Each channel of a patch is one tap of the window."""
    x, axes, channel = spatial_axes(x, operation)
    size, strides, dilation = operation.size, operation.strides, operation.dilation_rate
    size = [size] * len(axes) if isinstance(size, int) else size

    def one_tap(length, kernel, stride, dilation, tap):
        return index_maps.window(length, kernel, stride, dilation, operation.padding).only(tap)

    pieces = [
        gather_each(x, axes, one_tap, size, strides or size, dilation, offsets)
        for offsets in np.ndindex(*size)
    ]
    return Field.concatenate(pieces, channel)


# ---------------------------------------------------------------------------------------------
# Pooling
# ---------------------------------------------------------------------------------------------


@layer_rule("MaxPooling1D MaxPooling2D MaxPooling3D")
@layer_rule("AveragePooling1D AveragePooling2D AveragePooling3D")
@operation_rule("MaxPool AveragePool")
def _pooling(layer, x):
    return _window(x, layer, layer.pool_size)[0]


@layer_rule("AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D")
@layer_rule("AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D")
@operation_rule("AdaptiveMaxPool AdaptiveAveragePool")
def _adaptive_pooling(layer, x):
    x, axes, _ = spatial_axes(x, layer)
    return gather_each(x, axes, index_maps.adaptive, layer.output_size)


@layer_rule("GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D")
@layer_rule("GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D")
def _global_pooling(layer, x, **_):
    x, axes, _ = spatial_axes(x, layer)
    return x.reduce(axes, layer.keepdims)


# ---------------------------------------------------------------------------------------------
# Resizing
# ---------------------------------------------------------------------------------------------


@layer_rule("UpSampling1D UpSampling2D UpSampling3D")
def _upsampling(layer, x):
    x, axes, _ = spatial_axes(x, layer)
    interpolation = getattr(layer, "interpolation", "nearest")
    if interpolation == "nearest":
        return gather_each(x, axes, index_maps.repeated, layer.size)
    sizes = [x.shape[axis] * factor for axis, factor in zip(axes, layer.size, strict=True)]
    return gather_each(x, axes, _resized, sizes, interpolation)


@layer_rule("Resizing")
def _resizing(layer, x, *_, **__):
    return _resize(x, layer, (layer.height, layer.width))


@operation_rule("Resize")
def _resize_operation(operation, x):
    return _resize(x, operation, tuple(operation.size))


def _resize(x, options, size):
    axes = image_axes(x, options)
    channel = next(axis for axis in (len(x.shape) - 3, len(x.shape) - 1) if axis not in axes)
    x = x.with_channel(channel)
    if options.crop_to_aspect_ratio:
        x = _crop_to_aspect_ratio(x, axes, size)
    elif options.pad_to_aspect_ratio:
        sizes = zip(axes, _fitting([x.shape[axis] for axis in axes], size), strict=True)
        margins = [max(fitting - x.shape[axis], 0) // 2 for axis, fitting in sizes]
        x = gather_each(x, axes, index_maps.padded, margins, margins)
        x = x.lift() if options.fill_value else x
    return gather_each(x, axes, _resized, size, options.interpolation, bool(options.antialias))


def _fitting(old, new):
    """Each side in the new aspect ratio, given the other one; in float32, as TensorFlow does."""
    (height, width), (new_height, new_width) = old, new
    yield int(np.float32(width * new_height) / np.float32(new_width))
    yield int(np.float32(height * new_width) / np.float32(new_height))


def _crop_to_aspect_ratio(x, axes, size):
    old = [x.shape[axis] for axis in axes]
    sizes = [max(min(pair), 1) for pair in zip(old, _fitting(old, size), strict=True)]
    return gather_each(x, axes, _central, sizes)


def _central(size, length):
    start = (size - length) // 2
    return index_maps.sliced(size, start, start + length)


@layer_rule("CenterCrop")
def _center_crop(layer, x, *_, **__):
    axes, size = image_axes(x, layer), (layer.height, layer.width)
    if all(x.shape[axis] >= length for axis, length in zip(axes, size, strict=True)):
        return gather_each(x, axes, _central, size)
    return gather_each(_crop_to_aspect_ratio(x, axes, size), axes, _resized, size, "bilinear")


def _resized(size, size_out, interpolation, antialias=False):
    if interpolation in ("nearest", "bilinear", "bicubic") and not antialias:
        return index_maps.resized(size, size_out, interpolation)
    return index_maps.weighted(size, size_out, partial(_resizing_weights, interpolation, antialias))


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
