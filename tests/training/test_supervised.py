"""Loss, learning rate and metric of trainings on pairs."""

import numpy as np
import pytest

from keras_gen.training import loop
from keras_gen.training.supervised import LOSSES, compile_for_images, psnr
from tests.training.tiny_simple import constant_batches, new_console


def test_rate_rises_and_falls(small_model):
    compile_for_images(small_model, steps=1000, learning_rate=0.01)
    rate = [float(small_model.optimizer._learning_rate(step)) for step in range(1001)]
    assert rate[0] == 0
    assert np.argmax(rate) == 50
    assert rate[50] == pytest.approx(0.01)
    assert rate[1000] == pytest.approx(0, abs=1e-9)
    assert (np.diff(rate[:50]) > 0).all()
    assert (np.diff(rate[50:]) < 0).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(small_model, tmp_path, loss):
    compile_for_images(small_model, steps=2, loss=loss)
    history = loop.train(
        small_model, constant_batches, directory=tmp_path, steps=2, console=new_console()
    )
    assert history[-1]["loss"] > 0


def test_psnr_of_a_known_error():
    reference = np.zeros((2, 4, 4, 3), np.float32)
    image = np.stack([np.full((4, 4, 3), 0.1), np.full((4, 4, 3), 0.01)]).astype(np.float32)
    np.testing.assert_allclose(psnr(reference, image), [20, 40], rtol=1e-5)
    assert np.isfinite(psnr(reference, reference)).all()
