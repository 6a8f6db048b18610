"""A list of rows that prints as a table, in a terminal and in a notebook."""

import html
from fractions import Fraction


class Table(list):
    """A list of dictionaries with the same keys, one per row.

    Example:
        >>> print(Table([{"layer": "conv", "size": (14, 14)}, {"layer": "pool", "size": (7, 7)}]))
        layer   size
        conv   14×14
        pool     7×7
    """

    def __getitem__(self, place):
        part = super().__getitem__(place)
        return Table(part) if isinstance(place, slice) else part

    def __str__(self) -> str:
        if not self:
            return "(empty)"
        rows = [list(self[0]), *([_text(cell) for cell in row.values()] for row in self)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        left = [isinstance(cell, str) for cell in self[0].values()]
        lines = (
            "  ".join(
                cell.ljust(width) if to_left else cell.rjust(width)
                for cell, width, to_left in zip(row, widths, left, strict=True)
            )
            for row in rows
        )
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        if not self:
            return "(empty)"

        def line(cells, tag):
            cells = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
            return f"<tr>{cells}</tr>"

        body = "".join(line([_text(cell) for cell in row.values()], "td") for row in self)
        return f"<table><thead>{line(self[0], 'th')}</thead><tbody>{body}</tbody></table>"


def _text(cell):
    if isinstance(cell, tuple):
        return "×".join(map(_text, cell)) if cell else "–"
    if isinstance(cell, bool):
        return "yes" if cell else ""
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, Fraction):
        return str(cell)
    return "–" if cell is None else str(cell)
