"""The training of a conditional GAN (pix2pix): label maps to aerial scenes, or clouds removed."""

import functools
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from keras_gen._util import progress
from keras_gen._util.arguments import as_pair
from keras_gen._util.keras_files import with_weights
from keras_gen.data.aerial import palette, readback, rendering
from keras_gen.data.batches import cloud_pairs, label_pairs
from keras_gen.data.scenes import HELD_OUT_SCENES, TRAINING_SCENES, Scenes
from keras_gen.inference.sampling import predict_in_batches
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator
from keras_gen.models.unet import unet_generator
from keras_gen.training import calibration, datasets
from keras_gen.training.adversarial import GAN_OPTIONS, adam, train_adversarially
from keras_gen.training.cards import gan_lines
from keras_gen.training.evaluation import Evaluator
from keras_gen.training.options import Pix2pixOptions
from keras_gen.training.runs import Run, training

SAMPLES = 4  # pairs on the sample sheet

SCENES = 192  # aerial scenes to train on

EVALUATION_SEED = 2**31  # added to the seed, so that evaluated pairs differ from those trained on


@training(Pix2pixOptions)
def train_pix2pix(options: Pix2pixOptions, run: Run) -> Path:
    """Train a conditional GAN (pix2pix, Isola et al. 2017): an image in, an image out.

    Args:
        options: what to train, and how. With `data="aerial"` it learns to turn label maps into
            scenes, else to remove clouds from pictures.
        run: where and how; `runs.training` says how both are given.

    Returns:
        The path of the `.keras` file. Contrast and mean colour of aerial scenes have been
        calibrated on training pairs, by `calibration.calibrate`.

    Raises:
        ValueError, FloatingPointError: as `train_gan` does.

    Example:
        train_pix2pix(directory="runs/map", data="aerial", steps=3000)
    """
    data = datasets.normalized_data(options.data)
    full, seed = as_pair(options.size), options.seed
    unit = 2 ** max(options.depth, options.levels)
    half = tuple(-(-side // (2 * unit)) * unit for side in full)
    part = as_pair(options.crop) if options.crop else half
    options = replace(
        options,
        data=data,
        crop=part,
        discriminator_rate=options.discriminator_rate or options.learning_rate,
    )
    final_evaluation_images = options.final_evaluation_images
    from_labels = data == "aerial"
    channels = len(palette.CLASSES) if from_labels else 3
    recorded = {"job": "pix2pix", **options.recorded()}
    run.check(recorded, options.resumable())
    keras.utils.set_random_seed(seed)

    def build(size, margin=0):
        return unet_generator(
            (*size, channels),
            global_residual=not from_labels,
            margin=margin,
            seed=2 * seed,
            **options.only("depth", "filters", "upsampling"),
        )

    whole = build(
        full, margin=2**options.depth
    )  # first, so that a size that does not fit is known at once
    model = GAN(
        build(part),
        gan_discriminator(
            (*part, 3), levels=options.levels, condition_channels=channels, seed=2 * seed + 1
        ),
        **options.only(*GAN_OPTIONS, "l1_weight", "seed"),
    )
    model.compile(adam(options.learning_rate), adam(options.discriminator_rate))
    pairs, names = _pairs(data, part, options.memory, run.console)

    def one_batch(count, salt):
        """A batch of pairs of its own: inputs and images."""
        batch = pairs(steps=1, batch_size=count, seed=seed + EVALUATION_SEED + salt)
        return (np.asarray(images) for images in next(iter(batch)))

    def evaluator(size, count, salt):
        """Of twice as many pairs, one half gives inputs and references; the other half shows how
        far real images are apart."""
        if from_labels:
            scenes = [rendering.scene(number, size) for number in HELD_OUT_SCENES[: 2 * count]]
            inputs = rendering.one_hot(np.stack([labels for labels, _ in scenes[:count]]))
            real = np.stack([image for _, image in scenes])
        else:
            inputs, real = one_batch(2 * count, salt)
        return Evaluator(np.float32(real), inputs[:count], batch_size=4)

    def evaluated(generator):
        """The generator for the size at which it is evaluated, and that size."""
        if from_labels:
            return generator, full
        return with_weights(build(part), generator), part

    def samples(generator):
        """The input, the generated and the real image, side by side."""
        generator, size = evaluated(generator)
        if from_labels:
            scenes = [rendering.scene(number, size) for number in HELD_OUT_SCENES[:SAMPLES]]
            labels, real = (np.stack(images) for images in zip(*scenes, strict=True))
            inputs, shown = rendering.one_hot(labels), rendering.colour(labels)
        else:
            inputs, real = one_batch(SAMPLES, 3)
            shown = inputs
        generated = predict_in_batches(generator, inputs, 1)
        triples = np.stack([shown, generated, np.float32(real)], axis=1)
        return triples.reshape(-1, *triples.shape[2:]), 6

    def report(generator):
        generator, size = evaluated(generator)
        final = evaluator(size, final_evaluation_images, 2)
        generated = final.generate(generator)
        real_scores, scores = final.real_scores, final.compare(generated)
        if from_labels:
            labels = final.inputs.argmax(axis=-1)
            for found, images in ((real_scores, final.reference), (scores, generated)):
                found["classes"] = np.mean(list(map(readback.class_agreement, images, labels)))
        other = "held-out scenes" if from_labels else "crops of the training images"
        comparison = f"{final_evaluation_images} images to as many {other}"
        return gan_lines(real_scores, scores, None, comparison)

    def calibrate(generator):
        half = max(2, final_evaluation_images // 2)
        inputs, real = one_batch(2 * half, 4)
        fitting = Evaluator(real, inputs[:half], batch_size=4)
        return calibration.calibrate(generator, fitting, real.mean((0, 1, 2), dtype=float))

    with progress.activity(run.console, "evaluating real images"):
        round_evaluator = evaluator(part, options.evaluation_images, 1)
    return train_adversarially(
        model,
        functools.partial(pairs, batch_size=options.batch_size, seed=seed),
        round_evaluator,
        run,
        name=f"pix2pix_{datasets.data_name(data, datasets.GAN_BUNDLED)}",
        report=report,
        # What is generated is added to the clouded picture, which has colours of its own.
        calibrate=calibrate if from_labels else None,
        finish=lambda generator: with_weights(whole, generator),
        samples=samples,
        trained_on=names,
        options=options,
        recorded=recorded,
    )


def _pairs(data, size, memory, console):
    """A function that makes batches of pairs, and the names of the images they are cropped from."""
    if data == "aerial":
        scenes = Scenes(TRAINING_SCENES[:SCENES], size=tuple(max(side, 256) for side in size))
        names = [f"aerial_{seed}" for seed in scenes.seeds]
        return functools.partial(label_pairs, scenes, size), names
    images, _ = datasets.read_images(data, size, memory, console)
    return functools.partial(cloud_pairs, images, size), images.names
