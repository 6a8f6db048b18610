"""What every method gets to upscale, and the reference that it should match."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from keras_gen.data import resampling


@dataclass(frozen=True)
class Prepared:
    """A picture that is ready to be upscaled.

    Attributes:
        low: the small picture that every method gets, uint8 of shape `(height, width, 3)`.
        reference: the picture that they should match, uint8, or None.
        size: `(height, width)` of the upscaled picture.
        note: one line on how it was prepared.
    """

    low: np.ndarray
    reference: np.ndarray | None
    size: tuple[int, int]
    note: str


def prepare(
    picture: np.ndarray,
    scale: Fraction,
    *,
    longest: int,
    fixed_size: tuple[int, int] | None = None,
    upscale: bool = False,
    crop: bool = False,
) -> Prepared:
    """Make the small picture and the reference.

    Args:
        picture: uint8 of shape `(height, width, 3)`.
        scale: the factor.
        longest: pixels of the longer side of the upscaled picture, at most.
        fixed_size: `(height, width)` of the small picture, where a model takes one size only.
        upscale: take the picture itself as the small one; there is no reference then.
        crop: take the middle of a large picture instead of reducing it.

    Returns:
        The `Prepared` picture.

    Raises:
        ValueError: if the array is no such picture, or too small.

    Example:
        >>> prepared = prepare(np.zeros((50, 61, 3), np.uint8), Fraction(4), longest=400)
        >>> prepared.low.shape, prepared.reference.shape
        ((12, 15, 3), (48, 60, 3))
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(
            f"it is {picture.dtype} of shape {picture.shape}; expected uint8 of shape "
            "(height, width, 3)"
        )
    if upscale:
        return _without_reference(picture, scale, longest, fixed_size)
    before = picture.shape[:2]
    if fixed_size:
        reference, done = _of_fixed_size(picture, scale, fixed_size)
    else:
        reference, done = _of_longest(picture, scale, longest, crop)
    size = reference.shape[:2]
    low_size = tuple(int(side / scale) for side in size)
    low = resampling.reduce(np.ascontiguousarray(reference), low_size)
    was_given = f"Every method was given {height_by_width(low_size)}."
    return Prepared(low, reference, size, f"{height_by_width(before)} pixels{done}. {was_given}")


def height_by_width(size: tuple[int, int]) -> str:
    """A size in full, also of squares.

    Example:
        >>> height_by_width((400, 400))
        '400×400'
    """
    return f"{size[0]}×{size[1]}"


def _without_reference(picture, scale, longest, fixed_size):
    before = picture.shape[:2]
    if fixed_size:
        low = resampling.reduce(resampling.center_crop(picture, fixed_size), fixed_size)
        done = "the middle, resized to"
    else:
        low = _middle(picture, max(1, int(longest / scale)))
        # A scale like 25/4 needs whole steps of 4 pixels.
        low = low[tuple(slice(_whole(side, scale.denominator)) for side in low.shape[:2])]
        done = "the middle"
    size = tuple(int(side * scale) for side in low.shape[:2])
    note = f"{height_by_width(before)} pixels"
    if low.shape[:2] != before:
        note += f", {done} {height_by_width(low.shape[:2])}"
    return Prepared(low, None, size, f"{note}, upscaled to {height_by_width(size)}.")


def _of_fixed_size(picture, scale, fixed_size):
    """The middle of a picture, reduced to the size that a model generates; what was done."""
    size = tuple(int(side * scale) for side in fixed_size)
    if any(side < least for side, least in zip(picture.shape, size, strict=False)):
        raise ValueError(
            f"{height_by_width(picture.shape)} is smaller than the {height_by_width(size)} that "
            "the model generates"
        )
    reference = resampling.reduce(resampling.center_crop(picture, size), size)
    return reference, f"; the reference is its middle, reduced to {height_by_width(size)}"


def _of_longest(picture, scale, longest, crop):
    """A picture of at most `longest` pixels a side, in whole steps of the scale; what was done."""
    before, reference, done = picture.shape[:2], picture, ""
    if max(before) > longest and crop:
        reference, done = _middle(picture, longest), "; the reference is its middle"
    elif max(before) > longest:
        factor = longest / max(before)
        reference = resampling.reduce(picture, [max(1, round(side * factor)) for side in before])
        done = "; the reference is all of it, reduced"
    size = tuple(_whole(side, scale.numerator) for side in reference.shape[:2])
    reference = reference[: size[0], : size[1]]
    if size != before:
        done = f"{done or '; the reference is cropped'} to {height_by_width(size)}"
    return reference, done


def _middle(picture, longest):
    height, width = picture.shape[:2]
    tall, wide = min(height, longest), min(width, longest)
    top, left = (height - tall) // 2, (width - wide) // 2
    return picture[top : top + tall, left : left + wide]


def _whole(side, step):
    """The largest multiple of a step in a side."""
    if side < step:
        raise ValueError(f"a side of {side} is too small; this scale needs at least {step} pixels")
    return side // step * step
