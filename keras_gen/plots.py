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
