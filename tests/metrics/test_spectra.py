"""Checkerboard scores and spectra against planted patterns, Fourier transforms and arithmetic."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from keras_gen.metrics.spectra import (
    checkerboard_energy,
    checkerboard_gain,
    radial_spectrum,
    spectrum_distance,
)

# Every photograph in scikit-image's wheel that is 400 pixels wide or almost.
PHOTOS = ["astronaut", "brick", "chelsea", "coffee", "grass", "gravel", "hubble_deep_field"]
PHOTOS += ["immunohistochemistry", "retina", "rocket"]
CORNER = np.array([[1, -1], [-1, 1]]) * 1.0
OVERLAP = np.array([[4, 2], [2, 1]]) * 1.0  # taps by phase, kernel 3 and stride 2


def photo(name, period=2):
    """The top left 400×400 of a photograph, or as many whole periods as it has."""
    image = getattr(data, name)()[:400, :400] / 255
    height, width = (size // period * period for size in image.shape[:2])
    return image[:height, :width]


def amplitude_of_pattern(image, period):
    """Standard deviation of the pattern that `checkerboard_gain` finds, over the channels."""
    return np.sqrt(checkerboard_gain(image, period) * image.var(axis=(0, 1)).mean())


def lattice(image, pattern, amplitude):
    """The pattern repeated over the image, with mean 0 and the given standard deviation."""
    pattern = (pattern - pattern.mean()) / pattern.std() * amplitude
    repeats = [size // len(pattern) for size in image.shape[:2]]
    tiled = np.tile(pattern, repeats)
    return tiled[..., None] if image.ndim == 3 else tiled


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("period", [2, 3, 4])
def test_a_planted_pattern_is_recovered_within_two_percent(name, period):
    image = photo(name, period)
    patterns = np.random.default_rng(period).normal(size=(5, period, period))
    for pattern in [*patterns, *([CORNER, OVERLAP] if period == 2 else [])]:
        for amplitude in (0.05, 0.2):
            planted = image + lattice(image, pattern, amplitude)
            measured = amplitude_of_pattern(planted, period)
            assert measured == pytest.approx(amplitude, rel=0.02)


@pytest.mark.parametrize("name", ["coffee", "brick"])
@pytest.mark.parametrize("score", [checkerboard_gain, checkerboard_energy])
@pytest.mark.parametrize("period", [2, 4])
def test_a_constant_and_a_roll_change_nothing(name, score, period):
    image = photo(name)
    image = image + lattice(image, OVERLAP, 0.05)
    expected = score(image, period)
    assert expected > 0
    assert score(image + 0.3, period) == pytest.approx(expected, rel=1e-9)
    for shift in [(1, 0), (0, 1), (3, 5), (1, 2)]:
        rolled = np.roll(image, shift, axis=(0, 1))
        assert score(rolled, period) == pytest.approx(expected, rel=1e-9)


def test_gain_is_the_formula_written_as_loops():
    image = np.random.default_rng(0).random((20, 23, 3))  # 23: the last column is no whole period
    image[::2] += 0.1
    part = total = 0
    for channel in range(3):
        x = image[:, :22, channel]
        part += np.var([x[a::2, b::2].mean() for a in range(2) for b in range(2)])
        total += np.var(x)
    assert checkerboard_gain(image) == pytest.approx(part / total, rel=1e-12)


def test_gain_of_white_noise_and_of_a_pattern_in_it():
    noise = np.random.default_rng(0).normal(size=(60, 40, 40))
    gain = checkerboard_gain(noise[..., None])
    assert gain.mean() == pytest.approx(3 / 40**2, rel=0.25)  # 60 samples of a chi-square of 3
    planted = noise[0] + lattice(noise[0], CORNER, 0.7)
    assert checkerboard_gain(planted) == pytest.approx(0.49 / 1.49, rel=0.1)


def test_gain_of_photographs_is_small_and_of_a_lattice_is_one():
    assert max(checkerboard_gain(photo(name, 4), 2) for name in PHOTOS) < 3e-5
    assert max(checkerboard_gain(photo(name, 4), 4) for name in PHOTOS) < 8e-5
    assert checkerboard_gain(lattice(np.zeros((12, 12)), CORNER, 0.1)) == pytest.approx(1)
    assert checkerboard_gain(np.full((12, 12), 0.3)) == 0


def test_energy_of_uneven_overlap():
    noise = np.random.default_rng(0).normal(size=(400, 400, 3))
    chance = 2 * np.sqrt(2 / noise.size)
    assert checkerboard_energy(noise) < 2 * chance
    uneven = noise * np.sqrt(np.tile(OVERLAP, (200, 200)))[..., None]
    expected = OVERLAP.std() / OVERLAP.mean()  # 0.484
    assert checkerboard_energy(uneven) == pytest.approx(expected, rel=0.02)


def test_energy_separates_kernel_three_from_four():
    # Transposed convolutions of stride 2 in plain NumPy: insert zeros, then convolve.
    generator = np.random.default_rng(0)
    scores = {3: [], 4: []}
    for size, found in scores.items():
        for _ in range(6):
            output = 0
            for _ in range(16):  # input channels
                sparse = np.zeros((128, 128))
                sparse[::2, ::2] = generator.normal(size=(64, 64))
                kernel = generator.normal(size=(size, size))
                output = output + ndimage.convolve(sparse, kernel, mode="wrap")
            found.append(checkerboard_energy(output))
    assert np.median(scores[3]) == pytest.approx(0.484, abs=0.1)
    assert np.median(scores[3]) > 2 * np.median(scores[4])


def test_gain_and_energy_are_two_defects():
    noise = np.random.default_rng(0).normal(size=(200, 200))
    shifted = noise + lattice(noise, OVERLAP, 0.5)
    assert checkerboard_gain(shifted) > 0.15
    assert checkerboard_energy(shifted) == pytest.approx(checkerboard_energy(noise), rel=1e-9)
    uneven = noise * np.tile(OVERLAP, (100, 100))
    assert checkerboard_gain(uneven) < 1e-3
    assert checkerboard_energy(uneven) > 0.5


def test_spectrum_of_white_noise_is_flat_at_its_variance():
    noise = np.random.default_rng(0).normal(0.5, 0.2, (40, 64, 96, 3))
    frequency, power = radial_spectrum(noise)
    assert power.shape == (40, len(frequency))
    assert frequency[0] == pytest.approx(1 / 64)
    assert frequency[-1] == pytest.approx(np.sqrt(0.5), abs=1 / 64)
    assert np.isfinite(power).all()
    np.testing.assert_allclose(power.mean(axis=0)[2:], 0.04, rtol=0.25)
    assert power[:, 2:].mean() == pytest.approx(0.04, rel=0.02)


def test_spectrum_is_the_average_over_rings_written_as_loops():
    image = photo("chelsea")[:24, :30, 0]
    down, right = np.arange(24) + 0.5, np.arange(30) + 0.5
    window = np.sin(np.pi * down / 24)[:, None] ** 2 * np.sin(np.pi * right / 30) ** 2
    centred = (image - (image * window).sum() / window.sum()) * window
    rings = {}
    for k in range(-12, 12):
        for m in range(-15, 15):
            wave = np.exp(-2j * np.pi * (k * np.arange(24)[:, None] / 24 + m * np.arange(30) / 30))
            power = abs((centred * wave).sum()) ** 2 / (window**2).sum()
            rings.setdefault(round(24 * np.hypot(k / 24, m / 30)), []).append(power)
    frequency, power = radial_spectrum(image)
    assert sorted(rings)[1:] == list(np.rint(frequency * 24))
    expected = [np.mean(rings[ring]) for ring in sorted(rings)[1:]]
    np.testing.assert_allclose(power, expected, rtol=1e-9)


def test_spectrum_distance():
    image = photo("coffee")
    assert spectrum_distance(image, image) == 0
    blurred = [ndimage.gaussian_filter(image, sigma, axes=(0, 1)) for sigma in (0.5, 1, 2)]
    distances = [spectrum_distance(one, image) for one in blurred]
    assert 1 < distances[0] < distances[1] < distances[2]
    noisy = image + np.random.default_rng(0).normal(0, 0.1, image.shape)
    assert spectrum_distance(noisy, image) > 3
    # A batch counts as its mean spectrum, and the two may differ in number.
    assert spectrum_distance(np.stack([image, image, image]), image[None]) == pytest.approx(0)


def test_what_rounding_to_eight_bits_adds_is_three_decibels_and_less_is_nothing():
    flat = np.full((128, 128), 0.5)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, flat.shape) / 255
    assert spectrum_distance(flat + noise, flat) == pytest.approx(10 * np.log10(2), rel=0.15)
    assert spectrum_distance(flat + noise / 100, flat) < 0.01


def test_the_window_keeps_edges_out_of_the_spectrum():
    # A ramp has no detail at all; without a window the jump between its ends would look like some.
    _, power = radial_spectrum(np.linspace(0, 1, 64) * np.ones((64, 1)))
    assert power[30:].max() < 1e-9 * power[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: checkerboard_gain(np.zeros((8, 8)), 1), "expected 2 … 4"),
        (lambda: checkerboard_gain(np.zeros((8, 7)), 4), "period=4 on 8×7 pixels; expected 2 … 3"),
        (lambda: radial_spectrum(np.zeros((7, 9))), "at least 8 a side"),
        (lambda: spectrum_distance(np.zeros((8, 9)), np.zeros((9, 8))), "expected the same size"),
        (lambda: checkerboard_energy(np.zeros((8, 8), int)), "expected float values"),
    ],
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_untrained_decoders_show_both_defects():
    # Two stages of ×2 with random weights, fed a photograph for the gain and noise for the energy.
    import keras_gen  # noqa: F401, I001 - quiets TensorFlow's start-up lines
    import keras
    from keras import layers

    image = photo("coffee")[None, ::8, ::8].astype("float32")
    noise = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype("float32")

    def upsample(x, method, initializer):
        if method == "nearest":
            x = layers.UpSampling2D(2)(x)
            return layers.Conv2D(16, 3, padding="same", kernel_initializer=initializer)(x)
        kernel = {"transposed": 4, "transposed_overlap": 3}[method]
        return layers.Conv2DTranspose(
            16, kernel, strides=2, padding="same", kernel_initializer=initializer
        )(x)

    def scores(method, seed):
        initializer = keras.initializers.GlorotUniform(seed)
        x = entry = keras.Input((None, None, 3))
        x = layers.Conv2D(16, 3, padding="same", kernel_initializer=initializer)(x)
        for _ in range(2):
            x = upsample(layers.LeakyReLU(0.2)(x), method, initializer)
        model = keras.Model(entry, layers.Conv2D(3, 1, kernel_initializer=initializer)(x))
        inside = np.s_[0, 8:-8, 8:-8]  # zero padding darkens the edges
        generated, response = (np.asarray(model(x, training=False))[inside] for x in (image, noise))
        return checkerboard_gain(generated), checkerboard_energy(response)

    gain, energy = {}, {}
    for method in ("nearest", "transposed", "transposed_overlap"):
        medians = np.median([scores(method, seed) for seed in range(20)], axis=0)
        gain[method], energy[method] = medians
    assert gain["transposed"] > 100 * gain["nearest"]
    assert gain["transposed_overlap"] > 100 * gain["nearest"]
    assert energy["transposed_overlap"] > 3 * energy["transposed"]
