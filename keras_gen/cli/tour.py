"""The tour: run each kind of stored generator once, and leave a picture and a table."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gen._util import figures
from keras_gen._util.files import atomic_write, atomic_write_text
from keras_gen._util.pixels import to_uint8
from keras_gen.data import aerial, bundled, resampling, scenes
from keras_gen.inference import sampling, stored, upscaling
from keras_gen.metrics.image_quality import quality

SIZE = 400
SCENE = 2  # of the held-out aerial scenes
PHOTO_CLOSEUP, SCENE_CLOSEUP = (185, 100, 130), (120, 60, 150)  # top, left, side
SKY_CLOSEUP = (130, 130, 140)
SKY_SEED = 1


@dataclass(frozen=True)
class Stop:
    """One generator's part of the tour.

    Attributes:
        name: the stored generator.
        title: what it does, for the picture.
        given: its input, uint8; a label map in its colours, a latent in grey.
        generated: its output, uint8 of shape (400, 400, 3).
        reference: what the output should be, or None.
        parameters: number of weights.
        seconds: time of one picture, after a first one.
    """

    name: str
    title: str
    given: np.ndarray
    generated: np.ndarray
    reference: np.ndarray | None
    parameters: int
    seconds: float

    def row(self) -> dict[str, str]:
        """The table's row."""
        psnr = "–"
        if self.reference is not None:
            psnr = f"{quality(self.generated, self.reference).psnr:.2f} dB"
            if self.given.shape != self.reference.shape:
                bicubic = resampling.upscale_bicubic(self.given, self.reference.shape[:2])
                psnr += f" (bicubic {quality(bicubic, self.reference).psnr:.2f})"
        return {
            "generator": self.name,
            "does": self.title,
            "output": "×".join(str(side) for side in self.generated.shape),
            "parameters": f"{self.parameters:,}",
            "PSNR": psnr,
            "seconds": f"{self.seconds:.2f}",
        }


def stops(progress: Callable[[str], None] = lambda name: None) -> list[Stop]:
    """Load and run the generators, one after another.

    Args:
        progress: called with a line about what comes next.

    Returns:
        The `Stop`s.

    Raises:
        ValueError: if the weights are missing.
    """
    found = []
    for name, run in (
        ("simple_64to400_photos", _upscale),
        ("unet_64to400_photos", _upscale),
        ("unet_labels_aerial", _render_map),
        ("pix2pix_aerial", _render_map),
        ("gan_hubble", _sample),
    ):
        progress(f"loading {name}")
        model = stored.load_generator(name)
        progress(f"running {name}")
        found.append(run(name, model))
    return found


def _upscale(name, model):
    reference = resampling.center_crop(bundled.photographs("test")["coffee"], (SIZE, SIZE))
    given = resampling.reduce(reference, model.input_shape[1:3])
    generated, seconds = _timed(lambda: upscaling.upscale(model, given))
    title = f"{given.shape[0]}×{given.shape[1]} photograph → {SIZE}×{SIZE}"
    return Stop(name, title, given, generated, reference, model.count_params(), seconds)


def _render_map(name, model):
    labels, reference = aerial.scene(scenes.HELD_OUT_SCENES[SCENE], SIZE)
    given = aerial.one_hot(labels)[None]
    generated, seconds = _timed(lambda: np.asarray(model(given, training=False)[0]))
    coloured, *pictures = map(to_uint8, (aerial.colour(labels), generated, reference))
    title = f"label map → aerial scene of {SIZE}×{SIZE}"
    return Stop(name, title, coloured, *pictures, model.count_params(), seconds)


def _sample(name, model):
    latent = sampling.sample_latents(1, model.input_shape[-1], seed=SKY_SEED)
    generated, seconds = _timed(lambda: sampling.generate(model, latent)[0])
    title = f"{latent.size} random numbers → sky of {SIZE}×{SIZE}"
    return Stop(name, title, _in_grey(latent[0]), generated, None, model.count_params(), seconds)


def _in_grey(latent):
    """Numbers from −3 to 3 as squares of a nearly square picture, black to white."""
    across = next(side for side in range(math.isqrt(latent.size), 0, -1) if latent.size % side == 0)
    grey = to_uint8((latent.reshape(across, -1) + 3) / 6)
    return np.repeat(grey[..., None], 3, axis=2)


def _timed(run):
    """What a function returns, and its seconds once a first call has prepared everything."""
    run()
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


def plot(stops: list[Stop]) -> list:
    """Plot the tour in rows: what was given, what was generated, the reference.

    Args:
        stops: the generators' parts, as `stops` gives them.

    Returns:
        Matplotlib figures of one width, to be stacked.
    """
    simple, unet, l1_unet, pix2pix, gan = stops
    photograph = figures.side_by_side(
        {
            "given: 64×64": simple.given,
            "bicubic": resampling.upscale_bicubic(simple.given, simple.reference.shape[:2]),
            "simple generator: 400×400": simple.generated,
            "U-Net: 400×400": unet.generated,
            "the photograph": simple.reference,
        },
        closeup=PHOTO_CLOSEUP,
        title="A photograph that the networks were not trained on",
    )
    close = _square(SCENE_CLOSEUP)
    scene = figures.side_by_side(
        {
            "given: a label map": l1_unet.given,
            "U-Net: 400×400": l1_unet.generated,
            "U-Net with a discriminator": pix2pix.generated,
            "with a discriminator, close": pix2pix.generated[close],
            "the scene": l1_unet.reference,
        },
        title="A map that the networks were not trained on, and the scenes they make of it",
    )
    close = _square(SKY_CLOSEUP)
    real = resampling.center_crop(bundled.held_out_sky()[0], (SIZE, SIZE))
    sky = figures.side_by_side(
        {
            "given: random numbers": gan.given,
            "GAN: 400×400": gan.generated,
            "GAN, close": gan.generated[close],
            "a real sky": real,
            "a real sky, close": real[close],
        },
        title="A sky that does not exist, and one that does",
    )
    return [photograph, scene, sky]


def _square(closeup):
    top, left, side = closeup
    return slice(top, top + side), slice(left, left + side)


def write(stops: list[Stop], directory: Path) -> tuple[Path, Path]:
    """Write the picture and the table.

    Args:
        stops: the generators' parts.
        directory: where to.

    Returns:
        The paths of `tour.png` and `tour.md`.
    """
    import matplotlib.pyplot as plt

    picture, table = directory / "tour.png", directory / "tour.md"
    rows = []
    for figure in plot(stops):
        figure.set_dpi(100)
        figure.canvas.draw()
        rows.append(np.asarray(figure.canvas.buffer_rgba())[..., :3])
        plt.close(figure)
    atomic_write(picture, Image.fromarray(np.vstack(rows)).save)
    rows = [stop.row() for stop in stops]
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
    atomic_write_text(table, "\n".join(lines) + "\n")
    return picture, table
