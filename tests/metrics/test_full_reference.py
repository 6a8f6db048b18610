"""Image metrics against scikit-image, against arithmetic by hand, and against planted defects."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import color, data, metrics

from keras_gen.metrics.full_reference import luma, ms_ssim, psnr, sharpness, ssim


@pytest.fixture(scope="module")
def photo():
    return data.coffee()[:200, :240] / 255


@pytest.fixture(scope="module")
def noisy(photo):
    noise = np.random.default_rng(0).normal(0, 0.05, photo.shape)
    return np.clip(photo + noise, 0, 1)


def test_luma_is_the_y_of_scikit_image(photo):
    np.testing.assert_allclose(luma(photo), color.rgb2ycbcr(photo)[..., 0] / 255, atol=1e-12)
    assert luma(np.stack([photo, photo])).shape == (2, 200, 240)
    np.testing.assert_allclose(luma(np.zeros((1, 1, 3))), 16 / 255)


def test_psnr_of_a_constant_error():
    assert psnr(np.full((9, 9), 0.6), np.full((9, 9), 0.5)) == pytest.approx(20, abs=1e-9)
    assert psnr(np.ones((9, 9, 3)), np.ones((9, 9, 3))) == np.inf


def test_psnr_equals_scikit_image(photo, noisy):
    theirs = metrics.peak_signal_noise_ratio(photo, noisy, data_range=1)
    assert psnr(noisy, photo) == pytest.approx(theirs, abs=1e-9)
    y, reference = (color.rgb2ycbcr(x)[4:-4, 4:-4, 0] for x in (noisy, photo))
    theirs = metrics.peak_signal_noise_ratio(reference, y, data_range=255)
    assert psnr(noisy, photo, border=4, luma=True) == pytest.approx(theirs, abs=1e-9)


def test_ssim_of_constants():
    half, more = np.full((20, 20, 3), 0.5), np.full((20, 20, 3), 0.6)
    assert ssim(more, half) == pytest.approx(0.98360924, abs=1e-8)
    assert ssim(more, more) == 1


def test_ssim_follows_the_formula_of_2004(photo, noisy):
    # Written out for one channel with an explicit 11×11 window, nothing shared with scikit-image.
    x, y = photo[:40, :40, 0], noisy[:40, :40, 0]
    ramp = np.arange(-5, 6)
    window = np.exp(-(ramp[:, None] ** 2 + ramp**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for row in range(30):
        for column in range(30):
            a, b = (z[row : row + 11, column : column + 11] for z in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a = (window * (a - mean_a) ** 2).sum()
            var_b = (window * (b - mean_b) ** 2).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            values.append(
                (2 * mean_a * mean_b + 0.01**2)
                * (2 * covariance + 0.03**2)
                / ((mean_a**2 + mean_b**2 + 0.01**2) * (var_a + var_b + 0.03**2))
            )
    assert ssim(y, x) == pytest.approx(np.mean(values), abs=1e-9)


def test_a_batch_gives_one_number_per_image(photo, noisy):
    batch, reference = np.stack([noisy, photo[::-1]]), np.stack([photo, photo])
    for metric in (psnr, ssim):
        values = metric(batch, reference, luma=True, border=2)
        assert values.shape == (2,)
        assert values[0] == pytest.approx(metric(noisy, photo, luma=True, border=2))
        assert values[1] == pytest.approx(metric(photo[::-1], photo, luma=True, border=2))


def test_float32_is_enough(photo, noisy):
    assert ssim(noisy.astype("float32"), photo.astype("float32")) == pytest.approx(
        ssim(noisy, photo), abs=1e-6
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: psnr(np.zeros((4, 4), "uint8"), np.zeros((4, 4), "uint8")), "Divide 8-bit"),
        (lambda: psnr(np.zeros((4, 4)), np.zeros((4, 5))), "expected the same shape"),
        (lambda: psnr(np.zeros((4, 4, 2)), np.zeros((4, 4, 2))), "1 or 3 channels"),
        (lambda: psnr(np.zeros((4, 4)), np.full((4, 4), np.nan)), "reference holds NaN"),
        (lambda: psnr(np.zeros((4, 4)), np.zeros((4, 4)), border=2), "leaves nothing of 4×4"),
        (lambda: ssim(np.zeros((12, 9)), np.zeros((12, 9))), "11×11 pixels, and 12×9 are left"),
        (lambda: luma(np.zeros((4, 4))), "needs a colour image"),
        (lambda: psnr(np.zeros((4, 4)), np.zeros((4, 4)), luma=True), "needs a colour image"),
    ],
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_ms_ssim_is_that_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    image = (data.astronaut()[:176, :176] / 255).astype("float32")
    others = [
        np.clip(image + np.random.default_rng(0).normal(0, 0.1, image.shape), 0, 1),
        ndimage.gaussian_filter(image, 1.5, axes=(0, 1)),
        data.astronaut()[200:376, 200:376] / 255,
    ]
    for other in others:
        # 176 halves evenly four times: an odd last row TensorFlow would average with itself.
        ours = ms_ssim(other, image)
        theirs = tf.image.ssim_multiscale(tf.constant(other, tf.float32), image, 1.0)
        assert ours == pytest.approx(float(theirs), abs=1e-5)


def test_ms_ssim_with_one_scale_is_ssim(photo, noisy):
    assert ms_ssim(noisy[:20, :21], photo[:20, :21]) == pytest.approx(
        ssim(noisy[:20, :21], photo[:20, :21]), abs=1e-12
    )


def test_ms_ssim_orders_blur_and_takes_a_batch(photo):
    blurred = [ndimage.gaussian_filter(photo, sigma, axes=(0, 1)) for sigma in (0, 1, 2, 4)]
    values = ms_ssim(np.stack(blurred), np.stack([photo] * 4), luma=True)
    assert values[0] == pytest.approx(1)
    assert (np.diff(values) < -0.001).all()


def test_sharpness_is_the_variance_of_the_laplacian(photo):
    expected = np.mean([ndimage.laplace(photo[..., c])[1:-1, 1:-1].var() for c in range(3)])
    assert sharpness(photo) == pytest.approx(expected, rel=1e-12)
    blurred = [ndimage.gaussian_filter(photo, sigma, axes=(0, 1)) for sigma in (0, 0.5, 1, 2)]
    assert (np.diff(sharpness(np.stack(blurred))) < 0).all()
    ramp = np.linspace(0, 1, 20) * np.ones((20, 1))
    assert sharpness(ramp) == pytest.approx(0, abs=1e-20)
    with pytest.raises(ValueError, match="at least 3 a side"):
        sharpness(np.zeros((2, 9)))
