"""The numbers of a comparison: which there are, what they mean, and how they are measured."""

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from keras_gen.comparison.page import Column, Panel
from keras_gen.comparison.preparation import Prepared
from keras_gen.comparison.upscalers import Upscaler
from keras_gen.metrics import full_reference, spectra
from keras_gen.metrics.image_quality import quality

NOISE_SIDE, NOISE_BORDER = 96, 8  # pixels of the noise before upscaling

# Keys that are attributes of `Quality` are measured by `quality`.
_AGAINST_REFERENCE = [
    Column(
        "psnr",
        "PSNR",
        "dB",
        "How close the pixels are to the reference, on luma. Higher is closer. It forgives blur "
        "more readily than wrong detail.",
        "{:.2f}".format,
        best="high",
        headline=True,
    ),
    Column(
        "ssim",
        "SSIM",
        "",
        "How similar edges and texture are to the reference's, on luma. 1 is equal.",
        "{:.4f}".format,
        best="high",
        headline=True,
    ),
    Column(
        "psnr_chroma",
        "Chroma PSNR",
        "dB",
        "How close the colours are to the reference's, whatever the brightness (Cb and Cr). Higher "
        "is closer.",
        "{:.2f}".format,
        best="high",
    ),
    Column(
        "delta_e",
        "ΔE2000",
        "",
        "Mean colour difference as people perceive it (CIEDE2000). 0 is equal, 1 is just "
        "noticeable.",
        "{:.2f}".format,
        best="low",
    ),
    Column(
        "spectrum_distance",
        "Spectrum distance",
        "dB",
        "How far the amounts of coarse and fine detail are from the reference's, over all "
        "frequencies. 0 is equal. It compares amounts, not places: the edges of square pixels "
        "count as detail, too.",
        "{:.2f}".format,
    ),
    Column(
        "sharpness",
        "Sharpness",
        "%",
        "Variance of the Laplacian, as a percentage of the reference's. Below 100 is blurred; "
        "square pixels, noise and checkerboards are edges, too, and raise it.",
        lambda value: f"{100 * value:.1f}",
    ),
]
_WITHOUT_REFERENCE = [
    Column(
        "sharpness",
        "Sharpness",
        "× 1000",
        "Variance of the Laplacian. Square pixels, noise and checkerboards are edges, too, and "
        "raise it: read it beside the picture.",
        lambda value: f"{1000 * value:.3g}",
    )
]
_CHECKERBOARDS = [
    Column(
        "gain",
        "Checkerboard gain",
        "ppm",
        "Fraction of the picture's variance, in millionths, that is a pattern repeating with the "
        "scale: a lattice that shows even on flat areas. Photographs have a little by chance.",
        lambda value: f"{1e6 * value:,.0f}" if value >= 1e-5 else f"{1e6 * value:.1f}",
    ),
    Column(
        "energy",
        "Checkerboard energy",
        "on noise",
        "How unevenly the power of white noise is distributed over the pixels of a cell. 0 is "
        "even. A transposed convolution with uneven overlap is uneven; so is interpolation, which "
        "smooths more halfway between the input pixels.",
        "{:.2f}".format,
    ),
]
_NETWORKS = [
    Column("parameters", "Parameters", "", "Weights of the network.", "{:,.0f}".format),
    Column(
        "macs",
        "Multiply–adds",
        "million",
        "Multiplications by a weight, each with an addition, for one picture.",
        lambda value: f"{value / 1e6:,.0f}" if value >= 1e7 else f"{value / 1e6:.2g}",
    ),
]
_TIME = Column(
    "milliseconds",
    "Time",
    "ms",
    "Time for one picture, measured once when this page was made, after a first run.",
    lambda value: f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
)


def columns(methods: Sequence[Upscaler], has_reference: bool) -> list[Column]:
    """The columns that these methods fill.

    Args:
        methods: what is compared.
        has_reference: whether there is a reference to compare with.
    """
    against = _AGAINST_REFERENCE if has_reference else _WITHOUT_REFERENCE
    networks = _NETWORKS if any(method.model for method in methods) else []
    return [*against, *_CHECKERBOARDS, *networks, _TIME]


def panels(
    prepared: Prepared,
    methods: Sequence[Upscaler],
    scale: Fraction,
    noise: dict[str, float | None],
    progress: Callable[[str], None],
) -> list[Panel]:
    """Upscale one picture by every method, and measure the results.

    Args:
        prepared: the picture.
        methods: what to upscale it with.
        scale: the factor.
        noise: what `noise_scores` returned.
        progress: called with what is being done.

    Returns:
        The reference, where there is one, and a panel for each method.

    Raises:
        ValueError: if a network cannot upscale this picture.
    """
    shown, reference = [], prepared.reference
    if reference is not None:
        numbers = {
            "sharpness": quality(reference, reference).sharpness,
            "gain": _gain(reference, scale),
        }
        caption = "the picture before it was reduced"
        shown.append(Panel("Reference", "reference", caption, reference, numbers))
    for method in methods:
        progress(f": {method.title}")
        large = method.upscale(prepared.low, prepared.size)
        if reference is None:
            numbers = {"sharpness": _number(full_reference.sharpness, large / 255)}
        else:
            numbers = dataclasses.asdict(quality(large, reference))
        numbers |= {
            "gain": _gain(large, scale),
            "energy": noise[method.name],
            "parameters": method.parameters or None,
            "macs": method.macs(prepared.low.shape[:2]),
            "milliseconds": 1000 * method.seconds(prepared.low, prepared.size),
        }
        shown.append(Panel(method.title, method.kind, method.caption, large, numbers))
    return shown


def noise_scores(
    methods: Sequence[Upscaler],
    scale: Fraction,
    fixed_size: tuple[int, int] | None,
    progress: Callable[[str], None],
) -> dict[str, float | None]:
    """Measure how unevenly each method upscales white noise.

    Args:
        methods: what to measure.
        scale: the factor.
        fixed_size: `(height, width)` of the noise, where a model takes one size only.
        progress: called with a line about what is being done.

    Returns:
        `checkerboard_energy` by the method's name; None where it cannot be measured.
    """
    rng, scores = np.random.default_rng(0), {}
    step = scale.denominator
    low_size = fixed_size or (-(-NOISE_SIDE // step) * step,) * 2
    size = tuple(int(side * scale) for side in low_size)
    noise = np.clip(np.rint(rng.normal(127.5, 40, (*low_size, 3))), 0, 255).astype(np.uint8)
    # Zero padding darkens some phases more than others along the border: no checkerboard is meant.
    border = int(max(1, NOISE_BORDER // step) * step * scale)
    border = border if min(size) > 4 * border else 0
    inside = tuple(slice(border, side - border) for side in size)
    for method in methods:
        progress(f"noise through {method.title}")
        try:
            large = method.upscale(noise, size)[inside]
            scores[method.name] = spectra.checkerboard_energy(large / 255, scale.numerator)
        except ValueError:
            scores[method.name] = None
    return scores


def _gain(image, scale):
    return _number(spectra.checkerboard_gain, image / 255, scale.numerator)


def _number(score, *arguments):
    """A score, or None for pictures that are too small for it."""
    try:
        return score(*arguments)
    except ValueError:
        return None
