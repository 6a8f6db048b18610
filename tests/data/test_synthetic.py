"""Synthetic images: repeatable, different by seed, and with sharp edges."""

import numpy as np
import pytest

from keras_gen.data import synthetic

RENDERERS = [synthetic.dead_leaves, synthetic.text_page]


@pytest.mark.parametrize("render", RENDERERS)
def test_same_seed_same_picture(render):
    first = render(3, size=96)
    assert first.shape == (96, 96, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(render(3, size=96), first)
    assert (render(4, size=96) != first).mean() > 0.2


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("size", [1, 5, 33])
def test_any_size(render, size):
    assert render(0, size=size).shape == (size, size, 3)


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("size", [0, -3, 2.5, "64"])
def test_invalid_sizes_are_refused(render, size):
    with pytest.raises(ValueError, match="size="):
        render(0, size=size)


def test_leaves_have_sharp_edges_and_many_colours():
    picture = synthetic.dead_leaves(1, size=256).astype(int)
    steps = np.abs(np.diff(picture.sum(axis=2), axis=1))
    assert (steps > 90).mean() > 0.02, "edges of 30 grey levels and more are common"
    assert len(np.unique(picture.reshape(-1, 3) // 32, axis=0)) > 60


def test_radii_follow_the_power_law():
    """Against the distribution function of the density ∝ r⁻³ (Kolmogorov and Smirnov)."""
    radii = np.sort(synthetic._power_law(np.random.default_rng(0), 20_000, 2.0, 100.0))
    assert radii.min() >= 2
    assert radii.max() <= 100
    expected = (2.0**-2 - radii**-2.0) / (2.0**-2 - 100.0**-2)
    observed = np.arange(1, len(radii) + 1) / len(radii)
    assert np.abs(observed - expected).max() < 1.95 / np.sqrt(len(radii))


def test_pages_are_dark_on_light_and_light_on_dark():
    """Most of a page is paper; letters differ from it clearly."""
    papers = []
    for seed in range(8):
        page = synthetic.text_page(seed, size=128)
        colours, counts = np.unique(page.reshape(-1, 3), axis=0, return_counts=True)
        paper = colours[counts.argmax()].astype(int)
        away = np.abs(page.astype(int) - paper).max(axis=2)
        assert 0.3 < counts.max() / counts.sum() < 0.97, seed
        assert (away > 60).mean() > 0.02, seed
        papers.append(paper.mean() > 128)
    assert {True, False} == set(papers)


def test_zone_plate_is_finest_at_the_edges():
    plate = synthetic.zone_plate(64)
    assert plate.shape == (64, 64, 3) and plate.dtype == np.uint8
    row = plate[32, :, 0].astype(int)
    steps = abs(np.diff(row))
    assert steps[30:33].max() < 20
    assert steps[-8:].mean() > 2 * steps[24:40].mean() > 4 * steps[30:33].mean()
    assert np.array_equal(plate, plate[::-1, ::-1])
