"""What the commands have in common."""

import typer


def option(help_text: str, *names: str, panel: str = "Options", **settings):
    """An option whose value is called by what it is, not by its Python type."""
    return typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)
