"""What methods are given to enlarge, and the reference that they should draw."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from keras_gen.data import resampling


@dataclass(frozen=True)
class Given:
    """A picture that is ready to be enlarged.

    Attributes:
        low: what every method gets, uint8.
        reference: what they should draw, uint8, or None.
        size: `(height, width)` of what they draw.
        note: one line on how it was prepared.
    """

    low: np.ndarray
    reference: np.ndarray | None
    size: tuple[int, int]
    note: str


@dataclass(frozen=True)
class Preparation:
    """Make the small picture and the reference from a picture that was read.

    Attributes:
        scale: by how much is enlarged.
        longest: pixels of the longer side of what the methods draw.
        fixed_size: `(height, width)` of the small picture, where a model insists on it.
        upscale: take the picture itself for the small one; there is no reference then.
        crop: take the middle of a large picture rather than reduce it.
    """

    scale: Fraction
    longest: int
    fixed_size: tuple[int, int] | None
    upscale: bool
    crop: bool

    def __call__(self, picture: np.ndarray) -> Given:
        """Prepare one picture.

        Args:
            picture: uint8 of shape `(height, width, 3)`.

        Returns:
            The `Given`.

        Raises:
            ValueError: if it is no such array, or too small.
        """
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(
                f"it is {picture.dtype} of shape {picture.shape}; expected uint8 of shape "
                "(height, width, 3)"
            )
        if self.upscale:
            return self._as_it_is(picture)
        return self._reduced(picture)

    def _as_it_is(self, picture):
        before = picture.shape[:2]
        if self.fixed_size:
            low = resampling.reduce(
                resampling.center_crop(picture, self.fixed_size), self.fixed_size
            )
            done = "the middle, resized to"
        else:
            low = _middle(picture, max(1, int(self.longest / self.scale)))
            # A scale like 25/4 needs whole steps of 4 pixels.
            low = low[tuple(slice(_whole(side, self.scale.denominator)) for side in low.shape[:2])]
            done = "the middle"
        size = tuple(int(side * self.scale) for side in low.shape[:2])
        what = f"{height_by_width(before)} pixels"
        if low.shape[:2] != before:
            what += f", {done} {height_by_width(low.shape[:2])}"
        return Given(low, None, size, f"{what}, enlarged to {height_by_width(size)}.")

    def _reduced(self, picture):
        before, reference, done = picture.shape[:2], picture, ""
        if self.fixed_size:
            low_size = self.fixed_size
            size = tuple(int(side * self.scale) for side in low_size)
            if any(side < least for side, least in zip(before, size, strict=True)):
                raise ValueError(
                    f"{height_by_width(before)} is smaller than the {height_by_width(size)} that "
                    "the model draws"
                )
            reference = resampling.reduce(resampling.center_crop(picture, size), size)
            done = f"; the reference is its middle, reduced to {height_by_width(size)}"
        else:
            if max(before) > self.longest and self.crop:
                reference, done = _middle(picture, self.longest), "; the reference is its middle"
            elif max(before) > self.longest:
                shrink = self.longest / max(before)
                reference = resampling.reduce(
                    picture, [max(1, round(side * shrink)) for side in before]
                )
                done = "; the reference is all of it, reduced"
            size = tuple(_whole(side, self.scale.numerator) for side in reference.shape[:2])
            reference = reference[: size[0], : size[1]]
            low_size = tuple(int(side / self.scale) for side in size)
            if reference.shape[:2] != before:
                done = f"{done or '; the reference is cut'} to {height_by_width(size)}"
        low = resampling.reduce(np.ascontiguousarray(reference), low_size)
        was_given = f"Every method was given {height_by_width(low_size)}."
        return Given(low, reference, size, f"{height_by_width(before)} pixels{done}. {was_given}")


def height_by_width(size: tuple[int, int]) -> str:
    """A size in full, squares too: 400×400."""
    return f"{size[0]}×{size[1]}"


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
