"""Diagnostics of a model that does not learn: dead units, saturated outputs, gradients.

Three questions to ask of such a model, or before it is trained at all: which of its units take no
part (`dead_units`), how much of its image is stuck at black or white (`saturation`), and how much
of the loss gradient reaches each layer (`gradient_norms`).
"""

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_gen._util.gradients import losses_and_gradients
from keras_gen._util.tables import Table
from keras_gen.analysis.graph import trace


def dead_units(model: keras.Model, inputs: ArrayLike, *, tolerance: float = 1e-6) -> Table:
    """Count the units of each activation that stay at zero, whatever the input.

    A unit is a channel of a convolution or a feature of a dense layer. A unit that is zero at every
    position of every input contributes nothing. Behind a ReLU no gradient reaches its weights, so
    that only a change of its inputs can revive it (Lu, Shin, Su and Karniadakis 2020).

    Args:
        model: a functional or sequential Keras model with one input and channels last.
        inputs: `(batch, *input shape)`, as many and as varied as possible: a unit that is dead on a
            few inputs may fire on others.
        tolerance: how far from zero a unit counts as alive. A SiLU far on its negative side is
            not exactly zero.

    Returns:
        A `Table` with a row for each layer with an activation, the model's outputs left out:
        `layer`, `units`, `dead` (how many) and `fraction` (of the units, 0 … 1).

    Raises:
        ValueError: for an empty batch, a model with several inputs, or one without activations.

    Example:
        >>> layer = keras.layers.Dense(4, "relu")
        >>> model = keras.Sequential([keras.Input((1,)), layer, keras.layers.Dense(1)])
        >>> layer.set_weights([np.ones((1, 4)), np.array([0.0, 1.0, -10.0, -10.0])])
        >>> dead_units(model, [[0.5], [-0.5]])[0]["dead"]
        2

    References:
        Lu, Shin, Su and Karniadakis (2020), "Dying ReLU and initialization: theory and numerical
        examples".
    """
    inputs = np.asarray(inputs)
    if len(model.inputs) != 1 or not len(inputs):
        raise ValueError(
            f"received {len(inputs)} inputs for a model with {len(model.inputs)} input layers; "
            "give a batch of at least one to a model with one input layer"
        )
    names, outputs = _activations(model)
    if not names:
        raise ValueError(
            f"{model.name!r} has no activation behind a hidden layer; give a functional model, or "
            "the model inside it"
        )
    probe = keras.Model(model.inputs[0], outputs)
    highest = None
    for start in range(0, len(inputs), 8):
        outputs = keras.tree.flatten(probe(inputs[start : start + 8], training=False))
        outputs = [np.abs(keras.ops.convert_to_numpy(output)) for output in outputs]
        tops = [output.max(axis=tuple(range(output.ndim - 1))) for output in outputs]
        highest = tops if highest is None else list(map(np.maximum, highest, tops))
    rows = []
    for name, top in zip(names, highest, strict=True):
        dead = int((top <= tolerance).sum())
        rows.append({"layer": name, "units": len(top), "dead": dead, "fraction": dead / len(top)})
    return Table(rows)


def saturation(images: ArrayLike, *, margin: float = 1 / 255) -> float:
    """Return the fraction of values that lie at the ends of 0 … 1, or beyond them.

    Every photo has some: lamps, deep shade. A generator that has many more than its training images
    is stuck: so near the ends of a sigmoid, its slope p(1 − p) is below 0.004, and almost no
    gradient passes. Compare with the same number for real images.

    Args:
        images: floats of any shape, 0 … 1 for black to white; values outside count as saturated.
        margin: how near to 0 or 1 counts, by default one of 255 steps.

    Returns:
        A fraction, 0 … 1.

    Raises:
        ValueError: for whole numbers, an empty array, or a margin outside 0 … 0.5.

    Example:
        >>> saturation([0.0, 0.002, 0.5, 1.2])
        0.75
    """
    images = np.asarray(images)
    if images.dtype.kind != "f" or not images.size:
        raise ValueError(
            f"received {images.dtype} of shape {images.shape}; give floats in 0 … 1: 8-bit values "
            "divided by 255"
        )
    if not 0 <= margin < 0.5:
        raise ValueError(f"margin={margin} is not in 0 … 0.5; try 1 / 255")
    # A value that lies on the margin counts, though 1 − 1/255 is not exact in floats.
    return float(((images <= margin + 1e-7) | (images >= 1 - margin - 1e-7)).mean())


def gradient_norms(
    model: keras.Model, x: ArrayLike, y: ArrayLike, *, loss: str = "mean_squared_error"
) -> Table:
    """Measure how much of the loss gradient reaches the weights of each layer.

    Args:
        model: a built Keras model; normalisation layers work as in training.
        x: a batch of inputs.
        y: the targets.
        loss: name of a Keras loss, or a function of `(y, output)`.

    Returns:
        A `Table` with a row for each layer with trainable weights, in the model's order: `layer`,
        `weights` (Euclidean norm of its weights) and `gradient` (norm of the loss's gradient with
        respect to them).

    Raises:
        ValueError: for a model without trainable weights.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="only")])
        >>> model.set_weights([np.array([[4.0]]), np.array([0.0])])
        >>> row = gradient_norms(model, [[0.75]], [[1.0]])[0]  # 2 · (3 − 1) · √(0.75² + 1²)
        >>> row["weights"], row["gradient"]
        (4.0, 5.0)
    """
    variables = model.trainable_variables
    if not variables:
        raise ValueError(f"{model.name!r} has no trainable weights; build it, or unfreeze some")
    # Each call in training mode would update the statistics of normalisation layers.
    kept = [(variable, np.array(variable)) for variable in model.non_trainable_variables]

    def compute_loss():
        output = model(np.asarray(x, "float32"), training=True)
        error = keras.losses.get(loss)(np.asarray(y, "float32"), output)
        return {"model_loss": keras.ops.mean(error)}

    gradients = losses_and_gradients(compute_loss, {"model": model})[1]["model"]
    for variable, value in kept:
        variable.assign(value)
    squares = {}
    for variable, gradient in zip(variables, gradients, strict=True):
        layer = variable.path.rpartition("/")[0].removeprefix(f"{model.name}/")
        own, received = squares.get(layer, (0.0, 0.0))
        own += float(np.square(np.array(variable), dtype="float64").sum())
        if gradient is not None:
            received += float(np.square(np.asarray(gradient), dtype="float64").sum())
        squares[layer] = own, received
    return Table(
        {"layer": layer, "weights": own**0.5, "gradient": received**0.5}
        for layer, (own, received) in squares.items()
    )


def _activations(model):
    """Names and outputs of the layers that apply an activation, the model's outputs left out."""
    graph = trace(model)
    names, outputs = [], []
    for step in graph.steps:
        if not _is_activation(step.operation) or set(step.outputs) & set(graph.outputs):
            continue
        if step.outputs[0] not in graph.tensors:
            raise ValueError(
                f"{step.name!r} lies inside a nested model, where outputs cannot be read; give "
                "the nested model itself"
            )
        names.append(step.name)
        outputs.append(graph.tensors[step.outputs[0]])
    return names, outputs


def _is_activation(operation):
    kinds = keras.layers
    if isinstance(operation, kinds.ReLU | kinds.LeakyReLU | kinds.PReLU | kinds.ELU):
        return True
    return getattr(operation, "activation", None) not in (None, keras.activations.linear)
