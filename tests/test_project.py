"""The README, the environments and the versions say the same, and what they say is so."""

import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, TOOLS = SETTINGS["project"], SETTINGS["tool"]


def marked(name):
    """The code block between the README's marks."""
    return re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```\n<!-- end -->", README, re.S)[1]


def test_the_answer_runs():
    answer = marked("answer")
    assert len(answer.splitlines()) <= 20
    run = subprocess.run(
        [sys.executable, "-c", answer], capture_output=True, text=True, timeout=1800, check=True
    )
    assert run.stdout.strip().splitlines()[-1] == "(1, 400, 400, 3)"


def test_the_test_command_is_complete():
    command = marked("test command")
    assert "venv" in command and "pip install" in command and command.rstrip().endswith("pytest")
    assert "test command" in (ROOT / ".ci" / "run").read_text()


def test_conda_only_brings_python_and_pip():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert [re.match(r"\w+", entry)[0] for entry in conda] == ["python", "pip"]
    assert pip == {"pip": ["-c constraints.txt", "-e .[notebooks,test]"]}
    python = next(entry for entry in conda if entry.startswith("python="))
    least = PROJECT["requires-python"].removeprefix(">=").split(",")[0]
    assert python == f"python={least}"
    extras = re.search(r"\[(.*)\]", pip["pip"][1])[1].split(",")
    groups = PROJECT["optional-dependencies"]
    installed = {package for extra in extras for package in groups[extra]}
    assert installed == {package for packages in groups.values() for package in packages}


def test_constraints_meet_what_the_project_asks_for():
    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text().splitlines()
    exact = dict(line.split("==") for line in lines if "==" in line)
    exact = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in exact.items()}
    asked = [*PROJECT["dependencies"], *itertools.chain(*PROJECT["optional-dependencies"].values())]
    for line in asked:
        requirement = Requirement(line)
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in exact, f"constraints.txt does not hold {name}"
        assert requirement.specifier.contains(exact[name]), (line, exact[name])


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


def test_every_room_is_in_the_layout():
    rooms = [
        path.name for path in (ROOT / "keras_gen").iterdir() if (path / "__init__.py").exists()
    ]
    for room in rooms:
        if not room.startswith("_"):
            assert f"`{room}/`" in README, f"the README's layout misses {room}"


def test_a_wheel_holds_every_package_and_every_weight():
    settings = TOOLS["setuptools"]
    packages = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "keras_gen").rglob("__init__.py")
    }
    assert set(settings["packages"]) == packages | {"keras_gen._weights"}
    assert settings["package-dir"]["keras_gen._weights"] == "data/weights"
    assert {"*.keras", "*.md"} <= set(settings["package-data"]["keras_gen._weights"])
