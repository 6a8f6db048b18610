"""The numbers of a comparison: which there are, what they mean, and how they are measured."""

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from keras_gen.comparison.page import Column, Panel
from keras_gen.comparison.parts import part
from keras_gen.comparison.preparation import Prepared
from keras_gen.comparison.upscalers import Upscaler
from keras_gen.metrics import full_reference, spectra
from keras_gen.metrics.image_quality import quality

NOISE_SIDE, NOISE_BORDER = 96, 8  # pixels of the noise before upscaling


def columns(methods: Sequence[Upscaler], has_reference: bool) -> list[Column]:
    """The columns that these methods fill.

    Args:
        methods: what is compared.
        has_reference: whether there is a reference to compare with.
    """
    groups = ["against_reference" if has_reference else "without_reference", "checkerboards"]
    if any(method.model for method in methods):
        groups.append("networks")
    declared = part("columns.toml")
    return [Column(**column) for group in [*groups, "time"] for column in declared[group]]


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
