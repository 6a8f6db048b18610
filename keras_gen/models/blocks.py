"""What the generators are made of: convolutions with seeds of their own, activations, a base.

Stock Keras layers and operations only, so that a saved generator loads in plain Keras.
"""

import itertools
from collections.abc import Iterator

import keras
from keras import KerasTensor, layers, ops

ACTIVATIONS = ("leaky_relu", "prelu", "relu", "silu", "tanh", "linear")


def seeds(seed: int | None) -> Iterator[int | None]:
    """Give one seed after another, one for each kernel.

    Args:
        seed: the model's seed, or None for kernels that differ from run to run.

    Yields:
        Whole numbers that differ, or None again and again.

    Example:
        >>> numbers = seeds(3)
        >>> next(numbers), next(numbers)
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
    """Convolve, with padding `"same"` and no activation.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        filters: channels of the result.
        seeds: where the kernel's seed comes from.
        name: the layer's name.
        kernel_size: side of the kernel.
        strides: how much smaller the result is.
        rectified: whether an activation that lets only about half through comes next. Kernels then
            start so much larger (He et al. 2015) that signals keep their size through many
            convolutions; else as Glorot and Bengio (2010) have it.

    Returns:
        Keras tensor of shape `(batch, height / strides, width / strides, filters)`, rounded up.
    """
    initializers = keras.initializers
    kind = initializers.HeUniform if rectified else initializers.GlorotUniform
    start = kind(seed=next(seeds))
    return layers.Conv2D(
        filters, kernel_size, strides, padding="same", kernel_initializer=start, name=name
    )(x)


def activate(x: KerasTensor, activation: str, name: str) -> KerasTensor:
    """Apply an activation function.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        activation: one of `ACTIVATIONS`; `"leaky_relu"` has the slope 0.2, `"prelu"` one slope a
            channel.
        name: prefix of the layer's name.

    Returns:
        Keras tensor of the same shape.

    Raises:
        ValueError: for another activation.
    """
    name = f"{name}_{activation}"
    if activation == "leaky_relu":
        return layers.LeakyReLU(negative_slope=0.2, name=name)(x)
    if activation == "prelu":
        return layers.PReLU(shared_axes=[1, 2], name=name)(x)
    if activation in ACTIVATIONS:
        return layers.Activation(activation, name=name)(x)
    known = ", ".join(repr(known) for known in ACTIVATIONS)
    raise ValueError(f"activation {activation!r} is unknown; choose one of {known}")


def add_global_residual(x: KerasTensor, base: KerasTensor) -> KerasTensor:
    """Add what a generator draws to a base, so that it has only to draw what the base lacks.

    The sum goes through a sigmoid later, so the base goes through the sigmoid's inverse first.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`, before the sigmoid.
        base: image in 0 … 1 of the same shape.

    Returns:
        Their sum, before the sigmoid. Where `x` is 0, the sigmoid gives the base.

    References:
        Kim, Lee and Lee (2016), "Accurate image super-resolution using very deep convolutional
        networks".
    """
    start = ops.clip(base, 1 / 512, 1 - 1 / 512)
    return layers.Add(name="global_residual")([x, ops.log(start / (1 - start))])
