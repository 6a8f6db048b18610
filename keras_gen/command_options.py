"""What the commands' options have in common."""

import typer

LARGEST = 2**16


def option(help_text: str, *names: str, panel: str = "Options", **settings):
    """An option whose value is called by what it is, not by its Python type."""
    return typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)


def size_of(text: str) -> tuple[int, int]:
    """A size as it is written; to plan for millions of pixels would take minutes."""
    from keras_gen.sizes import parse_size

    size = parse_size(text)
    if max(size) > LARGEST:
        raise ValueError(f"a side of {max(size)} pixels is too large; give at most {LARGEST}")
    return size
