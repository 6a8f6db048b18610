"""What is shown while something takes its time: a bar in a terminal, now and then a line in a pipe.

Names of files and messages are shown as they are: nothing in them is taken for colours or emoji.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
    track,
)
from rich.text import Text

PAUSE = 10.0  # seconds between two lines in a pipe
MOST_SKIPPED = 20


def new_console(*, stderr: bool = False) -> Console:
    """Make a console that prints text as it is; in a pipe or a file, without breaking lines.

    Args:
        stderr: print to standard error.
    """
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not (console.is_terminal or console.is_jupyter):
        console.width = 10_000
    return console


class NowAndThen:
    """Say whether it is time for another line: at once, and then after each pause.

    Args:
        pause: seconds.
    """

    def __init__(self, pause: float = PAUSE):
        self.pause = pause
        self.last = -pause

    def __call__(self) -> bool:
        due = time.monotonic() - self.last >= self.pause
        if due:
            self.last = time.monotonic()
        return due


@contextlib.contextmanager
def activity(console: Console, text: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done until the body ends.

    Args:
        console: where.
        text: what is done first.

    Yields:
        A function that takes what is done next.
    """
    if console.is_terminal:
        with console.status(Text(text)) as status:
            yield lambda text: status.update(Text(text))
        return
    due = NowAndThen()

    def update(text):
        if due():
            console.print(text)

    update(text)
    yield update


def tracked(console: Console, items: Sequence, text: str) -> Iterator:
    """Give items one by one and show how many are done.

    Args:
        console: where.
        items: what is gone through.
        text: what is done with them.
    """
    if console.is_terminal:
        yield from track(items, escape(text), console=console, transient=True)
        return
    due = NowAndThen()
    for number, item in enumerate(items):
        if due():
            console.print(f"{text}: {number} of {len(items)}")
        yield item


class StepDisplay:
    """The progress of a training: a bar in a terminal, lines in a pipe.

    Args:
        console: where.
        done: steps done before.
        steps: steps in all.
    """

    def __init__(self, console: Console, done: int, steps: int):
        self.console, self.steps = console, steps
        self.due = NowAndThen()
        self.bar = self._bar() if console.is_terminal and done < steps else None
        if self.bar:
            start = "preparing the first step"
            self.task = self.bar.add_task("training", total=steps, completed=done, measured=start)
        elif done < steps:
            console.print("preparing the first step")

    def __enter__(self):
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_):
        if self.bar:
            self.bar.stop()

    def show(self, step: int, text: str) -> None:
        """Show how far it is: in the bar, or when it is time for another line."""
        if self.bar:
            self.bar.update(self.task, completed=step, measured=text)
        elif self.due():
            self.keep(step, text)

    def keep(self, step: int, text: str) -> None:
        """Print a line that stays."""
        self.console.print(f"step {step} of {self.steps}: {text}")

    def _bar(self):
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[measured]}"),
            TimeRemainingColumn(),
            console=self.console,
        )


def print_skipped(console: Console, skipped: Sequence[tuple[str, str]]) -> None:
    """Name what could not be used, the first of many.

    Args:
        console: where.
        skipped: `(name, reason)` of each.
    """
    for name, reason in skipped[:MOST_SKIPPED]:
        console.print(f"skipped {one_line(name)}: {one_line(reason)}")
    if len(skipped) > MOST_SKIPPED:
        console.print(f"skipped {len(skipped) - MOST_SKIPPED} more")


def one_line(text: str) -> str:
    """Put a text on one line: messages of libraries hold line breaks, and names of files may."""
    return " ".join(line.strip() for line in str(text).splitlines())
