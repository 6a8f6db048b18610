"""Train the same small generator with every upsampling method, and compare what comes of it.

    python benchmarks/upsampling.py

Each method is trained with three seeds by `keras_gen train simple`, in runs/upsampling; a stopped
run goes on where it was. Then the held-out photographs are upscaled and measured, the step is
timed, and benchmarks/upsampling.json and upsampling.md are written. With `--weights data/weights`
the networks of the first seed are copied there, for `keras_gen compare`.
"""

import argparse
import json
import shutil
import time
from pathlib import Path

import numpy as np

import keras_gen as kg
from keras_gen._util import files
from keras_gen._util.machine import machine

SCALE = 4
# Without the bicubic base, the whole picture goes through the upsampling step.
NETWORK = {"filters": 32, "blocks": 3, "global_residual": False}
TRAINING = {"steps": 1200, "learning_rate": 2e-3, "every": 400}
RESULT = Path(__file__).with_suffix(".json")
SCORES = ("psnr", "ssim", "gain", "amplitude", "energy")


def run_directory(root, method, seed):
    return Path(root) / f"{method}_{seed}"


def train(root, method, seed):
    """One training, as `python -m keras_gen train simple` does it; gives its `.keras` file."""
    import keras

    directory = run_directory(root, method, seed)
    path = directory / f"simple_x{SCALE}_photos.keras"
    if not path.exists():
        keras.backend.clear_session()
        command = (
            f"python -m keras_gen train simple --scale {SCALE} --upsampling {method} "
            f"--filters {NETWORK['filters']} --blocks {NETWORK['blocks']} --no-global-residual "
            f"--steps {TRAINING['steps']} --learning-rate {TRAINING['learning_rate']} "
            f"--seed {seed} --out {directory}"
        )
        options = NETWORK | TRAINING | {"scale": SCALE, "upsampling": method, "seed": seed}
        kg.training.train_simple(directory=directory, resume=True, command=command, **options)
    return path


def scores_of(generated, reference):
    """What one generated picture scores; both uint8."""
    found = kg.quality(generated, reference)
    gain = kg.checkerboard_gain(generated / 255, SCALE)
    variance = (generated / 255).var(axis=(0, 1)).mean()
    return {
        "psnr": found.psnr,
        "ssim": found.ssim,
        "gain": gain,
        "amplitude": 255 * float(np.sqrt(gain * variance)),
    }


def mean_of(rows):
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def evaluate(path):
    """Scores of a trained network over the held-out photographs, and on noise."""
    model = kg.inference.load_generator(path)
    pictures = kg.training.compare_with_bicubic(model, kg.data.photographs("test"), SCALE)
    row = mean_of([scores_of(picture["generated"], picture["reference"]) for picture in pictures])
    noise = np.random.default_rng(0).normal(0.5, 0.1, (1, 100, 100, 3)).astype("float32")
    # Zero padding dims the borders of some phases more than of others: 8 input pixels are left out.
    answer = np.asarray(model(noise, training=False))[:, 32:-32, 32:-32]
    row["energy"] = float(kg.checkerboard_energy(answer[0], SCALE))
    return row


def references():
    """What the reference and its bicubic enlargement score."""
    model = kg.simple_generator((None, None, 3), scale=SCALE, filters=8, blocks=0, seed=0)
    pictures = kg.training.compare_with_bicubic(model, kg.data.photographs("test"), SCALE)
    bicubic = mean_of([scores_of(picture["bicubic"], picture["reference"]) for picture in pictures])
    reference = mean_of(
        [scores_of(picture["reference"], picture["reference"]) for picture in pictures]
    )
    return {"reference": reference | {"psnr": None}, "bicubic": bicubic}


def costs(paths, rounds=15):
    """Parameters, multiply–accumulates and times, the methods taken in turn round by round."""
    small = np.random.default_rng(0).random((16, 24, 24, 3), np.float32)
    large = np.random.default_rng(1).random((16, 96, 96, 3), np.float32)
    whole = np.random.default_rng(2).random((1, 100, 100, 3), np.float32)
    models, times = {}, {}
    for method, path in paths.items():
        model = models[method] = kg.inference.load_generator(path)
        kg.training.compile_for_images(model, steps=1000, learning_rate=1e-5)
        times[method] = {"step": [], "draw": []}
    for turn in range(rounds + 2):
        for method, model in models.items():
            for kind, call in (
                ("step", lambda model=model: model.train_on_batch(small, large)),
                ("draw", lambda model=model: model.predict_on_batch(whole)),
            ):
                start = time.perf_counter()
                call()
                if turn >= 2:
                    times[method][kind].append(1000 * (time.perf_counter() - start))
    result = {}
    for method, model in models.items():
        counted = kg.cost(model, input_shape=(100, 100, 3))
        result[method] = {
            "parameters": counted.parameters,
            "macs": counted.macs,
            "activation_bytes": counted.activation_bytes,
            "step_ms": float(np.median(times[method]["step"])),
            "draw_ms": float(np.median(times[method]["draw"])),
        }
    return result


def write(result):
    files.atomic_write(
        RESULT, lambda path: Path(path).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    )
    seeds = result["seeds"]
    lines = [
        "# The same small generator with every upsampling method",
        "",
        f"×{SCALE}, {TRAINING['steps']} steps, mean ± standard deviation over {len(seeds)} seeds; "
        f"held-out photographs `chelsea` and `coffee`. {result['machine']}.",
        "",
        "Gain and energy are the two checkerboard scores at period 4 (0 is none), amplitude is the "
        "pattern's strength in grey levels of 255. Times are medians: a training step of 16 "
        "crops 24 → 96, and drawing one picture 100 → 400.",
        "",
        "| method | PSNR | SSIM | gain | amplitude | energy | parameters "
        "| million MACs | step (ms) | draw (ms) |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for method, rows in result["scores"].items():
        table = {name: np.array([row[name] for row in rows]) for name in SCORES}
        cost = result["costs"][method]
        shown = {
            name: f"{values.mean():{form}} ± {values.std(ddof=1):{form}}"
            for (name, values), form in zip(
                table.items(), (".2f", ".4f", ".1e", ".2f", ".3f"), strict=True
            )
        }
        lines.append(
            f"| {method} | {shown['psnr']} | {shown['ssim']} | {shown['gain']} "
            f"| {shown['amplitude']} | {shown['energy']} "
            f"| {cost['parameters']:,} | {cost['macs'] / 1e6:.0f} | {cost['step_ms']:.0f} "
            f"| {cost['draw_ms']:.0f} |"
        )
    for name, row in result["references"].items():
        psnr = "–" if row["psnr"] is None else f"{row['psnr']:.2f}"
        lines.append(
            f"| *{name}* | {psnr} | {row['ssim']:.4f} | {row['gain']:.1e} "
            f"| {row['amplitude']:.2f} | – | – | – | – | – |"
        )
    text = "\n".join(lines) + "\n"
    RESULT.with_suffix(".md").write_text(text, "utf-8")
    print(text)


def ship(root, seed, weights):
    """Copy one network a method, each with its card, to the stored weights."""
    for method in kg.UPSAMPLING:
        source = run_directory(root, method, seed) / f"simple_x{SCALE}_photos.keras"
        name = f"upsampling_{method}_x{SCALE}"
        files.atomic_write(
            Path(weights) / f"{name}.keras", lambda path, file=source: shutil.copy(file, path)
        )
        card = source.with_suffix(".md").read_text("utf-8")
        card = card.replace(f"# simple_x{SCALE}_photos", f"# {name}", 1)
        (Path(weights) / f"{name}.md").write_text(card, "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--out", default="runs/upsampling")
    parser.add_argument("--weights", help="directory to copy the first seed's networks to")
    arguments = parser.parse_args()
    # All methods with one seed first: a run that is stopped leaves something to compare.
    for seed in arguments.seeds:
        paths = {method: train(arguments.out, method, seed) for method in kg.UPSAMPLING}
        if seed == arguments.seeds[0] and arguments.weights:
            ship(arguments.out, seed, arguments.weights)
    result = {
        "scale": SCALE,
        "network": NETWORK,
        "training": TRAINING,
        "seeds": arguments.seeds,
        "machine": machine(),
        "references": references(),
        "scores": {
            method: [
                evaluate(run_directory(arguments.out, method, seed) / paths[method].name)
                for seed in arguments.seeds
            ]
            for method in kg.UPSAMPLING
        },
        "costs": costs(paths),
    }
    write(result)


if __name__ == "__main__":
    main()
