"""The trainings of the command line: which model on which data, how it is judged, what it leaves.

Enlarging is judged on photographs that no training sees, against Pillow's bicubic enlargement, by
the protocol of the super-resolution papers: luma of 8-bit images, a border of 4 pixels left out.
"""

from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track

from keras_gen import datasets, generating, metrics, sizes, training
from keras_gen.simple import simple_generator

BORDER = 4


def compare_with_bicubic(
    model: keras.Model, images: datasets.Images, scale: Fraction | int
) -> list[dict]:
    """Judge an enlarger on whole pictures, beside Pillow's bicubic enlargement.

    Args:
        model: the generator; one of fixed size is resized to each picture.
        images: the pictures; each is cut to the largest size that the scale divides.
        scale: enlargement, `Fraction(25, 4)` for instance.

    Returns:
        One dict a picture: `name`, `psnr`, `ssim`, `bicubic_psnr`, `bicubic_ssim`, and the pictures
        `low`, `bicubic`, `drawn`, `truth` as uint8 arrays.
    """
    rows, scale = [], Fraction(scale)
    for name, picture in images:
        steps = [side // scale.numerator for side in picture.shape[:2]]
        low_size = tuple(step * scale.denominator for step in steps)
        high_size = tuple(step * scale.numerator for step in steps)
        truth = picture[: high_size[0], : high_size[1]]
        low = datasets.reduce(truth, low_size)
        row = {"name": name, "low": low, "truth": truth}
        row["bicubic"] = datasets.enlarge_bicubic(low, high_size)
        row["drawn"] = generating.enlarge(generating.resized(model, low_size), low)
        for prefix, image in (("", row["drawn"]), ("bicubic_", row["bicubic"])):
            pair = (image / 255, truth / 255)
            row[f"{prefix}psnr"] = metrics.psnr(*pair, luma=True, border=BORDER)
            row[f"{prefix}ssim"] = metrics.ssim(*pair, luma=True, border=BORDER)
        rows.append(row)
    return rows


def train_simple(
    *,
    directory: str | Path,
    data: str = "photos",
    source: int | tuple[int, int] = 64,
    size: int | tuple[int, int] | None = None,
    scale: int | None = None,
    upsampling: str = "transposed",
    activation: str = "leaky_relu",
    residual: bool = True,
    filters: int = 48,
    blocks: int = 8,
    steps: int = 1000,
    batch_size: int | None = None,
    every: int = 200,
    learning_rate: float = 1e-3,
    seed: int = 0,
    resume: bool = False,
    command: str = "",
    console: Console | None = None,
) -> Path:
    """Train a simple generator and leave a `.keras` file and a card in a directory.

    Args:
        directory: where everything is written.
        data: `"photos"` for the bundled photographs (with drawings), or the path of a folder.
        source: side or `(height, width)` of the input, where `size` is asked for.
        size: side or `(height, width)` of the output; 400 by default.
        scale: instead of `size`: whole factor of a fully convolutional generator.
        upsampling, activation, residual, filters, blocks: as in `simple_generator`.
        steps: training steps.
        batch_size: pairs a step; 16 crops with `scale`, else 4 whole images.
        every: steps between checkpoints.
        learning_rate: highest learning rate.
        seed: seed of weights, crops and augmentation.
        resume: go on with the training in `directory`.
        command: the command line, for the card.
        console: where progress is shown.

    Returns:
        The path of the `.keras` file.

    Raises:
        ValueError: for options that do not fit together, or data that cannot be used.
    """
    console = console or Console()
    keras.utils.set_random_seed(seed)
    network = {
        "upsampling": upsampling,
        "activation": activation,
        "residual": residual,
        "filters": filters,
        "blocks": blocks,
    }
    if scale is not None and size is not None:
        raise ValueError(f"size={size} and scale={scale} were both given; give one of them")
    if scale is not None:
        low, high = (24, 24), (24 * scale, 24 * scale)
        model = simple_generator((None, None, 3), scale=scale, seed=seed, **network)
        title = f"simple_x{scale}"
    else:
        low, high = sizes.as_pair(source), sizes.as_pair(400 if size is None else size)
        model = simple_generator((*low, 3), high, seed=seed, **network)
        title = f"simple_{_short(low)}to{_short(high)}"
    factor = Fraction(high[0], low[0])
    if factor != Fraction(high[1], low[1]):
        raise ValueError(
            f"from {low} to {high} stretches the picture; give both sizes the same proportions"
        )
    batch_size = batch_size or (16 if scale else 4)

    training_images, test_images = _images(data, high, console)
    training.compile_for_images(model, steps=steps, learning_rate=learning_rate)

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
        return _contact_sheet(rows), _means(rows)

    options = {
        "job": title,
        "data": str(data),
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        **network,
    }
    outcome = training.train(
        model,
        batches,
        directory=directory,
        steps=steps,
        every=every,
        preview=preview if len(test_images) else None,
        resume=resume,
        options=options,
        console=console,
    )
    rows = compare_with_bicubic(model, test_images, factor)
    name = f"{title}_{'photos' if data == 'photos' else Path(data).name}"
    path = Path(directory) / f"{name}.keras"
    training.save_generator(model, path)
    card = _card(name, model, options, outcome.history, rows, training_images, command)
    training.write_whole(path.with_suffix(".md"), lambda beside: Path(beside).write_text(card))
    console.print(f"wrote {path} and its card")
    return path


def _images(data, high, console):
    """Training and held-out pictures; what is skipped is named."""
    if data == "photos":
        console.print("reading the photographs, drawing leaves and letters")
        images, held_out = datasets.photographs("train"), datasets.photographs("test")
        return datasets.with_drawings(images).at_least(high), held_out
    images = datasets.folder(
        data, progress=lambda files: track(files, "reading", console=console, transient=True)
    ).at_least(high)
    for name, reason in images.skipped:
        console.print(f"skipped {name}: {reason}", markup=False, highlight=False)
    return images.split(share=0.1)


def _means(rows):
    psnr, bicubic = (np.mean([row[name] for row in rows]) for name in ("psnr", "bicubic_psnr"))
    return {"held_out_psnr": float(psnr), "gain": float(psnr - bicubic)}


def _contact_sheet(rows, side=320, gap=6):
    """Close-ups from the middle of each picture: input, bicubic, drawn, truth."""
    sheet = []
    for row in rows:
        height, width = row["truth"].shape[:2]
        cut = min(side, height, width)
        top, left = (height - cut) // 2, (width - cut) // 2
        low = Image.fromarray(row["low"]).resize((width, height), Image.Resampling.NEAREST)
        panels = [np.asarray(low), row["bicubic"], row["drawn"], row["truth"]]
        panels = [panel[top : top + cut, left : left + cut] for panel in panels]
        room = ((0, side - cut + gap), (0, side - cut + gap), (0, 0))
        sheet.append(np.hstack([np.pad(p, room, constant_values=255) for p in panels]))
    return np.vstack(sheet)


def _card(name, model, options, history, rows, images, command):
    last = history[-1]
    lines = [f"# {name}", ""]
    lines += [f"{model.count_params():,} parameters, a functional Keras model of stock layers.", ""]
    lines += ["| | |", "|---|---|", f"| command | `{command}` |"]
    lines += [f"| {key.replace('_', ' ')} | {value} |" for key, value in options.items()]
    lines += [
        f"| pictures | {len(images)}: {_listed(images.names)} |",
        f"| time | {last['minutes']:.1f} minutes, {last['cpu_minutes']:.1f} CPU minutes |",
        f"| machine | {training.machine()} |",
        f"| last loss | {last['loss']:.4f} |",
        "",
    ]
    if rows:
        lines += [
            "Held-out pictures, PSNR in dB and SSIM on the luma of 8-bit images, a border of "
            f"{BORDER} pixels left out; the input is Pillow's bicubic reduction, and bicubic is "
            "Pillow's enlargement of it.",
            "",
            "| picture | bicubic PSNR | PSNR | gain | bicubic SSIM | SSIM |",
            "|---|---|---|---|---|---|",
        ]
        table = [
            [row[key] for key in ("bicubic_psnr", "psnr", "bicubic_ssim", "ssim")] for row in rows
        ]
        names = [row["name"] for row in rows]
        for label, (bicubic, psnr, bicubic_ssim, ssim) in [
            *zip(names, table, strict=True),
            ("**mean**", np.mean(table, axis=0)),
        ]:
            lines.append(
                f"| {label} | {bicubic:.2f} | {psnr:.2f} | {psnr - bicubic:+.2f} "
                f"| {bicubic_ssim:.4f} | {ssim:.4f} |"
            )
        lines.append("")
    return "\n".join(lines)


def _listed(names, most=20):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _short(size):
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"
