"""The numbers of a comparison: which there are, what they say, and how they are measured."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from keras_gen.comparison.page import Column, Panel
from keras_gen.comparison.preparation import Given
from keras_gen.comparison.upscalers import Upscaler
from keras_gen.metrics import full_reference, spectra

BORDER = 4  # pixels left out by PSNR and SSIM, as where trainings are judged


NOISE_SIDE, NOISE_BORDER = 96, 8


_PSNR = Column(
    "psnr",
    "PSNR",
    "dB",
    "How close the pixels are to the reference, on luma, a border of 4 pixels left out: higher is "
    "closer. It forgives blur more readily than wrong detail.",
    "{:.2f}".format,
    best="high",
    headline=True,
)


_SSIM = Column(
    "ssim",
    "SSIM",
    "",
    "How alike edges and texture are to the reference's, on luma: 1 is equal.",
    "{:.4f}".format,
    best="high",
    headline=True,
)


_SPECTRUM = Column(
    "spectrum",
    "Spectrum distance",
    "dB",
    "How far the amount of coarse and fine detail is from the reference's, over all frequencies: "
    "0 is equal. It asks how much, not whether it is right: the edges of square pixels count too.",
    "{:.2f}".format,
)


_SHARPNESS = Column(
    "sharpness",
    "Sharpness",
    "reference = 100",
    "Variance of the Laplacian, in percent of the reference's. Below 100 is blurred; square pixels, "
    "noise and checkerboards are edges too, and raise it.",
    "{:.1f}".format,
)


_SHARPNESS_ALONE = Column(
    "sharpness",
    "Sharpness",
    "× 1000",
    "Variance of the Laplacian. Square pixels, noise and checkerboards are edges too, and raise "
    "it: read it beside the picture.",
    lambda value: f"{1000 * value:.3g}",
)


_GAIN = Column(
    "gain",
    "Checkerboard gain",
    "ppm",
    "Share of the picture's variance, in millionths, that is a pattern repeating with the scale: "
    "a lattice that shows even on flat areas. Photographs have a little by chance.",
    lambda value: f"{1e6 * value:,.0f}" if value >= 1e-5 else f"{1e6 * value:.1f}",
)


_ENERGY = Column(
    "energy",
    "Checkerboard energy",
    "on noise",
    "How unevenly white noise comes out over the pixels of a cell: 0 is evenly. A transposed "
    "convolution with uneven overlap is uneven; so is interpolation, which smooths more halfway "
    "between the given pixels.",
    "{:.2f}".format,
)


_PARAMETERS = Column("parameters", "Parameters", "", "Weights of the network.", "{:,.0f}".format)


_MACS = Column(
    "macs",
    "Multiply–adds",
    "million",
    "Multiplications by a weight, each with an addition, for one picture.",
    lambda value: f"{value / 1e6:,.0f}" if value >= 1e7 else f"{value / 1e6:.2g}",
)


_MILLISECONDS = Column(
    "milliseconds",
    "Time",
    "ms",
    "One picture, measured once when this page was made, after a first run.",
    lambda value: f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
)


def columns(methods: Sequence[Upscaler], has_reference: bool) -> list[Column]:
    """The columns that these methods fill.

    Args:
        methods: what is compared.
        has_reference: whether there is a reference to compare with.
    """
    quality = [_PSNR, _SSIM, _SPECTRUM, _SHARPNESS] if has_reference else [_SHARPNESS_ALONE]
    networks = [_PARAMETERS, _MACS] if any(method.model for method in methods) else []
    return [*quality, _GAIN, _ENERGY, *networks, _MILLISECONDS]


def panels(
    given: Given,
    methods: Sequence[Upscaler],
    scale: Fraction,
    noise: dict[str, float | None],
    progress: Callable[[str], None],
) -> list[Panel]:
    """Draw one picture by every method, and measure what comes out.

    Args:
        given: the picture.
        methods: what to draw it with.
        scale: by how much they enlarge.
        noise: what `noise_scores` gave.
        progress: called with what is being done.

    Returns:
        The reference, where there is one, and a panel a method.

    Raises:
        ValueError: if a network cannot draw from this picture.
    """
    shown, sharp = [], None
    if given.reference is not None:
        reference = given.reference / 255
        sharp = _number(full_reference.sharpness, reference)
        numbers = {"sharpness": 100.0 if sharp else None, "gain": _gain(reference, scale)}
        caption = "the picture before it was made smaller"
        shown.append(Panel("Reference", "reference", caption, given.reference, numbers))
    for method in methods:
        progress(f": {method.title}")
        drawn = method.draw(given.low, given.size)
        numbers = {
            "gain": _gain(drawn / 255, scale),
            "energy": noise[method.name],
            "parameters": method.parameters or None,
            "macs": method.macs(given.low.shape[:2]),
            "milliseconds": 1000 * method.seconds(given.low, given.size),
        }
        sharpness = _number(full_reference.sharpness, drawn / 255)
        if given.reference is None:
            numbers["sharpness"] = sharpness
        else:
            pair = (drawn / 255, reference)
            numbers["psnr"] = _number(full_reference.psnr, *pair, luma=True, border=BORDER)
            numbers["ssim"] = _number(full_reference.ssim, *pair, luma=True, border=BORDER)
            numbers["spectrum"] = _number(spectra.spectrum_distance, *pair)
            numbers["sharpness"] = 100 * sharpness / sharp if sharp else None
        shown.append(Panel(method.title, method.kind, method.caption, drawn, numbers))
    return shown


def _gain(image, scale):
    return _number(spectra.checkerboard_gain, image, scale.numerator)


def _number(score, *arrays, **options):
    """A score, or None for pictures that are too small for it."""
    try:
        return score(*arrays, **options)
    except ValueError:
        return None


def noise_scores(
    methods: Sequence[Upscaler],
    scale: Fraction,
    fixed_size: tuple[int, int] | None,
    progress: Callable[[str], None],
) -> dict[str, float | None]:
    """Measure how unevenly each method's answer to white noise varies.

    Args:
        methods: what to measure.
        scale: by how much they enlarge.
        fixed_size: `(height, width)` of the noise, where a model insists on it.
        progress: called with a line about what is being done.

    Returns:
        `checkerboard_energy` by the method's name; None where it cannot be measured.
    """
    rng, scores = np.random.default_rng(0), {}
    step = scale.denominator
    low_size = fixed_size or (-(-NOISE_SIDE // step) * step,) * 2
    size = tuple(int(side * scale) for side in low_size)
    noise = np.clip(np.rint(rng.normal(127.5, 40, (*low_size, 3))), 0, 255).astype(np.uint8)
    # Zero padding darkens the borders of some phases: that would be taken for energy.
    border = int(max(1, NOISE_BORDER // step) * step * scale)
    border = border if min(size) > 4 * border else 0
    inside = tuple(slice(border, side - border) for side in size)
    for method in methods:
        progress(f"noise through {method.title}")
        try:
            drawn = method.draw(noise, size)[inside]
            scores[method.name] = spectra.checkerboard_energy(drawn / 255, scale.numerator)
        except ValueError:
            scores[method.name] = None
    return scores
