"""Compare upsampling methods on pictures: by eye on a page of HTML, and in numbers.

Each picture is made smaller and enlarged again by every method, so that the truth is known; or,
where there is no larger truth, enlarged as it is.

    comparison = compare("photos/", scale=4)
    comparison.write("page.html")
"""

import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np

from keras_gen import datasets, enlargers, generating, metrics, reporting, spectra, training, viewer
from keras_gen.enlargers import Enlarger, show_scale

BORDER = 4  # pixels left out by PSNR and SSIM, as where trainings are judged
LONGEST = 400  # pixels of the longer side of a panel
LONGEST_ENLARGED = 800  # the same without a truth: what is given is not made smaller
LARGEST_SCALE = 16
COUNT = 24  # pictures on a page
MOST_PIXELS = 2**27  # of all panels: a page of about 120 MB, which browsers still open
NOISE_SIDE, NOISE_BORDER = 96, 8

_PSNR = viewer.Column(
    "psnr",
    "PSNR",
    "dB",
    "How close the pixels are to the truth, on luma, a border of 4 pixels left out: higher is "
    "closer. It forgives blur more readily than wrong detail.",
    "{:.2f}".format,
    best="high",
    headline=True,
)
_SSIM = viewer.Column(
    "ssim",
    "SSIM",
    "",
    "How alike edges and texture are to the truth's, on luma: 1 is equal.",
    "{:.4f}".format,
    best="high",
    headline=True,
)
_SPECTRUM = viewer.Column(
    "spectrum",
    "Spectrum distance",
    "dB",
    "How far the amount of coarse and fine detail is from the truth's, over all frequencies: "
    "0 is equal. It asks how much, not whether it is right: the edges of square pixels count too.",
    "{:.2f}".format,
)
_SHARPNESS = viewer.Column(
    "sharpness",
    "Sharpness",
    "truth = 100",
    "Variance of the Laplacian, in percent of the truth's. Below 100 is blurred; square pixels, "
    "noise and checkerboards are edges too, and raise it.",
    "{:.1f}".format,
)
_SHARPNESS_ALONE = viewer.Column(
    "sharpness",
    "Sharpness",
    "× 1000",
    "Variance of the Laplacian. Square pixels, noise and checkerboards are edges too, and raise "
    "it: read it beside the picture.",
    lambda value: f"{1000 * value:.3g}",
)
_GAIN = viewer.Column(
    "gain",
    "Checkerboard gain",
    "ppm",
    "Share of the picture's variance, in millionths, that is a pattern repeating with the scale: "
    "a lattice that shows even on flat areas. Photographs have a little by chance.",
    lambda value: f"{1e6 * value:,.0f}" if value >= 1e-5 else f"{1e6 * value:.1f}",
)
_ENERGY = viewer.Column(
    "energy",
    "Checkerboard energy",
    "on noise",
    "How unevenly white noise comes out over the pixels of a cell: 0 is evenly. A transposed "
    "convolution with uneven overlap is uneven; so is interpolation, which smooths more halfway "
    "between the given pixels.",
    "{:.2f}".format,
)
_PARAMETERS = viewer.Column(
    "parameters", "Parameters", "", "Weights of the network.", "{:,.0f}".format
)
_MACS = viewer.Column(
    "macs",
    "Multiply–adds",
    "million",
    "Multiplications by a weight, each with an addition, for one picture.",
    lambda value: f"{value / 1e6:,.0f}" if value >= 1e7 else f"{value / 1e6:.2g}",
)
_MILLISECONDS = viewer.Column(
    "milliseconds",
    "Time",
    "ms",
    "One picture, measured once when this page was made, after a first run.",
    lambda value: f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
)


@dataclass
class Comparison:
    """What `compare` found.

    Attributes:
        scale: by how much was enlarged.
        methods: the methods, in the order of the panels.
        pictures: `viewer.Picture`s with the panels, uint8, and their numbers.
        columns: which numbers there are.
        skipped: `(name, reason)` of pictures that could not be used.
        has_truth: whether the first panel of each picture is the truth.
        title: the page's heading.
        notes: how it was made, in lines.
    """

    scale: Fraction
    methods: list[Enlarger]
    pictures: list[viewer.Picture] = field(default_factory=list)
    columns: list[viewer.Column] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    has_truth: bool = True
    title: str = ""
    notes: list[str] = field(default_factory=list)

    def rows(self) -> list[dict]:
        """The numbers of every picture and method.

        Returns:
            One dict a panel: `picture`, `method`, and the numbers by `Column.key`, which are None
            where there is none. Sharpness is in percent of the truth's where there is a truth.
        """
        return [
            {"picture": picture.name, "method": panel.title, **panel.numbers}
            for picture in self.pictures
            for panel in picture.panels
        ]

    def means(self) -> list[dict]:
        """The numbers of every method, averaged over the pictures.

        Returns:
            One dict a method: `method`, and the numbers by `Column.key`.
        """
        averages = viewer.means(self.pictures, self.columns)
        panels = self.pictures[0].panels
        return [{"method": panel.title, **row} for panel, row in zip(panels, averages, strict=True)]

    def html(self) -> str:
        """The page, as text."""
        return viewer.page(
            self.pictures,
            self.columns,
            title=self.title,
            lead=self._lead(),
            notes=self.notes,
            truth=self.has_truth,
            period=float(self.scale),
        )

    def write(self, path: str | Path) -> Path:
        """Write the page, whole or not at all.

        Args:
            path: the file; one that is there is replaced.

        Returns:
            The path.
        """
        path, page = datasets.expanded(path), self.html()
        training.write_whole(path, lambda name: Path(name).write_text(page, "utf-8"))
        return path

    def _lead(self):
        times, methods = show_scale(self.scale), len(self.methods)
        each = "One picture was" if len(self.pictures) == 1 else "Each picture was"
        ways = "by one method" if methods == 1 else f"by {methods} methods"
        if self.has_truth:
            return (
                f"{each} made {times} times smaller and enlarged again {ways}. The truth comes "
                "first: what a panel lacks, its method lost; what it adds, its method made up."
            )
        return (
            f"{each} enlarged {times} times {ways}. Nobody knows what a larger one would have "
            "shown: there is no truth here to compare with, so there is no PSNR and no SSIM."
        )


def compare(
    images: str | Path | Iterable[str | Path] | Mapping[str, np.ndarray],
    out: str | Path | None = None,
    *,
    scale: int | str | Fraction | None = None,
    methods: Iterable[str] | None = None,
    models: str | Path | Iterable[str | Path] | Mapping[str, keras.Model] = (),
    enlarge: bool = False,
    longest: int | None = None,
    crop: bool = False,
    count: int = COUNT,
    title: str | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Enlarge pictures by every method and measure what comes out.

    A picture is the truth: made smaller by Pillow's bicubic filter, rounded to 8 bits, that is
    what the methods enlarge. A large picture is first reduced as a whole, so that the page shows
    all of it, sharp to the pixel; with `crop`, its middle is taken as it is. The last rows and
    columns that make no whole step of the scale are cut off.

    Args:
        images: a picture, a folder, or several of them; or uint8 arrays `(height, width, 3)` by
            name.
        out: where to write the page; None writes none.
        scale: factor above 1, at most 16; 4 or that of the models by default. `"6.25"` is fine.
        methods: names of `enlargers.FIXED`, of the course's trained networks (`trained_nearest`,
            …), or `"fixed"`, `"trained"`, `"all"`. By default all that there are at this scale;
            where there are `models`, the fixed ones.
        models: networks to compare: paths of `.keras` files, names of stored generators, or models
            by name. One of fixed size gets the middle of each picture, reduced to its size.
        enlarge: take the pictures as they are for the small ones; then there is no truth. Of a
            picture that is too large, the middle.
        longest: pixels of the longer side of a panel; 400, or 800 with `enlarge`.
        crop: take the middle of a large picture rather than reduce it.
        count: most pictures; of more, some from all over the folder are taken.
        title: the page's heading.
        progress: called with a line about what is being done.

    Returns:
        A `Comparison`.

    Raises:
        ValueError: for methods, models and scales that are not known or do not fit together, and
            where no picture can be used.

    Example:
        >>> squares = np.kron(np.eye(8), np.ones((8, 8)))[..., None] * np.ones(3) * 255
        >>> found = compare({"squares": squares.astype(np.uint8)}, methods=["nearest", "bicubic"])
        >>> [round(row["psnr"], 1) for row in found.means()[1:]]
        [inf, 25.2]
    """
    own = enlargers.own(models)
    factor = _scale(scale, own)
    fixed_size = _fixed_size(own)
    names = ["fixed"] if methods is None and own else methods
    progress("loading the methods")
    chosen = [*enlargers.find(names, factor), *own]
    if not chosen:
        raise ValueError("there is no method to compare; leave methods out, or name some")
    longest = longest or (LONGEST_ENLARGED if enlarge else LONGEST)
    sources, skipped = _sources(images, count)
    result = Comparison(factor, chosen, skipped=skipped, has_truth=not enlarge)
    result.columns = _columns(chosen, result.has_truth)
    result.title = title or f"Upsampling methods compared, ×{show_scale(factor)}"
    prepare = _Preparation(factor, longest, fixed_size, enlarge=enlarge, crop=crop)
    pixels = 0
    noise = _noise_scores(chosen, factor, fixed_size, progress)
    for number, (name, source) in enumerate(sources.items(), start=1):
        text = f"{number} of {len(sources)}, {reporting.one_line(name)}"
        try:
            image = source if isinstance(source, np.ndarray) else datasets.read_image(source)
            given = prepare(image)
            pixels += given.size[0] * given.size[1] * (len(chosen) + (not enlarge))
            if pixels > MOST_PIXELS:
                raise ValueError("the page would be too large; use --longest, --count or --methods")
            panels = _panels(given, chosen, factor, noise, lambda what, t=text: progress(t + what))
        except datasets.UnreadableImageError as error:
            result.skipped.append((name, error.reason))
        except (ValueError, MemoryError) as error:
            reason = reporting.one_line(error) or "there is not enough memory"
            result.skipped.append((name, reason))
        else:
            result.pictures.append(viewer.Picture(name, given.note, panels))
    if not result.pictures:
        name, reason = result.skipped[0]
        raise ValueError(f"none of the {len(sources)} pictures could be compared; {name}: {reason}")
    result.notes = _notes(result)
    if out is not None:
        progress("writing the page")
        result.write(out)
    return result


# Pictures ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Given:
    """A picture, ready: what the methods get, what they should draw, and how large that is."""

    low: np.ndarray
    truth: np.ndarray | None
    size: tuple[int, int]
    note: str


@dataclass(frozen=True)
class _Preparation:
    """Make the small picture and the truth from what was read."""

    scale: Fraction
    longest: int
    fixed_size: tuple[int, int] | None
    enlarge: bool
    crop: bool

    def __call__(self, picture: np.ndarray) -> _Given:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(
                f"it is {picture.dtype} of shape {picture.shape}; expected uint8 of shape "
                "(height, width, 3)"
            )
        if self.enlarge:
            return self._as_it_is(picture)
        return self._reduced(picture)

    def _as_it_is(self, picture):
        before = picture.shape[:2]
        if self.fixed_size:
            low = datasets.reduce(generating.middle(picture, self.fixed_size), self.fixed_size)
            done = "the middle, resized to"
        else:
            low = _middle(picture, max(1, int(self.longest / self.scale)))
            # A scale like 25/4 needs whole steps of 4 pixels.
            low = low[tuple(slice(_whole(side, self.scale.denominator)) for side in low.shape[:2])]
            done = "the middle"
        size = tuple(int(side * self.scale) for side in low.shape[:2])
        what = f"{_shown(before)} pixels"
        if low.shape[:2] != before:
            what += f", {done} {_shown(low.shape[:2])}"
        return _Given(low, None, size, f"{what}, enlarged to {_shown(size)}.")

    def _reduced(self, picture):
        before, truth, done = picture.shape[:2], picture, ""
        if self.fixed_size:
            low_size = self.fixed_size
            size = tuple(int(side * self.scale) for side in low_size)
            if any(side < least for side, least in zip(before, size, strict=True)):
                raise ValueError(
                    f"{_shown(before)} is smaller than the {_shown(size)} that the model draws"
                )
            truth = datasets.reduce(generating.middle(picture, size), size)
            done = f"; the truth is its middle, reduced to {_shown(size)}"
        else:
            if max(before) > self.longest and self.crop:
                truth, done = _middle(picture, self.longest), "; the truth is its middle"
            elif max(before) > self.longest:
                shrink = self.longest / max(before)
                truth = datasets.reduce(picture, [max(1, round(side * shrink)) for side in before])
                done = "; the truth is all of it, reduced"
            size = tuple(_whole(side, self.scale.numerator) for side in truth.shape[:2])
            truth = truth[: size[0], : size[1]]
            low_size = tuple(int(side / self.scale) for side in size)
            if truth.shape[:2] != before:
                done = f"{done or '; the truth is cut'} to {_shown(size)}"
        low = datasets.reduce(np.ascontiguousarray(truth), low_size)
        note = f"{_shown(before)} pixels{done}. Every method was given {_shown(low_size)}."
        return _Given(low, truth, size, note)


def _shown(size):
    return f"{size[0]}×{size[1]}"


def _middle(picture, longest):
    height, width = picture.shape[:2]
    tall, wide = min(height, longest), min(width, longest)
    top, left = (height - tall) // 2, (width - wide) // 2
    return picture[top : top + tall, left : left + wide]


def _whole(side, step):
    """The largest multiple of a step in a side."""
    if side < step:
        raise ValueError(f"a side of {side} is too small; this scale needs at least {step} pixels")
    return side // step * step


def _sources(images, count):
    """Arrays or files by name, and what is skipped because there are too many."""
    if isinstance(images, Mapping):
        sources = {str(name): np.asarray(image) for name, image in images.items()}
    else:
        places = [images] if isinstance(images, (str, Path)) else list(images)
        files = [file for place in places for file in datasets.image_files(place)]
        files = list({file.resolve(): file for file in files}.values())
        sources = dict(zip(enlargers.distinct(files), files, strict=True))
    if not sources:
        raise ValueError("no picture was given; give a file, a folder, or arrays by name")
    if count < 1:
        raise ValueError(f"count={count} leaves no picture; give at least 1")
    if len(sources) <= count:
        return sources, []
    names = [*sources]
    kept = [names[round(place)] for place in np.linspace(0, len(names) - 1, count)]
    reason = f"of {len(names)} pictures, {count} are compared (see --count)"
    skipped = [(name, reason) for name in names if name not in kept]
    return {name: sources[name] for name in kept}, skipped


# Methods -----------------------------------------------------------------------------------------


def _scale(asked, own):
    """The factor that was asked for, or that of the models, or 4."""
    if asked is not None:
        try:
            scale = Fraction(str(asked))
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"scale {asked!r} is no number; try 4, or 6.25") from None
        if not 1 < scale <= LARGEST_SCALE or scale.denominator > LARGEST_SCALE:
            raise ValueError(
                f"scale {asked} is out of range; give a number above 1, at most {LARGEST_SCALE}, "
                "like 4 or 6.25"
            )
    else:
        scale = None
    for method in own:
        try:
            its = enlargers.model_scale(method.model)
        except ValueError as error:
            raise ValueError(f"{method.name} cannot be compared: {error}") from None
        scale = scale or its
        if its != scale:
            raise ValueError(
                f"{method.name} enlarges by {show_scale(its)}, not by {show_scale(scale)}; use "
                f"--scale {show_scale(its)}, or compare it on a page of its own"
            )
    return scale or Fraction(enlargers.TRAINED_SCALE)


def _fixed_size(own):
    """Height and width that a model insists on; all methods then get pictures of that size."""
    sizes = {}
    for method in own:
        size = method.model.input_shape[1:3]
        if None not in size:
            sizes.setdefault(tuple(size), method.name)
        elif size != (None, None):
            raise ValueError(f"{method.name} takes {size}; fix both sides of its input, or neither")
    if len(sizes) > 1:
        told = " and ".join(f"{name} takes {_shown(size)}" for size, name in sizes.items())
        raise ValueError(f"{told}; compare models of different fixed sizes on separate pages")
    return next(iter(sizes), None)


def _noise_scores(methods, scale, fixed_size, progress):
    """How unevenly each method's answer to white noise varies; see `checkerboard_energy`."""
    rng, scores = np.random.default_rng(0), {}
    step = scale.denominator
    low_size = fixed_size or (-(-NOISE_SIDE // step) * step,) * 2
    size = tuple(int(side * scale) for side in low_size)
    noise = np.clip(np.rint(rng.normal(127.5, 40, (*low_size, 3))), 0, 255).astype(np.uint8)
    # Zero padding darkens the borders of some phases: that would be taken for energy.
    border = int(max(1, NOISE_BORDER // step) * step * scale)
    border = border if min(size) > 4 * border else 0
    inside = tuple(slice(border, side - border) for side in size)
    for method in methods:
        progress(f"noise through {method.title}")
        try:
            drawn = method.draw(noise, size)[inside]
            scores[method.name] = spectra.checkerboard_energy(drawn / 255, scale.numerator)
        except ValueError:
            scores[method.name] = None
    return scores


# Numbers -----------------------------------------------------------------------------------------


def _columns(methods, has_truth):
    quality = [_PSNR, _SSIM, _SPECTRUM, _SHARPNESS] if has_truth else [_SHARPNESS_ALONE]
    networks = [_PARAMETERS, _MACS] if any(method.model for method in methods) else []
    return [*quality, _GAIN, _ENERGY, *networks, _MILLISECONDS]


def _panels(given, methods, scale, noise, progress):
    """The truth, and what every method draws, with its numbers."""
    panels, sharp = [], None
    if given.truth is not None:
        truth = given.truth / 255
        sharp = _number(metrics.sharpness, truth)
        numbers = {"sharpness": 100.0 if sharp else None, "gain": _gain(truth, scale)}
        caption = "the picture before it was made smaller"
        panels.append(viewer.Panel("Truth", "reference", caption, given.truth, numbers))
    for method in methods:
        progress(f": {method.title}")
        drawn = method.draw(given.low, given.size)
        numbers = {
            "gain": _gain(drawn / 255, scale),
            "energy": noise[method.name],
            "parameters": method.parameters or None,
            "macs": method.macs(given.low.shape[:2]),
            "milliseconds": 1000 * method.seconds(given.low, given.size),
        }
        sharpness = _number(metrics.sharpness, drawn / 255)
        if given.truth is None:
            numbers["sharpness"] = sharpness
        else:
            pair = (drawn / 255, truth)
            numbers["psnr"] = _number(metrics.psnr, *pair, luma=True, border=BORDER)
            numbers["ssim"] = _number(metrics.ssim, *pair, luma=True, border=BORDER)
            numbers["spectrum"] = _number(spectra.spectrum_distance, *pair)
            numbers["sharpness"] = 100 * sharpness / sharp if sharp else None
        panels.append(viewer.Panel(method.title, method.kind, method.caption, drawn, numbers))
    return panels


def _gain(image, scale):
    return _number(spectra.checkerboard_gain, image, scale.numerator)


def _number(score, *arrays, **options):
    """A score, or None for pictures that are too small for it."""
    try:
        return score(*arrays, **options)
    except ValueError:
        return None


def _notes(result):
    notes = []
    if result.has_truth:
        notes.append(
            "The small pictures are Pillow's bicubic reductions of the truth, rounded to 8 bits; "
            "so are the panels. Every pixel on this page is as the method drew it."
        )
    if any(method.kind == "trained" for method in result.methods):
        notes.append(
            "The trained networks are alike but for their upsampling, and learned the same: "
            "same pictures, same steps, same loss."
        )
    if any(method.model for method in result.methods):
        machine = training.machine()
    else:
        machine = (
            f"{platform.processor() or platform.machine()}, Python {platform.python_version()}"
        )
    notes.append(f"Times were measured on: {machine}.")
    for name, reason in result.skipped:
        notes.append(f"Skipped {name}: {reason}")
    return notes
