"""Files that are written whole or not at all, and places to write them to."""

import os
from collections.abc import Callable
from pathlib import Path

PART = ".unfinished"  # in the name of a file that is being written


def check_writable(directory: str | Path) -> None:
    """Check that a directory can be made and written to.

    Args:
        directory: it need not exist.

    Raises:
        ValueError: if it, or what should hold it, is a file or must not be written to.
    """
    place = Path(directory).absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise ValueError(f"{place} is not a directory; choose another place to write to")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"{place} must not be written to; choose another place to write to")


def atomic_write(path: Path, write: Callable[[str], None]) -> None:
    """Write a file under another name and rename it, so that nobody ever finds half of it.

    Args:
        path: the file.
        write: called with the name to write to, of the same ending.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = "".join(path.suffixes)
    beside = path.with_name(f".{path.name.removesuffix(ending)}{PART}{ending}")
    try:
        write(str(beside))
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def atomic_write_text(path: Path, text: str) -> None:
    """Write text whole or not at all, as UTF-8; characters that it lacks become question marks."""
    atomic_write(path, lambda beside: Path(beside).write_text(text, "utf-8", "replace"))


def expanded(path: str | Path) -> Path:
    """A path with `~` replaced by the user's home directory."""
    return Path(os.path.expanduser(path))
