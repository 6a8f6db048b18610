"""What makes one route better than another: measurements of a chain of layers, and a sort key.

A *path* is a sequence of layers along one axis. A *chain* is such a sequence along both axes: for
each layer what it does along the height and along the width. `traits` measures a path, `grade` says
what a chain does to the image, and `rank` is the key by which chains are sorted.
"""

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

# What a chain of layers does to the image, from best to worst.
EXACT, NEAR, EXTENDED, CROPPED, UNEVEN, BOTTLENECK = range(6)


NEAR_ENOUGH = 0.5  # source pixels that a pixel may be from its place


SMALLEST_FRACTION = 1 / 4  # of the smaller of source and target: channels grow at most fourfold


FEWEST_PIXELS = 8  # across an image; a smaller source or target is a latent


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
        """Whether the stage scales uniformly: by a whole ratio, or by resizing."""
        if self.layer == "transposed_conv":
            return self.padding == "same" and self.size_out == self.size_in * self.stride
        if self.layer == "conv":
            return self.padding == "same" and self.size_in == self.size_out * self.stride
        return self.layer == "resize"


Path = tuple[AxisStage, ...]  # along one axis


Chain = tuple[tuple[AxisStage, AxisStage], ...]  # along height and width


def factors(path: Path) -> tuple[int, int]:
    """By how much the strides of a path downscale in all, and by how much they upscale."""
    downscaling = upscaling = 1
    for stage in path:
        if stage.layer == "conv":
            downscaling *= stage.stride
        elif stage.layer == "transposed_conv":
            upscaling *= stage.stride
    return downscaling, upscaling


# What makes one chain better than another ------------------------------------------------------


def family(chain: Chain) -> tuple:
    """What chains that use the same layers in another order have in common."""
    layers = sorted((*down[:4], *across[:4]) for down, across in chain)
    return (
        tuple(layers),
        chain[0][0].layer == "resize",
        max(path.overshoots for path in both_traits(chain)),
    )


def rank(chain: Chain) -> tuple:
    """Sort key of a chain: a smaller one is better."""
    both = both_traits(chain)
    # A latent has no geometry to keep: there, the simplest chain comes first.
    is_latent = min(stage.size_in for stage in chain[0]) < FEWEST_PIXELS
    exact = grade(chain) == EXACT
    return (
        NEAR if exact and is_latent else grade(chain),
        sum(down.layer == "resize" for down, _ in chain),
        max(path.downscaling for path in both),
        max(path.tenths for path in both),
        anisotropic_stages(chain),
        any(path.squeezed for path in both),
        max(path.overshoots for path in both),
        not exact,
        max(path.large_strides for path in both),
        max(stage.stride for pair in chain for stage in pair),
        round(work(chain)),
        [(*down[:4], *down[5:], *across[:4], *across[5:]) for down, across in chain],
    )


def grade(chain: Chain) -> int:
    """What a chain does to the image: one of `EXACT` … `BOTTLENECK`."""
    both = both_traits(chain)
    if any(path.bottleneck for path in both):
        return BOTTLENECK
    if any(path.uneven for path in both):
        return UNEVEN
    farthest = max(both, key=lambda path: path.misregistration)
    if farthest.misregistration > NEAR_ENOUGH:
        return CROPPED if farthest.cropped else EXTENDED
    return NEAR if any(path.adjusted for path in both) else EXACT


def fixed_layers(chain: Chain) -> set[str]:
    """The layers of a chain that learn nothing."""
    return {down.layer for down, _ in chain} & {"resize", "crop"}


def anisotropic_stages(chain: Chain) -> int:
    """How many stages have different strides along height and width."""
    return sum(down.stride != across.stride for down, across in chain)


class Traits(NamedTuple):
    """What matters about a path, for its rank and for the sentence that explains it."""

    misregistration: float  # how far pixels at the border are from their place, in source pixels
    tenths: int  # the same in tenths of the source
    cropped: bool  # whether the output shows less than the source
    bottleneck: bool  # whether a size on the way is too small to keep the image
    squeezed: bool  # whether a size on the way is smaller than both its ends
    downscaling: int  # the factor by which it downscales in all, before and after it upscales
    overshoots: int  # how often it upscales and then downscales what it has just upscaled
    large_strides: int  # steps that large strides skip: a stride of 4 is 2 twice, 8 three times
    adjusted: int  # layers that do not scale by a whole ratio
    uneven: bool  # whether a transposed convolution's kernel is not a multiple of its stride


@lru_cache(maxsize=20000)
def traits(path: Path) -> Traits:
    """Measure a path."""
    source, target = path[0].size_in, path[-1].size_out
    downscaling, upscaling = factors(path)
    resized = [stage for stage in path if stage.layer == "resize"]
    shown = target * downscaling * math.prod(stage.size_in for stage in resized)
    whole = source * upscaling * math.prod(stage.size_out for stage in resized)
    # Every layer is centred, so a wrong scale moves the two borders most, and equally.
    misregistration = abs(shown - whole) / whole * source / 2
    grows = [stage.size_out > stage.size_in for stage in path if stage.size_out != stage.size_in]
    smallest = min(stage.size_out for stage in path)
    ends = min(source, target)
    return Traits(
        misregistration=misregistration,
        tenths=round(10 * misregistration / source),
        cropped=shown < whole,
        bottleneck=smallest < max(SMALLEST_FRACTION * ends, min(FEWEST_PIXELS, ends)),
        squeezed=smallest < ends,
        downscaling=downscaling,
        overshoots=sum(first and not then for first, then in pairwise(grows)),
        large_strides=sum(
            len(prime_factors(stage.stride)) - 1 for stage in path if stage.stride > 1
        ),
        adjusted=sum(not stage.whole and stage.size_in != stage.size_out for stage in path),
        uneven=any(
            stage.layer == "transposed_conv" and stage.kernel % stage.stride for stage in path
        ),
    )


def both_traits(chain: Chain) -> list[Traits]:
    """The traits of a chain along height and along width."""
    return [traits(path) for path in zip(*chain, strict=True)]


@lru_cache
def prime_factors(number: int) -> tuple[int, ...]:
    """The prime factors of a whole number, smallest first: 12 is 2 · 2 · 3."""
    for factor in range(2, math.isqrt(number) + 1):
        if number % factor == 0:
            return (factor, *prime_factors(number // factor))
    return (number,) if number > 1 else ()


def _channels(size, source):
    """Channels assumed at a size: 48 at the source's, more at a smaller one, from 16 to 192."""
    scale = math.sqrt(size[0] * size[1] / (source[0] * source[1]))
    return 48 * min(max(1 / scale, 1 / 3), 4)


def work(chain: Chain) -> float:
    """Multiply–accumulates of a chain whose layers have the numbers of channels of `_channels`."""
    source = tuple(stage.size_in for stage in chain[0])
    total = 0.0
    for pair in chain:
        if pair[0].layer in ("resize", "crop"):
            continue
        size_in = tuple(stage.size_in for stage in pair)
        size_out = tuple(stage.size_out for stage in pair)
        # A convolution applies its kernel at each output, a transposed one at each input.
        positions = math.prod(size_out if pair[0].layer == "conv" else size_in)
        taps = pair[0].kernel * pair[1].kernel
        total += positions * taps * _channels(size_in, source) * _channels(size_out, source)
    return total
