"""One HTML page that holds pictures side by side: a file to open, to share and to teach from.

The page needs nothing but itself: pictures are embedded without loss, its script and its style are
in it, and its Content-Security-Policy forbids every request. Without a script it still shows all
pictures and tables. Plain arrays and text, no Keras; `keras_gen.comparing` makes what it shows.
"""

import base64
import hashlib
import html
import importlib.resources
import io
import math
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, features

_LARGEST_WEBP = 16383  # pixels a side


_STARS = " A star marks the best of a column, ties included."


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class Column:
    """A number that every panel can have, and how the page's tables show it.

    Attributes:
        key: its name in `Panel.numbers`.
        label: the head of its column.
        unit: what the numbers are in, below the label; may be empty.
        explanation: one line on what it says and how to read it.
        show: turns a finite number into text.
        best: `"high"`, `"low"`, or the number that would be ideal; `None` where none is best.
        headline: whether it also stands beside each panel's name.
    """

    key: str
    label: str
    unit: str
    explanation: str
    show: Callable[[float], str]
    best: str | float | None = None
    headline: bool = False

    def rank(self, value: float) -> float:
        """How far a value is from the best: smaller is better."""
        if self.best == "high":
            return -value
        return value if self.best == "low" else abs(value - self.best)

    def text(self, value: float | None) -> str:
        """The number as the page shows it; a dash where there is none."""
        if value is None or math.isnan(value):
            return "–"
        return "∞" if math.isinf(value) else self.show(value)


@dataclass(frozen=True)
class Panel:
    """One picture by one method.

    Attributes:
        title: the method's name, the same in every `Picture`.
        kind: a word on what sort of method it is.
        caption: one line on what it does.
        image: uint8 of shape `(height, width, 3)`.
        numbers: by `Column.key`; `None` or absent where there is none.
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
        panels: one a method, all of one size; the reference first where there is one.
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
    """Make the page.

    Args:
        pictures: every one with the same methods in the same order.
        columns: the numbers of the tables, in order.
        title: the page's heading.
        lead: a sentence or two below it.
        notes: lines at the page's end, on how it was made.
        reference: whether the first panel of every picture is the reference, to which the page then shows
            the difference.
        period: pixels after which a checkerboard would repeat; the spectra mark its frequencies.

    Returns:
        The whole HTML document. All texts are escaped, so that no name can be more than a name.

    Raises:
        ValueError: if there is no picture, methods or sizes differ, or an image is not 8-bit RGB.

    Example:
        >>> image = np.zeros((8, 8, 3), np.uint8)
        >>> panels = [Panel(name, "fixed", "", image) for name in ("reference", "nearest")]
        >>> page([Picture("black", "8×8", panels)], [], title="One").count("<figure")
        2
    """
    _check(pictures)
    style, script = _part("viewer.css"), _part("spectra.js") + _part("viewer.js")
    fill = string.Template(_part("viewer.html")).substitute
    return fill(
        policy=_policy(style, script),
        style=style,
        script=script,
        title=text(title),
        lead=text(lead),
        reference="yes" if reference else "no",
        period=f"{period:g}",
        chooser=_chooser(pictures),
        methods=_methods(pictures[0].panels),
        sections="\n".join(
            _section(number, picture, columns, reference) for number, picture in enumerate(pictures)
        ),
        stars=_STARS if any(column.best is not None for column in columns) else "",
        tables=_tables(pictures, columns, reference),
        explanations="\n".join(
            f"<div><dt>{text(column.label)}</dt><dd>{text(column.explanation)}</dd></div>"
            for column in columns
        ),
        notes="\n".join(f"<li>{text(note)}</li>" for note in notes),
    )


def text(words: str) -> str:
    """Make any text safe to stand in HTML, between tags or in a quoted attribute.

    Args:
        words: any string; control characters and halves of surrogate pairs, which names of files
            may hold, become a replacement character.

    Returns:
        The text, escaped.

    Example:
        >>> text("<script>.png")
        '&lt;script&gt;.png'
    """
    words = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(words))
    return html.escape(words.encode("utf-8", "replace").decode("utf-8"), quote=True)


def embedded(image: np.ndarray) -> str:
    """Write an image, without loss, as the address of itself.

    Args:
        image: uint8 of shape `(height, width, 3)`.

    Returns:
        A `data:` address of PNG or, where Pillow can and it is smaller, lossless WebP.
    """
    image = Image.fromarray(image)
    written = {"png": _file(image, "PNG")}
    if features.check("webp") and max(image.size) <= _LARGEST_WEBP:
        # Higher settings take 20 times as long for 5 % less.
        written["webp"] = _file(image, "WEBP", lossless=True, quality=50, method=2)
    kind = min(written, key=lambda kind: len(written[kind]))
    return f"data:image/{kind};base64,{base64.b64encode(written[kind]).decode()}"


def means(pictures: Sequence[Picture], columns: Sequence[Column]) -> list[dict[str, float | None]]:
    """Average the numbers of each method over the pictures that have them.

    Args:
        pictures: every one with the same methods in the same order.
        columns: which numbers.

    Returns:
        One dict a method, by `Column.key`; `None` where no picture has the number.
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


def _part(name):
    return (importlib.resources.files("keras_gen.comparison") / "parts" / name).read_text("utf-8")


def _policy(style, script):
    """Only what stands in the page may run, and nothing may be asked for anywhere."""

    def digest(code):
        return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()

    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest(style)}'; "
        f"script-src 'sha256-{digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _file(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _chooser(pictures):
    """A radio button for all pictures, and one for each."""
    choices = [(str(number), text(picture.name)) for number, picture in enumerate(pictures)]
    lines = [
        f'<label class="choice"><input type="radio" name="picture" value="{value}">'
        f'<canvas class="thumbnail" aria-hidden="true"></canvas><bdi>{name}</bdi></label>'
        for value, name in choices
    ]
    if len(pictures) > 1:
        lines.insert(
            0,
            '<label class="choice"><input type="radio" name="picture" value="all">'
            f"<span>all {len(pictures)}</span></label>",
        )
    return "\n".join(lines)


def _methods(panels):
    return "\n".join(
        f'<label><input type="checkbox" name="panel" value="{number}" checked>'
        f"<bdi>{text(panel.title)}</bdi></label>"
        for number, panel in enumerate(panels)
    )


def _section(number, picture, columns, reference):
    figures = "\n".join(
        _figure(place, panel, picture, columns, reference)
        for place, panel in enumerate(picture.panels)
    )
    return f"""<section class="picture" aria-labelledby="picture-{number}">
<header><h2 id="picture-{number}"><bdi>{text(picture.name)}</bdi></h2>
<p>{text(picture.note)}</p></header>
<div class="panels" role="group" aria-label="Panels of {text(picture.name)}">
{figures}
</div>
</section>"""


def _figure(place, panel, picture, columns, reference):
    height, width = panel.image.shape[:2]
    headline = [column for column in columns if column.headline]
    known = [column for column in headline if panel.numbers.get(column.key) is not None]
    scores = [(column, column.text(panel.numbers[column.key])) for column in known]
    said = ", ".join(f"{column.label} {value} {column.unit}".strip() for column, value in scores)
    what = "the reference" if reference and place == 0 else f"enlarged by {panel.title}"
    alt = f"{picture.name}, {what}" + (f": {said}" if said else "")
    shown = "".join(
        f"<span>{text(value)}<small> {text(column.unit or column.label)}</small></span>"
        for column, value in scores
    )
    return f"""<figure class="panel" data-panel="{place}" data-kind="{text(panel.kind)}">
<div class="frame"><img src="{embedded(panel.image)}" width="{width}" height="{height}" \
alt="{text(alt)}" draggable="false"></div>
<figcaption><h3><bdi>{text(panel.title)}</bdi> <small>{text(panel.kind)}</small></h3>
<p class="scores">{shown}</p><p>{text(panel.caption)}</p></figcaption>
</figure>"""


def _tables(pictures, columns, reference):
    tables = []
    if len(pictures) > 1:
        rows = list(zip(pictures[0].panels, means(pictures, columns), strict=True))
        tables.append(_table("all", f"Mean of {len(pictures)} pictures", rows, columns, reference))
    for number, picture in enumerate(pictures):
        rows = [(panel, panel.numbers) for panel in picture.panels]
        tables.append(_table(number, picture.name, rows, columns, reference))
    return "\n".join(tables)


def _table(which, caption, rows, columns, reference):
    heads = "".join(_head(column) for column in columns)
    winners = {column.key: _best(column, rows[1 if reference else 0 :]) for column in columns}
    body = []
    for place, (panel, numbers) in enumerate(rows):
        cells = "".join(
            _cell(column, numbers.get(column.key), place >= reference and winners[column.key])
            for column in columns
        )
        mark = ' class="reference"' if reference and place == 0 else ""
        body.append(
            f'<tr{mark} data-place="{place}"><th scope="row"><bdi>{text(panel.title)}</bdi> '
            f"<small>{text(panel.kind)}</small></th>{cells}</tr>"
        )
    return f"""<div class="table" data-picture="{which}" role="region" tabindex="0" \
aria-label="Numbers: {text(caption)}">
<table><caption><bdi>{text(caption)}</bdi></caption>
<thead><tr><th scope="col" data-first="ascending"><button type="button">Method</button></th>{heads}
</tr></thead>
<tbody>
{chr(10).join(body)}
</tbody></table></div>"""


def _head(column):
    first = "descending" if column.best == "high" else "ascending"
    unit = f"<small>{text(column.unit)}</small>" if column.unit else ""
    return (
        f'<th scope="col" data-first="{first}" title="{text(column.explanation)}">'
        f'<button type="button">{text(column.label)}{unit}</button></th>'
    )


def _best(column, rows):
    """The text of the best number: what looks equal is marked alike."""
    values = [numbers.get(column.key) for _, numbers in rows]
    values = [value for value in values if value is not None and not math.isnan(value)]
    if column.best is None or len(values) < 2:
        return ""
    return column.text(min(values, key=column.rank))


def _cell(column, value, winner):
    shown = column.text(value)
    number = "" if shown == "–" else f' data-value="{value!r}"'
    if winner and shown == winner:
        return f'<td{number} class="best">{text(shown)}<span class="unseen"> (best)</span></td>'
    return f"<td{number}>{text(shown)}</td>"
