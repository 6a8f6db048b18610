"""Contact sheets: every picture is whole, in its place, on an even background."""

import numpy as np
import pytest

from keras_gen._util.figures import contact_sheet


@pytest.mark.parametrize(("count", "columns"), [(1, 6), (5, 2), (6, 3), (7, 7)])
@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
def test_every_picture_stands_whole_in_its_place(count, columns, channels):
    pictures = np.random.default_rng(0).integers(0, 200, (count, 5, 8, *channels), dtype=np.uint8)
    sheet = contact_sheet(pictures, columns, gap=3)
    assert sheet.dtype == np.uint8
    left = sheet.astype(int)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        place = slice(8 * row, 8 * row + 5), slice(11 * column, 11 * column + 8)
        assert np.array_equal(sheet[place], picture)
        left[place] = 255
    assert (left == 255).all()


def test_floats_stay_floats():
    sheet = contact_sheet([np.zeros((2, 2)), np.zeros((2, 2))], gap=1, background=0.5)
    assert sheet.dtype == np.float64
    assert sheet[:, 2].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("pictures", "options", "message"),
    [
        ([], {}, "received none"),
        ([np.zeros((2, 2)), np.zeros((3, 2))], {}, r"received \(2, 2\) float64, \(3, 2\) float64"),
        ([np.zeros((2, 2)), np.zeros((2, 2), np.uint8)], {}, "uint8"),
        (np.zeros(3), {}, r"received \(\) float64"),
        ([np.zeros((2, 2))], {"columns": 0}, "columns=0"),
        ([np.zeros((2, 2))], {"gap": -1}, "gap=-1"),
    ],
)
def test_what_does_not_fit_is_named(pictures, options, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(pictures, **options)
