"""What both adversarial trainings share: optimizer, rounds, calibration, card and pictures."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_gen._util import files, progress
from keras_gen._util.figures import contact_sheet
from keras_gen._util.keras_files import save_generator, with_weights
from keras_gen._util.pixels import to_uint8
from keras_gen.models.gan import GAN
from keras_gen.training import alarms, cards, checkpoints, loop, progress_pictures
from keras_gen.training.evaluation import Evaluator
from keras_gen.training.options import TrainingOptions
from keras_gen.training.runs import Run
from keras_gen.training.schedules import InverseSquareRootDecay, check_learning_rate

GAN_OPTIONS = (*("loss", "penalty", "gamma", "sigma", "noise"), *("augmentation", "ema_half_life"))

BEST_BY = {"swd": "the lowest SWD", "swd_separate": "the lowest separately normalised SWD"}


def adam(rate: float | InverseSquareRootDecay) -> keras.optimizers.Adam:
    """Adam without momentum, with which the two networks would overshoot each other.

    Raises:
        ValueError: for a rate that is not above 0.
    """
    if not isinstance(rate, InverseSquareRootDecay):
        check_learning_rate(rate)
    return keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99)


def train_adversarially(
    model: GAN,
    batches: Callable,
    evaluator: Evaluator,
    run: Run,
    *,
    name: str,
    report: Callable[[keras.Model], list[str]],
    prepare: Callable[[keras.Model], keras.Model] = lambda generator: generator,
    calibrate: Callable[[keras.Model], str] | None = None,
    finish: Callable[[keras.Model], keras.Model] | None = None,
    samples: Callable[[keras.Model], tuple[np.ndarray, int]] | None = None,
    trained_on: list[str],
    best: str = "swd",
    options: TrainingOptions,
    recorded: dict,
) -> Path:
    """Train a compiled GAN, and leave the averaged generator of its best state with a card.

    Args:
        model, batches: as in `loop.train`.
        evaluator: evaluates each round.
        run: where and how.
        name: name of the file and of the card.
        report: returns the card's lines on the quality of the finished generator.
        prepare: returns what a round evaluates in place of a generator, such as a copy whose mean
            colour is already fitted.
        calibrate: changes the trained generator in place and says how, as
            `calibration.calibrate` does.
        finish: turns the calibrated generator into the one to save: for another size, for
            instance. By default it is a copy whose layers are trainable as those of
            `model.generator`.
        samples: generates the images of the sample sheet with the finished generator; returns them
            and the number of columns. By default they are generated from the evaluator's inputs.
        trained_on: names of the training images.
        best: the evaluator's number, a key of `BEST_BY`, by which the saved state is chosen. It is
            that of the averaged generator: the raw generator's varies, and its minimum is chance.
        options: of the training.
        recorded: what `options.json` holds of them.

    Returns:
        The path of the `.keras` file.

    Raises:
        ValueError: as `loop.train` does.
        FloatingPointError: as `loop.train` does; the best state has then been saved all the same.
    """

    directory, console = run.directory, run.console

    def preview(model):
        averaged = prepare(model.averaged_generator)
        numbers = evaluator(averaged)
        images = evaluator.generate(averaged, min(16, len(evaluator.inputs)))
        numbers["raw_swd"] = evaluator(prepare(model.generator))["swd"]
        progress_pictures.keep_stage(images, directory, int(model.optimizer.iterations))
        return contact_sheet(to_uint8(images)), numbers

    def alarm(history):
        if warning := alarms.weak_discriminator_alarm(history):
            console.print(warning, soft_wrap=True)
        return alarms.collapse_alarm(history)

    def save(history):
        checkpoints.load_best(model, directory)
        chosen = min(history, key=lambda row: row[best], default=None)
        trained, weights = model.averaged_generator, "averaged over steps"
        if calibrate is not None:
            with progress.activity(console, "calibrating contrast, noise and mean colour"):
                weights += f"; {calibrate(trained)}"
        if finish is None:
            generator = keras.Model.from_config(model.generator.get_config())
            generator = with_weights(generator, trained)
        else:
            generator = finish(trained)
        path = directory / f"{name}.keras"
        with progress.activity(console, "evaluating the result and writing it"):
            save_generator(generator, path)
            facts = {
                "steps": history[-1]["step"] if history else int(model.optimizer.iterations),
                "state": (f"step {chosen['step']}, " if history else "") + BEST_BY[best],
                "weights": weights,
            }
            rows = checkpoints.with_changes(recorded, directory) | facts
            lines = cards.card_head(name, generator, rows, history, trained_on, run.command)
            lines += [*report(generator), *cards.progress_lines(history)]
            images, columns = (
                samples(generator) if samples else (evaluator.generate(generator, 12), 4)
            )
            lines += progress_pictures.write_pictures(
                path,
                images,
                columns=columns,
                stage=evaluator.generate(trained, progress_pictures.STRIP_COUNT),
                history=history,
                directory=directory,
                best=chosen,
            )
            files.atomic_write_text(path.with_suffix(".md"), "\n".join(lines))
        console.print(f"wrote {path} and its card", soft_wrap=True)
        return path

    try:
        history = loop.train(
            model,
            batches,
            directory=directory,
            steps=options.steps,
            every=options.every,
            preview=preview,
            describe=describe_adversarial,
            best=best,
            alarm=alarm,
            resume=run.resume,
            options=recorded,
            may_change=options.resumable(),
            console=console,
        )
    except FloatingPointError:
        history = checkpoints.read_history(directory)
        if history:
            save(history)
        raise
    return save(history)


def describe_adversarial(numbers: dict) -> str:
    """Describe the state of an adversarial training in a few words.

    Args:
        numbers: logs of a step, or a row of the history.

    Example:
        >>> describe_adversarial({"gap": 1.2, "diversity": 0.9})
        'real − fake +1.20, diversity 0.90'
    """
    parts = [
        f"{text} {numbers[key]:{form}}"
        for key, text, form in (
            ("gap", "real − fake", "+.2f"),
            ("discriminator_advantage", "discriminator advantage", ".2f"),
            ("penalty", "penalty", ".3f"),
            ("l1", "L1", ".3f"),
            ("swd_separate", "SWD", ".2f"),
            ("swd_joint", "joint", ".2f"),
            ("diversity", "diversity", ".2f"),
        )
        if key in numbers
    ]
    return ", ".join(parts)
