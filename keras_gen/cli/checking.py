"""Is this machine ready for the course? One line a question, with what to do where it is not."""

import importlib.util
import os
import platform
import shutil
import sys
import time
from dataclasses import dataclass

from keras_gen._util import progress
from keras_gen._util.machine import main_memory
from keras_gen._util.quiet import quiet_tensorflow

LEAST_MEMORY = 4 * 2**30
LEAST_DISK = 2**30


@dataclass(frozen=True)
class Finding:
    """One answer: what was asked, what was found, whether that will do, and else what to do."""

    question: str
    found: str
    fine: bool
    advice: str = ""


def findings() -> list[Finding]:
    """Look the machine over; the slow questions, which import Keras, come last.

    Returns:
        The `Finding`s, in the order in which they should be shown.
    """
    libraries = _keras()
    ready = all(finding.fine for finding in libraries if finding.question == "libraries")
    return [
        *(_python(), _memory(), _disk(), _notebooks()),
        *libraries,
        *(_weights() if ready else []),
    ]


def _python():
    version = platform.python_version()
    fine = (3, 11) <= sys.version_info < (3, 14)
    return Finding("Python", version, fine, "install Python 3.11, 3.12 or 3.13")


def _memory():
    size = main_memory()
    found = "unknown" if size is None else f"{size / 2**30:.1f} GiB, {os.cpu_count()} cores"
    fine = size is None or size >= LEAST_MEMORY
    return Finding("memory", found, fine, "close other programs; training needs 4 GiB")


def _disk():
    free = shutil.disk_usage(".").free
    return Finding(
        "free disk here", f"{free / 2**30:.1f} GiB", free >= LEAST_DISK, "free a gigabyte"
    )


def _notebooks():
    found = importlib.util.find_spec("jupyterlab") is not None
    advice = 'pip install -c constraints.txt -e ".[notebooks]"'
    return Finding("JupyterLab", "installed" if found else "missing", found, advice)


def _keras():
    start = time.perf_counter()
    try:
        quiet_tensorflow()
        import keras
        import tensorflow
    except Exception as error:  # a broken installation fails in any way
        advice = "pip install -c constraints.txt -e ."
        reason = progress.one_line(error) or type(error).__name__
        return [Finding("libraries", reason, False, advice)]
    seconds = time.perf_counter() - start
    versions = f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}"
    off = os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0"
    return [
        Finding("libraries", f"{versions}, imported in {seconds:.1f} s", True),
        Finding("Keras backend", keras.backend.backend(), True),
        Finding(
            "oneDNN", "off" if off else "on", not off, "unset TF_ENABLE_ONEDNN_OPTS: 4 to 7× faster"
        ),
        Finding("devices", ", ".join(_devices(tensorflow)), True),
    ]


def _devices(tensorflow):
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return [f"{device.platform}:{device.id} ({device.device_kind})" for device in jax.devices()]
    return [device.name.split(":", 1)[1] for device in tensorflow.config.list_physical_devices()]


def _weights():
    from keras_gen.inference import stored

    names = stored.stored_names()
    found = f"{len(names)} generators" if names else f"none in {stored.weights_directory()}"
    advice = "run from a complete copy of the project, or set KERAS_GEN_WEIGHTS"
    first = sorted(names, key=lambda name: not name.startswith("simple"))[:1]
    return [Finding("trained weights", found, bool(names), advice), *map(_first_picture, first)]


def _first_picture(name):
    import numpy as np

    from keras_gen.inference import stored

    question = f"{name} generates"
    try:
        model = stored.load_generator(name)
        given = np.zeros((1, *(side or 64 for side in model.input_shape[1:])), np.float32)
        model(given, training=False)
        start = time.perf_counter()
        picture = model(given, training=False)
        seconds = time.perf_counter() - start
    except Exception as error:  # whatever a damaged file or a broken installation leads to
        return Finding(question, progress.one_line(error), False, "fetch the file again")
    return Finding(question, f"{picture.shape[1]}×{picture.shape[2]} in {seconds:.2f} s", True)
