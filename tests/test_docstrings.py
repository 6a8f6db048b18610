"""Every example in a docstring runs and gives what it says."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
from keras import layers, ops, random

import keras_gen as kg

MODULES = [
    info.name
    for info in pkgutil.walk_packages(kg.__path__, "keras_gen.")
    if not info.ispkg and not info.name.endswith(("__main__", "cli.main"))
]
NAMES = {"np": np, "layers": layers, "ops": ops, "random": random, "kg": kg}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    names = {key: value for key, value in NAMES.items() if not hasattr(module, key)}
    result = doctest.testmod(
        module, extraglobs=names, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert result.failed == 0
