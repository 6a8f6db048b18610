"""A GAN of 16×16 pixels that trains in a moment, and what its tests have in common."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator, gan_generator

SIDE, LATENT = 16, 4


def some_images(count=8, side=SIDE, seed=0):
    return np.random.default_rng(seed).random((count, side, side, 3), np.float32)


def networks(seed=1):
    generator = gan_generator(LATENT, SIDE, filters=(8, 8), seed=seed)
    discriminator = gan_discriminator((SIDE, SIDE, 3), levels=2, filters=4, seed=seed + 1)
    return generator, discriminator


def small_gan(seed=1, **options):
    gan = GAN(*networks(seed), **options)
    optimizers = (keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2))
    gan.compile(*optimizers, run_eagerly=True)
    return gan


def small_conditional_gan(**options):
    condition = keras.Input((SIDE, SIDE, 2))
    generated = layers.Conv2D(3, 3, padding="same", activation="sigmoid")(
        layers.Dropout(0.5)(layers.BatchNormalization()(condition))
    )
    discriminator = gan_discriminator((SIDE, SIDE, 3), levels=2, filters=4, condition_channels=2)
    gan = GAN(keras.Model(condition, generated), discriminator, **options)
    gan.compile(run_eagerly=True)
    return gan


def recorded_step(gan, images, condition=None):
    """A step's random inputs and losses, a tape for the gradients, and both networks' weights."""
    random_inputs = gan.sample_inputs(len(images), images.shape[1:])
    with tf.GradientTape(persistent=True) as tape:
        losses = gan.compute_losses(
            ops.array(images),
            random_inputs,
            None if condition is None else ops.array(condition),
        )
    weights = {"generator": gan.generator, "discriminator": gan.discriminator}
    weights = {name: network.trainable_variables for name, network in weights.items()}
    return random_inputs, losses, tape, weights


def all_weights(model):
    return [np.array(weight) for weight in model.get_weights()]


def differences(before, after):
    return [np.abs(a - b).max() for a, b in zip(before, after, strict=True)]
