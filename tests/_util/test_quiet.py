"""`quiet_tensorflow` keeps start-up lines out of notebooks, and hides no failure."""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(code, *arguments, path=(), **settings):
    """Run a script in a fresh process; without Keras that takes a fraction of a second."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, [*path, ROOT]))
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
        **settings,
    )


@pytest.fixture(scope="module")
def first_use(tmp_path_factory):
    """Build and run a generator in a fresh process, keeping what was caught."""
    place = tmp_path_factory.mktemp("first_use")
    code = """
import json, os, sys, tempfile

place = sys.argv[1]
caught = []

def temporary_file():
    caught.append(tempfile.NamedTemporaryFile(dir=place, delete=False))
    return caught[-1]

import keras_gen as kg
from keras_gen._util import quiet

quiet.tempfile = type("tempfile", (), {"TemporaryFile": staticmethod(temporary_file)})
before = "keras" in sys.modules
kg.quiet_tensorflow()
model = kg.simple_generator(input_shape=(8, 8, 3), size=16, filters=8, blocks=1)
import numpy as np
shape = list(model(np.zeros((1, 8, 8, 3), "float32")).shape)
model.compile("adam", "mae")
model.fit(np.zeros((1, 8, 8, 3)), np.zeros((1, 16, 16, 3)), verbose=0)
text = "".join(open(file.name).read() for file in caught)
found = {"before": before, "shape": shape, "caught": text, "environment": dict(os.environ)}
json.dump(found, open(place + "/found.json", "w"))
"""
    finished = run(code, str(place))
    assert finished.returncode == 0, finished.stderr
    return finished, json.loads((place / "found.json").read_text())


def test_import_and_first_use_print_nothing(first_use):
    finished, found = first_use
    assert (finished.stdout, finished.stderr) == ("", "")
    assert found["shape"] == [1, 16, 16, 3]
    assert not found["before"], "keras_gen itself must not import Keras"


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="TensorFlow's lines differ"
)
def test_there_was_something_to_catch_and_onednn_stays_on(first_use):
    _, found = first_use
    assert "oneDNN custom operations are on" in found["caught"]
    assert "TF_ENABLE_ONEDNN_OPTS" not in found["environment"]


@pytest.fixture
def fake(tmp_path):
    """Make a package of a library's name that writes to descriptor 2 as C++ code does."""

    def make(name, then=""):
        package = tmp_path / name
        package.mkdir()
        line = f"import os; os.write(2, b'{name} starts\\n')\n"
        backend = "\nclass backend:\n    backend = staticmethod(lambda: 'none')\n"
        (package / "__init__.py").write_text(line + then + backend)
        return tmp_path

    return make


def test_descriptor_is_caught_for_the_import_only(fake):
    finished = run(
        "import keras_gen as kg, os; kg.quiet_tensorflow(); os.write(2, b'later')",
        path=[fake("keras")],
    )
    assert finished.stderr == "later"


def test_without_the_call_the_lines_come_through(fake):
    assert run("import keras_gen, keras", path=[fake("keras")]).stderr == "keras starts\n"


def test_a_failing_import_lets_the_caught_lines_through(fake):
    finished = run(
        "import keras_gen as kg; kg.quiet_tensorflow()",
        path=[fake("keras", "raise ImportError('broken')")],
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith("keras starts\n")
    assert finished.stderr.rstrip().endswith("ImportError: broken")


def test_a_failure_deeper_down_lets_the_lines_of_both_through(fake):
    fake("tensorflow", "import sys; print('python line', file=sys.stderr); raise OSError('no lib')")
    finished = run(
        "import keras_gen as kg; kg.quiet_tensorflow()", path=[fake("keras", "import tensorflow")]
    )
    for line in ("keras starts", "tensorflow starts", "python line", "OSError: no lib"):
        assert line in finished.stderr


def test_a_failure_that_keras_gets_over_stays_quiet(fake):
    fake("tensorflow", "raise ImportError('broken')")
    tolerant = "try:\n    import tensorflow\nexcept ImportError:\n    pass"
    assert (
        run("import keras_gen as kg; kg.quiet_tensorflow()", path=[fake("keras", tolerant)]).stderr
        == ""
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_standard_error_may_be_closed(fake, tmp_path):
    file = fake("keras") / "keras" / "__init__.py"
    file.write_text(file.read_text().split("\n", 1)[1])  # without the line
    command = (
        f'"{sys.executable}" -c "import keras_gen as kg; kg.quiet_tensorflow(); print(1)" 2>&-'
    )
    finished = subprocess.run(
        ["sh", "-c", command],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert (finished.returncode, finished.stdout) == (0, "1\n")


def test_lines_come_through_where_they_cannot_be_kept(fake):
    code = """
import keras_gen as kg
from keras_gen._util import quiet

def full():
    raise FileNotFoundError("no usable temporary directory")

quiet.tempfile = type("tempfile", (), {"TemporaryFile": staticmethod(full)})
kg.quiet_tensorflow()
"""
    finished = run(code, path=[fake("keras")])
    assert (finished.returncode, finished.stderr) == (0, "keras starts\n")


def test_module_and_entry_point_are_the_same_command():
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="keras-gen")
    assert entry.value == "keras_gen.cli.main:main"
    script = shutil.which("keras-gen", path=str(Path(sys.executable).parent))
    assert script, "install the package first, as the README says"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    outputs = [
        subprocess.run(
            [*command, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        for arguments in (["sizes", "300x500", "--from", "75x125"], ["sizes", "nonsense"])
        for command in ([script], [sys.executable, "-m", "keras_gen"])
    ]
    for of_script, of_module in (outputs[:2], outputs[2:]):
        assert of_script.returncode == of_module.returncode
        assert (of_script.stdout, of_script.stderr) == (of_module.stdout, of_module.stderr)
    assert "75×125 → 150×250 → 300×500" in outputs[0].stdout
    assert outputs[2].returncode == 2
