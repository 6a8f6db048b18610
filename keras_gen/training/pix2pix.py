"""The training of a conditional GAN (pix2pix): label map → scene, clouded picture → clear."""

import functools
from pathlib import Path

import keras
import numpy as np
from rich.console import Console

from keras_gen._util import arguments, files, progress
from keras_gen.data import batches
from keras_gen.data.aerial import palette, readback, rendering
from keras_gen.data.scenes import HELD_OUT_SCENES, TRAINING_SCENES, Scenes
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator
from keras_gen.models.unet import unet_generator
from keras_gen.training import calibration, checkpoints, evaluation, sources
from keras_gen.training.adversarial import MAY_CHANGE, adam, train_adversarially
from keras_gen.training.gan import EVALUATION_IMAGES, FINAL_EVALUATION_IMAGES
from keras_gen.training.gan_sources import BUNDLED, SCENES

SHOWN = 4  # pairs on the sample sheet


def train_pix2pix(
    *,
    directory: str | Path,
    data: str = "aerial",
    size: int | tuple[int, int] = 400,
    crop: int | tuple[int, int] | None = None,
    depth: int = 4,
    filters: int = 12,
    upsampling: str = "bilinear",
    levels: int = 4,
    loss: str = "relativistic",
    penalty: str = "first_order",
    gamma: float = 0.01,
    sigma: float = 0.005,
    noise: str = "white",
    augmentation: tuple[str, ...] = (),
    l1_weight: float = 30.0,
    ema_half_life: float = 1000.0,
    steps: int = 1000,
    batch_size: int = 8,
    every: int = 100,
    learning_rate: float = 4e-4,
    discriminator_rate: float = 2e-4,
    seed: int = 0,
    evaluation_images: int = EVALUATION_IMAGES,
    final_evaluation_images: int = FINAL_EVALUATION_IMAGES,
    resume: bool = False,
    memory_limit: int = 2 * 2**30,
    command: str = "",
    console: Console | None = None,
) -> Path:
    """Train a conditional GAN (pix2pix, Isola et al. 2017): an image in, an image out.

    Args:
        directory: where everything is written.
        data: `"aerial"`: from a label map to the scene; `"photos"` or the path of a folder: from a
            clouded picture to the clear one.
        size: side or `(height, width)` of the images.
        crop: side or `(height, width)` of the pairs to learn from; half of the whole by default.
        depth, filters, upsampling: of the generator, as in `unet_generator`.
        levels: as in `gan_discriminator`.
        loss, penalty, gamma, sigma, noise, augmentation, l1_weight, ema_half_life: as in `GAN`.
        steps, batch_size, every, learning_rate, discriminator_rate, seed: as in `train_gan`.
        evaluation_images, final_evaluation_images: as in `train_gan`: pairs to judge a checkpoint, and the result, by.
        resume, memory_limit, command, console: as in `train_gan`.

    Returns:
        The path of the `.keras` file. A scene's contrast and mean colour have got the last touch of
        `calibration.calibrate`, from pairs to learn from.

    Raises:
        ValueError, FloatingPointError: as `train_gan` does.
    """
    console = console or progress.new_console()
    directory = files.expanded(directory)
    full = arguments.as_pair(size)
    unit = 2 ** max(depth, levels)
    part = (
        arguments.as_pair(crop) if crop else tuple(-(-side // (2 * unit)) * unit for side in full)
    )
    data = str(data).rstrip("/\\") or str(data)
    labels = data == "aerial"
    options = {
        "job": "pix2pix",
        "data": data,
        "size": arguments.show_size(full),
        "crop": arguments.show_size(part),
        "depth": depth,
        "filters": filters,
        "upsampling": upsampling,
        "levels": levels,
        "loss": loss,
        "penalty": penalty,
        "gamma": gamma,
        "sigma": sigma,
        "noise": noise,
        "augmentation": "+".join(augmentation),
        "l1_weight": l1_weight,
        "ema_half_life": ema_half_life,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "discriminator_rate": discriminator_rate,
        "evaluation_images": evaluation_images,
        "seed": seed,
    }
    checkpoints.check_directory(directory, resume=resume, options=options, may_change=MAY_CHANGE)
    keras.utils.set_random_seed(seed)
    channels = len(palette.CLASSES) if labels else 3

    def build(at, margin=0):
        settings = {"depth": depth, "filters": filters, "upsampling": upsampling}
        settings |= {"global_residual": not labels, "margin": margin}
        return unet_generator((*at, channels), seed=2 * seed, **settings)

    whole = build(full, margin=2**depth)  # first, so that a size that does not fit is known at once
    model = GAN(
        build(part),
        gan_discriminator(
            (*part, 3), levels=levels, condition_channels=channels, seed=2 * seed + 1
        ),
        loss=loss,
        penalty=penalty,
        gamma=gamma,
        sigma=sigma,
        noise=noise,
        augmentation=augmentation,
        l1_weight=l1_weight,
        ema_half_life=ema_half_life,
        seed=seed,
    )
    model.compile(adam(learning_rate), adam(discriminator_rate))
    pairs, names = _pairs(data, part, memory_limit, console)

    def judge(at, count, salt):
        """Of pairs that no training sees: half give inputs and reference, half only show how far
        real images are apart."""
        if labels:
            scenes = [rendering.scene(number, at) for number in HELD_OUT_SCENES[: 2 * count]]
            given = rendering.one_hot(np.stack([labels for labels, _ in scenes[:count]]))
            real = np.stack([image for _, image in scenes])
        else:
            settings = {"steps": 1, "batch_size": 2 * count, "seed": seed + 2**31 + salt}
            given, real = next(iter(pairs(**settings)))
            given, real = np.asarray(given)[:count], np.asarray(real)
        return evaluation.Evaluator(np.float32(real), given, batch_size=4)

    def at_full_size(generator):
        whole.set_weights(generator.get_weights())
        return whole

    def at_part_size(generator):
        trained = build(part)
        trained.set_weights(generator.get_weights())
        return trained

    def samples(generator):
        """What was given, what is drawn and what is real, side by side."""
        if labels:
            scenes = [rendering.scene(number, full) for number in HELD_OUT_SCENES[:SHOWN]]
            maps, real = (np.stack(images) for images in zip(*scenes, strict=True))
            given, shown = rendering.one_hot(maps), rendering.colour(maps)
        else:
            settings = {"steps": 1, "batch_size": SHOWN, "seed": seed + 2**31 + 3}
            given, real = (np.asarray(images) for images in next(iter(pairs(**settings))))
            generator, shown = at_part_size(generator), given
        drawn = np.concatenate([np.asarray(generator(one[None])) for one in given])
        triples = np.stack([shown, drawn, np.asarray(real, np.float32)], axis=1)
        return triples.reshape(-1, *triples.shape[2:]), 6

    def report(generator):
        proved = judge(full if labels else part, final_evaluation_images, 2)
        if not labels:
            return proved.real_scores, proved(at_part_size(generator))
        drawn = proved.draw(generator)
        maps = proved.inputs.argmax(axis=-1)
        read = {
            key: float(
                np.mean(
                    [readback.class_agreement(*pair) for pair in zip(images, maps, strict=True)]
                )
            )
            for key, images in (("real", proved.reference), ("generated", drawn))
        }
        return proved.real_scores | {"read": read["real"]}, proved(generator) | {
            "read": read["generated"]
        }

    def touch(generator):
        if not labels:
            return ""  # what is drawn is added to the clouded picture, which has its own colours
        half = max(2, final_evaluation_images // 2)
        settings = {"steps": 1, "batch_size": 2 * half, "seed": seed + 2**31 + 4}
        given, real = (np.asarray(images) for images in next(iter(pairs(**settings))))
        fitting = evaluation.Evaluator(real, given[:half], batch_size=4)
        return calibration.calibrate(generator, fitting, real.mean((0, 1, 2), dtype=float))

    with progress.activity(console, "judging real images"):
        first = judge(part, evaluation_images, 1)
    return train_adversarially(
        model,
        lambda first, last: pairs(first_step=first, steps=last, batch_size=batch_size, seed=seed),
        first,
        directory=directory,
        name=f"pix2pix_{sources.data_name(data, BUNDLED)}",
        finished=at_full_size,
        touch=touch,
        report=report,
        samples=samples,
        against=f"{final_evaluation_images} images to real ones{' that no training sees' if labels else ''}",
        learned_from=names,
        steps=steps,
        every=every,
        resume=resume,
        options=options,
        command=command,
        console=console,
    )


def _pairs(data, size, memory_limit, console):
    """A function that gives batches of pairs, and the names of what they are cut from."""
    if data == "aerial":
        scenes = Scenes(TRAINING_SCENES[: 2 * SCENES], size=_at_least(size, 256))
        names = [f"aerial_{seed}" for seed in scenes.seeds]
        return functools.partial(batches.label_pairs, scenes, size), names
    images, _ = sources.read_images(data, size, memory_limit, console)
    return functools.partial(batches.cloud_pairs, images, size), images.names


def _at_least(size, least):
    return tuple(max(side, least) for side in size)
