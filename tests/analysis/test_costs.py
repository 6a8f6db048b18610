"""Costs: published counts, hand counts, and what Keras itself says."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_gen.analysis.costs import cost


def one(layer, *shapes):
    """A model of one layer."""
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, layer(*inputs))


@pytest.mark.parametrize(
    ("name", "parameters", "macs", "published"),
    [
        ("VGG16", 138_357_544, 15_470_264_320, (15.4e9, 15.5e9)),
        ("ResNet50", 25_636_712, 3_857_973_248, (3.8e9, 4.1e9)),
        ("MobileNet", 4_253_864, 568_740_352, (0.565e9, 0.575e9)),
    ],
)
def test_published_counts(name, parameters, macs, published):
    model = getattr(keras.applications, name)(weights=None)
    counted = cost(model)
    assert counted.parameters == parameters == model.count_params()
    assert counted.macs == macs
    assert published[0] <= counted.macs <= published[1]


IMAGE = (10, 12, 6)
BY_HAND = {
    "conv": (layers.Conv2D(8, (3, 5), strides=2, padding="same"), 5 * 6 * 8 * 3 * 5 * 6),
    "conv, valid": (layers.Conv2D(8, 3), 8 * 10 * 8 * 9 * 6),
    "conv, grouped": (layers.Conv2D(8, 3, padding="same", groups=2), 10 * 12 * 8 * 9 * 3),
    "conv, dilated": (layers.Conv2D(8, 3, padding="same", dilation_rate=2), 10 * 12 * 8 * 9 * 6),
    "depthwise": (layers.DepthwiseConv2D(3, depth_multiplier=2), 8 * 10 * 9 * 6 * 2),
    "separable": (layers.SeparableConv2D(8, 3), 8 * 10 * (9 * 6 + 6 * 8)),
    "transposed": (layers.Conv2DTranspose(4, 4, strides=2, padding="same"), 10 * 12 * 16 * 6 * 4),
    "dense": (layers.Dense(7), 10 * 12 * 6 * 7),
    "einsum dense": (layers.EinsumDense("...wc,wv->...vc", (5, 6)), 10 * 12 * 5 * 6),
    "spectral": (layers.SpectralNormalization(layers.Conv2D(8, 3)), 8 * 10 * 8 * 9 * 6),
    "times": (layers.TimeDistributed(layers.Dense(7)), 10 * 12 * 6 * 7),
    "pooling": (layers.MaxPooling2D(), 0),
    "batch normalisation": (layers.BatchNormalization(), 0),
    "prelu": (layers.PReLU(), 0),
    "resizing": (layers.Resizing(4, 4), 0),
    "ops.conv": (lambda x: ops.conv(x, np.ones((3, 3, 6, 2))), 8 * 10 * 9 * 6 * 2),
    "ops.matmul": (lambda x: ops.matmul(x, np.ones((6, 5))), 10 * 12 * 6 * 5),
    "ops.einsum": (lambda x: ops.einsum("bhwc,wv->bhvc", x, np.ones((12, 3))), 10 * 12 * 6 * 3),
    "ops.relu": (lambda x: ops.relu(x) + 1.0, 0),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_layers_by_hand(name):
    layer, macs = BY_HAND[name]
    assert cost(one(layer, IMAGE)).macs == macs


def test_attention_by_hand():
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=3, value_dim=5)
    model = one(layer, (7, 8), (9, 4))
    projections = 7 * 8 * 6 + 9 * 4 * 6 + 9 * 4 * 10 + 7 * 10 * 8
    pairs = 2 * 7 * 9 * (3 + 5)
    assert cost(model).macs == projections + pairs


def test_channels_first():
    layer = layers.Conv2D(8, 3, strides=2, padding="same", data_format="channels_first")
    assert cost(one(layer, (6, 10, 12))).macs == 5 * 6 * 8 * 9 * 6


def test_a_whole_model_by_hand():
    x = inputs = keras.Input((8, 8, 3))
    conv = layers.Conv2D(3, 3, padding="same", name="conv")
    x = conv(conv(x))  # shared: computed twice, its weights there once
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.MaxPooling2D()], name="inner")
    x = layers.Dense(10, name="dense")(layers.Flatten()(inner(x)))
    counted = cost(keras.Model(inputs, x))
    assert counted.parameters == 3 * 3 * 3 * 3 + 3 + 48 * 10 + 10
    assert counted.macs == 2 * 64 * 81 + 48 * 10
    assert counted.activation_bytes == 4 * (192 + 192 + 48 + 48 + 10)
    rows = counted.table()
    assert [row["parameters"] for row in rows] == [84, 0, 0, 0, 490]
    assert rows[0]["output_shape"] == (8, 8, 3)
    assert [row["layer"] for row in rows[:2]] == ["conv", "conv#2"]
    assert "8×8×3" in str(rows)
    assert repr(counted).startswith("<574 parameters, 10,848 multiply–accumulates")


def test_half_precision_activations():
    model = one(layers.ReLU(dtype="bfloat16"), (4, 4, 2))
    assert cost(model).activation_bytes == 2 * 32


def test_open_sizes():
    model = one(layers.Conv2D(2, 3, padding="same"), (None, None, 3))
    assert cost(model, input_shape=(10, 20, 3)).macs == 200 * 2 * 27
    with pytest.raises(ValueError, match="has the open shape"):
        cost(model)


class Scale(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], name="scale")

    def call(self, x):
        return x * self.scale


def test_unknown_layers_with_weights_are_named():
    model = one(Scale(name="odd"), (4, 4, 2))
    with pytest.raises(ValueError, match=r"layer 'odd' \(Scale\) has weights.*rules=\{'odd': "):
        cost(model)
    assert cost(model, rules={"odd": 32}).macs == 32
    assert cost(model, rules={Scale: lambda layer, inputs, outputs: 3 * inputs[0][0]}).macs == 12
    assert cost(one(layers.Lambda(lambda x: x[:, 1:], output_shape=(3, 4)), (4, 4))).macs == 0


def test_cost_grows_linearly_with_depth_and_not_with_dilation():
    """What a larger receptive field costs (Luo et al. 2016, and the claim that it explodes)."""

    def stack(depth, dilation=1):
        convs = [
            layers.Conv2D(4, 3, padding="same", dilation_rate=dilation, use_bias=False)
            for _ in range(depth)
        ]
        return cost(keras.Sequential([keras.Input((16, 16, 4)), *convs])).macs

    assert stack(8) == 4 * stack(2) == 4 * stack(2, dilation=5)
