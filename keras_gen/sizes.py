"""Size arithmetic: which output size a layer gives, and which layers give the size you want.

Nothing here imports Keras, so these answers come at once:

    conv_size(64, 3)                       # 64
    transposed_conv_size(25, 4, 2)         # 50
    print(routes(400, source=64)[0])       # 64 → 32 → 16 → 80 → 400

The formulas are those of Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
learning", with the two paddings of TensorFlow: `"valid"` pads nothing, `"same"` pads so that a
stride of s divides the size by s, rounded up. What Keras does with a transposed convolution's
`output_padding` follows `keras.src.backend.common.backend_utils` of Keras 3.15, and all of it is
held against the real layers in `tests/test_sizes.py`.
"""

import math
import operator
from collections import defaultdict
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

Size = int | tuple[int, int]

PADDINGS = ("same", "valid")
MAY_BE_ZERO = ("output_padding",)

# ---------------------------------------------------------------------------------------------
# The arithmetic of single layers
# ---------------------------------------------------------------------------------------------


def as_pair(value: Size, name: str = "size", *, least: int = 1) -> tuple[int, int]:
    """Turn an int or a pair into a `(height, width)` pair of whole numbers.

    Args:
        value: whole number for both axes, or `(height, width)`.
        name: what the value is, for the error message.
        least: smallest number allowed.

    Returns:
        `(height, width)`.

    Raises:
        ValueError: for anything that is not one or two whole numbers of at least `least`.

    Example:
        >>> as_pair(400), as_pair((300, 500))
        ((400, 400), (300, 500))
    """
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name}={value!r} has {len(pair)} numbers; give one, or (height, width)")
    try:
        pair = tuple(operator.index(number) for number in pair)
    except TypeError:
        raise ValueError(
            f"{name}={value!r} is not made of whole numbers; give one, or (height, width)"
        ) from None
    if min(pair) < least:
        raise ValueError(f"{name}={value!r} is too small; it must be at least {least}")
    return pair


def conv_size(
    size: Size, kernel_size: Size, stride: Size = 1, *, padding: str = "same", dilation: Size = 1
) -> Size:
    """Compute the output size of `Conv2D`, and of a pooling layer of the same window.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        kernel_size: side of the kernel, an int or `(height, width)`.
        stride: step of the kernel.
        padding: `"same"` or `"valid"`.
        dilation: distance between the taps of the kernel.

    Returns:
        Output size in pixels: an int where every argument is an int, else `(height, width)`.

    Raises:
        ValueError: for what Keras refuses: no pixel left, or a stride and a dilation both above 1.

    Example:
        >>> conv_size(400, 4, 2), conv_size(64, 3, padding="valid")
        (200, 62)

    References:
        Dumoulin and Visin (2016), relationships 1 to 6.
    """
    _check_padding(padding)
    return _each_axis(
        lambda n, k, s, d: _conv(n, k, s, padding, d),
        size=size,
        kernel_size=kernel_size,
        stride=stride,
        dilation=dilation,
    )


def _conv(n, k, s, padding, d=1):
    if s > 1 and d > 1:
        raise ValueError(f"Keras refuses stride {s} together with dilation {d}; set one of them to 1")
    if padding == "same":
        return (n - 1) // s + 1
    extent = d * (k - 1) + 1
    if n < extent:
        raise ValueError(
            f"a valid kernel of {k} (dilation {d}) spans {extent} pixels and the input has {n}; "
            "use a smaller kernel, a larger input or padding='same'"
        )
    return (n - extent) // s + 1


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

    Args:
        size: input size in pixels, an int or `(height, width)`.
        kernel_size: side of the kernel, an int or `(height, width)`.
        stride: enlargement factor.
        padding: `"same"` or `"valid"`.
        output_padding: rows and columns added after the last one, below the stride; `None` lets
            Keras choose: `size * stride` with `"same"`.
        dilation: distance between the taps of the kernel.

    Returns:
        Output size in pixels: an int where every argument is an int, else `(height, width)`.

    Raises:
        ValueError: for what Keras refuses (an output padding that is not below the stride, a stride
            and a dilation both above 1), and for what it accepts and aborts on when it runs (an
            even kernel, `"same"` and an output padding of 0).

    Example:
        >>> transposed_conv_size(25, 4, 2), transposed_conv_size(201, 4, 2, output_padding=1)
        (50, 401)

    References:
        Dumoulin and Visin (2016), relationships 8 to 14.
    """
    _check_padding(padding)
    if output_padding is None:
        return _each_axis(
            lambda n, k, s, d: _transposed(n, k, s, padding, None, d),
            size=size,
            kernel_size=kernel_size,
            stride=stride,
            dilation=dilation,
        )
    return _each_axis(
        lambda n, k, s, d, p: _transposed(n, k, s, padding, p, d),
        size=size,
        kernel_size=kernel_size,
        stride=stride,
        dilation=dilation,
        output_padding=output_padding,
    )


def _transposed(n, k, s, padding, p, d=1):
    if s > 1 and d > 1:
        raise ValueError(f"Keras refuses stride {s} together with dilation {d}; set one of them to 1")
    if p is not None and p >= s:
        raise ValueError(f"output_padding {p} must be below the stride, which is {s}")
    extent = d * (k - 1) + 1
    if padding == "valid":
        return (n - 1) * s + extent + (max(s - extent, 0) if p is None else p)
    if p is None:
        return n * s
    if extent % 2 + p == 0:
        raise ValueError(
            f"an even kernel ({extent}) with padding='same' and output_padding=0 passes Keras' "
            "checks and aborts when it runs; use an odd kernel, or leave output_padding out"
        )
    return (n - 1) * s + extent % 2 + p


def _check_padding(padding):
    if padding not in PADDINGS:
        raise ValueError(f"padding {padding!r} is unknown; use 'same' or 'valid'")


def _each_axis(formula, **arguments):
    """Apply a formula of one axis to both; give an int where every argument is one."""
    pairs = [
        as_pair(value, name, least=0 if name in MAY_BE_ZERO else 1)
        for name, value in arguments.items()
    ]
    height, width = (formula(*axis) for axis in zip(*pairs, strict=True))
    if any(isinstance(value, (tuple, list)) for value in arguments.values()):
        return height, width
    return height


# ---------------------------------------------------------------------------------------------
# Routes: which layers lead from one size to another
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """One layer of a route.

    Attributes:
        layer: `"conv"` or `"transposed_conv"`; where it was asked for, `"resize"` or `"crop"`.
        kernel_size: `(height, width)`.
        stride: `(height, width)`.
        padding: `"same"` or `"valid"`.
        output_padding: `None`, or `(height, width)` of a transposed convolution.
        size_in: `(height, width)` in pixels.
        size_out: `(height, width)` in pixels.

    Example:
        >>> Stage("transposed_conv", (3, 3), (2, 2), "same", None, (50, 50), (100, 100)).checkerboard
        'kernel 3 is not a multiple of stride 2: 1 or 2 inputs overlap in an output pixel'
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
        """Why neighbouring output pixels overlap unevenly; an empty string where they do not."""
        if self.layer != "transposed_conv":
            return ""
        for k, s in zip(self.kernel_size, self.stride, strict=True):
            if k % s:
                return (
                    f"kernel {k} is not a multiple of stride {s}: "
                    f"{k // s} or {k // s + 1} inputs overlap in an output pixel"
                )
        return ""


@dataclass(frozen=True)
class Route:
    """A way from one size to another.

    Attributes:
        source: `(height, width)` of the input.
        target: `(height, width)` of the output.
        stages: the layers, in order.
        cost: multiply–accumulates of the stages, relative to those of the best route.
        why: one sentence that says why the route ranks where it does.
        exact_scale: whether every stage scales uniformly by a whole ratio, so that output pixel o
            shows what is at o / scale in the input.
    """

    source: tuple[int, int]
    target: tuple[int, int]
    stages: tuple[Stage, ...]
    cost: float
    why: str
    exact_scale: bool

    @property
    def checkerboard(self) -> bool:
        """Whether a stage overlaps unevenly."""
        return any(stage.checkerboard for stage in self.stages)

    def __str__(self) -> str:
        sizes = [self.source, *(stage.size_out for stage in self.stages)]
        square = all(height == width for height, width in sizes)
        return " → ".join(str(h) if square else f"{h}×{w}" for h, w in sizes)


class NoRouteError(ValueError):
    """No route leads to the size asked for; `nearest` lists the closest sizes that have one."""

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
    count: int = 8,
) -> list[Route]:
    """List the ways from one size to another, best first.

    A route is a chain of strided convolutions (which shrink), transposed convolutions (which
    enlarge) and, where the sizes do not divide, one or two layers that adjust the size by a few
    pixels. Kernels are twice their stride, so that every output pixel is reached by the same
    number of inputs.

    Best means, in this order: the picture keeps its geometry (every stage scales by a whole ratio;
    failing that, pixels stay within half a source pixel of their place); transposed convolutions
    overlap evenly; no stage is so small that it must lose detail; nothing is computed only to be
    thrown away again; small strides; few multiply–accumulates.

    Args:
        target: output size in pixels, an int or `(height, width)`.
        source: input size in pixels, an int or `(height, width)`.
        allow_resize: also offer routes with one fixed resizing step.
        allow_crop: also offer routes that compute more pixels than asked for and crop.
        max_stages: most stages in a route.
        max_stride: largest stride.
        max_kernel: largest side of a kernel. The kernel of a stride s is 2s.
        count: most routes listed.

    Returns:
        At least one and at most `count` routes. Costs assume 48 channels at the source's size,
        twice as many where both sides are halved (192 at most), half as many where they are doubled
        (16 at least).

    Raises:
        ValueError: for limits below what any stage needs.
        NoRouteError: where no route exists within the limits; names the nearest sizes that have
            one.

    Example:
        >>> print(routes(400, source=64)[0])
        64 → 32 → 16 → 80 → 400
    """
    target, source = as_pair(target, "target"), as_pair(source, "source")
    limits = _Limits(
        *(
            as_pair(value, name, least=least)[0]
            for name, value, least in [
                ("max_stages", max_stages, 1),
                ("max_stride", max_stride, 1),
                ("max_kernel", max_kernel, 1),
            ]
        ),
        bool(allow_resize),
        bool(allow_crop),
    )
    if target == source:
        chains = [(_keep(source),)]
        return _ranked(source, target, chains, count)
    chains = _chains(source, target, limits)
    if not chains:
        raise NoRouteError("no route", [])
    return _ranked(source, target, chains, count)


class _Limits(NamedTuple):
    stages: int
    stride: int
    kernel: int
    resize: bool
    crop: bool


class _Move(NamedTuple):
    """What a stage does along one axis."""

    layer: str
    kernel: int
    stride: int
    padding: str
    output_padding: int | None
    size_in: int
    size_out: int

    @property
    def whole(self):
        """Whether the move scales uniformly by a whole ratio."""
        sizes = sorted((self.size_in, self.size_out))
        return self.padding == "same" and sizes[0] * self.stride == sizes[1]

    @property
    def kind(self):
        return self.layer, self.padding, self.output_padding is None


def _chains(source, target, limits):
    """Candidates, best first: tuples of stages, each a pair of moves (along height and width)."""
    heights = _axis_paths(source[0], target[0], limits)
    if (source[0], target[0]) == (source[1], target[1]):
        return [tuple(zip(path, path, strict=True)) for path in heights]
    widths = _axis_paths(source[1], target[1], limits)
    merged = (_merged(down, across, source) for down in heights[:40] for across in widths[:40])
    return sorted((chain for chain in merged if len(chain) <= limits.stages), key=_rank)


def _axis_paths(source, target, limits):
    """Ways from one size to another along one axis, best first."""
    if source == target:
        return [()]
    paths = set()
    after = _after(target, limits)
    for size, heads in _before(source, max(source, target), limits).items():
        for goal, tails in after.items():
            for joint in _joints(size, goal, limits):
                # The best few halves are enough where a joint is needed: the joint decides.
                few = 2 if joint else None
                paths.update(head + joint + tail for head in heads[:few] for tail in tails[:few])
    chains = [tuple(zip(path, path, strict=True)) for path in paths if len(path) <= limits.stages]
    return [tuple(move for move, _ in chain) for chain in sorted(chains, key=_rank)[:100]]


def _before(source, largest, limits):
    """Sizes reached from the source by shrinking (rounded up) and by whole enlargements."""

    def steps(path, size):
        whole = all(move.whole for move in path)
        for s in _strides(limits):
            if s <= size and (whole and size % s == 0 or all(move.layer == "conv" for move in path)):
                smaller = -(-size // s)
                yield smaller, _Move("conv", _kernel(s, limits), s, "same", None, size, smaller)
            if whole and size * s <= largest:
                kernel = _kernel(s, limits)
                yield size * s, _Move("transposed_conv", kernel, s, "same", None, size, size * s)

    return _spread(source, steps, lambda path, move: (*path, move), limits)


def _after(target, limits):
    """Sizes that reach the target by enlarging alone: to n·s, or a few pixels less."""

    def steps(path, size):
        for s in _strides(limits):
            smaller, kernel = -(-size // s), _kernel(s, limits)
            if smaller < size:
                rest = size - (smaller - 1) * s
                extra = None if rest == s else rest - kernel % 2
                yield smaller, _Move("transposed_conv", kernel, s, "same", extra, smaller, size)

    return _spread(target, steps, lambda path, move: (move, *path), limits)


def _spread(start, steps, join, limits):
    """Breadth-first: for each size reached, the simplest paths of each length."""
    found, layer = {start: [()]}, {start: [()]}
    for _ in range(limits.stages):
        following = defaultdict(list)
        for size, paths in layer.items():
            for path in paths:
                for reached, move in steps(path, size):
                    following[reached].append(join(path, move))
        layer = {size: sorted(paths, key=_roughness)[:3] for size, paths in following.items()}
        for size, paths in layer.items():
            found.setdefault(size, []).extend(paths)
    return found


def _joints(size, goal, limits):
    """Layers that close the gap between a size the source reaches and one that leads on."""
    if size == goal:
        yield ()
    elif size > goal:
        yield from _trims(size, goal, limits)
    else:
        for s in range(1, limits.stride + 1):
            kernel = goal - (size - 1) * s
            if max(s, 2) <= kernel <= limits.kernel:
                yield (_Move("transposed_conv", kernel, s, "valid", None, size, goal),)


def _trims(size, goal, limits):
    """One, two or three valid convolutions that drop the border pixels, if they can."""
    widest = min(9, limits.kernel) - 1
    pieces = -(-(size - goal) // widest) if widest else 4
    if pieces > 3:
        return
    sizes = [size - (size - goal) * piece // pieces for piece in range(pieces + 1)]
    yield tuple(_Move("conv", a - b + 1, 1, "valid", None, a, b) for a, b in pairwise(sizes))


def _strides(limits):
    return range(2, min(limits.stride, limits.kernel) + 1)


def _kernel(stride, limits):
    """Twice the stride: a multiple, so that outputs overlap evenly, and the blocks do blend."""
    return 2 * stride if 2 * stride <= limits.kernel else stride


def _merged(down, across, source):
    """Run two paths side by side; where only one axis changes its size, the other waits."""
    chain, (height, width) = [], source
    kinds = [[move.kind for move in path] for path in (down, across)]
    for tag, i, i_end, j, j_end in SequenceMatcher(None, *kinds, autojunk=False).get_opcodes():
        if tag == "equal":
            chain += zip(down[i:i_end], across[j:j_end], strict=True)
        else:
            chain += [(move, _wait(move, width)) for move in down[i:i_end]]
            height = down[i_end - 1].size_out if i_end else height
            chain += [(_wait(move, height), move) for move in across[j:j_end]]
        height = down[i_end - 1].size_out if i_end else height
        width = across[j_end - 1].size_out if j_end else width
    return tuple(chain)


def _wait(move, size):
    """The same layer with a stride of 1, which keeps the size along an axis."""
    kernel = 1 if move.padding == "valid" else 3
    extra = None if move.output_padding is None else 0
    return move._replace(
        kernel=kernel, stride=1, output_padding=extra, size_in=size, size_out=size
    )


# What makes one route better than another ------------------------------------------------------


def _roughness(path):
    return sum(not move.whole for move in path), _peaks(path), _leaps(path), [m[:4] + m[5:] for m in path]


def _peaks(path):
    """How often a path enlarges and then shrinks again what it has just drawn."""
    rises = [move.size_out > move.size_in for move in path if move.size_out != move.size_in]
    return sum(up and not still_up for up, still_up in pairwise(rises))


def _leaps(path):
    """How many smaller steps the large strides of a path leave out: 4 is 2 twice, 8 three times."""
    return sum(_PRIME_FACTORS(move.stride) - 1 for move in path if move.stride > 1)


def _drift(path):
    """How far pixels at the border move from their place, in source pixels."""
    source, target = path[0].size_in, path[-1].size_out
    scale = math.prod(
        Fraction(move.stride) if move.layer == "transposed_conv" else Fraction(1, move.stride)
        for move in path
    )
    return abs(target / scale - source) / 2


def _rank(chain):
    paths = list(zip(*chain, strict=True))
    exact = all(move.whole for path in paths for move in path)
    drift = max(_drift(path) for path in paths)
    smallest = [min(move.size_out for move in path) for path in paths]
    floor = [min(path[0].size_in, path[-1].size_out) / 4 for path in paths]
    return (
        0 if exact else 1 if drift <= 0.5 else 2,
        sum(move.layer == "transposed_conv" and move.kernel % move.stride > 0 for p in paths for move in p),
        sum(a < b for a, b in zip(smallest, floor, strict=True)),
        max(_peaks(path) for path in paths),
        max(_leaps(path) for path in paths),
        sum(not move.whole for path in paths for move in path),
        macs(chain),
        [m[:4] + m[5:] for p in paths for m in p],
    )


def macs(chain):
    height, width = chain[0][0].size_in, chain[0][1].size_in
    total = 0
    for down, across in chain:
        big = [max(m.size_in, m.size_out) for m in (down, across)]
        small = [min(m.size_in, m.size_out) for m in (down, across)]
        c = [48*min(max(math.sqrt(height*width/(a*b)),1/3),4) for a,b in ((down.size_in,across.size_in),(down.size_out,across.size_out))]
        at = (down.size_in*across.size_in) if down.layer == "transposed_conv" else down.size_out*across.size_out
        total += at*down.kernel*across.kernel*c[0]*c[1]
    return total

def _PRIME_FACTORS(n):
    k=0;d=2
    while n>1:
        while n%d==0: n//=d;k+=1
        d+=1
    return k

def _ranked(source, target, chains, count):
    out=[]; seen=set(); best=None
    for chain in chains:
        fam=(tuple(sorted((d.layer,d.padding,d.kernel,d.stride,a.kernel,a.stride) for d,a in chain)), _peaks([d for d,a in chain]))
        if fam in seen: continue
        seen.add(fam)
        stages=tuple(Stage(d.layer,(d.kernel,a.kernel),(d.stride,a.stride),d.padding,None if d.output_padding is None and a.output_padding is None else (d.output_padding,a.output_padding),(d.size_in,a.size_in),(d.size_out,a.size_out)) for d,a in chain)
        m=macs(chain); best=best or m
        out.append(Route(source,target,stages,m/best,"keeps the exact scale" if _rank(chain)[0] == 0 else "reaches the size, but shifts pixels from their place",_rank(chain)[0]==0))
        if len(out)==count: break
    return out

def _keep(source):
    return tuple(_Move("conv",3,1,"same",None,n,n) for n in source)
