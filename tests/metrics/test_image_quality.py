"""Quality: each measure against an independent one, and changes that only some measures notice."""

import dataclasses

import numpy as np
import pytest
from skimage import color, data, metrics

from keras_gen.metrics import full_reference, spectra
from keras_gen.metrics.image_quality import Quality, quality

MEASURES = [field.name for field in dataclasses.fields(Quality) if field.name != "border"]


@pytest.fixture(scope="module")
def photo():
    return data.coffee()[:96, :120]


@pytest.fixture(scope="module")
def noisy(photo):
    noise = np.random.default_rng(0).normal(0, 12, photo.shape)
    return np.clip(np.rint(photo + noise), 0, 255).astype(np.uint8)


def test_measures_are_those_of_scikit_image(photo, noisy):
    found = quality(noisy, photo)
    ours, reference = (image[4:-4, 4:-4] / 255 for image in (noisy, photo))
    difference = (color.rgb2ycbcr(ours) - color.rgb2ycbcr(reference)) / 255
    luma, chroma = difference[..., 0], difference[..., 1:]
    assert found.psnr == pytest.approx(-10 * np.log10(np.mean(luma**2)), abs=1e-9)
    assert found.psnr_chroma == pytest.approx(-10 * np.log10(np.mean(chroma**2)), abs=1e-9)
    theirs = metrics.peak_signal_noise_ratio(reference, ours, data_range=1)
    assert found.psnr_rgb == pytest.approx(theirs, abs=1e-9)
    theirs = metrics.structural_similarity(
        *(color.rgb2ycbcr(image)[..., 0] / 255 for image in (ours, reference)),
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert found.ssim == pytest.approx(theirs, abs=1e-9)
    theirs = color.deltaE_ciede2000(*(color.rgb2lab(image) for image in (ours, reference))).mean()
    assert found.delta_e == pytest.approx(theirs, rel=1e-9)


def test_measures_are_those_of_this_room(photo, noisy):
    """With a border of its own, too, and on 8-bit values."""
    found = quality(noisy, photo, border=7)
    ours, reference = noisy / 255, photo / 255
    assert found.psnr == full_reference.psnr(ours, reference, luma=True, border=7)
    assert found.psnr_rgb == full_reference.psnr(ours, reference, border=7)
    assert found.ssim == full_reference.ssim(ours, reference, luma=True, border=7)
    ours, reference = ours[7:-7, 7:-7], reference[7:-7, 7:-7]
    assert found.psnr_chroma == full_reference.chroma_psnr(ours, reference)
    sharper = full_reference.sharpness(ours) / full_reference.sharpness(reference)
    assert found.sharpness == sharper > 1
    assert found.spectrum_distance == spectra.spectrum_distance(ours, reference)
    assert found.border == 7


def test_an_image_equals_itself(photo):
    assert quality(photo, photo) == Quality(
        psnr=np.inf,
        psnr_rgb=np.inf,
        psnr_chroma=np.inf,
        ssim=1,
        delta_e=0,
        sharpness=1,
        spectrum_distance=0,
        border=4,
    )


def test_a_change_of_brightness_is_none_of_colour(photo):
    dark = photo // 2 + 20
    found = quality(dark + np.uint8(30), dark)
    assert found.psnr_chroma == np.inf
    assert found.psnr_rgb == pytest.approx(20 * np.log10(255 / 30))
    assert found.psnr < 25 and found.delta_e > 5
    assert found.sharpness == pytest.approx(1) and found.spectrum_distance == pytest.approx(0)


def test_a_change_of_colour_is_none_of_brightness():
    """Red against green and blue, so that luma stays the same up to rounding to 8 bits."""
    grey = np.full((40, 40, 3), 120, np.uint8)
    coloured = grey + np.array([40, -20, -2], np.int16)
    weights = np.array([65.481, 128.553, 24.966])
    assert abs(weights @ [40, -20, -2]) / 255 < 0.1  # grey levels
    found = quality(coloured.astype(np.uint8), grey)
    assert found.psnr > 60 and found.ssim > 0.9999
    assert found.psnr_chroma < 25 and found.delta_e > 10


def test_only_the_inside_of_the_border_counts(photo):
    framed = photo.copy()
    framed[:4], framed[-4:], framed[:, :4], framed[:, -4:] = 0, 0, 0, 0
    assert quality(framed, photo) == quality(photo, photo)
    assert quality(framed, photo, border=3).psnr < 40


def test_float_images_count_as_their_rounding_to_8_bits(photo, noisy):
    expected = quality(noisy, photo)
    assert quality(noisy / 255, photo / np.float32(255)) == expected
    nudged = noisy / 255 + np.random.default_rng(0).uniform(-0.4, 0.4, photo.shape) / 255
    assert quality(nudged, photo) == expected
    assert quality(noisy / 255 * 3, photo) == quality(np.clip(noisy / 255 * 3, 0, 1), photo)


@pytest.mark.parametrize("size", [1, 8])
def test_nothing_can_be_measured_inside_the_border_of_a_small_image(size):
    image = np.zeros((size, size, 3), np.uint8)
    found = quality(image, image)
    assert [getattr(found, name) for name in MEASURES] == [None] * len(MEASURES)


def test_a_measure_that_needs_a_larger_image_is_none():
    image = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    one = quality(image, image)
    assert one.psnr == one.psnr_rgb == np.inf and one.delta_e == 0
    assert one.ssim is one.sharpness is one.spectrum_distance is None
    nine = quality(image, image, border=0)
    assert nine.ssim is None and nine.sharpness == 1 and nine.spectrum_distance == 0


def test_a_flat_reference_has_no_sharpness_to_compare_with(photo):
    found = quality(photo, np.full_like(photo, 100))
    assert found.sharpness is None and found.psnr < 30


@pytest.mark.parametrize(
    ("image", "reference", "options", "message"),
    [
        (np.zeros((9, 9, 3)), np.zeros((9, 8, 3)), {}, r"\(9, 9, 3\) and the reference \(9, 8, 3"),
        (np.zeros((9, 9)), np.zeros((9, 9)), {}, r"expected \(height, width, 3\) for both"),
        (np.zeros((9, 9, 1)), np.zeros((9, 9, 1)), {}, r"expected \(height, width, 3\) for both"),
        (np.zeros((1, 9, 9, 3)), np.zeros((1, 9, 9, 3)), {}, r"expected \(height, width, 3\)"),
        (np.full((9, 9, 3), np.nan), np.zeros((9, 9, 3)), {}, "image holds NaN"),
        (np.zeros((9, 9, 3)), np.zeros((9, 9, 3), int), {}, "reference has dtype int64"),
        (np.zeros((9, 9, 3)), np.zeros((9, 9, 3)), {"border": -1}, "border=-1; expected 0 or more"),
    ],
)
def test_errors_say_what_to_do(image, reference, options, message):
    with pytest.raises(ValueError, match=message):
        quality(image, reference, **options)
