"""Aerial scenes: the same bytes for a seed, labels that agree with the image, light and roads."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from keras_gen.data.aerial import palette, rendering
from keras_gen.data.aerial.palette import BUILDING, FIELD, FOREST, MEADOW, ROAD

NAMES = list(palette.CLASSES)
VILLAGE = {"roads": 0.4, "buildings": 1.0, "forest": 0.0, "water": 0.0}


def digest(*arrays):
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


# ---- the same bytes ------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    """Also with another number of threads, and with code for another kind of processor."""
    here = digest(*rendering.scene(3, (150, 210)), *rendering.scene(8, 130, water=0.3, sun=200))
    assert here == digest(
        *rendering.scene(3, (150, 210)), *rendering.scene(8, 130, water=0.3, sun=200)
    )
    code = (
        "import hashlib; from keras_gen.data.aerial import rendering\n"
        "arrays = *rendering.scene(3, (150, 210)), *rendering.scene(8, 130, water=0.3, sun=200)\n"
        "print(hashlib.sha256(b''.join(a.tobytes() for a in arrays)).hexdigest())"
    )
    plain = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell"}
    assert ran(code, **plain) == here


def test_several_threads_can_render_scenes_at_once():
    """As they do in `tf.data`."""
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda seed: digest(*rendering.scene(seed, 90)), range(16)))
    assert together == [digest(*rendering.scene(seed, 90)) for seed in range(16)]


def test_aerial_scenes_need_neither_keras_nor_tensorflow():
    code = (
        "import sys; from keras_gen.data.aerial import rendering; rendering.scene(0, 32)\n"
        "print(sorted({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    )
    assert ran(code) == "[]"


def ran(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_no_two_of_a_thousand_seeds_are_alike():
    """At 16×16, where scenes can differ least, and also when turned or flipped.

    `benchmarks/aerial_scenes.py` checks a thousand scenes of 400×400.
    """
    found = set()
    for seed in range(1000):
        image = (rendering.scene(seed, 16)[1] * 255).round().astype(np.uint8)
        turns = [np.rot90(side, k) for side in (image, image[:, ::-1]) for k in range(4)]
        found.add(min(np.ascontiguousarray(turn).tobytes() for turn in turns))
    assert len(found) == 1000


@pytest.mark.parametrize(
    "size", [1, 2, 7, 33, (1, 90), (120, 3), (47, 130), (200, 64), np.int64(40)], ids=str
)
def test_any_size(size):
    labels, image = rendering.scene(5, size)
    expected = tuple(size) if isinstance(size, tuple) else (size, size)
    assert labels.shape == expected and labels.dtype == np.uint8
    assert image.shape == (*expected, 3) and image.dtype == np.float32
    assert labels.max() < len(NAMES)
    assert image.min() >= 0 and image.max() <= 1


def test_an_image_holds_8_bit_values():
    image = rendering.scene(1, 100)[1]
    stored = (image * 255).round().astype(np.uint8)
    assert np.array_equal(stored.astype(np.float32) / 255, image)
    assert len(np.unique(stored)) > 150  # and uses most of them


# ---- the label map agrees with the image ---------------------------------------------------------


@pytest.fixture(scope="module")
def scenes():
    """Scenes other than those on which the documented means were measured."""
    return [rendering.scene(seed) for seed in range(2000, 2032)]


@pytest.mark.parametrize("name", NAMES)
def test_mean_colour_and_texture_are_as_documented(scenes, name):
    """Within 0.04 per channel (0.06 for the rarer water and shore), and 15 % of the texture."""
    index, said = NAMES.index(name), palette.CLASSES[name]
    colours, rough = [], []
    for labels, image in scenes:
        here = labels == index
        grey = image.mean(-1)
        colours.append(image[here])
        rough.append(np.abs(grey - ndimage.uniform_filter(grey, 3))[here])
    colour, texture = np.concatenate(colours).mean(0), np.concatenate(rough).mean()
    assert np.abs(colour - said.mean).max() < (0.06 if name in ("water", "shore") else 0.04)
    assert texture == pytest.approx(said.texture, rel=0.15)


def test_documented_means_separate_the_classes():
    """No two classes have both the same colour (within 0.05) and the same texture (25 %)."""
    for i, one in enumerate(palette.CLASSES.values()):
        for other in list(palette.CLASSES.values())[:i]:
            colour = np.abs(np.subtract(one.mean, other.mean)).max()
            texture = max(one.texture, other.texture) / min(one.texture, other.texture)
            assert colour > 0.05 or texture > 1.25


def test_the_label_map_lies_on_the_image():
    """Shifted by 2 pixels in any direction, it explains less of the image's variance.

    Shadows lie beside the shapes of the label map, so each image is a mean over four suns.
    """
    for seed in range(6):
        suns = [rendering.scene(seed, 160, sun=sun) for sun in (0, 90, 180, 270)]
        labels, image = suns[0][0], np.mean([image for _, image in suns], 0)[2:-2, 2:-2]
        left = {
            (y, x): unexplained(labels[2 + y : 158 + y, 2 + x : 158 + x], image)
            for y, x in ((0, 0), (0, 2), (0, -2), (2, 0), (-2, 0))
        }
        assert min(left, key=left.get) == (0, 0)


def unexplained(labels, image):
    """Variance of the colours about the mean of their class."""
    flat, total = labels.ravel(), 0.0
    counts = np.maximum(np.bincount(flat), 1)
    for plane in image.reshape(-1, 3).T.astype(np.float64):
        means = np.bincount(flat, plane) / counts
        total += ((plane - means[flat]) ** 2).mean()
    return total


def rows(image):
    """Angle of the rows in every window of 30×30, and how clear it is (0 isotropic, 1 parallel)."""
    gy, gx = np.gradient(image.mean(-1))
    tensor = np.stack([gx * gx - gy * gy, 2 * gx * gy, gx * gx + gy * gy])
    side = tensor.shape[-1] // 30
    windows = tensor[:, : 30 * side, : 30 * side].reshape(3, side, 30, side, 30)
    cos, sin, power = windows.mean((2, 4)).reshape(3, -1)
    return np.degrees(np.arctan2(sin, cos)) / 2 % 180, np.hypot(cos, sin) / power


@pytest.mark.parametrize("seed", [2, 3])
def test_fields_have_rows_each_at_its_own_angle(seed):
    """Most windows of a field have clear rows; no range of 20° contains half of their angles."""
    open_land = {"forest": 0.0, "water": 0.0, "roads": 0.0, "buildings": 0.0}
    angles, clear = rows(rendering.scene(seed, 480, fields=1.0, **open_land)[1])
    assert np.median(clear) > 0.4
    counts = np.histogram(angles[clear > 0.5], 18, (0, 180))[0]
    assert (counts + np.roll(counts, 1)).max() < 0.5 * counts.sum()
    _, meadow = rows(rendering.scene(seed, 480, fields=0.0, **open_land)[1])
    assert np.median(meadow) < 0.5 * np.median(clear)


# ---- light ---------------------------------------------------------------------------------------


def beside_buildings(labels, image, step):
    """Mean brightness of the open ground `step` (rows, columns) away from the buildings."""
    built = labels == BUILDING
    ground = np.isin(labels, (MEADOW, FIELD, ROAD)) & np.roll(built, step, (0, 1))
    return image.mean(-1)[ground].mean()


@pytest.mark.parametrize("sun", [0, 90, 180, 270, 45, 225])
def test_shadows_fall_away_from_the_sun(sun):
    """Four pixels from the buildings, the shady side is darker than the lit side."""
    towards = np.rint(4 * np.array([-np.cos(np.radians(sun)), np.sin(np.radians(sun))])).astype(int)
    for seed in range(3):
        labels, image = rendering.scene(seed, 240, sun=sun, **VILLAGE)
        lit, shady = (beside_buildings(labels, image, tuple(s * towards)) for s in (1, -1))
        assert shady < 0.8 * lit


def test_roofs_and_crowns_are_lit_from_the_side_where_the_sun_is():
    """Each building's and each lone tree's half towards the sun is the brighter, on average."""
    for sun, (row, column) in {0: (-1, 0), 90: (0, 1), 180: (1, 0), 270: (0, -1)}.items():
        labels, image = rendering.scene(11, 300, sun=sun, **VILLAGE)
        grey = image.mean(-1)
        for kind in (BUILDING, FOREST):
            parts, _ = ndimage.label(labels == kind)
            slopes = []
            for number, box in enumerate(ndimage.find_objects(parts), start=1):
                y, x = np.nonzero(parts[box] == number)
                towards = (y - y.mean()) * row + (x - x.mean()) * column
                if 25 < len(y) < 1000:
                    values = grey[box][y, x]
                    slopes.append(values[towards > 0].mean() - values[towards <= 0].mean())
            assert len(slopes) > 15
            assert np.mean(slopes) > 0.02


def test_the_sun_moves_nothing_but_the_light():
    morning, evening = rendering.scene(4, 200, sun=60), rendering.scene(4, 200, sun=-60)
    assert np.array_equal(morning[0], evening[0])
    assert not np.array_equal(morning[1], evening[1])


def test_the_sun_stands_above_by_default():
    for seed in range(4):
        labels, image = rendering.scene(seed, 240, **VILLAGE)
        above, below = (beside_buildings(labels, image, (step, 0)) for step in (-4, 4))
        assert below < 0.9 * above


# ---- roads ---------------------------------------------------------------------------------------


def joined_to_the_edge(labels):
    """Fraction of the road pixels that are joined to the edge of the scene, and sides reached."""
    road = labels == ROAD
    parts, _ = ndimage.label(road, np.ones((3, 3)))
    sides = [set(side[side > 0]) for side in (parts[0], parts[-1], parts[:, 0], parts[:, -1])]
    joined = np.isin(parts, list(set().union(*sides))) & road
    most = max(sum(part in side for side in sides) for part in set().union(*sides))
    return joined.sum() / road.sum(), most


@pytest.mark.parametrize(("roads", "forest"), [(0.05, None), (0.4, None), (1.0, None), (1.0, 1.0)])
def test_every_road_is_joined_to_the_edge_of_the_scene(roads, forest):
    """Also with woods on both sides: crowns overhang a road, but do not block it."""
    for seed in range(9):
        labels, _ = rendering.scene(seed, (200, 260), roads=roads, forest=forest, buildings=0.0)
        fraction, sides = joined_to_the_edge(labels)
        assert fraction == 1
        assert sides >= 2  # the main road crosses the scene


def test_drives_and_yards_are_joined_to_the_roads():
    """All but 2 % of their pixels: a hedge or a tree may cut off a corner of a yard."""
    cut_off = [
        1 - joined_to_the_edge(rendering.scene(seed, 240, roads=0.4, buildings=0.8)[0])[0]
        for seed in range(12)
    ]
    assert np.mean(cut_off) < 0.02
