"""Progress moves in a terminal, and is a line now and then in a pipe or a file."""

import io

from rich.console import Console

from keras_gen._util import progress


def terminal():
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        width=60,
        markup=False,
        emoji=False,
        highlight=False,
    )


def test_progress_in_a_terminal_moves():
    console = terminal()
    with progress.activity(console, "first [bold]x[/bold]") as update:
        update("then :smile:")
    text = console.file.getvalue()
    assert "first [bold]x[/bold]" in text or "then :smile:" in text
    assert list(progress.tracked(console, [1, 2, 3], "reading [a]")) == [1, 2, 3]
    assert "reading [a]" in console.file.getvalue()


def test_progress_in_a_pipe_is_a_line_now_and_then(monkeypatch):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    console = Console(file=io.StringIO(), width=200)
    assert list(progress.tracked(console, "abcdefgh", "reading")) == list("abcdefgh")
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "reading: 0 of 8"
    assert 1 < len(lines) < 8


def test_many_skipped_files_are_summed_up():
    console = Console(file=io.StringIO(), width=200)
    progress.print_skipped(console, [(f"{n}.png", "it is\nempty") for n in range(25)])
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "skipped 0.png: it is empty"
    assert lines[-1] == "skipped 5 more"
    assert len(lines) == 21
