"""What do skip connections buy? The same U-Net with and without them takes clouds away.

    python benchmarks/skips.py

Trains both at equal parameters and steps, on the same batches, with three seeds, on crops of the
bundled photographs, and evaluates them on the held-out two: RGB PSNR over
the whole, over edges and over flat regions, and over what the clouds hide and what they leave.
Without its base: a base would be a skip connection past the whole network. Writes skips.json and
skips.md beside this file.
"""

import json
from pathlib import Path

import keras
import numpy as np
from scipy import ndimage

import keras_gen as kg
from keras_gen._util import machine
from keras_gen.data import batches, bundled, occlusions
from keras_gen.training import supervised

SIDE, BATCH, STEPS, SEEDS = 64, 8, 600, (0, 1, 2)
RATE = 4e-3
NETWORK = {"depth": 3, "filters": 8, "residual": True}
EDGES = 0.25  # share of the pixels that count as edges: those with the steepest brightness
HELD_OUT = 24  # crops


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Clouded and clear crops of the photographs that are not trained on."""
    rng = np.random.default_rng(1)
    images = bundled.photographs("test")
    clear = [batches.random_crop(images, (SIDE, SIDE), rng) for _ in range(HELD_OUT)]
    clear = np.stack(clear) / np.float32(255)
    clouded = [occlusions.occlude(image, 10_000 + seed) for seed, image in enumerate(clear)]
    return np.stack(clouded), clear


def regions(clouded: np.ndarray, clear: np.ndarray) -> dict[str, np.ndarray]:
    """Where to measure, one mask of (crops, SIDE, SIDE) each."""
    brightness = clear.mean(axis=-1)
    steepness = np.stack([ndimage.gaussian_gradient_magnitude(one, 1) for one in brightness])
    edges = steepness >= np.quantile(steepness, 1 - EDGES)
    covered = np.abs(clouded - clear).max(axis=-1) > 0.5 / 255
    everywhere = np.ones_like(edges)
    return {
        "everywhere": everywhere,
        "edges": edges,
        "flat": ~edges,
        "clear edges": edges & ~covered,
        "clear flat": ~edges & ~covered,
        "clouded": covered,
    }


def psnr(drawn: np.ndarray, clear: np.ndarray, mask: np.ndarray) -> float:
    """Of all pixels of a region together, in decibels."""
    return float(-10 * np.log10(np.mean((drawn[mask] - clear[mask]) ** 2)))


def train(seed: int, skips: bool) -> keras.Model:
    """One training, all else equal."""
    keras.utils.set_random_seed(seed)
    model = kg.unet_generator((SIDE, SIDE, 3), skips=skips, seed=seed, **NETWORK)
    supervised.compile_for_images(model, steps=STEPS, learning_rate=RATE)
    pairs = batches.cloud_pairs(
        bundled.photographs(), SIDE, steps=STEPS, batch_size=BATCH, seed=seed
    )
    model.fit(pairs, verbose=0, shuffle=False)
    return model


def measure() -> list[dict]:
    """One row a training."""
    clouded, clear = held_out()
    masks = regions(clouded, clear)
    rows = []
    for seed in SEEDS:
        for skips in (True, False):
            model = train(seed, skips)
            drawn = np.asarray(model(clouded, training=False))
            row = {"seed": seed, "skips": skips, "parameters": model.count_params()}
            row["psnr"] = {name: psnr(drawn, clear, mask) for name, mask in masks.items()}
            rows.append(row)
            print(row, flush=True)
    return rows


def gains(rows: list[dict]) -> dict[str, list[float]]:
    """Decibels that the skips bring, by region, one number a seed."""
    by_kind = {(row["seed"], row["skips"]): row["psnr"] for row in rows}
    return {
        name: [by_kind[seed, True][name] - by_kind[seed, False][name] for seed in SEEDS]
        for name in rows[0]["psnr"]
    }


def table(rows: list[dict]) -> list[str]:
    """The result as Markdown."""
    lines = ["| region | with skips | without | gain | gain by seed |", "|---|---|---|---|---|"]
    for name, each in gains(rows).items():
        with_, without = (
            np.mean([row["psnr"][name] for row in rows if row["skips"] == skips])
            for skips in (True, False)
        )
        seeds = ", ".join(f"{gain:+.2f}" for gain in each)
        lines.append(f"| {name} | {with_:.2f} | {without:.2f} | {np.mean(each):+.2f} | {seeds} |")
    return lines


def main() -> None:
    rows = measure()
    settings = {"side": SIDE, "batch_size": BATCH, "steps": STEPS, "learning_rate": RATE, **NETWORK}
    result = {"settings": settings, "machine": machine.machine(), "rows": rows}
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    parameters = [f"{row['parameters']:,}" for row in rows[:2]]
    lines = [
        "# Skip connections on and off",
        "",
        f"`python benchmarks/skips.py`: taking clouds away from {SIDE}×{SIDE} crops of "
        f"photographs, {STEPS} steps of {BATCH}, seeds {', '.join(map(str, SEEDS))}; "
        f"{parameters[0]} parameters with skips, {parameters[1]} without; {machine.machine()}.",
        "",
        f"PSNR in dB on {HELD_OUT} crops of `chelsea` and `coffee`, mean over the seeds. Edges are "
        f"the {EDGES:.0%} of the pixels with the steepest brightness; clear is what no cloud "
        "touches.",
        "",
        *table(rows),
        "",
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines), "utf-8")
    print("\n".join(lines))
    worst = min(gains(rows)["everywhere"])
    assert worst >= 1.5, f"skips bring {worst:.2f} dB with one of the seeds, less than 1.5"


if __name__ == "__main__":
    main()
