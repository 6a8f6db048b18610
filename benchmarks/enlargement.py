"""Enlarge the held-out photographs with the stored generators and with what one would use instead.

    python benchmarks/enlargement.py

writes benchmarks/enlargement.md: PSNR and SSIM on luma, a border of 4 pixels left out, the seconds
a picture takes, and at ×6.25 the U-Net beside the simple generator: quality, multiply-accumulates,
seconds of a training step and memory.
"""

import resource
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

import keras_gen as kg
from keras_gen._util.machine import machine

GENERATORS = {"simple_x4_photos": Fraction(4), "simple_64to400_photos": Fraction(25, 4)}
RIVALS = ("simple_64to400_photos", "unet_64to400_photos")
STEP_BATCH, STEPS = 4, 3


def by_filter(name):
    """Enlarging by one of Pillow's filters."""

    def enlarge(low, size):
        method = getattr(Image.Resampling, name)
        return np.asarray(Image.fromarray(low).resize((size[1], size[0]), method))

    return enlarge


def sharpened(low, size):
    """Bicubic, then an unsharp mask, as photo editors offer it."""
    bicubic = Image.fromarray(by_filter("BICUBIC")(low, size))
    return np.asarray(bicubic.filter(ImageFilter.UnsharpMask(radius=2, percent=60, threshold=0)))


def measure(name, scale):
    """One row a method: mean PSNR, SSIM and seconds over the held-out photographs."""
    model = kg.inference.load_generator(name)
    methods = {
        "bicubic": by_filter("BICUBIC"),
        "Lanczos": by_filter("LANCZOS"),
        "bicubic and unsharp mask": sharpened,
        f"`{name}`": lambda low, size: kg.inference.upscale(
            kg.inference.resized(model, low.shape[:2]), low
        ),
    }
    pictures = kg.training.compare_with_bicubic(model, kg.data.photographs("test"), scale)
    for method, enlarge in methods.items():
        scores = []
        for row in pictures:
            low, reference = row["low"], row["reference"]
            enlarge(low, reference.shape[:2])
            start = time.perf_counter()
            high = enlarge(low, reference.shape[:2])
            seconds = time.perf_counter() - start
            values = kg.quality(high, reference)
            scores.append((values.psnr, values.ssim, seconds))
        psnr, ssim, seconds = np.mean(scores, axis=0)
        yield f"| ×{float(scale):g} | {method} | {psnr:.2f} | {ssim:.4f} | {seconds:.3f} |"


def unet_at(model, low):
    """The stored U-Net for another size, which may not be one that its levels can halve."""
    high = tuple(int(side * Fraction(25, 4)) for side in low)
    widths = [
        layer.filters
        for layer in model.layers
        if layer.name.startswith("down_") and layer.name.endswith("_a")
    ]
    deepest = model.get_layer("bottleneck_a").filters
    residual = any(layer.name.endswith("_add") for layer in model.layers)
    other = kg.unet_generator(
        (*low, 3), high, depth=len(widths), filters=[*widths, deepest], residual=residual, pad=True
    )
    other.set_weights(model.get_weights())
    return other


def rival(name):
    """One row: a generator of 64 → 400, in a process of its own, as memory is measured."""
    model = kg.inference.load_generator(name)
    options = {"resized": unet_at} if name.startswith("unet") else {}
    photographs = kg.data.photographs("test")
    rows = kg.training.compare_with_bicubic(model, photographs, Fraction(25, 4), **options)
    psnr, ssim = (np.mean([row[key] for row in rows]) for key in ("psnr", "ssim"))
    cost = kg.cost(model)
    kg.training.compile_for_images(model, steps=1000)
    rng = np.random.default_rng(0)
    batch = [rng.random((STEP_BATCH, side, side, 3), np.float32) for side in (64, 400)]
    seconds = []
    for _ in range(STEPS + 1):  # the first prepares everything
        start = time.perf_counter()
        model.train_on_batch(*batch)
        seconds.append(time.perf_counter() - start)
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return (
        f"| `{name}` | {psnr:.2f} | {ssim:.4f} | {cost.parameters:,} | {cost.macs / 1e9:.2f} "
        f"| {cost.activation_bytes / 2**20:.0f} MiB | {min(seconds[1:]):.2f} | {gib:.1f} GiB |"
    )


def rivals():
    """The table of the two generators of 64 → 400."""
    yield "| generator | PSNR (dB) | SSIM | parameters | GMAC | activations | s a step | memory |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in RIVALS:
        command = [sys.executable, __file__, name]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        yield printed.splitlines()[-1]


def main():
    lines = [
        "# Enlarging held-out photographs",
        "",
        f"Means over `chelsea` and `coffee`. {machine()}.",
        "",
        "| scale | method | PSNR (dB) | SSIM | seconds |",
        "|---|---|---|---|---|",
    ]
    for name, scale in GENERATORS.items():
        lines += measure(name, scale)
    lines += [
        "",
        "U-Net and simple generator, 64 → 400: the same means; GMAC and activations of one "
        f"picture, a training step of {STEP_BATCH} whole pictures, and the most memory of a "
        "process that trains so.",
        "",
        *rivals(),
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(rival(sys.argv[1]))
    else:
        main()
