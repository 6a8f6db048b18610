"""The training of a GAN on images alone: which data, how it is evaluation_images, what it leaves."""

from pathlib import Path

import keras
import numpy as np
from rich.console import Console

from keras_gen._util import arguments, files, progress
from keras_gen.data.batches import crop_batch, image_batches, mean_colour
from keras_gen.inference import sampling
from keras_gen.metrics import diversity_and_copying
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator, gan_generator
from keras_gen.training import calibration, checkpoints, evaluation, sources
from keras_gen.training.adversarial import MAY_CHANGE, adam, train_adversarially
from keras_gen.training.gan_sources import BUNDLED, real_images, unseen_images
from keras_gen.training.schedules import InverseSquareRootDecay

EVALUATION_IMAGES = 24  # images, at each round


FINAL_EVALUATION_IMAGES = 96  # images, at the end


DRAWS = 4  # of as many, as any crops of a picture differ in what happens to be on them


SEARCHED = 64  # pixels a side, at least, for patches to be searched in the training images


def train_gan(
    *,
    directory: str | Path,
    data: str = "hubble",
    size: int | tuple[int, int] = 400,
    latent_dim: int = 128,
    upsampling: str = "bilinear",
    filters: tuple[int, ...] = (128, 96, 48, 24, 12),
    noise_channels: int = 4,
    normalize: bool = False,
    levels: int = 5,
    scales: tuple[int, ...] = (1, 4),
    loss: str = "relativistic",
    penalty: str = "first_order",
    gamma: float = 0.1,
    sigma: float = 0.005,
    noise: str = "white",
    augmentation: tuple[str, ...] = ("translation",),
    ema_half_life: float = 4000.0,
    steps: int = 1000,
    batch_size: int = 4,
    every: int = 100,
    learning_rate: float = 3e-4,
    discriminator_rate: float | None = None,
    warmup_steps: int = 100,
    hold_steps: int = 500,
    seed: int = 0,
    evaluation_images: int = EVALUATION_IMAGES,
    final_evaluation_images: int = FINAL_EVALUATION_IMAGES,
    resume: bool = False,
    memory_limit: int = 2 * 2**30,
    command: str = "",
    console: Console | None = None,
) -> Path:
    """Train an unconditional GAN and leave its generator as a `.keras` file, with a card.

    Args:
        directory: where everything is written.
        data: `"hubble"`, `"aerial"`, `"photos"`, or the path of a folder.
        size: side or `(height, width)` of the images.
        latent_dim, upsampling, filters, noise_channels, normalize: as in `gan_generator`.
        levels: as in `gan_discriminator`: its receptive field is 22, 46, 94 or 190 pixels for 3
            to 6 levels.
        scales: as in `gan_discriminator`: reductions of the image that it judges as well.
        loss, penalty, gamma, sigma, noise, augmentation, ema_half_life: as in `GAN`.
        steps: training steps.
        batch_size: images a step.
        every: steps between checkpoints, each with a judgement.
        learning_rate: Adam's highest, of the generator.
        discriminator_rate: of the discriminator; the same by default.
        warmup_steps, hold_steps: as in `FallingRate`: steps in which the rates rise, and after which they
            fall.
        seed: seed of weights, crops and everything random.
        evaluation_images: images drawn to judge each checkpoint.
        final_evaluation_images: images drawn to judge the result, four times; half as many to fit its colours and
            noise_channels by, as in `calibration.calibrate`.
        resume: go on with the training in `directory`.
        memory_limit: most bytes of a folder's pixels to keep in memory.
        command: the command line, for the card.
        console: where progress is shown.

    Returns:
        The path of the `.keras` file: the averaged generator of the state where that had the least
        sliced Wasserstein distance, each set of images normalised by itself, with the last touch of
        `calibration.calibrate`.

    Raises:
        ValueError: for options that do not fit together, data that cannot be used, or a directory
            that holds another training.
        FloatingPointError: if the training runs away or the generator collapses; the best state so
            far has then been written all the same.
    """
    console = console or progress.new_console()
    directory = files.expanded(directory)
    size = arguments.as_pair(size)
    data = str(data).rstrip("/\\") or str(data)
    options = {
        "job": "gan",
        "data": data,
        "size": arguments.show_size(size),
        "latent_dim": latent_dim,
        "upsampling": upsampling,
        "filters": "-".join(map(str, filters)),
        "noise_channels": noise_channels,
        "normalize": normalize,
        "levels": levels,
        "scales": "-".join(map(str, scales)),
        "loss": loss,
        "penalty": penalty,
        "gamma": gamma,
        "sigma": sigma,
        "noise": noise,
        "augmentation": "+".join(augmentation),
        "ema_half_life": ema_half_life,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "discriminator_rate": discriminator_rate or learning_rate,
        "warmup_steps": warmup_steps,
        "hold_steps": hold_steps,
        "evaluation_images": evaluation_images,
        "seed": seed,
    }
    checkpoints.check_directory(directory, resume=resume, options=options, may_change=MAY_CHANGE)
    keras.utils.set_random_seed(seed)
    model = GAN(
        gan_generator(
            latent_dim,
            size,
            upsampling=upsampling,
            filters=filters,
            noise_channels=noise_channels,
            normalize=normalize,
            seed=2 * seed,
        ),
        gan_discriminator((*size, 3), levels=levels, scales=scales, seed=2 * seed + 1),
        loss=loss,
        penalty=penalty,
        gamma=gamma,
        sigma=sigma,
        noise=noise,
        augmentation=augmentation,
        ema_half_life=ema_half_life,
        seed=seed,
    )
    rates = (learning_rate, discriminator_rate or learning_rate)
    model.compile(
        *(
            adam(InverseSquareRootDecay(rate, warmup_steps=warmup_steps, hold_steps=hold_steps))
            for rate in rates
        )
    )
    images, turn = real_images(data, size, memory_limit, console)
    with progress.activity(console, "judging real images"):
        real = crop_batch(images, size, 2 * evaluation_images, seed=(seed, 1), turn=turn)
        judge = evaluation.Evaluator(real, sampling.sample_latents(evaluation_images, latent_dim))
        colour = mean_colour(images, size)
    coloured = keras.Model.from_config(model.generator.get_config())

    def batches(first, last):
        return image_batches(
            images, size, first_step=first, steps=last, batch_size=batch_size, seed=seed, turn=turn
        )

    def colour_fitted(generator):
        """A copy with the mean colour of real images, as it will have in the end."""
        coloured.set_weights(generator.get_weights())
        calibration.fit_mean_colour(coloured, colour, judge.inputs)
        return coloured

    def touch(generator):
        half = max(2, final_evaluation_images // 2)
        real = crop_batch(images, size, 2 * half, seed=(seed, 4), turn=turn)
        fitting = evaluation.Evaluator(real, sampling.sample_latents(half, latent_dim, seed=2))
        return calibration.calibrate(generator, fitting, colour)

    def report(generator):
        real, drawn, unseen = [], [], []
        for draw in range(DRAWS):
            crop = crop_batch(
                images, size, 2 * final_evaluation_images, seed=(seed, 2, draw), turn=turn
            )
            proved = evaluation.Evaluator(
                crop, sampling.sample_latents(final_evaluation_images, latent_dim, seed=(1, draw))
            )
            samples = proved.draw(generator)
            real.append(proved.real_scores)
            drawn.append(proved.compare(samples))
            held_out = unseen_images(data, size, final_evaluation_images, seed=(seed, 3, draw))
            if held_out is not None:
                unseen.append(proved.compare(held_out))
        numbers, beside = _mean_and_range(drawn), {}
        if unseen:
            beside["held_out"] = _mean_and_range(unseen)
            if min(size) >= SEARCHED:
                whole = np.stack([images[place] for place in range(len(images))]) / np.float32(255)
                for batch, found in ((samples, numbers), (held_out, beside["held_out"])):
                    found["nearest"] = diversity_and_copying.nearest_patch_distance(
                        batch, whole, patches=10 * final_evaluation_images, shifts=2, turned=turn
                    )
        return _mean_and_range(real) | beside, numbers

    return train_adversarially(
        model,
        batches,
        judge,
        directory=directory,
        name=f"gan_{sources.data_name(data, BUNDLED)}",
        report=report,
        against=f"{final_evaluation_images} images to as many real crops of the training pictures, the mean (and the "
        f"range) of {DRAWS} draws of both",
        learned_from=images.names,
        judged_as=colour_fitted,
        best="swd_separate",  # brightness and contrast, to which it is blind, are fitted at the end
        touch=touch,
        steps=steps,
        every=every,
        resume=resume,
        options=options,
        command=command,
        console=console,
    )


def _mean_and_range(rows: list[dict]) -> dict:
    """Of several measurements the mean of each number, and their ranges as `range`."""
    values = {key: [row[key] for row in rows] for key in rows[0]}
    ranges = {key: (min(found), max(found)) for key, found in values.items()}
    return {key: float(np.mean(found)) for key, found in values.items()} | {"range": ranges}
