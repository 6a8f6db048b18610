"""Receptive fields: against published numbers, by hand, and against the models themselves."""

import json
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen.analysis import index_maps
from keras_gen.analysis.effective_fields import effective_receptive_field
from keras_gen.analysis.fields import projective_field, receptive_field
from tests.analysis.random_models import mismatch

VECTORS = json.loads((Path(__file__).parent / "vectors" / "receptive_field.json").read_text())


def one_axis(*stack, size=32):
    """A model of one row: what its layers do along one axis."""
    return keras.Sequential([keras.Input((size, 1)), *stack])


def square(*stack, size=32, channels=1):
    return keras.Sequential([keras.Input((size, size, channels)), *stack])


def relative_to_phase(rf, scale, position):
    """The interval of an output, relative to its position at the input's scale."""
    (seen,) = rf.at(position)
    if seen.start == seen.stop:
        return None
    return [seen.start - position // scale, seen.stop - 1 - position // scale]


# Published numbers


@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_published_encoders(name):
    build = {"vgg16": keras.applications.VGG16, "resnet50": keras.applications.ResNet50}[name]
    model = build(weights=None, include_top=False, input_shape=(224, 224, 3))
    for layer, expected in VECTORS["keras_applications"][name].items():
        rf = receptive_field(model, layer)
        assert rf.size == (expected["rf"],) * 2
        assert rf.stride == expected["stride"]
        assert rf.padding == (expected["padding"],) * 2
        assert not rf.hull


def test_mobilenet_after_every_block():
    model = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(224, 224, 3))
    names = ["conv1_relu", *(f"conv_pw_{n}_relu" for n in range(1, 14))]
    sizes = [receptive_field(model, name).size[0] for name in names]
    assert sizes == VECTORS["mobilenet_v1_224"]["after_conv_block"]


def araujo(rf):
    return [rf.size[0], rf.stride, rf.padding[0]]


def test_the_table_of_araujo_et_al():
    expected = VECTORS["distill_table_final"]
    alexnet = square(
        layers.Conv2D(2, 11, 4),
        layers.MaxPooling2D(3, 2),
        layers.Conv2D(2, 5, padding="same"),
        layers.MaxPooling2D(3, 2),
        *(layers.Conv2D(2, 3, padding="same") for _ in range(3)),
        layers.MaxPooling2D(3, 2),
        size=224,
    )
    assert araujo(receptive_field(alexnet)) == expected["alexnet_v2"]
    shape = {"weights": None, "include_top": False, "input_shape": (224, 224, 3)}
    assert araujo(receptive_field(keras.applications.VGG16(**shape))) == expected["vgg_16"]
    mobilenet = receptive_field(keras.applications.MobileNet(**shape))
    assert araujo(mobilenet) == expected["mobilenet_v1@224"]


def test_patch_discriminators():
    sizes = []
    for depth in range(1, 6):
        halving = [layers.Conv2D(1, 4, 2, padding="same") for _ in range(depth)]
        rest = [layers.ZeroPadding2D(), layers.Conv2D(1, 4), layers.ZeroPadding2D()]
        model = square(*halving, *rest, layers.Conv2D(1, 4), size=256)
        sizes.append(receptive_field(model).size[0])
    assert sizes == VECTORS["patchgan_n_layers_1_to_5"]


# Decoders, phase by phase


@pytest.mark.parametrize(
    "name", [n for n in VECTORS["transposed_conv_same_by_phase"] if n[0] == "k"]
)
def test_phases_of_transposed_convolutions(name):
    kernel, stride = map(int, name[1:].split("s"))
    rf = receptive_field(one_axis(layers.Conv1DTranspose(1, kernel, stride, padding="same")))
    expected = VECTORS["transposed_conv_same_by_phase"][name]
    phases = [relative_to_phase(rf, stride, 10 * stride + phase) for phase in range(stride)]
    assert phases == expected
    sizes = [0 if interval is None else interval[1] - interval[0] + 1 for interval in expected]
    assert rf.size == (max(sizes),)
    assert list(np.resize(rf.size_by_phase[0], stride)) == sizes
    assert rf.stride == Fraction(1, stride)


@pytest.mark.parametrize("name", VECTORS["resize_by_phase"])
def test_phases_of_resizing(name):
    interpolation, factor = name.split("_x")
    factor = int(factor)
    rf = receptive_field(square(layers.UpSampling2D(factor, interpolation=interpolation)))
    for phase, (first, last) in enumerate(VECTORS["resize_by_phase"][name]):
        assert rf.at(10 * factor + phase, 0)[0] == slice(10 + first, 10 + last + 1)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_resizing_between_odd_sizes(interpolation):
    rf = receptive_field(square(layers.Resizing(8, 8, interpolation=interpolation), size=5))
    expected = VECTORS["resizing_5_to_8"][interpolation]
    expected = [[e, e] if isinstance(e, int) else e for e in expected]
    assert [[rf.at(o, 0)[0].start, rf.at(o, 0)[0].stop - 1] for o in range(8)] == expected


@pytest.mark.parametrize("size", [8, 9])
def test_pooling_at_the_border(size):
    rf = receptive_field(one_axis(layers.AveragePooling1D(3, 2, padding="same"), size=size))
    expected = VECTORS["avgpool_k3s2_same"][f"n{size}"]
    assert [[rf.at(o)[0].start, rf.at(o)[0].stop - 1] for o in range(len(expected))] == expected


def unet(depth, upscale, size):
    """Two convolutions of 3 a level, with skips."""

    def twice(x):
        return layers.Conv1D(1, 3, padding="same")(layers.Conv1D(1, 3, padding="same")(x))

    x = inputs = keras.Input((size, 1))
    skips = []
    for _ in range(depth):
        x = twice(x)
        skips.append(x)
        x = layers.MaxPooling1D(2)(x)
    x = twice(x)
    for skip in reversed(skips):
        x = twice(layers.Concatenate()([upscale()(x), skip]))
    return keras.Model(inputs, x)


ENLARGE = {
    "nearest": lambda: layers.UpSampling1D(2),
    "transposed_k2": lambda: layers.Conv1DTranspose(1, 2, 2),
    "transposed_k4": lambda: layers.Conv1DTranspose(1, 4, 2, padding="same"),
}


@pytest.mark.parametrize("upscale", ENLARGE)
@pytest.mark.parametrize("depth", range(1, 6))
def test_unets_have_a_field_for_each_phase(upscale, depth):
    expected = VECTORS["unet_two_conv3_per_level_min_max_over_phases_depth_1_to_5"]
    key = "bilinear_or_transposed_k4_same" if upscale == "transposed_k4" else None
    smallest, largest = expected[key or "nearest_or_transposed_k2"][depth - 1]
    rf = receptive_field(unet(depth, ENLARGE[upscale], 64))
    assert (min(rf.size_by_phase[0]), max(rf.size_by_phase[0])) == (smallest, largest)
    assert rf.size == (largest,)
    assert rf.stride == 1


def test_the_original_unet_sees_188_or_204():
    """Ronneberger et al. (2015): valid convolutions, cropped skips, 572 in and 388 out."""

    def twice(x):
        return layers.Conv1D(1, 3)(layers.Conv1D(1, 3)(x))

    x = inputs = keras.Input((572, 1))
    skips = []
    for _ in range(4):
        x = twice(x)
        skips.append(x)
        x = layers.MaxPooling1D(2)(x)
    x = twice(x)
    for skip in reversed(skips):
        x = layers.Conv1DTranspose(1, 2, 2)(x)
        margin = (skip.shape[1] - x.shape[1]) // 2
        x = twice(layers.Concatenate()([layers.Cropping1D(margin)(skip), x]))
    rf = receptive_field(keras.Model(inputs, x))
    assert rf.output_size == (388,)
    sizes = rf.size_by_phase[0]
    assert len(sizes) == 16
    assert (sizes.count(188), sizes.count(204)) == (4, 12)
    start, stop = rf.bounds[0]  # without padding, no border clips a field
    assert np.array_equal(stop - start, np.resize(sizes, 388))


def test_a_unet_at_400():
    rf = receptive_field(unet(4, ENLARGE["transposed_k2"], 400))
    for position, (first, last) in VECTORS["unet_same_400_depth4_transposed_k2"].items():
        assert rf.at(int(position)) == (slice(first, last + 1),)


DECODERS = {
    **{
        f"transposed_k{k}": lambda k=k: [layers.Conv1DTranspose(1, k, 2, padding="same")]
        for k in (2, 3, 4, 5)
    },
    "nearest_conv3": lambda: [layers.UpSampling1D(2), layers.Conv1D(1, 3, padding="same")],
}


@pytest.mark.parametrize("name", DECODERS)
def test_how_many_latent_cells_a_pixel_sees(name):
    rf = receptive_field(
        one_axis(*(layer for _ in range(4) for layer in DECODERS[name]()), size=25)
    )
    sizes = rf.size_by_phase[0]
    assert [min(sizes), max(sizes)] == VECTORS["decoder_25_to_400_latent_cells_seen_min_max"][name]
    assert rf.stride == Fraction(1, 16)
    assert rf.output_size == (400,)


def test_how_many_latent_cells_a_bilinear_decoder_sees():
    stack = [
        layer
        for _ in range(4)
        for layer in (
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.Conv2D(1, 3, padding="same"),
        )
    ]
    rf = receptive_field(square(*stack, size=25))
    sizes = rf.size_by_phase[1]
    expected = VECTORS["decoder_25_to_400_latent_cells_seen_min_max"]["bilinear_conv3"]
    assert [min(sizes), max(sizes)] == expected


def test_two_aligned_paths():
    x = inputs = keras.Input((33, 1))
    long = layers.ZeroPadding1D((1, 0))(x)
    long = layers.Conv1D(1, 1, 2)(layers.Conv1D(1, 3, 2)(long))
    model = keras.Model(inputs, layers.add([long, layers.Conv1D(1, 1, 4)(x)[:, : long.shape[1]]]))
    rf = receptive_field(model)
    assert araujo(rf) == VECTORS["two_path_alignment"]["rf_stride_padding"]
    assert not rf.hull


# Random models, measured


@pytest.mark.parametrize("block", range(16))
def test_fields_of_random_models_are_what_the_models_show(block):
    """320 models: every output's field, and what one pixel paints."""
    found = [mismatch(seed) for seed in range(20 * block, 20 * block + 20)]
    keras.backend.clear_session()
    assert [text for text in found if text] == []


def random_row(random, size):
    """Layers of one axis that repeat themselves, and the product of their strides."""
    x = inputs = keras.Input((size, 1))
    for _ in range(random.integers(1, 7)):
        kernel, stride = (int(random.integers(1, high)) for high in (6, 4))
        padding = ["same", "valid"][random.integers(2)]
        kind = random.integers(7)
        if kind == 0:
            x = layers.Conv1D(1, kernel, stride, padding=padding)(x)
        elif kind == 1:
            x = layers.Conv1D(1, kernel, dilation_rate=stride, padding=padding)(x)
        elif kind == 2:
            x = layers.AveragePooling1D(kernel, stride, padding=padding)(x)
        elif kind == 3:
            x = layers.Conv1DTranspose(1, kernel, stride, padding=padding)(x)
        elif kind == 4:
            x = layers.UpSampling1D(stride)(x)
        elif kind == 5:
            x = layers.ZeroPadding1D((kernel, stride))(x)
        else:
            x = layers.Add()([layers.Cropping1D((kernel, stride))(x), x[:, stride:-kernel]])
    return keras.Model(inputs, x)


@pytest.mark.parametrize("seed", range(40))
def test_the_endless_field_is_what_the_middle_of_a_long_row_sees(seed):
    """Paddings depend on the size, so the long row has the same remainders as the short one."""
    short, long = (
        receptive_field(random_row(np.random.default_rng(seed), 300 + more))
        for more in (0, 2 * 6**5)
    )
    phases = short.size_by_phase[0]
    period = len(phases)
    start, stop = long.bounds[0]
    middle = len(start) // 2 // period * period
    seen = (stop - start)[middle : middle + period]
    assert tuple(seen.tolist()) == phases
    middle += int(np.argmax(phases))  # some phases see nothing
    far = len(start) // 4 // period * period
    moved = int(start[middle + far] - start[middle])
    assert abs(moved - far * short.stride) <= short.size[0] + short.stride


# Every convolutional model of keras.applications: the smallest of each family


FAMILIES = {  # the classic fields, gates left out: Araujo et al. (2019) print those marked by them
    "ConvNeXtTiny": 1688,
    "DenseNet121": 2071,
    "EfficientNetB0": 851,
    "EfficientNetV2B0": 763,
    "InceptionResNetV2": 3039,  # Araujo et al.
    "InceptionV3": 1311,  # Araujo et al.
    "MobileNetV2": 491,
    "MobileNetV3Small": 639,
    "NASNetMobile": 2407,
    "ResNet50V2": 483,  # Araujo et al.
    "Xception": 1083,
}


@pytest.mark.parametrize("name", FAMILIES)
def test_keras_applications(name):
    side = 331 if name == "NASNetMobile" else 224
    build = getattr(keras.applications, name)
    model = build(weights=None, include_top=False, input_shape=(side, side, 3))
    gated = "Efficient" in name or "V3Small" in name
    rf = receptive_field(model, gates=False)
    assert rf.size == (FAMILIES[name],) * 2
    assert rf.stride == 32
    assert receptive_field(model).size == ((side,) * 2 if gated else rf.size)
    keras.backend.clear_session()


# Asking


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


def test_an_output_that_does_not_see_an_input(shared):
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
    model = unet(2, ENLARGE["nearest"], 40)
    model.save(tmp_path / "unet.keras")
    loaded = keras.models.load_model(tmp_path / "unet.keras")
    assert receptive_field(loaded).size_by_phase == receptive_field(model).size_by_phase


# What is not known


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
    with pytest.raises(ValueError, match=r"layer 'odd' .*does not act on each element by itself"):
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
def test_statistics_of_the_picture_can_be_left_out(norm):
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


def test_global_pooling_sees_what_valid_windows_leave_it():
    model = square(layers.Conv2D(1, 2, 3), layers.GlobalAveragePooling2D(), size=9)
    assert receptive_field(model).at() == (slice(0, 8), slice(0, 8))


# Painting


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
def test_what_a_latent_cell_paints(kernel):
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


# Using


def test_effective_field_of_uniform_convolutions():
    shares = []
    for depth, name in ((10, "n10"), (40, "n40")):
        expected = VECTORS["effective_field_uniform_k3"][name]
        options = {"padding": "same", "kernel_initializer": "ones", "use_bias": False}
        stack = [layers.Conv2D(1, 3, **options) for _ in range(depth)]
        model = square(*stack, size=2 * depth + 1)
        effective = effective_receptive_field(model, samples=1)
        assert effective.field.size == (expected["rf"],) * 2
        assert effective.sigma == pytest.approx((expected["sigma"],) * 2, abs=5e-4)
        assert effective.map.sum() == pytest.approx(1)
        shares.append(effective.share)
    assert shares[0] / shares[1] == pytest.approx(2, rel=0.1)  # 1/√n


def test_effective_field_stays_inside_the_field():
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((20, 24, 2))
    x = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="half")(x)
    x = layers.Conv2DTranspose(2, 4, strides=2, padding="same")(x)
    model = keras.Model(inputs, x)
    effective = effective_receptive_field(model, position=(3, 0), samples=8)
    used = np.argwhere(effective.map > 0)
    inside = effective.map[effective.field].sum()
    assert inside == pytest.approx(1)
    assert [slice(a, b + 1) for a, b in zip(used.min(0), used.max(0), strict=True)] == list(
        effective.field
    )
    assert effective_receptive_field(model, "half", samples=2).field.size == (3, 3)
    images = np.ones((2, 20, 24, 2))
    assert effective_receptive_field(model, images=images).share > 0


def test_effective_field_refusals(shared):
    with pytest.raises(ValueError, match="has 2 inputs"):
        effective_receptive_field(shared)
    inner = keras.Sequential([layers.Conv2D(1, 3, name="c"), layers.ReLU()], name="inner")
    model = square(inner, size=8)
    with pytest.raises(ValueError, match="'inner/c' lies inside a nested model"):
        effective_receptive_field(model, "inner/c")
    dead = square(layers.Conv2D(1, 3, kernel_initializer="zeros"), size=8)
    with pytest.raises(ValueError, match="does not depend on the image"):
        effective_receptive_field(dead)
