"""Put a GAN's generator to work: images from latents, a sheet of them, a walk between them."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gen._util.figures import contact_sheet
from keras_gen._util.files import atomic_write


def predict_in_batches(model: keras.Model, inputs: np.ndarray, batch_size: int = 8) -> np.ndarray:
    """What a model makes of inputs, a few at once: float32, as many as there are inputs."""
    parts = np.split(inputs, range(batch_size, len(inputs), batch_size))
    return np.concatenate([np.asarray(model(part, training=False), np.float32) for part in parts])


def sample_latents(
    count: int, dimension: int, *, seed: int | tuple[int, ...] = 0, truncation: float = 1.0
) -> np.ndarray:
    """Draw latent vectors.

    Args:
        count: how many.
        dimension: length of each.
        seed: chooses them; more of the same seed begin with the same.
        truncation: factor: below 1 nearer to the mean, images less various and often better
            (Brock et al. 2019 redraw what is far out; Karras et al. 2019 shrink, as here).

    Returns:
        Float32 `(count, dimension)`.

    Example:
        >>> latents(2, 3).shape
        (2, 3)
    """
    drawn = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.float32(truncation * drawn)


AT_ONCE = 4  # images drawn at once


MOST = 100_000  # images of a run


SHOWN = 64  # of them, on the sheet


def takes_latents(model: keras.Model) -> bool:
    """Say whether a model draws images from vectors."""
    shapes = [getattr(model, name, None) for name in ("input_shape", "output_shape")]
    given, drawn = (shape if isinstance(shape, tuple) else () for shape in shapes)
    return len(given) == 2 and len(drawn) == 4 and drawn[-1] == 3


def generate(
    model: keras.Model, inputs: np.ndarray, *, progress: Callable[[str], None] = lambda text: None
) -> np.ndarray:
    """Draw the images of some latents.

    Args:
        model: a generator that `takes_latents`.
        inputs: float `(count, latent_dim)`.
        progress: called with a line about what is being done.

    Returns:
        uint8 `(count, height, width, 3)`.

    Raises:
        ValueError: if the model takes no latents, or draws values that are not numbers.

    Example:
        images = draw(stored.load_generator("gan_hubble"), latents(16, 128))
    """
    if not takes_latents(model):
        raise ValueError(
            f"{model.name} maps {model.input_shape} to {model.output_shape}, and draws nothing "
            "from latents; give it pictures with --input"
        )
    parts = []
    for start in range(0, len(inputs), AT_ONCE):
        progress(f"drawing {start + 1} of {len(inputs)}")
        part = np.float32(inputs[start : start + AT_ONCE])
        drawn = np.asarray(model(part, training=False), np.float32)
        if not np.isfinite(drawn).all():
            raise ValueError("the generator draws values that are not numbers; its training failed")
        parts.append(np.rint(np.clip(drawn, 0, 1) * 255).astype(np.uint8))
    return np.concatenate(parts)


def latent_walk(latents: np.ndarray, frames: int) -> np.ndarray:
    """Go from one latent to the next, and back to the first, on arcs about the origin.

    In many dimensions nearly all latents lie at one distance from the origin; a straight line
    between two of them would lead through the middle, where the generator has never been.

    Args:
        latents: float `(count, dimension)`, two or more.
        frames: steps from each to the next.

    Returns:
        Float32 `(count * frames, dimension)`; every `frames`-th is one of the latents.

    Raises:
        ValueError: for fewer than two latents, or no frames.

    Example:
        >>> walk(np.eye(2), 2).round(2).tolist()
        [[1.0, 0.0], [0.71, 0.71], [0.0, 1.0], [0.71, 0.71]]

    Source: White (2016), Sampling generative networks, for the arcs.
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
        for share in np.arange(frames) / frames:
            weights = np.array([1 - share, share])
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
    """Draw images into a directory: one file each, a sheet of all, and if asked for, a walk.

    Args:
        model: a generator that `takes_latents`.
        out: the directory; files of an earlier run with the same names are replaced.
        label: what their names begin with.
        count: how many images.
        seed: chooses the latents; a larger count adds to the same images.
        truncation: as in `sampling.sample_latents`.
        frames: frames of an animated GIF from each image to the next, of the first 8; 0 for none.
        progress: called with a line about what is being done.

    Returns:
        The paths, the sheet (and the GIF) last.

    Raises:
        ValueError: if the model takes no latents, or for numbers out of range.
    """
    if not 1 <= count <= MOST or truncation < 0 or (frames and count < 2):
        raise ValueError(
            f"count={count}, truncation={truncation}, frames={frames}; expected 1 … {MOST} images "
            "(2 or more to walk between them) and a truncation of 0 or more"
        )
    if not takes_latents(model):
        generate(model, np.zeros((1, 1)))
    chosen = sample_latents(count, model.input_shape[-1], seed=seed, truncation=truncation)
    written, shown = [], []
    for start in range(0, count, AT_ONCE):
        progress(f"drawing {start + 1} of {count}")
        for place, image in enumerate(generate(model, chosen[start : start + AT_ONCE]), start):
            written.append(out / f"{label}_{seed}_{place:04d}.png")
            atomic_write(written[-1], Image.fromarray(image).save)
            if len(shown) < SHOWN:
                shown.append(image)
    sheet = Image.fromarray(contact_sheet(shown))
    written.append(out / f"{label}_{seed}_sheet.png")
    atomic_write(written[-1], sheet.save)
    if frames:
        images = generate(model, latent_walk(chosen[:8], frames), progress=progress)
        first, *rest = map(Image.fromarray, images)
        written.append(out / f"{label}_{seed}_walk.gif")
        settings = {"save_all": True, "append_images": rest, "duration": 80, "loop": 0}
        atomic_write(written[-1], lambda path: first.save(path, **settings))
    return written
