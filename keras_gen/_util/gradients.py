"""What differs between the backends: gradients, and the state of a training step.

TensorFlow records operations and changes variables in place. JAX differentiates functions, and its
training step is itself a function: the state goes in as arrays and comes out as arrays. Everything
else in this package is written once, in `keras.ops`.
"""

import functools
from collections.abc import Callable

import keras
from keras import KerasTensor, Model


def losses_and_gradients(
    compute_losses: Callable[[], dict], networks: dict[str, Model]
) -> tuple[dict, dict[str, list]]:
    """Compute the losses of several networks, and the gradient of each loss in its own network.

    Args:
        compute_losses: computes a dict of scalars, among them `"<name>_loss"` for each network.
        networks: the networks by name.

    Returns:
        The dict of `compute_losses`, and for each network a list with the gradient of its loss with
        respect to each of its trainable weights.

    Example:
        losses, gradients = losses_and_gradients(
            lambda: gan.compute_losses(images, random_inputs),
            {"generator": gan.generator, "discriminator": gan.discriminator},
        )
    """
    if keras.backend.backend() == "jax":
        return _with_jax(compute_losses, networks)
    import tensorflow as tf

    with tf.GradientTape(persistent=True) as tape:
        losses = compute_losses()
    return losses, {
        name: tape.gradient(losses[f"{name}_loss"], network.trainable_variables)
        for name, network in networks.items()
    }


def _with_jax(compute_losses, networks):
    """Differentiate once per network; the compiler merges the computations that they share."""
    import jax

    trainable = {name: network.trainable_variables for name, network in networks.items()}
    values = {name: [weight.value for weight in weights] for name, weights in trainable.items()}
    others = [weight for network in networks.values() for weight in network.non_trainable_variables]
    other_values = [weight.value for weight in others]
    gradients = {}
    for name in networks:

        def loss_of_one(its_values, name=name):
            mapping = list(zip(others, other_values, strict=True))
            for key, new_values in (values | {name: its_values}).items():
                mapping += zip(trainable[key], new_values, strict=True)
            with keras.StatelessScope(mapping) as scope:
                losses = compute_losses()
            updated = [scope.get_current_value(weight) for weight in others]
            return losses[f"{name}_loss"], (losses, updated)

        gradients[name], (losses, updated) = jax.grad(loss_of_one, has_aux=True)(values[name])
    for weight, value in zip(others, updated, strict=True):
        weight.assign(value)
    return losses, gradients


def stateless_under_jax(train_step: Callable) -> Callable:
    """Decorate a `train_step(self, data)` so that Keras' JAX training loop can call it, too.

    That loop calls `train_step(state, data)`, where the state is a tuple of lists of arrays
    (trainable, other, optimizer and metric variables), and expects `(logs, state)`.

    Args:
        train_step: a method that reads and assigns variables.

    Returns:
        Under TensorFlow the method itself, under JAX a method that takes and returns the state.

    Example:
        @stateless_under_jax
        def train_step(self, data): ...
    """
    if keras.backend.backend() != "jax":
        return train_step

    @functools.wraps(train_step)
    def with_state(self, state, data):
        variables = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        mapping = [
            pair
            for part, values in zip(variables, state, strict=True)
            for pair in zip(part, values, strict=True)
        ]
        with keras.StatelessScope(mapping) as scope:
            logs = train_step(self, data)
        new_state = tuple([scope.get_current_value(one) for one in part] for part in variables)
        return logs, new_state

    return with_state


def image_gradient(score: Callable, images: KerasTensor) -> KerasTensor:
    """Compute the gradient of a scalar function of images; it can be differentiated again.

    Args:
        score: maps images to a scalar.
        images: float `(batch, height, width, channels)`.

    Returns:
        Tensor of the shape of the images.

    Example:
        >>> gradient = image_gradient(lambda images: ops.sum(images**2), ops.ones((1, 2, 2, 3)))
        >>> float(ops.max(gradient))
        2.0
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(score)(images)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        total = score(images)
    return tape.gradient(total, images)
