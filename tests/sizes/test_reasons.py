"""What a route says of itself is true: where pixels are, checkerboards, reasons, text."""

import numpy as np
import pytest

import keras_gen as kg
from keras_gen._util.arguments import as_pair
from keras_gen.sizes import formulas, planner
from tests.sizes.routes_in_keras import PROMISED, build

# isort: split
import keras
from keras import layers

# Where pixels are -----------------------------------------------------------------------------


def place_of_each_pixel(route):
    """Where along the width each output pixel looks, if every kernel averages what it sees."""
    model = build(route, kernel="ones")
    columns = np.arange(route.source[1], dtype="float32")
    ramp = np.broadcast_to(columns[None, None, :, None], (1, *route.source, 1)).copy()
    weighed, weights = (np.asarray(model(x)) for x in (ramp, np.ones_like(ramp)))
    middle = route.target[0] // 2
    return weighed[0, middle, :, 0] / weights[0, middle, :, 0]


@pytest.mark.parametrize(("target", "source"), PROMISED)
def test_pixels_are_where_the_route_says(target, source):
    for route in kg.routes(target, source=source):
        places, width = place_of_each_pixel(route), route.target[1]
        # Source pixels for one output pixel, over the middle, where no border disturbs it.
        inner = np.arange(width // 4, width - width // 4)
        step, _ = np.polyfit(inner, places[inner], 1)
        shown = width * step
        if route.exact_scale:
            assert shown == pytest.approx(route.source[1], rel=0.01), str(route)
        elif "at each border" in route.why:
            moved = float(route.why.split(" source pixels")[0].split()[-1])
            sign = 1 if "invents" in route.why else -1
            assert shown == pytest.approx(route.source[1] + 2 * sign * moved, rel=0.01), str(route)
        elif "moves by more than" in route.why:
            moved = float(route.why.split(" source pixels")[0].split()[-1])
            assert abs(shown - route.source[1]) / 2 == pytest.approx(moved, abs=0.2), str(route)
        # However it scales, the middle of the source stays in the middle.
        middle = np.interp((width - 1) / 2, np.arange(width), places)
        assert middle == pytest.approx((route.source[1] - 1) / 2, abs=0.51), str(route)


# Checkerboards --------------------------------------------------------------------------------


def interior(stage, kernel, seed=0):
    """What a transposed convolution makes of a constant image, away from the borders."""
    keras.utils.set_random_seed(seed)
    layer = layers.Conv2DTranspose(
        1, stage.kernel_size, stage.stride, "valid", use_bias=False, kernel_initializer=kernel
    )
    rows, columns = stage.kernel_size
    return np.asarray(layer(np.ones((1, 20, 20, 1), "float32")))[0, rows:-rows, columns:-columns, 0]


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6, (4, 3), (3, 4), (4, 6)])
@pytest.mark.parametrize("stride", [1, 2, 3, (2, 1), (1, 3)])
def test_checkerboards_are_marked_where_the_overlap_is_uneven(kernel, stride):
    kernel, stride = as_pair(kernel), as_pair(stride)
    if any(k < s for k, s in zip(kernel, stride, strict=True)):
        return
    out = formulas.transposed_conv_size((20, 20), kernel, stride)
    stage = planner.Stage("transposed_conv", kernel, stride, "same", None, (20, 20), out)
    assert bool(np.ptp(interior(stage, "ones"))) == bool(stage.checkerboard)
    # The other defect does not depend on the kernel: untrained, every phase has its own gain.
    assert (np.ptp(interior(stage, "glorot_uniform")) > 0.01) == stage.uneven_initialization


def test_routes_prone_to_checkerboards_are_marked_and_rank_below_the_others():
    found = kg.routes(400, source=64)
    marked = [route.checkerboard for route in found]
    assert any(marked)
    assert marked == sorted(marked)
    for route in found:
        assert route.checkerboard == any(stage.checkerboard for stage in route.stages)
        assert route.checkerboard == route.why.startswith("Prone to checkerboards: kernel")
        assert route.uneven_initialization
    strided = planner.Stage("conv", (3, 3), (2, 2), "same", None, (20, 20), (10, 10))
    assert (strided.checkerboard, strided.uneven_initialization) == ("", False)


# What is said about them ----------------------------------------------------------------------


def test_reasons_are_one_sentence_and_say_what_ranks_a_route():
    reasons = {}
    for target, source in [*PROMISED, (64, 400), (400, 400), (96, 31), (200, 12)]:
        for route in kg.routes(target, source=source):
            reasons[str(route)] = route.why
            assert route.why.endswith(".")
            assert route.why[0].isupper()
            assert ". " not in route.why
    narrow, wide = reasons["64 → 32 → 16 → 80 → 400"], reasons["64 → 320 → 160 → 80 → 400"]
    assert narrow.startswith("Exact: ÷2 ÷2 ×5 ×5 is ×25/4, every pixel keeps its place")
    assert "has to pass through 16" in narrow and "pass through" not in wide
    assert "generates 320 only to shrink it to 160" in wide
    assert "it loses 7.00 source pixels" in reasons["64 → 57 → 50 → 100 → 200 → 400"]
    assert "takes 4 in one step, not 2 × 2" in reasons["64 → 16 → 80 → 400"]
    assert reasons["400 → 400"].startswith("Exact: the size is the one asked for")


def test_detail_is_lost_only_where_nothing_else_is_possible():
    squeezed = kg.routes(95, source=79, max_stages=2)
    assert str(squeezed[0]) == "79 → 16 → 95"
    assert squeezed[0].why.startswith("Loses detail: all of it has to pass through 16")
    roomy = kg.routes(95, source=79)
    assert not any(route.why.startswith("Loses detail") for route in roomy)


def test_routes_and_stages_print_readably():
    first, *_, last = kg.routes((300, 500), source=(75, 125))
    assert str(first) == "75×125 → 150×250 → 300×500"
    assert repr(first) == "<Route 75×125 → 150×250 → 300×500, cost 1.00>"
    assert str(last) != str(first)
    texts = {
        str(stage)
        for target, source in [(400, 64), (401, 64), ((150, 90), (40, 60))]
        for allow in [False, True]
        for route in kg.routes(target, source=source, allow_resize=allow, allow_crop=allow)
        for stage in route.stages
    }
    assert {"conv 4, stride 2", "transposed conv 10, stride 5", "conv 8, valid"} <= texts
    assert {"transposed conv 10, stride 5, output padding 1", "resize to 400"} <= texts
    assert "crop to 400" in texts


def test_rows_make_a_table():
    found = kg.routes(401, source=64, allow_resize=True, allow_crop=True)
    header, *rows = planner.route_rows(found)
    assert [len(row) for row in rows] == [len(header)] * len(found)
    assert all(isinstance(cell, str) for row in rows for cell in row)
    assert [row[0] for row in rows] == [str(number + 1) for number in range(len(found))]
    assert [row[-1] for row in rows] == [route.why for route in found]
    layers_column = "; ".join(row[2] for row in rows)
    assert "×2 k4, ×2 k4, resize" in layers_column
    assert "transposed k4 valid, ×3 k6, ×2 k4 p1" in layers_column
    assert {row[4] for row in planner.route_rows(kg.routes(400, source=64))[1:]} == {
        "at the start",
        "uneven overlap",
    }
