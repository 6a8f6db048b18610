"""Many pictures on one sheet, as photographers lay out their contact prints."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def contact_sheet(
    pictures: Sequence[ArrayLike], columns: int = 6, *, gap: int = 4, background: float = 1.0
) -> np.ndarray:
    """Lay pictures out in rows, from left to right and from top to bottom.

    Args:
        pictures: arrays of the same shape, `(height, width)` or `(height, width, channels)`, uint8
            or float in 0 … 1; a batch will do.
        columns: pictures a row; places that are left over in the last row stay empty.
        gap: pixels between pictures, none around them.
        background: brightness of gaps and empty places, 0 … 1.

    Returns:
        One array of the pictures' dtype, `(rows · (height + gap) − gap, …)`.

    Raises:
        ValueError: for no pictures, pictures of different shapes or types, or fewer than one
            column.

    Example:
        >>> contact_sheet(np.zeros((24, 100, 100, 3), np.uint8)).shape
        (412, 620, 3)
    """
    pictures = [np.asarray(picture) for picture in pictures]
    kinds = sorted({(picture.shape, picture.dtype.name) for picture in pictures})
    if len(kinds) != 1 or len(kinds[0][0]) not in (2, 3):
        received = ", ".join(f"{shape} {dtype}" for shape, dtype in kinds) or "none"
        raise ValueError(
            "a contact sheet takes pictures (height, width) or (height, width, channels) of one "
            f"shape and type, received {received}; resize or crop them first"
        )
    if columns < 1 or gap < 0:
        raise ValueError(f"columns={columns} and gap={gap}: try columns=6, gap=4")
    columns = min(columns, len(pictures))
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, *pictures[0].shape[2:])
    dtype = pictures[0].dtype
    shade = round(255 * background) if dtype == np.uint8 else background
    sheet = np.full(shape, shade, dtype)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = row * (height + gap), column * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet
