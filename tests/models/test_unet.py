"""The U-Net keeps its input's size exactly, or says at which level that is impossible."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gen as kg
from keras_gen.models.unet import unet_generator
from keras_gen.models.upsampling import UPSAMPLING

SMALL = {"filters": 2, "depth": 2, "seed": 0}
SIZES = range(40, 421)


def some_images(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def perturbed(model, seed=0):
    """The same model with noise added to every weight, as if it had been trained."""
    rng = np.random.default_rng(seed)
    model.set_weights([w + rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    return model


# Sizes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(40, 56))  # with 4 levels, sizes repeat every 16 pixels
def test_a_fixed_size_is_kept_or_refused(size):
    shape = (size, 48, 1)
    options = {"filters": 1, "depth": 4}
    if size % 16:
        with pytest.raises(ValueError, match=rf"halves a height of {size} to .* or pad=True"):
            unet_generator(shape, **options)
    model = unet_generator(shape, pad=size % 16 > 0, **options)
    assert model.output_shape == (None, size, 48, 3)


def test_padded_it_keeps_every_size_from_40_to_420():
    model = unet_generator((None, None, 1), filters=1, depth=4, pad=True)
    # As one graph for all sizes, so that 381 of them take a second.
    generate = tf.function(model, input_signature=[tf.TensorSpec((1, None, 9, 1))])
    for size in SIZES:
        assert generate(some_images(1, size, 9, 1)).shape == (1, size, 9, 3)


@pytest.mark.parametrize("downsampling", ["max", "strided"])
@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("size", [(40, 40), (41, 62), (7, 5), (1, 1)])
def test_padded_it_generates_any_size(size, skips, downsampling):
    options = {"skips": skips, "downsampling": downsampling, **SMALL, "depth": 3, "pad": True}
    image = some_images(2, *size, 3)
    fixed, open_ = (perturbed(unet_generator((*s, 3), **options)) for s in (size, (None, None)))
    generated = np.asarray(fixed(image, training=False))
    assert generated.shape == (2, *size, 3)
    np.testing.assert_allclose(open_(image, training=False), generated, atol=1e-6)


def test_padding_changes_nothing_where_the_size_fits():
    image = some_images(1, 24, 32, 3)
    generated = [
        np.asarray(perturbed(unet_generator((24, 32, 3), pad=pad, **SMALL))(image, training=False))
        for pad in (True, False)
    ]
    np.testing.assert_array_equal(*generated)


def test_margin_changes_the_edges_alone():
    """Further from the edge than the receptive field reaches, the picture is the same with the same
    weights; at the edge it is what the network makes of the reflect-padded image."""
    options = {"depth": 1, "filters": 3, "seed": 2}
    plain, wide = (
        perturbed(unet_generator((40, 48, 3), margin=margin, **options)) for margin in (0, 8)
    )
    image = some_images(1, 40, 48, 3)
    generated = [np.asarray(model(image, training=False))[0] for model in (plain, wide)]
    assert wide.count_params() == plain.count_params() and generated[1].shape == (40, 48, 3)
    difference = np.abs(generated[1] - generated[0]).max(axis=-1)
    assert difference[12:-12, 12:-12].max() < 1e-6 and difference[0].max() > 1e-3
    larger = perturbed(unet_generator((56, 64, 3), **options))
    padded = np.pad(image, ((0, 0), (8, 8), (8, 8), (0, 0)), mode="reflect")
    expected = np.asarray(larger(padded, training=False))[0, 8:-8, 8:-8]
    np.testing.assert_allclose(generated[1], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("open_to", "given", "generated", "options"),
    [(None, 37, 37, {"pad": True}), (32, 32, 48, {"size": 48})],
)
def test_margin_goes_with_the_rest(open_to, given, generated, options):
    model = unet_generator((open_to, open_to, 3), depth=2, filters=2, margin=4, **options)
    image = some_images(1, given, given, 3)
    assert model(image, training=False).shape == (1, generated, generated, 3)


def test_generates_400():
    model = unet_generator((400, 400, 7), filters=2)
    assert model(some_images(1, 400, 400, 7), training=False).shape == (1, 400, 400, 3)
    model = unet_generator((64, 64, 3), size=400, filters=2)
    assert model(some_images(1, 64, 64, 3), training=False).shape == (1, 400, 400, 3)


def test_the_levels_have_the_sizes_that_the_course_predicts():
    model = unet_generator((400, 400, 3))
    for level, size in enumerate([400, 200, 100, 50]):
        for part in ("down", "up"):
            assert model.get_layer(f"{part}_{level}_b").output.shape[1:3] == (size, size)
    assert model.get_layer("bottleneck_b").output.shape[1:3] == (25, 25)


# Parameters --------------------------------------------------------------------------------------


def test_as_many_parameters_as_the_original():
    """31,031,875 with padding, 3 → 3 channels and 2×2 transposed convolutions; ours are 4×4."""
    widths = [64, 128, 256, 512, 1024]
    larger_kernels = sum(
        (4 * 4 - 2 * 2) * above * below for above, below in itertools.pairwise(widths)
    )
    assert unet_generator(filters=widths).count_params() == 31_031_875 + larger_kernels


def test_channels_double_up_to_eightfold():
    widths = [
        unet_generator((64, 64, 3), depth=5, filters=2).get_layer(f"{name}_a").filters
        for name in ("down_0", "down_1", "down_2", "down_3", "down_4", "bottleneck")
    ]
    assert widths == [2, 4, 8, 16, 16, 16]


@pytest.mark.parametrize("upsampling", UPSAMPLING)
@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("filters", [16, (12, 32, 48, 40)])
def test_without_skips_as_many_parameters(upsampling, residual, filters):
    options = {"depth": 3, "filters": filters, "upsampling": upsampling, "residual": residual}
    with_, without = (
        unet_generator((64, 64, 3), skips=skips, **options).count_params()
        for skips in (True, False)
    )
    assert abs(without / with_ - 1) < 0.01


def connections(model, kind):
    return [layer for layer in model.layers if type(layer).__name__ == kind]


def test_skips_are_what_carries_detail():
    """With skips, the first level's features reach the last level past the bottleneck."""
    for skips in (True, False):
        model = unet_generator((16, 16, 3), skips=skips, **SMALL)
        assert len(connections(model, "Concatenate")) == (2 if skips else 0)
        perturbed(model)
        bottleneck = model.get_layer("bottleneck_b")
        bottleneck.set_weights([0 * w for w in bottleneck.get_weights()])
        one, other = (model(some_images(1, 16, 16, 3, seed=s), training=False) for s in (0, 1))
        assert np.allclose(one, other) == (not skips)


# Options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("upsampling", UPSAMPLING)
def test_any_upsampling(upsampling):
    model = unet_generator((16, 24, 1), upsampling=upsampling, **SMALL)
    assert model(some_images(1, 16, 24, 1), training=False).shape == (1, 16, 24, 3)


@pytest.mark.parametrize("activation", ["leaky_relu", "prelu", "relu", "silu", "tanh", "linear"])
@pytest.mark.parametrize("normalization", [None, "batch", "group"])
def test_activations_and_normalizations(activation, normalization):
    model = unet_generator(
        (8, 8, 3), activation=activation, normalization=normalization, residual=True, **SMALL
    )
    generated = np.asarray(perturbed(model)(some_images(2, 8, 8, 3), training=False))
    assert np.isfinite(generated).all() and np.ptp(generated) > 0
    kinds = {"batch": "BatchNormalization", "group": "GroupNormalization"}
    expected = 2 * (2 * SMALL["depth"] + 1) if normalization else 0
    found = sum(len(connections(model, kind)) for kind in kinds.values())
    assert found == expected
    if normalization:
        assert len(connections(model, kinds[normalization])) == expected


def test_residual_levels_pass_their_input_on():
    """With all 3×3 convolutions at zero, a plain level gives zero and a residual one does not."""
    for residual in (True, False):
        model = unet_generator((16, 16, 3), residual=residual, **SMALL)
        for layer in connections(model, "Conv2D"):
            if layer.name.endswith(("_a", "_b")):
                layer.set_weights([0 * w for w in layer.get_weights()])
        middle = keras.Model(model.input, model.get_layer("down_1_b_leaky_relu").output)
        assert (np.ptp(middle(some_images(1, 16, 16, 3), training=False)) > 0) == residual


def test_untrained_it_returns_its_input_or_grey():
    image = some_images(1, 16, 16, 3) * 0.9 + 0.05
    generated = unet_generator((16, 16, 3), global_residual=True, **SMALL)(image, training=False)
    np.testing.assert_allclose(generated, image, atol=1e-6)
    assert np.allclose(unet_generator((16, 16, 3), **SMALL)(image, training=False), 0.5)
    upscaled = unet_generator((16, 16, 3), 40, **SMALL)(image, training=False)
    bicubic = keras.layers.Resizing(40, 40, interpolation="bicubic")(image)
    np.testing.assert_allclose(upscaled, np.clip(bicubic, 1 / 512, 1 - 1 / 512), atol=1e-6)


def test_channels_in_and_out():
    model = unet_generator((16, 16, 7), channels=1, **SMALL)
    assert model(some_images(1, 16, 16, 7), training=False).shape == (1, 16, 16, 1)


def test_seed_decides_every_weight():
    first, again, other = (
        unet_generator((16, 16, 3), **SMALL | {"seed": seed}).get_weights() for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    kernels = [(a, b) for a, b in zip(first, other, strict=True) if a.ndim == 4 and np.ptp(a) > 0]
    assert len(kernels) == 5 * 2 + 2 and not any(np.array_equal(a, b) for a, b in kernels)


def test_learns_what_needs_detail():
    """Forty steps bring it nearer to the image's negative than the grey it begins with."""
    model = unet_generator((16, 16, 3), filters=8, depth=2, seed=0)
    image = some_images(4, 16, 16, 3)
    model.compile(keras.optimizers.Adam(0.01), "mean_squared_error")
    before = model.evaluate(image, 1 - image, verbose=0)
    model.fit(image, 1 - image, epochs=40, verbose=0)
    assert model.evaluate(image, 1 - image, verbose=0) < 0.5 * before


@pytest.mark.parametrize("shape", [(16, 24, 3), (None, None, 3)])
def test_loads_in_plain_keras(tmp_path, shape):
    model = perturbed(
        unet_generator(
            shape, pad=True, global_residual=True, residual=True, upsampling="subpixel",
            normalization="group", activation="prelu", **SMALL
        )
    )  # fmt: skip
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    model.save(tmp_path / "unet.keras")
    loaded = keras.models.load_model(tmp_path / "unet.keras")
    image = some_images(2, 16, 24, 3)
    np.testing.assert_array_equal(loaded(image, training=False), model(image, training=False))


def test_its_receptive_field_and_its_cost_are_known():
    """Every input pixel that an output pixel depends on lies in its computed receptive field."""
    model = perturbed(
        unet_generator((48, 48, 1), filters=2, depth=2, channels=1, global_residual=False)
    )
    rows, columns = kg.receptive_field(model).at(21, 30)
    changed = some_images(1, 48, 48, 1)
    outside = changed.copy()
    outside[0] = 0.5
    outside[0, rows, columns] = changed[0, rows, columns]
    same = [np.asarray(model(image, training=False))[0, 21, 30, 0] for image in (changed, outside)]
    assert same[0] == pytest.approx(same[1], abs=1e-6)
    assert kg.cost(model).parameters == model.count_params()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"input_shape": (400, 400, 3), "depth": 5},
            "a 5-level U-Net halves 400 to 12.5; use 4 levels, or 384 or 416 pixels, or pad=True",
        ),
        (
            {"input_shape": (300, 450, 3)},
            "halves a height of 300 to 37.5 at level 3 and a width of 450 to 112.5 at level 2; "
            "use 1 level, or a height of 288 or 304 and a width of 448 or 464 pixels, or pad=True",
        ),
        ({"input_shape": (64, 64, 3), "size": 401}, "halves 401 to 200.5 at level 1; use 400 or"),
        ({"input_shape": (None, None, 3)}, "leaves the size open, and only multiples of 16"),
        ({"input_shape": (400, 400)}, "is not (height, width, channels)"),
        ({"depth": 0}, "depth=0 is not a whole number from 1"),
        ({"downsampling": "average"}, "downsampling 'average' is unknown; choose one of 'max'"),
        ({"normalization": "layer"}, "normalization 'layer' is unknown; choose one of None"),
        ({"activation": "swoosh"}, "activation 'swoosh' is unknown; choose one of 'leaky_relu'"),
        ({"upsampling": "linear"}, "upsampling method 'linear' is unknown"),
        ({"filters": (8, 16)}, "filters=(8, 16) does not fit 4 levels and the bottleneck"),
        ({"filters": 0}, "filters=0 does not fit"),
        ({"margin": 8}, "margin=8 is not a multiple of 16 below 400"),
        ({"input_shape": (16, 32, 3), "margin": 16}, "margin=16 is not a multiple of 16 below 16"),
        (
            {"input_shape": (64, 64, 7), "global_residual": True},
            "cannot add an input of 7 channels to an output of 3; leave global_residual out",
        ),
    ],
)
def test_says_what_is_wrong(options, message):
    with pytest.raises(ValueError) as caught:
        unet_generator(**{"filters": 2} | options)
    assert message in str(caught.value)


@pytest.mark.parametrize("build", [unet_generator, kg.simple_generator])
def test_in_mixed_precision_pictures_stay_float32(build):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build((16, 16, 3), 32, filters=4)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert model.layers[-1].dtype == "float32"
    assert {layer.compute_dtype for layer in connections(model, "Conv2D")} == {"bfloat16"}
    kg.training.compile_for_images(model, steps=2)
    loss, psnr = model.train_on_batch(some_images(1, 16, 16, 3), some_images(1, 32, 32, 3))
    assert np.isfinite([loss, psnr]).all()
