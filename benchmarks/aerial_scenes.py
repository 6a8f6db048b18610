"""Speed, variety and class means of `keras_gen.aerial`.

    PYTHONPATH=. python benchmarks/aerial_scenes.py --scenes 1000 --out benchmarks/aerial_scenes.md

The numbers documented in `palette.CLASSES` are the means of this table.
"""

import argparse
import hashlib
import os
import platform
import statistics
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is imported: one core

import numpy as np  # noqa: E402
import scipy  # noqa: E402
from scipy import ndimage  # noqa: E402

from keras_gen.data.aerial import palette, rendering  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=1000, help="seeds 0 … scenes − 1")
    parser.add_argument("--size", type=int, default=400)
    parser.add_argument("--out", type=Path, help="write the table here as well")
    arguments = parser.parse_args()

    rendering.scene(0, arguments.size)  # warm the tables of noise weights
    count = len(palette.CLASSES)
    seconds, digests, shares = [], [set(), set()], []
    pixels, colour, texture = np.zeros(count), np.zeros((count, 3)), np.zeros(count)
    for seed in range(arguments.scenes):
        start = time.process_time()
        labels, image = rendering.scene(seed, arguments.size)
        seconds.append(time.process_time() - start)
        for seen, array in zip(digests, (labels, image), strict=True):
            seen.add(hashlib.sha256(array.tobytes()).hexdigest())
        grey = image.mean(-1)
        rough = np.abs(grey - ndimage.uniform_filter(grey, 3))
        flat = labels.ravel()
        of_class = np.bincount(flat, minlength=count)
        pixels += of_class
        shares.append(of_class / flat.size)
        texture += np.bincount(flat, rough.ravel(), count)
        for channel in range(3):
            colour[:, channel] += np.bincount(flat, image[..., channel].ravel(), count)

    lines = [
        f"# Aerial scenes: {arguments.scenes} of {arguments.size}×{arguments.size}",
        "",
        f"Command: `python benchmarks/aerial_scenes.py --scenes {arguments.scenes} --size "
        f"{arguments.size}`; NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"Python {platform.python_version()}, {platform.machine()}, one thread. Processes that "
        f"wanted one of {os.cpu_count()} cores meanwhile: {os.getloadavg()[2]:.1f}.",
        "",
        "| measure | value |",
        "|---|---|",
        f"| CPU time a scene, median (5 %, 95 %) | {1e3 * statistics.median(seconds):.1f} ms "
        f"({1e3 * np.quantile(seconds, 0.05):.1f}, {1e3 * np.quantile(seconds, 0.95):.1f}) |",
        f"| scenes a second of CPU time | {len(seconds) / sum(seconds):.1f} |",
        f"| different label maps | {len(digests[0])} of {arguments.scenes} |",
        f"| different images | {len(digests[1])} of {arguments.scenes} |",
        "",
        "Mean colour and texture over all pixels of a class; its share of the pixels; the scenes "
        "in which it covers at least 0.5 %.",
        "",
        "| class | red | green | blue | texture | share | scenes with it |",
        "|---|---|---|---|---|---|---|",
    ]
    shares = np.array(shares)
    for index, name in enumerate(palette.CLASSES):
        red, green, blue = colour[index] / pixels[index]
        lines.append(
            f"| {name} | {red:.3f} | {green:.3f} | {blue:.3f} | "
            f"{texture[index] / pixels[index]:.4f} | {shares[:, index].mean():.1%} | "
            f"{(shares[:, index] >= 0.005).mean():.0%} |"
        )
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
