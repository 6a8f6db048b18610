"""A damaged training directory is reported in one line, and nothing damaged is used."""

import io

import h5py
import pytest

from keras_gen.training import checkpoints
from tests.training.tiny_simple import checkpoint, stored_weights, train


@pytest.fixture
def copy(finished, tmp_path):
    directory = tmp_path / "copy"
    directory.mkdir()
    for file in finished[0].parent.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    return directory


def first_half(content):
    return content[: len(content) // 2]


def flip_a_weight(content):
    """Change one bit in the middle of a kernel, where HDF5 itself notices nothing."""
    with h5py.File(io.BytesIO(content)) as file:
        sizes = {}
        file.visititems(
            lambda name, item: (
                sizes.update({name: item.nbytes}) if isinstance(item, h5py.Dataset) else None
            )
        )
        largest = file[max(sizes, key=sizes.get)]
        place = largest.id.get_offset() + largest.nbytes // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage", [first_half, flip_a_weight, lambda content: b"", lambda content: b"garbage" * 1000]
)
def test_damaged_checkpoint_is_one_clear_line(copy, pictures, damage):
    file = checkpoint(copy)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"checkpoint\.weights\.h5 is damaged") as caught:
        train(copy, pictures, resume=True)
    assert "start again in another directory" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (checkpoints.OPTIONS, "{broken"),
        (checkpoints.HISTORY, "step,loss\n1,abc\n"),
        (checkpoints.HISTORY, "loss\n1\n"),
        (checkpoints.HISTORY, "step\n1\n1,1,1\n"),
    ],
)
def test_other_damaged_files_are_named(copy, pictures, name, content):
    (copy / name).write_text(content)
    with pytest.raises(ValueError, match=f"{name.split('.')[0]}.* is damaged"):
        train(copy, pictures, resume=True)


def test_training_resumes_without_its_history(copy, pictures, finished):
    (copy / checkpoints.HISTORY).unlink()
    path, _ = train(copy, pictures, resume=True)
    assert stored_weights(path) == stored_weights(finished[0])
    assert "nan minutes" in path.with_suffix(".md").read_text("utf-8")
