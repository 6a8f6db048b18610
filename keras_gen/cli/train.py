"""The commands `train simple` and `train unet`. Keras is imported in their bodies only."""

from typing import Annotated

from keras_gen.cli.options import Memory, Out, Resume, Seed, Upsampling, option, train

# What both are asked.
Steps = Annotated[int, option("Training steps.", min=1, metavar="N", panel="Training")]
Every = Annotated[int, option("Steps between checkpoints.", min=1, metavar="N", panel="Training")]
Rate = Annotated[float, option("Highest learning rate.", metavar="RATE", panel="Training")]
Activation = Annotated[str, option("Activation function.", metavar="NAME", panel="Network")]


def train_simple(
    out: Out,
    data: Annotated[
        str, option("photos, aerial (bundled both), or a folder of images.", metavar="FOLDER")
    ] = "photos",
    scale: Annotated[
        int | None, option("Upscale pictures of any size by this factor, 2 to 16.", metavar="N")
    ] = None,
    size: Annotated[
        str | None, option("Or: output size, 400 or 300x500 (default 400).", metavar="SIZE")
    ] = None,
    source: Annotated[
        str | None, option("Input size that goes with it (default 64).", "--from", metavar="SIZE")
    ] = None,
    steps: Steps = 1000,
    batch_size: Annotated[
        int | None,
        option(
            "Pairs a step (default 16 with --scale, else 4).",
            min=1,
            max=4096,
            metavar="N",
            panel="Training",
        ),
    ] = None,
    every: Every = 200,
    learning_rate: Rate = 1e-3,
    loss: Annotated[
        str, option("Loss, as Keras names it.", metavar="NAME", panel="Training")
    ] = "mean_squared_error",
    crop: Annotated[
        str | None,
        option(
            "Input size of the training pairs (default 24 with --scale, else --from).",
            metavar="SIZE",
            panel="Training",
        ),
    ] = None,
    seed: Seed = 0,
    resume: Resume = False,
    memory: Memory = 2.0,
    upsampling: Upsampling = "transposed",
    activation: Activation = "leaky_relu",
    residual: Annotated[bool, option("Residual blocks, or plain ones.", panel="Network")] = True,
    filters: Annotated[
        int, option("Channels at the input's size.", min=1, max=1024, metavar="N", panel="Network")
    ] = 48,
    blocks: Annotated[
        int, option("Blocks at the input's size.", min=0, max=256, metavar="N", panel="Network")
    ] = 8,
    global_residual: Annotated[
        bool,
        option("Add the output to a bicubic enlargement of the input, or not.", panel="Network"),
    ] = True,
) -> None:
    """Train the simple generator: a small image in, a large sharp one out."""
    train(
        "simple",
        "train_simple",
        sizes={"size": size, "source": source, "crop": crop},
        directory=out,
        data=data,
        scale=scale,
        upsampling=upsampling,
        activation=activation,
        residual=residual,
        filters=filters,
        blocks=blocks,
        global_residual=global_residual,
        steps=steps,
        batch_size=batch_size,
        every=every,
        learning_rate=learning_rate,
        loss=loss,
        seed=seed,
        resume=resume,
        memory_limit=int(memory * 2**30),
    )


def train_unet(
    task: Annotated[
        str,
        option(
            "labels (label map to aerial scene), upscale (small to large), or inpaint (remove "
            "clouds).",
            metavar="TASK",
        ),
    ],
    out: Out,
    data: Annotated[
        str | None,
        option(
            "photos, aerial, or a folder of images (default: aerial for labels, else photos).",
            metavar="FOLDER",
        ),
    ] = None,
    size: Annotated[str, option("Output size, 400 or 300x500.", metavar="SIZE")] = "400",
    source: Annotated[
        str | None,
        option("Input size of the task upscale (default 64).", "--from", metavar="SIZE"),
    ] = None,
    steps: Steps = 1000,
    batch_size: Annotated[
        int, option("Pairs a step.", min=1, max=4096, metavar="N", panel="Training")
    ] = 8,
    every: Every = 200,
    learning_rate: Rate = 1e-3,
    loss: Annotated[
        str | None,
        option(
            "Loss, as Keras names it (default: the absolute error for labels, else the squared).",
            metavar="NAME",
            panel="Training",
        ),
    ] = None,
    crop: Annotated[
        str | None,
        option(
            "Input size of the training pairs (default: half of the whole input, or a bit more).",
            metavar="SIZE",
            panel="Training",
        ),
    ] = None,
    seed: Seed = 0,
    resume: Resume = False,
    memory: Memory = 2.0,
    depth: Annotated[
        int, option("How often the size is halved.", min=1, max=12, metavar="N", panel="Network")
    ] = 4,
    filters: Annotated[
        int,
        option(
            "Channels at full size; they double with each level, up to eightfold.",
            min=1,
            max=1024,
            metavar="N",
            panel="Network",
        ),
    ] = 12,
    skips: Annotated[bool, option("Skip connections, or none.", panel="Network")] = True,
    residual: Annotated[bool, option("Residual levels, or plain ones.", panel="Network")] = False,
    upsampling: Upsampling = "transposed",
    downsampling: Annotated[
        str, option("Downsampling: max or strided.", metavar="NAME", panel="Network")
    ] = "max",
    activation: Activation = "leaky_relu",
    normalization: Annotated[
        str | None,
        option("Normalisation: batch or group (default none).", metavar="NAME", panel="Network"),
    ] = None,
) -> None:
    """Train the U-Net: a picture or a label map in, a picture of the same size out."""
    train(
        "unet",
        "train_unet",
        sizes={"size": size, "source": source, "crop": crop},
        task=task,
        directory=out,
        data=data,
        depth=depth,
        filters=filters,
        skips=skips,
        residual=residual,
        upsampling=upsampling,
        downsampling=downsampling,
        activation=activation,
        normalization=normalization,
        steps=steps,
        batch_size=batch_size,
        every=every,
        learning_rate=learning_rate,
        loss=loss,
        seed=seed,
        resume=resume,
        memory_limit=int(memory * 2**30),
    )
