"""The tour: draw 400×400 with every stored generator, and leave the picture and the table."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_gen import datasets, generating, metrics, plots, weights
from keras_gen.training import write_whole

SIZE = 400


@dataclass(frozen=True)
class Stop:
    """One generator's part of the tour.

    Attributes:
        name: the stored generator.
        title: what it does, for the picture.
        given: what it was given, uint8.
        drawn: what it drew, uint8 of shape (400, 400, 3).
        truth: what it should have drawn, or None.
        parameters: number of weights.
        seconds: of one picture, after a first one.
    """

    name: str
    title: str
    given: np.ndarray
    drawn: np.ndarray
    truth: np.ndarray | None
    parameters: int
    seconds: float

    def row(self) -> dict[str, str]:
        """The table's row."""
        quality = "–"
        if self.truth is not None:
            bicubic = datasets.enlarge_bicubic(self.given, self.truth.shape[:2])
            ours, theirs = (
                metrics.psnr(picture / 255, self.truth / 255) for picture in (self.drawn, bicubic)
            )
            quality = f"{ours:.2f} dB (bicubic {theirs:.2f})"
        return {
            "generator": self.name,
            "does": self.title,
            "output": "×".join(str(side) for side in self.drawn.shape),
            "parameters": f"{self.parameters:,}",
            "PSNR": quality,
            "seconds": f"{self.seconds:.2f}",
        }


def stops(progress: Callable[[str], None] = lambda name: None) -> list[Stop]:
    """Build and run the generators, one after another.

    Args:
        progress: called with a line about what comes next.

    Returns:
        The `Stop`s.

    Raises:
        ValueError: if the weights are missing.
    """
    progress("importing Keras, loading simple_64to400_photos")
    return [_simple()]


def _simple():
    name = "simple_64to400_photos"
    model = weights.load(name)
    truth = generating.middle(datasets.photographs("test")["coffee"], (SIZE, SIZE))
    given = datasets.reduce(truth, model.input_shape[1:3])
    generating.enlarge(model, given)
    start = time.perf_counter()
    drawn = generating.enlarge(model, given)
    seconds = time.perf_counter() - start
    title = "64×64 photograph → 400×400"
    return Stop(name, title, given, drawn, truth, model.count_params(), seconds)


def figure(stops: list[Stop]):
    """Draw the tour's picture: for each generator what it was given, what it drew, the truth.

    Args:
        stops: the generators' parts.

    Returns:
        The Matplotlib figure.
    """
    stop = stops[0]
    bicubic = datasets.enlarge_bicubic(stop.given, stop.truth.shape[:2])
    return plots.side_by_side(
        {
            "given: 64×64": stop.given,
            "bicubic enlargement": bicubic,
            "simple generator: 400×400": stop.drawn,
            "the photograph": stop.truth,
        },
        closeup=(185, 100, 130),
        title="A photograph that the network never saw",
    )


def write(stops: list[Stop], directory: Path) -> tuple[Path, Path]:
    """Write the picture and the table.

    Args:
        stops: the generators' parts.
        directory: where to.

    Returns:
        The paths of `tour.png` and `tour.md`.
    """
    import matplotlib.pyplot as plt

    picture, table = directory / "tour.png", directory / "tour.md"
    drawn = figure(stops)
    write_whole(picture, lambda path: drawn.savefig(path, dpi=100))
    plt.close(drawn)
    rows = [stop.row() for stop in stops]
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
    write_whole(table, lambda path: Path(path).write_text("\n".join(lines) + "\n", "utf-8"))
    return picture, table
