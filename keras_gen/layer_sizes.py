"""The arithmetic of layers: which output size each layer of Keras gives.

The formulas are those of Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
learning", with TensorFlow's two paddings: `"valid"` pads nothing, and `"same"` pads so that a
stride of s divides the size by s, rounded up. What `output_padding` does is Keras' own rule. All of
it was held against the layers of Keras 3.15 on TensorFlow, run and not only asked for their shapes.

Layers that are told their output size (`Resizing`, `CenterCrop`, `RandomCrop`, adaptive pooling)
give that size, whatever the input; activations, normalisations and merges leave it as it is.
"""

import operator
import re

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
