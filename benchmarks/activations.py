"""Activations and residual connections: chapter 04's experiments, with three seeds each.

    python benchmarks/activations.py

writes benchmarks/activations.json. Five experiments, each on crops of photographs, 12×12 in and
48×48 out: dead units through training, by activation and learning rate, also where the generator
corrects an enlargement; the output's activation; the gradient at the first layer, by depth; and
whether generators of some depth learn.
"""

import itertools
import json
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers

import keras_gen as kg

SEEDS = 0, 1, 2
STEPS, LOOKS = 300, (0, 3, 10, 30, 100, 299)
ACTIVATIONS = "relu", "leaky_relu", "prelu", "silu"
RATES = 0.001, 0.003, 0.01, 0.03
OUTPUTS = {
    "sigmoid": keras.ops.sigmoid,
    "tanh": lambda x: (keras.ops.tanh(x) + 1) / 2,
    "linear": lambda x: x + 0.5,
}
DEPTHS = 2, 4, 8, 16, 32, 64
TRAINED_DEPTHS = 2, 8, 24
STARTS = {  # name → kernel initializer, normalisation
    "Glorot": ("glorot_uniform", None),
    "He": ("he_normal", None),
    "Glorot, batch normalisation": ("glorot_uniform", "batch"),
    "Glorot, group normalisation": ("glorot_uniform", "group"),
}


def crops(split, count):
    """Pairs of small and large crops of photographs, in one batch."""
    images = kg.data.photographs(split)
    pairs = kg.data.pairs(images, 12, 48, steps=1, batch_size=count, seed=1)
    return next((small.numpy(), large.numpy()) for small, large in pairs)


class CountDead(keras.callbacks.Callback):
    """Counts the dead units of all layers together, before some of the steps."""

    def __init__(self, images, steps):
        super().__init__()
        self.images, self.steps, self.share = images, steps, {}

    def on_train_batch_begin(self, batch, logs=None):
        step = int(self.model.optimizer.iterations.numpy())
        if step in self.steps:
            rows = kg.dead_units(self.model, self.images)
            dead, units = (sum(row[key] for row in rows) for key in ("dead", "units"))
            self.share[step] = dead / units


def train(model, weights, data, rate, steps, looks=()):
    """Train from these weights by Adam; say what is dead, how good, how colourful, how saturated.

    A model is compiled once for all seeds and rates, because that takes longer than to train it.
    """
    (small, large), (test_small, test_large) = data
    if not model.compiled:
        model.compile(keras.optimizers.Adam(), loss="mean_squared_error")
    model.set_weights(weights)
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    model.optimizer.learning_rate = rate
    count = CountDead(test_small, looks)
    batches = len(small) // 8
    options = {"batch_size": 8, "shuffle": False, "verbose": 0, "callbacks": [count]}
    for start in range(0, steps, batches):
        end = 8 * min(batches, steps - start)
        model.fit(small[:end], large[:end], **options)
    drawn = model(test_small, training=False).numpy()
    error = np.mean((np.clip(drawn, 0, 1) - test_large) ** 2)
    found = {
        "psnr": round(-10 * float(np.log10(error)), 3),
        "contrast": round(float(drawn.std() / test_large.std()), 4),
        "saturation": round(kg.saturation(drawn), 4),
    }
    return found | ({"dead": [round(count.share[step], 4) for step in looks]} if looks else {})


def small_generator(seed, activation="leaky_relu", output="sigmoid", residual=False):
    """12×12 → 48×48 without an enlargement to start from, as in the popular sketch."""
    model = kg.simple_generator(
        (12, 12, 3),
        scale=4,
        filters=16,
        blocks=2,
        activation=activation,
        residual=residual,
        global_residual=False,
        seed=seed,
    )
    drawn = OUTPUTS[output](model.get_layer("to_rgb").output)
    return keras.Model(model.inputs[0], drawn)


def corrector(seed, activation):
    """The course's own kind of generator: residual blocks that correct a bicubic enlargement."""
    return kg.simple_generator(
        (12, 12, 3), scale=4, filters=16, blocks=2, activation=activation, seed=seed
    )


def deep_generator(blocks, residual, start="glorot_uniform", norm=None, filters=16):
    """A generator with this many blocks of two convolutions before it enlarges."""
    same = {"padding": "same", "kernel_initializer": start}

    def activate(x):
        if norm:
            x = layers.BatchNormalization()(x) if norm == "batch" else group()(x)
        return layers.LeakyReLU(negative_slope=0.2)(x)

    def group():
        return layers.GroupNormalization(groups=4)

    image = keras.Input((12, 12, 3))
    x = layers.Conv2D(filters, 3, name="first", **same)(image)
    for _ in range(blocks):
        y = layers.Conv2D(filters, 3, **same)(activate(x))
        y = layers.Conv2D(filters, 3, **same)(activate(y))
        x = layers.Add()([x, y]) if residual else y
    x = kg.upsample(activate(x), 3, scale=4, name="last")
    return keras.Model(image, layers.Activation("sigmoid")(x))


def main():
    began = time.time()
    data = crops("train", 480), crops("test", 64)
    x, y = data[0][0][:8], data[0][1][:8]
    reference = kg.saturation(data[1][1])
    path = Path(__file__).with_suffix(".json")
    found = {
        "looks": LOOKS,
        "rates": RATES,
        "seeds": SEEDS,
        "reference_saturation": round(reference, 4),
    }

    def note(experiment, **row):
        found.setdefault(experiment, []).append(row)
        path.write_text(json.dumps(found, indent=None).replace("}, {", "},\n{") + "\n")
        print(f"{(time.time() - began) / 60:.1f} min", experiment, row, flush=True)

    for activation, residual in itertools.product(ACTIVATIONS, (False, True)):
        keras.backend.clear_session()
        model = small_generator(0, activation, residual=residual)
        for rate, seed in itertools.product(RATES, SEEDS):
            weights = small_generator(seed, activation, residual=residual).get_weights()
            row = train(model, weights, data, rate, STEPS, LOOKS)
            note("dying", activation=activation, residual=residual, rate=rate, seed=seed, **row)

    for activation in ACTIVATIONS:
        keras.backend.clear_session()
        model = corrector(0, activation)
        for rate, seed in itertools.product((0.003, 0.01), SEEDS):
            row = train(model, corrector(seed, activation).get_weights(), data, rate, STEPS, LOOKS)
            note("correcting", activation=activation, rate=rate, seed=seed, **row)

    for start, residual, blocks in itertools.product(STARTS, (False, True), DEPTHS):
        for seed in SEEDS:
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            model = deep_generator(blocks, residual, *STARTS[start])
            norms = {row["layer"]: row["gradient"] for row in kg.gradient_norms(model, x, y)}
            saturated = round(kg.saturation(model(x, training=True).numpy()), 4)
            row = {"first": norms["first"], "last": norms["last"], "saturation": saturated}
            note("gradients", start=start, residual=residual, blocks=blocks, seed=seed, **row)

    for output in OUTPUTS:
        keras.backend.clear_session()
        model = small_generator(0, output=output)
        for rate, seed in itertools.product(RATES, SEEDS):
            weights = small_generator(seed, output=output).get_weights()
            row = train(model, weights, data, rate, STEPS)
            note("outputs", output=output, rate=rate, seed=seed, **row)

    for blocks, start, residual in itertools.product(TRAINED_DEPTHS, STARTS, (False, True)):
        keras.backend.clear_session()
        model = deep_generator(blocks, residual, *STARTS[start])
        for seed in SEEDS:
            keras.utils.set_random_seed(seed)
            weights = deep_generator(blocks, residual, *STARTS[start]).get_weights()
            row = train(model, weights, data, 0.001, 150)
            note("learning", start=start, residual=residual, blocks=blocks, seed=seed, **row)


if __name__ == "__main__":
    main()
