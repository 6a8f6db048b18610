"""Losses and gradients of one step of a GAN, from given arrays, on the current backend.

    KERAS_BACKEND=jax python -m tests.models.one_step DIRECTORY

reads the arrays that `test_backends.py` wrote there and writes this backend's results beside them.
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
AUGMENTATION = {"augmentation": ("translation", "colour", "cutout")}
CASES = {
    # The last bias's gradient cancels, and a stronger penalty leaves more rounding error in it.
    "as_trained": {"loss": "relativistic", "gamma": 0.01, "sigma": 0.015} | AUGMENTATION,
    "exact_slopes": {"loss": "hinge", "penalty": "r1_r2", "gamma": 1.0} | AUGMENTATION,
    "least_squares": {"loss": "least_squares", "penalty": "r1"} | AUGMENTATION,
    "sketch": {"loss": "minimax", "penalty": "none"},
    "pix2pix": {"loss": "non_saturating", "l1_weight": 10.0} | AUGMENTATION,
}


def build(case):
    """The GAN of a case, the same on every backend except for its weights."""
    options = CASES[case]
    keras.utils.set_random_seed(5)
    if "l1_weight" in options:
        condition = keras.Input((SIDE, SIDE, 2))
        features = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(condition))
        generator = keras.Model(
            condition, layers.Conv2D(3, 3, padding="same", activation="sigmoid")(features)
        )
        channels = 2
    else:
        generator, channels = gan_generator(LATENT, SIDE, filters=(16, 12, 8)), 0
    discriminator = gan_discriminator(
        (SIDE, SIDE, 3), levels=3, scales=(1, 2), filters=8, condition_channels=channels
    )
    gan = GAN(generator, discriminator, **options)
    gan.compile()
    return gan


def networks(gan):
    return {"generator": gan.generator, "discriminator": gan.discriminator}


def step(gan, real, condition, random_inputs):
    """One step's losses and gradients, and the weights that no gradient changes after it."""
    losses, gradients = losses_and_gradients(
        lambda: gan.compute_losses(ops.array(real), random_inputs, condition), networks(gan)
    )
    found = {f"losses/{name}": value for name, value in losses.items()}
    for name, network in networks(gan).items():
        for index, gradient in enumerate(gradients[name]):
            found[f"gradients/{name}/{index}"] = gradient
        for index, weight in enumerate(network.non_trainable_weights):
            found[f"not_trained/{name}/{index}"] = weight
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


def flat(tree, at=""):
    """Nested dicts and tuples of arrays as one dict, for `np.savez`."""
    if isinstance(tree, dict | tuple | list):
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return {k: v for name, part in pairs for k, v in flat(part, f"{at}/{name}").items()}
    return {at: ops.convert_to_numpy(tree)}


def nested(arrays, like, at=""):
    """The arrays of `flat` in the nested form of `like`."""
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
        random_inputs = nested(arrays, gan.sample_inputs(COUNT, (SIDE, SIDE, 3)))
        condition = ops.array(arrays["condition"]) if gan.conditional else None
        found = step(gan, arrays["real"], condition, random_inputs)
        np.savez(directory / f"{case}_done.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
