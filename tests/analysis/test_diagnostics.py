"""Dead units, saturation and gradients against what can be counted by hand."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen.analysis.diagnostics import dead_units, gradient_norms, saturation
from keras_gen.models.blocks import ACTIVATIONS
from keras_gen.models.simple import simple_generator

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((10, 6, 6, 3)).astype("float32")


def hidden(activation, bias):
    """One hidden convolution; a unit's bias alone decides whether it fires."""
    x = image = keras.Input((6, 6, 3))
    x = layers.Conv2D(len(bias), 1, name="hidden")(x)
    x = activation(x) if callable(activation) else layers.Activation(activation)(x)
    model = keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid", name="end")(x))
    kernel, _ = model.get_layer("hidden").get_weights()
    model.get_layer("hidden").set_weights([0 * kernel + 0.1, np.array(bias, "float32")])
    return model


# ---- dead units ----------------------------------------------------------------------------------


def test_units_that_never_fire_are_counted():
    row = dead_units(hidden("relu", [0.0, -10.0, 1.0, -0.31, -10.0]), IMAGES)[0]
    assert (row["units"], row["dead"], row["fraction"]) == (5, 3, 0.6)


@pytest.mark.parametrize(
    ("activation", "dead"),
    [
        ("relu", 1),
        ("relu6", 1),
        ("silu", 1),  # its far negative side is so flat that nothing passes
        ("sigmoid", 1),
        ("tanh", 0),
        (layers.LeakyReLU(), 0),
        (layers.PReLU(alpha_initializer="zeros"), 1),  # Keras' default slope: a ReLU at first
        (layers.PReLU(alpha_initializer="ones"), 0),
        (layers.ReLU(), 1),
        (layers.ReLU(negative_slope=0.1), 0),
    ],
    ids=str,
)
def test_which_activations_can_die(activation, dead):
    assert dead_units(hidden(activation, [0.0, -100.0]), IMAGES)[0]["dead"] == dead


def test_one_place_of_one_image_keeps_a_unit_alive():
    model = hidden("relu", [-10.0])
    images = np.zeros((10, 6, 6, 3), "float32")
    assert dead_units(model, images)[0]["dead"] == 1
    images[9, 5, 5] = 40
    assert dead_units(model, images)[0]["dead"] == 0


def test_a_dead_relu_gets_no_gradient_and_a_living_one_does():
    """What makes dead units worth counting."""
    model = hidden("relu", [-10.0, -10.0])
    target = np.ones((10, 6, 6, 1))
    received = {row["layer"]: row["gradient"] for row in gradient_norms(model, IMAGES, target)}
    assert received["hidden"] == 0 and received["end"] > 0
    model = hidden(layers.LeakyReLU(), [-10.0, -10.0])
    received = {row["layer"]: row["gradient"] for row in gradient_norms(model, IMAGES, target)}
    assert received["hidden"] > 0


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "prelu", "silu", "tanh"])
def test_each_activation_of_a_generator_is_found_but_its_output(activation):
    assert activation in ACTIVATIONS
    model = simple_generator((6, 6, 3), scale=2, filters=4, blocks=2, activation=activation)
    rows = dead_units(model, IMAGES)
    assert [row["layer"] for row in rows] == [
        f"block_1_a_{activation}",
        f"block_2_a_{activation}",
        f"stage_1_{activation}",
    ]


def test_a_layer_called_twice_counts_twice_and_elsewhere_not_at_all():
    image = keras.Input((4,))
    layer, other = layers.Dense(4, "relu", name="shared"), keras.Input((4,))
    layer(other)
    model = keras.Model(image, layers.Dense(1)(layer(layer(image))))
    assert [row["layer"] for row in dead_units(model, np.ones((2, 4)))] == ["shared", "shared#2"]


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="received 0 inputs"):
        dead_units(hidden("relu", [0.0]), IMAGES[:0])
    plain = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="no activation behind a hidden layer"):
        dead_units(plain, np.ones((1, 3)))
    nested = keras.Sequential([keras.Input((6, 6, 3)), hidden("relu", [0.0]), layers.Flatten()])
    with pytest.raises(ValueError, match="inside a nested model"):
        dead_units(nested, IMAGES)


# ---- saturation ----------------------------------------------------------------------------------


def test_saturation_counts_both_ends_and_what_lies_beyond():
    steps = np.arange(256) / 255
    assert saturation(steps) == 4 / 256  # 0, 1, 254 and 255
    assert saturation(steps.astype("float32")) == 4 / 256
    assert saturation(steps, margin=0) == 2 / 256
    assert saturation(np.array([-3.0, 0.5, 0.5, 9.0])) == 0.5


def test_where_a_sigmoid_is_saturated_its_slope_is_as_small_as_said():
    answer = 1 / (1 + np.exp(-np.linspace(-20, 20, 100001)))
    slope = answer * (1 - answer)
    ends = (answer <= 1 / 255) | (answer >= 254 / 255)
    assert 0.0038 < slope[ends].max() < 0.004


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((2, 2), np.uint8), {}, "received uint8"),
        (np.zeros((0, 2)), {}, r"shape \(0, 2\)"),
        (np.zeros(2), {"margin": 0.5}, "margin=0.5"),
        (np.zeros(2), {"margin": -0.1}, "margin=-0.1"),
    ],
)
def test_what_is_no_picture_is_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        saturation(images, **options)


# ---- gradients -----------------------------------------------------------------------------------


def test_gradients_agree_with_differences():
    """Move each weight a little either way: the loss changes by the gradient."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(3, "tanh", name="a"), layers.Dense(1, name="b")]
    )
    x, y = RANDOM.normal(size=(5, 2)), RANDOM.normal(size=(5, 1))

    def loss():
        return float(np.mean((model(x, training=True).numpy() - y) ** 2))

    for row in gradient_norms(model, x, y):
        total, weights = 0.0, 0.0
        layer = model.get_layer(row["layer"])
        for variable in layer.trainable_variables:
            start = variable.numpy()
            weights += (start**2).sum()
            for place in np.ndindex(start.shape):
                step = np.zeros_like(start)
                step[place] = 1e-2
                variable.assign(start + step)
                above = loss()
                variable.assign(start - step)
                total += ((above - loss()) / 2e-2) ** 2
                variable.assign(start)
        assert row["gradient"] == pytest.approx(total**0.5, rel=2e-3)
        assert row["weights"] == pytest.approx(weights**0.5, rel=1e-5)


def test_normalisations_work_as_in_training_and_keep_their_statistics():
    model = keras.Sequential(
        [keras.Input((3,)), layers.BatchNormalization(name="n"), layers.Dense(1)]
    )
    x, y = 5 + RANDOM.normal(size=(8, 3)), np.zeros((8, 1))
    before = [variable.numpy() for variable in model.non_trainable_variables]
    first = gradient_norms(model, x, y)
    assert first == gradient_norms(model, x, y)
    after = [variable.numpy() for variable in model.non_trainable_variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    # in training, a normalisation takes the batch's mean away: moving all inputs changes nothing
    moved = gradient_norms(model, x + 7, y)
    assert [row["gradient"] for row in moved] == pytest.approx(
        [row["gradient"] for row in first], rel=1e-3
    )


def test_other_losses_and_unused_layers():
    image = keras.Input((2,))
    model = keras.Model(image, layers.Dense(1, name="only")(image))
    model.set_weights([np.ones((2, 1)), np.zeros(1)])
    (row,) = gradient_norms(model, [[1.0, 0.0]], [[0.0]], loss="mean_absolute_error")
    assert row["gradient"] == pytest.approx(2**0.5)  # 1 for the weight in use, 1 for the bias
    assert row["weights"] == pytest.approx(2**0.5)


def test_a_model_without_weights_is_refused():
    model = keras.Sequential([keras.Input((2,)), layers.ReLU()])
    with pytest.raises(ValueError, match="no trainable weights"):
        gradient_norms(model, [[1.0, 0.0]], [[0.0, 0.0]])
