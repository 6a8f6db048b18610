"""What this machine is: processor, memory, versions."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """Say in a line what this machine is: processor, cores, versions, and JAX's device if any."""
    import keras
    import tensorflow

    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].split(":", 1)[1].strip() if names else processor
    backend = f"TensorFlow {tensorflow.__version__}"
    if keras.backend.backend() == "jax":
        import jax

        backend = f"JAX {jax.__version__} on {jax.devices()[0].device_kind}"
    return (
        f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Keras {keras.__version__}, {backend}"
    )


def main_memory() -> int | None:
    """Bytes of main memory, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
