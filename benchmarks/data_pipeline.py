"""How long does a training step wait for its data?

    python benchmarks/data_pipeline.py

Trains the default networks for real, for ×4 and for 64 → 400, on the bundled photographs and on a
folder of large JPEG files, and the U-Net on aerial scenes, and times every call of
`next(iterator)`: its share of the whole is the waiting. Because the pipeline also takes processor
time from the step, the same steps are timed on one batch that is repeated. Writes the table to
`data_pipeline.md` beside this file.
"""

import os
import tempfile
import time
from pathlib import Path

from PIL import Image

import keras_gen as kg
from keras_gen._util import machine
from keras_gen.data import bundled, folders, synthetic
from keras_gen.data.batches import label_pairs, pairs
from keras_gen.data.images import Images
from keras_gen.data.scenes import TRAINING_SCENES, Scenes
from keras_gen.training import supervised

STEPS, WARM_UP = 60, 10
LIMIT = 0.05
SCENES = range(1000, 1032)
JOBS = {
    "×4, 16 crops 24 → 96": ((24, 96, 16), {"input_shape": (None, None, 3), "scale": 4}),
    "64 → 400, 4 images": ((64, 400, 4), {"input_shape": (64, 64, 3), "size": 400}),
}


def folder_of_photographs(path: Path, count: int = 40) -> Images:
    """Write large JPEG files, as cameras do, and read them as a user's folder is read."""
    for seed in range(count):
        leaves = Image.fromarray(synthetic.dead_leaves(seed, size=512))
        leaves.resize((2400, 1800), Image.Resampling.LANCZOS).save(path / f"{seed}.jpg")
    start = time.perf_counter()
    images = folders.folder(path)
    seconds = time.perf_counter() - start
    print(f"read {count} files of 1800×2400 in {seconds:.1f} s, before the first step")
    return images


def timed(model, dataset) -> tuple[float, float]:
    """Train step by step.

    Returns:
        Share of the time spent waiting for data, and seconds a step.
    """
    waiting, working = [], []
    batches = iter(dataset)
    for _ in range(STEPS):
        start = time.perf_counter()
        batch = next(batches)
        arrived = time.perf_counter()
        model.train_on_batch(*batch)
        waiting.append(arrived - start)
        working.append(time.perf_counter() - arrived)
    waited, worked = sum(waiting[WARM_UP:]), sum(working[WARM_UP:])
    return waited / (waited + worked), (waited + worked) / (STEPS - WARM_UP)


def main() -> None:
    lines = [
        "# Waiting for data",
        "",
        f"`python benchmarks/data_pipeline.py` on {machine.machine()}; {STEPS - WARM_UP} steps "
        f"each, load of the machine before it began: {os.getloadavg()[0]:.1f}.",
        "",
        "| training | pictures | waiting | a step | with one batch repeated |",
        "|---|---|---|---|---|",
    ]
    worst = 0.0
    with tempfile.TemporaryDirectory() as place:
        sources = {
            "photographs": bundled.with_synthetic_images(bundled.photographs()),
            "folder": folder_of_photographs(Path(place)),
        }
        for job, ((low, high, batch_size), settings) in JOBS.items():
            model = kg.simple_generator(**settings)
            supervised.compile_for_images(model, steps=STEPS * 2)
            for name, images in sources.items():
                dataset = pairs(images, low, high, steps=STEPS, batch_size=batch_size)
                share, seconds = timed(model, dataset)
                _, bare = timed(model, dataset.take(1).cache().repeat())
                worst = max(worst, share)
                lines.append(f"| {job} | {name} | {share:.2%} | {seconds:.3f} s | {bare:.3f} s |")
                print(lines[-1])
    model = kg.unet_generator((128, 128, len(kg.data.aerial.CLASSES)), filters=12)
    supervised.compile_for_images(model, steps=STEPS * 2, loss="mean_absolute_error")
    scenes = Scenes(SCENES)
    start = time.perf_counter()
    for place in range(len(scenes)):
        scenes[place]
    each = (time.perf_counter() - start) / len(scenes)
    share, seconds = timed(model, label_pairs(scenes, 128, steps=STEPS))
    _, bare = timed(model, label_pairs(scenes, 128, steps=1).cache().repeat())
    worst = max(worst, share)
    job = "U-Net, 8 label maps of 128"
    lines.append(f"| {job} | aerial scenes | {share:.2%} | {seconds:.3f} s | {bare:.3f} s |")
    count = len(TRAINING_SCENES)
    lines += [
        "",
        f"An aerial scene is drawn when it is first asked for, in {each:.3f} s here, and then "
        f"kept: a training on {count} of them draws for {each * count:.0f} s in its first steps, "
        "while the network learns. The row is from after that.",
    ]
    lines += ["", f"The most is {worst:.2%}; the aim is less than {LIMIT:.0%}.", ""]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines), "utf-8")
    assert worst < LIMIT, f"a step waits {worst:.2%} of the time, more than {LIMIT:.0%}"


if __name__ == "__main__":
    main()
