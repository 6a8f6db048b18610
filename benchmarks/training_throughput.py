"""How fast do the three generators train at 400×400, and how near to the peak?

    python benchmarks/training_throughput.py

Times training steps of batch 8 in float32 and in bfloat16, and between them large matrix
multiplications, the most that this machine's arithmetic gives. A step is counted as three forward
passes (forward, and the gradients by inputs and by weights), a multiply-accumulate as two
operations. A step of the GAN draws once, and lets the discriminator score real and drawn images,
with noise and without: 3 passes of the generator; of the discriminator 4 · 3, and one more back to
the drawn images. Every measurement runs in a process of its own, so that its peak memory is its
own.
Writes training_throughput.json and training_throughput.md beside this file.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

BATCH, SIZE = 8, 400
NETWORKS = ("simple", "unet", "gan")
POLICIES = ("float32", "mixed_bfloat16")
STEPS = {"float32": 6, "mixed_bfloat16": 2}
MATRIX, PRODUCTS = 2048, 6


def product(policy: str):
    """A large matrix multiplication, to be called."""
    import tensorflow as tf

    dtype = tf.bfloat16 if "bfloat16" in policy else tf.float32
    a = tf.cast(tf.random.normal((MATRIX, MATRIX)), dtype)
    multiply = tf.function(lambda x: x @ a)
    return lambda: multiply(a).numpy()


def training(network: str, policy: str) -> dict:
    """One network's training, on one batch that is repeated."""
    import keras_gen as kg  # noqa: I001 (quiets TensorFlow)
    import keras
    import numpy as np

    keras.mixed_precision.set_global_policy(policy)
    rng = np.random.default_rng(0)
    wanted = rng.random((BATCH, SIZE, SIZE, 3), np.float32)
    if network == "gan":
        model = kg.GAN(kg.gan_generator(), kg.gan_discriminator(scales=(1, 4)))
        model.compile()
        batch = (wanted,)
        generator, discriminator = kg.cost(model.generator), kg.cost(model.discriminator)
        parameters = generator.parameters + discriminator.parameters
        macs, passes = generator.macs, 3 * generator.macs + 13 * discriminator.macs
    elif network == "simple":
        model = kg.simple_generator((64, 64, 3), SIZE, seed=0)
    else:
        model = kg.unet_generator((SIZE, SIZE, 3), filters=12, seed=0)
    if network != "gan":
        kg.training.compile_for_images(model, steps=1000)
        batch = (rng.random((BATCH, *model.input_shape[1:]), np.float32), wanted)
        parameters, macs = model.count_params(), kg.cost(model).macs
        passes = 3 * macs
    multiply = product(policy)
    steps, products = [], []
    for _ in range(STEPS[policy] + 1):  # the first prepares everything
        steps.append(_seconds(lambda: model.train_on_batch(*batch)))
        products += [_seconds(multiply) for _ in range(PRODUCTS)]
    # The fastest, not the mean: whatever else the machine does can only make a run slower.
    seconds, of_a_product = min(steps[1:]), min(products[1:])
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "parameters": parameters,
        "gmacs": macs / 1e9,
        "seconds": seconds,
        "gflops": 2 * passes * BATCH / seconds / 1e9,
        "memory_gib": gib,
        "peak_gflops": 2 * MATRIX**3 / of_a_product / 1e9,
    }


def _seconds(do):
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def in_a_process(*arguments: str) -> dict:
    """Run this file for one measurement and read what it prints."""
    command = [sys.executable, __file__, *arguments]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result = json.loads(printed.splitlines()[-1])
    print(*arguments, result, flush=True)
    return result


def main() -> None:
    from keras_gen._util import machine

    load = os.getloadavg()[0]
    rows, peaks = [], {}
    for policy in POLICIES:
        for network in NETWORKS:
            row = in_a_process(network, policy)
            rows.append({"network": network, "policy": policy} | row)
        peaks[policy] = max(row["peak_gflops"] for row in rows if row["policy"] == policy)
    result = {"machine": machine.machine(), "load": load, "peak_gflops": peaks, "rows": rows}
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    lines = [
        f"# Training at {SIZE}×{SIZE}, batch {BATCH}",
        "",
        f"`python benchmarks/training_throughput.py` on {machine.machine()}; load of the machine "
        f"before it began: {load:.1f}. Peak: a product of two {MATRIX}×{MATRIX} matrices, "
        + ", ".join(f"{peaks[policy]:.0f} GFLOP/s in {policy}" for policy in POLICIES)
        + ".",
        "",
        "| network | precision | parameters | GMAC an image | a step | images/s | of the peak "
        "| memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['network']} | {row['policy']} | {row['parameters']:,} | {row['gmacs']:.2f} "
            f"| {row['seconds']:.2f} s | {BATCH / row['seconds']:.2f} "
            f"| {row['gflops'] / peaks[row['policy']]:.0%} | {row['memory_gib']:.1f} GiB |"
        )
    Path(__file__).with_suffix(".md").write_text("\n".join([*lines, ""]), "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(training(*sys.argv[1:])))
    else:
        main()
