"""Help, sizes, unknown commands; terminals and pipes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = [["check"], ["tour"], ["sizes"], ["inspect"], ["compare"], ["generate"], ["train"]]
COMMANDS += [[], ["train", "simple"], ["train", "unet"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_explains_every_option(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    code, lines, errors = run(*command, "--help")
    assert (code, errors) == (0, "")
    text = "\n".join(lines)
    assert "Usage: " in text
    described = [line for line in lines if re.match(r"│ [ *]{0,4}--\w", line)]
    assert described
    for line in described:
        words = re.sub(r"--[\w-]+|<\w+>|\[.*?\]|[A-Z]{2,}|\bN\b", "", line).strip("│ *")
        assert len(words) > 8, f"no explanation: {line}"


@pytest.mark.parametrize("command", [[], ["train"]])
def test_without_a_command_help_is_shown(run, command):
    code, lines, errors = run(*command)
    assert (code, errors) == (2, "")
    assert any("Usage: " in line for line in lines)


def test_help_lists_all_commands(run):
    text = "\n".join(run("--help")[1])
    for command in ("check", "tour", "sizes", "inspect", "generate", "train"):
        assert re.search(rf"│ {command} +[A-Z]", text)


def test_sizes_prints_the_routes(run):
    code, lines, errors = run("sizes", "400", "--from", "100")
    assert (code, errors) == (0, "")
    assert any(re.match(r" *1 +100 → 200 → 400 ", line) for line in lines)
    reasons = [line for line in lines if re.match(r"\d+\. \w", line)]
    assert len(reasons) > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["abc"], "cannot read the size 'abc'; write 400, or height and width like 300x500"),
        (["0"], "has no pixels"),
        (["400", "--from", "64x"], "cannot read the size '64x'"),
        (["4e2"], "cannot read the size '4e2'"),
        (["400x300x200"], "cannot read the size"),
        (["999999999"], "a side of 999999999 pixels is too large; give at most 65536"),
        (["400", "--max-stages", "0"], "Invalid value for '--max-stages'"),
        (["400", "--count", "many"], "Invalid value for '--count'"),
        (["--magic"], "No such option: --magic"),
        (["400", "300"], "unexpected extra argument"),
        (["401", "--from", "64", "--max-stages", "1"], "no route leads from 64 to 401"),
    ],
)
def test_sizes_that_make_no_sense(fails, arguments, message):
    assert message in fails("sizes", *arguments)


def test_unknown_commands(fails):
    assert "No such command 'frobnicate'" in fails("frobnicate")
    assert "No such command 'frobnicate'" in fails("train", "frobnicate")


def test_signs_that_this_terminal_cannot_show():
    finished = subprocess.run(
        [sys.executable, "-m", "keras_gen", "sizes", "400", "--from", "100"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "100 ? 200 ? 400" in finished.stdout


def piped(command):
    return subprocess.run(
        ["sh", "-c", command.replace("keras-gen", f'"{sys.executable}" -m keras_gen')],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_pipe_that_is_closed_early():
    finished = piped("keras-gen sizes 400 | true; keras-gen sizes 400 --from 100 | head -n 1")
    assert finished.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_errors_go_to_stderr_on_one_line_however_long():
    finished = piped(f"keras-gen sizes 400 --from {'z' * 300}; echo code $?")
    assert finished.stdout == "code 2\n"
    assert finished.stderr.count("\n") == 1
    assert "z" * 300 in finished.stderr


def test_rows_are_not_broken_in_a_pipe(run):
    _, lines, _ = run("sizes", "300x500", "--from", "75x125", "--count", "20")
    assert max(map(len, lines)) > 100, "the terminal's 80 columns do not count in a pipe"


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    "command",
    ["check", "inspect simple_64to400_photos", "generate gan_hubble --count 1 --out"],
    ids=lambda command: command.split()[0],
)
def test_nothing_of_tensorflow_is_printed(command, tmp_path):
    """Its start-up lines are printed once a process, so each command needs a process of its own."""
    finished = piped(f"keras-gen {command}" + (f" '{tmp_path}'" if "--out" in command else ""))
    lines = finished.stderr.splitlines()
    assert [line for line in lines if not line.startswith("error: not ready yet")] == []
