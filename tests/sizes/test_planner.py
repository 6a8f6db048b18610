"""Routes are built from real layers and run; their ranks, flags and errors are checked."""

import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import keras_gen as kg
from keras_gen._util.arguments import as_pair, show_size
from keras_gen.sizes import formulas, planner, ranking

# isort: split
import keras
from keras import layers

PROMISED = [
    (400, 64),
    (400, 25),
    (400, 100),
    (400, 7),
    ((300, 500), (75, 125)),
    (401, 64),
]


def build(route, kernel="zeros"):
    """Turn the stages of a route into a Keras model of one channel."""
    options = {"use_bias": False, "kernel_initializer": kernel}
    model = keras.Sequential([keras.Input((*route.source, 1))])
    for stage in route.stages:
        if stage.layer == "conv":
            layer = layers.Conv2D(1, stage.kernel_size, stage.stride, stage.padding, **options)
        elif stage.layer == "transposed_conv":
            layer = layers.Conv2DTranspose(
                1,
                stage.kernel_size,
                stage.stride,
                stage.padding,
                output_padding=stage.output_padding,
                **options,
            )
        elif stage.layer == "resize":
            layer = layers.Resizing(*stage.size_out)
        else:
            layer = layers.CenterCrop(*stage.size_out)
        model.add(layer)
    return model


def check(route, source, target):
    """A route starts and ends where it should, its stages join, and Keras runs it to the size."""
    assert (route.source, route.target) == (as_pair(source), as_pair(target))
    ends = [route.source, *(stage.size_out for stage in route.stages)]
    assert [stage.size_in for stage in route.stages] == ends[:-1]
    assert ends[-1] == route.target
    picture = np.zeros((1, *route.source, 1), "float32")
    for layer, stage in zip(build(route).layers, route.stages, strict=True):
        picture = layer(picture, training=False) if stage.layer == "crop" else layer(picture)
        assert tuple(picture.shape[1:3]) == stage.size_out, (str(route), str(stage))


# Every route is what it says ------------------------------------------------------------------


@pytest.mark.parametrize(("target", "source"), PROMISED)
def test_every_promised_route_runs_to_exactly_the_size(target, source):
    found = kg.routes(target, source=source)
    assert found
    for route in found:
        check(route, source, target)
        assert not {stage.layer for stage in route.stages} & {"resize", "crop"}


@pytest.mark.parametrize(
    ("target", "source"), [(64, 400), (400, 400), (1, 48), ((300, 400), 64), ((40, 90), (90, 40))]
)
def test_smaller_equal_and_bent_targets_have_routes_too(target, source):
    for route in kg.routes(target, source=source):
        check(route, source, target)


@pytest.mark.parametrize(("target", "source"), [(400, 64), (401, 64), ((150, 90), (40, 60))])
def test_resizing_and_cropping_are_offered_when_asked_for(target, source):
    found = kg.routes(target, source=source, allow_resize=True, allow_crop=True, count=40)
    for route in found:
        check(route, source, target)
    used = {stage.layer for route in found for stage in route.stages}
    assert {"resize", "crop"} <= used


side = st.integers(1, 90)
size = st.one_of(side, st.tuples(side, side))
limits = st.fixed_dictionaries(
    {},
    optional={
        "max_stages": st.integers(1, 6),
        "max_stride": st.integers(1, 9),
        "max_kernel": st.integers(1, 18),
        "allow_resize": st.booleans(),
        "allow_crop": st.booleans(),
    },
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(source=size, target=size, options=limits)
def test_stages_join_and_keep_the_limits(source, target, options):
    try:
        found = kg.routes(target, source=source, **options)
    except planner.NoRouteError as error:
        assert error.nearest
        assert as_pair(target) not in error.nearest
        nearest = error.nearest[0]
        assert show_size(nearest) in str(error)
        found = kg.routes(nearest, source=source, **options)
        target = nearest
    assert found[0].cost == 1
    for route in found:
        check_arithmetic(route, source, target)
        assert len(route.stages) <= options.get("max_stages", 6)
        for stage in route.stages:
            assert max(stage.stride) <= options.get("max_stride", 8)
            assert max(stage.kernel_size) <= max(options.get("max_kernel", 16), 1)
    assert found == kg.routes(target, source=source, **options)


def check_arithmetic(route, source, target):
    ends = [as_pair(source), *(stage.size_out for stage in route.stages)]
    assert [stage.size_in for stage in route.stages] == ends[:-1]
    assert ends[-1] == as_pair(target)
    for stage in route.stages:
        if stage.layer == "conv":
            reached = formulas.conv_size(
                stage.size_in, stage.kernel_size, stage.stride, padding=stage.padding
            )
        elif stage.layer == "transposed_conv":
            reached = formulas.transposed_conv_size(
                stage.size_in,
                stage.kernel_size,
                stage.stride,
                padding=stage.padding,
                output_padding=stage.output_padding,
            )
        else:
            reached = stage.size_out
        assert reached == stage.size_out


@settings(max_examples=20, deadline=None, derandomize=True)
@given(source=size, target=size, options=limits, data=st.data())
def test_any_route_runs_to_exactly_the_size(source, target, options, data):
    try:
        found = kg.routes(target, source=source, **options)
    except planner.NoRouteError:
        return
    check(data.draw(st.sampled_from(found)), source, target)


# The best comes first -------------------------------------------------------------------------


def test_best_route_from_64_to_400_never_holds_less_than_the_source():
    found = kg.routes(400, source=64)
    best = found[0]
    assert str(best) == "64 → 320 → 160 → 80 → 400"
    assert [stage.stride[0] for stage in best.stages] == [5, 2, 2, 5]
    assert all(stage.kernel_size[0] % stage.stride[0] == 0 for stage in best.stages)
    assert best.exact_scale
    assert best.cost == 1
    listed = [str(route) for route in found]
    assert "64 → 32 → 16 → 80 → 400" in listed
    assert "64 → 57 → 50 → 100 → 200 → 400" in listed
    exact = [route.exact_scale for route in found]
    assert exact == sorted(exact, reverse=True)


@pytest.mark.parametrize(
    ("target", "source", "path"),
    [
        (400, 25, "25 → 50 → 100 → 200 → 400"),
        (400, 100, "100 → 200 → 400"),
        ((300, 500), (75, 125), "75×125 → 150×250 → 300×500"),
        (64, 400, "400 → 80 → 160 → 320 → 64"),
        (400, 400, "400 → 400"),
        (800, 4, "4 → 8 → 16 → 32 → 160 → 800"),
    ],
)
def test_best_route(target, source, path):
    best = kg.routes(target, source=source)[0]
    assert str(best) == path
    assert best.exact_scale


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


def test_cost_is_the_work_relative_to_the_best():
    # 48 channels at 100, 24 at 200, and 16, the least, at 400; a kernel is applied at each input.
    twice = 100**2 * 4**2 * 48 * 24 + 200**2 * 4**2 * 24 * 16
    once = 100**2 * 8**2 * 48 * 16
    assert [route.cost for route in kg.routes(400, source=100)[:2]] == [1, once / twice]
    # And a convolution at each output: 48 channels at 400, 192, the most, at 100 and below.
    gently = 200**2 * 4**2 * 48 * 96 + 100**2 * 4**2 * 96 * 192
    at_once = 100**2 * 8**2 * 48 * 192
    assert [route.cost for route in kg.routes(100, source=400)[:2]] == [1, at_once / gently]


def test_a_latent_is_drawn_without_shrinking_it():
    for route in kg.routes(400, source=7)[:3]:
        assert all(stage.layer == "transposed_conv" for stage in route.stages)


# Checkerboards --------------------------------------------------------------------------------


def interior(stage, kernel, seed=0):
    """What a transposed convolution makes of a constant picture, away from the borders."""
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
    # The other defect does not ask for the kernel: untrained, every phase has its own gain.
    assert bool(np.ptp(interior(stage, "glorot_uniform")) > 0.01) == bool(stage.uneven_start)


def test_routes_prone_to_checkerboards_are_marked_and_rank_below_the_others():
    found = kg.routes(400, source=64)
    marked = [route.checkerboard for route in found]
    assert any(marked)
    assert marked == sorted(marked)
    for route in found:
        assert route.checkerboard == any(stage.checkerboard for stage in route.stages)
        assert route.checkerboard == route.why.startswith("Prone to checkerboards: kernel")
        assert route.uneven_start
    strided = planner.Stage("conv", (3, 3), (2, 2), "same", None, (20, 20), (10, 10))
    assert (strided.checkerboard, strided.uneven_start) == ("", "")


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
    assert "draws 320 only to shrink it to 160" in wide
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


# Limits, errors, speed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "nearest"),
    [
        ({"max_stages": 2, "max_stride": 2}, [(284, 284)]),
        ({"max_stages": 1}, [(394, 394), (442, 442)]),
        ({"max_kernel": 1}, [(64, 64)]),
    ],
)
def test_no_route_names_the_nearest_size_that_has_one(options, nearest):
    with pytest.raises(
        planner.NoRouteError, match="no route leads from 64 to 400 with at most"
    ) as no:
        kg.routes(400, source=64, **options)
    assert no.value.nearest == nearest
    named = " or ".join(str(side) for side, _ in nearest)
    assert f"the nearest with one: {named}. Ask for that, raise a limit" in str(no.value)
    assert isinstance(no.value, ValueError)
    for near in nearest:
        check(kg.routes(near, source=64, **options)[0], 64, near)
        for nearer in range(near[0], 400, 1 if near[0] < 400 else -1)[1:8]:
            with pytest.raises(planner.NoRouteError):
                kg.routes(nearer, source=64, **options)


def test_nearest_sizes_lie_on_either_side():
    with pytest.raises(planner.NoRouteError) as no:
        kg.routes(100, source=16, max_stages=1, max_kernel=8)
    below, above = sorted(no.value.nearest)
    assert below < (100, 100) < above


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": 0}, "target=0 is too small; it must be at least 1"),
        ({"target": 400.0}, "target=400.0 is not made of whole numbers"),
        ({"source": (64, 64, 3)}, "has length 3; give one whole number, or"),
        ({"max_stages": 0}, "max_stages=0 is too small"),
        ({"max_stride": None}, "max_stride=None is not made of whole numbers"),
        ({"max_kernel": -1}, "max_kernel=-1 is too small"),
        ({"count": 0}, "count=0 is too small"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        kg.routes(**arguments)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fewer_routes_are_listed_when_asked_for(count):
    found = kg.routes(400, source=64, count=count)
    assert 1 <= len(found) <= count
    assert str(found[0]) == "64 → 320 → 160 → 80 → 400"


def test_every_size_up_to_a_few_thousand_has_a_route_in_a_moment():
    generator = np.random.default_rng(0)
    started = time.process_time()
    for source, target in zip(*generator.integers(1, 4000, (2, 15)).tolist(), strict=True):
        check_arithmetic(kg.routes(target, source=source)[0], source, target)
    assert (time.process_time() - started) / 15 < 0.5


def test_prime_factors():
    for number in range(1, 200):
        factors = ranking.prime_factors(number)
        assert np.prod(factors, initial=1) == number
        assert all(all(factor % other for other in range(2, factor)) for factor in factors)
