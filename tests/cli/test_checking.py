"""`check` says whether this machine is ready, and what to do where it is not."""

import re
import sys

from keras_gen.cli import checking


def test_check_says_ready(run, weights):
    code, lines, errors = run("check")
    text = "\n".join(lines)
    for question in ("Python", "memory", "free disk here", "JupyterLab", "libraries", "oneDNN"):
        assert re.search(rf"^ *ok +{question} ", text, re.M), text
    assert re.search(r"ok +simple_64to400_photos generates +400×400 in \d+\.\d\d s", text)
    assert (code, errors) == (0, "")
    assert lines[-1] == "ready: jupyter lab notebooks/00_start_here.ipynb"


def test_check_says_what_is_missing_and_what_to_do(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setattr(checking, "LEAST_MEMORY", 2**60)
    monkeypatch.setattr(checking, "LEAST_DISK", 2**60)
    monkeypatch.setattr(checking.importlib.util, "find_spec", lambda name: None)
    code, lines, errors = run("check")
    text = "\n".join(lines)
    assert code == 2
    missing = "memory, free disk here, JupyterLab, oneDNN, trained weights"
    assert errors == f"error: not ready yet: {missing}\n"
    for advice in ("close other programs", "free a gigabyte", "pip install", "unset", "run from"):
        assert f"→ {advice}" in text
    assert re.search(rf"no +trained weights +none in {re.escape(str(tmp_path))}", text)
    assert "ready:" not in text


def test_check_names_damaged_weights(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(tmp_path))
    (tmp_path / "a.keras").write_text("no archive")
    code, lines, errors = run("check")
    assert (code, errors) == (2, "error: not ready yet: a generates\n")
    assert re.search(r"no +a generates .*a\.keras is not a \.keras file", "\n".join(lines))


def test_check_gets_over_libraries_that_do_not_import(run, monkeypatch):
    for name in ("keras", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)
    code, lines, errors = run("check")
    assert (code, errors) == (2, "error: not ready yet: libraries\n")
    assert re.search(r"no +libraries +import of keras halted.*→ pip install", "\n".join(lines))
