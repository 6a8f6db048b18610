"""Asking for receptive and projective fields: names, unknown layers, branches, refusals."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen.analysis import index_maps
from keras_gen.analysis.fields import projective_field, receptive_field
from tests.analysis.small_models import UPSCALE, VECTORS, square, unet

# Layers, inputs, shapes


@pytest.fixture
def shared():
    """Two inputs, a shared layer, a nested model called twice, two outputs."""
    image, hint = keras.Input((16, 12, 3), name="image"), keras.Input((16, 12, 1), name="hint")
    conv = layers.Conv2D(4, 3, padding="same", name="conv")
    inner = keras.Sequential([layers.Conv2D(4, 5, padding="same", name="inside")], name="inner")
    x = conv(layers.Conv2D(3, 1, name="three")(conv(image)))
    x = inner(x)
    y = inner(layers.Concatenate(name="join")([x[..., :3], hint]))
    return keras.Model([image, hint], [y, x], name="shared")


def test_layers_and_inputs_are_found_by_name_number_object_and_tensor(shared):
    assert receptive_field(shared).size == (13, 13)
    assert receptive_field(shared, "conv").size == (3, 3)
    assert receptive_field(shared, "conv#2").size == (5, 5)
    assert receptive_field(shared, "inner").size == (9, 9)
    assert receptive_field(shared, "inner/inside").size == (9, 9)
    assert receptive_field(shared, "inside").size == (9, 9)
    assert receptive_field(shared, "inner#2").size == (13, 13)
    assert receptive_field(shared, 1).size == (9, 9)
    assert receptive_field(shared, shared.outputs[1]).size == (9, 9)
    assert receptive_field(shared, shared.get_layer("join")).size == (9, 9)
    assert receptive_field(shared, input="hint").size == (5, 5)
    assert receptive_field(shared, input=1).size == (5, 5)
    assert receptive_field(shared, input="inner").size == (5, 5)
    assert receptive_field(shared, "inner", input="conv").size == (7, 7)


def test_an_output_that_does_not_depend_on_an_input(shared):
    rf = receptive_field(shared, "inner", input="hint")
    assert rf.size == (0, 0)
    assert rf.at(3, 3) == (slice(0, 0), slice(0, 0))
    assert projective_field(shared, 3, 3, layer="inner", input="hint").size == (0, 0)


def test_unknown_names_get_suggestions(shared):
    with pytest.raises(ValueError, match=r"no layer 'joint'; try one of 'join'"):
        receptive_field(shared, "joint")
    with pytest.raises(ValueError, match=r"no layer 'images'; try one of 'image'"):
        receptive_field(shared, input="images")
    with pytest.raises(ValueError, match="no layer '7'"):
        receptive_field(shared, 7)


def test_table_and_text(shared):
    rf = receptive_field(shared, "inner")
    table = rf.table()
    assert [row["layer"] for row in table] == ["conv", "three", "conv#2", "inner/inside"]
    assert table[-1] == {
        "layer": "inner/inside",
        "type": "Conv2D",
        "output_size": (16, 12),
        "receptive_field": (9, 9),
        "stride": 1,
        "padding": (4, 4),
        "hull": False,
    }
    assert "inner/inside  Conv2D        16×12              9×9       1      4×4" in str(table)
    assert table._repr_html_().count("<tr>") == 5
    assert repr(rf) == "<inner/inside sees 9×9 of image, stride 1>"


def test_positions():
    rf = receptive_field(square(layers.Conv2D(1, 3), size=8))
    assert rf.at(-1, 0) == rf.at(5, 0) == (slice(5, 8), slice(0, 3))
    assert np.zeros((8, 8))[rf.at(2, 3)].shape == rf.at(2, 3).size == (3, 3)
    with pytest.raises(ValueError, match=r"\(6, 0\) lies outside the output of size \(6, 6\)"):
        rf.at(6, 0)
    with pytest.raises(ValueError, match=r"\(3,\) has 1 numbers; the output has 2 axes"):
        rf.at(3)
    with pytest.raises(ValueError, match=r"\(8, 0\) lies outside the input of size \(8, 8\)"):
        projective_field(square(layers.Conv2D(1, 3), size=8), 8, 0)


def test_sides_that_differ():
    rf = receptive_field(square(layers.Conv2D(1, (3, 5), strides=(1, 2), padding="same")))
    assert rf.size == (3, 5)
    assert rf.stride == (1, 2)
    assert rf.padding == (1, 1)


def test_open_sizes():
    x = inputs = keras.Input((None, None, 3), name="image")
    x = layers.UpSampling2D(2)(layers.Conv2D(8, 3, padding="same", name="conv")(x))
    model = keras.Model(inputs, x)
    with pytest.raises(ValueError, match=r"'image' has the open shape \(None, None, 3\); say at"):
        receptive_field(model)
    for shape in ((30, 20, 3), {"image": (30, 20, 3)}):
        rf = receptive_field(model, input_shape=shape)
        assert rf.output_size == (60, 40)
        assert rf.at(59, 0) == (slice(28, 30), slice(0, 2))
    assert receptive_field(model, input="conv", input_shape=(30, 20, 3)).input_size == (30, 20)
    with pytest.raises(ValueError, match="does not fit input 'image'"):
        receptive_field(model, input_shape=(30, 20, 4))
    with pytest.raises(ValueError, match="does not fit input 'image'"):
        receptive_field(model, input_shape=(30, 20))


def test_models_without_a_graph():
    class Subclassed(keras.Model):
        def call(self, x):
            return x

    for model in (Subclassed(), keras.Sequential([layers.Conv2D(1, 3)]), layers.Dense(3)):
        with pytest.raises(ValueError, match="has no graph to follow"):
            receptive_field(model)


def test_a_saved_model(tmp_path):
    model = unet(2, UPSCALE["nearest"], 40)
    model.save(tmp_path / "unet.keras")
    loaded = keras.models.load_model(tmp_path / "unet.keras")
    assert receptive_field(loaded).size_by_phase == receptive_field(model).size_by_phase


# Unknown layers


class Blur(layers.Layer):
    def call(self, x):
        return (x[:, 1:] + x[:, :-1]) / 2


class MyConv(layers.Conv2D):
    """A subclass without a call of its own."""


class MyOtherConv(layers.Conv2D):
    def call(self, x):
        return super().call(x)[:, ::-1]


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (layers.Lambda(lambda x: x[:, 1:], output_shape=(7, 8, 1), name="odd"), "Lambda"),
        (Blur(name="odd"), "Blur"),
        (MyOtherConv(1, 3, padding="same", name="odd"), "MyOtherConv"),
    ],
)
def test_unknown_layers_are_named(layer, kind):
    model = square(layers.Conv2D(1, 3, padding="same"), layer, size=8)
    with pytest.raises(ValueError, match=rf"layer 'odd' \({kind}\) is unknown.*rules=\{{'odd': "):
        receptive_field(model)
    assert receptive_field(model, input="odd").size == (1, 1)  # what comes after it is no problem


def test_rules_for_unknown_layers():
    model = square(layers.Conv2D(1, 3), Blur(name="blur"), layers.Conv2D(1, 3), size=12)

    def pairs(_, x):
        return x.gather(1, index_maps.window(x.shape[1], 2, padding="valid"))

    assert receptive_field(model, rules={"blur": pairs}).size == (6, 5)
    assert receptive_field(model, rules={Blur: layers.AveragePooling2D((2, 1), 1)}).size == (6, 5)
    assert receptive_field(model, rules={"Blur": "global"}).size == (12, 12)
    with pytest.raises(
        ValueError, match=r"its rule gives the shape \(10, 10, 1\), Keras says \(9,"
    ):
        receptive_field(model, rules={"blur": "elementwise"})
    with pytest.raises(ValueError, match=r"rules\['blur'\] is 'local'; give 'elementwise', "):
        receptive_field(model, rules={"blur": "local"})


def test_a_subclass_keeps_its_rule():
    assert receptive_field(square(MyConv(1, 5))).size == (5, 5)


def test_unknown_layers_off_the_way_do_not_matter():
    x = inputs = keras.Input((8, 8, 1))
    odd = Blur(name="odd")(x)
    model = keras.Model(inputs, [layers.Conv2D(1, 3, name="conv")(x), odd])
    assert receptive_field(model).size == (3, 3)
    with pytest.raises(ValueError, match="'odd'"):
        receptive_field(model, 1)


def test_activations_that_are_not_elementwise():
    model = square(layers.Activation(lambda x: keras.ops.roll(x, 1, axis=1), name="odd"))
    with pytest.raises(ValueError, match=r"layer 'odd' .*does not act element by element"):
        receptive_field(model)


# Branches


def test_gates_can_be_left_out():
    x = inputs = keras.Input((16, 16, 4))
    x = layers.Conv2D(4, 3, padding="same")(x)
    gate = layers.GlobalAveragePooling2D()(x)
    gate = layers.Reshape((1, 1, 4))(layers.Dense(4, activation="sigmoid", name="gate")(gate))
    model = keras.Model(inputs, layers.Conv2D(4, 3, padding="same")(layers.Multiply()([x, gate])))
    everything, classic = receptive_field(model), receptive_field(model, gates=False)
    assert (everything.size, everything.stride) == ((16, 16), 0)
    assert everything.at(0, 0) == (slice(0, 16), slice(0, 16))
    assert (classic.size, classic.stride) == ((5, 5), 1)
    assert classic.at(0, 0) == (slice(0, 3), slice(0, 3))
    assert receptive_field(model, "gate", gates=False).size == (16, 16)


@pytest.mark.parametrize("norm", ["GroupNormalization", "LayerNormalization"])
def test_statistics_of_the_image_can_be_left_out(norm):
    options = {"axis": [1, 2, 3]} if norm == "LayerNormalization" else {"groups": 2}
    model = square(layers.Conv2D(4, 3, padding="same"), getattr(layers, norm)(**options), size=16)
    assert receptive_field(model).size == (16, 16)
    assert receptive_field(model, gates=False).size == (3, 3)


def test_branches_off_centre_are_flagged():
    x = inputs = keras.Input((16, 1))
    left, right = layers.ZeroPadding1D((2, 0))(x), layers.ZeroPadding1D((0, 2))(x)
    rf = receptive_field(keras.Model(inputs, layers.Add()([left, right])))
    assert rf.hull
    assert rf.size == (3,)
    assert rf.at(5) == (slice(3, 6),)
    assert rf.table()[-1]["hull"]


def test_branches_of_different_strides_are_flagged():
    x = inputs = keras.Input((27, 27, 1))
    small = layers.MaxPooling2D(2)(x)  # 13, which comes back as 27 with a stride of 26/27
    model = keras.Model(inputs, layers.Add()([x, layers.Resizing(27, 27)(small)]))
    rf = receptive_field(model)
    assert rf.hull
    assert rf.stride is None
    assert rf.size == (4, 4)


def test_global_pooling_depends_on_what_valid_windows_read():
    model = square(layers.Conv2D(1, 2, 3), layers.GlobalAveragePooling2D(), size=9)
    assert receptive_field(model).at() == (slice(0, 8), slice(0, 8))


# Projective fields


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
def test_the_projective_field_of_a_latent_cell(kernel):
    stack = [layers.Conv2DTranspose(1, kernel, 2, padding="same") for _ in range(4)]
    side = VECTORS["decoder_25_to_400_projective_field_px"][f"k{kernel}"]
    assert projective_field(square(*stack, size=25), 12, 12).size == (side, side)


def test_latent_cells_inside_a_generator():
    x = inputs = keras.Input((10,), name="latent")
    x = layers.Reshape((5, 5, 2), name="cells")(layers.Dense(50)(x))
    x = layers.Conv2DTranspose(1, 4, 2, padding="same")(x)
    model = keras.Model(inputs, x)
    assert projective_field(model, 7) == (slice(0, 10), slice(0, 10))
    assert projective_field(model, 2, 2, input="cells") == (slice(3, 7), slice(3, 7))
    assert receptive_field(model, input="cells").size == (2, 2)
