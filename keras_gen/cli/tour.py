"""The tour: draw 400×400 with every kind of generator, and leave the picture and the table."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gen._util.figures import side_by_side
from keras_gen._util.files import atomic_write, atomic_write_text
from keras_gen.data import bundled, resampling, scenes
from keras_gen.data.aerial import rendering
from keras_gen.inference import sampling, stored, upscaling
from keras_gen.metrics import full_reference

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
        given: what it was given, uint8; a label map in its colours, a latent in grey.
        generated: what it drew, uint8 of shape (400, 400, 3).
        reference: what it should have generated, or None.
        parameters: number of weights.
        seconds: of one picture, after a first one.
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
        quality = "–"
        if self.reference is not None:
            quality = f"{full_reference.psnr(self.generated / 255, self.reference / 255):.2f} dB"
            if self.given.shape != self.reference.shape:
                bicubic = resampling.upscale_bicubic(self.given, self.reference.shape[:2])
                quality += (
                    f" (bicubic {full_reference.psnr(bicubic / 255, self.reference / 255):.2f})"
                )
        return {
            "generator": self.name,
            "does": self.title,
            "output": "×".join(str(side) for side in self.generated.shape),
            "parameters": f"{self.parameters:,}",
            "PSNR": quality,
            "seconds": f"{self.seconds:.2f}",
        }


def stops(progress: Callable[[str], None] = lambda name: None) -> list[Stop]:
    """Build and run the generators, one after another.

    Args:
        progress: called with a line about what comes next.

    Returns:
        The `Stop`s.

    Raises:
        ValueError: if the weights are missing.
    """
    found = []
    for name, draw in (
        ("simple_64to400_photos", _enlarger),
        ("unet_64to400_photos", _enlarger),
        ("unet_labels_aerial", _painter),
        ("pix2pix_aerial", _painter),
        ("gan_hubble", _dreamer),
    ):
        progress(f"loading {name}")
        model = stored.load_generator(name)
        progress(f"drawing with {name}")
        found.append(draw(name, model))
    return found


def _enlarger(name, model):
    reference = resampling.center_crop(bundled.photographs("test")["coffee"], (SIZE, SIZE))
    given = resampling.reduce(reference, model.input_shape[1:3])
    generated, seconds = _timed(lambda: upscaling.upscale(model, given))
    title = f"{given.shape[0]}×{given.shape[1]} photograph → {SIZE}×{SIZE}"
    return Stop(name, title, given, generated, reference, model.count_params(), seconds)


def _painter(name, model):
    labels, reference = rendering.scene(scenes.HELD_OUT_SCENES[SCENE], SIZE)
    given = rendering.one_hot(labels)[None]
    generated, seconds = _timed(lambda: np.asarray(model(given, training=False)[0]))
    pictures = [np.rint(image * 255).astype(np.uint8) for image in (generated, reference)]
    coloured = np.rint(rendering.colour(labels) * 255).astype(np.uint8)
    title = f"label map → aerial scene of {SIZE}×{SIZE}"
    return Stop(name, title, coloured, *pictures, model.count_params(), seconds)


def _dreamer(name, model):
    latent = sampling.sample_latents(1, model.input_shape[-1], seed=SKY_SEED)
    generated, seconds = _timed(lambda: sampling.generate(model, latent)[0])
    title = f"{latent.size} random numbers → sky of {SIZE}×{SIZE}"
    return Stop(name, title, _in_grey(latent[0]), generated, None, model.count_params(), seconds)


def _in_grey(latent):
    """Numbers from −3 to 3 as squares of a nearly square picture, black to white."""
    across = next(side for side in range(math.isqrt(latent.size), 0, -1) if latent.size % side == 0)
    grey = np.uint8(np.clip((latent.reshape(across, -1) + 3) / 6, 0, 1) * 255)
    return np.repeat(grey[..., None], 3, axis=2)


def _timed(draw):
    """What is generated, and the seconds it takes once the first call has prepared everything."""
    draw()
    start = time.perf_counter()
    generated = draw()
    return generated, time.perf_counter() - start


def figures(stops: list[Stop]) -> list:
    """Draw the tour's picture in rows: what was given, what was generated, the reference.

    Args:
        stops: the generators' parts, as `stops` gives them.

    Returns:
        Matplotlib figures of one width, to be laid under one another.
    """
    simple, unet, painter, judged, dreamer = stops
    photograph = side_by_side(
        {
            "given: 64×64": simple.given,
            "bicubic enlargement": resampling.upscale_bicubic(
                simple.given, simple.reference.shape[:2]
            ),
            "simple generator: 400×400": simple.generated,
            "U-Net: 400×400": unet.generated,
            "the photograph": simple.reference,
        },
        closeup=PHOTO_CLOSEUP,
        title="A photograph that the networks never saw",
    )
    top, left, side = SCENE_CLOSEUP
    place = (slice(top, top + side), slice(left, left + side))
    scene = side_by_side(
        {
            "given: a label map": painter.given,
            "U-Net: 400×400": painter.generated,
            "U-Net with a judge: 400×400": judged.generated,
            "with a judge, close": judged.generated[place],
            "the scene": painter.reference,
        },
        title="A map that the networks never saw, and what they draw from it",
    )
    top, left, side = SKY_CLOSEUP
    place = (slice(top, top + side), slice(left, left + side))
    real = resampling.center_crop(bundled.held_out_sky()[0], (SIZE, SIZE))
    sky = side_by_side(
        {
            "given: random numbers": dreamer.given,
            "GAN: 400×400": dreamer.generated,
            "GAN, close": dreamer.generated[place],
            "a real sky": real,
            "a real sky, close": real[place],
        },
        title="A sky that does not exist, and one that does",
    )
    return [photograph, scene, sky]


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
    for figure in figures(stops):
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
