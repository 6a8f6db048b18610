"""How does the game stand? A GAN's losses do not tell: they only say who is winning.

`Judge` compares what a generator draws with real images; `Watch` lets it do so while `fit` runs.
"""

import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from rich.console import Console

from keras_gen._util import files, keras_files, progress
from keras_gen._util.figures import contact_sheet
from keras_gen._util.files import atomic_write
from keras_gen._util.pixels import to_uint8
from keras_gen.models.gan import GAN
from keras_gen.training import alarms, cards, checkpoints, evaluation, loop, progress_pictures
from keras_gen.training.alarms import collapse_alarm
from keras_gen.training.evaluation import Evaluator
from keras_gen.training.gan_cards import course_lines, final_evaluation_lines
from keras_gen.training.schedules import InverseSquareRootDecay

# When a game goes on: how fast, how steady, not what for.
MAY_CHANGE = (
    *("learning_rate", "discriminator_rate", "hold_steps"),
    *("ema_half_life", "gamma", "sigma", "noise"),
)


CHOICES = {
    "swd": "the best by SWD",
    "swd_separate": "the best by SWD, separately normalised",
}


def adam(rate: float | InverseSquareRootDecay) -> keras.optimizers.Adam:
    """Adam without momentum, in which the players would run past each other."""
    if not isinstance(rate, InverseSquareRootDecay) and not 0 < rate < math.inf:
        raise ValueError(f"learning rate {rate} is not a number above 0; try 0.0002")
    return keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99)


def train_adversarially(
    model: GAN,
    batches: Callable,
    judge: evaluation.Evaluator,
    *,
    directory: Path,
    name: str,
    report: Callable[[keras.Model], tuple[dict, dict]],
    finished: Callable[[keras.Model], keras.Model] = lambda generator: generator,
    samples: Callable[[keras.Model], tuple[np.ndarray, int]] | None = None,
    against: str,
    learned_from: list[str],
    judged_as: Callable[[keras.Model], keras.Model] = lambda generator: generator,
    best: str = "swd",
    touch: Callable[[keras.Model], str] = lambda generator: "",
    steps: int,
    every: int,
    resume: bool,
    options: dict,
    command: str,
    console: Console,
) -> Path:
    """Train a compiled GAN, and leave the generator of its best state, and its card.

    Args:
        model, batches, directory, steps, every, resume, options, console: as in `loop.train`.
        judge: judges each round.
        name: name of the file and of the card.
        report: gives what real images score, and what a finished generator does.
        finished: turns the trained generator into the one to save: for another size, for instance.
        samples: draws the images of the sample sheet with a finished generator, and says how many
            go in a row; by default they are drawn from the first of the judge's inputs.
        against: what `report` compares, for the card.
        learned_from: names of the pictures trained on.
        judged_as: gives what each round judges in place of a generator, such as a copy with some of
            the touch that it will get in the end.
        best: the number of the judge by which the state to leave is chosen, a key of `CHOICES`;
            that of the average, as the other one's goes up and down, and its least is luck.
        touch: changes a trained generator a little, in place, and says how.
        command: the command line, for the card.

    Returns:
        The path of the `.keras` file.
    """

    def preview(model):
        averaged = judged_as(model.averaged_generator)
        numbers = judge(averaged)
        drawn = judge.draw(averaged, min(16, len(judge.inputs)))
        numbers["plain_swd"] = judge(judged_as(model.generator))["swd"]
        progress_pictures.keep(drawn, directory, int(model.optimizer.iterations))
        return contact_sheet(to_uint8(drawn)), numbers

    def alarm(history):
        files.atomic_write(directory / EVENTS, lambda beside: write_events(history, beside))
        if told := alarms.blind_discriminator_alarm(history):
            console.print(told, soft_wrap=True)
        return alarms.collapse_alarm(history)

    def finish(history):
        checkpoints.load_best(model, directory)
        chosen = min(history, key=lambda row: row[best], default=None)
        trained = model.averaged_generator
        with progress.activity(console, "fitting contrast, colours and noise_channels"):
            touched = touch(trained)
        generator = finished(trained)
        path = directory / f"{name}.keras"
        with progress.activity(console, "judging the result and writing it"):
            keras_files.save_generator(generator, path)
            facts = {"steps": int(model.optimizer.iterations), "state": CHOICES[best]}
            if chosen is not None:
                facts |= {
                    "steps": history[-1]["step"],
                    "state": f"step {chosen['step']}, {CHOICES[best]}",
                }
            facts["weights"] = ", ".join(filter(None, ["averaged over steps", touched]))
            asked = checkpoints.with_changes(options, directory)
            head = cards.card_head(name, generator, asked | facts, history, learned_from, command)
            lines = [
                *head,
                "",
                *final_evaluation_lines(*report(generator), against),
                *course_lines(history),
            ]
            images, columns = samples(generator) if samples else (judge.draw(generator, 12), 4)
            lines += progress_pictures.write(
                path,
                images,
                columns=columns,
                generated=judge.draw(trained, progress_pictures.SHOWN),
                history=history,
                directory=directory,
                best=chosen,
            )
            files.atomic_write_text(path.with_name(f"{name}.md"), "\n".join(lines))
        console.print(f"wrote {path} and its card", soft_wrap=True)
        return path

    try:
        history = loop.train(
            model,
            batches,
            directory=directory,
            steps=steps,
            every=every,
            preview=preview,
            describe=describe_adversarial,
            best=best,
            alarm=alarm,
            resume=resume,
            options=options,
            may_change=MAY_CHANGE,
            console=console,
        ).history
    except FloatingPointError:
        history = checkpoints.read_history(directory)
        if history:
            finish(history)
        raise
    return finish(history)


EVENTS = "events.out.tfevents.history"


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
        judge: Evaluator,
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
            picture = contact_sheet(to_uint8(self.judge.draw(generator, self.shown)))
            name = f"grid_{self.rows[-1]['step']:06d}.png"
            atomic_write(self.directory / name, Image.fromarray(picture).save)
        if numbers["swd"] < self.best:
            self.best = numbers["swd"]
            if self.directory is not None:
                atomic_write(self.directory / "best.keras", generator.save)
        if trouble := collapse_alarm(self.rows):
            self._stop(trouble)

    def _stop(self, trouble):
        best = min(self.rows, key=lambda row: row["swd"], default=None)
        kept = "" if best is None else f"; the best was step {best['step']}, {best['swd']:.2f}×"
        where = "" if best is None or self.directory is None else f", in {self.directory}"
        print(f"stopped: {trouble}{kept}{where}")
        self.model.stop_training = True


def write_events(history: list[dict], path: str) -> None:
    """Write a training's rounds as a file that TensorBoard reads; TensorBoard need not be there.

    Args:
        history: one dict a round, as in `loop.Outcome.history`.
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


def describe_adversarial(numbers: dict) -> str:
    """Say in a few words how the game stands."""
    parts = [
        f"{text} {numbers[key]:{form}}"
        for key, text, form in (
            ("gap", "real − fake", "+.2f"),
            ("discriminator_advantage", "told apart", ".2f"),
            ("penalty", "penalty", ".3f"),
            ("l1", "L1", ".3f"),
            ("swd_separate", "SWD", ".2f"),
            ("swd_joint", "joint", ".2f"),
            ("diversity", "diversity", ".2f"),
        )
        if key in numbers
    ]
    return ", ".join(parts)
