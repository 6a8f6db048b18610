"""The course's figures: pictures side by side with close-ups, each figure with a description."""

import io

import numpy as np

# Okabe and Ito's colours, which the colour-blind can tell apart.
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
    width: float = 3.2,
):
    """Draw pictures in a row under their names, and a close-up of each with its pixels unsmoothed.

    Args:
        pictures: by name; `(height, width)` or `(height, width, 3)`, uint8 or 0 … 1. They are
            drawn at the same size on paper.
        closeup: `(top, left, side)` in pixels of the last picture: the same part of each picture
            is drawn enlarged below it, and framed in the last.
        title: what the figure shows.
        width: inches a picture.

    Returns:
        The Matplotlib figure.
    """
    import matplotlib.pyplot as plt

    reference = list(pictures.values())[-1]
    tall = reference.shape[0] / reference.shape[1]
    rows = 1 if closeup is None else 2
    ratios = [tall] if closeup is None else [tall, 1]
    size = (width * len(pictures), width * sum(ratios) + 0.6)
    figure, axes = plt.subplots(
        rows,
        len(pictures),
        figsize=size,
        squeeze=False,
        layout="constrained",
        gridspec_kw={"height_ratios": ratios},
    )
    for axis, (name, picture) in zip(axes[0], pictures.items(), strict=True):
        _draw(axis, picture)
        axis.set_title(name)
    if closeup is not None:
        top, left, side = closeup
        frame = {"fill": False, "edgecolor": COLOURS[4], "linewidth": 2}
        axes[0, -1].add_patch(plt.Rectangle((left, top), side, side, **frame))
        for axis, picture in zip(axes[1], pictures.values(), strict=True):
            # In the last picture's coordinates, so that a coarse one shows the very same part.
            place = (0, reference.shape[1], reference.shape[0], 0)
            _draw(axis, picture, extent=place, interpolation="nearest")
            axis.set_xlim(left, left + side)
            axis.set_ylim(top + side, top)
    if title:
        figure.suptitle(title)
    return figure


def _draw(axis, picture, **options):
    # By default Matplotlib repeats pixels where it enlarges, and averages where it reduces.
    grey = {"cmap": "gray", "vmin": 0, "vmax": 255 if picture.dtype == np.uint8 else 1}
    options |= grey if picture.ndim == 2 else {}
    axis.imshow(picture, **options)
    axis.set_xticks([])
    axis.set_yticks([])


def grid_with_closeups(
    pictures: dict[str, np.ndarray],
    titles: dict[str, str],
    closeup: tuple[int, int, int],
    *,
    columns: int = 4,
    width: float = 2.6,
    title: str | None = None,
):
    """Draw many pictures in rows, under each the same close-up with its pixels unsmoothed.

    Args:
        pictures: by name, all of the same size; `(height, width)` or `(height, width, 3)`.
        titles: what to write above each, by name.
        closeup: `(top, left, side)` in pixels; framed in every picture.
        columns: pictures a row.
        width: inches a picture.
        title: what the figure shows.

    Returns:
        The Matplotlib figure.
    """
    import matplotlib.pyplot as plt

    height, across = next(iter(pictures.values())).shape[:2]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    tall = height / across
    lines = max(text.count("\n") + 1 for text in titles.values())
    figure, axes = plt.subplots(
        2 * rows,
        columns,
        figsize=(width * columns, rows * (width * (tall + 1) + 0.22 * lines) + 0.4),
        squeeze=False,
        layout="constrained",
        gridspec_kw={"height_ratios": [tall, 1] * rows},
    )
    for axis in axes.flat:
        axis.set_axis_off()
    top, left, side = closeup
    for index, (name, picture) in enumerate(pictures.items()):
        row, column = divmod(index, columns)
        whole, part = axes[2 * row, column], axes[2 * row + 1, column]
        for axis in (whole, part):
            axis.set_axis_on()
        _draw(whole, picture)
        whole.set_title(titles[name], fontsize=10)
        frame = {"fill": False, "edgecolor": COLOURS[4], "linewidth": 1.5}
        whole.add_patch(plt.Rectangle((left - 0.5, top - 0.5), side, side, **frame))
        _draw(part, picture[top : top + side, left : left + side], interpolation="nearest")
    if title:
        figure.suptitle(title)
    return figure
