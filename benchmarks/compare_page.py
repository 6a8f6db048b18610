"""Make the page that compares upsampling methods, as a user would, and measure it.

    python benchmarks/compare_page.py

writes benchmarks/compare_page.md: the page's size and the seconds it takes, from the command line's
start to its end, importing TensorFlow included; 3 photographs at 400×400, every method there is.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

import keras_gen as kg
from keras_gen._util.machine import machine

EIGHT = (
    "nearest bicubic transposed transposed_overlap trained_nearest trained_bilinear subpixel blur"
)
RUNS = {
    "8 methods": ["--methods", *EIGHT.split()],
    "all methods": ["--methods", "all"],
    "4 interpolators": ["--methods", "fixed"],
}


def photographs(place):
    """Three pictures of 400×400 that no training sees."""
    test = kg.data.photographs("test")
    aerial = (kg.data.aerial.scene(2**31 - 1)[1] * 255).round().astype("uint8")
    for name, picture in (*test, ("aerial", aerial)):
        square = kg.data.reduce(kg.data.center_crop(picture, (1, 1)), 400)
        Image.fromarray(square).save(place / f"{name}.png")


def measure(place, options):
    """Seconds on the clock, seconds of processor, megabytes, for one page."""
    page = place / "page.html"
    command = [sys.executable, "-m", "keras_gen", "compare", place, "--out", page, *options]
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, os.times()
    processor = after.children_user + after.children_system
    processor -= before.children_user + before.children_system
    return seconds, processor, page.stat().st_size / 1e6


def main():
    lines = [
        "# The page that compares upsampling methods",
        "",
        "Three photographs at 400×400 (`chelsea`, `coffee`, an aerial scene), each with its "
        f"reference and every method, from the command line. {machine()}.",
        "",
        "| methods | seconds | processor seconds | page (MB) |",
        "|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as place:
        photographs(Path(place))
        for name, options in RUNS.items():
            seconds, processor, size = measure(Path(place), options)
            lines.append(f"| {name} | {seconds:.1f} | {processor:.1f} | {size:.1f} |")
            print(lines[-1], flush=True)
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
