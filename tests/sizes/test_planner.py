"""Routes are built from real layers and run; their ranks, limits and errors are checked."""

import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import keras_gen as kg
from keras_gen._util.arguments import as_pair, show_size
from keras_gen.sizes import formulas, planner, ranking
from tests.sizes.routes_in_keras import PROMISED, build


def check(route, source, target):
    """A route starts and ends where it should, its stages join, and Keras runs it to the size."""
    assert (route.source, route.target) == (as_pair(source), as_pair(target))
    ends = [route.source, *(stage.size_out for stage in route.stages)]
    assert [stage.size_in for stage in route.stages] == ends[:-1]
    assert ends[-1] == route.target
    image = np.zeros((1, *route.source, 1), "float32")
    for layer, stage in zip(build(route).layers, route.stages, strict=True):
        image = layer(image, training=False) if stage.layer == "crop" else layer(image)
        assert tuple(image.shape[1:3]) == stage.size_out, (str(route), str(stage))


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
def test_smaller_equal_and_rotated_targets_have_routes_too(target, source):
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


def test_cost_is_the_work_relative_to_the_best():
    # 48 channels at 100, 24 at 200, and 16, the least, at 400; a kernel is applied at each input.
    twice = 100**2 * 4**2 * 48 * 24 + 200**2 * 4**2 * 24 * 16
    once = 100**2 * 8**2 * 48 * 16
    assert [route.cost for route in kg.routes(400, source=100)[:2]] == [1, once / twice]
    # And a convolution at each output: 48 channels at 400, 192, the most, at 100 and below.
    gently = 200**2 * 4**2 * 48 * 96 + 100**2 * 4**2 * 96 * 192
    at_once = 100**2 * 8**2 * 48 * 192
    assert [route.cost for route in kg.routes(100, source=400)[:2]] == [1, at_once / gently]


def test_a_latent_is_never_downscaled():
    for route in kg.routes(400, source=7)[:3]:
        assert all(stage.layer == "transposed_conv" for stage in route.stages)


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
