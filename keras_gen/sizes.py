"""Size arithmetic: which size a layer gives, and which layers give the size you want.

Nothing here imports Keras, so the answers come at once:

    conv_size(64, 3)                      # 64
    transposed_conv_size(25, 4, 2)        # 50
    print(routes(400, source=64)[0])      # 64 → 32 → 16 → 80 → 400

The formulas are those of Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
learning", with TensorFlow's two paddings: `"valid"` pads nothing, and `"same"` pads so that a
stride of s divides the size by s, rounded up. What `output_padding` does is Keras' own rule. All of
it was held against the layers of Keras 3.15 on TensorFlow, run and not only asked for their shapes.
"""

import math
import operator
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise, product

from keras_gen import _route_search as search

Size = int | tuple[int, int]

PADDINGS = ("same", "valid")


# Sizes -----------------------------------------------------------------------------------------


def as_pair(value: Size, name: str = "size", *, least: int = 1) -> tuple[int, int]:
    """Turn an int or a pair into a `(height, width)` pair of whole numbers.

    Args:
        value: whole number for both axes, or `(height, width)`.
        name: what the value is, for the error message.
        least: smallest number allowed.

    Returns:
        `(height, width)`.

    Raises:
        ValueError: for anything but one or two whole numbers of at least `least`.

    Example:
        >>> as_pair(400), as_pair((300, 500))
        ((400, 400), (300, 500))
    """
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ValueError(
            f"{name}={value!r} has length {len(pair)}; give one whole number, or (height, width)"
        )
    if any(isinstance(number, bool) or not hasattr(number, "__index__") for number in pair):
        raise ValueError(
            f"{name}={value!r} is not made of whole numbers; give one, or (height, width)"
        )
    height, width = (operator.index(number) for number in pair)
    if min(height, width) < least:
        raise ValueError(f"{name}={value!r} is too small; it must be at least {least}")
    return height, width


def parse_size(text: str) -> tuple[int, int]:
    """Read a size as it is written on the command line.

    Args:
        text: `"400"`, or height and width as in `"300x500"` (`×` and `X` will do as well).

    Returns:
        `(height, width)` in pixels.

    Raises:
        ValueError: for anything else.

    Example:
        >>> parse_size("400"), parse_size("300x500")
        ((400, 400), (300, 500))
    """
    match = re.fullmatch(r"\s*(\d+)\s*(?:[x×]\s*(\d+)\s*)?", str(text), re.ASCII | re.IGNORECASE)
    if match is None:
        raise ValueError(
            f"cannot read the size {text!r}; write 400, or height and width like 300x500"
        )
    height, width = match.groups()
    pair = int(height), int(width or height)
    if min(pair) < 1:
        raise ValueError(f"a size of {text!r} has no pixels; it must be at least 1")
    return pair


def show_size(size: Size) -> str:
    """Write a size as short as it goes: `"400"` for a square, else `"300×500"`."""
    height, width = as_pair(size)
    return str(height) if height == width else f"{height}×{width}"


# The arithmetic of layers ----------------------------------------------------------------------


def conv_size(
    size: Size, kernel_size: Size, stride: Size = 1, *, padding: str = "same", dilation: Size = 1
) -> Size:
    """Compute the output size of `Conv2D`.

    With k_e = d(k − 1) + 1, the span of the dilated kernel: ⌊(n − k_e)/s⌋ + 1 where the padding is
    `"valid"`, ⌈n/s⌉ where it is `"same"`.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        kernel_size: side of the kernel, an int or `(height, width)`.
        stride: step of the kernel.
        padding: `"same"` or `"valid"`.
        dilation: distance between the taps of the kernel.

    Returns:
        Output size in pixels: an int where every argument is one, else `(height, width)`.

    Raises:
        ValueError: for what Keras refuses: a kernel that does not fit, or a stride above 1 together
            with a dilation above 1.

    Example:
        >>> conv_size(400, 4, 2), conv_size(64, 3, padding="valid")
        (200, 62)

    References:
        Dumoulin and Visin (2016), relationships 1 to 6 and 15.
    """
    _refuse_stride_with_dilation(stride, dilation)
    return depthwise_conv_size(size, kernel_size, stride, padding=padding, dilation=dilation)


def depthwise_conv_size(
    size: Size, kernel_size: Size, stride: Size = 1, *, padding: str = "same", dilation: Size = 1
) -> Size:
    """Compute the output size of `DepthwiseConv2D` and `SeparableConv2D`.

    The formula of `conv_size`; but these two layers take a stride together with a dilation.

    Args, Returns, Raises:
        as for `conv_size`.

    Example:
        >>> depthwise_conv_size(400, 3, 2, dilation=2)
        200
    """
    padding = _checked_padding(padding)

    def formula(n, k, s, d):
        if padding == "same":
            return -(-n // s)
        span = d * (k - 1) + 1
        if n < span:
            raise ValueError(
                f"a kernel that spans {span} pixels does not fit into an input of {n} with "
                "padding='valid'; use a smaller kernel, a larger input or padding='same'"
            )
        return (n - span) // s + 1

    return _each_axis(formula, size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)


def transposed_conv_size(
    size: Size,
    kernel_size: Size,
    stride: Size = 1,
    *,
    padding: str = "same",
    output_padding: Size | None = None,
    dilation: Size = 1,
) -> Size:
    """Compute the output size of `Conv2DTranspose`.

    With k_e = d(k − 1) + 1, the span of the dilated kernel, and p the output padding:
    (n − 1)s + k_e + p where the padding is `"valid"` (by default p = max(s − k_e, 0)), and
    n·s where it is `"same"`, or (n − 1)s + (k_e mod 2) + p where p is given.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        kernel_size: side of the kernel, an int or `(height, width)`.
        stride: enlargement factor.
        padding: `"same"` or `"valid"`.
        output_padding: extra rows and columns at the end, fewer than the stride; `None` leaves the
            choice to Keras.
        dilation: distance between the taps of the kernel.

    Returns:
        Output size in pixels: an int where every argument is one, else `(height, width)`.

    Raises:
        ValueError: for what Keras refuses (an output padding that is not below the stride, stride
            and dilation together), and for what it accepts and then fails on when it runs (an even
            kernel with `"same"` and an output padding of 0).

    Example:
        >>> transposed_conv_size(25, 4, 2), transposed_conv_size(201, 4, 2, output_padding=1)
        (50, 401)

    References:
        Dumoulin and Visin (2016), relationships 8 to 14; for the output padding Keras'
        `compute_conv_transpose_output_shape`.
    """
    padding = _checked_padding(padding)
    _refuse_stride_with_dilation(stride, dilation)

    def formula(n, k, s, d, p=None):
        span = d * (k - 1) + 1
        if p is not None and p >= s:
            raise ValueError(
                f"output_padding {p} is not below the stride, {s}; use at most {s - 1}, or leave "
                "output_padding out"
            )
        if padding == "valid":
            return (n - 1) * s + span + (max(s - span, 0) if p is None else p)
        if p is None:
            return n * s
        if span % 2 + p == 0:
            raise ValueError(
                f"a kernel that spans an even {span} pixels, with padding='same' and "
                "output_padding=0, passes Keras' checks and fails when it runs; use an odd kernel, "
                "or leave output_padding out"
            )
        return (n - 1) * s + span % 2 + p

    arguments = {"size": size, "kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    if output_padding is not None:
        arguments["output_padding"] = output_padding
    return _each_axis(formula, **arguments)


def pooling_size(
    size: Size, pool_size: Size = 2, stride: Size | None = None, *, padding: str = "valid"
) -> Size:
    """Compute the output size of `MaxPooling2D` and `AveragePooling2D`, with Keras' defaults.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        pool_size: side of the window.
        stride: step of the window; `None`, as in Keras, means `pool_size`.
        padding: `"valid"` or `"same"`.

    Returns:
        Output size in pixels: an int where every argument is one, else `(height, width)`.

    Raises:
        ValueError: for a window that does not fit.

    Example:
        >>> pooling_size(25), pooling_size(25, padding="same")
        (12, 13)
    """
    stride = pool_size if stride is None else stride
    return depthwise_conv_size(size, pool_size, stride, padding=padding)


def upsampled_size(size: Size, scale: Size = 2) -> Size:
    """Compute the output size of `UpSampling2D` and of `keras.ops.depth_to_space`: n·s.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        scale: enlargement factor, a whole number.

    Returns:
        Output size in pixels: an int where both arguments are, else `(height, width)`.

    Raises:
        ValueError: for a scale that is not a whole number of at least 1.

    Example:
        >>> upsampled_size(25, 16)
        400
    """
    return _each_axis(lambda n, s: n * s, size=size, scale=scale)


def space_to_depth_size(size: Size, block_size: int = 2) -> Size:
    """Compute the output size of `keras.ops.space_to_depth`: n/b, which must be whole.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        block_size: side of the block that becomes channels.

    Returns:
        Output size in pixels, an int or `(height, width)`.

    Raises:
        ValueError: for a size that the block does not divide, or a block below 2.

    Example:
        >>> space_to_depth_size(400, 4)
        100
    """
    as_pair(block_size, "block_size", least=2)

    def formula(n, b):
        if n % b:
            raise ValueError(
                f"a block of {b} does not divide {n} pixels; use {n - n % b} or {n - n % b + b} "
                "pixels, or another block"
            )
        return n // b

    return _each_axis(formula, size=size, block_size=block_size)


def padded_size(size: Size, padding: int | tuple = 1) -> Size:
    """Compute the output size of `ZeroPadding2D`.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        padding: as in Keras: one number for all four sides, `(height, width)` for both sides of
            each axis, or `((top, bottom), (left, right))`.

    Returns:
        Output size in pixels: an int where both arguments are, else `(height, width)`.

    Raises:
        ValueError: for a negative padding, which Keras only refuses when it runs.

    Example:
        >>> padded_size(400, 8), padded_size(400, ((0, 1), (2, 3)))
        (416, (401, 405))
    """
    return _at_borders(size, padding, "padding", sign=1)


def cropped_size(size: Size, cropping: int | tuple = 1) -> Size:
    """Compute the output size of `Cropping2D`.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        cropping: as in Keras: one number for all four sides, `(height, width)` for both sides of
            each axis, or `((top, bottom), (left, right))`.

    Returns:
        Output size in pixels: an int where both arguments are, else `(height, width)`.

    Raises:
        ValueError: for a negative cropping, or one that leaves nothing.

    Example:
        >>> cropped_size(512, 56)
        400
    """
    return _at_borders(size, cropping, "cropping", sign=-1)


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


def _each_axis(formula, **arguments):
    """Apply a formula of one axis to both; give an int where every argument is one."""
    pairs = [
        as_pair(value, name, least=0 if name == "output_padding" else 1)
        for name, value in arguments.items()
    ]
    height, width = (formula(*axis) for axis in zip(*pairs, strict=True))
    is_pair = any(isinstance(value, (tuple, list)) for value in arguments.values())
    return (height, width) if is_pair else height


def _at_borders(size, borders, name, sign):
    """Add rows and columns at the borders, or take them away."""
    if isinstance(borders, (tuple, list)) and len(borders) == 2:
        sides = [as_pair(axis, name, least=0) for axis in borders]
    else:
        sides = [as_pair(borders, name, least=0)] * 2
    height, width = (n + sign * sum(axis) for n, axis in zip(as_pair(size), sides, strict=True))
    if min(height, width) < 1:
        raise ValueError(f"{name}={borders!r} leaves nothing of {show_size(size)} pixels; use less")
    is_pair = any(isinstance(value, (tuple, list)) for value in (size, borders))
    return (height, width) if is_pair else height


def _checked_padding(padding):
    if not isinstance(padding, str) or padding.lower() not in PADDINGS:
        raise ValueError(f"padding={padding!r} is unknown; use 'same' or 'valid'")
    return padding.lower()


def _refuse_stride_with_dilation(stride, dilation):
    # Keras compares the largest of each, so that (2, 1) and (1, 2) are refused as well.
    if max(as_pair(stride, "stride")) > 1 and max(as_pair(dilation, "dilation")) > 1:
        raise ValueError(
            f"Keras refuses stride={stride} together with dilation={dilation}; set one of them to 1"
        )


# Routes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """One layer of a route.

    Attributes:
        layer: `"conv"` or `"transposed_conv"`; where it was asked for, `"resize"` or `"crop"`.
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
        """Why output pixels overlap unevenly (Odena et al. 2016); empty where they do not."""
        if self.layer == "transposed_conv":
            for k, s in zip(self.kernel_size, self.stride, strict=True):
                if k % s:
                    return (
                        f"kernel {k} is not a multiple of stride {s}: "
                        f"an output pixel is reached by {k // s} or {k // s + 1} input pixels"
                    )
        return ""

    @property
    def uneven_start(self) -> str:
        """Why an untrained stage draws a pattern whatever its kernel; empty where it does not.

        Every phase of a strided transposed convolution has weights of its own, so that a constant
        input comes out with a gain of its own for each of them, until training evens it out.
        """
        phases = self.stride[0] * self.stride[1]
        if self.layer != "transposed_conv" or phases == 1:
            return ""
        return f"untrained, each of its {phases} phases has a gain of its own"

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
            height, width = self.output_padding
            text += (
                f", output padding {height}"
                if height == width
                else (f", output padding {height}×{width}")
            )
        return text


@dataclass(frozen=True)
class Route:
    """A way from one size to another: `print(route)` shows its sizes.

    Attributes:
        source: `(height, width)` of the input.
        target: `(height, width)` of the output.
        stages: the layers, in order.
        cost: multiply–accumulates of the stages, relative to those of the best route.
        why: one sentence that says why the route ranks where it does.
        exact_scale: whether every stage scales by a whole ratio with `"same"` padding (or is a
            resizing), so that output pixel o shows what is at o / scale in the input.
    """

    source: tuple[int, int]
    target: tuple[int, int]
    stages: tuple[Stage, ...]
    cost: float
    why: str
    exact_scale: bool

    @property
    def checkerboard(self) -> bool:
        """Whether a stage overlaps unevenly, which draws a checkerboard of energy."""
        return any(stage.checkerboard for stage in self.stages)

    @property
    def uneven_start(self) -> bool:
        """Whether an untrained stage draws a pattern of gains, even where it overlaps evenly."""
        return any(stage.uneven_start for stage in self.stages)

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
    """List the ways from one size to another, best first.

    A route is a chain of strided convolutions, which shrink, of transposed convolutions, which
    enlarge, and, where the sizes do not divide, of layers that adjust the size by a few pixels. A
    kernel is twice its stride, so that every output pixel is reached by as many input pixels.

    Best come the routes that keep the picture's geometry: exactly, by whole ratios alone, or with
    no pixel more than half a source pixel from its place. Then those that reach the size but show
    more or less than the source; then those whose transposed convolutions overlap unevenly; last
    those that lose detail, because a stage is less than a quarter of source and target, or fewer
    than 8 pixels. Among equals it is better to shrink little, to treat both axes alike, not to
    shrink again what was just drawn, to take small steps (2 twice rather than 4), and to need few
    multiply–accumulates.

    Args:
        target: output size in pixels, an int or `(height, width)`.
        source: input size in pixels, an int or `(height, width)`.
        allow_resize: also offer routes with a fixed resizing as their first or last stage.
        allow_crop: also offer routes that draw more pixels than asked for and crop them.
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
        NoRouteError: where there is no route within the limits; names the nearest sizes that have
            one.

    Example:
        >>> best = routes(400, source=64)[0]
        >>> print(best)
        64 → 32 → 16 → 80 → 400
        >>> print(best.stages[2])
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
        moves = [search.Move("conv", kernel, 1, "same", None, n, n) for n in source]
        chains = [(tuple(moves),)]
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


ROUTE_COLUMNS = ("", "sizes", "layers", "cost", "checkerboard", "why")


def route_rows(listed: Iterable[Route]) -> list[tuple[str, ...]]:
    """Make plain rows of text out of routes, one for each, in the order of `ROUTE_COLUMNS`.

    Args:
        listed: what `routes` returned.

    Returns:
        A tuple of strings for each route: its rank, its sizes, its layers, its cost relative to the
        best one, whether it draws a checkerboard, and why it ranks where it does.

    Example:
        >>> route_rows(routes(400, source=100))[0][:4]
        ('1', '100 → 200 → 400', 'transposed conv 4, stride 2 (twice)', '1.00')
    """
    return [
        (
            str(number),
            str(route),
            _layers(route.stages),
            f"{route.cost:.2f}",
            "uneven overlap"
            if route.checkerboard
            else "until trained"
            if route.uneven_start
            else "no",
            route.why,
        )
        for number, route in enumerate(listed, start=1)
    ]


def _layers(stages):
    """Name the layers in order, equal ones in a row only once."""
    texts = []
    for text, equal in groupby(map(str, stages)):
        times = len(list(equal))
        texts.append(
            text if times == 1 else f"{text} ({'twice' if times == 2 else f'{times} times'})"
        )
    return "; ".join(texts)


# Of a dozen routes, six are of the best grade that there is, and so many of the worse ones.
_SHARES = {search.WIDENED: 2, search.TRIMMED: 2, search.UNEVEN: 2}
_TOO_MUCH_WORK = 3  # times that of the best


def _some_of_each(chains, count):
    """The best chains, and a few of every other grade; of those with the same layers the best."""
    families = {}
    for chain in chains:
        families.setdefault(search.family(chain), chain)
    best, most = chains[0], _TOO_MUCH_WORK * search.work(chains[0])
    listed, taken = [], Counter()
    for chain in families.values():
        grade = search.grade(chain)
        is_best = grade == search.grade(best)
        sort = grade, *search.fixed_layers(chain)
        share = 6 if is_best else _SHARES.get(grade, 0)
        if taken[sort] < math.ceil(share * count / 12) and (is_best or search.work(chain) <= most):
            listed.append(chain)
            taken[sort] += 1
    return listed[:count]


def _route(source, target, chain, best):
    stages = tuple(_stage(moves) for moves in chain)
    work, least = search.work(chain), search.work(best)
    return Route(
        source=source,
        target=target,
        stages=stages,
        cost=work / least if least else 1.0,
        why=_why(chain, best, stages),
        exact_scale=all(move.whole for moves in chain for move in moves),
    )


def _stage(moves):
    """Turn two moves into a stage, its size computed by the formulas above."""
    down, across = moves
    kernel_size, stride = (down.kernel, across.kernel), (down.stride, across.stride)
    size_in, size_out = (down.size_in, across.size_in), (down.size_out, across.size_out)
    output_padding = None
    if down.layer == "conv":
        assert size_out == conv_size(size_in, kernel_size, stride, padding=down.padding)
    if down.layer == "transposed_conv":
        if down.output_padding is not None:
            output_padding = (down.output_padding, across.output_padding)
        assert size_out == transposed_conv_size(
            size_in, kernel_size, stride, padding=down.padding, output_padding=output_padding
        )
    return Stage(down.layer, kernel_size, stride, down.padding, output_padding, size_in, size_out)


def _why(chain, best, stages):
    """One sentence: what the chain does to the picture, and what else there is to say."""
    traits = [search.traits(path) for path in zip(*chain, strict=True)]
    source, target = stages[0].size_in, stages[-1].size_out
    drift = max(trait.drift for trait in traits)
    moved = f"{drift:.2f} source pixels" if drift < 10 else f"{drift:.0f} source pixels"
    grade = search.grade(chain)
    if grade == search.EXACT:
        text = f"exact: {_steps(stages)} is {_ratio(source, target)}, every pixel keeps its place"
    elif grade == search.NEAR and drift == 0:
        text = "nearly exact: it scales as asked, but by stages that do not divide their sizes"
    elif grade == search.NEAR:
        text = f"nearly exact: no pixel moves by more than {moved}"
    elif grade in (search.WIDENED, search.TRIMMED):
        does = "invents" if grade == search.WIDENED else "loses"
        text = (
            f"right in size alone: it {does} {moved} at each border; good for drawing from a "
            "latent, not for a picture that has to keep its place"
        )
    elif grade == search.UNEVEN:
        stage = next(stage for stage in stages if stage.checkerboard)
        text = f"prone to checkerboards: {stage.checkerboard}"
    else:
        smallest = min((stage.size_out for stage in stages), key=min)
        text = f"loses detail: all of it has to pass through {show_size(smallest)}"
    return "; ".join([text[0].upper() + text[1:], *_remarks(chain, best, stages)]) + "."


def _remarks(chain, best, stages):
    """What a chain does worse than it could, and its work, if it is not the best."""
    traits = [search.traits(path) for path in zip(*chain, strict=True)]
    peaks, leaps = (max(getattr(trait, name) for trait in traits) for name in ("peaks", "leaps"))
    if chain is best and not peaks and not leaps:
        yield "small steps, and nothing drawn in vain"
    for stage, then in pairwise(stages):
        if min(stage.size_out) > min(stage.size_in) and min(then.size_out) < min(then.size_in):
            verb = "cut" if then.layer == "crop" else "shrink"
            drawn, kept = show_size(stage.size_out), show_size(then.size_out)
            yield f"draws {drawn} only to {verb} it to {kept}"
    if leaps:
        strides = {s for stage in stages for s in stage.stride}
        stride = max(strides, key=lambda s: (len(search.prime_factors(s)), s))
        smaller = " × ".join(map(str, search.prime_factors(stride)))
        yield f"takes {stride} in one step, not {smaller}"
    if chain is not best and abs(search.work(chain) / search.work(best) - 1) > 0.05:
        yield f"{search.work(chain) / search.work(best):.2f} times the work of the best"


def _steps(stages):
    """The strides in order: ÷2 ÷2 ×5 ×5."""
    signs = {"conv": "÷", "transposed_conv": "×"}
    return " ".join(
        signs[stage.layer] + show_size(stage.stride)
        if stage.layer in signs
        else f"{stage.layer} to {show_size(stage.size_out)}"
        for stage in stages
    )


def _ratio(source, target):
    """The scale between two sizes: ×25/4, or one for each axis."""
    scales = dict.fromkeys(Fraction(t, s) for s, t in zip(source, target, strict=True))
    return " by ".join(f"×{scale}" for scale in scales)


def _nearest(target, source, limits):
    """The sizes closest to a target that a route leads to, closest first."""
    axes = [search.nearest(s, t, limits) for s, t in zip(source, target, strict=True)]
    if source[0] == source[1] and target[0] == target[1]:
        return [(side, side) for side in axes[0]]

    def distance(size):
        return sum(abs(a - b) for a, b in zip(size, target, strict=True)), size

    return [
        size
        for size in sorted(product(*axes), key=distance)
        if size == source or search.chains(source, size, limits)
    ][:3]
