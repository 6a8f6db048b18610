"""The package is built as its design says: rooms, imports, names, sizes of files, words."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import keras_gen as kg

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "keras_gen"
ROOMS = {
    *("analysis", "cli", "comparison", "data", "inference"),
    *("metrics", "models", "sizes", "training"),
}
FILES = sorted(PACKAGE.rglob("*.py"))
STUBS = sorted(PACKAGE.rglob("*.pyi"))


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_each_room_imports_only_what_it_may(monkeypatch):
    """The contracts stand in pyproject.toml."""
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0


def test_the_rooms_are_all_there_is():
    listed = {path.name for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {name for name in listed if not name.startswith("_")} == ROOMS


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_are_short_enough_to_read(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400


def public_names(stub):
    """What a stub says: each name with the module that it comes from, "" for a submodule."""
    names = {}
    for node in ast.parse(stub.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.name: node.module or "" for alias in node.names}
    return names


@pytest.fixture(scope="module")
def every_module():
    """All modules, imported: whatever shadows a name has had its chance."""
    names = [info.name for info in pkgutil.walk_packages(kg.__path__, "keras_gen.")]
    names.remove("keras_gen.__main__")
    return [importlib.import_module(name) for name in names]


@pytest.mark.parametrize("stub", STUBS, ids=module_name)
def test_a_stub_says_what_is_there(stub, every_module):
    """Every name that an editor completes is the object of that name, and not a module."""
    package = importlib.import_module(module_name(stub).removesuffix(".__init__"))
    names = public_names(stub)
    assert set(package.__all__) == set(names)
    for name, home in names.items():
        found = getattr(package, name)
        if home:
            module = importlib.import_module(f"{package.__name__}.{home}")
            assert found is getattr(module, name)
            assert type(found).__name__ != "module", f"{package.__name__}.{name} is shadowed"
        else:
            assert found is importlib.import_module(f"{package.__name__}.{name}")


def test_no_module_bears_a_public_functions_name():
    functions = {name for stub in STUBS for name, home in public_names(stub).items() if home}
    assert not functions & {path.stem for path in FILES}


def test_other_names_are_missing_as_python_says_it():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = kg.nonsense


@pytest.mark.parametrize(
    "code",
    [
        "import keras_gen",
        "import keras_gen.sizes.planner, keras_gen.metrics.image_quality",
        "import keras_gen.inference.stored, keras_gen._util.progress",
        "import keras_gen.cli.checking, keras_gen._util.machine",
        "import keras_gen as kg; assert str(kg.routes(400, source=100)[0]) == '100 → 200 → 400'",
        "command('--help')",
        "command('sizes', '400', '--from', '100')",
        "command('train', 'simple', '--help')",
        "command('train', 'gan', '--help')",
        "command('generate', '--help')",
        "command('compare', '--help')",
    ],
)
def test_what_needs_no_network_imports_no_framework(code):
    script = """
import sys

def command(*arguments):
    from keras_gen.cli.main import main
    sys.argv = ["keras-gen", *arguments]
    try:
        main()
    except SystemExit as stop:
        assert stop.code == 0, stop.code

exec(sys.argv[1])
print(sorted({"keras", "tensorflow", "jax", "torch"} & set(sys.modules)))
"""
    finished = subprocess.run(
        [sys.executable, "-c", script, code], capture_output=True, text=True, cwd=ROOT, timeout=1800
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[-1] == "[]"


# Words that no reader could search for, and what the field says instead.
BANNED = {
    r"the game": "adversarial training",
    r"players?": "networks",
    r"judges?": "evaluator, evaluate",
    r"last touch": "calibration",
    r"truths?": "ground truth, reference",
    r"endless": "unbounded",
    r"told apart": "separated real from fake",
    r"ran away": "diverged",
    r"FallingRate": "inverse-square-root decay",
    r"heaps?": "mode, cluster",
    r"mend(?:s|ed|ing)?": "fix",
}
SPOKEN = [
    *FILES,
    *(PACKAGE / "comparison" / "parts").glob("*"),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / "benchmarks").glob("*.py"),
]


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_fields_own_words_are_used(path):
    text = re.sub(r"[Gg]round[ -]truth", "", path.read_text("utf-8"))
    found = {
        word: instead
        for word, instead in BANNED.items()
        if re.search(rf"(?<![A-Za-z]){word}(?![A-Za-z])", text.replace("\n", " "), re.I)
    }
    assert not found, f"say it in the field's words: {found}"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_name_is_sight(path):
    names = {
        part
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in (getattr(node, "id", None), getattr(node, "name", None))
        if isinstance(name, str)
        for part in re.split(r"_|(?<=[a-z])(?=[A-Z])", name)
    }
    assert "sight" not in {name.lower() for name in names}
