"""The upsampling methods: sizes, initial weights, and the same numbers as other libraries."""

import keras_gen  # noqa: F401, I001 - quiets TensorFlow's start-up lines
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_gen.analysis.costs import cost
from keras_gen.analysis.fields import receptive_field
from keras_gen.models.upsampling import UPSAMPLING, low_pass, upsample


def block(method, scale, **options):
    x = keras.Input((6, 5, 4))
    return keras.Model(x, upsample(x, 3, scale, method, **options))


def some_input(seed=0):
    return np.random.default_rng(seed).random((2, 6, 5, 4), np.float32)


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
@pytest.mark.parametrize("method", UPSAMPLING)
def test_upsamples_by_the_scale(method, scale):
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
def test_untrained_subpixel_equals_nearest_neighbour(scale):
    """ICNR (Aitken et al. 2017): each block of scale × scale pixels is flat before training."""
    upsampled = np.asarray(block("subpixel", scale, seed=0)(some_input()))
    corner = upsampled[:, ::scale, ::scale]
    nearest = ops.repeat(ops.repeat(corner, scale, axis=1), scale, axis=2)
    assert np.abs(upsampled - nearest).max() < 1e-6
    assert np.std(corner) > 0.01


def test_subpixel_is_a_transposed_convolution_with_rearranged_weights():
    """Shi et al. (2016): by phase, a kernel of scale × k is split into scale² kernels of k × k."""
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


def interpolator(method, scale):
    """The block with a convolution that changes nothing."""
    x = keras.Input((7, 6, 3))
    model = keras.Model(x, upsample(x, 3, scale, method))
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[1, 1] = np.eye(3)
    model.layers[-1].set_weights([kernel, np.zeros(3, np.float32)])
    return model


def by_pillow(image, scale, method):
    from PIL import Image

    planes = [
        Image.fromarray(plane).resize((image.shape[1] * scale, image.shape[0] * scale), method)
        for plane in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_resizing_methods_are_the_interpolators_of_other_libraries(scale):
    import scipy.ndimage
    import skimage.transform
    from PIL import Image

    image = np.random.default_rng(0).random((7, 6, 3), np.float32)
    upsampled = {
        method: np.asarray(interpolator(method, scale)(image[None]))[0]
        for method in ("nearest", "bilinear", "bicubic")
    }
    repeated = image.repeat(scale, axis=0).repeat(scale, axis=1)
    assert np.array_equal(upsampled["nearest"], repeated)
    size = upsampled["bilinear"].shape[:2]
    by_skimage = skimage.transform.resize(image, size, order=1, mode="edge", anti_aliasing=False)
    assert np.abs(upsampled["bilinear"] - by_skimage).max() < 1e-5
    by_scipy = scipy.ndimage.zoom(image, (scale, scale, 1), order=1, mode="nearest", grid_mode=True)
    assert np.abs(upsampled["bilinear"] - by_scipy).max() < 1e-5
    by_keys = by_pillow(image, scale, Image.Resampling.BICUBIC)  # Keys (1981), a = −½
    # TensorFlow looks Keys' weights up in a table with 1,024 places between two pixels: exact for
    # factors that are powers of two.
    tolerance = 1e-5 if scale in (2, 4) else 1 / 1024
    assert np.abs(upsampled["bicubic"] - by_keys).max() < tolerance


def test_bicubic_of_scikit_image_differs():
    """Its order 3 is a B-spline that is exact at the samples, not Keys' kernel."""
    import skimage.transform

    image = np.random.default_rng(0).random((7, 6, 3), np.float32)
    ours = np.asarray(interpolator("bicubic", 2)(image[None]))[0]
    spline = skimage.transform.resize(image, (14, 12), order=3, mode="edge", anti_aliasing=False)
    assert np.abs(ours - spline).max() > 0.01


def test_untrained_plain_subpixel_is_not_flat():
    upsampled = np.asarray(block("subpixel_plain", 2, seed=0)(some_input()))
    assert np.abs(upsampled[:, ::2] - upsampled[:, 1::2]).max() > 0.1


def test_overlapping_kernel_is_one_more_than_the_stride():
    for scale in (2, 3, 4):
        assert block("transposed_overlap", scale).layers[-1].kernel_size == (scale + 1,) * 2


def test_low_pass():
    assert np.allclose(low_pass(2), np.array([1, 3, 3, 1]) / 8)
    for scale in (2, 3, 5):
        weights = low_pass(scale)
        assert len(weights) == 3 * scale - 2 and weights.sum() == pytest.approx(1)
        assert np.allclose(weights, weights[::-1])
        pattern = np.tile(np.random.default_rng(scale).normal(size=scale), 8)
        flat = np.convolve(pattern, weights, "valid")
        assert np.allclose(flat, pattern.mean(), atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_blur_keeps_a_flat_picture_flat(scale):
    flat = np.ones((1, 6, 5, 4), np.float32)
    for method, is_flat in (("blur", True), ("transposed", False)):
        inside = np.asarray(block(method, scale, seed=1)(flat))[
            0, 2 * scale : -2 * scale, 2 * scale : -2 * scale
        ]
        assert (np.ptp(inside, axis=(0, 1)).max() < 1e-5) == is_flat


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel_size", [None, 5, 15])
def test_blur_does_not_shift(scale, kernel_size):
    """With a symmetric kernel, a rotated picture gives the rotated result."""
    model = block("blur", scale, kernel_size=kernel_size)
    layer = next(la for la in model.layers if isinstance(la, keras.layers.Conv2DTranspose))
    kernel = np.asarray(layer.kernel)
    layer.kernel.assign((kernel + kernel[::-1, ::-1]) / 2)
    image = some_input()
    rotated = np.asarray(model(image[:, ::-1, ::-1]))[:, ::-1, ::-1]
    assert model.output_shape == (None, 6 * scale, 5 * scale, 3)
    assert np.allclose(model(image), rotated, atol=1e-5)


def test_blur_refuses_a_kernel_that_shifts():
    x = keras.Input((6, 5, 4))
    for kernel_size in (4, 1):
        with pytest.raises(ValueError, match=f"kernel_size={kernel_size} would leave gaps or"):
            upsample(x, 3, 2, "blur", kernel_size=kernel_size)


def test_blur_learns_its_kernel_and_not_the_filter():
    model = block("blur", 2)
    assert len(model.trainable_variables) == 2
    assert len(model.non_trainable_variables) == 2


@pytest.mark.parametrize("method", UPSAMPLING)
def test_receptive_field_and_cost_are_known(method):
    model = block(method, 2)
    rng = np.random.default_rng(0)
    model.set_weights([rng.random(w.shape) + 0.1 for w in model.get_weights()])
    field = receptive_field(model)
    image = ops.convert_to_tensor(some_input()[:1])
    for row, column in ((0, 0), (5, 6), (11, 9)):
        with tf.GradientTape() as tape:
            tape.watch(image)
            total = ops.sum(model(image)[0, row, column])
        touched = np.abs(np.asarray(tape.gradient(total, image)))[0].sum(axis=-1) > 1e-9
        rows, columns = (np.flatnonzero(touched.any(axis=axis)) for axis in (1, 0))
        assert field.at(row, column) == (
            slice(rows[0], rows[-1] + 1),
            slice(columns[0], columns[-1] + 1),
        )
    assert cost(model).macs > 0
