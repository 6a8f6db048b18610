"""The ways to make a feature map larger, behind one function.

Every method is built from stock Keras layers and operations only, so that a saved model loads in
plain Keras, without this package.
"""

import keras
import numpy as np
from keras import KerasTensor, layers, ops

UPSAMPLING = {
    "nearest": "nearest-neighbour resizing, then a 3×3 convolution",
    "bilinear": "bilinear resizing, then a 3×3 convolution",
    "bicubic": "bicubic resizing, then a 3×3 convolution",
    "transposed": "transposed convolution, kernel twice the stride: learns its own interpolation",
    "transposed_overlap": "transposed convolution, kernel one more than the stride: uneven overlap",
    "subpixel": "3×3 convolution to scale² times the channels, rearranged into space (ICNR start)",
    "subpixel_plain": "3×3 convolution to scale² times the channels, rearranged (random start)",
    "blur": "transposed convolution, then a fixed low-pass filter, [1, 3, 3, 1] at scale 2",
}


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
    """Enlarge a feature map by a whole factor.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`; height and width may be `None`.
        filters: channels of the result.
        scale: whole factor for height and width, at least 2.
        method: one of the keys of `UPSAMPLING`.
        kernel_size: side of the learned kernel; by default `2 * scale` for `"transposed"`,
            `scale + 1` for `"transposed_overlap"`, `2 * scale - 1` for `"blur"`, else 3.
        seed: seed of the kernel's initial values.
        name: prefix for the names of the layers.

    Returns:
        Keras tensor of shape `(batch, height * scale, width * scale, filters)`, linear (no
        activation is applied).

    Raises:
        ValueError: for an unknown method, a scale that is not a whole number above 1, or a
            kernel that is even or smaller than the scale for `"blur"`.

    Example:
        >>> x = keras.Input((25, 25, 8))
        >>> upsample(x, 4, scale=2).shape
        (None, 50, 50, 4)

    References:
        Shi et al. (2016) for the sub-pixel convolution, Aitken et al. (2017) for its ICNR start,
        Odena et al. (2016) for uneven overlap and for resizing before convolving, Karras et al.
        (2019) for the low-pass filter.
    """
    if method not in UPSAMPLING:
        known = ", ".join(repr(name) for name in UPSAMPLING)
        raise ValueError(f"upsampling method {method!r} is unknown; choose one of {known}")
    if not isinstance(scale, int) or scale < 2:
        raise ValueError(f"scale {scale!r} is not a whole number of at least 2")
    start = keras.initializers.GlorotUniform(seed=seed)
    if method in ("nearest", "bilinear", "bicubic"):
        resized = name and f"{name}_{method}"
        x = layers.UpSampling2D(scale, interpolation=method, name=resized)(x)
        size = kernel_size or 3
        return layers.Conv2D(filters, size, padding="same", kernel_initializer=start, name=name)(x)
    if method in ("subpixel", "subpixel_plain"):
        return _subpixel(x, filters, scale, kernel_size or 3, start, method == "subpixel", name)
    start = transposed_initializer(scale, seed=seed)
    if method == "blur":
        return _blurred(x, filters, scale, kernel_size or 2 * scale - 1, start, name)
    size = kernel_size or {"transposed": 2 * scale, "transposed_overlap": scale + 1}[method]
    return layers.Conv2DTranspose(
        filters, size, strides=scale, padding="same", kernel_initializer=start, name=name
    )(x)


def transposed_initializer(
    stride: int | tuple[int, int], *, seed: int | None = None
) -> keras.initializers.Initializer:
    """Give a transposed convolution a start that keeps the size of its signals.

    A kernel of k × k with stride s reaches each output pixel with k²/s² of its k² taps. Keras'
    default, which counts them all, makes the output s times too small; after two stages of stride
    5 hardly anything is left, and a generator learns next to nothing for a thousand steps.

    Args:
        stride: the layer's stride, an int or `(height, width)`.
        seed: seed of the initial values.

    Returns:
        Glorot and Bengio's (2010) uniform initializer for the taps that count, a stock Keras class.

    Example:
        >>> layers.Conv2DTranspose(16, 10, strides=5, kernel_initializer=transposed_initializer(5))
    """
    rows, columns = (stride, stride) if isinstance(stride, int) else stride
    return keras.initializers.VarianceScaling(
        scale=rows * columns, mode="fan_avg", distribution="uniform", seed=seed
    )


def low_pass(scale: int) -> np.ndarray:
    """Weights of the filter that takes away whatever repeats after `scale` pixels.

    The box of `scale` pixels, which averages such a pattern to nothing, three times over: smooth,
    and at scale 2 the [1, 3, 3, 1] / 8 of Karras et al. (2019).

    Args:
        scale: the upsampling factor, at least 2.

    Returns:
        Float32 array of length `3 * scale - 2`; the weights add up to 1.

    Example:
        >>> low_pass(2) * 8
        array([1., 3., 3., 1.], dtype=float32)
    """
    box = np.ones(scale) / scale
    return np.convolve(np.convolve(box, box), box).astype("float32")


def _subpixel(x, filters, scale, kernel_size, start, alike, name):
    convolution = layers.Conv2D(
        filters * scale**2, kernel_size, padding="same", kernel_initializer=start, name=name
    )
    x = convolution(x)
    if alike:
        # ICNR: the scale² channels that become one block of pixels start alike, so that the block
        # is flat, as nearest-neighbour resizing draws it. Keras' depth_to_space puts the block's
        # index before the channel's, hence `tile`. Assigned here, because an initializer class of
        # our own in the layer's configuration would keep the model from loading in plain Keras.
        one = start((*convolution.kernel.shape[:3], filters))
        convolution.kernel.assign(ops.tile(one, [1, 1, 1, scale**2]))
    return ops.depth_to_space(x, scale)


def _blurred(x, filters, scale, kernel_size, start, name):
    if kernel_size % 2 == 0 or kernel_size < scale:
        raise ValueError(
            f"kernel_size={kernel_size} would leave gaps or shift the picture by half a pixel; "
            f"'blur' needs an odd one of at least the scale, {2 * scale - 1} for example"
        )
    x = layers.Conv2DTranspose(
        filters, kernel_size, strides=scale, kernel_initializer=start, name=name
    )(x)
    # Without padding the transposed convolution gives `kernel_size - scale` pixels too many, and
    # the filter takes `3 * scale - 3` away; mirrored edges make up for the rest.
    margin = (4 * scale - 3 - kernel_size) // 2
    if margin > 0:
        x = ops.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]], mode="reflect")
    elif margin < 0:
        x = layers.Cropping2D(-margin)(x)
    weights = low_pass(scale)
    for axis, shape in (("rows", (len(weights), 1)), ("columns", (1, len(weights)))):
        one_axis = layers.DepthwiseConv2D(
            shape, use_bias=False, trainable=False, name=name and f"{name}_low_pass_{axis}"
        )
        x = one_axis(x)
        kernel = np.broadcast_to(weights.reshape(*shape, 1, 1), one_axis.kernel.shape)
        one_axis.kernel.assign(kernel)
    return x
