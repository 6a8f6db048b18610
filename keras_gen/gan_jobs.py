"""The training of a GAN on images alone: which data, how it is judged, what it leaves."""

import functools
import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from rich.console import Console

from keras_gen import (
    aerial,
    crops,
    datasets,
    finishing,
    gan_record,
    gan_watch,
    jobs,
    paired,
    reporting,
    sizes,
    training,
    variety,
)
from keras_gen.gan import GAN
from keras_gen.gan_networks import gan_discriminator, gan_generator
from keras_gen.rates import FallingRate

BUNDLED = (*jobs.BUNDLED, "hubble")
SCENES = 96  # aerial scenes to learn from
JUDGED = 24  # images, at each round
PROOF = 96  # images, at the end
DRAWS = 4  # of as many, as any crops of a picture differ in what happens to be on them
# When a game goes on: how fast, how steady, not what for.
MAY_CHANGE = (
    *("learning_rate", "discriminator_rate", "steady"),
    *("average_half_life", "gamma", "sigma", "noise"),
)
CHOICES = {
    "swd": "the best by SWD",
    "swd_separate": "the best by SWD, separately normalised",
}
SEARCHED = 64  # pixels a side, at least, for patches to be searched in the training images


def train_gan(
    *,
    directory: str | Path,
    data: str = "hubble",
    size: int | tuple[int, int] = 400,
    latent_dim: int = 128,
    upsampling: str = "bilinear",
    filters: tuple[int, ...] = (128, 96, 48, 24, 12),
    grain: int = 4,
    normalise: bool = False,
    levels: int = 5,
    scales: tuple[int, ...] = (1, 4),
    loss: str = "relativistic",
    penalty: str = "first_order",
    gamma: float = 0.1,
    sigma: float = 0.005,
    noise: str = "white",
    augmentation: tuple[str, ...] = ("translation",),
    average_half_life: float = 4000.0,
    steps: int = 1000,
    batch_size: int = 4,
    every: int = 100,
    learning_rate: float = 3e-4,
    discriminator_rate: float | None = None,
    warm_up: int = 100,
    steady: int = 500,
    seed: int = 0,
    judged: int = JUDGED,
    proof: int = PROOF,
    resume: bool = False,
    memory_limit: int = 2 * 2**30,
    command: str = "",
    console: Console | None = None,
) -> Path:
    """Train an unconditional GAN and leave its generator as a `.keras` file, with a card.

    Args:
        directory: where everything is written.
        data: `"hubble"`, `"aerial"`, `"photos"`, or the path of a folder.
        size: side or `(height, width)` of the images.
        latent_dim, upsampling, filters, grain, normalise: as in `gan_generator`.
        levels: as in `gan_discriminator`: its receptive field is 22, 46, 94 or 190 pixels for 3
            to 6 levels.
        scales: as in `gan_discriminator`: reductions of the image that it judges as well.
        loss, penalty, gamma, sigma, noise, augmentation, average_half_life: as in `GAN`.
        steps: training steps.
        batch_size: images a step.
        every: steps between checkpoints, each with a judgement.
        learning_rate: Adam's highest, of the generator.
        discriminator_rate: of the discriminator; the same by default.
        warm_up, steady: as in `FallingRate`: steps in which the rates rise, and after which they
            fall.
        seed: seed of weights, crops and everything random.
        judged: images drawn to judge each checkpoint.
        proof: images drawn to judge the result, four times; half as many to fit its colours and
            grain by, as in `finishing.touch`.
        resume: go on with the training in `directory`.
        memory_limit: most bytes of a folder's pixels to keep in memory.
        command: the command line, for the card.
        console: where progress is shown.

    Returns:
        The path of the `.keras` file: the averaged generator of the state where that had the least
        sliced Wasserstein distance, each set of images normalised by itself, with the last touch of
        `finishing.touch`.

    Raises:
        ValueError: for options that do not fit together, data that cannot be used, or a directory
            that holds another training.
        FloatingPointError: if the training runs away or the generator collapses; the best state so
            far has then been written all the same.
    """
    console = console or reporting.new_console()
    directory = datasets.expanded(directory)
    size = sizes.as_pair(size)
    data = str(data).rstrip("/\\") or str(data)
    options = {
        "job": "gan",
        "data": data,
        "size": sizes.show_size(size),
        "latent_dim": latent_dim,
        "upsampling": upsampling,
        "filters": "-".join(map(str, filters)),
        "grain": grain,
        "normalise": normalise,
        "levels": levels,
        "scales": "-".join(map(str, scales)),
        "loss": loss,
        "penalty": penalty,
        "gamma": gamma,
        "sigma": sigma,
        "noise": noise,
        "augmentation": "+".join(augmentation),
        "average_half_life": average_half_life,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "discriminator_rate": discriminator_rate or learning_rate,
        "warm_up": warm_up,
        "steady": steady,
        "judged": judged,
        "seed": seed,
    }
    training.check_directory(directory, resume=resume, options=options, may_change=MAY_CHANGE)
    keras.utils.set_random_seed(seed)
    model = GAN(
        gan_generator(
            latent_dim,
            size,
            upsampling=upsampling,
            filters=filters,
            grain=grain,
            normalise=normalise,
            seed=2 * seed,
        ),
        gan_discriminator((*size, 3), levels=levels, scales=scales, seed=2 * seed + 1),
        loss=loss,
        penalty=penalty,
        gamma=gamma,
        sigma=sigma,
        noise=noise,
        augmentation=augmentation,
        average_half_life=average_half_life,
        seed=seed,
    )
    rates = (learning_rate, discriminator_rate or learning_rate)
    model.compile(*(adam(FallingRate(rate, warm_up=warm_up, steady=steady)) for rate in rates))
    images, turn = real_images(data, size, memory_limit, console)
    with reporting.activity(console, "judging real images"):
        real = crops.cut(images, size, 2 * judged, seed=(seed, 1), turn=turn)
        judge = gan_watch.Judge(real, gan_watch.latents(judged, latent_dim))
        colour = crops.mean_colour(images, size)
    coloured = keras.Model.from_config(model.generator.get_config())

    def batches(first, last):
        return crops.crops(
            images, size, first_step=first, steps=last, batch_size=batch_size, seed=seed, turn=turn
        )

    def colour_fitted(generator):
        """A copy with the mean colour of real images, as it will have in the end."""
        coloured.set_weights(generator.get_weights())
        finishing.fit_colours(coloured, colour, judge.inputs)
        return coloured

    def touch(generator):
        half = max(2, proof // 2)
        real = crops.cut(images, size, 2 * half, seed=(seed, 4), turn=turn)
        fitting = gan_watch.Judge(real, gan_watch.latents(half, latent_dim, seed=2))
        return finishing.touch(generator, fitting, colour)

    def report(generator):
        real, drawn, unseen = [], [], []
        for draw in range(DRAWS):
            crop = crops.cut(images, size, 2 * proof, seed=(seed, 2, draw), turn=turn)
            proved = gan_watch.Judge(crop, gan_watch.latents(proof, latent_dim, seed=(1, draw)))
            samples = proved.draw(generator)
            real.append(proved.real_scores)
            drawn.append(proved.compare(samples))
            held_out = unseen_images(data, size, proof, seed=(seed, 3, draw))
            if held_out is not None:
                unseen.append(proved.compare(held_out))
        numbers, beside = _mean_and_range(drawn), {}
        if unseen:
            beside["held_out"] = _mean_and_range(unseen)
            if min(size) >= SEARCHED:
                whole = np.stack([images[place] for place in range(len(images))]) / np.float32(255)
                for batch, found in ((samples, numbers), (held_out, beside["held_out"])):
                    found["nearest"] = variety.nearest_patch_distance(
                        batch, whole, patches=10 * proof, shifts=2, turned=turn
                    )
        return _mean_and_range(real) | beside, numbers

    return play(
        model,
        batches,
        judge,
        directory=directory,
        name=f"gan_{jobs.data_name(data, BUNDLED)}",
        report=report,
        against=f"{proof} images to as many real crops of the training pictures, the mean (and the "
        f"range) of {DRAWS} draws of both",
        learned_from=images.names,
        judged_as=colour_fitted,
        best="swd_separate",  # brightness and contrast, to which it is blind, are fitted at the end
        touch=touch,
        steps=steps,
        every=every,
        resume=resume,
        options=options,
        command=command,
        console=console,
    )


def adam(rate: float | FallingRate) -> keras.optimizers.Adam:
    """Adam without momentum, in which the players would run past each other."""
    if not isinstance(rate, FallingRate) and not 0 < rate < math.inf:
        raise ValueError(f"learning rate {rate} is not a number above 0; try 0.0002")
    return keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99)


def play(
    model: GAN,
    batches: Callable,
    judge: gan_watch.Judge,
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
        model, batches, directory, steps, every, resume, options, console: as in `training.train`.
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
        gan_record.keep(drawn, directory, int(model.optimizer.iterations))
        return gan_watch.grid(drawn), numbers

    def alarm(history):
        training.write_whole(
            directory / gan_watch.EVENTS, lambda beside: gan_watch.write_events(history, beside)
        )
        if told := gan_watch.blindness(history):
            console.print(told, soft_wrap=True)
        return gan_watch.collapse(history)

    def finish(history):
        training.load_best(model, directory)
        chosen = min(history, key=lambda row: row[best], default=None)
        trained = model.averaged_generator
        with reporting.activity(console, "fitting contrast, colours and grain"):
            touched = touch(trained)
        generator = finished(trained)
        path = directory / f"{name}.keras"
        with reporting.activity(console, "judging the result and writing it"):
            training.save_generator(generator, path)
            facts = {"steps": int(model.optimizer.iterations), "state": CHOICES[best]}
            if chosen is not None:
                facts |= {
                    "steps": history[-1]["step"],
                    "state": f"step {chosen['step']}, {CHOICES[best]}",
                }
            facts["weights"] = ", ".join(filter(None, ["averaged over steps", touched]))
            asked = training.with_changes(options, directory)
            head = jobs.card_head(name, generator, asked | facts, history, learned_from, command)
            lines = [*head, "", *proof_lines(*report(generator), against), *course_lines(history)]
            images, columns = samples(generator) if samples else (judge.draw(generator, 12), 4)
            lines += gan_record.write(
                path,
                images,
                columns=columns,
                drawn=judge.draw(trained, gan_record.SHOWN),
                history=history,
                directory=directory,
                best=chosen,
            )
            training.write_text(path.with_name(f"{name}.md"), "\n".join(lines))
        console.print(f"wrote {path} and its card", soft_wrap=True)
        return path

    try:
        history = training.train(
            model,
            batches,
            directory=directory,
            steps=steps,
            every=every,
            preview=preview,
            describe=gan_watch.describe,
            best=best,
            alarm=alarm,
            resume=resume,
            options=options,
            may_change=MAY_CHANGE,
            console=console,
        ).history
    except FloatingPointError:
        history = training.read_history(directory)
        if history:
            finish(history)
        raise
    return finish(history)


def _mean_and_range(rows: list[dict]) -> dict:
    """Of several measurements the mean of each number, and their ranges as `range`."""
    values = {key: [row[key] for row in rows] for key in rows[0]}
    ranges = {key: (min(found), max(found)) for key, found in values.items()}
    return {key: float(np.mean(found)) for key, found in values.items()} | {"range": ranges}


def real_images(data: str, size, memory_limit: int, console) -> tuple[datasets.Images, bool]:
    """The pictures to learn from, and whether they have no up and down."""
    if data == "hubble":
        return datasets.Images(["hubble"], [_hubble()], [1.0]).at_least(size), True
    if data == "aerial":  # not turned: the sun never shines from below
        larger = tuple(side + side // 4 for side in size)
        seeds = paired.TRAINED_ON[:SCENES]
        return paired.aerial_images(
            seeds,
            larger,
            progress=lambda seeds: reporting.tracked(console, seeds, "drawing aerial scenes"),
        ), False
    images, _ = jobs.read_images(data, size, memory_limit, console)
    return images, False


def unseen_images(data: str, size, count: int, *, seed) -> np.ndarray | None:
    """As many images of the same kind that were not learned from, where there are any."""
    if data == "hubble":
        sky = datasets.held_out_sky()
        fits = all(side <= whole for side, whole in zip(size, sky[0].shape, strict=False))
        return crops.cut(sky, size, count, seed=seed, turn=True) if fits else None
    if data == "aerial" and count <= len(paired.HELD_OUT):
        return _unseen_scenes(size, count)
    return None


@functools.lru_cache(maxsize=1)
def _unseen_scenes(size, count):
    """Aerial scenes that were not learned from: always the same."""
    return np.stack([aerial.scene(scene, size)[1] for scene in paired.HELD_OUT[:count]])


def _with_range(numbers, key):
    """A number as text, with its range if that is known."""
    if "range" not in numbers:
        return f"{numbers[key]:.2f}"
    least, most = numbers["range"][key]
    return f"{numbers[key]:.2f} ({least:.2f} … {most:.2f})"


@functools.cache
def _hubble():
    """The part of the Hubble deep field to train on."""
    return datasets.photographs("train")["hubble"]


def course_lines(history: list[dict]) -> list[str]:
    """The card's table of how the training went, at times that double."""
    if not history:
        return []
    lines = [
        "How it went (judged by fewer images, so that the real ones are further apart, too):",
        "",
        "| minutes | step | SWD over real, separately | jointly | not averaged | diversity |",
        "|---|---|---|---|---|---|",
    ]
    at = 0.0
    for row in history:
        if row["minutes"] < at and row is not history[-1]:
            continue
        values = (row[key] for key in ("swd_separate", "swd_joint", "plain_swd", "diversity"))
        numbers = " | ".join(f"{value:.2f}" for value in values)
        lines.append(f"| {row['minutes']:.1f} | {row['step']:.0f} | {numbers} |")
        while row["minutes"] >= at:
            at = 2 * at or 2.0
    return [*lines, ""]


def proof_lines(real: dict, drawn: dict, against: str) -> list[str]:
    """The card's table of what real images score and what the generator's do."""
    unseen = real.get("held_out")
    lines = [
        f"Sliced Wasserstein distances × 1000 of {against}; diversity is 1 − MS-SSIM of pairs, "
        "checkerboard the share of variance that repeats.",
        *(["Nearest training patch: 0 is a copy, √2 unrelated."] if "nearest" in drawn else []),
        "",
        "| | real | drawn | over real |" + (" held-out real, over real |" if unseen else ""),
        "|---|---|---|---|" + ("---|" if unseen else ""),
    ]
    for label, key, over in (
        ("SWD, separately normalised", "swd", "swd_separate"),
        ("SWD, jointly normalised", "swd_joint", "swd_joint"),
        ("diversity", "diversity", "diversity"),
    ):
        value, share = real[key], drawn[over]
        beside = f" {_with_range(unseen, over)} |" if unseen else ""
        lines.append(
            f"| {label} | {value:.3g} | {value * share:.3g} | {_with_range(drawn, over)} |{beside}"
        )
    if "nearest" in drawn:
        nearest = f"{drawn['nearest']:.3f} | | {unseen['nearest']:.3f}"
        lines.append(f"| nearest training patch, 5th percentile | | {nearest} |")
    if "read" in drawn:
        share = drawn["read"] / real["read"]
        values = f"{real['read']:.3f} | {drawn['read']:.3f} | {share:.2f}"
        lines.append(f"| pixels whose class reads back right | {values} |")
    for period in (2, 4):
        key = f"checkerboard_{period}"
        end = " |" * bool(unseen)
        lines.append(
            f"| checkerboard, period {period} | {real[key]:.1e} | {drawn[key]:.1e} | |{end}"
        )
    return [*lines, ""]
