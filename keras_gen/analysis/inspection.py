"""Size, receptive field and cost layer by layer, as `python -m keras_gen inspect` shows them."""

from collections.abc import Sequence

import keras
import numpy as np

from keras_gen._util import figures
from keras_gen._util.tables import Table
from keras_gen.analysis.costs import cost
from keras_gen.analysis.fields import ReceptiveField, receptive_field


def inspect_rows(model: keras.Model, *, macs: dict | None = None, **options) -> Table:
    """Describe every layer on the way from an input to the model's (first) output.

    Args:
        model: a functional or sequential Keras model.
        macs: what unknown layers cost, as `rules` of `cost`.
        options: `input`, `gates`, `rules` and `input_shape` of `receptive_field`.

    Returns:
        A list of rows with `layer`, `type`, `output_size`, `channels`, `receptive_field`, `stride`,
        `parameters` and `macs`; it prints as a table.

    Raises:
        ValueError: as `receptive_field` and `cost`.

    Example:
        >>> model = keras.Sequential([keras.Input((32, 32, 3))])
        >>> model.add(keras.layers.Conv2D(8, 5, name="c"))
        >>> [row["receptive_field"] for row in inspect_rows(model)]
        [(5, 5)]
    """
    field = receptive_field(model, **options)
    counted = cost(model, rules=macs, input_shape=options.get("input_shape"))
    costs = {row["layer"]: row for row in counted.rows}
    return Table(
        {
            "layer": row["layer"],
            "type": row["type"],
            "output_size": row["output_size"],
            "channels": _channels(costs[row["layer"]]["output_shape"], row["output_size"]),
            "receptive_field": row["receptive_field"],
            "stride": row["stride"],
            "parameters": costs[row["layer"]]["parameters"],
            "macs": costs[row["layer"]]["macs"],
        }
        for row in field.table()
    )


def _channels(shape, size):
    """The number of channels: what a shape holds besides the sizes that are positions."""
    return int(np.prod(shape) // np.prod(size)) if len(shape) > len(size) else None


def inspect_summary(model: keras.Model, *, macs: dict | None = None, **options) -> str:
    """Summarise a model in three lines: its field, its cost, its memory.

    Args:
        model: a functional or sequential Keras model.
        macs: what unknown layers cost, as `rules` of `cost`.
        options: `input`, `gates`, `rules` and `input_shape` of `receptive_field`.

    Returns:
        Text of three lines.

    Raises:
        ValueError: as `receptive_field` and `cost`.

    Example:
        >>> model = keras.Sequential([keras.Input((32, 32, 3), name="image")])
        >>> model.add(keras.layers.Conv2D(8, 5))
        >>> print(inspect_summary(model))
        32×32 in, 28×28 out; an output sees 5×5 of 'image'
        608 parameters, 0.000 billion multiply–accumulates per image
        0.0 MiB of activations per image
    """
    field = receptive_field(model, **options)
    counted = cost(model, rules=macs, input_shape=options.get("input_shape"))
    sizes = ["×".join(map(str, size)) or "one" for size in (field.input_size, field.output_size)]
    field_size = "×".join(map(str, field.size))
    return (
        f"{sizes[0]} in, {sizes[1]} out; an output sees {field_size} of {field.input!r}"
        f"{' (hull of branches that are not centred on one another)' if field.hull else ''}\n"
        f"{counted.parameters:,} parameters, {counted.macs / 1e9:,.3f} billion multiply–accumulates"
        " per image\n"
        f"{counted.activation_bytes / 2**20:,.1f} MiB of activations per image"
    )


def plot_fields(
    model: keras.Model,
    *,
    layers: Sequence[str] | None = None,
    image: np.ndarray | None = None,
    most: int = 6,
    axes=None,
    **options,
):
    """Plot the receptive field of the middle output of some layers.

    Args:
        model: a functional or sequential Keras model of images.
        layers: names of the layers. By default up to `most` of those where the field grows.
        image: `(height, width)` or `(height, width, 3)` array to plot on. By default a grey page.
        most: how many layers to choose.
        axes: Matplotlib axes to plot into. By default those of a new figure.
        options: `input`, `gates`, `rules` and `input_shape` of `receptive_field`.

    Returns:
        The axes.

    Raises:
        ValueError: for a model whose input is not an image, and as `receptive_field`.
    """
    from matplotlib import patches, pyplot as plt

    whole = receptive_field(model, **options)
    if len(whole.input_size) != 2:
        raise ValueError(f"input {whole.input!r} of size {whole.input_size} is not an image")
    if axes is None:
        axes = plt.subplots(figsize=(6, 6), layout="constrained")[1]
    height, width = whole.input_size
    page = np.full((height, width, 3), 0.93) if image is None else image
    axes.imshow(page, cmap="gray", interpolation="nearest")
    names = layers or _growing_layers(whole, most)
    for index, name in enumerate(names):
        colour = figures.COLOURS[index % len(figures.COLOURS)]
        field = receptive_field(model, name, **options)
        rows, columns = field.at(*(size // 2 for size in field.output_size))
        corner = (columns.start - 0.5, rows.start - 0.5)
        sides = (columns.stop - columns.start, rows.stop - rows.start)
        label = f"{name}: {sides[1]}×{sides[0]}"
        axes.add_patch(
            patches.Rectangle(corner, *sides, fill=False, linewidth=2, color=colour, label=label)
        )
    axes.set_title(f"What the middle output of {len(names)} layers of {model.name} sees")
    axes.legend(loc="upper left", fontsize="small")
    return axes


def _growing_layers(field: ReceptiveField, most):
    """Layers with rows and columns whose field is larger than all before, thinned out evenly."""
    growing, largest = [], (0, 0)
    for row in field.table():
        if len(row["output_size"]) == 2 and row["receptive_field"] > largest:
            largest = row["receptive_field"]
            growing.append(row["layer"])
    if not growing:
        raise ValueError("no layer of the model has rows and columns to plot")
    chosen = np.unique(
        np.linspace(0, len(growing) - 1, min(most, len(growing))).round().astype(int)
    )
    return [growing[index] for index in chosen]
