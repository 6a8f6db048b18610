"""The simple generator: every size and option, its initial output, its messages."""

import keras
import numpy as np
import pytest

from keras_gen.models.simple import simple_generator
from keras_gen.models.upsampling import UPSAMPLING
from keras_gen.sizes.planner import routes

SMALL = {"filters": 8, "blocks": 1}


def some_images(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def test_generates_400_from_64_by_default():
    model = simple_generator()
    assert model.input_shape == (None, 64, 64, 3)
    assert model(some_images(1, 64, 64, 3), training=False).shape == (1, 400, 400, 3)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2DTranspose") == 2
    assert "LeakyReLU" in kinds and "Add" in kinds


@pytest.mark.parametrize(
    ("source", "size"),
    [
        ((64, 64), 400),
        ((25, 25), 400),
        ((100, 100), 400),
        ((7, 7), 400),
        ((64, 64), 401),
        ((75, 125), (300, 500)),
        ((40, 60), (200, 180)),
        ((64, 64), 64),
        ((64, 64), 16),
    ],
)
def test_any_size(source, size):
    model = simple_generator((*source, 3), size, **SMALL)
    expected = size if isinstance(size, tuple) else (size, size)
    generated = model(some_images(1, *source, 3), training=False)
    assert generated.shape == (1, *expected, 3)


def test_every_route_can_be_built():
    for route in routes(400, source=64):
        model = simple_generator((64, 64, 3), route=route, **SMALL)
        assert model(some_images(1, 64, 64, 3), training=False).shape == (1, 400, 400, 3)


@pytest.mark.parametrize("upsampling", UPSAMPLING)
def test_any_upsampling(upsampling):
    for options in ({"input_shape": (64, 64, 3)}, {"input_shape": (None, None, 3), "scale": 4}):
        model = simple_generator(upsampling=upsampling, **options, **SMALL)
        side = 400 if "scale" not in options else 256
        assert model(some_images(1, 64, 64, 3), training=False).shape == (1, side, side, 3)


@pytest.mark.parametrize("size", [(5, 9), (24, 24), (31, 17)])
def test_fully_convolutional_with_scale(size):
    model = simple_generator((None, None, 3), scale=3, **SMALL)
    generated = model(some_images(2, *size, 3), training=False)
    assert generated.shape == (2, 3 * size[0], 3 * size[1], 3)


@pytest.mark.parametrize("activation", ["leaky_relu", "prelu", "relu", "silu", "tanh", "linear"])
@pytest.mark.parametrize("residual", [True, False])
def test_activations_and_residuals(activation, residual):
    model = simple_generator((16, 16, 3), 32, activation=activation, residual=residual, **SMALL)
    generated = np.asarray(model(some_images(1, 16, 16, 3), training=False))
    assert generated.shape == (1, 32, 32, 3) and np.isfinite(generated).all()
    adds = [
        layer for layer in model.layers if layer.name.startswith("block") and "add" in layer.name
    ]
    assert len(adds) == (1 if residual else 0)


def test_untrained_it_returns_the_bicubic_upscaling():
    """Before training the picture is that of Pillow's bicubic upscaling, except near the border."""
    from PIL import Image

    rows, columns = np.mgrid[:16, :16] / 16
    smooth = np.stack([rows, columns, (rows + columns) / 2], axis=-1).astype(np.float32) * 0.8 + 0.1
    model = simple_generator((16, 16, 3), 64, **SMALL)
    generated = np.asarray(model(smooth[None], training=False)[0])
    for channel in range(3):
        image = Image.fromarray(smooth[..., channel])
        expected = np.asarray(image.resize((64, 64), Image.Resampling.BICUBIC))
        assert np.abs(generated[12:-12, 12:-12, channel] - expected[12:-12, 12:-12]).max() < 1e-4


def test_untrained_without_a_global_residual_it_is_grey():
    generated = simple_generator((16, 16, 3), 64, global_residual=False, **SMALL)(
        some_images(1, 16, 16, 3)
    )
    assert np.allclose(generated, 0.5)


def test_other_channels():
    model = simple_generator((25, 25, 7), 50, channels=1, **SMALL)
    assert model(some_images(1, 25, 25, 7), training=False).shape == (1, 50, 50, 1)


def test_seed_decides_every_weight():
    first, again, other = (
        simple_generator((16, 16, 3), 32, seed=seed, **SMALL).get_weights() for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    kernels = [(a, b) for a, b in zip(first, other, strict=True) if a.ndim == 4 and np.ptp(a) > 0]
    assert len(kernels) >= 4 and not any(np.array_equal(a, b) for a, b in kernels)
    assert len({kernel.tobytes() for kernel, _ in kernels}) == len(kernels)


def test_learns():
    """Sixty steps on one picture bring it nearer to its target, the negative."""
    keras.utils.set_random_seed(0)
    model = simple_generator((16, 16, 3), 32, seed=0, **SMALL)
    small = some_images(1, 16, 16, 3)
    large = 1 - small.repeat(2, axis=1).repeat(2, axis=2)
    model.compile(keras.optimizers.Adam(0.01), "mean_absolute_error")
    before = model.evaluate(small, large, verbose=0)
    model.fit(small, large, epochs=60, verbose=0)
    assert model.evaluate(small, large, verbose=0) < 0.8 * before


def test_stock_layers_only(tmp_path):
    model = simple_generator((64, 64, 3), 400, upsampling="subpixel", activation="prelu", **SMALL)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    model.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    image = some_images(1, 64, 64, 3)
    assert np.array_equal(loaded(image, training=False), model(image, training=False))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "swoosh"}, "activation 'swoosh' is unknown; choose one of 'leaky_relu'"),
        ({"upsampling": "linear"}, "upsampling method 'linear' is unknown"),
        ({"size": 400, "scale": 4}, "size=400 and scale=4 were both given"),
        ({"input_shape": (None, None, 3)}, "leaves the size open; give scale="),
        ({"input_shape": (64, 64)}, "is not \\(height, width, channels\\)"),
        ({"size": 401, "upsampling": "nearest"}, "upscales both axes by one whole factor"),
        ({"size": 0}, "target=0 is too small; it must be at least 1"),
        ({"scale": 1}, "not a whole number of at least 2"),
    ],
)
def test_says_what_is_wrong(options, message):
    with pytest.raises(ValueError, match=message):
        simple_generator(**options, **SMALL)


def test_a_route_must_fit():
    route = routes(400, source=100)[0]
    with pytest.raises(ValueError, match="the route starts at \\(100, 100\\)"):
        simple_generator((64, 64, 3), route=route)
    with pytest.raises(ValueError, match="the route ends at \\(400, 400\\)"):
        simple_generator((100, 100, 3), 300, route=route)
