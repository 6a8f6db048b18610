"""Upsampling methods compared: as fixed filters, in networks that know nothing yet, and trained.

    fixed(photograph, scale=4)     # interpolators: what is lost, what is invented
    untrained(photograph)          # where the checkerboard is born
    trained(photograph)            # the same small network, trained with each method

Each gives a `Comparison`: numbers in `.rows`, pictures in `.pictures`, and a `.figure()`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from keras_gen._util import figures
from keras_gen._util.tables import Table
from keras_gen.analysis.costs import cost
from keras_gen.data.resampling import reduce
from keras_gen.inference.stored import load_generator, stored_names
from keras_gen.metrics import full_reference, spectra
from keras_gen.models.upsampling import UPSAMPLING, upsample

INTERPOLATORS = ("nearest", "bilinear", "bicubic", "lanczos3")


NAMES = {"psnr": "PSNR", "ssim": "SSIM"}


@dataclass(frozen=True)
class OldComparison:
    """The same picture by several methods.

    Attributes:
        rows: one row a method, its numbers as they were measured.
        pictures: what each method draws, by name, `(height, width, 3)` in 0 … 1; where there is a
            reference, it is the last.
        title: what is compared, in a line.
    """

    rows: Table
    pictures: dict[str, np.ndarray]
    title: str

    def row(self, method: str) -> dict:
        """The numbers of one method."""
        return next(row for row in self.rows if row["method"] == method)

    def table(self) -> Table:
        """The rows, rounded for reading."""
        return Table(
            {name: _rounded(name, cell) for name, cell in row.items()} for row in self.rows
        )

    def figure(
        self,
        closeup: tuple[int, int, int] | None = None,
        *,
        columns: int = 4,
        labels: Iterable[str] = (),
        width: float = 2.6,
    ):
        """Draw the pictures in a grid, each with its close-up below and its numbers above.

        Args:
            closeup: `(top, left, side)`, drawn enlarged with unsmoothed pixels; by default a tenth
                of the picture, from its middle.
            columns: pictures a row.
            labels: names of columns of `rows` to write above each picture.
            width: inches a picture.

        Returns:
            The Matplotlib figure.
        """
        height, across = next(iter(self.pictures.values())).shape[:2]
        if closeup is None:
            side = max(8, min(height, across) // 10)
            closeup = ((height - side) // 2, (across - side) // 2, side)
        titles = {}
        for name in self.pictures:
            row = next((row for row in self.rows if row["method"] == name), {})
            values = [
                f"{NAMES.get(label, label)} {_rounded(label, row[label])}"
                for label in labels
                if row.get(label) is not None
            ]
            titles[name] = "\n".join([name, *values])
        return figures.grid_with_closeups(
            self.pictures, titles, closeup, columns=columns, width=width, title=self.title
        )


def fixed(
    image: np.ndarray, *, scale: int = 4, methods: Iterable[str] = INTERPOLATORS
) -> OldComparison:
    """Reduce a picture and enlarge it again by filters that learn nothing.

    Args:
        image: the reference, uint8 of shape `(height, width, 3)`; it is cut to multiples of `scale`.
        scale: the factor.
        methods: names of `keras.ops.image.resize`'s interpolations.

    Returns:
        `Comparison` with PSNR (dB) and SSIM on luma, sharpness, checkerboard gain at period
        `scale`, and spectrum distance (dB); the last picture is the reference.

    Raises:
        ValueError: for another dtype or shape, or a picture smaller than 8 · `scale`.

    Example:
        fixed(bundled.photographs("test")[0]).table()
    """
    reference, low = _pair(image, scale)
    pictures = {}
    for method in methods:
        drawn = keras.ops.image.resize(low[None], reference.shape[:2], interpolation=method)
        pictures[method] = np.clip(keras.ops.convert_to_numpy(drawn)[0], 0, 1)
    pictures["reference"] = reference
    rows = [{"method": name} | _against(p, reference, scale) for name, p in pictures.items()]
    return OldComparison(Table(rows), pictures, f"enlarged ×{scale} by fixed filters")


def random_decoder(
    method: str, *, scale: int = 2, stages: int = 2, filters: int = 16, seed: int = 0
) -> keras.Model:
    """Build a decoder with random weights: the same but for its upsampling.

    A convolution, `stages` steps of LeakyReLU and upsampling, and a 1×1 convolution to RGB that
    hides nothing.

    Args:
        method: one of the keys of `UPSAMPLING`.
        scale: factor of a step.
        stages: steps.
        filters: channels.
        seed: seed of all weights.

    Returns:
        Fully convolutional model, `(batch, h, w, 3)` to `(batch, h · scale ** stages, …, 3)`.
    """
    start = [keras.initializers.GlorotUniform(1000 * seed + index) for index in range(2)]
    x = inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=start[0])(x)
    for stage in range(stages):
        x = layers.LeakyReLU(0.2)(x)
        x = upsample(x, filters, scale, method, seed=1000 * seed + 2 + stage)
    return keras.Model(inputs, layers.Conv2D(3, 1, kernel_initializer=start[1])(x))


def untrained(
    image: np.ndarray,
    *,
    methods: Iterable[str] = tuple(UPSAMPLING),
    seeds: Iterable[int] = range(20),
    scale: int = 2,
    stages: int = 2,
) -> OldComparison:
    """Feed decoders with random weights a photograph and noise, and look for the lattice.

    Args:
        image: uint8 of shape `(height, width, 3)`, given to the decoders as it is.
        methods: keys of `UPSAMPLING`.
        seeds: one decoder each.
        scale: factor of a step, and the period of the scores.
        stages: steps of each decoder.

    Returns:
        `Comparison`: medians over the seeds of the checkerboard `gain` on the photograph and
        `energy` on zero-mean noise; pictures of the first seed, stretched to 0 … 1.

    Raises:
        ValueError: for another dtype or shape, or no seeds.

    Example:
        untrained(reduce(photograph, (50, 75)), methods=["nearest", "transposed"]).table()
    """
    seeds, methods = list(seeds), list(methods)
    if not seeds:
        raise ValueError("no seeds were given; give at least one, range(20) for instance")
    photograph = _checked(image)[None] / np.float32(255)
    noise = np.random.default_rng(0).normal(size=photograph.shape).astype("float32")
    border = 4 * scale**stages  # padding darkens the edges
    inside = np.s_[border:-border, border:-border]
    rows, pictures = [], {}
    for method in methods:
        scores = []
        for seed in seeds:
            model = random_decoder(method, scale=scale, stages=stages, seed=seed)
            drawn, answer = (
                keras.ops.convert_to_numpy(model(x, training=False))[0][inside]
                for x in (photograph, noise)
            )
            scores.append(
                (
                    spectra.checkerboard_gain(drawn, scale),
                    spectra.checkerboard_energy(answer, scale),
                )
            )
            pictures.setdefault(method, _stretched(drawn))
        gain, energy = np.median(scores, axis=0)
        rows.append({"method": method, "gain": float(gain), "energy": float(energy)})
    return OldComparison(Table(rows), pictures, "drawn by random weights")


def trained(
    image: np.ndarray, *, methods: Iterable[str] | None = None, scale: int = 4
) -> OldComparison:
    """Reduce a picture and let the stored networks, one a method, draw it again.

    They are the same small network but for the upsampling, trained alike by
    `benchmarks/upsampling.py`, which also says how much the numbers vary with the seed.

    Args:
        image: the reference, uint8 of shape `(height, width, 3)`; it is cut to multiples of `scale`.
        methods: keys of `UPSAMPLING`; by default all whose networks are stored.
        scale: the networks' factor.

    Returns:
        `Comparison` with the scores of `fixed`, parameters and multiply–accumulates for this
        picture; the last picture is the reference.

    Raises:
        ValueError: for another dtype or shape, or where a network is not stored.

    Example:
        trained(bundled.photographs("test")[0]).figure()
    """
    reference, low = _pair(image, scale)
    if methods is None:
        stored = stored_names()
        methods = [m for m in UPSAMPLING if f"upsampling_{m}_x{scale}" in stored]
    rows, pictures = [], {}
    for method in methods:
        model = load_generator(f"upsampling_{method}_x{scale}")
        drawn = keras.ops.convert_to_numpy(model(low[None], training=False))[0]
        counted = cost(model, input_shape=low.shape)
        rows.append(
            {"method": method}
            | _against(drawn, reference, scale)
            | {"parameters": counted.parameters, "macs": counted.macs}
        )
        pictures[method] = drawn
    pictures["reference"] = reference
    none = {"parameters": None, "macs": None}
    rows.append({"method": "reference"} | _against(reference, reference, scale) | none)
    return OldComparison(Table(rows), pictures, f"enlarged ×{scale} by the same trained network")


def _checked(image):
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
        kind = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image)
        raise ValueError(f"received {kind}; expected uint8 of shape (height, width, 3)")
    return image


def _pair(image, scale):
    """The picture, cut to multiples of the scale, and its reduction; float32 in 0 … 1."""
    height, width = (side // scale * scale for side in _checked(image).shape[:2])
    if min(height, width) < 8 * scale:
        raise ValueError(
            f"received {image.shape[0]}×{image.shape[1]} pixels; ×{scale} needs {8 * scale} a side"
        )
    reference = image[:height, :width]
    low = reduce(reference, (height // scale, width // scale))
    return reference / np.float32(255), low / np.float32(255)


def _against(drawn, reference, scale):
    same = drawn is reference
    return {
        "psnr": None if same else full_reference.psnr(drawn, reference, luma=True, border=4),
        "ssim": full_reference.ssim(drawn, reference, luma=True, border=4),
        "gain": spectra.checkerboard_gain(drawn, scale),
        "sharpness": full_reference.sharpness(drawn),
        "spectrum": spectra.spectrum_distance(drawn, reference),
    }


def _stretched(picture):
    low, high = np.percentile(picture, (1, 99))
    return np.clip((picture - low) / max(high - low, 1e-6), 0, 1)


def _rounded(name, cell):
    if not isinstance(cell, float):
        return cell
    forms = {"psnr": ".2f", "ssim": ".3f", "gain": ".1g", "energy": ".2f", "spectrum": ".1f"}
    cell = 0.0 if abs(cell) < 1e-12 else cell  # what rounding leaves of an exact zero
    return format(cell, forms.get(name, ".4f"))
