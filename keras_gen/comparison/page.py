"""One HTML page with pictures side by side: a file to open, to share and to teach from.

The page is self-contained: pictures are embedded without loss, script and style are part of it, and
its Content-Security-Policy forbids every request. Without JavaScript it still shows all pictures
and tables. The HTML itself is in the Jinja2 templates of `parts/`. This module knows arrays and
text only; `keras_gen.comparison.comparing` makes what it shows.
"""

import base64
import hashlib
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import jinja2
import numpy as np
from markupsafe import Markup
from PIL import Image, features

# One script in several files, in the order in which they run.
SCRIPTS = (
    "state.js",
    "spectra.js",
    "frames.js",
    "display.js",
    "derived.js",
    "controls.js",
    "pointers.js",
    "keys.js",
    "tables.js",
    "start.js",
)
_LARGEST_WEBP = 16383  # pixels a side
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class Column:
    """A number that every panel can have, and how tables show it.

    Attributes:
        key: its name in `Panel.numbers`.
        label: the head of its column.
        unit: what the numbers are in, below the label; may be empty.
        explanation: what it measures and how to read it.
        format: how a finite number is written, as `str.format` takes it.
        small_format: how it is written where it is less than 10, if differently.
        factor: what it is multiplied by first.
        best: `"high"` or `"low"`; None where neither is better.
        headline: whether it also stands beside each panel's name.
    """

    key: str
    label: str
    unit: str
    explanation: str
    format: str = "{:.2f}"
    small_format: str = ""
    factor: float = 1.0
    best: str | None = None
    headline: bool = False

    @property
    def heading(self) -> str:
        """Label and unit in one line."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def text(self, value: float | None) -> str:
        """The number as the page shows it; a dash where there is none."""
        if value is None or math.isnan(value):
            return "–"
        if math.isinf(value):
            return "∞"
        scaled = self.factor * value
        small = self.small_format and scaled < 10
        return (self.small_format if small else self.format).format(scaled)


@dataclass(frozen=True)
class Panel:
    """One picture by one method.

    Attributes:
        title: the method's name, the same in every `Picture`.
        kind: what sort of method it is, in a word or two.
        caption: one line on what it does.
        image: uint8 of shape `(height, width, 3)`.
        numbers: by `Column.key`; None or absent where there is none.
    """

    title: str
    kind: str
    caption: str
    image: np.ndarray
    numbers: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """One picture by every method.

    Attributes:
        name: what it is called, a file's name for instance; any text.
        note: one line on its size and how it was prepared.
        panels: one for each method, all of one size; the reference first where there is one.
    """

    name: str
    note: str
    panels: Sequence[Panel]


def page(
    pictures: Sequence[Picture],
    columns: Sequence[Column],
    *,
    title: str,
    lead: str = "",
    notes: Sequence[str] = (),
    reference: bool = True,
    period: float = 0,
) -> str:
    """Render the page.

    Args:
        pictures: all with the same methods in the same order.
        columns: the numbers of the tables, in order.
        title: the page's heading.
        lead: a sentence or two below it.
        notes: lines at the page's end, on how it was made.
        reference: whether the first panel of every picture is the reference; the page then offers
            each panel's difference from it.
        period: pixels after which a checkerboard would repeat; the spectra mark its frequencies.

    Returns:
        The page as one text.

    Raises:
        ValueError: if there is nothing to show, or the panels of the pictures do not match.

    Example:
        >>> black = np.zeros((8, 8, 3), np.uint8)
        >>> panels = [Panel(name, "fixed", "", black) for name in ("Reference", "Nearest")]
        >>> page([Picture("black", "8×8", panels)], [], title="One").count("<figure")
        2
    """
    _check(pictures)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("keras_gen.comparison", "parts"),
        autoescape=True,
        finalize=_printable,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["embedded"] = embedded
    style = _part(environment, "viewer.css")
    code = "\n".join(_part(environment, name) for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{code}\n}})();'
    return environment.get_template("viewer.html").render(
        title=title,
        lead=lead,
        notes=notes,
        style=Markup(style),
        script=Markup(script),
        style_digest=_digest(style),
        script_digest=_digest(script),
        reference=reference,
        period=f"{period:g}",
        pictures=pictures,
        columns=columns,
        tables=_tables(pictures, columns, reference),
    )


def embedded(image: np.ndarray) -> str:
    """Encode an image, without loss, as a `data:` address.

    Args:
        image: uint8 of shape `(height, width, 3)`.

    Returns:
        A `data:` address of a PNG or, where Pillow can write it and it is smaller, of a lossless
        WebP.

    Example:
        >>> embedded(np.zeros((1, 1, 3), np.uint8)).partition("/")[0]
        'data:image'
    """
    image = Image.fromarray(image)
    files = {"png": _file(image, "PNG")}
    if features.check("webp") and max(image.size) <= _LARGEST_WEBP:
        # Higher settings take 20 times as long for 5 % less.
        files["webp"] = _file(image, "WEBP", lossless=True, quality=50, method=2)
    kind = min(files, key=lambda kind: len(files[kind]))
    return f"data:image/{kind};base64,{base64.b64encode(files[kind]).decode()}"


def means(pictures: Sequence[Picture], columns: Sequence[Column]) -> list[dict[str, float | None]]:
    """Average the numbers of each method over the pictures that have them.

    Args:
        pictures: all with the same methods in the same order.
        columns: which numbers.

    Returns:
        One dict for each method, by `Column.key`; None where no picture has the number.
    """
    rows = []
    for panels in zip(*(picture.panels for picture in pictures), strict=True):
        row = {}
        for column in columns:
            values = [panel.numbers.get(column.key) for panel in panels]
            values = [value for value in values if value is not None]
            row[column.key] = float(np.mean(values)) if values else None
        rows.append(row)
    return rows


def _check(pictures):
    if not pictures or not pictures[0].panels:
        raise ValueError("there is nothing to show; give at least one picture with one panel")
    methods = [panel.title for panel in pictures[0].panels]
    for picture in pictures:
        if [panel.title for panel in picture.panels] != methods:
            raise ValueError(f"{picture.name!r} has other methods than {pictures[0].name!r}")
        shapes = {panel.image.shape for panel in picture.panels}
        if len(shapes) > 1:
            raise ValueError(f"the panels of {picture.name!r} have several sizes: {shapes}")
        for panel in picture.panels:
            if panel.image.dtype != np.uint8 or panel.image.shape[2:] != (3,):
                raise ValueError(
                    f"{panel.title!r} of {picture.name!r} is {panel.image.dtype} of shape "
                    f"{panel.image.shape}; expected uint8 of shape (height, width, 3)"
                )


def _printable(value):
    """Replace what HTML cannot hold: control characters, and the lone surrogates of file names."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    value = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value)
    return value.encode("utf-8", "replace").decode("utf-8")


def _part(environment, name):
    source, _, _ = environment.loader.get_source(environment, name)
    return source


def _digest(code):
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


def _file(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _tables(pictures, columns, reference):
    """The page's tables: the means of several pictures, then one for each picture."""
    panels = pictures[0].panels
    tables = []
    if len(pictures) > 1:
        numbers = means(pictures, columns)
        caption = f"Mean of {len(pictures)} pictures"
        tables.append(_table("all", caption, panels, numbers, columns, reference))
    for place, picture in enumerate(pictures):
        numbers = [panel.numbers for panel in picture.panels]
        tables.append(_table(place, picture.name, panels, numbers, columns, reference))
    return tables


def _table(which, caption, panels, numbers, columns, reference):
    rows = [
        {
            "panel": panel,
            "reference": reference and place == 0,
            "cells": [_cell(column, row.get(column.key)) for column in columns],
        }
        for place, (panel, row) in enumerate(zip(panels, numbers, strict=True))
    ]
    for place, column in enumerate(columns):
        _mark_best(column, [row["cells"][place] for row in rows if not row["reference"]])
    return {"which": which, "caption": caption, "rows": rows}


def _cell(column, value):
    text = column.text(value)
    return {"value": None if text == "–" else value, "text": text, "best": False}


def _mark_best(column, cells):
    """Mark the best of a column, and all that look equal to it."""
    values = [cell["value"] for cell in cells if cell["value"] is not None]
    if column.best is None or len(values) < 2:
        return
    best = column.text(max(values) if column.best == "high" else min(values))
    for cell in cells:
        cell["best"] = cell["text"] == best
