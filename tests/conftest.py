"""What the tests of several files use."""

import sys

import pytest


@pytest.fixture
def run(monkeypatch, capfd):
    """Run a command in this process: exit code, lines of stdout, stderr."""
    from keras_gen.cli import main

    def run(*arguments):
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["keras-gen", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main.main()
        shown, errors = capfd.readouterr()
        return stop.value.code, shown.splitlines(), errors

    return run


@pytest.fixture
def fails(run):
    """Run a command that must fail in one line on stderr, and give that line."""

    def fails(*arguments, code=2):
        found, _, errors = run(*arguments)
        assert found == code, errors
        assert errors.count("\n") == 1, errors
        assert errors.startswith("error: ")
        return errors.removeprefix("error: ").rstrip("\n")

    return fails
