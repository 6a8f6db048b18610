"""The judge says what it should of real, blurred and repeated images; the callback listens."""

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

import keras_gen as kg
from keras_gen._util.pixels import to_uint8
from keras_gen.data import batches
from keras_gen.data.images import Images
from keras_gen.inference import sampling
from keras_gen.metrics import diversity_and_copying, spectra, wasserstein
from keras_gen.models.gan import GAN
from keras_gen.models.gan_networks import gan_discriminator, gan_generator
from keras_gen.training import adversarial, alarms, evaluation

SIDE, LATENT, COUNT = 32, 4, 6


@pytest.fixture(scope="module")
def real():
    """Twice as many crops of one picture as are judged."""
    rng = np.random.default_rng(0)
    noise = sum(gaussian_filter(rng.normal(size=(120, 120, 3)), (s, s, 0)) * s for s in (1, 3, 6))
    picture = np.uint8(255 * (noise - noise.min()) / np.ptp(noise))
    images = Images(["noise"], [picture], [1.0])
    return batches.crop_batch(images, (SIDE, SIDE), 2 * COUNT, seed=1)


class Drawn(keras.Model):
    """A generator whose latents are the places of the images that it has by heart."""

    def __init__(self, images):
        super().__init__()
        self.images, self.asked = np.float32(images), []

    def call(self, inputs, training=False):
        assert not training
        places = np.asarray(inputs)[:, 0].astype(int)
        self.asked.extend(places)
        return self.images[places]


@pytest.fixture(scope="module")
def judge(real):
    return evaluation.Evaluator(real, np.arange(COUNT)[:, None], batch_size=4)


def test_judges_by_the_scores_of_the_package(judge, real):
    images = gaussian_filter(real[COUNT:], (0, 1, 1, 0))
    model = Drawn(images)
    found = judge(model)
    assert model.asked == [0, 1, 2, 3, 4, 5]
    floor = wasserstein.sliced_wasserstein_floor(real, splits=3)
    distance = wasserstein.sliced_wasserstein(images, real[:COUNT])
    expected = {
        "swd_separate": distance.separate / floor.separate,
        "swd_joint": distance.joint / floor.joint,
        "diversity": diversity_and_copying.diversity(images, luma=True)
        / diversity_and_copying.diversity(real[COUNT:], luma=True),
        "checkerboard_2": spectra.checkerboard_gain(images, 2).mean(),
        "checkerboard_4": spectra.checkerboard_gain(images, 4).mean(),
    }
    expected["swd"] = max(expected["swd_separate"], expected["swd_joint"])
    assert found == pytest.approx(expected, rel=1e-5)
    assert judge.real_scores["swd"] == pytest.approx(floor.separate)


def test_real_images_score_about_one_and_others_more(judge, real):
    good = judge(Drawn(real[COUNT:]))
    assert 0.7 < good["swd"] < 1.4
    assert good["diversity"] == pytest.approx(1, abs=0.01)
    blurred = judge(Drawn(gaussian_filter(real[COUNT:], (0, 4, 4, 0))))
    assert blurred["swd_separate"] > 1.2 * good["swd_separate"]
    brighter = judge(Drawn(real[COUNT:] + 0.3))
    assert brighter["swd_separate"] == pytest.approx(good["swd_separate"], rel=0.1)
    assert brighter["swd_joint"] > 1.5 * good["swd_joint"]
    lattice = real[COUNT:] + 0.1 * np.tile([[1, -1], [-1, 1]], (SIDE // 2, SIDE // 2))[..., None]
    assert judge(Drawn(lattice))["checkerboard_2"] > 50 * good["checkerboard_2"]


def test_a_discriminator_that_is_blind_is_said_so_once():
    blind, sees = {"discriminator_advantage": 0.01}, {"discriminator_advantage": 0.2}
    for rows in ([], [blind] * 2, [blind, sees, blind], [sees, blind, blind], [blind] * 4):
        assert alarms.blind_discriminator_alarm(rows) is None
    for rows in ([blind] * 3, [sees, blind, blind, blind], [blind, sees, *[blind] * 3]):
        assert "--learning-rate 5e-5 --discriminator-rate 1e-3" in alarms.blind_discriminator_alarm(
            rows
        )


def test_one_image_again_and_again_is_a_collapse(judge, real):
    found = judge(Drawn(np.repeat(real[:1], COUNT, axis=0)))
    assert found["diversity"] < 0.01
    fine = {"diversity": 0.9}
    assert alarms.collapse_alarm([]) is None
    assert alarms.collapse_alarm([fine, found, found]) is None
    assert alarms.collapse_alarm([fine, found, found, fine]) is None
    assert alarms.collapse_alarm([found] * 5) is None, "it has only begun"
    message = alarms.collapse_alarm([fine, found, found, found])
    assert "has collapsed: what it draws has 0% of the variety" in message
    assert "gamma" in message
    assert alarms.collapse_alarm([found] * (alarms.NEVER - 1)) is None
    assert "in all 10 judgements; a lower" in alarms.collapse_alarm([found] * alarms.NEVER)


def test_too_few_images_are_refused(real):
    with pytest.raises(ValueError, match="received 12 real images and 5 inputs; expected"):
        evaluation.Evaluator(real, np.zeros((5, 1)))


def test_latents_are_standard_normal_and_extend():
    few, many = sampling.sample_latents(3, 5), sampling.sample_latents(4000, 5)
    np.testing.assert_array_equal(few, many[:3])
    assert abs(many.mean()) < 0.03 and abs(many.std() - 1) < 0.03
    assert many.dtype == np.float32
    np.testing.assert_allclose(sampling.sample_latents(3, 5, truncation=0.5), few / 2, rtol=1e-6)
    assert np.abs(sampling.sample_latents(3, 5, seed=1) - few).min() > 1e-4


def test_grid_keeps_every_pixel(real):
    sheet = kg.contact_sheet(to_uint8(real[:5]), columns=3, gap=2)
    assert sheet.shape == (2 * SIDE + 2, 3 * SIDE + 4, 3)
    for place, image in enumerate(real[:5]):
        top, left = place // 3 * (SIDE + 2), place % 3 * (SIDE + 2)
        found = sheet[top : top + SIDE, left : left + SIDE]
        np.testing.assert_array_equal(found, np.rint(image * 255))
    assert (sheet[SIDE + 2 :, -SIDE:] == 255).all()


def test_describe_says_what_is_known():
    assert (
        adversarial.describe_adversarial({"gap": 1.2, "discriminator_advantage": 0.25})
        == "real − fake +1.20, told apart 0.25"
    )
    assert "SWD 1.50" in adversarial.describe_adversarial({"swd_separate": 1.5})


# The callback ------------------------------------------------------------------------------------


def small_gan(**options):
    generator = gan_generator(LATENT, SIDE, filters=(8, 4), seed=1)
    gan = GAN(generator, gan_discriminator((SIDE, SIDE, 3), levels=2, filters=4, seed=2), **options)
    gan.compile(run_eagerly=True)
    return gan


def test_watch_tells_the_logs_keeps_the_best_and_draws(real, tmp_path, monkeypatch):
    judge = evaluation.Evaluator(real, sampling.sample_latents(COUNT, LATENT))
    scores, plain = iter([3.0, 2.0, 4.0]), evaluation.Evaluator.__call__
    seen = []

    def judged(self, generator):
        seen.append([np.array(weight) for weight in generator.get_weights()])
        return plain(self, generator) | {"swd": next(scores)}

    monkeypatch.setattr(evaluation.Evaluator, "__call__", judged)
    watch = adversarial.Watch(judge, tmp_path, every=2, shown=2)
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    gan = small_gan()
    history = gan.fit(real[:4], batch_size=4, epochs=6, verbose=0, callbacks=[watch, log]).history
    assert history["swd"] == [3.0, 2.0, 4.0]
    assert [row["step"] for row in watch.rows] == [2, 4, 6]
    assert "swd_joint" in watch.rows[0] and "diversity" in watch.rows[0]
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        *("best.keras", "grid_000002.png", "grid_000004.png", "grid_000006.png", "log.csv")
    ]
    with Image.open(tmp_path / "grid_000006.png") as picture:
        drawn = kg.contact_sheet(to_uint8(judge.draw(gan.averaged_generator, 2)))
        np.testing.assert_array_equal(np.asarray(picture), drawn)
    best = keras.models.load_model(tmp_path / "best.keras")
    for kept, weight in zip(best.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(kept, weight)
    assert np.abs(seen[1][0] - seen[2][0]).max() > 0


def test_csv_holds_what_the_judge_found(real, tmp_path):
    judge = evaluation.Evaluator(real, sampling.sample_latents(COUNT, LATENT))
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    small_gan().fit(
        real[:4], batch_size=4, epochs=2, verbose=0, callbacks=[adversarial.Watch(judge), log]
    )
    head, *lines = (tmp_path / "log.csv").read_text().splitlines()
    assert {"swd", "swd_joint", "diversity", "checkerboard_2", "gap"} <= set(head.split(","))
    assert len(lines) == 2


def test_watch_stops_where_nothing_is_left_to_win(real, monkeypatch, capsys):
    judge = evaluation.Evaluator(real, sampling.sample_latents(COUNT, LATENT))
    gan = small_gan()
    broken = np.where(np.arange(SIDE)[:, None, None] == 3, np.nan, real[:4]).astype(np.float32)
    history = gan.fit(
        broken, batch_size=4, epochs=5, verbose=0, callbacks=[adversarial.Watch(judge)]
    ).history
    assert len(history["gap"]) == 1
    assert "stopped: the training ran away in epoch 1" in capsys.readouterr().out

    same = dict.fromkeys(("swd", "swd_separate", "swd_joint"), 2.5)
    shares = iter([0.9, *[0.05] * 9])

    def judged(self, generator):
        return same | {"diversity": next(shares)}

    monkeypatch.setattr(evaluation.Evaluator, "__call__", judged)
    gan = small_gan()
    gan.fit(real[:4], batch_size=4, epochs=9, verbose=0, callbacks=[adversarial.Watch(judge)])
    assert int(gan.optimizer.iterations) == 1 + alarms.PATIENCE
    shown = capsys.readouterr().out
    assert "has collapsed" in shown and "the best was step 1, 2.50×" in shown


# Crops -------------------------------------------------------------------------------------------


def test_crops_depend_on_seed_and_number_alone():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (40, 50, 3), dtype=np.uint8) for _ in range(2)]
    images = Images(["a", "b"], pictures, [1.0, 1.0])
    settings = {"batch_size": 3, "seed": 5, "turn": True}
    whole = [np.asarray(b) for b in batches.image_batches(images, (16, 16), steps=4, **settings)]
    assert [batch.shape for batch in whole] == [(3, 16, 16, 3)] * 4
    rest = [
        np.asarray(b) for b in batches.image_batches(images, 16, first_step=2, steps=4, **settings)
    ]
    np.testing.assert_array_equal(np.stack(whole[2:]), np.stack(rest))
    assert np.abs(whole[0] - whole[1]).max() > 0.1


def test_crops_are_parts_of_the_pictures():
    picture = np.arange(30 * 40 * 3, dtype=np.uint32) * 2654435761 >> 24
    picture = np.uint8(picture % 256).reshape(30, 40, 3)
    images = Images(["a"], [picture], [1.0])
    windows = np.lib.stride_tricks.sliding_window_view(picture, (12, 12), axis=(0, 1))
    known = {window.transpose(1, 2, 0).tobytes() for row in windows for window in row}
    kinds = set()
    for crop in batches.crop_batch(images, (12, 12), 60, turn=True):
        pixels = np.uint8(np.rint(crop * 255))
        versions = [np.rot90(p, -k) for k in range(4) for p in (pixels,)]
        versions += [np.rot90(pixels, -k)[:, ::-1] for k in range(4)]
        (kind,) = [k for k, version in enumerate(versions) if version.tobytes() in known]
        kinds.add(kind)
    assert kinds == set(range(8))
    upright = batches.crop_batch(images, (12, 12), 20)
    for crop in np.uint8(np.rint(upright * 255)):
        assert crop.tobytes() in known or crop[:, ::-1].tobytes() in known
