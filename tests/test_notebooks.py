"""The notebooks' stored outputs are real, complete and compared. (`pytest` runs nbval on them.)"""

import copy
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))

TINY = nbformat.v4.new_notebook(
    cells=[
        nbformat.v4.new_code_cell(
            "print(2 * 200)",
            execution_count=1,
            outputs=[nbformat.v4.new_output("stream", name="stdout", text="400\n")],
        )
    ],
    metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def faults(notebook):
    """What keeps a notebook's stored outputs from being those of one run from top to bottom."""
    cells = code_cells(notebook)
    found = []
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        found.append(f"not executed once from top to bottom: {counts}")
    for cell in cells:
        if re.search(r"^print\(|^plt\.show|^kg\.show", cell.source, re.M) and not cell.outputs:
            found.append(f"prints or shows, but stores no output: {cell.source[:60]!r}")
        expected = "raises-exception" in cell.metadata.get("tags", [])
        for output in cell.outputs:
            if output.output_type == "error" and not expected:
                found.append(f"a stored output is an error: {output.ename}")
            if output.get("name") == "stderr":
                found.append(f"stderr is stored: {output.text[:60]!r}")
    return found


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_there_are_notebooks():
    assert {path.name[:2] for path in NOTEBOOKS} >= {"00", "01", "05"}


def test_was_executed_once_from_top_to_bottom(notebook):
    assert faults(notebook) == []


def test_nbval_is_not_told_to_look_away(notebook):
    tags = {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])}
    assert not tags & {"nbval-skip", "skip"}
    ignoring = [
        c for c in code_cells(notebook) if "nbval-ignore-output" in c.metadata.get("tags", [])
    ]
    assert len(ignoring) <= 2, "too many outputs are not compared"


def test_reads_as_a_chapter(notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for heading in ("You will learn", "Before you start", "Summary", "Exercises", "References"):
        assert heading in text, f"the heading {heading!r} is missing"
    assert len(text.split()) <= 2200
    assert max(len(cell.source.splitlines()) for cell in code_cells(notebook)) <= 30


def test_needs_nothing_from_outside(notebook):
    code = "\n".join(cell.source for cell in code_cells(notebook))
    assert not re.search(
        r"^\s*[!%]|https?://|urlopen|requests|(?<!\w)/(home|root|Users)/", code, re.M
    )


def test_figures_are_described(notebook):
    """Each picture carries a description for readers who cannot see it."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for kind in {"image/png", "image/jpeg"} & set(output.get("data", {})):
                described = output.metadata.get(kind, {}).get("alt", "")
                assert len(described) > 20, f"no description: {cell.source[:60]!r}"


def test_is_finished(notebook):
    """No place is left that was to be filled in from an output."""
    sources = "\n".join(cell.source for cell in notebook.cells)
    assert not re.search(r"@[A-Z_0-9]{2,}@|TODO|FIXME", sources)


def test_is_small_enough(notebook):
    assert len(nbformat.writes(notebook)) < 1_500_000


def compared(notebook, directory):
    """Run the project's comparison on one notebook; give pytest's exit code."""
    path = directory / "copy.ipynb"
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml")]
    command += ["--rootdir", str(directory), "-p", "no:cacheprovider", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)


def test_an_honest_notebook_passes(tmp_path):
    assert faults(TINY) == []
    result = compared(TINY, tmp_path)
    assert result.returncode == 0, result.stdout


def test_a_changed_number_fails(tmp_path):
    changed = copy.deepcopy(TINY)
    changed.cells[0].outputs[0].text = "401\n"
    result = compared(changed, tmp_path)
    assert result.returncode == 1
    assert "401" in result.stdout and "400" in result.stdout


def test_a_notebook_not_executed_in_order_fails():
    unexecuted = copy.deepcopy(TINY)
    unexecuted.cells[0].execution_count, unexecuted.cells[0].outputs = None, []
    assert any("not executed" in fault for fault in faults(unexecuted))
    assert any("stores no output" in fault for fault in faults(unexecuted))
    twice = copy.deepcopy(TINY)
    twice.cells[0].execution_count = 2
    assert any("not executed" in fault for fault in faults(twice))
