"""Files are written whole or not at all, and only where that is possible."""

import os
from pathlib import Path

import pytest

from keras_gen._util import files


def test_atomic_write_is_all_or_nothing(tmp_path):
    file = tmp_path / "deep" / "a.weights.h5"
    files.atomic_write(file, lambda path: Path(path).write_text("first"))
    names = []

    def fail(path):
        names.append(Path(path).name)
        Path(path).write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        files.atomic_write(file, fail)
    assert file.read_text() == "first"
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert names[0].endswith(".weights.h5"), "Keras chooses the format by the ending"


def test_directories_that_cannot_be_used(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for place in (file, file / "deeper"):
        with pytest.raises(ValueError, match="file is not a directory; choose another place"):
            files.check_writable(place)
    files.check_writable(tmp_path / "new" / "newer")
    assert not (tmp_path / "new").exists(), "asking makes nothing"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_directory_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="must not be written to"):
        files.check_writable(tmp_path / "new")
    tmp_path.chmod(0o700)
