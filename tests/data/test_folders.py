"""A folder of pictures, good and bad, and the `Images` that it becomes."""

import numpy as np
import pytest

from keras_gen.data import batches, folders, resampling
from keras_gen.data.images import Images
from tests.data.picture_files import BAD, noise, save

GOOD = noise(48, 32, seed=9)


@pytest.fixture
def mixed(tmp_path):
    """Good and bad files of every kind, in folders within folders."""
    root = tmp_path / "my pictures"
    root.mkdir()
    for name, (make, _) in BAD.items():
        make(root / name)
    save(root / "b" / "deep" / "with space.PNG", GOOD)
    save(root / "a" / "Größe ×2 日本.png", GOOD)
    save(root / "first.JPEG", noise(40, 40))
    save(root / ".hidden.png", GOOD)
    save(root / ".thumbnails" / "a.png", GOOD)
    (root / "notes.txt").write_text("no picture, and not called one")
    (root / "folder.png").mkdir()
    return root


def test_folder_reads_what_is_good_and_names_the_rest(mixed):
    images = folders.folder(mixed)
    good = ["a/Größe ×2 日本.png", "b/deep/with space.PNG", "first.JPEG"]
    assert [name.replace("\\", "/") for name in images.names] == good
    np.testing.assert_array_equal(images[0], GOOD)
    np.testing.assert_array_equal(images["b/deep/with space.PNG"], GOOD)
    assert sorted(name for name, _ in images.skipped) == sorted(BAD)
    assert all(reason for _, reason in images.skipped)
    assert images.note == ""
    weights = dict(zip(images.names, images.weights, strict=True))
    assert weights["first.JPEG"] == 40


def test_a_picture_that_breaks_later_does_no_harm(mixed):
    images = folders.folder(mixed)
    for file in mixed.rglob("*.*"):
        if file.is_file():
            file.write_bytes(b"")
    for small, large in batches.pairs(images, 8, 16, steps=2, batch_size=4):
        assert small.shape == (4, 8, 8, 3)
        assert float(large.numpy().max()) > 0


def test_folder_shows_its_progress(mixed):
    shown = []

    def progress(files):
        for file in files:
            shown.append(file.name)
            yield file

    folders.folder(mixed, progress=progress)
    assert len(shown) == 3 + len(BAD)


def test_folder_that_does_not_fit_is_reduced(tmp_path):
    for index in range(4):
        save(tmp_path / f"{index}.png", noise(80, 120, index))
    all_of_it = 4 * 80 * 120 * 3
    assert folders.folder(tmp_path, memory_limit=all_of_it).note == ""
    images = folders.folder(tmp_path, memory_limit=all_of_it - 1, shorter_side=40)
    assert [picture.shape for _, picture in images] == [(40, 60, 3)] * 4
    assert images.skipped == []
    assert "reduced to 40 pixels" in images.note
    expected = resampling.reduce(noise(80, 120, 2), (40, 60))
    np.testing.assert_array_equal(images["2.png"], expected)


def test_folder_that_does_not_even_fit_reduced_is_read_in_part(tmp_path):
    for index in range(10):
        save(tmp_path / f"{index}.png", noise(80, 120, index))
    images = folders.folder(tmp_path, memory_limit=4 * 40 * 60 * 3, shorter_side=40)
    assert len(images) == 4
    assert sum(picture.nbytes for _, picture in images) <= 4 * 40 * 60 * 3
    places = [int(name[0]) for name in images.names]
    assert max(places) - min(places) > 5, "from all over the folder, not only its beginning"
    assert [reason for _, reason in images.skipped] == ["memory is full"] * 6
    assert len(folders.folder(tmp_path, memory_limit=1)) == 1


def test_empty_missing_and_mistaken_folders(tmp_path):
    with pytest.raises(ValueError, match=r"holds no image file \(\.avif, \.bmp, "):
        folders.folder(tmp_path)
    with pytest.raises(ValueError, match="missing does not exist"):
        folders.folder(tmp_path / "missing")
    with pytest.raises(ValueError, match="the name of the folder is empty"):
        folders.folder("")
    file = save(tmp_path / "a.png", noise(8, 8))
    with pytest.raises(ValueError, match="is a file; give the folder"):
        folders.folder(file)
    file.write_text("no picture")
    with pytest.raises(ValueError, match=r"none of the 1 files in .* can be read; a\.png: it is"):
        folders.folder(tmp_path)


def test_home_directory_may_be_written_short(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save(tmp_path / "pictures" / "a.png", noise(8, 8))
    assert folders.folder("~/pictures").names == ["a.png"]


# Images ------------------------------------------------------------------------------------------


def test_pictures_smaller_than_the_crop_are_named():
    images = Images()
    for name, size in (("small", (8, 20)), ("wide", (10, 40)), ("large", (20, 20))):
        images.append(name, noise(*size), 1.0)
    kept = images.at_least((12, 16))
    assert kept.names == ["large"]
    assert kept.skipped == [
        ("small", "8×20 is smaller than the crop of 12×16"),
        ("wide", "10×40 is smaller than the crop of 12×16"),
    ]
    assert images.skipped == []
    with pytest.raises(ValueError, match=r"none of the 3 images .* 99×99 \(the largest is 20×20\)"):
        images.at_least((99, 99))


def test_split_holds_out_some_but_never_all():
    for count, held in ((1, 0), (2, 1), (9, 1), (20, 2), (200, 20)):
        images = Images()
        for index in range(count):
            images.append(str(index), noise(1, 1), index)
        train, test = images.split(0.1)
        assert (len(train), len(test)) == (count - held, held)
        assert train.names + test.names == images.names
        assert train.weights + test.weights == images.weights
