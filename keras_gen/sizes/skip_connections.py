"""Which sizes fit the skip connections of a U-Net, and why the others do not.

    print(explain_skips(400, depth=5))

A U-Net halves its image at each level and doubles it again on the way back, where each level is
joined to what the encoder kept there. An odd size is halved with a remainder: 25 → 12 → 24, and 24
does not join 25. Only sizes that can be halved as often as there are levels survive the round trip.
"""

from dataclasses import dataclass
from typing import NamedTuple

from keras_gen._util.arguments import Size, as_pair, check_choice, show_size
from keras_gen._util.tables import Table
from keras_gen.sizes.formulas import PADDINGS


def skip_sizes(size: Size, depth: int = 4) -> list[tuple[int, int]]:
    """List the sizes of a U-Net's levels, or raise an error if its skip connections do not fit.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        depth: how often the network halves its input.

    Returns:
        `(height, width)` of each level, from the input to the bottleneck: `depth + 1` pairs.

    Raises:
        ValueError: if a level has an odd size, which would not fit its skip connection after
            halving and doubling. Names the depths and sizes that work.

    Example:
        >>> skip_sizes(400, 4)
        [(400, 400), (200, 200), (100, 100), (50, 50), (25, 25)]
    """
    height, width = as_pair(size)
    factor = 2 ** as_pair(depth, "depth", least=0)[0]
    if height % factor or width % factor:
        raise ValueError(str(explain_skips(size, depth)))
    return [(height >> level, width >> level) for level in range(depth + 1)]


class Junction(NamedTuple):
    """One level of the decoder meets its skip connection, along one axis.

    Attributes:
        level: 0 at full size, 1 after the first reduction, …
        skip: size that the encoder kept.
        arriving: size that comes up from the level below.
        fits: whether the two can be joined: the level was reduced without a remainder, so that
            they are equal or, where valid convolutions remove pixels, centred on each other.
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
        output: `(height, width)` of the decoder's result, `None` if the skips do not fit.
        junctions: along height and along width, the deepest first, as the decoder meets them.
        nearest: along height and along width the nearest smaller and larger size that fit (twice
            the size itself if it fits); `None` for a smaller one that does not exist.
        deepest: largest depth at which this size fits, up to `depth`.
        message: a sentence that names the first level whose skip does not fit, and the depths and
            sizes that do. `print(report)` shows it.
    """

    size: tuple[int, int]
    depth: int
    fits: bool
    output: tuple[int, int] | None
    junctions: tuple[tuple[Junction, ...], tuple[Junction, ...]]
    nearest: tuple[tuple[int | None, int], tuple[int | None, int]]
    deepest: int
    message: str

    def table(self) -> Table:
        """One row per junction: `axis`, `level`, `skip`, `arriving`, `crop` and `fits`."""
        return Table(
            {
                "axis": axis,
                "level": junction.level,
                "skip": junction.skip,
                "arriving": junction.arriving,
                "crop": junction.skip - junction.arriving if junction.fits else None,
                "fits": junction.fits,
            }
            for axis, junctions in zip(("height", "width"), self.junctions, strict=True)
            for junction in junctions
        )

    def __str__(self) -> str:
        return self.message


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
        lost: pixels that the convolutions of each level remove: 0 with `"same"` convolutions, 4 for
            two valid 3×3 ones as in the original U-Net, whose skips are cropped.

    Returns:
        A `SkipReport`; printed, it says what to do.

    Raises:
        ValueError: for a depth or factor that is too small, an unknown padding, or an image that
            is used up before the last level.

    Example:
        >>> print(explain_skips(400, depth=5))
        a 5-level U-Net halves 400 to 12.5; use 4 levels, or 384 or 416 pixels
        >>> print(explain_skips((400, 450), depth=4))
        a 4-level U-Net halves a width of 450 to 112.5 at level 2; use 1 level, or a width of 448 or
        464 pixels
        >>> explain_skips(572, depth=4, lost=4).output
        (388, 388)

    References:
        Ronneberger, Fischer and Brox (2015), "U-Net", for the arithmetic with valid convolutions.
    """
    sides = as_pair(size)
    if depth < 1 or factor < 2 or lost < 0:
        raise ValueError(
            f"depth={depth}, factor={factor}, lost={lost}: depth must be at least 1, factor at "
            "least 2 and lost at least 0"
        )
    check_choice("padding", padding, PADDINGS)
    junctions, output = zip(
        *(_round_trip(side, depth, factor, padding, lost) for side in sides), strict=True
    )
    fits = all(junction.fits for axis in junctions for junction in axis)
    deepest = max(
        (d for d in range(1, depth + 1) if all(_fits(side, d, factor, lost) for side in sides)),
        default=0,
    )
    nearest = tuple(_nearest(side, depth, factor, lost) for side in sides)
    if fits:
        message = f"fits {show_size(sides)} pixels"
    else:
        verb = "halves" if factor == 2 and not lost else "reduces"
        message = f"{verb} {_misfit(sides, depth, factor, junctions, nearest, deepest)}"
    return SkipReport(
        size=sides,
        depth=depth,
        fits=fits,
        output=output if fits else None,
        junctions=junctions,
        nearest=nearest,
        deepest=deepest,
        message=f"a {depth}-level U-Net {message}",
    )


def _misfit(sides, depth, factor, junctions, nearest, deepest):
    """Name the first size on the way down that is not whole, and the depths and sizes that work."""
    is_square = sides[0] == sides[1]
    reduced, choices = [], []
    for axis in range(1 if is_square else 2):
        misfit = next((one for one in reversed(junctions[axis]) if not one.fits), None)
        if misfit is not None:
            name = "" if is_square else f"a {('height', 'width')[axis]} of "
            level = f" at level {misfit.level + 1}" if misfit.level + 1 < depth else ""
            reduced.append(f"{name}{sides[axis]} to {round(misfit.skip / factor, 2)}{level}")
            choices.append(name + " or ".join(str(n) for n in nearest[axis] if n is not None))
    levels = "1 level" if deepest == 1 else f"{deepest} levels"
    fewer = f"{levels}, or " if deepest else ""
    return f"{' and '.join(reduced)}; use {fewer}{' and '.join(choices)} pixels"


def _round_trip(side, depth, factor, padding, lost):
    """Go down and up along one axis: the junctions, the deepest first, and the final size."""
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
    junctions = []
    for level in reversed(range(depth)):
        skip, arriving = kept[level], size * factor
        junctions.append(Junction(level, skip, arriving, fits=skip % factor == 0))
        # Skips of valid convolutions are cropped to what arrives. Otherwise the next junction is
        # checked independently, as if this one had been brought to its skip's size.
        size = arriving - lost if lost else skip
    return tuple(junctions), size


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
