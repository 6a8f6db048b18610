"""Enlarge the held-out photographs with the stored generators and with what one would use instead.

    python benchmarks/enlargement.py

writes benchmarks/enlargement.md: PSNR and SSIM on luma, a border of 4 pixels left out, and the
seconds a picture takes.
"""

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

import keras_gen as kg

GENERATORS = {"simple_x4_photos": Fraction(4), "simple_64to400_photos": Fraction(25, 4)}


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
    model = kg.weights.load(name)
    methods = {
        "bicubic": by_filter("BICUBIC"),
        "Lanczos": by_filter("LANCZOS"),
        "bicubic and unsharp mask": sharpened,
        f"`{name}`": lambda low, size: kg.generating.enlarge(
            kg.generating.resized(model, low.shape[:2]), low
        ),
    }
    pictures = kg.jobs.compare_with_bicubic(model, kg.datasets.photographs("test"), scale)
    for method, enlarge in methods.items():
        scores = []
        for row in pictures:
            low, truth = row["low"], row["truth"]
            enlarge(low, truth.shape[:2])
            start = time.perf_counter()
            drawn = enlarge(low, truth.shape[:2])
            seconds = time.perf_counter() - start
            pair = (drawn / 255, truth / 255)
            options = {"luma": True, "border": 4}
            scores.append((kg.psnr(*pair, **options), kg.ssim(*pair, **options), seconds))
        psnr, ssim, seconds = np.mean(scores, axis=0)
        yield f"| ×{float(scale):g} | {method} | {psnr:.2f} | {ssim:.4f} | {seconds:.3f} |"


def main():
    lines = [
        "# Enlarging held-out photographs",
        "",
        f"Means over `chelsea` and `coffee`. {kg.training.machine()}.",
        "",
        "| scale | method | PSNR (dB) | SSIM | seconds |",
        "|---|---|---|---|---|",
    ]
    for name, scale in GENERATORS.items():
        lines += measure(name, scale)
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
