"""Stored generators are found by name; a file that holds none is reported in one line."""

import zipfile

import keras
import numpy as np
import pytest

from keras_gen.inference.stored import (
    generator_path,
    load_generator,
    stored_names,
    weights_directory,
)


@pytest.fixture(scope="module")
def small():
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, keras.layers.Conv2D(3, 3, padding="same")(inputs))


@pytest.fixture
def stored(tmp_path, monkeypatch, small):
    """A directory of weights with one generator in it."""
    small.save(tmp_path / "small.keras")
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(tmp_path))
    return tmp_path


def test_by_name_and_by_path(stored, tmp_path, small):
    assert stored_names() == ["small"]
    assert generator_path("small") == generator_path(stored / "small.keras")
    image = np.random.default_rng(0).random((1, 5, 7, 3), np.float32)
    for which in ("small", stored / "small.keras", str(stored / "small.keras")):
        np.testing.assert_array_equal(load_generator(which)(image), small(image))


def test_the_projects_own_directory_is_the_default(monkeypatch):
    monkeypatch.delenv("KERAS_GEN_WEIGHTS", raising=False)
    assert weights_directory().parts[-2:] == ("data", "weights")
    assert weights_directory().is_dir()


def test_unknown_names_are_answered_with_the_known_ones(stored):
    message = r"there are no weights 'smal'; give the path of a \.keras file, or one of: small"
    with pytest.raises(ValueError, match=message):
        generator_path("smal")
    with pytest.raises(ValueError, match="there are no weights"):
        generator_path(stored / "missing.keras")


def test_no_directory_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(tmp_path / "missing"))
    assert stored_names() == []
    with pytest.raises(ValueError, match=r"one of: none is in .*missing"):
        generator_path("small")


def other_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "no model")


def damaged(path):
    """One bit of the weights is changed; the archive's checksum shows it."""
    content = bytearray((path.parent / "small.keras").read_bytes())
    with zipfile.ZipFile(path.parent / "small.keras") as archive:
        start = archive.getinfo("model.weights.h5").header_offset
        size = archive.getinfo("model.weights.h5").compress_size
    content[start + size // 2] ^= 1
    path.write_bytes(content)


def first_half(path):
    content = (path.parent / "small.keras").read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("no archive"),
        lambda path: path.write_bytes(b""),
        lambda path: path.mkdir(),
        other_zip,
        damaged,
        first_half,
    ],
    ids=["text", "empty", "directory", "other zip", "damaged", "first half"],
)
def test_what_is_no_generator_is_one_clear_line(stored, make):
    path = stored / "bad.keras"
    make(path)
    with pytest.raises(ValueError) as caught:
        load_generator("bad")
    assert str(caught.value).startswith(f"{path} ")
    assert "\n" not in str(caught.value)


def test_code_in_a_file_is_not_run(stored):
    """Keras refuses a layer that would bring its own code, and so does `load_generator`."""
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
    model.save(stored / "code.keras")
    with pytest.raises(ValueError, match=r"code\.keras cannot be loaded as a Keras model"):
        load_generator("code")
