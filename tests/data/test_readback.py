"""Evaluators of scenes: a scene that agrees with its label map scores high, others do not."""

import numpy as np
import pytest

from keras_gen.data.aerial import palette, readback, rendering

LABELS, IMAGE = rendering.scene(3, 160)


@pytest.mark.parametrize("name", palette.CLASSES)
def test_the_documented_colour_and_texture_give_the_class(name):
    """Noise of two values: a pixel differs from its 3×3 mean by about 8/9 of the amplitude."""
    land = palette.CLASSES[name]
    rng = np.random.default_rng(0)
    noise = rng.choice([-1.0, 1.0], (48, 48)) * land.texture * 9 / 8.0
    image = np.clip(np.array(land.mean) + noise[..., None], 0, 1)
    middle = readback.read_classes(image)[8:-8, 8:-8]
    assert (middle == list(palette.CLASSES).index(name)).mean() > 0.9


def test_a_scene_agrees_best_with_its_own_label_map():
    own = [readback.class_agreement(IMAGE, LABELS), readback.edge_agreement(IMAGE, LABELS)]
    for seed in (4, 5):
        other, _ = rendering.scene(seed, 160)
        assert readback.class_agreement(IMAGE, other) < own[0]
        assert readback.edge_agreement(IMAGE, other) < own[1]


def test_agreement_is_a_fraction_of_pixels():
    read = readback.read_classes(IMAGE)
    assert readback.class_agreement(IMAGE, read) == 1.0
    wrong = read.copy()
    wrong[:40] = (read[:40] + 1) % len(palette.CLASSES)
    assert readback.class_agreement(IMAGE, wrong) == 0.75


def bars(*places):
    """White bars between pairs of places on black: the label map, and the image."""
    labels = np.zeros((80, 80), np.uint8)
    for start, stop in zip(places[::2], places[1::2], strict=True):
        labels[:, start:stop] = 1
    return labels, np.repeat(labels[..., None], 3, -1).astype(float)


def test_edges_count_within_the_tolerance():
    labels, _ = bars(20, 50)
    for shift, score in ((0, 1.0), (1, 1.0), (6, 0.0)):
        _, image = bars(20 + shift, 50 + shift)
        assert readback.edge_agreement(image, labels) == pytest.approx(score, abs=0.02)
    assert readback.edge_agreement(bars(26, 56)[1], labels, tolerance=8) > 0.98


def test_missed_and_false_edges_count_alike():
    """Two of four edges: half are missed or half are false, and the F-score is 2/3 either way."""
    two, four = bars(20, 40), bars(20, 40, 55, 65)
    assert readback.edge_agreement(two[1], four[0]) == pytest.approx(2 / 3, abs=0.02)
    assert readback.edge_agreement(four[1], two[0]) == pytest.approx(2 / 3, abs=0.02)


def test_nothing_to_find():
    flat, plain = np.full((40, 40, 3), 0.5), np.zeros((40, 40), np.uint8)
    assert readback.edge_agreement(flat, plain) == 1.0
    assert readback.edge_agreement(bars(20, 40)[1], np.zeros((80, 80), np.uint8)) == 0.0
    assert readback.edge_agreement(np.full((80, 80, 3), 0.5), bars(20, 40)[0]) == 0.0


@pytest.mark.parametrize(
    ("image", "labels", "message"),
    [
        (IMAGE[None], LABELS, "expected the same height and width"),
        (IMAGE, LABELS[1:], r"shape \(159, 160\) and the image \(160, 160, 3\)"),
        (IMAGE, np.full((160, 160), 7), "label values are 0 to 6"),
        (IMAGE[..., 0], LABELS, "expected one scene"),
        ((IMAGE * 255).astype(np.uint8), LABELS, "Divide 8-bit images by 255"),
    ],
)
def test_errors_say_what_is_wrong(image, labels, message):
    with pytest.raises(ValueError, match=message):
        readback.edge_agreement(image, labels)
