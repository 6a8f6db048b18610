"""What the backends do each in its own way: gradients, and a step of training.

TensorFlow records what is computed and changes variables in place. JAX differentiates functions,
and its step is a function as well: the state goes in as arrays and comes out as arrays. Everything
else in this package is written in `keras.ops`, once.
"""

import functools
from collections.abc import Callable

import keras
from keras import KerasTensor, Model


def losses_and_gradients(
    play: Callable[[], dict], networks: dict[str, Model]
) -> tuple[dict, dict[str, list]]:
    """Compute what a step needs, and each player's gradient of its own loss.

    Args:
        play: computes a dict of scalars, among them `"<player>_loss"` for each player.
        networks: each player's network.

    Returns:
        What `play` gave, and for each player a list of gradients, one for each of the trainable
        weights of its network.
    """
    if keras.backend.backend() == "jax":
        return _with_jax(play, networks)
    import tensorflow as tf

    with tf.GradientTape(persistent=True) as tape:
        losses = play()
    return losses, {
        player: tape.gradient(losses[f"{player}_loss"], network.trainable_variables)
        for player, network in networks.items()
    }


def _with_jax(play, networks):
    """Differentiate once for each player; what both compute alike, the compiler computes once."""
    import jax

    weights = {player: network.trainable_variables for player, network in networks.items()}
    others = [weight for network in networks.values() for weight in network.non_trainable_variables]
    values = {player: [weight.value for weight in weights[player]] for player in networks}
    held = [weight.value for weight in others]
    gradients = {}
    for player in networks:

        def played(of_player, player=player):
            mapping = list(zip(others, held, strict=True))
            for name, of_name in (values | {player: of_player}).items():
                mapping += zip(weights[name], of_name, strict=True)
            with keras.StatelessScope(mapping) as scope:
                losses = play()
            left = [scope.get_current_value(weight) for weight in others]
            return losses[f"{player}_loss"], (losses, left)

        gradients[player], (losses, left) = jax.grad(played, has_aux=True)(values[player])
    for weight, value in zip(others, left, strict=True):
        weight.assign(value)
    return losses, gradients


def stateless_under_jax(train_step: Callable) -> Callable:
    """Decorate a `train_step(self, data)` so that Keras' JAX loop can call it, too.

    That loop calls `train_step(state, data)`, where the state is a tuple of lists of arrays
    (trainable, other, optimizer and metric variables), and expects `(logs, state)`.

    Args:
        train_step: a method that reads and assigns variables.

    Returns:
        The method itself under TensorFlow, and one with and for arrays under JAX.
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
        after = tuple([scope.get_current_value(one) for one in part] for part in variables)
        return logs, after

    return with_state


def image_gradient(score: Callable, images: KerasTensor) -> KerasTensor:
    """Gradient of a scalar function of images; it can be differentiated again.

    Args:
        score: maps images to a scalar.
        images: float `(batch, height, width, channels)`.

    Returns:
        Of the shape of the images.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(score)(images)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        total = score(images)
    return tape.gradient(total, images)
