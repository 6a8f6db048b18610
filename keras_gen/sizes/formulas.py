"""Output sizes of convolutions and transposed convolutions, by arithmetic alone.

    conv_size(400, 4, 2)                # 200
    transposed_conv_size(25, 4, 2)      # 50

The formulas are those of Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
learning", with TensorFlow's two paddings: `"valid"` pads nothing, and `"same"` pads so that a
stride of s divides the size by s, rounded up. The rule for `output_padding` is Keras' own. The
tests compare every formula with the layers of Keras, which are run and not only asked for shapes.
"""

from keras_gen._util.arguments import Size, as_pair, check_choice

PADDINGS = ("same", "valid")


def conv_size(
    size: Size, kernel_size: Size, stride: Size = 1, *, padding: str = "same", dilation: Size = 1
) -> Size:
    """Compute the output size of `Conv2D`.

    The dilated kernel covers k_e = d(k − 1) + 1 pixels. The output size is ⌊(n − k_e)/s⌋ + 1 with
    `"valid"` padding and ⌈n/s⌉ with `"same"` padding.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        kernel_size: side of the kernel, an int or `(height, width)`.
        stride: step of the kernel.
        padding: `"same"` or `"valid"`.
        dilation: distance between the taps of the kernel.

    Returns:
        Output size in pixels: an int if every argument is one, else `(height, width)`.

    Raises:
        ValueError: for what Keras refuses: a kernel that does not fit, or a stride above 1 together
            with a dilation above 1.

    Example:
        >>> conv_size(400, 4, 2), conv_size(64, 3, padding="valid")
        (200, 62)

    References:
        Dumoulin and Visin (2016), relationships 1 to 6 and 15.
    """
    padding = _checked_padding(padding)
    _refuse_stride_with_dilation(stride, dilation)

    def formula(n, k, s, d):
        if padding == "same":
            return -(-n // s)
        extent = d * (k - 1) + 1
        if n < extent:
            raise ValueError(
                f"a kernel that spans {extent} pixels does not fit into an input of {n} with "
                "padding='valid'; use a smaller kernel, a larger input or padding='same'"
            )
        return (n - extent) // s + 1

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

    The dilated kernel covers k_e = d(k − 1) + 1 pixels; p is the output padding. With `"valid"`
    padding the output size is (n − 1)s + k_e + p, where p is max(s − k_e, 0) by default. With
    `"same"` padding it is n·s, or (n − 1)s + (k_e mod 2) + p if p is given.

    Args:
        size: input size in pixels, an int or `(height, width)`.
        kernel_size: side of the kernel, an int or `(height, width)`.
        stride: upscaling factor.
        padding: `"same"` or `"valid"`.
        output_padding: extra rows and columns at the end, fewer than the stride; `None` leaves the
            choice to Keras.
        dilation: distance between the taps of the kernel.

    Returns:
        Output size in pixels: an int if every argument is one, else `(height, width)`.

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
        extent = d * (k - 1) + 1
        if p is not None and p >= s:
            raise ValueError(
                f"output_padding {p} is not below the stride, {s}; use at most {s - 1}, or leave "
                "output_padding out"
            )
        if padding == "valid":
            return (n - 1) * s + extent + (max(s - extent, 0) if p is None else p)
        if p is None:
            return n * s
        if extent % 2 + p == 0:
            raise ValueError(
                f"a kernel that spans an even {extent} pixels, with padding='same' and "
                "output_padding=0, passes Keras' checks and fails when it runs; use an odd kernel, "
                "or leave output_padding out"
            )
        return (n - 1) * s + extent % 2 + p

    arguments = {"size": size, "kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    if output_padding is not None:
        arguments["output_padding"] = output_padding
    return _each_axis(formula, **arguments)


def _each_axis(formula, **arguments):
    """Apply a formula to height and width; return an int if every argument is one."""
    pairs = [
        as_pair(value, name, least=0 if name == "output_padding" else 1)
        for name, value in arguments.items()
    ]
    height, width = (formula(*axis) for axis in zip(*pairs, strict=True))
    is_pair = any(isinstance(value, (tuple, list)) for value in arguments.values())
    return (height, width) if is_pair else height


def _checked_padding(padding):
    padding = padding.lower() if isinstance(padding, str) else padding
    check_choice("padding", padding, PADDINGS)
    return padding


def _refuse_stride_with_dilation(stride, dilation):
    # Keras compares the largest of each, so that (2, 1) and (1, 2) are refused as well.
    if max(as_pair(stride, "stride")) > 1 and max(as_pair(dilation, "dilation")) > 1:
        raise ValueError(
            f"Keras refuses stride={stride} together with dilation={dilation}; set one of them to 1"
        )
