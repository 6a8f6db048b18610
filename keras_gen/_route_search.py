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
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

# What a chain of layers does to the picture, from best to worst.
EXACT, NEAR, WIDENED, TRIMMED, UNEVEN, TIGHT = range(6)

NEAR_ENOUGH = 0.5  # source pixels that a pixel may be from its place
TIGHTEST = 1 / 4  # of the smaller of source and target: channels grow four times, not more
FEWEST = 8  # pixels across that still make a picture, where source and target have as many
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


class Move(NamedTuple):
    """What one layer does along one axis."""

    layer: str
    kernel: int
    stride: int
    padding: str
    output_padding: int | None
    size_in: int
    size_out: int

    @property
    def whole(self):
        """Whether the move scales uniformly: by a whole ratio, or by resizing."""
        if self.layer == "transposed_conv":
            return self.padding == "same" and self.size_out == self.size_in * self.stride
        if self.layer == "conv":
            return self.padding == "same" and self.size_in == self.size_out * self.stride
        return self.layer == "resize"


Path = tuple[Move, ...]  # along one axis
Chain = tuple[tuple[Move, Move], ...]  # along both


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
        return [chain for chain in fitting if not _lopsided(chain)] or fitting
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
                yield smaller, Move("conv", kernel, stride, "same", None, size, smaller)
            if whole and size * stride <= largest:
                larger = size * stride
                yield larger, Move("transposed_conv", kernel, stride, "same", None, size, larger)

    return _spread(source, steps, lambda path, move: (*path, move), limits)


def _to_target(target, limits):
    """Sizes that reach the target by enlarging alone: to n·s, or a few pixels less."""

    def steps(path, size):
        for stride in limits.strides:
            kernel, smaller = limits.kernel_of(stride), -(-size // stride)
            if smaller < size:
                rest = size - (smaller - 1) * stride
                extra = None if rest == stride else rest - kernel % 2
                move = Move("transposed_conv", kernel, stride, "same", extra, smaller, size)
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
                yield (Move("transposed_conv", kernel, stride, "valid", None, size, goal),)
    if limits.resize and size != goal and (size == source) != (goal == target):
        close = size <= 2 * goal if goal < size else goal <= 2 * size
        if close:
            yield (Move("resize", 1, 1, "same", None, size, goal),)
    if limits.crop and goal == target < size != source:
        yield (Move("crop", 1, 1, "same", None, size, goal),)


def _trims(size, goal, limits):
    """A few valid convolutions that lose the pixels at the border."""
    widest = min(WIDEST_TRIM, limits.kernel) - 1
    pieces = -(-(size - goal) // widest) if widest else MOST_TRIMS + 1
    if pieces <= MOST_TRIMS:
        sizes = [size - (size - goal) * piece // pieces for piece in range(pieces + 1)]
        yield tuple(Move("conv", a - b + 1, 1, "valid", None, a, b) for a, b in pairwise(sizes))


def _is_detour(path):
    """Whether a path shrinks by a factor by which it also enlarges."""
    return math.gcd(*_factors(path)) > 1


def _factors(path):
    """By how much the strides of a path shrink in all, and by how much they enlarge."""
    shrunk = enlarged = 1
    for move in path:
        if move.layer == "conv":
            shrunk *= move.stride
        elif move.layer == "transposed_conv":
            enlarged *= move.stride
    return shrunk, enlarged


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
    return Move(move.layer, kernel, 1, move.padding, extra, size, size)


# What makes one chain better than another ------------------------------------------------------


def family(chain: Chain) -> tuple:
    """What chains have in common that use the same layers in another order."""
    layers = sorted((*down[:4], *across[:4]) for down, across in chain)
    return (
        tuple(layers),
        chain[0][0].layer == "resize",
        max(traits(path).peaks for path in zip(*chain, strict=True)),
    )


def rank(chain: Chain) -> tuple:
    """Sort key of a chain: a smaller one is better."""
    both = [traits(path) for path in zip(*chain, strict=True)]
    # Fewer pixels than make a picture have no geometry to keep: drawing simply comes first.
    is_latent = min(move.size_in for move in chain[0]) < FEWEST
    exact = grade(chain) == EXACT
    return (
        NEAR if exact and is_latent else grade(chain),
        sum(down.layer == "resize" for down, _ in chain),
        max(path.shrunk for path in both),
        max(path.tenths for path in both),
        _lopsided(chain),
        any(path.squeezed for path in both),
        max(path.peaks for path in both),
        not exact,
        max(path.leaps for path in both),
        max(move.stride for moves in chain for move in moves),
        round(work(chain)),
        [(*down[:4], *down[5:], *across[:4], *across[5:]) for down, across in chain],
    )


def grade(chain: Chain) -> int:
    """What a chain does to the picture: one of `EXACT` … `TIGHT`."""
    both = [traits(path) for path in zip(*chain, strict=True)]
    if any(path.tight for path in both):
        return TIGHT
    if any(path.uneven for path in both):
        return UNEVEN
    farthest = max(both, key=lambda path: path.drift)
    if farthest.drift > NEAR_ENOUGH:
        return TRIMMED if farthest.trimmed else WIDENED
    return NEAR if any(path.adjusted for path in both) else EXACT


def fixed_layers(chain: Chain) -> set[str]:
    """The layers of a chain that learn nothing."""
    return {down.layer for down, _ in chain} & {"resize", "crop"}


def _lopsided(chain):
    """Stages that treat height and width differently."""
    return sum(down.stride != across.stride for down, across in chain)


class Traits(NamedTuple):
    """What matters about a path, for its rank and for the sentence that explains it."""

    drift: float  # how far the pixels at the border move from their place, in source pixels
    tenths: int  # the same in tenths of the source
    trimmed: bool  # whether the output shows less than the source
    tight: bool  # whether a size on the way is too small to keep the picture
    squeezed: bool  # whether a size on the way is smaller than both its ends
    shrunk: int  # the factor by which it shrinks in all, before and after it enlarges
    peaks: int  # how often it enlarges and then shrinks what it has just drawn
    leaps: int  # steps that large strides leave out: a stride of 4 is 2 twice, 8 three times
    adjusted: int  # layers that do not scale by a whole ratio
    uneven: bool  # whether a transposed convolution's kernel is not a multiple of its stride


@lru_cache(maxsize=20000)
def traits(path: Path) -> Traits:
    """Measure a path."""
    source, target = path[0].size_in, path[-1].size_out
    shrunk, enlarged = _factors(path)
    resized = [move for move in path if move.layer == "resize"]
    shown = target * shrunk * math.prod(move.size_in for move in resized)
    whole = source * enlarged * math.prod(move.size_out for move in resized)
    # Every layer is centred, so a wrong scale moves the two borders most, and equally.
    drift = abs(shown - whole) / whole * source / 2
    rises = [move.size_out > move.size_in for move in path if move.size_out != move.size_in]
    smallest = min(move.size_out for move in path)
    ends = min(source, target)
    return Traits(
        drift=drift,
        tenths=round(10 * drift / source),
        trimmed=shown < whole,
        tight=smallest < max(TIGHTEST * ends, min(FEWEST, ends)),
        squeezed=smallest < ends,
        shrunk=shrunk,
        peaks=sum(up and not still_up for up, still_up in pairwise(rises)),
        leaps=sum(len(prime_factors(move.stride)) - 1 for move in path if move.stride > 1),
        adjusted=sum(not move.whole and move.size_in != move.size_out for move in path),
        uneven=any(move.layer == "transposed_conv" and move.kernel % move.stride for move in path),
    )


def _roughness(path):
    if not path:
        return (0,) * 4, []
    found = traits(path)
    rough = found.adjusted, found.peaks, found.leaps, len(path)
    return rough, [(move.layer, move.stride, move.size_in) for move in path]


@lru_cache
def prime_factors(number: int) -> tuple[int, ...]:
    """The prime factors of a whole number, smallest first: 12 is 2 · 2 · 3."""
    for factor in range(2, math.isqrt(number) + 1):
        if number % factor == 0:
            return (factor, *prime_factors(number // factor))
    return (number,) if number > 1 else ()


def channels(size: tuple[int, int], source: tuple[int, int], filters: int = 48) -> float:
    """Channels assumed at a size: more where the map is smaller, from 1/3 to 4 times `filters`."""
    enlargement = math.sqrt(size[0] * size[1] / (source[0] * source[1]))
    return filters * min(max(1 / enlargement, 1 / 3), 4)


def work(chain: Chain) -> float:
    """Multiply–accumulates of a chain under the channel schedule of `channels`."""
    source = tuple(move.size_in for move in chain[0])
    total = 0.0
    for moves in chain:
        if moves[0].layer in ("resize", "crop"):
            continue
        size_in = tuple(move.size_in for move in moves)
        size_out = tuple(move.size_out for move in moves)
        # A convolution applies its kernel at each output, a transposed one at each input.
        places = math.prod(size_out if moves[0].layer == "conv" else size_in)
        taps = moves[0].kernel * moves[1].kernel
        total += places * taps * channels(size_in, source) * channels(size_out, source)
    return total
