"""TODO: say what this module holds."""

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

# What a chain of layers does to the picture, from best to worst.
EXACT, NEAR, WIDENED, TRIMMED, UNEVEN, TIGHT = range(6)


NEAR_ENOUGH = 0.5  # source pixels that a pixel may be from its place


TIGHTEST = 1 / 4  # of the smaller of source and target: channels grow four times, not more


FEWEST = 8  # pixels across that still make a picture, where source and target have as many


class AxisStage(NamedTuple):
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


Path = tuple[AxisStage, ...]  # along one axis


Chain = tuple[tuple[AxisStage, AxisStage], ...]  # along both


def factors(path):
    """By how much the strides of a path shrink in all, and by how much they enlarge."""
    shrunk = enlarged = 1
    for move in path:
        if move.layer == "conv":
            shrunk *= move.stride
        elif move.layer == "transposed_conv":
            enlarged *= move.stride
    return shrunk, enlarged


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
        lopsided(chain),
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


def lopsided(chain):
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
    shrunk, enlarged = factors(path)
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
