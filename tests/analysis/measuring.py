"""Receptive fields measured on the model itself, by changing its input."""

import keras
import numpy as np

from tests.analysis.random_builder import Builder

IMPULSE = 1e15


def measure(builder: Builder) -> np.ndarray:
    """Which pixels each output depends on, measured with one impulse per pixel.

    In a positive model a large impulse at a pixel changes an output if and only if the output
    depends on the pixel. In a linear one the image is zero, and an output of an impulse is not zero
    if and only if it depends on it.

    Returns:
        Booleans `(rows, columns, height, width)`: output position, then pixel.
    """
    height, width, channels = builder.inputs.shape[1:]
    count = height * width
    impulses = np.eye(count).reshape(count, height, width, 1)
    if builder.positive:
        image = builder.random.uniform(0.5, 1.5, (height, width, channels))
        outputs = run(builder.model, np.concatenate([image[None], image + IMPULSE * impulses]))
        unchanged = outputs[0]
        depends = np.abs(outputs[1:] - unchanged) > 1e-11 * np.abs(unchanged)
    else:
        colours = builder.random.uniform(0.5, 1.5, channels)
        depends = run(builder.model, impulses * colours) != 0
    depends = depends.any(axis=-1)
    return np.moveaxis(depends.reshape(height, width, *depends.shape[1:]), (0, 1), (2, 3))


def run(model, images):
    """Outputs, one image at a time if the model's batch size is 1."""
    if model.inputs[0].shape[0] == 1 and len(images) > 1:
        return np.concatenate([run(model, image[None]) for image in images])
    return keras.ops.convert_to_numpy(model(images, training=False)).astype("float64")


def measure_by_noise(model: keras.Model, axes: list[int], seed: int = 0) -> np.ndarray:
    """Which positions of the input each output element depends on, for any model of one input.

    Each position is changed in turn, in all its channels, by noise of both signs and two sizes, in
    a random image and in one of zeros. It is rougher than `measure`, but works for layers of every
    kind, as long as the model is small.

    Args:
        model: the model.
        axes: the axes of the input, batch included, along which positions count.
        seed: seed of the image and the noise.

    Returns:
        Booleans: output element (without the batch), then position.
    """
    random = np.random.default_rng(seed)
    shape = model.inputs[0].shape[1:]
    sizes = [shape[axis - 1] for axis in axes]
    marks = np.zeros((np.prod(sizes), *shape))
    for mark, position in zip(marks, np.ndindex(*sizes), strict=True):
        index = [slice(None)] * len(shape)
        for axis, place in zip(axes, position, strict=True):
            index[axis - 1] = place
        mark[tuple(index)] = 1
    depends = False
    for image in (random.uniform(0.5, 1.5, shape), np.zeros(shape)):
        unchanged = run(model, image[None])[0]
        for size in (-1e3, -1.0, 1.0, 1e3):
            noise = size * random.uniform(0.5, 1.5, marks.shape)
            changed = run(model, image + marks * noise)
            depends |= np.abs(changed - unchanged) > 1e-10 * np.abs(unchanged)
    depends = depends.reshape(*sizes, *unchanged.shape)
    return np.moveaxis(depends, range(len(sizes)), range(-len(sizes), 0))


def hulls(depends: np.ndarray, image_axes: int = 2) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where the measured fields start and stop along each axis of the image; 0 and 0 if empty."""
    bounds = []
    pixels = range(depends.ndim - image_axes, depends.ndim)
    for axis in pixels:
        line = depends.any(axis=tuple({*pixels} - {axis}))
        empty = ~line.any(axis=-1)
        start = np.where(empty, 0, line.argmax(axis=-1))
        stop = np.where(empty, 0, line.shape[-1] - line[..., ::-1].argmax(axis=-1))
        bounds.append((start, stop))
    return bounds
