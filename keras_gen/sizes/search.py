"""The search behind `keras_gen.routes`: chains of layers from one size to another.

Each axis is searched by itself, from both ends. From the source go strided convolutions, rounding
up, and whole enlargements; from the target, backwards, go enlargements: n·s, or a few pixels less.
Where the two meet, or where one layer closes the gap, there is a path. Few sizes are met on the
way, because ⌈⌈n/a⌉/b⌉ = ⌈n/ab⌉, so the search is short for any size. Two axes then run side by
side, and the chains are ranked.

A path that shrinks and enlarges by the same factor is a detour, and not followed.
"""

import math
from collections import defaultdict
from difflib import SequenceMatcher
from itertools import pairwise, product
from typing import NamedTuple

from keras_gen.sizes.ranking import AxisStage, Chain, Path, factors, lopsided, rank, traits

MOST_TRIMS = 3  # valid convolutions in a row


WIDEST_TRIM = 9  # kernel of a valid convolution


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
    """Chains of layers that lead from source to target, best first; empty where there are none."""
    heights = paths(source[0], target[0], limits)
    if (source[0], target[0]) == (source[1], target[1]):
        return [tuple(zip(path, path, strict=True)) for path in heights]
    widths = paths(source[1], target[1], limits)
    both = product(_varied(heights), _varied(widths))
    merged = {side_by_side(down, across, source) for down, across in both}
    fitting = sorted((chain for chain in merged if len(chain) <= limits.stages), key=rank)
    if source[0] * target[1] == source[1] * target[0]:
        # Both axes scale alike: there is no reason to treat them differently.
        return [chain for chain in fitting if not lopsided(chain)] or fitting
    return fitting


def paths(source: int, target: int, limits: Limits) -> list[Path]:
    """Paths along one axis, best first, at most a hundred."""
    if source == target:
        return [()]
    largest = max(source, target * (2 if limits.crop else 1))
    found = set(_find(_from_source(source, largest, limits), source, target, limits))
    squares = (tuple(zip(path, path, strict=True)) for path in found)
    return [tuple(down for down, _ in chain) for chain in sorted(squares, key=rank)[:100]]


def nearest(source: int, target: int, limits: Limits) -> list[int]:
    """The sizes closest to the target, on either side, that have a path; the closest first."""
    farthest = 2 * max(source, target)
    heads_to = _from_source(source, farthest, limits)

    def is_reached(size):
        return size == source or any(_find(heads_to, source, size, limits))

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


def _find(heads_to, source, target, limits):
    """Put the halves from both ends together, in all the ways that the limits allow."""
    tails_from = _to_target(target, limits)
    for size, goal in product(heads_to, tails_from):
        for joint in _joints(size, goal, source, target, limits):
            # Where a layer closes the gap, that layer decides: the best of each half will do.
            few = 2 if joint else None
            for head, tail in product(heads_to[size][:few], tails_from[goal][:few]):
                path = head + joint + tail
                if len(path) <= limits.stages and not _is_detour(path):
                    yield path


def _from_source(source, largest, limits):
    """Sizes reached by shrinking, rounded up, and, from whole steps, by whole enlargements."""

    def steps(path, size):
        whole = all(move.whole for move in path)
        falling = all(move.layer == "conv" for move in path)
        for stride in limits.strides:
            kernel = limits.kernel_of(stride)
            if stride <= size and (falling or (whole and size % stride == 0)):
                smaller = -(-size // stride)
                yield smaller, AxisStage("conv", kernel, stride, "same", None, size, smaller)
            if whole and size * stride <= largest:
                larger = size * stride
                yield (
                    larger,
                    AxisStage("transposed_conv", kernel, stride, "same", None, size, larger),
                )

    return _spread(source, steps, lambda path, move: (*path, move), limits)


def _to_target(target, limits):
    """Sizes that reach the target by enlarging alone: to n·s, or a few pixels less."""

    def steps(path, size):
        for stride in limits.strides:
            kernel, smaller = limits.kernel_of(stride), -(-size // stride)
            if smaller < size:
                rest = size - (smaller - 1) * stride
                extra = None if rest == stride else rest - kernel % 2
                move = AxisStage("transposed_conv", kernel, stride, "same", extra, smaller, size)
                yield smaller, move

    return _spread(target, steps, lambda path, move: (move, *path), limits)


def _spread(start, steps, join, limits):
    """Breadth-first; keeps, for each size, the three simplest paths of each length."""
    found, newest = {start: [()]}, {start: [()]}
    for _ in range(limits.stages):
        following = defaultdict(list)
        for size, size_paths in newest.items():
            for path in size_paths:
                for reached, move in steps(path, size):
                    longer = join(path, move)
                    if not _is_detour(longer):
                        following[reached].append(longer)
        newest = {size: sorted(longer, key=_roughness)[:3] for size, longer in following.items()}
        for size, longer in newest.items():
            found[size] = sorted(found.get(size, []) + longer, key=_roughness)
    return found


def _joints(size, goal, source, target, limits):
    """What closes the gap between a size that the source reaches and one that leads on."""
    if size == goal:
        yield ()
    elif size > goal:
        yield from _trims(size, goal, limits)
    else:
        for stride in range(1, limits.stride + 1):
            kernel = goal - (size - 1) * stride
            if stride < kernel <= limits.kernel:
                yield (AxisStage("transposed_conv", kernel, stride, "valid", None, size, goal),)
    if limits.resize and size != goal and (size == source) != (goal == target):
        close = size <= 2 * goal if goal < size else goal <= 2 * size
        if close:
            yield (AxisStage("resize", 1, 1, "same", None, size, goal),)
    if limits.crop and goal == target < size != source:
        yield (AxisStage("crop", 1, 1, "same", None, size, goal),)


def _trims(size, goal, limits):
    """A few valid convolutions that lose the pixels at the border."""
    widest = min(WIDEST_TRIM, limits.kernel) - 1
    pieces = -(-(size - goal) // widest) if widest else MOST_TRIMS + 1
    if pieces <= MOST_TRIMS:
        sizes = [size - (size - goal) * piece // pieces for piece in range(pieces + 1)]
        yield tuple(
            AxisStage("conv", a - b + 1, 1, "valid", None, a, b) for a, b in pairwise(sizes)
        )


def _is_detour(path):
    """Whether a path shrinks by a factor by which it also enlarges."""
    return math.gcd(*factors(path)) > 1


# Side by side ----------------------------------------------------------------------------------


def _varied(ordered):
    """The best two paths of every sequence of layers, forty in all."""
    kept, seen = [], defaultdict(int)
    for path in ordered:
        kinds = tuple((move.layer, move.padding) for move in path)
        seen[kinds] += 1
        if seen[kinds] <= 2:
            kept.append(path)
    return kept[:40]


def side_by_side(down: Path, across: Path, source: tuple[int, int]) -> Chain:
    """Run two paths together; where only one axis has something to do, the other waits."""
    chain, (height, width) = [], source
    kinds = [[(move.layer, move.padding) for move in path] for path in (down, across)]
    for tag, i, i_end, j, j_end in SequenceMatcher(None, *kinds, autojunk=False).get_opcodes():
        if tag == "equal":
            for one, other in zip(down[i:i_end], across[j:j_end], strict=True):
                chain += _together(one, other)
        else:
            chain += [(move, _wait(move, width)) for move in down[i:i_end]]
            height = down[i_end - 1].size_out if i_end else height
            chain += [(_wait(move, height), move) for move in across[j:j_end]]
        height = down[i_end - 1].size_out if i_end else height
        width = across[j_end - 1].size_out if j_end else width
    return tuple(chain)


def _together(down, across):
    """Make one layer of two moves, or two where only one of them needs an output padding."""
    given = [move for move in (down, across) if move.output_padding is not None]
    if len(given) != 1:
        return [(down, across)]
    if all(move in given or move.stride % 2 for move in (down, across)):
        return [(_padded(down), _padded(across))]
    return [(down, _wait(down, across.size_in)), (_wait(across, down.size_out), across)]


def _padded(move):
    """The same move with its output padding given, for an odd stride."""
    if move.output_padding is not None:
        return move
    return move._replace(kernel=move.stride, output_padding=move.stride - 1)


def _wait(move, size):
    """The same layer with a stride of 1, which keeps the size along an axis."""
    kernel = 3 if move.padding == "same" and move.layer in ("conv", "transposed_conv") else 1
    extra = None if move.output_padding is None else 0
    return AxisStage(move.layer, kernel, 1, move.padding, extra, size, size)


def _roughness(path):
    if not path:
        return (0,) * 4, []
    found = traits(path)
    rough = found.adjusted, found.peaks, found.leaps, len(path)
    return rough, [(move.layer, move.stride, move.size_in) for move in path]
