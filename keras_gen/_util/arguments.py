"""Checks of arguments: sizes, and names that must be known."""

import operator
import re
from collections.abc import Iterable

Size = int | tuple[int, int]


def as_pair(value: Size, name: str = "size", *, least: int = 1) -> tuple[int, int]:
    """Turn an int or a pair into a `(height, width)` pair of whole numbers.

    Args:
        value: whole number for both axes, or `(height, width)`.
        name: what the value is, for the error message.
        least: smallest number allowed.

    Returns:
        `(height, width)`.

    Raises:
        ValueError: for anything but one or two whole numbers of at least `least`.

    Example:
        >>> as_pair(400), as_pair((300, 500))
        ((400, 400), (300, 500))
    """
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ValueError(
            f"{name}={value!r} has length {len(pair)}; give one whole number, or (height, width)"
        )
    if any(isinstance(number, bool) or not hasattr(number, "__index__") for number in pair):
        raise ValueError(
            f"{name}={value!r} is not made of whole numbers; give one, or (height, width)"
        )
    height, width = (operator.index(number) for number in pair)
    if min(height, width) < least:
        raise ValueError(f"{name}={value!r} is too small; it must be at least {least}")
    return height, width


def parse_size(text: str) -> tuple[int, int]:
    """Read a size as it is written on the command line.

    Args:
        text: `"400"`, or height and width as in `"300x500"` (`×` and `X` will do as well).

    Returns:
        `(height, width)` in pixels.

    Raises:
        ValueError: for anything else.

    Example:
        >>> parse_size("400"), parse_size("300x500")
        ((400, 400), (300, 500))
    """
    match = re.fullmatch(r"\s*(\d+)\s*(?:[x×]\s*(\d+)\s*)?", str(text), re.ASCII | re.IGNORECASE)
    if match is None:
        raise ValueError(
            f"cannot read the size {text!r}; write 400, or height and width like 300x500"
        )
    height, width = match.groups()
    pair = int(height), int(width or height)
    if min(pair) < 1:
        raise ValueError(f"a size of {text!r} has no pixels; it must be at least 1")
    return pair


def show_size(size: Size) -> str:
    """Write a size as short as it goes: `"400"` for a square, else `"300×500"`."""
    height, width = as_pair(size)
    return str(height) if height == width else f"{height}×{width}"


def check_choice(name: str, value: object, known: Iterable) -> None:
    """Refuse a value that is none of those known.

    Args:
        name: what the value is, for the error message.
        value: what was given.
        known: what it may be.

    Raises:
        ValueError: if the value is not among them; names them.

    Example:
        >>> check_choice("split", "train", ("train", "test"))
    """
    known = list(known)
    if value not in known:
        choices = ", ".join(map(repr, known))
        raise ValueError(f"{name} {value!r} is unknown; choose one of {choices}")
