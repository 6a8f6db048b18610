"""Random models: are the computed fields those that the model itself shows?

mismatch(seed)           # where the computed fields differ, or None

python -m tests.analysis.random_models --count 10000 --first 1000000
"""

import argparse
import time

import keras
import numpy as np

from keras_gen.analysis.fields import projective_field, receptive_field
from tests.analysis.measuring import hulls, measure
from tests.analysis.random_builder import Builder


def mismatch(seed: int) -> str | None:
    """Compare the fields computed for a random model with those that the model shows.

    This compares the receptive fields of all outputs, the size of the architecture's field (none is
    larger, unless padding reflects: then a border output may see farther), and the projective field
    of one pixel.

    Returns:
        A description of the first differences, or `None` if there are none.
    """
    builder = Builder(seed)
    rf = receptive_field(builder.model)
    depends = measure(builder)
    measured = hulls(depends)
    differing = False
    for (start, stop), (first, last) in zip(rf.bounds, measured, strict=True):
        differing |= (start != first) | (stop != last)
    lines = []
    for position in np.argwhere(differing)[:3]:
        sides = [
            [(int(a[*position]), int(b[*position])) for a, b in s] for s in (rf.bounds, measured)
        ]
        lines.append(f"output {tuple(position.tolist())}: computed {sides[0]}, measured {sides[1]}")
    reflects = any("reflect" in step or "symmetric" in step for step in builder.steps)
    sides = [(stop - start).max() for start, stop in rf.bounds]
    if not reflects and any(side > size for side, size in zip(sides, rf.size, strict=True)):
        lines.append(f"an output sees more than {rf.size}")
    pixel = tuple(builder.integer(0, size - 1) for size in rf.input_size)
    box, reached = projective_field(builder.model, *pixel), np.argwhere(depends[..., *pixel])
    expected = [slice(0, 0)] * 2
    if len(reached):
        expected = [slice(*pair) for pair in zip(reached.min(0), reached.max(0) + 1, strict=True)]
    if list(box) != expected:
        lines.append(f"pixel {pixel} reaches {expected}, computed {box}")
    return "\n".join([f"seed {seed}: " + "; ".join(builder.steps), *lines]) if lines else None


def main():
    parser = argparse.ArgumentParser(description="Compare many random models with their fields.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    start, mismatches = time.time(), 0
    for done, seed in enumerate(range(options.first, options.first + options.count), start=1):
        text = mismatch(seed)
        if text:
            mismatches += 1
            print(text, flush=True)
        if done % 100 == 0:
            keras.backend.clear_session()
    minutes = (time.time() - start) / 60
    print(f"{options.count} models, {mismatches} mismatches, {minutes:.1f} minutes")


if __name__ == "__main__":
    main()
