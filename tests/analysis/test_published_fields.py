"""Receptive fields against published numbers and numbers worked out by hand."""

from fractions import Fraction

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen.analysis.fields import receptive_field
from tests.analysis.small_models import UPSCALE, VECTORS, one_axis, square, unet


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


@pytest.mark.parametrize("upscale", UPSCALE)
@pytest.mark.parametrize("depth", range(1, 6))
def test_unets_have_a_field_for_each_phase(upscale, depth):
    expected = VECTORS["unet_two_conv3_per_level_min_max_over_phases_depth_1_to_5"]
    key = "bilinear_or_transposed_k4_same" if upscale == "transposed_k4" else None
    smallest, largest = expected[key or "nearest_or_transposed_k2"][depth - 1]
    rf = receptive_field(unet(depth, UPSCALE[upscale], 64))
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
    rf = receptive_field(unet(4, UPSCALE["transposed_k2"], 400))
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


# Every convolutional model of keras.applications: the smallest of each family


FAMILIES = {  # without gates; Araujo et al. (2019) print those that are marked
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
