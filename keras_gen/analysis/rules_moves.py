"""Rules for layers that move elements: padding, slicing, joining, reshaping, transposing."""

import math
import re

import keras
import numpy as np

from keras_gen.analysis import index_maps
from keras_gen.analysis.rules import UnknownLayerError, fields_among, layer_rule, operation_rule
from keras_gen.analysis.rules_windows import channels_first, gather_each, image_axes, spatial_axes
from keras_gen.analysis.tensor_field import Field


def axes_of(axis, x: Field) -> list[int]:
    """The axes that an `axis` argument means; `None` means all."""
    axes = range(len(x.shape)) if axis is None else [axis] if isinstance(axis, int) else axis
    return [a % len(x.shape) for a in axes]


def _flat_or_along(x, axis):
    """NumPy's habit: without an axis, work on the flattened array."""
    return (x.reshape((-1,)), 0) if axis is None else (x, axis % len(x.shape))


# ---------------------------------------------------------------------------------------------
# Padding and cropping
# ---------------------------------------------------------------------------------------------


def _cropped(size, before, after):
    return index_maps.sliced(size, before, size - after)


@layer_rule("ZeroPadding1D ZeroPadding2D ZeroPadding3D")
def _zero_padding(layer, x):
    x, axes, _ = spatial_axes(x, layer)
    margins = [layer.padding] if len(axes) == 1 else layer.padding
    return gather_each(x, axes, index_maps.padded, *zip(*margins, strict=True))


@layer_rule("Cropping1D Cropping2D Cropping3D")
def _cropping(layer, x):
    x, axes, _ = spatial_axes(x, layer)
    margins = [layer.cropping] if len(axes) == 1 else layer.cropping
    return gather_each(x, axes, _cropped, *zip(*margins, strict=True))


@operation_rule("Pad")
def _pad(operation, x, constant_values=None):
    if operation.mode not in ("constant", "reflect", "symmetric", "edge", "wrap"):
        raise UnknownLayerError(f"its mode is {operation.mode!r}")
    margins = list(operation.pad_width)
    margins = margins * len(x.shape) if len(margins) == 1 else margins
    for axis, (before, after) in enumerate(margins):
        if before or after:
            x = x.gather(axis, index_maps.padded(x.shape[axis], before, after, operation.mode))
    return x.lift() if constant_values else x


@operation_rule("PadImages")
def _pad_images(operation, x):
    axes = image_axes(x, operation)
    margins = _margins(operation, "padding", [x.shape[axis] for axis in axes], sign=1)
    return gather_each(x, axes, index_maps.padded, *zip(*margins, strict=True))


@operation_rule("CropImages")
def _crop_images(operation, x):
    axes = image_axes(x, operation)
    margins = _margins(operation, "cropping", [x.shape[axis] for axis in axes], sign=-1)
    return gather_each(x, axes, _cropped, *zip(*margins, strict=True))


def _margins(operation, word, sizes, sign):
    """Margins before and after; one of them may follow from the target size."""
    targets = (operation.target_height, operation.target_width)
    sides = (("top", "bottom"), ("left", "right"))
    for (first, last), size, target in zip(sides, sizes, targets, strict=True):
        before, after = (getattr(operation, f"{side}_{word}") for side in (first, last))
        if before is None:
            before = sign * (target - size) - after
        if after is None:
            after = sign * (target - size) - before
        yield before, after


# ---------------------------------------------------------------------------------------------
# Slicing and repeating
# ---------------------------------------------------------------------------------------------


@operation_rule("GetItem")
def _get_item(_, x, key):
    key = list(key) if isinstance(key, (tuple, list)) else [key]
    if not all(k is None or k is Ellipsis or isinstance(k, (int, slice)) for k in key):
        raise UnknownLayerError("it is indexed by a tensor")
    named = sum(k is not None and k is not Ellipsis for k in key)
    dots = key.index(Ellipsis) if Ellipsis in key else len(key)
    key[dots : dots + 1] = [slice(None)] * (len(x.shape) - named)
    dropped = []
    for axis, k in enumerate(key):
        if k is None:
            x = x.insert(axis)
        elif isinstance(k, int):
            x = _only(x, axis, k % x.shape[axis])
            dropped.append(axis)
        elif k != slice(None):
            x = x.gather(axis, index_maps.sliced(x.shape[axis], k.start, k.stop, k.step))
    return x.drop(dropped) if dropped else x


def _only(x, axis, index):
    return x.gather(axis, index_maps.sliced(x.shape[axis], index, index + 1))


@operation_rule("Slice")
def _slice(operation, x, start_indices):
    for axis, (start, length) in enumerate(zip(start_indices, operation.shape, strict=True)):
        if axis and length != x.shape[axis]:
            stop = x.shape[axis] if length == -1 else int(start) + int(length)
            x = x.gather(axis, index_maps.sliced(x.shape[axis], int(start), stop))
    return x


@operation_rule("Take")
def _take(operation, x, indices):
    if isinstance(indices, Field):
        raise UnknownLayerError("it is indexed by a tensor")
    indices = np.asarray(keras.ops.convert_to_numpy(indices))
    x, axis = _flat_or_along(x, operation.axis)
    size = x.shape[axis]
    x = x.gather(axis, index_maps.table(size, indices.reshape(-1, 1) % size))
    return x.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


@operation_rule("Flip Fliplr Flipud")
def _flip(operation, x):
    axis = {"Fliplr": 1, "Flipud": 0}.get(type(operation).__name__)
    for a in axes_of(operation.axis if axis is None else axis, x):
        x = x.gather(a, index_maps.sliced(x.shape[a], None, None, -1))
    return x


@operation_rule("Roll")
def _roll(operation, x):
    if operation.axis is None:
        flat = x.reshape((-1,))
        return flat.gather(0, index_maps.rolled(flat.shape[0], operation.shift)).reshape(x.shape)
    return gather_each(x, axes_of(operation.axis, x), index_maps.rolled, operation.shift)


@operation_rule("Repeat")
def _repeat(operation, x):
    x, axis = _flat_or_along(x, operation.axis)
    repeats = np.ravel(operation.repeats)
    if len(repeats) == 1:
        return x.gather(axis, index_maps.repeated(x.shape[axis], int(repeats[0])))
    indices = np.repeat(np.arange(x.shape[axis]), repeats)
    return x.gather(axis, index_maps.table(x.shape[axis], indices[:, None]))


@operation_rule("Tile")
def _tile(operation, x):
    repeats = np.ravel(operation.repeats).tolist()
    while len(x.shape) < len(repeats):
        x = x.insert(0)
    for axis, count in enumerate(reversed(repeats), start=1):
        size = x.shape[-axis]
        if count != 1:
            x = x.gather(-axis, index_maps.table(size, np.arange(size * count)[:, None] % size))
    return x


@operation_rule("BroadcastTo")
def _broadcast_to(operation, x):
    while len(x.shape) < len(operation.shape):
        x = x.insert(0)
    sizes = zip(operation.shape, x.shape, strict=True)
    return x.broadcast([old if new in (None, -1) else new for new, old in sizes])


@layer_rule("RepeatVector")
def _repeat_vector(layer, x):
    return x.insert(1).broadcast((x.shape[0], layer.n, x.shape[1])).with_channel(2)


# ---------------------------------------------------------------------------------------------
# Joining and splitting
# ---------------------------------------------------------------------------------------------


@layer_rule("Concatenate")
@operation_rule("Concatenate")
def _concatenate(operation, xs):
    return Field.concatenate(fields_among(xs), operation.axis)


@operation_rule("Append")
def _append(operation, x1, x2):
    xs, axes = zip(*(_flat_or_along(x, operation.axis) for x in (x1, x2)), strict=True)
    return Field.concatenate(xs, axes[0])


@operation_rule("Hstack Vstack Dstack")
def _stack_along(operation, xs):
    axis = {"Hstack": 1, "Vstack": 0, "Dstack": 2}[type(operation).__name__]
    return Field.concatenate(xs, axis)


@operation_rule("Stack")
def _stack(operation, xs):
    axis = operation.axis % (len(xs[0].shape) + 1)
    return Field.concatenate([x.insert(axis) for x in xs], axis)


@operation_rule("Split ArraySplit")
def _split(operation, x):
    axis = operation.axis % len(x.shape)
    pieces = np.array_split(np.arange(x.shape[axis]), operation.indices_or_sections)
    bounds = [(int(piece[0]), int(piece[-1]) + 1) if len(piece) else (0, 0) for piece in pieces]
    return [x.gather(axis, index_maps.sliced(x.shape[axis], *bound)) for bound in bounds]


@operation_rule("Unstack")
def _unstack(operation, x):
    axis = operation.axis % len(x.shape)
    return [_only(x, axis, index).drop([axis]) for index in range(x.shape[axis])]


# ---------------------------------------------------------------------------------------------
# Reshaping
# ---------------------------------------------------------------------------------------------


@layer_rule("Reshape")
def _reshape(layer, x):
    return x.reshape((x.shape[0], *_resolved(layer.target_shape, x.shape[1:])))


@operation_rule("Reshape")
def _reshape_operation(operation, x, *_):
    return x.reshape(_resolved(operation.newshape, x.shape))


def _resolved(shape, old):
    """A target shape with its open size left to be worked out."""
    if not all(size is None or isinstance(size, (int, np.integer)) for size in shape):
        raise UnknownLayerError("its target shape is computed by the network")
    if None in shape and -1 in shape:  # an open batch stays as it is
        return [old[k] if size is None else int(size) for k, size in enumerate(shape)]
    return [-1 if size is None else int(size) for size in shape]


@operation_rule("Ravel")
def _ravel(_, x):
    return x.reshape((-1,))


@layer_rule("Flatten")
def _flatten(layer, x):
    if channels_first(layer) and len(x.shape) > 1:
        x = x.transpose([0, *range(2, len(x.shape)), 1])
    return x.reshape((x.shape[0], -1))


@operation_rule("ExpandDims")
def _expand_dims(operation, x):
    axes = [operation.axis] if isinstance(operation.axis, int) else operation.axis
    rank = len(x.shape) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.insert(axis)
    return x


@operation_rule("Squeeze")
def _squeeze(operation, x):
    if operation.axis is None:
        return x.drop([axis for axis, size in enumerate(x.shape) if axis and size == 1])
    return x.drop(axes_of(operation.axis, x))


@operation_rule("DepthToSpace")
def _depth_to_space(operation, x):
    block, first = operation.block_size, channels_first(operation)
    x = x.transpose((0, 2, 3, 1)) if first else x
    batch, height, width, channels = x.shape
    channels //= block**2
    x = x.reshape((batch, height, width, block, block, channels)).transpose((0, 1, 3, 2, 4, 5))
    x = x.reshape((batch, height * block, width * block, channels)).with_channel(3)
    return x.transpose((0, 3, 1, 2)) if first else x


@operation_rule("SpaceToDepth")
def _space_to_depth(operation, x):
    block, first = operation.block_size, channels_first(operation)
    x = x.transpose((0, 2, 3, 1)) if first else x
    batch, height, width, channels = x.shape
    height, width = height // block, width // block
    x = x.reshape((batch, height, block, width, block, channels)).transpose((0, 1, 3, 2, 4, 5))
    x = x.reshape((batch, height, width, block**2 * channels)).with_channel(3)
    return x.transpose((0, 3, 1, 2)) if first else x


@operation_rule("Rearrange")
def _rearrange(_, x, pattern, **lengths):
    """The notation of einops: split axes, transpose them, merge them."""
    left, right = (
        [group.strip("()").split() for group in re.findall(r"\(.*?\)|\S+", side)]
        for side in pattern.split("->")
    )
    names, sizes = [], []
    for group, size in zip(left, x.shape, strict=True):
        rest = size // math.prod(lengths[name] for name in group if name in lengths)
        names += group
        sizes += [lengths.get(name, rest) for name in group]
    order = [names.index(name) for group in right for name in group]
    length = dict(zip(names, sizes, strict=True))
    x = x.reshape(sizes).transpose(order)
    return x.reshape([math.prod(length[name] for name in group) for group in right])


# ---------------------------------------------------------------------------------------------
# Transposing and rotating
# ---------------------------------------------------------------------------------------------


@layer_rule("Permute")
def _permute(layer, x):
    return x.transpose([0, *layer.dims])


@operation_rule("Transpose")
def _transpose(operation, x):
    return x.transpose(operation.axes or range(len(x.shape))[::-1])


@operation_rule("Swapaxes")
def _swap_axes(operation, x):
    return _swapped(x, operation.axis1, operation.axis2)


def _swapped(x, one, other):
    order = list(range(len(x.shape)))
    order[one], order[other] = order[other], order[one]
    return x.transpose(order)


@operation_rule("Moveaxis")
def _move_axis(operation, x):
    axes = np.empty(range(len(x.shape)))  # its lengths say where each axis goes
    return x.transpose(np.moveaxis(axes, operation.source, operation.destination).shape)


@operation_rule("Rot90")
def _rotate(operation, x):
    one, other = operation.axes
    for _ in range(operation.k % 4):
        x = x.gather(other, index_maps.sliced(x.shape[other], None, None, -1))
        x = _swapped(x, one, other)
    return x
