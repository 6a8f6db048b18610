"""Image files of every common kind, and what is wrong with those that cannot be read."""

import re

import numpy as np
import pytest
from PIL import Image

from keras_gen.data import image_files
from tests.data.picture_files import BAD, noise, save

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def quarters():
    """A picture of 48×32 pixels (height × width) that shows which way up it is."""
    picture = np.zeros((48, 32, 3), np.uint8)
    picture[:24, :16], picture[:24, 16:] = RED, GREEN
    picture[24:, :16], picture[24:, 16:] = BLUE, WHITE
    return picture


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
def test_exif_rotation_is_applied(tmp_path, quarters, orientation):
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


def test_damaged_exif_leaves_the_picture_intact(tmp_path, quarters):
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


def test_transparent_pixels_become_white(tmp_path, quarters):
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
def test_transparent_palette_colours_become_white(tmp_path, transparency):
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
    """Changed and truncated at random, a file gives a picture or an `UnreadableImageError`."""
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
