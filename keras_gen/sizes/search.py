"""The search behind `keras_gen.routes`: chains of layers from one size to another.

Each axis is searched separately, from both ends. From the source go strided convolutions, rounding
up, and upscaling by whole factors; from the target, backwards, goes upscaling to n·s, or to a few
pixels less. There is a path where the two meet, or where an *adapter*, one or a few layers, closes
the gap. Few sizes are met on the way, because ⌈⌈n/a⌉/b⌉ = ⌈n/ab⌉, so the search is short for any
size. The paths of the two axes are then aligned, and the resulting chains are ranked.

A path that downscales and upscales by the same factor is a detour, and not followed.
"""

import math
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from itertools import pairwise, product
from typing import NamedTuple

from keras_gen.sizes.ranking import (
    AxisStage,
    Chain,
    Path,
    anisotropic_stages,
    factors,
    rank,
    traits,
)

MOST_VALID_CONVOLUTIONS = 3  # in a row


LARGEST_VALID_KERNEL = 9


class Limits(NamedTuple):
    """What a route may use."""

    stages: int
    stride: int
    kernel: int
    resize: bool = False
    crop: bool = False

    @property
    def strides(self):
        return range(2, min(self.stride, self.kernel) + 1)

    def kernel_of(self, stride):
        """Twice the stride: a multiple of it overlaps evenly, and twice lets neighbours blend."""
        return 2 * stride if 2 * stride <= self.kernel else stride


# From both ends --------------------------------------------------------------------------------


def chains(source: tuple[int, int], target: tuple[int, int], limits: Limits) -> list[Chain]:
    """Chains of layers that lead from source to target, best first; empty if there are none."""
    heights = paths(source[0], target[0], limits)
    if (source[0], target[0]) == (source[1], target[1]):
        return [tuple(zip(path, path, strict=True)) for path in heights]
    widths = paths(source[1], target[1], limits)
    both = product(_diverse(heights), _diverse(widths))
    merged = {_aligned(down, across, source) for down, across in both}
    fitting = sorted((chain for chain in merged if len(chain) <= limits.stages), key=rank)
    if source[0] * target[1] == source[1] * target[0]:
        # Both axes scale alike: there is no reason to treat them differently.
        return [chain for chain in fitting if not anisotropic_stages(chain)] or fitting
    return fitting


def paths(source: int, target: int, limits: Limits) -> list[Path]:
    """Paths along one axis, best first, at most a hundred."""
    if source == target:
        return [()]
    largest = max(source, target * (2 if limits.crop else 1))
    found = set(_joined(_from_source(source, largest, limits), source, target, limits))
    squares = (tuple(zip(path, path, strict=True)) for path in found)
    return [tuple(down for down, _ in chain) for chain in sorted(squares, key=rank)[:100]]


def nearest(source: int, target: int, limits: Limits) -> list[int]:
    """The sizes closest to the target, on either side, that have a path; the closest first."""
    farthest = 2 * max(source, target)
    heads_to = _from_source(source, farthest, limits)

    def is_reached(size):
        return size == source or any(_joined(heads_to, source, size, limits))

    below = next((size for size in range(target, 0, -1) if is_reached(size)), None)
    if below == target:
        return [target]
    # Look up twice as far as it was down, or a quarter of the size.
    top = target + max(2 * (target - (below or 0)), target // 4)
    above = next(
        (size for size in range(target + 1, min(top, farthest) + 1) if is_reached(size)), None
    )
    found = [size for size in (below, above) if size is not None]
    return sorted(found, key=lambda size: (abs(size - target), size))


def _joined(heads_to, source, target, limits):
    """Join the halves from both ends in all the ways that the limits allow."""
    tails_from = _to_target(target, limits)
    for size, goal in product(heads_to, tails_from):
        for adapter in _adapters(size, goal, source, target, limits):
            # Where a layer closes the gap, that layer decides: the best of each half will do.
            few = 2 if adapter else None
            for head, tail in product(heads_to[size][:few], tails_from[goal][:few]):
                path = head + adapter + tail
                if len(path) <= limits.stages and not _is_detour(path):
                    yield path


def _from_source(source, largest, limits):
    """Sizes reached by downscaling, rounded up, and, from whole steps, by whole upscaling."""

    def steps(path, size):
        whole = all(stage.whole for stage in path)
        only_downscales = all(stage.layer == "conv" for stage in path)
        for stride in limits.strides:
            kernel = limits.kernel_of(stride)
            if stride <= size and (only_downscales or (whole and size % stride == 0)):
                smaller = -(-size // stride)
                yield smaller, AxisStage("conv", kernel, stride, "same", None, size, smaller)
            if whole and size * stride <= largest:
                larger = size * stride
                yield (
                    larger,
                    AxisStage("transposed_conv", kernel, stride, "same", None, size, larger),
                )

    return _breadth_first(source, steps, lambda path, stage: (*path, stage), limits)


def _to_target(target, limits):
    """Sizes that reach the target by upscaling alone: to n·s, or a few pixels less."""

    def steps(path, size):
        for stride in limits.strides:
            kernel, smaller = limits.kernel_of(stride), -(-size // stride)
            if smaller < size:
                rest = size - (smaller - 1) * stride
                extra = None if rest == stride else rest - kernel % 2
                stage = AxisStage("transposed_conv", kernel, stride, "same", extra, smaller, size)
                yield smaller, stage

    return _breadth_first(target, steps, lambda path, stage: (stage, *path), limits)


def _breadth_first(start, steps, join, limits):
    """For each size that is reached the simplest paths, the three simplest of each length."""
    found, newest = {start: [()]}, {start: [()]}
    for _ in range(limits.stages):
        following = defaultdict(list)
        for size, size_paths in newest.items():
            for path in size_paths:
                for reached, stage in steps(path, size):
                    longer = join(path, stage)
                    if not _is_detour(longer):
                        following[reached].append(longer)
        newest = {size: sorted(longer, key=_complexity)[:3] for size, longer in following.items()}
        for size, longer in newest.items():
            found[size] = sorted(found.get(size, []) + longer, key=_complexity)
    return found


def _adapters(size, goal, source, target, limits):
    """What closes the gap between a size that the source reaches and one that leads on."""
    if size == goal:
        yield ()
    elif size > goal:
        yield from _valid_convolutions(size, goal, limits)
    else:
        for stride in range(1, limits.stride + 1):
            kernel = goal - (size - 1) * stride
            if stride < kernel <= limits.kernel:
                yield (AxisStage("transposed_conv", kernel, stride, "valid", None, size, goal),)
    is_close = max(size, goal) <= 2 * min(size, goal)
    if limits.resize and is_close and size != goal and (size == source) != (goal == target):
        yield (AxisStage("resize", 1, 1, "same", None, size, goal),)
    if limits.crop and goal == target < size != source:
        yield (AxisStage("crop", 1, 1, "same", None, size, goal),)


def _valid_convolutions(size, goal, limits):
    """A few valid convolutions that remove pixels at the border."""
    removable = min(LARGEST_VALID_KERNEL, limits.kernel) - 1  # by one of them
    count = -(-(size - goal) // removable) if removable else MOST_VALID_CONVOLUTIONS + 1
    if count <= MOST_VALID_CONVOLUTIONS:
        sizes = [size - (size - goal) * number // count for number in range(count + 1)]
        yield tuple(
            AxisStage("conv", a - b + 1, 1, "valid", None, a, b) for a, b in pairwise(sizes)
        )


def _is_detour(path):
    """Whether a path downscales by a factor by which it also upscales."""
    return math.gcd(*factors(path)) > 1


def _complexity(path):
    """Sort key of a path during the search: a smaller one is simpler."""
    if not path:
        return (0,) * 4, []
    found = traits(path)
    measured = found.adjusted, found.overshoots, found.large_strides, len(path)
    return measured, [(stage.layer, stage.stride, stage.size_in) for stage in path]


# Height and width together ---------------------------------------------------------------------


def _diverse(ordered):
    """The best two paths of every sequence of layers, forty in all."""
    kept, counts = [], Counter()
    for path in ordered:
        kinds = tuple((stage.layer, stage.padding) for stage in path)
        counts[kinds] += 1
        if counts[kinds] <= 2:
            kept.append(path)
    return kept[:40]


def _aligned(down, across, source):
    """Make a chain of a path along the height and one along the width.

    Layers of the same kind are paired; where a layer changes only one axis, it gets a stride of 1
    along the other.
    """
    chain, (height, width) = [], source
    kinds = [[(stage.layer, stage.padding) for stage in path] for path in (down, across)]
    for tag, i, i_end, j, j_end in SequenceMatcher(None, *kinds, autojunk=False).get_opcodes():
        height = down[i_end - 1].size_out if i_end else height
        if tag == "equal":
            for one, other in zip(down[i:i_end], across[j:j_end], strict=True):
                chain += _paired(one, other)
        else:
            chain += [(stage, _with_stride_1(stage, width)) for stage in down[i:i_end]]
            chain += [(_with_stride_1(stage, height), stage) for stage in across[j:j_end]]
        width = across[j_end - 1].size_out if j_end else width
    return tuple(chain)


def _paired(down, across):
    """One layer for both axes, or two if only one axis needs an output padding."""
    given = [stage for stage in (down, across) if stage.output_padding is not None]
    if len(given) != 1:
        return [(down, across)]
    if all(stage in given or stage.stride % 2 for stage in (down, across)):
        return [(_with_output_padding(down), _with_output_padding(across))]
    return [
        (down, _with_stride_1(down, across.size_in)),
        (_with_stride_1(across, down.size_out), across),
    ]


def _with_output_padding(stage):
    """The same stage with its output padding given, for an odd stride."""
    if stage.output_padding is not None:
        return stage
    return stage._replace(kernel=stage.stride, output_padding=stage.stride - 1)


def _with_stride_1(stage, size):
    """The same layer with a stride of 1, which keeps the size along an axis."""
    kernel = 3 if stage.padding == "same" and stage.layer in ("conv", "transposed_conv") else 1
    extra = None if stage.output_padding is None else 0
    return AxisStage(stage.layer, kernel, 1, stage.padding, extra, size, size)
