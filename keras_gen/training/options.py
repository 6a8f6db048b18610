"""The options of every training, each declared once.

The command line, `options.json`, the card and the check on `--resume` all read these
declarations. Nothing here imports Keras, so that `--help` answers at once.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from keras_gen._util.arguments import Size, parse_size, show_size

LARGEST_SIDE = 2**16  # pixels; planning for millions of them would take minutes


@dataclass(frozen=True)
class Option:
    """What there is to say about an option, beside its name, its type and its default.

    Attributes:
        help: one line for `--help`.
        metavar: what its value is called there.
        panel: the heading under which it stands there.
        min, max: limits of a number, both included.
        flag: its name on the command line, where that is not `--name`.
        resumes: whether a training may resume with another value.
        recorded: whether it belongs to `options.json` and to the card.
        read: turns the text of the command line into the value, where its type does not.
        show: turns the value into what is recorded.
    """

    help: str
    metavar: str = "N"
    panel: str = "Training"
    min: float | None = None
    max: float | None = None
    flag: str | None = None
    resumes: bool = False
    recorded: bool = True
    read: Callable[[str], Any] | None = None
    show: Callable[[Any], Any] = lambda value: value

    def __call__(self, default: Any = MISSING) -> Any:
        """A dataclass field with this option's declaration and a default."""
        return field(default=default, metadata={"option": self})


def read_size(text: str) -> tuple[int, int]:
    """Read a size from the command line: 400, or 300x500."""
    size = parse_size(text)
    if max(size) > LARGEST_SIDE:
        raise ValueError(f"a side of {max(size)} pixels is too large; give at most {LARGEST_SIDE}")
    return size


def read_numbers(text: str) -> tuple[int, ...]:
    """Read whole numbers that are joined by `-`."""
    numbers = text.split("-")
    if not all(number.isdecimal() and 0 < int(number) <= 4096 for number in numbers):
        raise ValueError(f"{text!r} are no channels; write them like 128-96-64-32-16")
    return tuple(map(int, numbers))


def read_names(text: str) -> tuple[str, ...]:
    """Read names that are joined by `+`; `none` stands for no name."""
    return () if text == "none" else tuple(name.strip() for name in text.split("+"))


def join_names(names: tuple[str, ...]) -> str:
    """Write names as they are given on the command line."""
    return "+".join(names) or "none"


def size_option(help: str, panel: str = "Training", **settings) -> Option:
    """An option whose value is a size: an int, or (height, width)."""
    return Option(help, "SIZE", panel, read=read_size, show=show_size, **settings)


def numbers_option(help: str) -> Option:
    """An option whose value is several whole numbers."""
    return Option(help, "N-N-…", "Network", read=read_numbers, show=join_numbers)


def join_numbers(numbers: tuple[int, ...]) -> str:
    """Write whole numbers as they are given on the command line: 128-96-48."""
    return "-".join(map(str, numbers))


# Options of several trainings -------------------------------------------------------------------

EVERY = Option("Steps between checkpoints.", min=1, recorded=False)
SEED = Option("Seed of everything random.", min=0, max=2**31 - 1)
MEMORY = Option("GiB of a folder's pixels to keep in memory.", "GIB", min=0.01, recorded=False)
RATE = Option("Highest learning rate.", "RATE")
LOSS = Option("Loss, as Keras names it.", "NAME")
UPSAMPLING = Option("Upsampling method.", "NAME", "Network")
ACTIVATION = Option("Activation function.", "NAME", "Network")
CHANNELS = Option("Channels at full size.", panel="Network", min=1, max=1024)
DEPTH = Option("How often the size is halved.", panel="Network", min=1, max=12)

GENERATOR_RATE = Option("Generator's learning rate; may differ on --resume.", "RATE", resumes=True)
DISCRIMINATOR_RATE = Option("Discriminator's learning rate, likewise.", "RATE", resumes=True)
IMAGES = Option("Images a step.", min=1, max=4096)
LEVELS = Option(
    "Of the discriminator: 3 to 6 have receptive fields of 22, 46, 94, 190 pixels.",
    panel="Network",
    min=1,
    max=12,
)


def adversarial(help: str, metavar: str = "NAME", **settings) -> Option:
    """An option of the loss and its regularisation."""
    return Option(help, metavar, "Adversarial training", **settings)


GAMMA = adversarial(
    "Strength of the penalty; may differ on --resume, as may sigma and noise.",
    "G",
    min=0.0,
    resumes=True,
)
AUGMENTATION = adversarial(
    "On what the discriminator sees: translation, colour, cutout, joined by +; or none.",
    "NAMES",
    read=read_names,
    show=join_names,
)
EMA_HALF_LIFE = adversarial(
    "Half-life of the weight average, in images; may differ on --resume.", "N", resumes=True
)


class TrainingOptions:
    """What all options have in common: limits, and what is recorded of them."""

    def __post_init__(self):
        for one in fields(self):
            value, option = getattr(self, one.name), one.metadata["option"]
            too_small = option.min is not None and value is not None and value < option.min
            too_large = option.max is not None and value is not None and value > option.max
            if too_small or too_large:
                limits = f"at least {option.min}" + (
                    "" if option.max is None else f" and at most {option.max}"
                )
                raise ValueError(f"{one.name}={value} is out of range; give {limits}")

    def recorded(self) -> dict[str, Any]:
        """What `options.json` and the card hold: plain values by name."""
        values = {}
        for one in fields(self):
            value, option = getattr(self, one.name), one.metadata["option"]
            if option.recorded:
                values[one.name] = None if value is None else option.show(value)
        return values

    def only(self, *names: str) -> dict[str, Any]:
        """Some of the options as keyword arguments, for a network or a loss."""
        return {name: getattr(self, name) for name in names}

    @classmethod
    def resumable(cls) -> tuple[str, ...]:
        """Names of the options that may have other values when a training resumes."""
        return tuple(one.name for one in fields(cls) if one.metadata["option"].resumes)


@dataclass(frozen=True, kw_only=True)
class SimpleOptions(TrainingOptions):
    """Train the simple generator: a small image in, a large sharp one out."""

    data: str = Option(
        "photos, aerial (both bundled), or a folder of images.", "FOLDER", "Options"
    )("photos")
    scale: int | None = Option("Upscale pictures of any size by this factor, 2 to 16.", "Options")(
        None
    )
    size: Size | None = size_option("Or: output size, 400 or 300x500 (default 400).", "Options")(
        None
    )
    source: Size | None = size_option(
        "Input size that goes with it (default 64).", "Options", flag="--from"
    )(None)
    steps: int = Option("Training steps.", min=1)(1000)
    batch_size: int | None = Option(
        "Pairs a step (default 16 with --scale, else 4).", min=1, max=4096
    )(None)
    every: int = EVERY(200)
    learning_rate: float = RATE(1e-3)
    loss: str = LOSS("mean_squared_error")
    crop: Size | None = size_option(
        "Input size of the training pairs (default 24 with --scale, else --from)."
    )(None)
    seed: int = SEED(0)
    memory: float = MEMORY(2.0)
    upsampling: str = UPSAMPLING("transposed")
    activation: str = ACTIVATION("leaky_relu")
    residual: bool = Option("Residual blocks, or plain ones.", panel="Network")(True)
    filters: int = CHANNELS(48)
    blocks: int = Option("Blocks at the input's size.", panel="Network", min=0, max=256)(8)
    global_residual: bool = Option(
        "Add the output to a bicubic enlargement of the input, or not.", panel="Network"
    )(True)


@dataclass(frozen=True, kw_only=True)
class UnetOptions(TrainingOptions):
    """Train the U-Net: a picture or a label map in, a picture of the same size out."""

    task: str = Option(
        "labels (label map to aerial scene), upscale (small to large), or inpaint (remove clouds).",
        "TASK",
        "Options",
    )()
    data: str | None = Option(
        "photos, aerial, or a folder of images (default: aerial for labels, else photos).",
        "FOLDER",
        "Options",
    )(None)
    size: Size = size_option("Output size, 400 or 300x500.", "Options")(400)
    source: Size | None = size_option(
        "Input size of the task upscale (default 64).", "Options", flag="--from"
    )(None)
    steps: int = Option("Training steps.", min=1)(1000)
    batch_size: int = Option("Pairs a step.", min=1, max=4096)(8)
    every: int = EVERY(200)
    learning_rate: float = RATE(1e-3)
    loss: str | None = Option(
        "Loss, as Keras names it (default: absolute error for labels, else squared error).", "NAME"
    )(None)
    crop: Size | None = size_option(
        "Input size of the training pairs (default: half of the input, or a little more)."
    )(None)
    seed: int = SEED(0)
    memory: float = MEMORY(2.0)
    evaluation_images: int = Option(
        "Held-out aerial scenes for the card, with --task labels.", min=1
    )(200)
    depth: int = DEPTH(4)
    filters: int = Option(
        "Channels at full size; they double with each level, up to eightfold.",
        panel="Network",
        min=1,
        max=1024,
    )(12)
    skips: bool = Option("Skip connections, or none.", panel="Network")(True)
    residual: bool = Option("Residual levels, or plain ones.", panel="Network")(False)
    upsampling: str = UPSAMPLING("transposed")
    downsampling: str = Option("Downsampling: max or strided.", "NAME", "Network")("max")
    activation: str = ACTIVATION("leaky_relu")
    normalization: str | None = Option(
        "Normalisation: batch or group (default none).", "NAME", "Network"
    )(None)


@dataclass(frozen=True, kw_only=True)
class AdversarialOptions(TrainingOptions):
    """Options of both adversarial trainings."""

    size: Size = size_option("Output size, 400 or 300x500.", "Options")(400)
    steps: int = Option("Training steps; with --resume, more or fewer.", min=1, recorded=False)(
        1000
    )
    every: int = EVERY(100)
    seed: int = SEED(0)
    evaluation_images: int = Option("Images to evaluate a checkpoint with.", min=2)(24)
    final_evaluation_images: int = Option(
        "Images to evaluate the result with.", min=2, recorded=False
    )(96)
    memory: float = MEMORY(2.0)
    loss: str = adversarial(
        "minimax, minimax_as_written, non_saturating, hinge, relativistic or least_squares."
    )("relativistic")
    penalty: str = adversarial("On the discriminator's gradient: none, r1, r1_r2 or first_order.")(
        "first_order"
    )
    sigma: float = adversarial(
        "Noise of the first_order penalty; the discriminator overlooks finer detail.",
        "S",
        min=1e-4,
        max=1.0,
        resumes=True,
    )(0.005)
    noise: str = adversarial(
        "Kind of that noise: white, or natural, which lets fine detail count.", resumes=True
    )("white")
    upsampling: str = UPSAMPLING("bilinear")


@dataclass(frozen=True, kw_only=True)
class GanOptions(AdversarialOptions):
    """Train a GAN: new images like those it is trained on, from random numbers."""

    data: str = Option("hubble, aerial, photos, or a folder of images.", "FOLDER", "Options")(
        "hubble"
    )
    batch_size: int = IMAGES(4)
    learning_rate: float = GENERATOR_RATE(3e-4)
    discriminator_rate: float | None = DISCRIMINATOR_RATE(None)
    warmup_steps: int = Option("Steps in which the rates rise.", min=0)(100)
    hold_steps: int = Option("Steps after which the rates fall as 1/√step.", min=1, resumes=True)(
        500
    )
    gamma: float = GAMMA(0.1)
    augmentation: tuple[str, ...] = AUGMENTATION(("translation",))
    ema_half_life: float = EMA_HALF_LIFE(4000.0)
    latent_dim: int = Option("Length of the latents.", panel="Network", min=1, max=65536)(128)
    filters: tuple[int, ...] = numbers_option(
        "Channels of the first grid and of each stage that doubles it."
    )((128, 96, 48, 24, 12))
    noise_channels: int = Option(
        "Channels of fine detail sent past the stages.", panel="Network", min=0
    )(4)
    normalize: bool = Option("Group normalisation in the generator's stages.", panel="Network")(
        False
    )
    levels: int = LEVELS(5)
    scales: tuple[int, ...] = numbers_option("Reductions that the discriminator also looks at.")(
        (1, 4)
    )


@dataclass(frozen=True, kw_only=True)
class Pix2pixOptions(AdversarialOptions):
    """Train a conditional GAN: an image in, an image out that looks real beside it."""

    data: str = Option(
        "aerial: label map to scene; photos or a folder: remove clouds.", "FOLDER", "Options"
    )("aerial")
    crop: Size | None = size_option("Size of the training pairs (default half).")(None)
    batch_size: int = IMAGES(8)
    learning_rate: float = GENERATOR_RATE(4e-4)
    discriminator_rate: float | None = DISCRIMINATOR_RATE(2e-4)
    gamma: float = GAMMA(0.01)
    augmentation: tuple[str, ...] = AUGMENTATION(())
    ema_half_life: float = EMA_HALF_LIFE(1000.0)
    l1_weight: float = adversarial(
        "Weight of the absolute error in the generator's loss.", "W", min=0.0
    )(30.0)
    depth: int = DEPTH(4)
    filters: int = CHANNELS(12)
    levels: int = LEVELS(4)
