"""Building blocks of the generators: convolutions, activations, padding and the global residual.

They consist of stock Keras layers and operations only, so a saved generator loads in plain Keras
without this package.
"""

import itertools
import math
from collections.abc import Iterator

import keras
from keras import KerasTensor, layers, ops

from keras_gen._util.arguments import check_choice

ACTIVATIONS = ("leaky_relu", "prelu", "relu", "silu", "tanh", "linear")


def kernel_seeds(seed: int | None) -> Iterator[int | None]:
    """Yield one seed after another, so that every kernel of a model gets its own.

    Args:
        seed: the model's seed, or None for initial weights that differ from run to run.

    Yields:
        Distinct whole numbers, or always None.

    Example:
        >>> seeds = kernel_seeds(3)
        >>> next(seeds), next(seeds)
        (3000, 3001)
    """
    for offset in itertools.count():
        yield None if seed is None else 1000 * seed + offset


def convolution(
    x: KerasTensor,
    filters: int,
    seeds: Iterator[int | None],
    *,
    name: str,
    kernel_size: int = 3,
    strides: int = 1,
    rectified: bool = False,
) -> KerasTensor:
    """Apply a convolution with zero padding and no activation.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        filters: channels of the result.
        seeds: yields the kernel's seed, as `kernel_seeds` does.
        name: the layer's name.
        kernel_size: side of the kernel in pixels.
        strides: factor by which height and width shrink.
        rectified: whether a ReLU-like activation follows, which lets only about half of its input
            through. The kernel then gets He initialization, which uses larger weights to offset
            the variance the activation removes; otherwise Glorot initialization.

    Returns:
        Keras tensor of shape `(batch, height / strides, width / strides, filters)`, rounded up.

    Example:
        >>> x = keras.Input((9, 9, 3))
        >>> convolution(x, 8, kernel_seeds(0), name="halve", strides=2).shape
        (None, 5, 5, 8)

    References:
        Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural
        networks". He et al. (2015), "Delving deep into rectifiers".
    """
    initializers = keras.initializers
    kind = initializers.HeUniform if rectified else initializers.GlorotUniform
    initializer = kind(seed=next(seeds))
    return layers.Conv2D(
        filters, kernel_size, strides, padding="same", kernel_initializer=initializer, name=name
    )(x)


def activate(x: KerasTensor, activation: str, name: str) -> KerasTensor:
    """Apply an activation function.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        activation: one of `ACTIVATIONS`. `"leaky_relu"` has the slope 0.2 below zero; `"prelu"`
            learns one slope per channel.
        name: prefix of the layer's name; the activation's name completes it.

    Returns:
        Keras tensor of the same shape.

    Raises:
        ValueError: for an unknown activation.

    Example:
        >>> activate(keras.Input((9, 9, 3)), "silu", name="head").shape
        (None, 9, 9, 3)
    """
    check_choice("activation", activation, ACTIVATIONS)
    name = f"{name}_{activation}"
    if activation == "leaky_relu":
        return layers.LeakyReLU(negative_slope=0.2, name=name)(x)
    if activation == "prelu":
        return layers.PReLU(shared_axes=[1, 2], name=name)(x)
    return layers.Activation(activation, name=name)(x)


def group_normalization(x: KerasTensor, name: str) -> KerasTensor:
    """Normalise groups of channels to mean 0 and standard deviation 1, image by image.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        name: the layer's name.

    Returns:
        Keras tensor of the same shape. It has 8 groups, or 4, 2 or 1 where 8 do not divide the
        channels.

    Example:
        >>> group_normalization(keras.Input((9, 9, 12)), name="norm").shape
        (None, 9, 9, 12)

    References:
        Wu and He (2018), "Group normalization".
    """
    return layers.GroupNormalization(math.gcd(8, x.shape[-1]), name=name)(x)


def reflect_pad(x: KerasTensor, margin: int) -> KerasTensor:
    """Add pixels on every side that repeat the image in reverse (reflect padding).

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        margin: pixels to add on each side, fewer than height and width.

    Returns:
        Keras tensor of shape `(batch, height + 2 * margin, width + 2 * margin, channels)`.

    Example:
        >>> reflect_pad(keras.Input((9, 9, 3)), 2).shape
        (None, 13, 13, 3)
    """
    return ops.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")


def crop(x: KerasTensor, size: tuple[int, int], name: str) -> KerasTensor:
    """Remove surplus rows at the bottom and surplus columns on the right.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`, with known height and width.
        size: `(height, width)` in pixels to keep, at most those of `x`.
        name: the layer's name.

    Returns:
        Keras tensor of shape `(batch, *size, channels)`; `x` itself if nothing is surplus.

    Example:
        >>> crop(keras.Input((10, 9, 3)), (9, 9), name="crop").shape
        (None, 9, 9, 3)
    """
    surplus = [(0, side - kept) for side, kept in zip(x.shape[1:3], size, strict=True)]
    if surplus == [(0, 0), (0, 0)]:
        return x
    return layers.Cropping2D(surplus, name=name)(x)


def add_global_residual(x: KerasTensor, image: KerasTensor) -> KerasTensor:
    """Add an image to a generator's output, so that the network predicts only the difference.

    A sigmoid follows the sum, so the sigmoid's inverse, log(p / (1 − p)), is applied to the image.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`, before the sigmoid.
        image: Keras tensor of the same shape in 0 … 1, usually the input, upscaled bicubically.

    Returns:
        Their sum, before the sigmoid. Where `x` is 0, the sigmoid restores the image.

    Example:
        >>> image = keras.Input((9, 9, 3))
        >>> add_global_residual(layers.Conv2D(3, 1)(image), image).shape
        (None, 9, 9, 3)

    References:
        Kim, Lee and Lee (2016), "Accurate image super-resolution using very deep convolutional
        networks".
    """
    half_level = 1 / 512  # half of an 8-bit level; the inverse of exactly 0 or 1 would be infinite
    image = ops.clip(image, half_level, 1 - half_level)
    return layers.Add(name="global_residual")([x, ops.log(image / (1 - image))])
