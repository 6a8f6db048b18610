"""Images from a GAN's generator: from random latents, as a sheet, along a walk between latents."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gen._util.figures import contact_sheet
from keras_gen._util.files import atomic_write
from keras_gen._util.pixels import generated_to_uint8

BATCH_SIZE = 4  # images generated at once

MAX_COUNT = 100_000  # images of one run

SHEET_COUNT = 64  # the first images of a run, shown on its sheet

WALK_COUNT = 8  # the first images of a run, visited by its walk


def predict_in_batches(model: keras.Model, inputs: np.ndarray, batch_size: int = 8) -> np.ndarray:
    """Apply a model to many inputs, a few at a time.

    Args:
        model: the model.
        inputs: array of shape `(count, …)`.
        batch_size: inputs at a time.

    Returns:
        Float32 array of shape `(count, …)`.
    """
    parts = np.split(inputs, range(batch_size, len(inputs), batch_size))
    return np.concatenate([np.asarray(model(part, training=False), np.float32) for part in parts])


def sample_latents(
    count: int, dimension: int, *, seed: int | tuple[int, ...] = 0, truncation: float = 1.0
) -> np.ndarray:
    """Sample latent vectors from a standard normal distribution.

    Args:
        count: number of vectors.
        dimension: length of each vector.
        seed: seed of the samples; a larger count extends a smaller one.
        truncation: factor for the vectors. Below 1 they lie nearer to the mean: images are less
            diverse and often better (Brock et al. 2019 resample outliers; Karras et al. 2019
            shrink, as here).

    Returns:
        Float32 array of shape `(count, dimension)`.

    Example:
        >>> sample_latents(2, 3).shape
        (2, 3)
    """
    latents = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.float32(truncation * latents)


def takes_latents(model: keras.Model) -> bool:
    """Say whether a model generates RGB images from vectors."""
    shapes = [getattr(model, name, None) for name in ("input_shape", "output_shape")]
    inputs, outputs = (shape if isinstance(shape, tuple) else () for shape in shapes)
    return len(inputs) == 2 and len(outputs) == 4 and outputs[-1] == 3


def generate(
    model: keras.Model, latents: np.ndarray, *, progress: Callable[[str], None] = lambda text: None
) -> np.ndarray:
    """Generate images from latents.

    Args:
        model: a generator that `takes_latents`.
        latents: float array of shape `(count, latent_dim)`.
        progress: called with a line about what is being done.

    Returns:
        uint8 array of shape `(count, height, width, 3)`.

    Raises:
        ValueError: if the model takes no latents, or generates values that are not numbers.

    Example:
        >>> generate(kg.gan_generator(8, 32, filters=(8, 4)), sample_latents(3, 8)).shape
        (3, 32, 32, 3)
    """
    _check_takes_latents(model)
    parts = []
    for start in range(0, len(latents), BATCH_SIZE):
        progress(f"generating {start + 1} of {len(latents)}")
        part = np.float32(latents[start : start + BATCH_SIZE])
        parts.append(generated_to_uint8(model(part, training=False)))
    return np.concatenate(parts)


def latent_walk(latents: np.ndarray, frames: int) -> np.ndarray:
    """Move from each latent to the next, and back to the first, on arcs about the origin.

    In many dimensions nearly all latents lie at about the same distance from the origin. A straight
    line between two of them would pass nearer to it, where the generator was never trained.

    Args:
        latents: float array of shape `(count, dimension)`, at least two vectors.
        frames: steps from each latent to the next.

    Returns:
        Float32 array of shape `(count * frames, dimension)`; every `frames`-th row is a latent.

    Raises:
        ValueError: for fewer than two latents, or no frames.

    Example:
        >>> print(latent_walk(np.eye(2), 2).round(2))
        [[1.   0.  ]
         [0.71 0.71]
         [0.   1.  ]
         [0.71 0.71]]

    References:
        White (2016), "Sampling generative networks", for the arcs.
    """
    if len(latents) < 2 or frames < 1:
        raise ValueError(
            f"received {len(latents)} latents and frames={frames}; a walk needs at least 2 latents "
            "and 1 frame between them"
        )
    steps = []
    for start, end in zip(latents, np.roll(latents, -1, axis=0), strict=True):
        cosine = np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end) + 1e-12)
        angle = np.arccos(np.clip(cosine, -1, 1))
        for fraction in np.arange(frames) / frames:
            weights = np.array([1 - fraction, fraction])
            if np.sin(angle) > 1e-6:
                weights = np.sin(angle * weights) / np.sin(angle)
            steps.append(weights[0] * start + weights[1] * end)
    return np.float32(steps)


def generate_files(
    model: keras.Model,
    out: Path,
    *,
    label: str,
    count: int = 16,
    seed: int = 0,
    truncation: float = 1.0,
    frames: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Generate images into a directory: a file each, a sheet of them, and a walk if wanted.

    Args:
        model: a generator that `takes_latents`.
        out: the directory; files of an earlier run with the same names are replaced.
        label: the beginning of every file name.
        count: number of images.
        seed, truncation: as in `sample_latents`; a larger count adds to the same images.
        frames: frames from each of the first 8 images to the next, in an animated GIF; 0 for none.
        progress: called with a line about what is being done.

    Returns:
        The paths, with the sheet (and the GIF) last.

    Raises:
        ValueError: if the model takes no latents, or for numbers out of range.
    """
    if not 1 <= count <= MAX_COUNT or truncation < 0 or (frames and count < 2):
        raise ValueError(
            f"count={count}, truncation={truncation}, frames={frames}; expected 1 … {MAX_COUNT} "
            "images (2 or more to walk between them) and a truncation of 0 or more"
        )
    _check_takes_latents(model)
    latents = sample_latents(count, model.input_shape[-1], seed=seed, truncation=truncation)
    written, shown = [], []
    for start in range(0, count, BATCH_SIZE):
        progress(f"generating {start + 1} of {count}")
        images = generate(model, latents[start : start + BATCH_SIZE])
        for number, image in enumerate(images, start):
            written.append(out / f"{label}_{seed}_{number:04d}.png")
            atomic_write(written[-1], Image.fromarray(image).save)
        shown.extend(images[: SHEET_COUNT - len(shown)])
    written.append(out / f"{label}_{seed}_sheet.png")
    atomic_write(written[-1], Image.fromarray(contact_sheet(shown)).save)
    if frames:
        walk = generate(model, latent_walk(latents[:WALK_COUNT], frames), progress=progress)
        first, *rest = map(Image.fromarray, walk)
        written.append(out / f"{label}_{seed}_walk.gif")
        settings = {"save_all": True, "append_images": rest, "duration": 80, "loop": 0}
        atomic_write(written[-1], lambda path: first.save(path, **settings))
    return written


def _check_takes_latents(model):
    if not takes_latents(model):
        raise ValueError(
            f"{model.name} maps {model.input_shape} to {model.output_shape}, so it generates "
            "nothing from latents; give it pictures with --input"
        )
