"""Keep TensorFlow's start-up lines out of the reader's notebook.

TensorFlow's C++ code writes to file descriptor 2 while it is imported, before any Python
setting can stop it. Jupyter stores those lines, and they differ from machine to machine. Importing
`keras_gen` installs a hook that catches the descriptor for the time that Keras or TensorFlow
takes to import, and no longer. Where that import fails, everything that was caught is let through.
"""

import contextlib
import importlib.abc
import importlib.machinery
import os
import sys
import tempfile

LIBRARIES = ("keras", "tensorflow")


@contextlib.contextmanager
def caught_descriptor(descriptor=2):
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


class _QuietLoader(importlib.abc.Loader):
    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        with caught_descriptor():
            self.loader.exec_module(module)
            if "tensorflow" in sys.modules:
                # Asking for the devices brings forward the lines of the first layer.
                import tensorflow

                tensorflow.config.list_physical_devices()

    def __getattr__(self, name):
        return getattr(self.loader, name)


class _QuietFinder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name not in LIBRARIES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader)
        return spec


def install():
    """Make every first import of Keras or TensorFlow quiet. Calling it again changes nothing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not any(isinstance(finder, _QuietFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _QuietFinder())
