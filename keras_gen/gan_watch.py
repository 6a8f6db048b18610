"""How does the game stand? A GAN's losses do not tell: they only say who is winning.

`Judge` compares what a generator draws with real images; `Watch` lets it do so while `fit` runs.
"""

import math
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gen import distances, spectra, variety
from keras_gen.training import write_whole

COLLAPSED = 0.2  # of the real images' diversity
PATIENCE = 3  # judgements in a row
BLIND = 0.03  # of ln 2 = 0.69, by which the discriminator tells pairs apart
NEVER = 10  # judgements after which one that never drew more than one image is given up
EVENTS = "events.out.tfevents.history"


class Judge:
    """Compares a generator with real images, always on the same latents (or given images).

    Args:
        real: float32 `(count, height, width, 3)` in 0 … 1: half of them are the reference, the
            other half shows what real images score.
        inputs: what the generator draws from: latents `(count // 2, latent_dim)`, or images.
        patches: patches an image and level for the sliced Wasserstein distance.
        pairs: pairs of images for the diversity.
        batch_size: images drawn at once.

    Attributes:
        real_scores: what the real images score: `swd`, `swd_joint`, `diversity`, `checkerboard_2`,
            `checkerboard_4`.

    Raises:
        ValueError: if there are fewer than four real images, or not half as many inputs.

    Example:
        judge = Judge(cut(photographs(), (400, 400), 96), latents(48, 128))
        print(judge(generator)["swd"])  # 1 is as good as real
    """

    def __init__(
        self,
        real: np.ndarray,
        inputs: np.ndarray,
        *,
        patches: int = 128,
        pairs: int = 24,
        batch_size: int = 8,
    ):
        count = len(real) // 2
        if count < 2 or len(inputs) != count:
            raise ValueError(
                f"received {len(real)} real images and {len(inputs)} inputs; expected at least 4 "
                "real images, and inputs for half as many"
            )
        self.reference, self.inputs = real[:count], np.asarray(inputs, np.float32)
        self.patches, self.pairs, self.batch_size = patches, pairs, batch_size
        floor = distances.sliced_wasserstein_floor(real, patches=patches, splits=3)
        self.floor = floor
        self.real_scores = {"swd": floor.separate, "swd_joint": floor.joint}
        self.real_scores |= self._alone(real[count:])

    def draw(self, generator: keras.Model, count: int | None = None) -> np.ndarray:
        """Draw from the first of the inputs: float32 `(count, height, width, 3)`."""
        return in_batches(generator, self.inputs[:count], self.batch_size)

    def __call__(self, generator: keras.Model) -> dict[str, float]:
        """Judge a generator.

        Returns:
            `swd_separate` and `swd_joint`: sliced Wasserstein distances, each over that of real
            images, so that 1 is as good as real; `swd`: the larger of the two. `diversity`: over
            that of real images; near 0 where it draws one image again and again.
            `checkerboard_2`, `checkerboard_4`: mean `checkerboard_gain` of that period.
        """
        return self.compare(self.draw(generator))

    def compare(self, drawn: np.ndarray) -> dict[str, float]:
        """Judge images, float32 `(count // 2, height, width, 3)`, as those of a generator."""
        distance = distances.sliced_wasserstein(drawn, self.reference, patches=self.patches)
        separate = distance.separate / self.floor.separate
        joint = distance.joint / self.floor.joint
        alone = self._alone(drawn)
        alone["diversity"] /= self.real_scores["diversity"] or 1.0
        return {
            "swd": max(separate, joint),
            "swd_separate": separate,
            "swd_joint": joint,
            **alone,
        }

    def _alone(self, images):
        scores = {"diversity": variety.diversity(images, pairs=self.pairs, luma=True)}
        for period in (2, 4):
            scores[f"checkerboard_{period}"] = float(
                np.mean(spectra.checkerboard_gain(images, period))
            )
        return scores


def in_batches(model: keras.Model, inputs: np.ndarray, batch_size: int = 8) -> np.ndarray:
    """What a model makes of inputs, a few at once: float32, as many as there are inputs."""
    parts = np.split(inputs, range(batch_size, len(inputs), batch_size))
    return np.concatenate([np.asarray(model(part, training=False), np.float32) for part in parts])


class Watch(keras.callbacks.Callback):
    """Judges a `GAN` at the end of every few epochs of `fit`, and keeps what was best.

    Put it first in the list of callbacks: what it finds then joins the logs that
    `keras.callbacks.CSVLogger` and `TensorBoard` (if that is installed) write, and the history
    that `fit` returns.

    Args:
        judge: the `Judge`.
        directory: where `grid_….png` and `best.keras`, the averaged generator with the least
            `swd`, are written; without it, nothing is.
        every: epochs between judgements.
        shown: images of the grid.

    Example:
        gan.fit(batches, epochs=20, callbacks=[Watch(judge, "runs/sky"), CSVLogger("log.csv")])
    """

    def __init__(
        self,
        judge: Judge,
        directory: str | Path | None = None,
        *,
        every: int = 1,
        shown: int = 16,
    ):
        super().__init__()
        self.judge, self.every, self.shown = judge, every, shown
        self.directory = None if directory is None else Path(directory)
        self.rows: list[dict] = []
        self.best = math.inf

    def on_epoch_end(self, epoch, logs=None):
        """Judge, draw the grid, keep the best, and stop where there is nothing left to win."""
        logs = {} if logs is None else logs
        lost = next((key for key, value in logs.items() if not math.isfinite(value)), None)
        if lost is not None:
            self._stop(f"the training ran away in epoch {epoch + 1} ({lost} {logs[lost]})")
            return
        if (epoch + 1) % self.every:
            return
        generator = self.model.averaged_generator
        numbers = self.judge(generator)
        logs |= numbers
        self.rows.append({"step": int(self.model.optimizer.iterations), **numbers})
        if self.directory is not None:
            picture = grid(self.judge.draw(generator, self.shown))
            name = f"grid_{self.rows[-1]['step']:06d}.png"
            write_whole(self.directory / name, Image.fromarray(picture).save)
        if numbers["swd"] < self.best:
            self.best = numbers["swd"]
            if self.directory is not None:
                write_whole(self.directory / "best.keras", generator.save)
        if trouble := collapse(self.rows):
            self._stop(trouble)

    def _stop(self, trouble):
        best = min(self.rows, key=lambda row: row["swd"], default=None)
        kept = "" if best is None else f"; the best was step {best['step']}, {best['swd']:.2f}×"
        where = "" if best is None or self.directory is None else f", in {self.directory}"
        print(f"stopped: {trouble}{kept}{where}")
        self.model.stop_training = True


def collapse(rows: list[dict]) -> str | None:
    """Say so if a generator has come to draw one image over and over, some judgements in a row.

    At first it draws hardly anything, and that much alike; so it is a collapse if a variety that
    was there is gone, or if none ever came.
    """
    shares = [row["diversity"] for row in rows]
    if len(shares) >= NEVER and max(shares) < COLLAPSED:
        return (
            f"the generator has drawn one image again and again in all {len(shares)} judgements; "
            "a lower learning rate, or a larger gamma, may let it begin"
        )
    if max(shares[-PATIENCE:], default=1.0) >= COLLAPSED or max(shares) < 2 * COLLAPSED:
        return None
    return (
        f"the generator has collapsed: what it draws has {shares[-1]:.0%} of the variety of real "
        "images; a larger gamma, more augmentation or a lower rate may keep it from that"
    )


def blindness(rows: list[dict]) -> str | None:
    """Say so, once, if a discriminator has long told hardly anything apart.

    Early on it takes a discriminator some dozen steps to see what a generator that stands still
    does wrong. If the generator changes all the time faster than that, neither learns.
    """
    told = [row["from_ln2"] for row in rows if "from_ln2" in row]
    if len(told) < PATIENCE or max(told[-PATIENCE:]) >= BLIND:
        return None
    if len(told) > PATIENCE and told[-PATIENCE - 1] < BLIND:
        return None  # said before
    return (
        f"the discriminator has told hardly anything apart in {PATIENCE} judgements; if the "
        "pictures do not improve, stop, and go on with a generator that changes more slowly than "
        "it does: --resume --learning-rate 5e-5 --discriminator-rate 1e-3"
    )


def write_events(history: list[dict], path: str) -> None:
    """Write a training's rounds as a file that TensorBoard reads; TensorBoard need not be there.

    Args:
        history: one dict a round, as in `training.Outcome.history`.
        path: the file; TensorBoard looks for `tfevents` in its name.
    """
    import tensorflow as tf

    summary = tf.compat.v1.Summary
    with tf.io.TFRecordWriter(path) as file:
        file.write(tf.compat.v1.Event(file_version="brain.Event:2").SerializeToString())
        for row in history:
            values = [summary.Value(tag=key, simple_value=value) for key, value in row.items()]
            event = tf.compat.v1.Event(
                step=row["step"],
                wall_time=60 * row.get("minutes", 0),
                summary=summary(value=values),
            )
            file.write(event.SerializeToString())


def describe(numbers: dict) -> str:
    """Say in a few words how the game stands."""
    parts = [
        f"{text} {numbers[key]:{form}}"
        for key, text, form in (
            ("gap", "real − fake", "+.2f"),
            ("from_ln2", "told apart", ".2f"),
            ("penalty", "penalty", ".3f"),
            ("l1", "L1", ".3f"),
            ("swd_separate", "SWD", ".2f"),
            ("swd_joint", "joint", ".2f"),
            ("diversity", "diversity", ".2f"),
        )
        if key in numbers
    ]
    return ", ".join(parts)


def latents(
    count: int, dimension: int, *, seed: int | tuple[int, ...] = 0, truncation: float = 1.0
) -> np.ndarray:
    """Draw latent vectors.

    Args:
        count: how many.
        dimension: length of each.
        seed: chooses them; more of the same seed begin with the same.
        truncation: factor: below 1 nearer to the mean, images less various and often better
            (Brock et al. 2019 redraw what is far out; Karras et al. 2019 shrink, as here).

    Returns:
        Float32 `(count, dimension)`.

    Example:
        >>> latents(2, 3).shape
        (2, 3)
    """
    drawn = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.float32(truncation * drawn)


def grid(images: np.ndarray, *, columns: int | None = None, gap: int = 4) -> np.ndarray:
    """Lay images out in rows, on white.

    Args:
        images: `(count, height, width, 3)` in 0 … 1.
        columns: images a row; by default about as many as there are rows.
        gap: pixels between them.

    Returns:
        uint8 array `(height', width', 3)`.

    Example:
        >>> grid(np.zeros((4, 10, 10, 3)), gap=2).shape
        (22, 22, 3)
    """
    count, height, width = images.shape[:3]
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for place, image in enumerate(images):
        top, left = (place // columns) * (height + gap), (place % columns) * (width + gap)
        pixels = np.rint(np.clip(image, 0, 1) * 255)
        sheet[top : top + height, left : left + width] = pixels
    return sheet
