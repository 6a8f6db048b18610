"""The commands `train gan` and `train pix2pix`. Keras is imported in their bodies only."""

from typing import Annotated

from keras_gen.cli.options import Memory, Out, Resume, Seed, Upsampling, option, train

# What both are asked.
Steps = Annotated[
    int,
    option("Training steps; with --resume, more or fewer.", min=1, metavar="N", panel="Training"),
]
Batch = Annotated[int, option("Images a step.", min=1, max=4096, metavar="N", panel="Training")]
Every = Annotated[
    int,
    option("Steps between checkpoints, each evaluated.", min=1, metavar="N", panel="Training"),
]
Rate = Annotated[
    float,
    option("Generator's learning rate; may differ on --resume.", metavar="RATE", panel="Training"),
]
OtherRate = Annotated[
    float | None,
    option("Discriminator's learning rate, likewise.", metavar="RATE", panel="Training"),
]
EvaluationImages = Annotated[
    int, option("Images to evaluate a checkpoint with.", min=2, metavar="N", panel="Training")
]
FinalImages = Annotated[
    int, option("Images to evaluate the result with.", min=2, metavar="N", panel="Training")
]
Loss = Annotated[
    str,
    option(
        "minimax, minimax_as_written, non_saturating, hinge, relativistic or least_squares.",
        metavar="NAME",
        panel="Adversarial training",
    ),
]
Penalty = Annotated[
    str,
    option(
        "On the discriminator's gradient: none, r1, r1_r2 or first_order.",
        metavar="NAME",
        panel="Adversarial training",
    ),
]
Gamma = Annotated[
    float,
    option(
        "Strength of the penalty; may differ on --resume, as may sigma and noise.",
        min=0.0,
        metavar="G",
        panel="Adversarial training",
    ),
]
Sigma = Annotated[
    float,
    option(
        "Noise of the first_order penalty; the discriminator overlooks finer detail.",
        min=1e-4,
        max=1.0,
        metavar="S",
        panel="Adversarial training",
    ),
]
Noise = Annotated[
    str,
    option(
        "Kind of that noise: white, or natural, which lets fine detail count.",
        metavar="NAME",
        panel="Adversarial training",
    ),
]
Augmentation = Annotated[
    str,
    option(
        "On what the discriminator sees: translation, colour, cutout, joined by +; or none.",
        metavar="NAMES",
        panel="Adversarial training",
    ),
]
HalfLife = Annotated[
    float,
    option(
        "Half-life of the weight average, in images; may differ on --resume.",
        metavar="N",
        panel="Adversarial training",
    ),
]
Levels = Annotated[
    int,
    option(
        "Of the discriminator: 3 to 6 have receptive fields of 22, 46, 94, 190 pixels.",
        min=1,
        max=12,
        metavar="N",
        panel="Network",
    ),
]


def train_gan(
    out: Out,
    data: Annotated[
        str, option("hubble, aerial, photos, or a folder of images.", metavar="FOLDER")
    ] = "hubble",
    size: Annotated[str, option("Size of the images, 400 or 300x500.", metavar="SIZE")] = "400",
    steps: Steps = 1000,
    batch_size: Batch = 4,
    every: Every = 100,
    learning_rate: Rate = 3e-4,
    discriminator_rate: OtherRate = None,
    warmup_steps: Annotated[
        int,
        option("Steps in which the rates rise.", min=0, metavar="N", panel="Training"),
    ] = 100,
    hold_steps: Annotated[
        int,
        option(
            "Steps after which the rates fall as 1/√step.", min=1, metavar="N", panel="Training"
        ),
    ] = 500,
    seed: Seed = 0,
    evaluation_images: EvaluationImages = 24,
    final_evaluation_images: FinalImages = 96,
    resume: Resume = False,
    memory: Memory = 2.0,
    loss: Loss = "relativistic",
    penalty: Penalty = "first_order",
    gamma: Gamma = 0.1,
    sigma: Sigma = 0.005,
    noise: Noise = "white",
    augmentation: Augmentation = "translation",
    ema_half_life: HalfLife = 4000.0,
    latent_dim: Annotated[
        int, option("Length of the latents.", min=1, max=65536, metavar="N", panel="Network")
    ] = 128,
    filters: Annotated[
        str,
        option(
            "Channels of the first grid and of each stage that doubles it.",
            metavar="N-N-…",
            panel="Network",
        ),
    ] = "128-96-48-24-12",
    noise_channels: Annotated[
        int,
        option(
            "Channels of fine detail sent past the stages.", min=0, metavar="N", panel="Network"
        ),
    ] = 4,
    normalize: Annotated[
        bool,
        option("Normalise each stage of the generator by groups.", panel="Network"),
    ] = False,
    levels: Levels = 5,
    scales: Annotated[
        str,
        option("Reductions the discriminator looks at, too.", metavar="N-N-…", panel="Network"),
    ] = "1-4",
    upsampling: Upsampling = "bilinear",
) -> None:
    """Train a GAN: new images like those it is trained on, from random numbers."""
    train(
        "gan",
        "train_gan",
        sizes={"size": size},
        directory=out,
        data=data,
        steps=steps,
        batch_size=batch_size,
        every=every,
        learning_rate=learning_rate,
        discriminator_rate=discriminator_rate,
        warmup_steps=warmup_steps,
        hold_steps=hold_steps,
        seed=seed,
        evaluation_images=evaluation_images,
        final_evaluation_images=final_evaluation_images,
        resume=resume,
        memory_limit=int(memory * 2**30),
        loss=loss,
        penalty=penalty,
        gamma=gamma,
        sigma=sigma,
        noise=noise,
        augmentation=_names(augmentation),
        ema_half_life=ema_half_life,
        latent_dim=latent_dim,
        filters=_numbers(filters),
        noise_channels=noise_channels,
        normalize=normalize,
        levels=levels,
        scales=_numbers(scales),
        upsampling=upsampling,
    )


def train_pix2pix(
    out: Out,
    data: Annotated[
        str,
        option(
            "aerial: label map to scene; photos or a folder: clouds taken away.", metavar="FOLDER"
        ),
    ] = "aerial",
    size: Annotated[str, option("Size of the images, 400 or 300x500.", metavar="SIZE")] = "400",
    crop: Annotated[
        str | None,
        option("Size of the training's pairs (default half).", metavar="SIZE", panel="Training"),
    ] = None,
    steps: Steps = 1000,
    batch_size: Batch = 8,
    every: Every = 100,
    learning_rate: Rate = 4e-4,
    discriminator_rate: OtherRate = 2e-4,
    seed: Seed = 0,
    evaluation_images: EvaluationImages = 24,
    final_evaluation_images: FinalImages = 96,
    resume: Resume = False,
    memory: Memory = 2.0,
    loss: Loss = "relativistic",
    penalty: Penalty = "first_order",
    gamma: Gamma = 0.01,
    sigma: Sigma = 0.005,
    noise: Noise = "white",
    augmentation: Augmentation = "none",
    ema_half_life: HalfLife = 1000.0,
    l1_weight: Annotated[
        float,
        option(
            "Weight of the absolute error in the generator's loss.",
            min=0.0,
            metavar="W",
            panel="Adversarial training",
        ),
    ] = 30.0,
    depth: Annotated[
        int, option("How often the U-Net halves.", min=1, max=12, metavar="N", panel="Network")
    ] = 4,
    filters: Annotated[
        int, option("Its channels at full size.", min=1, max=1024, metavar="N", panel="Network")
    ] = 12,
    levels: Levels = 4,
    upsampling: Upsampling = "bilinear",
) -> None:
    """Train a conditional GAN: an image in, an image out that looks real beside it."""
    train(
        "pix2pix",
        "train_pix2pix",
        sizes={"size": size, "crop": crop},
        directory=out,
        data=data,
        steps=steps,
        batch_size=batch_size,
        every=every,
        learning_rate=learning_rate,
        discriminator_rate=discriminator_rate or learning_rate,
        seed=seed,
        evaluation_images=evaluation_images,
        final_evaluation_images=final_evaluation_images,
        resume=resume,
        memory_limit=int(memory * 2**30),
        loss=loss,
        penalty=penalty,
        gamma=gamma,
        sigma=sigma,
        noise=noise,
        augmentation=_names(augmentation),
        ema_half_life=ema_half_life,
        l1_weight=l1_weight,
        depth=depth,
        filters=filters,
        levels=levels,
        upsampling=upsampling,
    )


def _names(text):
    """Names joined by +; none for none."""
    return () if text == "none" else tuple(name.strip() for name in text.split("+"))


def _numbers(text):
    """Whole numbers joined by -."""
    numbers = text.split("-")
    if not all(number.isdecimal() and 0 < int(number) <= 4096 for number in numbers):
        raise ValueError(f"{text!r} are no channels; write them like 128-96-64-32-16")
    return tuple(map(int, numbers))
