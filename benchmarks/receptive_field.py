"""How long a receptive field takes: by intervals, and by gradients as one would otherwise.

    python benchmarks/receptive_field.py          # a few minutes; writes receptive_field.json

The gradient method asks the model itself: one backward pass an output says which pixels it sees.
Here it is given every advantage: the model is compiled, its first (tracing) pass is not counted,
and what it would take for all outputs is worked out from the time of a few. All times are the best
of five, so that other work on the machine counts less; the intervals start without their caches.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from keras_gen.analysis import index_maps
from keras_gen.analysis.fields import receptive_field


def seconds(function, repeats=5):
    """The best time of a call."""
    times = []
    for _ in range(repeats):
        for cached in vars(index_maps).values():
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def decoder(side=25):
    x = inputs = keras.Input((side, side, 32))
    for _ in range(4):
        x = layers.Conv2DTranspose(32, 4, strides=2, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(3, 3, padding="same")(x))


def inception_resnet(side=299):
    build = keras.applications.InceptionResNetV2
    return build(weights=None, include_top=False, input_shape=(side, side, 3))


def stack(depth, side=64):
    convs = [layers.Conv2D(1, 3, padding="same") for _ in range(depth)]
    return keras.Sequential([keras.Input((side, side, 1)), *convs])


def by_intervals(model):
    rf = receptive_field(model)  # knows all outputs' rows and columns
    return rf.at(*(size // 2 for size in rf.output_size))


def gradient_seconds(model, outputs=5):
    """Seconds for one output, the best of a few."""

    @tf.function
    def gradient(image, row, column):
        with tf.GradientTape() as tape:
            tape.watch(image)
            score = tf.reduce_sum(model(image, training=False)[:, row, column])
        return tape.gradient(score, image)

    image = tf.random.stateless_normal((1, *model.inputs[0].shape[1:]), seed=(0, 0))
    _, height, width, _ = model.output_shape
    gradient(image, tf.constant(0), tf.constant(0))  # traces
    times = []
    for row, column in np.random.default_rng(0).integers((height, width), size=(outputs, 2)):
        start = time.perf_counter()
        gradient(image, tf.constant(row), tf.constant(column)).numpy()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(name, model):
    """Time both methods on one model."""
    ours = seconds(lambda: by_intervals(model))
    one = gradient_seconds(model)
    outputs = int(np.prod(model.output_shape[1:3]))
    row = {
        "model": name,
        "layers": len(model.layers),
        "outputs": outputs,
        "intervals_all_outputs_s": round(ours, 4),
        "gradient_one_output_s": round(one, 4),
        "gradient_all_outputs_s": round(one * outputs, 1),
        "ratio_one_output": round(one / ours, 2),
        "ratio_all_outputs": round(one * outputs / ours),
    }
    print(row, flush=True)
    return row


def growth(name, values, build):
    """Time the intervals alone against one quantity; the exponent of the fitted power law."""
    rows = []
    for value in values:
        model = build(value)
        rows.append({name: value, "seconds": round(seconds(lambda: by_intervals(model)), 4)})  # noqa: B023
        print(rows[-1], flush=True)
    x, y = (np.log([row[key] for row in rows]) for key in (name, "seconds"))
    return {"rows": rows, "exponent": round(float(np.polyfit(x, y, 1)[0]), 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    out = parser.parse_args().out
    result = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cpu_count": os.cpu_count(),
            "python": platform.python_version(),
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
        "against_gradients": [
            compare("InceptionResNetV2 at 299", inception_resnet()),
            compare("decoder 25 to 400", decoder()),
        ],
        "by_depth": growth("layers", (100, 200, 400, 800), stack),
        "by_side": growth("side", (400, 800, 1600, 3200, 6400), lambda side: stack(50, side)),
        "inception_resnet_by_side": growth("side", (299, 598, 1196, 2392), inception_resnet),
    }
    out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
