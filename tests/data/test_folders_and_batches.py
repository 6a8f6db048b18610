"""Photographs, folders of every kind of picture, and pairs whose order can be resumed."""

import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import batches, bundled, folders, image_files, resampling
from keras_gen.data.images import Images

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(scope="module")
def training_photographs():
    return bundled.photographs("train")


@pytest.fixture
def quarters():
    """A picture of 48×32 pixels (height × width) that shows which way up it is."""
    picture = np.zeros((48, 32, 3), np.uint8)
    picture[:24, :16], picture[:24, 16:] = RED, GREEN
    picture[24:, :16], picture[24:, 16:] = BLUE, WHITE
    return picture


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, picture, **settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **settings)
    return path


# The bundled photographs ------------------------------------------------------------------------


def test_split_is_fixed_and_disjoint(training_photographs):
    test = bundled.photographs("test")
    assert test.names == ["chelsea", "coffee"]
    assert set(training_photographs.names).isdisjoint(test.names)
    assert training_photographs.names == bundled.photographs("train").names
    assert len(training_photographs) + len(test) == len(bundled.PHOTOGRAPHS)


def test_no_part_of_a_held_out_photograph_is_trained_on(training_photographs):
    """By content, not by name: no training picture holds a held-out one's middle."""
    for _, held_out in bundled.photographs("test"):
        row, column = (side // 2 for side in held_out.shape[:2])
        patch = held_out[row : row + 2, column : column + 8]
        for name, picture in training_photographs:
            windows = np.lib.stride_tricks.sliding_window_view(picture, patch.shape)
            assert not (windows == patch).all(axis=(-3, -2, -1)).any(), name


def test_pictures_are_the_files_that_are_installed(training_photographs):
    from skimage import data

    assert (training_photographs["astronaut"] == data.astronaut()).all()
    assert (bundled.photographs("test")["coffee"] == data.coffee()).all()
    grey = training_photographs["camera"]
    assert (grey == data.camera()[..., None]).all()
    hubble = training_photographs["hubble"]
    assert hubble.shape == (872, 600, 3)
    assert (hubble == data.hubble_deep_field()[:, :600]).all()
    unseen = bundled.held_out_sky()[0]
    assert (np.hstack([hubble, unseen]) == data.hubble_deep_field()).all()


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split 'validation' is unknown; choose 'train' or 'test'"):
        bundled.photographs("validation")


def test_every_photograph_has_a_credit():
    assert all(photograph.credit for photograph in bundled.PHOTOGRAPHS.values())


def test_drawings_get_their_share_of_the_crops(training_photographs):
    asked = []

    def progress(orders):
        asked.extend(orders)
        yield from orders

    images = bundled.with_synthetic_images(
        training_photographs, leaves=2, pages=1, progress=progress
    )
    assert images.names[-3:] == ["leaves_0", "leaves_1", "page_0"]
    assert len(asked) == 3
    share = np.array(images.weights) / np.sum(images.weights)
    np.testing.assert_allclose(share[-3:], [0.15, 0.15, 0.1])
    assert len(training_photographs) == len(images) - 3


# One picture of every kind -----------------------------------------------------------------------


def test_common_kinds_are_read_as_they_are(tmp_path, quarters):
    for ending in ("png", "bmp", "tif", "gif", "ppm", "tga"):
        path = save(tmp_path / f"picture.{ending}", quarters)
        np.testing.assert_array_equal(image_files.read_image(path), quarters, err_msg=ending)
    lossless = save(tmp_path / "picture.webp", quarters, lossless=True)
    np.testing.assert_array_equal(image_files.read_image(lossless), quarters)


def test_jpeg_is_read_nearly_as_it_was(tmp_path, quarters):
    pixels = image_files.read_image(save(tmp_path / "a.jpg", quarters, quality=95, subsampling=0))
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - quarters).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_carried_out(tmp_path, quarters, orientation):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = Image.fromarray(quarters)
    if orientation in undo:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(image_files.read_image(tmp_path / "a.png"), quarters)


def test_damaged_exif_does_not_spoil_the_picture(tmp_path, quarters):
    path = save(tmp_path / "a.png", quarters, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(image_files.read_image(path), quarters)


def test_sixteen_bit_grey_keeps_its_upper_bits(tmp_path):
    values = np.array([[0, 257, 32896, 65535], [128, 129, 200, 51400]], np.uint16)
    for ending in ("tif", "png"):
        save(tmp_path / f"a.{ending}", values)
        pixels = image_files.read_image(tmp_path / f"a.{ending}")
        expected = [[0, 1, 128, 255], [0, 1, 1, 200]]  # 65535 / 255 = 257 steps to one
        for channel in range(3):
            np.testing.assert_array_equal(pixels[..., channel], expected)


def test_a_dark_sixteen_bit_picture_stays_dark(tmp_path):
    """Its greatest value fits into 8 bits, but it is not an 8-bit picture."""
    path = save(tmp_path / "night.tif", np.full((4, 4), 250, np.uint16))
    assert image_files.read_image(path).max() == 1


def test_floating_point_and_signed_pictures(tmp_path):
    unit = save(tmp_path / "unit.tif", np.array([[0, 0.5, 1]], np.float32))
    assert image_files.read_image(unit)[0, :, 0].tolist() == [0, 128, 255]
    heights = save(tmp_path / "heights.tif", np.array([[-100, 0, 100]], np.float32))
    assert image_files.read_image(heights)[0, :, 0].tolist() == [0, 128, 255]
    whole = save(tmp_path / "whole.tif", np.array([[0, 1000, 65535]], np.int32))
    assert image_files.read_image(whole)[0, :, 0].tolist() == [0, 4, 255]
    holes = save(tmp_path / "holes.tif", np.array([[0, np.nan, 1]], np.float32))
    with pytest.raises(image_files.UnreadableImageError, match="not numbers"):
        image_files.read_image(holes)


def test_cmyk_jpeg_becomes_rgb(tmp_path):
    inks = np.zeros((32, 64, 4), np.uint8)
    inks[:, :32] = (0, 255, 255, 0)  # magenta and yellow make red
    inks[:, 32:] = (255, 0, 255, 0)  # cyan and yellow make green
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.jpg", quality=100)
    pixels = image_files.read_image(tmp_path / "a.jpg").astype(int)
    assert np.abs(pixels[8:24, 8:24] - RED).max() < 8
    assert np.abs(pixels[8:24, 40:56] - GREEN).max() < 8


def test_transparency_is_laid_on_white(tmp_path, quarters):
    alpha = np.zeros((48, 32), np.uint8)
    alpha[:, :16], alpha[24:, 16:] = 255, 128
    save(tmp_path / "a.png", np.dstack([quarters, alpha]))
    pixels = image_files.read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels[:, :16], quarters[:, :16])
    assert (pixels[:24, 16:] == WHITE).all(), "where it is transparent, white shows"

    half_black = np.dstack([np.zeros((4, 4), np.uint8), np.full((4, 4), 128, np.uint8)])
    Image.fromarray(half_black, "LA").save(tmp_path / "la.png")
    assert (image_files.read_image(tmp_path / "la.png") == 127).all()


@pytest.mark.parametrize("transparency", [1, b"\xff\x00"])
def test_palette_with_transparency_is_laid_on_white(tmp_path, transparency):
    image = Image.new("P", (4, 4))
    image.putpalette([*RED, *GREEN])
    image.paste(1, (2, 0, 4, 4))
    image.save(tmp_path / "a.png", transparency=transparency)
    pixels = image_files.read_image(tmp_path / "a.png")
    assert (pixels[:, :2] == RED).all()
    assert (pixels[:, 2:] == WHITE).all()


def test_one_colour_of_an_rgb_or_grey_picture_may_be_transparent(tmp_path):
    Image.new("RGB", (2, 2), RED).save(tmp_path / "rgb.png", transparency=RED)
    Image.new("L", (2, 2), 7).save(tmp_path / "grey.png", transparency=7)
    assert (image_files.read_image(tmp_path / "rgb.png") == WHITE).all()
    assert (image_files.read_image(tmp_path / "grey.png") == WHITE).all()


def test_one_bit_is_black_and_white(tmp_path):
    bits = np.array([[True, False], [False, True]])
    for ending in ("png", "tif", "pbm"):
        Image.fromarray(bits).save(tmp_path / f"a.{ending}")
        pixels = image_files.read_image(tmp_path / f"a.{ending}")
        assert pixels[..., 0].tolist() == [[255, 0], [0, 255]], ending


def test_of_an_animation_the_first_picture_is_read(tmp_path):
    frames = [Image.new("RGB", (8, 6), colour) for colour in (GREEN, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 2
    pixels = image_files.read_image(tmp_path / "a.gif")
    assert pixels.shape == (6, 8, 3)
    assert (pixels == GREEN).all()


# What cannot be read -----------------------------------------------------------------------------


def truncated_jpeg(path):
    save(path, noise(64, 64))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def damaged_png(path):
    save(path, noise(64, 64))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def enormous_png(path):
    """A header that promises 100,000×100,000 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for chunk in (b"IHDR" + header, b"IDAT" + zlib.compress(b"")):
        content += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(content)


BAD = {
    "cut.jpg": (truncated_jpeg, "truncated"),
    "damaged.png": (damaged_png, "."),
    "text.png": (lambda path: path.write_text("not a picture\n"), "empty, damaged, or no image"),
    "zero.jpg": (lambda path: path.write_bytes(b""), "empty, damaged, or no image"),
    "phone.heic": (lambda path: path.write_bytes(b"\0\0\0\x18ftypheic"), "save it as JPEG or PNG"),
    "enormous.png": (enormous_png, "million pixels"),
    "broken link.png": (lambda path: path.symlink_to("nowhere.png"), "no such file"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_says_why(tmp_path, name):
    make, reason = BAD[name]
    make(tmp_path / name)
    with pytest.raises(image_files.UnreadableImageError) as caught:
        image_files.read_image(tmp_path / name)
    assert isinstance(caught.value, ValueError)
    assert str(tmp_path / name) in str(caught.value)
    assert re.search(reason, caught.value.reason)
    assert "\n" not in caught.value.reason


def test_random_damage_is_never_another_exception(tmp_path, quarters):
    """Bytes of good files are changed and cut at random: a picture comes back, or the one error."""
    rng = np.random.default_rng(0)
    picture = noise(24, 24)
    read = {True: 0, False: 0}
    for ending in ("png", "jpg", "gif", "tif", "bmp", "webp", "tga", "ppm"):
        content = save(tmp_path / f"good.{ending}", picture).read_bytes()
        for _ in range(25):
            bad = np.frombuffer(content, np.uint8).copy()
            bad[rng.integers(0, min(len(bad), 200), 6)] = rng.integers(0, 256, 6)
            path = tmp_path / f"bad.{ending}"
            path.write_bytes(bad[: rng.integers(1, len(bad) + 1)].tobytes())
            try:
                pixels = image_files.read_image(path)
                assert pixels.dtype == np.uint8
                assert pixels.shape[2] == 3
                read[True] += 1
            except image_files.UnreadableImageError:
                read[False] += 1
    assert read[False] > 50


# A folder ----------------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path, quarters):
    """Good and bad files of every kind, in folders within folders."""
    root = tmp_path / "my pictures"
    root.mkdir()
    for name, (make, _) in BAD.items():
        make(root / name)
    save(root / "b" / "deep" / "with space.PNG", quarters)
    save(root / "a" / "Größe ×2 日本.png", quarters)
    save(root / "first.JPEG", noise(40, 40))
    save(root / ".hidden.png", quarters)
    save(root / ".thumbnails" / "a.png", quarters)
    (root / "notes.txt").write_text("no picture, and not called one")
    (root / "folder.png").mkdir()
    return root


def test_folder_reads_what_is_good_and_names_the_rest(mixed, quarters):
    images = folders.folder(mixed)
    good = ["a/Größe ×2 日本.png", "b/deep/with space.PNG", "first.JPEG"]
    assert [name.replace("\\", "/") for name in images.names] == good
    np.testing.assert_array_equal(images[0], quarters)
    np.testing.assert_array_equal(images["b/deep/with space.PNG"], quarters)
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
    seen = []

    def progress(files):
        for file in files:
            seen.append(file.name)
            yield file

    folders.folder(mixed, progress=progress)
    assert len(seen) == 3 + len(BAD)


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


# Pairs -------------------------------------------------------------------------------------------


def pair_batches(*arguments, **settings):
    dataset = batches.pairs(*arguments, **settings)
    return [(small.numpy(), large.numpy()) for small, large in dataset]


@pytest.fixture(scope="module")
def two():
    images = Images()
    images.append("one", noise(50, 70, 1), 3.0)
    images.append("two", noise(64, 48, 2), 1.0)
    return images


def test_batch_n_depends_on_seed_and_n_alone(two):
    whole = pair_batches(two, 8, 32, steps=6, batch_size=3, seed=5)
    assert len(whole) == 6
    for first in (1, 4):
        for resumed, expected in zip(
            pair_batches(two, 8, 32, steps=6, first_step=first, batch_size=3, seed=5),
            whole[first:],
            strict=True,
        ):
            np.testing.assert_array_equal(resumed[0], expected[0])
            np.testing.assert_array_equal(resumed[1], expected[1])
    other = pair_batches(two, 8, 32, steps=6, batch_size=3, seed=6)
    assert not any((a[1] == b[1]).all() for a, b in zip(whole, other, strict=True))
    larges = [large.tobytes() for _, large in whole]
    assert len(set(larges)) == 6, "no batch comes twice"


@pytest.mark.parametrize(
    ("low", "high"), [(8, 32), ((6, 10), (30, 50)), (16, 25)], ids=["x4", "wide", "fraction"]
)
def test_small_image_is_pillows_bicubic_reduction_in_8_bits(two, low, high):
    for small, large in pair_batches(two, low, high, steps=3, batch_size=4):
        assert small.dtype == large.dtype == np.float32
        for image in (small, large):
            assert image.min() >= 0
            assert image.max() <= 1
            np.testing.assert_array_equal(image * 255, np.round(image * 255))
        for given, reference in zip(small, large, strict=True):
            picture = Image.fromarray(np.round(reference * 255).astype(np.uint8))
            reduced = picture.resize(given.shape[1::-1], Image.Resampling.BICUBIC)
            np.testing.assert_array_equal(np.round(given * 255), np.asarray(reduced))


def test_without_augmentation_large_images_are_parts_of_the_pictures(two):
    places = set()
    for _, large in pair_batches(two, 8, 32, steps=4, batch_size=8, augment=False):
        for image in np.round(large * 255).astype(np.uint8):
            found = []
            for name, picture in two:
                windows = np.lib.stride_tricks.sliding_window_view(picture, image.shape)
                found += [
                    (name, *place)
                    for place in np.argwhere((windows == image).all(axis=(-3, -2, -1))[..., 0])
                ]
            assert len(found) == 1
            places.add(tuple(map(str, found[0])))
    assert len(places) > 25, "crops come from all over"


def test_heavier_pictures_are_drawn_from_more_often():
    images = Images()
    images.append("black", np.zeros((16, 16, 3), np.uint8), 3.0)
    images.append("white", np.full((16, 16, 3), 255, np.uint8), 1.0)
    ((_, large),) = pair_batches(images, 4, 16, steps=1, batch_size=2000)
    share = float(np.mean(large))
    assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 2000)


def test_augmentation_turns_flips_and_exchanges_colours():
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[0, :, 0] = 255  # one red edge, on top
    images = Images()
    images.append("edge", picture, 1.0)
    ((_, large),) = pair_batches(images, 8, 32, steps=1, batch_size=200)
    edges, colours = set(), set()
    for image in large:
        bright = {
            "top": image[0].sum(),
            "bottom": image[-1].sum(),
            "left": image[:, 0].sum(),
            "right": image[:, -1].sum(),
        }
        edges.add(max(bright, key=bright.get))
        colours.add(int(image.sum(axis=(0, 1)).argmax()))
    assert edges == {"top", "bottom", "left", "right"}
    assert colours == {0, 1, 2}


def test_pairs_of_pictures_that_are_all_too_small(two):
    with pytest.raises(ValueError, match=r"crop of 300×300 \(the largest is 50×70\)"):
        batches.pairs(two, 75, 300, steps=1)


def test_reduce_refuses_what_is_no_8_bit_picture():
    with pytest.raises(ValueError, match=r"float64 and shape \(4, 4, 3\) was given; uint8"):
        resampling.reduce(np.zeros((4, 4, 3)), 2)
    with pytest.raises(ValueError, match=r"shape \(4, 4\)"):
        resampling.reduce(np.zeros((4, 4), np.uint8), 2)
