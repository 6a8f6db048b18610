"""Sizes of the two images of a training pair, where one is smaller than the other."""

from fractions import Fraction

from keras_gen._util.arguments import as_pair, show_size


def small_size(source: int | tuple[int, int] | None, high: tuple[int, int]) -> tuple[int, int]:
    """Check the size of the small image of a pair.

    Args:
        source: side or `(height, width)`; 64 by default.
        high: `(height, width)` of the large image.

    Returns:
        `(height, width)`.

    Raises:
        ValueError: if it has other proportions than the large image, or is no smaller.

    Example:
        >>> small_size(None, (400, 400))
        (64, 64)
    """
    low = as_pair(64 if source is None else source, "source")
    shown = f"from {show_size(low)} to {show_size(high)}"
    if low[0] * high[1] != low[1] * high[0]:
        raise ValueError(f"{shown} stretches the picture; give both sizes the same proportions")
    if low[0] >= high[0]:
        raise ValueError(f"{shown} upscales nothing; give a --from that is smaller than --size")
    return low


def crop_sizes(
    crop: int | tuple[int, int], factor: Fraction
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Compute the sizes of a crop of the small image and of the matching crop of the large one.

    Args:
        crop: side or `(height, width)` of the small crop.
        factor: size of the large image over that of the small one.

    Returns:
        `(height, width)` of both.

    Raises:
        ValueError: if the large crop would have parts of pixels.

    Example:
        >>> crop_sizes(32, Fraction(25, 4))
        ((32, 32), (200, 200))
    """
    crop = as_pair(crop, "crop")
    high = tuple(side * factor for side in crop)
    if any(side.denominator != 1 for side in high):
        raise ValueError(
            f"a crop of {show_size(crop)}, upscaled by {factor}, is no whole number of pixels; "
            f"use a multiple of {factor.denominator}"
        )
    return crop, tuple(int(side) for side in high)


def size_in_name(size: tuple[int, int]) -> str:
    """Write a size as in file names: `400`, or `300x500`."""
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"
