"""TODO: say what this module holds."""

import itertools
import math
from collections.abc import Iterable, Sequence

import keras
import numpy as np

from keras_gen._util import figures, machine, progress


def closeups(rows: Iterable[Sequence[np.ndarray]], *, side: int = 320) -> np.ndarray:
    """Lay the middles of pictures out in rows, on white where one is smaller.

    Args:
        rows: uint8 pictures `(height, width, 3)`, as many in each row.
        side: pixels of each middle.

    Returns:
        uint8 array of shape `(height, width, 3)`.
    """
    rows = [[_padded_middle(picture, side) for picture in row] for row in rows]
    return figures.contact_sheet(list(itertools.chain(*rows)), columns=len(rows[0]), gap=6)


def _padded_middle(picture, side):
    height, width = picture.shape[:2]
    cut = min(side, height, width)
    top, left = (height - cut) // 2, (width - cut) // 2
    middle = picture[top : top + cut, left : left + cut]
    room = ((0, side - cut), (0, side - cut), (0, 0))
    return np.pad(middle, room, constant_values=255)


def card_head(
    name: str,
    model: keras.Model,
    options: dict,
    history: list[dict],
    learned_from: Sequence[str],
    command: str,
) -> list[str]:
    """Write what every card begins with: what was trained, on what, by which command, how long.

    Args:
        name: the generator's name.
        model: the generator.
        options: what the training was asked for.
        history: of the training.
        learned_from: names of the pictures trained on.
        command: the command line.

    Returns:
        Lines of Markdown; the last ones are rows of a table, which may go on.
    """
    last = history[-1] if history else dict.fromkeys(["minutes", "cpu_minutes"], math.nan)
    return [
        f"# {name}",
        "",
        f"{model.count_params():,} parameters, a functional Keras model of stock layers.",
        "",
        "| | |",
        "|---|---|",
        f"| command | `{command}` |",
        *(f"| {key.replace('_', ' ')} | {value} |" for key, value in options.items()),
        f"| pictures | {len(learned_from)}: {_listed(learned_from)} |",
        f"| time | {last['minutes']:.1f} minutes, {last['cpu_minutes']:.1f} CPU minutes |",
        f"| machine | {machine.machine()} |",
    ]


def _listed(names, most=20):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return progress.one_line(", ".join(names[:most])).replace("|", "\\|") + more
