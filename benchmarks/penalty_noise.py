"""What does a discriminator overlook? Teach it one fault of the images, under a penalty.

    python benchmarks/penalty_noise.py

Real images are crops of aerial scenes, 64×64; the others are the same crops with one fault,
a noise of standard deviation 0.015: grain in colours alone, grey grain, or soft clouds. Nothing
else differs, so how well pairs are separated says how well the discriminator sees the fault. The
noise of the penalty is white or natural (`gan_losses.NOISES`). Two seeds, some minutes on two
cores; writes benchmarks/penalty_noise.json and penalty_noise.md.
"""

import itertools
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import random

from keras_gen._util import files
from keras_gen.data import batches
from keras_gen.data.scenes import TRAINING_SCENES, aerial_images
from keras_gen.models import gan_losses
from keras_gen.models.gan_networks import gan_discriminator
from keras_gen.training import adversarial

SIZE, BATCH, STEPS, SCENES = 64, 8, 400, 24
STRENGTH = 0.015
GAMMAS, SEEDS = (0.0005, 0.01), (0, 1)
SIGMA = 0.005
FAULTS = ("coloured grain", "grey grain", "soft clouds")
RESULT = Path(__file__).with_suffix(".json")


def fault(kind, shape, generator):
    """Noise of one kind: float32 `shape`, of standard deviation `STRENGTH`."""
    batch, height, width, channels = shape
    if kind == "soft clouds":
        noise = generator.standard_normal((batch, height // 16, width // 16, 1))
        noise = np.repeat(np.asarray(tf.image.resize(noise, (height, width))), channels, axis=-1)
    elif kind == "grey grain":
        noise = np.repeat(generator.standard_normal((batch, height, width, 1)), channels, axis=-1)
    else:
        noise = generator.standard_normal(shape)
        noise -= noise.mean(axis=-1, keepdims=True)
    return np.float32(STRENGTH * noise / noise.std())


def told_apart(kind, noise, gamma, seed, scenes):
    """Train a discriminator on a fault: how far from ln 2 its loss is on crops it has not seen."""
    discriminator = gan_discriminator((SIZE, SIZE, 3), levels=5, seed=seed)
    optimizer = adversarial.adam(5e-4)
    draws, noises = np.random.default_rng(seed), random.SeedGenerator(seed)
    rule = gan_losses.gan_loss("relativistic")

    @tf.function
    def step(real, faulty):
        with tf.GradientTape() as tape:
            scores = [discriminator(images) for images in (real, faulty)]
            loss = rule(*scores)[0]
            for images, score in zip((real, faulty), scores, strict=True):
                moved = SIGMA * gan_losses.penalty_noise(noise, tuple(images.shape), noises)
                loss += gan_losses.noise_penalty(
                    score, discriminator(images + moved), gamma=gamma, sigma=SIGMA
                )
        weights = discriminator.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)

    def pair(count, salt):
        real = batches.crop_batch(scenes, (SIZE, SIZE), count, seed=(seed, salt))
        return real, real + fault(kind, real.shape, draws)

    for number in range(STEPS):
        step(*pair(BATCH, number))
    real, faulty = (np.asarray(discriminator(images)) for images in pair(64, STEPS))
    return float(np.log(2) - np.logaddexp(0, faulty - real).mean())


def write(results):
    """The table."""
    lines = [
        "# What a discriminator overlooks under a penalty",
        "",
        f"By how much of ln 2 = 0.69 pairs are separated that differ in one fault of standard "
        f"deviation {STRENGTH}, after {STEPS} steps; σ = {SIGMA}; mean (and each) of "
        f"{len(SEEDS)} seeds.",
        "",
        "| γ | noise of the penalty | " + " | ".join(FAULTS) + " |",
        "|---|---|" + "---|" * len(FAULTS),
    ]
    for gamma, noise in itertools.product(GAMMAS, gan_losses.NOISES):
        cells = []
        for kind in FAULTS:
            found = results[f"{kind}, {noise}, {gamma}"]
            each = ", ".join(f"{value:.2f}" for value in found)
            cells.append(f"{np.mean(found):.2f} ({each})")
        lines.append(f"| {gamma} | {noise} | " + " | ".join(cells) + " |")
    files.atomic_write_text(RESULT.with_suffix(".md"), "\n".join([*lines, ""]))


def main():
    """All of it."""
    keras.utils.set_random_seed(0)
    scenes = aerial_images(TRAINING_SCENES[:SCENES])
    results = {}
    for kind, noise, gamma in itertools.product(FAULTS, gan_losses.NOISES, GAMMAS):
        name = f"{kind}, {noise}, {gamma}"
        results[name] = [told_apart(kind, noise, gamma, seed, scenes) for seed in SEEDS]
        print(name, [f"{value:.3f}" for value in results[name]], flush=True)
    files.atomic_write_text(RESULT, json.dumps(results, indent=1))
    write(results)


if __name__ == "__main__":
    main()
