"""The page's templates, scripts and texts; this reads the texts."""

import importlib.resources
import tomllib


def part(name: str) -> dict:
    """Read one of the TOML files of this folder."""
    return tomllib.loads((importlib.resources.files(__name__) / name).read_text("utf-8"))
