"""The trainings of the command line: which model on which data, how it is judged, what it leaves.

Enlarging is judged on photographs that no training sees, against Pillow's bicubic enlargement, by
the protocol of the super-resolution papers: luma of 8-bit images, a border of 4 pixels left out.
"""

import itertools
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from rich.console import Console

from keras_gen import datasets, generating, metrics, paired, reporting, sheets, sizes, training
from keras_gen.simple import simple_generator

BORDER = 4
SMALLEST = 11 + 2 * BORDER  # SSIM needs a window of 11 within the border
SCALES = range(2, 17)
BUNDLED = ("photos", "aerial")
SCENES = 150  # aerial scenes to learn from, where there are no label maps to learn from
LEARNED_ON = 24  # side of the small crops from which an enlarger of any size learns
JUDGED, JUDGED_SIDE = 12, 600  # of a folder's held-out pictures: how many, and how much of each


def compare_with_bicubic(
    model: keras.Model,
    images: datasets.Images,
    scale: Fraction | int,
    *,
    resized: Callable[[keras.Model, tuple[int, int]], keras.Model] = generating.resized,
) -> list[dict]:
    """Judge an enlarger on whole pictures, beside Pillow's bicubic enlargement.

    Args:
        model: the generator; one of fixed size is resized to each picture, or where its layers do
            not allow that, given the middle of the picture.
        images: the pictures; each is cut to the largest size that the scale divides, and passed
            over where it is too small.
        scale: enlargement, `Fraction(25, 4)` for instance.
        resized: gives the same generator for small images of another size.

    Returns:
        One dict a picture: `name`, `psnr`, `ssim`, `bicubic_psnr`, `bicubic_ssim`, and the pictures
        `low`, `bicubic`, `drawn`, `truth` as uint8 arrays.
    """
    rows, scale = [], Fraction(scale)
    for name, picture in images:
        steps = [side // scale.numerator for side in picture.shape[:2]]
        low_size = tuple(step * scale.denominator for step in steps)
        high_size = tuple(step * scale.numerator for step in steps)
        fitting = _resized(model, low_size, high_size, resized)
        if fitting is not None:
            truth = picture[: high_size[0], : high_size[1]]
        else:
            fitting, low_size, high_size = model, model.input_shape[1:3], model.output_shape[1:3]
            if any(side < least for side, least in zip(picture.shape, high_size, strict=False)):
                continue
            truth = datasets.reduce(generating.middle(picture, high_size), high_size)
        low = datasets.reduce(truth, low_size)
        row = {"name": name, "low": low, "truth": truth}
        row["bicubic"] = datasets.enlarge_bicubic(low, high_size)
        row["drawn"] = generating.enlarge(fitting, low)
        for prefix, image in (("", row["drawn"]), ("bicubic_", row["bicubic"])):
            pair = (image / 255, truth / 255)
            row[f"{prefix}psnr"] = metrics.psnr(*pair, luma=True, border=BORDER)
            row[f"{prefix}ssim"] = metrics.ssim(*pair, luma=True, border=BORDER)
        rows.append(row)
    return rows


def _resized(model, low_size, high_size, resized=generating.resized):
    """The generator for another size, or None where its layers do not scale."""
    try:
        other = resized(model, low_size) if min(low_size) > 0 else None
    except ValueError:
        return None
    fits = other is not None and other.output_shape[1:3] in (high_size, (None, None))
    return other if fits else None


def train_simple(
    *,
    directory: str | Path,
    data: str = "photos",
    source: int | tuple[int, int] | None = None,
    size: int | tuple[int, int] | None = None,
    scale: int | None = None,
    upsampling: str = "transposed",
    activation: str = "leaky_relu",
    residual: bool = True,
    filters: int = 48,
    blocks: int = 8,
    base: bool = True,
    steps: int = 1000,
    batch_size: int | None = None,
    every: int = 200,
    learning_rate: float = 1e-3,
    loss: str = "mean_squared_error",
    crop: int | tuple[int, int] | None = None,
    seed: int = 0,
    resume: bool = False,
    memory_limit: int = 2 * 2**30,
    command: str = "",
    console: Console | None = None,
) -> Path:
    """Train a simple generator and leave a `.keras` file and a card in a directory.

    Args:
        directory: where everything is written.
        data: `"photos"` for the bundled photographs (with drawings), or the path of a folder.
        source: side or `(height, width)` of the input, where no `scale` is given; 64 by default.
        size: side or `(height, width)` of the output, where no `scale` is given; 400 by default.
        scale: instead of both: whole factor, 2 to 16, of a fully convolutional generator.
        upsampling, activation, residual, filters, blocks, base: as in `simple_generator`.
        steps: training steps.
        batch_size: pairs a step; 16 crops with `scale`, else 4 whole images.
        every: steps between checkpoints.
        learning_rate: highest learning rate.
        loss: one of `training.LOSSES`, named as in Keras.
        crop: side or `(height, width)` of the small image of a training pair: a smaller one makes
            a step cheaper, and convolutions do not mind the size. By default 24 with `scale`,
            else the whole input.
        seed: seed of weights, crops and augmentation.
        resume: go on with the training in `directory`.
        memory_limit: most bytes of a folder's pixels to keep in memory.
        command: the command line, for the card.
        console: where progress is shown.

    Returns:
        The path of the `.keras` file.

    Raises:
        ValueError: for options that do not fit together, data that cannot be used, or a directory
            that holds another training.
        FloatingPointError: if the training runs away.

    Example:
        train_simple(directory="runs/x4", scale=4, steps=2000)
    """
    console = console or reporting.new_console()
    directory = datasets.expanded(directory)
    full, full_high, title = _plan(source, size, scale)
    factor = Fraction(full_high[0], full[0])
    low, high = (full, full_high) if crop is None else crop_sizes(crop, factor)
    if min(high) < SMALLEST:
        raise ValueError(
            f"training images of {sizes.show_size(high)} are too small to be judged; make them at "
            f"least {SMALLEST} on either side"
        )
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate={learning_rate} is not a number above 0; try 0.001")
    network = {
        "upsampling": upsampling,
        "activation": activation,
        "residual": residual,
        "filters": filters,
        "blocks": blocks,
        "base": base,
    }
    batch_size = batch_size or (16 if scale else 4)
    options = {
        "job": title,
        "data": str(data).rstrip("/\\") or str(data),
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "loss": loss,
        "crop": sizes.show_size(low),
        "seed": seed,
        **network,
    }
    if scale is None:
        route = sizes.routes(full_high, source=full)[0]
        options["route"] = str(route)
    training.check_directory(directory, resume=resume, options=options)
    keras.utils.set_random_seed(seed)
    if scale is not None:
        model = simple_generator((None, None, 3), scale=scale, seed=seed, **network)
    else:
        model = simple_generator((*full, 3), full_high, route=route, seed=seed, **network)
        model = _resized(model, low, high)
        if model is None:
            raise ValueError(
                f"--crop {sizes.show_size(low)} does not fit the layers that lead through {route}; "
                "try another, or leave it out"
            )
    training.compile_for_images(model, steps=steps, learning_rate=learning_rate, loss=loss)
    training_images, test_images = read_images(data, high, memory_limit, console)
    options["picture_digest"] = picture_digest(training_images)

    def batches(first, last):
        return datasets.pairs(
            training_images,
            low,
            high,
            steps=last,
            first_step=first,
            batch_size=batch_size,
            seed=seed,
        )

    def preview(model):
        rows = compare_with_bicubic(model, test_images, factor)
        return (closeups(enlargements(rows)), means(rows)) if rows else (None, {})

    def report(model):
        rows = compare_with_bicubic(model, test_images, factor)
        return enlargement_lines(rows, middles=data != "photos")

    return run(
        model,
        batches,
        preview,
        directory=directory,
        name=f"{title}_{data_name(data)}",
        finished=lambda model: generating.resized(model, full),
        report=report,
        learned_from=training_images.names,
        steps=steps,
        every=every,
        resume=resume,
        options=options,
        command=command,
        console=console,
    )


def run(
    model: keras.Model,
    batches: Callable,
    preview: Callable,
    *,
    directory: Path,
    name: str,
    report: Callable[[keras.Model], list[str]],
    finished: Callable[[keras.Model], keras.Model] = lambda model: model,
    learned_from: Sequence[str],
    steps: int,
    every: int,
    resume: bool,
    options: dict,
    command: str,
    console: Console,
) -> Path:
    """Train a compiled model, and leave a `.keras` file and its card: what all trainings end with.

    Args:
        model, batches, preview, directory, steps, every, resume, options, console: as in
            `training.train`.
        name: name of the file and of the card.
        report: gives the card's lines on what the finished generator can do.
        finished: turns the trained model into the one to save: for another size, for instance.
        learned_from: names of the pictures trained on.
        command: the command line, for the card.

    Returns:
        The path of the `.keras` file.
    """
    outcome = training.train(
        model,
        batches,
        directory=directory,
        steps=steps,
        every=every,
        preview=preview,
        resume=resume,
        options=options,
        may_change=("picture_digest",),
        console=console,
    )
    with reporting.activity(console, "judging the result and writing it"):
        path = directory / f"{name}.keras"
        model = finished(model)
        training.save_generator(model, path)
        history = outcome.history
        lines = card_head(name, model, options, history, learned_from, command)
        lines += [f"| last loss | {history[-1]['loss'] if history else math.nan:.4f} |", ""]
        lines += report(model)
        training.write_text(path.with_name(f"{name}.md"), "\n".join(lines))
    console.print(f"wrote {path} and its card", soft_wrap=True)
    return path


def data_name(data: str | Path, bundled: Sequence[str] = BUNDLED) -> str:
    """The data's part of a generator's name: a folder's own name, or what is bundled."""
    return str(data) if data in bundled else datasets.expanded(data).resolve().name


def _plan(source, size, scale):
    """Sizes of the small and the large image of a pair, and the job's name."""
    given = [name for name, value in (("size", size), ("from", source)) if value is not None]
    if scale is not None:
        if given:
            raise ValueError(
                f"--scale and --{given[0]} were both given; give --scale alone to enlarge pictures "
                "of any size, or --from and --size for one size"
            )
        if scale not in SCALES:
            raise ValueError(
                f"--scale {scale} is out of range; give a whole number from {SCALES[0]} to "
                f"{SCALES[-1]}"
            )
        return (LEARNED_ON,) * 2, (LEARNED_ON * scale,) * 2, f"simple_x{scale}"
    high = sizes.as_pair(400 if size is None else size, "size")
    low = small_size(source, high)
    return low, high, f"simple_{short(low)}to{short(high)}"


def small_size(source: int | tuple[int, int] | None, high: tuple[int, int]) -> tuple[int, int]:
    """Read the size of the small picture of a pair, 64 by default.

    Raises:
        ValueError: if it has other proportions than the large one, or is no smaller.
    """
    low = sizes.as_pair(64 if source is None else source, "source")
    shown = f"from {sizes.show_size(low)} to {sizes.show_size(high)}"
    if low[0] * high[1] != low[1] * high[0]:
        raise ValueError(f"{shown} stretches the picture; give both sizes the same proportions")
    if low[0] >= high[0]:
        raise ValueError(f"{shown} enlarges nothing; give a --from that is smaller than --size")
    return low


def crop_sizes(
    crop: int | tuple[int, int], factor: Fraction
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Give the sizes of a crop of the small picture, and of the large one that belongs to it.

    Raises:
        ValueError: if the large one would have parts of pixels.
    """
    crop = sizes.as_pair(crop, "crop")
    high = tuple(side * factor for side in crop)
    if any(side.denominator != 1 for side in high):
        raise ValueError(
            f"a crop of {sizes.show_size(crop)}, enlarged by {factor}, is no whole number of "
            f"pixels; use a multiple of {factor.denominator}"
        )
    return crop, tuple(int(side) for side in high)


def read_images(
    data: str | Path, size: tuple[int, int], memory_limit: int, console: Console
) -> tuple[datasets.Images, datasets.Images]:
    """Read the pictures to train on and those to judge by; name what is skipped.

    Args:
        data: `"photos"`, `"aerial"`, or the path of a folder.
        size: `(height, width)` of the crops to train on.
        memory_limit: most bytes of a folder's pixels to keep in memory.
        console: where progress is shown.

    Returns:
        Training and held-out pictures.

    Raises:
        ValueError: if nothing can be read or nothing is large enough.
    """

    def shown(what):
        return lambda items: reporting.tracked(console, items, what)

    if data == "photos":
        if Path(data).is_dir():
            console.print("taking the bundled photographs; for the folder, write --data ./photos")
        with reporting.activity(console, "reading the photographs"):
            images, held_out = datasets.photographs("train"), datasets.photographs("test")
        drawn = datasets.with_drawings(images, progress=shown("drawing leaves and letters"))
        return drawn.at_least(size), held_out
    if data == "aerial":
        images, held_out = (
            paired.aerial_images(seeds, progress=shown("drawing aerial scenes"))
            for seeds in (paired.TRAINED_ON[:SCENES], paired.HELD_OUT[:JUDGED])
        )
        return images.at_least(size), held_out
    images = datasets.folder(
        data,
        memory_limit=memory_limit,
        shorter_side=max(1024, 2 * max(size)),
        progress=shown("reading pictures"),
    )
    read = len(images.skipped)
    reporting.print_skipped(console, images.skipped)
    images = images.at_least(size)
    reporting.print_skipped(console, images.skipped[read:])
    if images.note:
        console.print(images.note)
    train, held_out = images.split(share=0.1)
    console.print(f"pictures to train on: {len(train)}, held out: {len(held_out)}")
    return train, _judged(held_out)


def _judged(images):
    """Some of the held-out pictures, and the middle of them, so that judging takes seconds."""
    few = datasets.Images()
    for place in range(0, len(images), -(-len(images) // JUDGED) or 1):
        picture = images[place]
        size = tuple(min(side, JUDGED_SIDE) for side in picture.shape[:2])
        top, left = ((all_ - side) // 2 for all_, side in zip(picture.shape, size, strict=False))
        few.append(images.names[place], picture[top : top + size[0], left : left + size[1]], 1.0)
    return few


def picture_digest(images: datasets.Images) -> str:
    """Give a number for the pictures, by which a changed folder is noticed."""
    number = 0
    for name, picture in images:
        number = zlib.crc32(f"{name} {picture.shape} ".encode("utf-8", "replace"), number)
        number = zlib.crc32(np.ascontiguousarray(picture), number)
    return f"{number:08x}"


def means(rows: list[dict]) -> dict[str, float]:
    """Give a history's numbers, from what `compare_with_bicubic` gives."""
    psnr, bicubic = (np.mean([row[name] for row in rows]) for name in ("psnr", "bicubic_psnr"))
    return {"held_out_psnr": float(psnr), "gain": float(psnr - bicubic)}


def enlargements(rows: list[dict]) -> Iterator[list[np.ndarray]]:
    """Give a preview's rows of pictures: input, bicubic, drawn, truth."""
    for row in rows:
        height, width = row["truth"].shape[:2]
        low = Image.fromarray(row["low"]).resize((width, height), Image.Resampling.NEAREST)
        yield [np.asarray(low), row["bicubic"], row["drawn"], row["truth"]]


def closeups(rows: Iterable[Sequence[np.ndarray]], *, side: int = 320) -> np.ndarray:
    """Lay the middles of pictures out in rows, on white where one is smaller.

    Args:
        rows: uint8 pictures `(height, width, 3)`, as many in each row.
        side: pixels of each middle.

    Returns:
        uint8 array of shape `(height, width, 3)`.
    """
    rows = [[_middle_of(picture, side) for picture in row] for row in rows]
    return sheets.contact_sheet(list(itertools.chain(*rows)), columns=len(rows[0]), gap=6)


def _middle_of(picture, side):
    height, width = picture.shape[:2]
    cut = min(side, height, width)
    top, left = (height - cut) // 2, (width - cut) // 2
    middle = picture[top : top + cut, left : left + cut]
    room = ((0, side - cut), (0, side - cut), (0, 0))
    return np.pad(middle, room, constant_values=255)


def card_head(
    name: str,
    model: keras.Model,
    options: dict,
    history: list[dict],
    learned_from: Sequence[str],
    command: str,
) -> list[str]:
    """Write what every card begins with: what was trained, on what, by which command, how long.

    Args:
        name: the generator's name.
        model: the generator.
        options: what the training was asked for.
        history: of the training.
        learned_from: names of the pictures trained on.
        command: the command line.

    Returns:
        Lines of Markdown; the last ones are rows of a table, which may go on.
    """
    last = history[-1] if history else dict.fromkeys(["minutes", "cpu_minutes"], math.nan)
    return [
        f"# {name}",
        "",
        f"{model.count_params():,} parameters, a functional Keras model of stock layers.",
        "",
        "| | |",
        "|---|---|",
        f"| command | `{command}` |",
        *(f"| {key.replace('_', ' ')} | {value} |" for key, value in options.items()),
        f"| pictures | {len(learned_from)}: {_listed(learned_from)} |",
        f"| time | {last['minutes']:.1f} minutes, {last['cpu_minutes']:.1f} CPU minutes |",
        f"| machine | {training.machine()} |",
    ]


def enlargement_lines(rows: list[dict], *, middles: bool = False) -> list[str]:
    """Write a card's table on an enlarger.

    Args:
        rows: what `compare_with_bicubic` gives.
        middles: whether only the middles of the pictures were judged.

    Returns:
        Lines of Markdown; none without rows.
    """
    if not rows:
        return [""]
    few = f" Of at most {JUDGED} pictures, the middle {JUDGED_SIDE}×{JUDGED_SIDE} pixels."
    note = few if middles else ""
    lines = [
        "Held-out pictures, PSNR in dB and SSIM on the luma of 8-bit images, a border of "
        f"{BORDER} pixels left out; the input is Pillow's bicubic reduction, and bicubic is "
        f"Pillow's enlargement of it.{note}",
        "",
        "| picture | bicubic PSNR | PSNR | gain | bicubic SSIM | SSIM |",
        "|---|---|---|---|---|---|",
    ]
    table = [[row[key] for key in ("bicubic_psnr", "psnr", "bicubic_ssim", "ssim")] for row in rows]
    names = [row["name"] for row in rows]
    for label, (bicubic, psnr, bicubic_ssim, ssim) in [
        *zip(names, table, strict=True),
        ("**mean**", np.mean(table, axis=0)),
    ]:
        lines.append(
            f"| {label} | {bicubic:.2f} | {psnr:.2f} | {psnr - bicubic:+.2f} "
            f"| {bicubic_ssim:.4f} | {ssim:.4f} |"
        )
    return [*lines, ""]


def _listed(names, most=20):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return reporting.one_line(", ".join(names[:most])).replace("|", "\\|") + more


def short(size: tuple[int, int]) -> str:
    """Write a size as it stands in names: `400`, or `300x500`."""
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"
