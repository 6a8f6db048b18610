"""Losses and gradients of one step of a GAN, from arrays alone, on the backend that Keras has.

    KERAS_BACKEND=jax python -m tests.models.one_step DIRECTORY

reads what `test_backends.py` wrote there, and writes what this backend makes of it beside it.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from keras_gen._util.gradients import losses_and_gradients
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator, gan_generator

SIDE, LATENT, COUNT = 32, 6, 4
GAME = {"augmentation": ("translation", "colour", "cutout")}
CASES = {
    # The stronger the penalty, the more rounding is left of what cancels in the last bias.
    "as_trained": {"loss": "relativistic", "gamma": 0.01, "sigma": 0.015} | GAME,
    "exact_slopes": {"loss": "hinge", "penalty": "r1_r2", "gamma": 1.0} | GAME,
    "least_squares": {"loss": "least_squares", "penalty": "r1"} | GAME,
    "sketch": {"loss": "minimax", "penalty": "none"},
    "pix2pix": {"loss": "non_saturating", "l1_weight": 10.0} | GAME,
}


def build(case):
    """The GAN of a case, the same on every backend but for its weights."""
    options = CASES[case]
    keras.utils.set_random_seed(5)
    if "l1_weight" in options:
        given = keras.Input((SIDE, SIDE, 2))
        drawn = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(given))
        generator = keras.Model(
            given, layers.Conv2D(3, 3, padding="same", activation="sigmoid")(drawn)
        )
        pairs = {"condition_channels": 2}
    else:
        generator, pairs = gan_generator(LATENT, SIDE, filters=(16, 12, 8)), {}
    discriminator = gan_discriminator((SIDE, SIDE, 3), levels=3, scales=(1, 2), filters=8, **pairs)
    gan = GAN(generator, discriminator, **options)
    gan.compile()
    return gan


def networks(gan):
    return {"generator": gan.generator, "discriminator": gan.discriminator}


def step(gan, real, given, draws):
    """One step's losses and gradients, and what it leaves in weights that do not learn."""
    losses, gradients = losses_and_gradients(
        lambda: gan.compute_losses(ops.array(real), draws, given), networks(gan)
    )
    found = {f"losses/{name}": value for name, value in losses.items()}
    for player, network in networks(gan).items():
        for index, gradient in enumerate(gradients[player]):
            found[f"gradients/{player}/{index}"] = gradient
        for index, weight in enumerate(network.non_trainable_weights):
            found[f"left/{player}/{index}"] = weight
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


def flat(tree, at=""):
    """Nested dicts and tuples of arrays as one dict, for `np.savez`."""
    if isinstance(tree, dict | tuple | list):
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return {k: v for name, part in pairs for k, v in flat(part, f"{at}/{name}").items()}
    return {at: ops.convert_to_numpy(tree)}


def nested(arrays, like, at=""):
    """The same back again, in the form of `like`."""
    if isinstance(like, dict):
        return {name: nested(arrays, part, f"{at}/{name}") for name, part in like.items()}
    if isinstance(like, tuple | list):
        parts = (nested(arrays, part, f"{at}/{name}") for name, part in enumerate(like))
        return type(like)(parts)
    return ops.convert_to_tensor(arrays[at])


def main(directory):
    for case in CASES:
        arrays = dict(np.load(directory / f"{case}.npz"))
        gan = build(case)
        for name, network in networks(gan).items():
            network.set_weights(
                [arrays[f"{name}/{index}"] for index in range(len(network.weights))]
            )
        draws = nested(arrays, gan.sample_inputs(COUNT, (SIDE, SIDE, 3)))
        given = ops.array(arrays["given"]) if gan.conditional else None
        np.savez(directory / f"{case}_done.npz", **step(gan, arrays["real"], given, draws))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
