"""The ways to make a feature map larger, behind one function.

Every method is built from stock Keras layers and operations only, so that a saved model loads in
plain Keras, without this package.
"""

import keras
from keras import KerasTensor, layers, ops

UPSAMPLING = {
    "transposed": "transposed convolution, kernel twice the stride: learns its own interpolation",
    "nearest": "nearest-neighbour resizing, then a 3×3 convolution",
    "bilinear": "bilinear resizing, then a 3×3 convolution",
    "subpixel": "3×3 convolution to scale² times the channels, rearranged into space (ICNR start)",
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
        kernel_size: side of the learned kernel; by default `2 * scale` for `"transposed"`, else 3.
        seed: seed of the kernel's initial values.
        name: prefix for the names of the layers.

    Returns:
        Keras tensor of shape `(batch, height * scale, width * scale, filters)`, linear (no
        activation is applied).

    Raises:
        ValueError: for an unknown method, or a scale that is not a whole number above 1.

    Example:
        >>> x = keras.Input((25, 25, 8))
        >>> upsample(x, 4, scale=2).shape
        (None, 50, 50, 4)

    References:
        Shi et al. (2016) for the sub-pixel convolution, Aitken et al. (2017) for its ICNR start,
        Odena et al. (2016) for resizing before convolving.
    """
    if method not in UPSAMPLING:
        known = ", ".join(repr(name) for name in UPSAMPLING)
        raise ValueError(f"upsampling method {method!r} is unknown; choose one of {known}")
    if not isinstance(scale, int) or scale < 2:
        raise ValueError(f"scale {scale!r} is not a whole number of at least 2")
    if method == "transposed":
        return layers.Conv2DTranspose(
            filters,
            kernel_size or 2 * scale,
            strides=scale,
            padding="same",
            kernel_initializer=transposed_initializer(scale, seed=seed),
            name=name,
        )(x)
    start = keras.initializers.GlorotUniform(seed=seed)
    if method == "subpixel":
        return _subpixel(x, filters, scale, kernel_size or 3, start, name)
    resized = name and f"{name}_{method}"
    x = layers.UpSampling2D(scale, interpolation=method, name=resized)(x)
    return layers.Conv2D(
        filters, kernel_size or 3, padding="same", kernel_initializer=start, name=name
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


def _subpixel(x, filters, scale, kernel_size, start, name):
    convolution = layers.Conv2D(filters * scale**2, kernel_size, padding="same", name=name)
    x = convolution(x)
    # ICNR: the scale² channels that become one block of pixels start alike, so that the block is
    # flat, as nearest-neighbour resizing draws it. Keras' depth_to_space puts the block's index
    # before the channel's, hence `tile`. Assigned here, because an initializer class of our own
    # in the layer's configuration would keep the saved model from loading in plain Keras.
    one = start((*convolution.kernel.shape[:3], filters))
    convolution.kernel.assign(ops.tile(one, [1, 1, 1, scale**2]))
    return ops.depth_to_space(x, scale)
