"""TensorFlow and JAX agree: one step's numbers, resumed training, and each other's states."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from keras_gen.training import checkpoints
from tests.models import one_step
from tests.training import tiny_gan
from tests.training.tiny_gan import arrays

ROOT = Path(__file__).parents[2]


def with_jax(*arguments):
    """Run Python with Keras on JAX."""
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """Each case's step, from the same arrays, on both backends."""
    directory = tmp_path_factory.mktemp("steps")
    random = np.random.default_rng(0)
    shape = (one_step.COUNT, one_step.SIDE, one_step.SIDE)
    found = {}
    for case in one_step.CASES:
        gan = one_step.build(case)
        arrays = {"real": random.random((*shape, 3), np.float32)}
        arrays["condition"] = random.random((*shape, 2), np.float32)
        for name, network in one_step.networks(gan).items():
            for index, weight in enumerate(network.get_weights()):
                arrays[f"{name}/{index}"] = weight
        random_inputs = gan.sample_inputs(one_step.COUNT, (*shape[1:], 3))
        np.savez(directory / f"{case}.npz", **arrays, **one_step.flat(random_inputs))
        condition = ops.array(arrays["condition"]) if gan.conditional else None
        found[case] = one_step.step(gan, arrays["real"], condition, random_inputs)
    with_jax("tests.models.one_step", directory)
    return {
        case: (numbers, dict(np.load(directory / f"{case}_done.npz")))
        for case, numbers in found.items()
    }


@pytest.mark.parametrize("case", one_step.CASES)
def test_one_step_is_the_same(steps, case):
    """Every loss and gradient agrees within 1e-4 of the largest number of its array, plus rounding,
    because the exact gradient may be 0, as that of the last bias is with a relativistic loss."""
    ours, theirs = steps[case]
    assert ours.keys() == theirs.keys()
    largest = max(np.abs(value).max() for value in ours.values())
    for name, expected in ours.items():
        within = 1e-4 * np.abs(expected).max() + np.finfo(np.float32).eps * largest
        np.testing.assert_allclose(theirs[name], expected, rtol=0, atol=within, err_msg=name)
    if case == "pix2pix":
        assert any(name.startswith("not_trained") for name in ours)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two training runs with JAX, one of which was stopped and resumed."""
    directory = tmp_path_factory.mktemp("trained")
    with_jax("tests.training.tiny_gan", directory)
    return directory


def test_jax_resumes_exactly(trained):
    """Both networks, both optimizers, the moving average and the best state are bit-identical."""
    for name in (checkpoints.CHECKPOINT, checkpoints.BEST):
        broken, unbroken = (arrays(trained / run / name) for run in ("broken", "unbroken"))
        assert broken == unbroken
    names = {name.split("/")[0] for name in broken}
    assert {"generator", "discriminator", "averaged_generator"} <= names
    assert {"generator_optimizer", "discriminator_optimizer"} <= names


def test_tensorflow_resumes_from_a_state_of_jax(trained, tmp_path):
    done = tmp_path / "taken_over"
    shutil.copytree(trained / "broken", done)
    before = arrays(done / checkpoints.CHECKPOINT)
    tiny_gan.train(done, steps=6, resume=True)
    after = arrays(done / checkpoints.CHECKPOINT)
    assert before.keys() == after.keys()
    for name in ("generator", "discriminator"):
        counter = f"{name}_optimizer/vars/0"
        steps = [int.from_bytes(state[counter], sys.byteorder) for state in (before, after)]
        assert steps == [4, 6]
