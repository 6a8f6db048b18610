"""The arithmetic of layers: which output size each layer of Keras gives.

The formulas are those of Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
learning", with TensorFlow's two paddings: `"valid"` pads nothing, and `"same"` pads so that a
stride of s divides the size by s, rounded up. What `output_padding` does is Keras' own rule. All of
it was held against the layers of Keras 3.15 on TensorFlow, run and not only asked for their shapes.

Layers that are told their output size (`Resizing`, `CenterCrop`, `RandomCrop`, adaptive pooling)
give that size, whatever the input; activations, normalisations and merges leave it as it is.
"""

from keras_gen._util.arguments import Size, as_pair, show_size

PADDINGS = ("same", "valid")


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
