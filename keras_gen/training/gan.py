"""The training of an unconditional GAN: from random latents to images like those it is shown."""

import functools
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from keras_gen._util import progress
from keras_gen._util.arguments import as_pair
from keras_gen._util.keras_files import with_weights
from keras_gen.data.batches import crop_batch, image_batches, mean_colour
from keras_gen.inference.sampling import sample_latents
from keras_gen.metrics.diversity_and_copying import nearest_patch_distance
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator, gan_generator
from keras_gen.training import calibration, datasets
from keras_gen.training.adversarial import GAN_OPTIONS, adam, train_adversarially
from keras_gen.training.cards import gan_lines
from keras_gen.training.evaluation import Evaluator
from keras_gen.training.options import GanOptions
from keras_gen.training.runs import Run, training
from keras_gen.training.schedules import InverseSquareRootDecay

FINAL_EVALUATIONS = 4  # with other crops and latents, which make a difference

SMALLEST_FOR_PATCHES = 64  # pixels a side, for patches to be searched in the training images


@training(GanOptions)
def train_gan(options: GanOptions, run: Run) -> Path:
    """Train an unconditional GAN and leave its generator as a `.keras` file, with a card.

    Args:
        options: what to train, and how.
        run: where and how; `runs.training` says how both are given.

    Returns:
        The path of the `.keras` file: the averaged generator of the state with the lowest
        separately normalised sliced Wasserstein distance, after `calibration.calibrate`.

    Raises:
        ValueError: for options that do not fit together, data that cannot be used, or a directory
            that holds another training.
        FloatingPointError: if the training diverges or the generator collapses; the best state so
            far has then been saved all the same.

    Example:
        train_gan(directory="runs/sky", data="hubble", steps=6000)
    """
    data = datasets.normalized_data(options.data)
    options = replace(
        options,
        data=data,
        size=as_pair(options.size),
        discriminator_rate=options.discriminator_rate or options.learning_rate,
    )
    size, seed, latent_dim = options.size, options.seed, options.latent_dim
    final_evaluation_images = options.final_evaluation_images
    recorded = {"job": "gan", **options.recorded()}
    run.check(recorded, options.resumable())
    keras.utils.set_random_seed(seed)
    network = options.only("upsampling", "filters", "noise_channels", "normalize")
    discriminator = options.only("levels", "scales")
    model = GAN(
        gan_generator(latent_dim, size, seed=2 * seed, **network),
        gan_discriminator((*size, 3), seed=2 * seed + 1, **discriminator),
        **options.only(*GAN_OPTIONS, "seed"),
    )
    model.compile(
        *(
            adam(InverseSquareRootDecay(rate, **options.only("warmup_steps", "hold_steps")))
            for rate in (options.learning_rate, options.discriminator_rate)
        )
    )
    images, turn = datasets.read_gan_images(data, size, options.memory, run.console)

    def evaluator(count, crop_seed, latent_seed):
        """Compares images generated from `count` latents with as many random crops."""
        real = crop_batch(images, size, 2 * count, seed=crop_seed, turn=turn)
        return Evaluator(real, sample_latents(count, latent_dim, seed=latent_seed))

    with progress.activity(run.console, "evaluating real images"):
        round_evaluator = evaluator(options.evaluation_images, (seed, 1), 0)
        colour = mean_colour(images, size)
    with_fitted_colour = keras.Model.from_config(model.generator.get_config())

    def fit_colour(generator):
        """A copy with the mean colour of real images, as the result will have it."""
        with_weights(with_fitted_colour, generator)
        calibration.fit_mean_colour(with_fitted_colour, colour, round_evaluator.inputs)
        return with_fitted_colour

    def calibrate(generator):
        half = max(2, final_evaluation_images // 2)
        return calibration.calibrate(generator, evaluator(half, (seed, 4), 2), colour)

    def report(generator):
        real, generated, held_out = [], [], []
        for number in range(FINAL_EVALUATIONS):
            final = evaluator(final_evaluation_images, (seed, 2, number), (1, number))
            samples = final.generate(generator)
            real.append(final.real_scores)
            generated.append(final.compare(samples))
            unseen = datasets.held_out_gan_images(
                data, size, final_evaluation_images, seed=(seed, 3, number)
            )
            if unseen is not None:
                held_out.append(final.compare(unseen))
        real, generated, held_out = map(_mean_and_range, (real, generated, held_out))
        if held_out and min(size) >= SMALLEST_FOR_PATCHES:
            training = np.stack(images.pictures) / np.float32(255)
            for scores, candidates in ((generated, samples), (held_out, unseen)):
                scores["nearest"] = nearest_patch_distance(
                    candidates,
                    training,
                    patches=10 * final_evaluation_images,
                    shifts=2,
                    turned=turn,
                )
        comparison = (
            f"{final_evaluation_images} images to as many real crops of the training images; the "
            f"numbers are means (and ranges) of {FINAL_EVALUATIONS} such evaluations"
        )
        return gan_lines(real, generated, held_out, comparison)

    return train_adversarially(
        model,
        functools.partial(
            image_batches, images, size, batch_size=options.batch_size, seed=seed, turn=turn
        ),
        round_evaluator,
        run,
        name=f"gan_{datasets.data_name(data, datasets.GAN_BUNDLED)}",
        report=report,
        prepare=fit_colour,
        calibrate=calibrate,
        trained_on=images.names,
        best="swd_separate",  # it ignores brightness and contrast, which are calibrated at the end
        options=options,
        recorded=recorded,
    )


def _mean_and_range(rows):
    """The mean of each number over several evaluations, and their ranges as `range`."""
    if not rows:
        return None
    values = {key: [row[key] for row in rows] for key in rows[0]}
    ranges = {key: (min(found), max(found)) for key, found in values.items()}
    return {key: float(np.mean(found)) for key, found in values.items()} | {"range": ranges}
