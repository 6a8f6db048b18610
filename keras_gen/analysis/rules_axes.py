"""Rules for layers that read whole axes: dense, reductions, normalisation, attention."""

import math

from keras_gen.analysis import index_maps
from keras_gen.analysis.rules import (
    UnknownLayerError,
    activate,
    fields_among,
    find_rule,
    layer_rule,
    normalize_over,
    operation_rule,
)
from keras_gen.analysis.rules_moves import axes_of
from keras_gen.analysis.rules_windows import image_axes
from keras_gen.analysis.tensor_field import Field

# ---------------------------------------------------------------------------------------------
# Dense layers and products of matrices
# ---------------------------------------------------------------------------------------------


@layer_rule("Dense")
def _dense(layer, x, **_):
    return activate(x.hull(-1, layer.units), layer.activation, layer.use_bias)


@layer_rule("Embedding")
def _embedding(layer, x):
    rank = len(x.shape)
    return x.insert(rank).hull(rank, layer.output_dim).with_channel(rank).lift()


@layer_rule("EinsumDense")
def _einsum_dense(layer, x, **_):
    kernel = x.constant(tuple(layer.kernel.shape))
    return activate(
        _contract(layer.equation, [x, kernel]), layer.activation, layer.bias is not None
    )


@operation_rule("Einsum")
def _einsum(operation, *operands, **_):
    return _contract(operation.subscripts, _as_fields(operands))


@operation_rule("Matmul")
def _matmul(_, x1, x2):
    return _contract("...ij,...jk->...ik", _as_fields([x1, x2]))


@operation_rule("Dot")
def _dot(_, x, kernel):
    if isinstance(kernel, Field) or not isinstance(x, Field) or len(kernel.shape) != 2:
        raise UnknownLayerError("only a product with a constant matrix is known")
    return _contract("...j,jk->...k", _as_fields([x, kernel]))


def _as_fields(operands):
    first = fields_among(operands)[0]
    return [x if isinstance(x, Field) else first.constant(tuple(x.shape)) for x in operands]


@layer_rule("Dot")
def _dot_layer(layer, inputs, **_):
    """A product of examples: one axis of each input is summed, the others stay."""
    one, other = ([*"bcdefg"[: len(inputs[0].shape) - 1]], [*"stuvwx"[: len(inputs[1].shape) - 1]])
    axes = [layer.axes] * 2 if isinstance(layer.axes, int) else layer.axes
    for labels, axis in zip((one, other), axes, strict=True):
        labels[axis if axis < 0 else axis - 1] = "z"
    kept = [label for label in one + other if label != "z"]
    if not kept:  # two vectors give one number
        return Field.join([x.hull(1, 1) for x in inputs])
    return _contract(f"a{''.join(one)},a{''.join(other)}->a{''.join(kept)}", inputs)


def _contract(equation, operands):
    """An Einstein sum: it reads each operand over all values of the labels that are summed."""
    terms, result = equation.replace(" ", "").split("->")
    terms = terms.split(",")
    dots = [len(x.shape) - len(t.replace("...", "")) for x, t in zip(operands, terms, strict=True)]
    most = max((count for count, t in zip(dots, terms, strict=True) if "..." in t), default=0)
    labels = "ABCDEFGH"[:most]
    result = result.replace("...", labels)
    factors = []
    for x, term, count in zip(operands, terms, dots, strict=True):
        term = term.replace("...", labels[most - count :])
        if len(set(term)) < len(term):
            raise UnknownLayerError(f"{equation!r} takes a diagonal")
        x = x.reduce([axis for axis, label in enumerate(term) if label not in result])
        kept = [label for label in term if label in result]
        x = x.transpose([kept.index(label) for label in result if label in kept])
        for axis, label in enumerate(result):
            x = x if label in kept else x.insert(axis)
        factors.append(x)
    joined = Field.join(factors, product=True)
    return joined.with_channel(len(result) - 1 if len(result) > 1 else None)


# ---------------------------------------------------------------------------------------------
# Reductions
# ---------------------------------------------------------------------------------------------


@operation_rule(
    "All Amax Amin Any Argmax Argmin CountNonzero Logsumexp Max Mean Median Min Nanargmax "
    "Nanargmin Nanmax Nanmean Nanmedian Nanmin Nanprod Nanstd Nansum Nanvar Norm Prod Ptp Std Sum "
    "Var"
)
def _reduction(operation, x):
    return x.reduce(axes_of(operation.axis, x), operation.keepdims)


@operation_rule("Average")
def _weighted_average(operation, x, weights=None):
    return x.reduce(axes_of(operation.axis, x))


@operation_rule("Moments")
def _moments(operation, x):
    mean = x.reduce(operation.axes, operation.keepdims)
    return [mean, mean]


@operation_rule("Cumsum Cumprod Nancumsum Nancumprod")
def _cumulate(operation, x):
    if operation.axis is None:
        x = x.reshape((-1,))
    axis = operation.axis or 0
    return x.gather(axis, index_maps.causal(x.shape[axis]))


@operation_rule("RGBToGrayscale RGBToHSV HSVToRGB")
def _colours(operation, x):
    rank = len(x.shape)
    channel = rank - 3 if rank - 3 not in image_axes(x, operation) else rank - 1
    return x.hull(channel, 1 if "Gray" in type(operation).__name__ else x.shape[channel])


# ---------------------------------------------------------------------------------------------
# Normalisation
# ---------------------------------------------------------------------------------------------


def _hull_axes(x, axes):
    for axis in axes:
        x = x.hull(axis)
    return x


@layer_rule("UnitNormalization Masking")
@operation_rule("Normalize Sort Argsort")
def _over_axes(operation, x, **_):
    return _hull_axes(x, axes_of(getattr(operation, "axis", -1), x))


@layer_rule("LayerNormalization RMSNormalization")
@operation_rule("LayerNorm RMSNorm")
def _layer_normalization(operation, x, *_, **__):
    axes = axes_of(operation.axis, x)
    if not x.gates:  # leave the image's statistics out, keep those of one position
        axes = [axis for axis in axes if axis == x.channel]
    is_root_mean_square = "RMS" in type(operation).__name__ or operation.rms_scaling
    return _hull_axes(x, axes) if is_root_mean_square or not axes else normalize_over(x, axes)


@layer_rule("GroupNormalization")
def _group_normalization(layer, x):
    channel = layer.axis % len(x.shape)
    channels = x.shape[channel]
    groups = channels if layer.groups == -1 else layer.groups
    if math.prod(x.shape[1:]) == groups:  # nothing is left of a single element minus its mean
        return x.constant(x.shape)
    if x.gates:
        x = _hull_axes(x, [axis for axis in range(1, len(x.shape)) if axis != channel])
    return x.gather(channel, index_maps.grouped(channels, channels, groups)).lift()


# ---------------------------------------------------------------------------------------------
# Attention
# ---------------------------------------------------------------------------------------------


@layer_rule("MultiHeadAttention GroupQueryAttention")
def _multi_head_attention(layer, query, value, key=None, use_causal_mask=False, **_):
    attended = [x.hull(-1, 1) for x in (value, key) if x is not None]
    attended = _attended(attended, query.shape[1], use_causal_mask)
    return Field.join([query.hull(-1), attended]).lift()


@layer_rule("Attention AdditiveAttention")
def _attention(layer, inputs, use_causal_mask=False, **_):
    query, value, *key = inputs
    attended = _attended([x.hull(-1, 1) for x in (value, *key)], query.shape[1], use_causal_mask)
    return Field.join([query.hull(-1, value.shape[-1]), attended])


@operation_rule("DotProductAttention")
def _dot_product_attention(operation, query, key, value, *_, **__):
    attended = [x.hull(-1, 1).hull(2, 1) for x in (key, value)]
    attended = _attended(attended, query.shape[1], operation.is_causal)
    return Field.join([query.hull(-1), attended])


def _attended(fields, queries, is_causal):
    """The keys and values that each query reads: all of them, or those up to its own position."""
    attended = Field.join(fields)
    if is_causal and attended.shape[1] == queries:
        return attended.gather(1, index_maps.causal(queries))
    return attended.hull(1, 1)


# ---------------------------------------------------------------------------------------------
# Wrappers
# ---------------------------------------------------------------------------------------------


@layer_rule("SpectralNormalization")
def _wrapped(wrapper, x, **_):
    rule = find_rule(wrapper.layer)
    if rule is None:
        raise UnknownLayerError(f"it wraps {wrapper.layer.name!r}, which is unknown")
    return rule(wrapper.layer, x)


@layer_rule("TimeDistributed")
def _time_distributed(wrapper, x, **_):
    batch, times = x.shape[:2]
    x = _wrapped(wrapper, x.reshape((batch * times, *x.shape[2:])))
    return x.reshape((batch, times, *x.shape[1:]))
