"""The effective receptive field: how much of its receptive field a network uses, by gradients.

A network does not use its field evenly: the pixels in the middle reach the output along many more
paths than those at the edge. For n convolutions of side k with uniform weights the gradient is
bell-shaped with a standard deviation of √(n(k²-1)/12). As a fraction of the field's side, n(k-1)+1,
it falls as 1/√n (Luo, Li, Urtasun and Zemel, 2016, "Understanding the effective receptive field in
deep convolutional neural networks").
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from keras_gen.analysis.fields import Box, ReceptiveField, receptive_field
from keras_gen.analysis.propagation import check_position

EDGE = 1 - 0.9545  # of the peak: where the effective field ends (Luo et al. 2016)


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """The gradient of one output with respect to the image, measured.

    Attributes:
        map: `(height, width)` float64, the mean absolute gradient, summing to 1.
        position: the indices of the output.
        sigma: standard deviation of the map along each axis, in pixels.
        field: the theoretical field of this output, as slices.
        fraction: side of the effective field (the root of the number of pixels above 4.55 % of the
            peak) over the side of the theoretical one.
    """

    map: np.ndarray
    position: tuple[int, ...]
    sigma: tuple[float, ...]
    field: Box
    fraction: float


def effective_receptive_field(
    model: keras.Model,
    layer=None,
    *,
    position: Sequence[int] | None = None,
    samples: int = 32,
    images: np.ndarray | None = None,
    seed: int = 0,
    rules: dict | None = None,
    input_shape: Sequence[int] | None = None,
) -> EffectiveField:
    """Measure how strongly one output depends on each pixel of the image.

    The output's channels are summed with random signs, so that they do not cancel in a pattern of
    their own, and the absolute gradients are averaged over random images.

    Args:
        model: a functional or sequential Keras model with one input; its weights matter.
        layer: whose output, as for `receptive_field`. By default the model's first output.
        position: the output's indices. By default the middle.
        samples: number of random images, sampled from the standard normal distribution.
        images: `(samples, *input shape)` float32, to be used instead of random ones.
        seed: seed of the images and signs.
        rules: what unknown layers do, as for `receptive_field`.
        input_shape: shape of the input without the batch, where the model leaves it open.

    Returns:
        An `EffectiveField`.

    Raises:
        ValueError: for a model with several inputs, a layer inside a nested model, a backend other
            than TensorFlow, an output that does not depend on the image, and as `receptive_field`.

    Example:
        >>> same = {"padding": "same", "kernel_initializer": "ones", "use_bias": False}
        >>> stack = [keras.layers.Conv2D(1, 3, **same) for _ in range(10)]
        >>> model = keras.Sequential([keras.Input((41, 41, 1)), *stack])
        >>> effective = effective_receptive_field(model, samples=1)
        >>> [round(sigma, 3) for sigma in effective.sigma]
        [2.582, 2.582]

    References:
        Luo, Li, Urtasun and Zemel (2016).
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"gradients need the TensorFlow backend, not {keras.backend.backend()!r}")
    if len(model.inputs) != 1:
        raise ValueError(
            f"the model has {len(model.inputs)} inputs; build one with a single input around it"
        )
    theory = receptive_field(model, layer, rules=rules, input_shape=input_shape)
    middle = [size // 2 for size in theory.output_size]
    position = check_position(
        middle if position is None else position, theory.output_size, "output"
    )
    random = np.random.default_rng(seed)
    if images is None:
        shape = tuple(input_shape or model.inputs[0].shape[1:])
        images = (random.standard_normal(shape) for _ in range(samples))
    strength = _mean_absolute_gradient(_part(model, theory), images, theory, position, random)
    if not strength.any():
        raise ValueError(f"output {position} of {theory.output!r} does not depend on the image")
    strength = strength / strength.sum()
    field = theory.at(*position)
    used = np.count_nonzero(strength > EDGE * strength.max())
    fraction = (used / np.prod(field.size)) ** (1 / len(field))
    return EffectiveField(strength, position, _sigma(strength), field, float(fraction))


def _part(model, theory: ReceptiveField):
    """The model up to the layer in question."""
    graph, target = theory._propagation.graph, theory._propagation.target
    if target not in graph.tensors:
        raise ValueError(
            f"{theory.output!r} lies inside a nested model, where gradients cannot be taken; "
            "give the nested model itself, or a layer around it"
        )
    return keras.Model(model.inputs, graph.tensors[target])


def _mean_absolute_gradient(model, images, theory, position, random):
    """The gradient's size at each pixel, summed over the channels of the image."""
    import tensorflow as tf

    output, image = theory._field, theory._propagation.image
    index = [
        0 if axis in (0, *output.positions) else slice(None) for axis in range(len(output.shape))
    ]
    for axis, place in zip(output.positions, position, strict=True):
        index[axis] = place
    channels = tuple(axis for axis in range(len(image.shape)) if axis not in image.positions)
    sizes = []
    for pixels in images:
        pixels = tf.convert_to_tensor(np.asarray(pixels)[None], dtype=model.inputs[0].dtype)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            channel_values = model(pixels, training=False)[tuple(index)]
            signs = random.choice([-1.0, 1.0], size=channel_values.shape)
            score = tf.reduce_sum(channel_values * tf.cast(signs, channel_values.dtype))
        gradient = tape.gradient(score, pixels)
        if gradient is None:
            raise ValueError(f"output {position} of {theory.output!r} has no gradient")
        sizes.append(np.abs(gradient.numpy().astype("float64")).sum(axis=channels))
    return np.mean(sizes, axis=0)


def _sigma(strength):
    """The standard deviation of a map along each axis."""
    deviations = []
    for axis, size in enumerate(strength.shape):
        weights = strength.sum(axis=tuple({*range(strength.ndim)} - {axis}))
        position = np.arange(size)
        mean = (weights * position).sum()
        deviations.append(float(np.sqrt((weights * (position - mean) ** 2).sum())))
    return tuple(deviations)
