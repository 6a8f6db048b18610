"""Why skip connections do not fit, and which sizes do: arithmetic, without Keras.

    print(explain_skips(400, depth=5))

A U-Net halves its image at each level and doubles it again on the way back, where each level is
joined to what the encoder kept there. An odd size is halved with a remainder: 25 → 12 → 24, and 24
does not join 25. Only sizes that can be halved as often as there are levels survive the round trip.
"""

from dataclasses import dataclass
from typing import NamedTuple

from keras_gen._util.arguments import Size, as_pair, show_size
from keras_gen._util.tables import Table


def skip_sizes(size: Size, depth: int = 4) -> list[tuple[int, int]]:
    """Check that a U-Net of a given depth meets its skip connections, and list its sizes.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        depth: how often the network halves its input.

    Returns:
        `(height, width)` of each level, from the input to the bottleneck: `depth + 1` pairs.

    Raises:
        ValueError: where a level is odd: halved and doubled again, it would not fit its skip
            connection. Names the depths and sizes that work.

    Example:
        >>> skip_sizes(400, 4)
        [(400, 400), (200, 200), (100, 100), (50, 50), (25, 25)]
    """
    pair, factor = as_pair(size), 2 ** as_pair(depth, "depth", least=0)[0]
    if any(side % factor for side in pair):
        deepest = min((side & -side).bit_length() - 1 for side in pair)
        below = tuple(side // factor * factor for side in pair)
        above = tuple(-(-side // factor) * factor for side in pair)
        sizes = [show_size(near) for near in (below, above) if min(near) > 0]
        halved = " × ".join(f"{side / factor:g}" for side in dict.fromkeys(pair))
        levels = "1 level" if deepest == 1 else f"{deepest} levels"
        raise ValueError(
            f"a {depth}-level U-Net halves {show_size(pair)} to {halved}; "
            f"use {levels}, or {' or '.join(sizes)} pixels"
        )
    return [(pair[0] >> level, pair[1] >> level) for level in range(depth + 1)]


class Junction(NamedTuple):
    """Where one level of the decoder meets its skip connection, along one axis.

    Attributes:
        level: 0 at full size, 1 after the first reduction, …
        skip: size that the encoder kept.
        arriving: size that comes up from the level below.
        fits: whether the two can be joined: the level was reduced without a remainder, so that
            they are equal or, where convolutions take pixels off, centred on each other.
    """

    level: int
    skip: int
    arriving: int
    fits: bool


@dataclass(frozen=True)
class SkipReport:
    """Whether the skip connections of a U-Net fit; made by `explain_skips`.

    Attributes:
        size: the image's `(height, width)` in pixels.
        depth: number of times the encoder reduces it.
        fits: whether all skips fit.
        output: `(height, width)` of the decoder's result, `None` where the skips do not fit.
        joints: the joints along height and along width, the deepest first, as the decoder meets
            them.
        nearest: along height and along width the nearest smaller and larger size that fit (the
            size itself twice where it does); `None` for a smaller one that does not exist.
        deepest: largest depth at which this size fits.
        factor: how much each level reduces.
    """

    size: tuple[int, int]
    depth: int
    fits: bool
    output: tuple[int, int] | None
    joints: tuple[tuple[Junction, ...], tuple[Junction, ...]]
    nearest: tuple[tuple[int | None, int], tuple[int | None, int]]
    deepest: int
    factor: int

    def table(self) -> Table:
        """One row a joint: `axis`, `level`, `skip`, `arriving`, `crop` and `fits`."""
        return Table(
            {
                "axis": axis,
                "level": joint.level,
                "skip": joint.skip,
                "arriving": joint.arriving,
                "crop": joint.skip - joint.arriving if joint.fits else None,
                "fits": joint.fits,
            }
            for axis, joints in zip(("height", "width"), self.joints, strict=True)
            for joint in joints
        )

    def __str__(self) -> str:
        size = "×".join(map(str, self.size))
        levels = _count(self.depth, "level")
        if self.fits:
            output = "×".join(map(str, self.output))
            return f"{size} fits a U-Net of {levels} and gives {output}"
        parts = []
        for axis, joints, nearest in zip(
            ("height", "width"), self.joints, self.nearest, strict=True
        ):
            parting = next((joint for joint in joints if not joint.fits), None)
            if parting is None or (axis == "width" and self.size[0] == self.size[1]):
                continue
            sizes = " or ".join(str(n) for n in nearest if n is not None)
            parts.append(
                f"along its {axis} the skip of level {parting.level} has {parting.skip} pixels and "
                f"{parting.arriving} arrive from below; use {sizes} pixels"
            )
        fewer = f", or at most {_count(self.deepest, 'level')}" if self.deepest else ""
        return f"{size} does not fit a U-Net of {levels}: {'; '.join(parts)}{fewer}"


def _count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def explain_skips(
    size: Size, depth: int, *, factor: int = 2, padding: str = "same", lost: int = 0
) -> SkipReport:
    """Check whether the skip connections of a U-Net fit an image, and say where they do not.

    Args:
        size: the image's size in pixels, an int or `(height, width)`.
        depth: number of times the encoder reduces the image.
        factor: how much each reduction divides, and each step back multiplies, the size.
        padding: of the reductions: `"valid"` rounds down (pooling by default), `"same"` rounds up
            (strided convolutions, mostly). It decides what arrives, not whether it fits.
        lost: pixels that each level's convolutions take off: 0 with `"same"` convolutions, 4 for
            two valid 3×3 ones as in the original U-Net, whose skips are cropped.

    Returns:
        A `SkipReport`; printed, it says what to do.

    Raises:
        ValueError: for a depth or factor that is too small, an unknown padding, or an image that
            is used up before the last level.

    Example:
        >>> print(explain_skips(400, depth=5, padding="valid"))  # doctest: +NORMALIZE_WHITESPACE
        400×400 does not fit a U-Net of 5 levels: along its height the skip of level 4 has 25
        pixels and 24 arrive from below; use 384 or 416 pixels, or at most 4 levels
        >>> explain_skips(572, depth=4, lost=4).output
        (388, 388)

    References:
        Ronneberger, Fischer and Brox (2015), "U-Net", for the arithmetic with valid convolutions.
    """
    height, width = as_pair(size)
    if depth < 1 or factor < 2 or lost < 0:
        raise ValueError(
            f"depth={depth}, factor={factor}, lost={lost}: depth must be at least 1, factor at "
            "least 2 and lost at least 0"
        )
    if padding not in ("same", "valid"):
        raise ValueError(f"padding={padding!r} is unknown; use 'same' or 'valid'")
    sides = (height, width)
    joints, outputs = zip(
        *(_round_trip(side, depth, factor, padding, lost) for side in sides), strict=True
    )
    fits = all(joint.fits for axis in joints for joint in axis)
    deepest = max(
        (d for d in range(1, depth + 1) if all(_fits(side, d, factor, lost) for side in sides)),
        default=0,
    )
    nearest = tuple(_nearest(side, depth, factor, lost) for side in sides)
    return SkipReport(
        sides, depth, fits, outputs if fits else None, joints, nearest, deepest, factor
    )


def _round_trip(side, depth, factor, padding, lost):
    """Down and up along one axis: the joints, the deepest first, and the size at the end."""
    kept, size = [], side
    for level in range(depth):
        size -= lost
        kept.append(size)
        size = size // factor if padding == "valid" else -(-size // factor)
        if size - lost < 1:
            raise ValueError(
                f"an image of {side} pixels is used up after {level + 1} of {depth} levels; use a "
                "larger one or fewer levels"
            )
    size -= lost
    joints = []
    for level in reversed(range(depth)):
        skip, arriving = kept[level], size * factor
        joints.append(Junction(level, skip, arriving, fits=skip % factor == 0))
        # Skips of valid convolutions are cropped to what arrives. Otherwise the next joint is
        # judged by itself, as if this one had been brought to its skip's size.
        size = arriving - lost if lost else skip
    return tuple(joints), size


def _fits(side, depth, factor, lost):
    for _ in range(depth):
        side -= lost
        if side < 1 or side % factor:
            return False
        side //= factor
    return side > lost


def _nearest(side, depth, factor, lost):
    """The nearest sizes that fit: they repeat every `factor ** depth` pixels."""
    step = factor**depth
    offset = lost * (step - 1) // (factor - 1)
    smallest = step * (lost + 1) + offset
    below = (side - offset) // step * step + offset
    above = max(below if below == side else below + step, smallest)
    return (below if below >= smallest else None), above
