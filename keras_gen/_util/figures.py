"""The course's figures: pictures side by side with close-ups, each figure with a description."""

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

# Okabe and Ito's colours, which colour-blind readers can distinguish.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def show(figure, alt: str, *, dpi: int = 80, photographs: bool = False) -> None:
    """Show a figure in a notebook with a description for those who cannot see it.

    Args:
        figure: a Matplotlib figure; it is closed.
        alt: what the figure shows, in a sentence.
        dpi: dots per inch.
        photographs: whether it shows mostly photographs: as JPEG (of high quality, colours at full
            resolution) they take a quarter of the space.
    """
    import matplotlib.pyplot as plt
    from IPython.display import Image, display

    kind = "jpeg" if photographs else "png"
    quality = {"quality": 92, "subsampling": 0} if photographs else {}
    data = io.BytesIO()
    figure.savefig(data, format=kind, dpi=dpi, bbox_inches="tight", pil_kwargs=quality)
    plt.close(figure)
    display(Image(data=data.getvalue(), format=kind, alt=alt))


def side_by_side(
    pictures: dict[str, np.ndarray],
    *,
    closeup: tuple[int, int, int] | None = None,
    title: str | None = None,
    columns: int | None = None,
    width: float = 3.2,
):
    """Plot pictures under their names, and a close-up of each with its pixels unsmoothed.

    Args:
        pictures: by name; `(height, width)` or `(height, width, 3)`, uint8 or 0 … 1. They are
            plotted at the same size.
        closeup: `(top, left, side)` in pixels of the last picture: the same part of each picture
            is plotted below it, upscaled, and framed in the last.
        title: what the figure shows.
        columns: pictures in a row; all by default.
        width: width of a picture, in inches.

    Returns:
        The Matplotlib figure.
    """
    import matplotlib.pyplot as plt

    reference = list(pictures.values())[-1]
    tall = reference.shape[0] / reference.shape[1]
    ratios = [tall] if closeup is None else [tall, 1]
    columns = min(columns or len(pictures), len(pictures))
    rows = math.ceil(len(pictures) / columns)
    figure, axes = plt.subplots(
        rows * len(ratios),
        columns,
        figsize=(width * columns, rows * (width * sum(ratios) + 0.6)),
        squeeze=False,
        layout="constrained",
        gridspec_kw={"height_ratios": ratios * rows},
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for index, (name, picture) in enumerate(pictures.items()):
        row, column = divmod(index, columns)
        whole, *below = axes[row * len(ratios) : (row + 1) * len(ratios), column]
        _imshow(whole, picture)
        whole.set_title(name)
        for part in below:
            top, left, side = closeup
            # In the last picture's coordinates, so that a coarse one shows the very same part.
            place = (0, reference.shape[1], reference.shape[0], 0)
            _imshow(part, picture, extent=place, interpolation="nearest")
            part.set_xlim(left, left + side)
            part.set_ylim(top + side, top)
    if closeup is not None:
        top, left, side = closeup
        frame = {"fill": False, "edgecolor": COLOURS[4], "linewidth": 2}
        whole.add_patch(plt.Rectangle((left, top), side, side, **frame))
    if title:
        figure.suptitle(title)
    return figure


def _imshow(axis, picture, **options):
    # By default Matplotlib repeats pixels when it enlarges, and averages when it reduces.
    grey = {"cmap": "gray", "vmin": 0, "vmax": 255 if picture.dtype == np.uint8 else 1}
    options |= grey if picture.ndim == 2 else {}
    axis.imshow(picture, **options)
    axis.set_axis_on()
    axis.set_xticks([])
    axis.set_yticks([])


def digest(image: ArrayLike) -> str:
    """Sum up an image in a line, for outputs that are compared as text.

    Args:
        image: uint8, or float in 0 … 1, of any shape.

    Returns:
        Its shape and type, and its smallest, mean and largest value in 0 … 1, with two decimals.

    Example:
        >>> digest(np.full((400, 400, 3), 51, np.uint8))
        '400×400×3 uint8, 0.20 to 0.20, mean 0.20'
    """
    image = np.asarray(image)
    values = image / (255 if image.dtype == np.uint8 else 1)
    shape = "×".join(map(str, image.shape))
    return (
        f"{shape} {image.dtype}, {values.min():.2f} to {values.max():.2f}, mean {values.mean():.2f}"
    )


def contact_sheet(
    pictures: Sequence[ArrayLike],
    columns: int | None = None,
    *,
    gap: int = 4,
    background: float = 1.0,
) -> np.ndarray:
    """Lay pictures out in rows, from left to right and from top to bottom.

    Args:
        pictures: arrays of the same shape, `(height, width)` or `(height, width, channels)`, uint8
            or float in 0 … 1; a batch will do.
        columns: pictures a row; by default about as many as there are rows. Places that are left
            over in the last row stay empty.
        gap: pixels between pictures, none around them.
        background: brightness of gaps and empty places, 0 … 1.

    Returns:
        One array of the pictures' dtype, `(rows · (height + gap) − gap, …)`.

    Raises:
        ValueError: for no pictures, pictures of different shapes or types, or fewer than one
            column.

    Example:
        >>> contact_sheet(np.zeros((24, 100, 100, 3), np.uint8), columns=6).shape
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
    if columns is None:
        columns = math.ceil(math.sqrt(len(pictures)))
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
