"""What is each part of the GAN's recipe worth? Train with all of it, and with each part left out.

    python benchmarks/gan_ablation.py

Every variant gets the same CPU minutes, not the same steps: a part that costs time must earn it.
Small size, 64×64 crops of the sky reduced by 2, so that all of it takes about an hour on one core.
It begins with the pair that everyone copies: a generator of transposed convolutions, batch
normalisation in both networks, Adam at 2e-4 with momentum 0.5 (Radford et al. 2016). Results are
kept as they come, in benchmarks/gan_ablation.json; a stopped run goes on. At the end the table,
gan_ablation.md, and what each variant draws, gan_ablation.jpg, are written.
"""

import argparse
import json
import re
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from PIL import Image, ImageDraw, ImageFont
from skimage.transform import downscale_local_mean

from keras_gen import contact_sheet
from keras_gen._util import files, machine
from keras_gen._util.pixels import to_uint8
from keras_gen.data import bundled
from keras_gen.data.batches import crop_batch, image_batches
from keras_gen.data.images import Images
from keras_gen.inference import sampling
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator, gan_generator
from keras_gen.training import adversarial, evaluation
from keras_gen.training.schedules import InverseSquareRootDecay

SIZE, LATENT, BATCH = 64, 64, 16
NETWORK = {"filters": (96, 64, 32, 16), "noise_channels": 4}
NETWORK |= {"upsampling": "bilinear", "normalize": False}
DISCRIMINATORS = {"levels": 4, "scales": (1, 4)}
SETTINGS = {
    "loss": "relativistic",
    "penalty": "first_order",
    "gamma": 0.1,
    "sigma": 0.005,
    "augmentation": ("translation",),
    "ema_half_life": 4000.0,
}
RATE = {"peak": 3e-4, "warmup_steps": 100, "hold_steps": 500}
VARIANTS = {
    "the sketch, as written": {"pair": "dcgan", "loss": "minimax_as_written"},
    "the sketch, sign corrected": {"pair": "dcgan", "loss": "minimax"},
    "DCGAN": {"pair": "dcgan", "loss": "non_saturating"},
    "the recipe": {},
    "… with the non-saturating loss": {"loss": "non_saturating"},
    "… with the hinge loss": {"loss": "hinge"},
    "… with a tenth of the penalty": {"gamma": 0.01},
    "… without the penalty": {"penalty": "none"},
    "… without augmentation": {"augmentation": ()},
    "… without the average": {"averaged": False},
    "… at a constant rate": {"constant": True},
    "… with momentum 0.5": {"momentum": 0.5},
    "… without the second scale": {"scales": (1,)},
    "… without the noise branch": {"noise_channels": 0},
    "… with group normalisation": {"normalize": True},
    "… with transposed convolutions": {"upsampling": "transposed"},
}
EVALUATION_IMAGES = 96
SHOWN = 8
SCORES = ("swd_separate", "swd_joint", "diversity", "checkerboard_2")
RESULT = Path(__file__).with_suffix(".json")


def sky(pictures):
    """Pictures of the sky, reduced by 2."""
    reduced = [downscale_local_mean(picture, (2, 2, 1)) for picture in pictures]
    pixels = [np.uint8(np.rint(picture)) for picture in reduced]
    return Images(["sky"] * len(pixels), pixels, [1.0] * len(pixels))


def dcgan(seed):
    """The pair of the tutorials: transposed convolutions, batch normalisation in both."""
    keras.utils.set_random_seed(seed)
    start = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02), "use_bias": False}
    latent = keras.Input((LATENT,))
    x = layers.Reshape((8, 8, 96))(layers.Dense(8 * 8 * 96, **start)(latent))
    for width in (64, 32, 16):
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2DTranspose(width, 4, strides=2, padding="same", **start)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    generator = keras.Model(latent, layers.Conv2D(3, 3, padding="same", activation="sigmoid")(x))
    image = x = keras.Input((SIZE, SIZE, 3))
    for index, width in enumerate((16, 32, 64, 128)):
        x = layers.Conv2D(width, 4, strides=2, padding="same", **start)(x)
        x = layers.BatchNormalization()(x) if index else x
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return generator, keras.Model(image, layers.Dense(1)(layers.Flatten()(x)))


def build(variant, seed):
    """The compiled GAN of a variant."""
    changes = VARIANTS[variant]
    if changes.get("pair") == "dcgan":
        networks = dcgan(seed)
        settings = {"loss": changes["loss"], "penalty": "none", "augmentation": ()}
        rates = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in networks]
    else:
        network, discriminator_options, settings = (
            {name: changes.get(name, value) for name, value in options.items()}
            for options in (NETWORK, DISCRIMINATORS, SETTINGS)
        )
        networks = (
            gan_generator(LATENT, SIZE, seed=2 * seed, **network),
            gan_discriminator((SIZE, SIZE, 3), seed=2 * seed + 1, **discriminator_options),
        )
        rate = RATE["peak"] if changes.get("constant") else InverseSquareRootDecay(**RATE)
        rates = [adversarial.adam(rate) for _ in networks]
        for optimizer in rates:
            optimizer.beta_1 = changes.get("momentum", optimizer.beta_1)
    gan = GAN(*networks, seed=seed, **settings)
    gan.compile(*rates)
    return gan


def run(variant, seed, minutes, images, evaluator, every=100):
    """Train for some CPU minutes, then evaluate: the scores, the steps and some images."""
    gan = build(variant, seed)
    changes = VARIANTS[variant]
    averaged = changes.get("averaged", changes.get("pair") != "dcgan")
    logs, spent, step = {}, 0.0, 0
    while spent < 60 * minutes:
        # The first step is not timed: building its graph costs as much as hundreds of others.
        last = step + every if step else 1
        batches = image_batches(
            images, SIZE, first_step=step, steps=last, batch_size=BATCH, seed=seed, turn=True
        )
        start = time.process_time()
        logs = gan.fit(batches, verbose=0, shuffle=False).history
        spent += time.process_time() - start if step else 0.0
        step = last
    generator = gan.averaged_generator if averaged else gan.generator
    numbers = evaluator(generator)
    row = {name: numbers[name] for name in SCORES}
    row |= {
        name: logs[name][-1] for name in ("gap", "discriminator_advantage", "generator_gradient")
    }
    row |= {"steps": step, "cpu_minutes": spent / 60}
    return row, evaluator.generate(generator, SHOWN)


def write(results, held_out):
    """The table and the picture."""
    seeds = sorted({int(seed) for rows in results["variants"].values() for seed in rows})
    lines = [
        "# What each part of the recipe is worth",
        "",
        f"{SIZE}×{SIZE} crops of the sky reduced by 2, {results['minutes']:g} CPU minutes each, "
        f"the last state, {len(seeds)} seeds: each number is their mean, in brackets the seeds. "
        f"{results['machine']}.",
        "",
        f"SWD is the sliced Wasserstein distance of {EVALUATION_IMAGES} images to as many real "
        "ones over that of real images to real ones; diversity is 1 − MS-SSIM of pairs over that "
        "of real images; checkerboard is the share of variance that repeats every 2 pixels, "
        "× 1000; separated is 0 where D is blind, 0.69 where it always recognises the real image "
        "of a pair.",
        "",
        "| variant | SWD, separately | jointly | diversity | checkerboard | separated | steps |",
        "|---|---|---|---|---|---|---|",
    ]

    def cell(rows, name, form, times=1.0):
        values = [times * row[name] for row in rows]
        each = ", ".join(f"{value:{form}}" for value in values)
        return f"{np.mean(values):{form}} ({each})" if len(values) > 1 else each

    for variant, by_seed in results["variants"].items():
        rows = [by_seed[seed] for seed in sorted(by_seed)]
        if not rows:
            continue
        cells = [
            cell(rows, "swd_separate", ".2f"),
            cell(rows, "swd_joint", ".2f"),
            cell(rows, "diversity", ".2f"),
            cell(rows, "checkerboard_2", ".2f", 1000),
            cell(rows, "discriminator_advantage", ".2f"),
            f"{np.mean([row['steps'] for row in rows]):.0f}",
        ]
        lines.append(f"| {variant} | {' | '.join(cells)} |")
    lines.append(
        f"| *held-out real images* | {held_out['swd_separate']:.2f} | {held_out['swd_joint']:.2f} "
        f"| {held_out['diversity']:.2f} | {1000 * held_out['checkerboard_2']:.2f} | – | – |"
    )
    files.atomic_write_text(RESULT.with_suffix(".md"), "\n".join(lines) + "\n")
    print("\n".join(lines))


def strip(images):
    """A row of pictures."""
    return contact_sheet(to_uint8(images), len(images))


def picture(results, directory, real):
    """What each variant drew from the same latents, named, below real images."""
    rows = [("real", real)]
    rows += [
        (name, np.load(file)) for name in VARIANTS if (file := drawn_in(directory, name)).exists()
    ]
    font = ImageFont.load_default(15)
    sheets = [strip(images) for _, images in rows]
    left, gap = 250, 6
    height, width = sheets[0].shape[:2]
    sheet = Image.new("RGB", (left + width, len(rows) * (height + gap) - gap), "white")
    draw = ImageDraw.Draw(sheet)
    for place, ((name, _), pixels) in enumerate(zip(rows, sheets, strict=True)):
        top = place * (height + gap)
        draw.text((4, top + height // 2), name, fill="black", font=font, anchor="lm")
        sheet.paste(Image.fromarray(pixels), (left, top))
    files.atomic_write(
        RESULT.with_suffix(".jpg"), lambda path: sheet.save(path, quality=90, optimize=True)
    )


def drawn_in(directory, variant):
    """Where the images that a variant drew are kept."""
    return directory / (re.sub(r"\W+", "_", variant).strip("_") + ".npy")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0, help="CPU minutes each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", default="runs/ablation", help="where the drawn images are kept")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    arguments = parser.parse_args()
    # One thread: minutes are not lost in waiting, and something else may run beside.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    directory = Path(arguments.out)
    directory.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    results = {
        "minutes": arguments.minutes,
        "machine": machine.machine(),
        "variants": {},
    } | results
    done = results["variants"]
    results["variants"] = {variant: done.get(variant, {}) for variant in VARIANTS}
    images = sky([bundled.photographs("train")["hubble"]])
    real = crop_batch(images, (SIZE, SIZE), 2 * EVALUATION_IMAGES, seed=(0, 1), turn=True)
    evaluator = evaluation.Evaluator(
        real, sampling.sample_latents(EVALUATION_IMAGES, LATENT), batch_size=32
    )
    # All variants with one seed first: a run that is stopped leaves something to compare.
    for seed in arguments.seeds:
        for variant in VARIANTS:
            done = results["variants"][variant]
            if variant not in arguments.only or str(seed) in done:
                continue
            keras.backend.clear_session()
            row, drawn = run(variant, seed, arguments.minutes, images, evaluator)
            done[str(seed)] = row
            if seed == arguments.seeds[0]:
                np.save(drawn_in(directory, variant), drawn)
            print(f"{variant}, seed {seed}: {adversarial.describe_adversarial(row)}", flush=True)
            files.atomic_write_text(
                RESULT, json.dumps(results, indent=1, ensure_ascii=False) + "\n"
            )
    unseen = crop_batch(
        sky([bundled.held_out_sky()[0]]), (SIZE, SIZE), EVALUATION_IMAGES, seed=(0, 2), turn=True
    )
    write(results, evaluator.compare(unseen))
    picture(results, directory, real[:SHOWN])


if __name__ == "__main__":
    main()
