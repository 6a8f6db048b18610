import keras
import numpy as np
import pytest
from keras import ops

from keras_gen import UPSAMPLING, upsample


def block(method, scale, **options):
    x = keras.Input((6, 5, 4))
    return keras.Model(x, upsample(x, 3, scale, method, **options))


def some_input(seed=0):
    return np.random.default_rng(seed).random((2, 6, 5, 4), np.float32)


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
@pytest.mark.parametrize("method", UPSAMPLING)
def test_enlarges_by_the_scale(method, scale):
    model = block(method, scale)
    assert model.output_shape == (None, 6 * scale, 5 * scale, 3)
    assert model(some_input()).shape == (2, 6 * scale, 5 * scale, 3)


@pytest.mark.parametrize("method", UPSAMPLING)
def test_takes_any_size(method):
    x = keras.Input((None, None, 4))
    model = keras.Model(x, upsample(x, 3, 2, method))
    assert model(np.zeros((1, 7, 9, 4), np.float32)).shape == (1, 14, 18, 3)


@pytest.mark.parametrize("method", UPSAMPLING)
def test_is_saved_and_loaded(method, tmp_path):
    model = block(method, 3, seed=1)
    model.save(tmp_path / "block.keras")
    loaded = keras.models.load_model(tmp_path / "block.keras")
    assert np.array_equal(loaded(some_input()), model(some_input()))


@pytest.mark.parametrize("method", UPSAMPLING)
def test_seed_decides_the_weights(method):
    first, again, other = (block(method, 2, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_subpixel_starts_as_nearest_neighbour(scale):
    """ICNR (Aitken et al. 2017): each block of scale × scale pixels is flat at the start."""
    drawn = np.asarray(block("subpixel", scale, seed=0)(some_input()))
    corner = drawn[:, ::scale, ::scale]
    nearest = ops.repeat(ops.repeat(corner, scale, axis=1), scale, axis=2)
    assert np.abs(drawn - nearest).max() < 1e-6
    assert np.std(corner) > 0.01


def test_subpixel_is_a_transposed_convolution_with_rearranged_weights():
    """Shi et al. (2016): a kernel of scale × k, cut into its phases, is scale² kernels of k × k."""
    scale, side = 2, 3
    model = block("subpixel", scale, seed=3)
    convolution = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    rng = np.random.default_rng(3)
    kernel = rng.normal(size=convolution.kernel.shape).astype(np.float32)
    convolution.kernel.assign(kernel)
    # Keras: channel (a · scale + b) · 3 + c of the convolution is channel c of phase (a, b).
    phases = kernel.reshape(side, side, 4, scale, scale, 3)
    whole = np.zeros((side * scale, side * scale, 3, 4), np.float32)
    for i in range(side):
        for j in range(side):
            block_of_phases = phases[side - 1 - i, side - 1 - j]
            whole[i * scale : (i + 1) * scale, j * scale : (j + 1) * scale] = np.transpose(
                block_of_phases, (1, 2, 3, 0)
            )
    transposed = keras.layers.Conv2DTranspose(
        3, side * scale, strides=scale, padding="same", use_bias=False
    )
    transposed.build((None, 6, 5, 4))
    transposed.kernel.assign(whole)
    assert np.allclose(model(some_input()), transposed(some_input()), atol=1e-5)


def test_transposed_kernel_is_a_multiple_of_the_stride():
    for scale in (2, 3, 5):
        layer = block("transposed", scale).layers[-1]
        assert layer.kernel_size[0] % scale == 0


def test_says_what_is_wrong():
    x = keras.Input((6, 5, 4))
    with pytest.raises(ValueError, match="'linear' is unknown; choose one of 'nearest'"):
        upsample(x, 3, 2, "linear")
    for scale in (1, 0, 2.5):
        with pytest.raises(ValueError, match="not a whole number of at least 2"):
            upsample(x, 3, scale)
