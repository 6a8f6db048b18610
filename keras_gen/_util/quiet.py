"""Keep TensorFlow's start-up lines out of notebooks and terminals.

TensorFlow's C++ code writes to file descriptor 2 while it is imported, before any Python setting
can stop it. Jupyter stores those lines, and they differ from machine to machine.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def quiet_tensorflow() -> None:
    """Import Keras and its backend without TensorFlow's start-up lines.

    Call it before anything else imports Keras. Where the import fails, everything that was caught
    is let through; nothing that is written later is caught.

    Example:
        import keras_gen as kg

        kg.quiet_tensorflow()
        import keras
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with caught_descriptor():
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow

            # Asking for the devices brings forward the lines of the first layer.
            tensorflow.config.list_physical_devices()


@contextlib.contextmanager
def caught_descriptor(descriptor: int = 2) -> Iterator[None]:
    """Catch what is written to a file descriptor; let it through when the body fails."""
    with contextlib.ExitStack() as stack:
        try:
            saved = os.dup(descriptor)
            stack.callback(os.close, saved)
            caught = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # it is closed already, or there is no place to keep the lines
            saved = None
        if saved is None:
            yield
            return
        _flush()
        os.dup2(caught.fileno(), descriptor)
        try:
            yield
        except BaseException:
            _flush()
            os.dup2(saved, descriptor)
            caught.seek(0)
            with open(descriptor, "wb", closefd=False) as restored:
                restored.write(caught.read())
            raise
        finally:
            _flush()
            os.dup2(saved, descriptor)


def _flush():
    with contextlib.suppress(AttributeError, ValueError):  # there is none, or it is closed
        sys.stderr.flush()
