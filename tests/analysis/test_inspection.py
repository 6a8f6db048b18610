"""What inspect shows, how tables print, and the examples in the docstrings."""

from fractions import Fraction

import keras
import matplotlib as mpl
import numpy as np
import pytest
from keras import layers

from keras_gen._util.tables import Table
from keras_gen.analysis.inspection import inspect_rows, inspect_summary, plot_fields

mpl.use("Agg")


@pytest.fixture
def model():
    return keras.Sequential(
        [
            keras.Input((32, 24, 3), name="image"),
            layers.Conv2D(8, 5, padding="same", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2DTranspose(2, 4, strides=2, padding="same", name="double"),
            layers.Flatten(name="flat"),
        ],
        name="small",
    )


def test_rows(model):
    rows = inspect_rows(model)
    assert [row["layer"] for row in rows] == ["conv", "pool", "double", "flat"]
    assert rows[2] == {
        "layer": "double",
        "type": "Conv2DTranspose",
        "output_size": (32, 24),
        "channels": 2,
        "receptive_field": (8, 8),
        "stride": Fraction(1),
        "parameters": 8 * 2 * 16 + 2,
        "macs": 16 * 12 * 8 * 2 * 16,
    }
    assert [row["channels"] for row in rows] == [8, 8, 2, 32 * 24 * 2]


def test_summary(model):
    lines = inspect_summary(model).splitlines()
    assert lines[0] == "32×24 in, one out; an output sees 32×24 of 'image'"
    assert lines[1].startswith("866 parameters, 0.001 billion")
    assert len(lines) == 3


def test_picture(model):
    axes = plot_fields(model)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["conv: 5×5", "pool: 6×6", "double: 8×8"]
    rectangle = axes.patches[0]
    assert rectangle.get_xy() == (9.5, 13.5)
    assert (rectangle.get_width(), rectangle.get_height()) == (5, 5)
    axes = plot_fields(model, layers=["pool"], image=np.zeros((32, 24)))
    assert len(axes.patches) == 1
    with pytest.raises(ValueError, match="is not an image"):
        plot_fields(keras.Sequential([keras.Input((9, 1)), layers.Conv1D(1, 3)]))


def test_tables_print_and_render():
    table = Table([{"name": "<a>", "size": (3, 4), "share": None, "flag": True, "count": 12_345}])
    assert str(table).splitlines()[1].split() == ["<a>", "3×4", "–", "yes", "12,345"]
    assert "<td>&lt;a&gt;</td><td>3×4</td>" in table._repr_html_()
    assert str(Table()) == "(empty)"
    assert str(table[:1]) == str(table)
    assert table[0]["count"] == 12_345
