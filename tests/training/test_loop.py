"""The loop of all trainings, on the smallest model: rounds, resuming, divergence, progress."""

import io

import h5py
import keras
import numpy as np
import pytest
from rich.console import Console

from keras_gen._util import progress
from keras_gen.training import loop
from keras_gen.training.supervised import compile_for_images
from tests.training.tiny_simple import checkpoint, constant_batches, new_console, text_of


def test_loss_that_is_not_finite_ends_the_training(small_model, tmp_path):
    def batches(first_step, steps):
        return constant_batches(first_step, steps, np.nan if first_step >= 2 else 0.5)

    with pytest.raises(FloatingPointError) as caught:
        loop.train(
            small_model, batches, directory=tmp_path, steps=6, every=2, console=new_console()
        )
    message = str(caught.value)
    assert "diverged at step 3 (loss nan), and the state after step 2 is kept" in message
    assert "lower learning rate" in message
    with h5py.File(checkpoint(tmp_path)) as file:
        arrays = []
        file.visititems(
            lambda _, item: arrays.append(item[()]) if isinstance(item, h5py.Dataset) else None
        )
    assert arrays
    assert all(np.isfinite(array).all() for array in arrays)


def test_weights_that_diverge_are_not_kept(small_model, tmp_path):
    """The loss of the last step is still a number, but its update has made the weights infinite."""

    class Spoil(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            variable.assign(variable * np.inf)

    small_model.compile(Spoil(), loss="mean_absolute_error")
    with pytest.raises(FloatingPointError, match="no state is kept yet"):
        loop.train(
            small_model, constant_batches, directory=tmp_path, steps=1, console=new_console()
        )
    assert not checkpoint(tmp_path).exists()


def test_resume_where_nothing_is_starts_a_training(small_model, tmp_path):
    history = loop.train(
        small_model,
        constant_batches,
        directory=tmp_path / "new",
        steps=6,
        every=4,
        resume=True,
        console=new_console(),
    )
    assert [row["step"] for row in history] == [4, 6]


def test_resume_adds_to_the_history(small_model, tmp_path):
    def stop(first_step, steps):
        if first_step == 4:
            raise KeyboardInterrupt
        return constant_batches(first_step, steps)

    shown = new_console()
    with pytest.raises(KeyboardInterrupt):
        loop.train(small_model, stop, directory=tmp_path, steps=6, every=2, console=shown)
    assert "stopped; the state after step 4 is kept, continue with --resume" in text_of(shown)
    other = keras.Model(small_model.input, small_model.output)
    compile_for_images(other, steps=6)
    other.set_weights([np.zeros_like(weights) for weights in small_model.get_weights()])
    firsts = []

    def batches(first_step, steps):
        firsts.append(first_step)
        return constant_batches(first_step, steps)

    history = loop.train(
        other, batches, directory=tmp_path, steps=6, every=1, resume=True, console=new_console()
    )
    assert firsts == [4, 5], "only what was missing is done"
    assert [row["step"] for row in history] == [2, 4, 5, 6]
    assert history[-1]["minutes"] > history[1]["minutes"] > 0


def test_progress_is_shown_before_the_first_step_and_now_and_then(
    small_model, tmp_path, monkeypatch
):
    shown = new_console()
    asked = []

    def batches(first_step, steps):
        asked.append(text_of(shown))
        return constant_batches(first_step, steps)

    loop.train(small_model, batches, directory=tmp_path / "a", steps=6, every=3, console=shown)
    assert asked[0] == "preparing the first step\n"
    lines = text_of(shown).splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == [
        *("step 1 of 6", "step 3 of 6", "step 6 of 6")
    ]
    assert "loss 0." in lines[1]
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    monkeypatch.setattr(progress.NowAndThen.__init__, "__defaults__", (0.0,))
    shown = new_console()
    compile_for_images(small_model, steps=6)
    loop.train(
        small_model, constant_batches, directory=tmp_path / "b", steps=6, every=3, console=shown
    )
    assert "step 5 of 6: loss 0." in text_of(shown)


def test_in_a_terminal_a_bar_is_shown(small_model, tmp_path):
    shown = Console(file=io.StringIO(), force_terminal=True, width=120, highlight=False)
    loop.train(small_model, constant_batches, directory=tmp_path, steps=6, every=3, console=shown)
    assert "preparing the first step" in text_of(shown)
    assert "6/6" in text_of(shown)
    assert "step 3 of 6: loss " in text_of(shown), "what a round measured stays above the bar"
