"""Benchmarks run for minutes, so only this is tested: they import, and what they name exists."""

import ast
import importlib.util
import types
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


def missing_names(tree, names):
    """The dotted names of a program, such as `kg.quality`, that no module of this package has."""
    for node in ast.walk(tree):
        parts = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        thing = names.get(node.id) if isinstance(node, ast.Name) else None
        for part in parts:
            ours = isinstance(thing, types.ModuleType) and thing.__name__.startswith("keras_gen")
            if ours and not hasattr(thing, part):
                yield ".".join([node.id, *parts])
            thing = getattr(thing, part, None)


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_what_a_benchmark_names_exists(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert list(missing_names(ast.parse(path.read_text("utf-8")), vars(module))) == []


def test_a_missing_name_is_found():
    import keras_gen as kg

    tree = ast.parse("kg.quality\nkg.metrics.nothing(kg.models.gan.GAN)")
    assert list(missing_names(tree, {"kg": kg})) == ["kg.metrics.nothing"]
