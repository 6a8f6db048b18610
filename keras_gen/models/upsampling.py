"""The methods of upsampling a feature map, behind one function.

Every method consists of stock Keras layers and operations only, so a saved model loads in plain
Keras without this package.
"""

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from keras_gen._util.arguments import check_choice
from keras_gen.models.blocks import reflect_pad

UPSAMPLING = {
    "nearest": "nearest-neighbour resizing, then a 3×3 convolution",
    "bilinear": "bilinear resizing, then a 3×3 convolution",
    "bicubic": "bicubic resizing, then a 3×3 convolution",
    "transposed": "transposed convolution, kernel twice the stride: learns its own interpolation",
    "transposed_overlap": "transposed convolution, kernel one more than the stride: uneven overlap",
    "subpixel": "3×3 convolution to scale² times the channels, rearranged; ICNR initialization",
    "subpixel_plain": "3×3 convolution to scale² times the channels, rearranged; random weights",
    "blur": "transposed convolution, then a fixed low-pass filter, [1, 3, 3, 1] at scale 2",
}
RESIZING = ("nearest", "bilinear", "bicubic")  # the methods that resize and then convolve


def upsample(
    x: KerasTensor,
    filters: int,
    scale: int = 2,
    method: str = "transposed",
    *,
    kernel_size: int | None = None,
    seed: int | None = None,
    name: str | None = None,
) -> KerasTensor:
    """Upsample a feature map by a whole factor.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`; height and width may be `None`.
        filters: channels of the result.
        scale: whole factor for height and width, at least 2.
        method: one of the keys of `UPSAMPLING`.
        kernel_size: side of the learned kernel; by default `2 * scale` for `"transposed"`,
            `scale + 1` for `"transposed_overlap"`, `2 * scale - 1` for `"blur"`, else 3.
        seed: seed of the kernel's initial weights.
        name: prefix of the layers' names.

    Returns:
        Keras tensor of shape `(batch, height * scale, width * scale, filters)`, without an
        activation.

    Raises:
        ValueError: for an unknown method, a scale that is not a whole number above 1, or a
            kernel that is even or smaller than the scale for `"blur"`.

    Example:
        >>> x = keras.Input((25, 25, 8))
        >>> upsample(x, 4, scale=2).shape
        (None, 50, 50, 4)

    References:
        Odena et al. (2016), "Deconvolution and checkerboard artifacts": uneven overlap, resizing
        before convolving. Shi et al. (2016), "Real-time single image and video super-resolution":
        sub-pixel convolution. Aitken et al. (2017), "Checkerboard artifact free sub-pixel
        convolution": ICNR. Karras et al. (2019), "A style-based generator architecture": the
        low-pass filter.
    """
    check_choice("upsampling method", method, UPSAMPLING)
    if not isinstance(scale, int) or scale < 2:
        raise ValueError(f"scale {scale!r} is not a whole number of at least 2")
    glorot = keras.initializers.GlorotUniform(seed=seed)
    if method in RESIZING:
        resize_name = name and f"{name}_{method}"
        x = layers.UpSampling2D(scale, interpolation=method, name=resize_name)(x)
        size = kernel_size or 3
        return layers.Conv2D(filters, size, padding="same", kernel_initializer=glorot, name=name)(x)
    if method in ("subpixel", "subpixel_plain"):
        return _subpixel(x, filters, scale, kernel_size or 3, glorot, method == "subpixel", name)
    initializer = transposed_initializer(scale, seed=seed)
    if method == "blur":
        return _blur(x, filters, scale, kernel_size or 2 * scale - 1, initializer, name)
    size = kernel_size or (2 * scale if method == "transposed" else scale + 1)
    return layers.Conv2DTranspose(
        filters, size, strides=scale, padding="same", kernel_initializer=initializer, name=name
    )(x)


def transposed_initializer(
    stride: int | tuple[int, int], *, seed: int | None = None
) -> keras.initializers.Initializer:
    """Initialize a transposed convolution so that its output has about its input's variance.

    Of the k² taps of a k×k kernel with stride s, only k²/s² contribute to each output pixel. Keras'
    default initialization counts all of them, which makes the output s times too small. After two
    stages of stride 5 the signal almost vanishes, and a generator learns next to nothing for a
    thousand steps.

    Args:
        stride: the layer's stride, an int or `(height, width)`.
        seed: seed of the initial weights.

    Returns:
        Glorot and Bengio's (2010) uniform initializer for the contributing taps, a stock Keras
        class.

    Example:
        >>> transposed_initializer(5).scale
        25
    """
    rows, columns = (stride, stride) if isinstance(stride, int) else stride
    return keras.initializers.VarianceScaling(
        scale=rows * columns, mode="fan_avg", distribution="uniform", seed=seed
    )


def low_pass(scale: int) -> np.ndarray:
    """Weights of the filter that removes every pattern with a period of `scale` pixels.

    A box of `scale` pixels averages such a pattern to a constant. Applied three times it is smooth,
    and at scale 2 it gives the [1, 3, 3, 1] / 8 of Karras et al. (2019).

    Args:
        scale: the upsampling factor, at least 2.

    Returns:
        Float32 array of length `3 * scale - 2`, whose sum is 1.

    Example:
        >>> low_pass(2) * 8
        array([1., 3., 3., 1.], dtype=float32)
    """
    box = np.ones(scale) / scale
    return np.convolve(np.convolve(box, box), box).astype("float32")


def _subpixel(x, filters, scale, kernel_size, initializer, icnr, name):
    """A convolution to scale² times the channels, which are rearranged into blocks of pixels."""
    convolution = layers.Conv2D(
        filters * scale**2, kernel_size, padding="same", kernel_initializer=initializer, name=name
    )
    x = convolution(x)
    if icnr:
        # ICNR: the scale² channels that form one block of pixels get the same initial weights, so
        # the block is flat, as after nearest-neighbour resizing. Keras' depth_to_space puts the
        # block's index before the channel's, hence `tile`. The weights are assigned here because
        # an initializer class of our own would keep the saved model from loading in plain Keras.
        kernel = initializer((*convolution.kernel.shape[:3], filters))
        convolution.kernel.assign(ops.tile(kernel, [1, 1, 1, scale**2]))
    return ops.depth_to_space(x, scale)


def _blur(x, filters, scale, kernel_size, initializer, name):
    """A transposed convolution without padding, then the low-pass filter along both axes."""
    if kernel_size % 2 == 0 or kernel_size < scale:
        raise ValueError(
            f"kernel_size={kernel_size} would leave gaps or shift the picture by half a pixel; "
            f"'blur' needs an odd one of at least the scale, {2 * scale - 1} for example"
        )
    x = layers.Conv2DTranspose(
        filters, kernel_size, strides=scale, kernel_initializer=initializer, name=name
    )(x)
    # The transposed convolution adds `kernel_size - scale` pixels to the wanted size and the filter
    # removes `3 * scale - 3`; reflect padding makes up for the difference.
    margin = (4 * scale - 3 - kernel_size) // 2
    if margin > 0:
        x = reflect_pad(x, margin)
    elif margin < 0:
        x = layers.Cropping2D(-margin)(x)
    weights = low_pass(scale)
    for axis, shape in (("rows", (len(weights), 1)), ("columns", (1, len(weights)))):
        low_pass_name = name and f"{name}_low_pass_{axis}"
        layer = layers.DepthwiseConv2D(shape, use_bias=False, trainable=False, name=low_pass_name)
        x = layer(x)
        layer.kernel.assign(np.broadcast_to(weights.reshape(*shape, 1, 1), layer.kernel.shape))
    return x
