"""The route planner: which layers lead from one size to another, best first.

    print(routes(400, source=64)[0])      # 64 → 320 → 160 → 80 → 400

`search` finds chains of layers and puts them in order. This module chooses a dozen of them, some of
every kind, and turns them into `Route`s; `reasons` explains why each ranks where it does.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, product
from operator import itemgetter

from keras_gen._util.arguments import Size, as_pair, show_size
from keras_gen.sizes import ranking, reasons, search


@dataclass(frozen=True)
class Stage:
    """One layer of a route.

    Attributes:
        layer: `"conv"` or `"transposed_conv"`; if it was asked for, `"resize"` or `"crop"`.
        kernel_size: `(height, width)`.
        stride: `(height, width)`.
        padding: `"same"` or `"valid"`.
        output_padding: `(height, width)` of a transposed convolution, or `None` for Keras' choice.
        size_in: `(height, width)` in pixels.
        size_out: `(height, width)` in pixels.

    Example:
        >>> stage = Stage("transposed_conv", (3, 3), (2, 2), "same", None, (50, 50), (100, 100))
        >>> stage.checkerboard
        'kernel 3 is not a multiple of stride 2: an output pixel is reached by 1 or 2 input pixels'
    """

    layer: str
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: str
    output_padding: tuple[int, int] | None
    size_in: tuple[int, int]
    size_out: tuple[int, int]

    @property
    def checkerboard(self) -> str:
        """Why kernels overlap unevenly (Odena et al. 2016); an empty text if they do not."""
        if self.layer == "transposed_conv":
            for k, s in zip(self.kernel_size, self.stride, strict=True):
                if k % s:
                    return (
                        f"kernel {k} is not a multiple of stride {s}: "
                        f"an output pixel is reached by {k // s} or {k // s + 1} input pixels"
                    )
        return ""

    @property
    def uneven_initialization(self) -> bool:
        """Whether an untrained stage generates a pattern, even where its kernels overlap evenly.

        Every phase of a strided transposed convolution has weights of its own, and thus a gain of
        its own, until training evens them out.
        """
        return self.layer == "transposed_conv" and self.stride != (1, 1)

    def __str__(self) -> str:
        if self.layer in ("resize", "crop"):
            return f"{self.layer} to {show_size(self.size_out)}"
        name = self.layer.replace("_", " ")
        text = f"{name} {show_size(self.kernel_size)}"
        if self.stride != (1, 1):
            text += f", stride {show_size(self.stride)}"
        if self.padding != "same":
            text += f", {self.padding}"
        if self.output_padding is not None:
            text += f", output padding {_show(self.output_padding)}"
        return text


@dataclass(frozen=True)
class Route:
    """A chain of layers from one size to another; `print(route)` shows its sizes.

    Attributes:
        source: `(height, width)` of the input.
        target: `(height, width)` of the output.
        stages: the layers, in order.
        cost: multiply–accumulates of the stages, relative to those of the best route.
        why: one sentence that says why the route ranks where it does.
        exact_scale: whether every stage scales by a whole ratio with `"same"` padding, or resizes,
            so that output pixel o shows what is at o / scale in the input.
    """

    source: tuple[int, int]
    target: tuple[int, int]
    stages: tuple[Stage, ...]
    cost: float
    why: str
    exact_scale: bool

    @property
    def checkerboard(self) -> bool:
        """Whether the kernels of a stage overlap unevenly, which shows as a checkerboard."""
        return any(stage.checkerboard for stage in self.stages)

    @property
    def uneven_initialization(self) -> bool:
        """Whether an untrained stage generates a pattern, even where its kernels overlap evenly."""
        return any(stage.uneven_initialization for stage in self.stages)

    def __str__(self) -> str:
        return " → ".join(map(show_size, [self.source, *(stage.size_out for stage in self.stages)]))

    def __repr__(self) -> str:
        return f"<Route {self}, cost {self.cost:.2f}>"


class NoRouteError(ValueError):
    """No route leads to a size.

    Attributes:
        nearest: `(height, width)` of the closest sizes that have one, closest first.
    """

    def __init__(self, message: str, nearest: list[tuple[int, int]]):
        super().__init__(message)
        self.nearest = nearest


def routes(
    target: Size = 400,
    source: Size = 64,
    *,
    allow_resize: bool = False,
    allow_crop: bool = False,
    max_stages: int = 6,
    max_stride: int = 8,
    max_kernel: int = 16,
    count: int = 12,
) -> list[Route]:
    """List the routes from one size to another, best first.

    A route is a chain of strided convolutions, which downscale, and transposed convolutions, which
    upscale. If the sizes do not divide, other layers adjust the size by a few pixels. A kernel is
    twice its stride (the stride itself if `max_kernel` is less than that), so that every output
    pixel is reached by equally many input pixels.

    The best routes keep the geometry of the image: exactly, by whole ratios alone, or with no pixel
    more than half a source pixel from its place. After them come the routes that reach the size but
    show more or less than the source, then those whose transposed convolutions overlap unevenly.
    Routes that lose detail come last, and are listed only if there is nothing else: one of their
    stages is less than a quarter of source and target, or fewer than 8 pixels.

    Among equals, the better route downscales little, treats both axes alike, is never smaller than
    both source and target (chapter 05 measures how slowly a generator learns through such a
    bottleneck), does not downscale again what it has just upscaled, takes small steps (2 twice
    rather than 4), and needs few multiply–accumulates.

    Args:
        target: output size in pixels, an int or `(height, width)`.
        source: input size in pixels, an int or `(height, width)`.
        allow_resize: also offer routes with a fixed resizing as their first or last stage.
        allow_crop: also offer routes that generate more pixels than asked for and crop them.
        max_stages: most stages in a route.
        max_stride: largest stride.
        max_kernel: largest side of a kernel.
        count: most routes listed. The list shows some of every kind rather than only the first.

    Returns:
        At least one and at most `count` routes. Their costs assume 48 channels at the source's
        size, twice as many where both sides are halved (192 at most) and half as many where they
        are doubled (16 at least).

    Raises:
        ValueError: for a size or a limit that is not a whole number of at least 1.
        NoRouteError: if there is no route within the limits; names the nearest sizes that have
            one.

    Example:
        >>> best = routes(400, source=64)[0]
        >>> print(best)
        64 → 320 → 160 → 80 → 400
        >>> print(best.stages[0])
        transposed conv 10, stride 5

    References:
        Odena et al. (2016) for kernels that are multiples of their stride.
    """
    target, source = as_pair(target, "target"), as_pair(source, "source")
    given = {"max_stages": max_stages, "max_stride": max_stride, "max_kernel": max_kernel}
    stages, stride, kernel = (as_pair(value, name)[0] for name, value in given.items())
    limits = search.Limits(stages, stride, kernel, bool(allow_resize), bool(allow_crop))
    count = as_pair(count, "count")[0]
    if target == source:
        kernel = 3 if kernel >= 3 else 1
        pair = [ranking.AxisStage("conv", kernel, 1, "same", None, n, n) for n in source]
        chains = [(tuple(pair),)]
    else:
        chains = search.chains(source, target, limits)
    if not chains:
        nearest = _nearest(target, source, limits)
        sizes = " or ".join(map(show_size, nearest))
        raise NoRouteError(
            f"no route leads from {show_size(source)} to {show_size(target)} with at most "
            f"max_stages={stages}, max_stride={stride} and max_kernel={kernel}; the nearest with "
            f"one: {sizes}. Ask for that, raise a limit, or set allow_resize or allow_crop",
            nearest,
        )
    chosen = _some_of_each(chains, count)
    return [_route(source, target, chain, chosen[0]) for chain in chosen]


ROUTE_LEGEND = (
    "÷ convolution with this stride, × transposed convolution with this stride, "
    "k kernel size, p output padding"
)


def route_rows(listed: Iterable[Route]) -> list[tuple[str, ...]]:
    """Make a table of text from routes. `ROUTE_LEGEND` explains the layers' short names.

    Args:
        listed: what `routes` returned.

    Returns:
        Tuples of strings: the header, then a row for each route with its rank, its sizes, its
        layers, its cost relative to the best one, whether it generates a checkerboard, and why it
        ranks where it does.

    Example:
        >>> route_rows(routes(400, source=100))[1][:4]
        ('1', '100 → 200 → 400', '×2 k4, ×2 k4', '1.00')
    """
    rows = [("", "sizes", "layers", "cost", "checkerboard", "why")]
    for number, route in enumerate(listed, start=1):
        layers = ", ".join(_short_name(stage) for stage in route.stages)
        cost = f"{route.cost:.2f}"
        rows.append((str(number), str(route), layers, cost, _checkerboard(route), route.why))
    return rows


def _short_name(stage):
    if stage.layer in ("resize", "crop"):
        return stage.layer
    words = [reasons.scaling(stage) if stage.stride != (1, 1) else stage.layer.replace("_conv", "")]
    words.append(f"k{show_size(stage.kernel_size)}")
    if stage.padding == "valid":
        words.append("valid")
    if stage.output_padding is not None:
        words.append(f"p{_show(stage.output_padding)}")
    return " ".join(words)


def _show(pair):
    """Like `show_size`, for pairs in which a zero is allowed."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}×{pair[1]}"


def _checkerboard(route):
    if route.checkerboard:
        return "uneven overlap"
    return "at the start" if route.uneven_initialization else "no"


# Of a dozen routes, six are of the best grade that there is, and this many of each worse one.
_OF_A_DOZEN = {ranking.EXTENDED: 2, ranking.CROPPED: 2, ranking.UNEVEN: 2}


_TOO_MUCH_WORK = 3  # times that of the best


def _some_of_each(chains, count):
    """The best chains and a few of every other grade; of those with the same layers, the best."""
    families = {}
    for chain in chains:
        families.setdefault(ranking.family(chain), chain)
    best, most = chains[0], _TOO_MUCH_WORK * ranking.work(chains[0])
    listed, taken = [], Counter()
    for chain in families.values():
        grade = ranking.grade(chain)
        is_best = grade == ranking.grade(best)
        kind = grade, *sorted(ranking.fixed_layers(chain))
        wanted = math.ceil((6 if is_best else _OF_A_DOZEN.get(grade, 0)) * count / 12)
        if taken[kind] < wanted and (is_best or ranking.work(chain) <= most):
            taken[kind] += 1
            # If there are too many: the best, the first of every kind, then the others.
            comes_late = len(listed) >= count / 2 and taken[kind] > 1
            listed.append((comes_late, len(listed), chain))
    kept = sorted(listed, key=itemgetter(0, 1))[:count]
    return [chain for _, _, chain in sorted(kept, key=itemgetter(1))]


def _route(source, target, chain, best):
    stages = tuple(_stage(*pair) for pair in chain)
    work, least = ranking.work(chain), ranking.work(best)
    return Route(
        source=source,
        target=target,
        stages=stages,
        cost=work / least if least else 1.0,
        why=reasons.why(chain, best, stages),
        exact_scale=all(stage.whole for pair in chain for stage in pair),
    )


def _stage(down, across):
    """Make one stage from what a layer does along the height and along the width."""
    output_padding = None
    if down.output_padding is not None:
        output_padding = (down.output_padding, across.output_padding)
    return Stage(
        layer=down.layer,
        kernel_size=(down.kernel, across.kernel),
        stride=(down.stride, across.stride),
        padding=down.padding,
        output_padding=output_padding,
        size_in=(down.size_in, across.size_in),
        size_out=(down.size_out, across.size_out),
    )


def _nearest(target, source, limits):
    """The sizes closest to a target that a route leads to, closest first."""
    axes = [search.nearest(s, t, limits) for s, t in zip(source, target, strict=True)]
    if source[0] == source[1] and target[0] == target[1]:
        return [(side, side) for side in axes[0]]

    def distance(size):
        return sum(abs(a - b) for a, b in zip(size, target, strict=True)), size

    # Two axes together may need too many stages; one of them alone does not.
    axes = [[*sizes, keep] for sizes, keep in zip(axes, source, strict=True)]
    reached = (
        size
        for size in sorted(set(product(*axes)), key=distance)
        if size == source or search.chains(source, size, limits)
    )
    return list(islice(reached, 2))
