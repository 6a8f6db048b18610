"""Compare upsampling methods on pictures: by eye on an HTML page, and in numbers.

Each picture is reduced and upscaled again by every method, so that the reference is known; or,
where there is no larger reference, upscaled as it is.

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

from keras_gen._util import figures, machine
from keras_gen._util.arguments import check_choice
from keras_gen._util.files import atomic_write_text, expanded
from keras_gen._util.progress import one_line
from keras_gen._util.tables import Table
from keras_gen.comparison import scores, upscalers
from keras_gen.comparison.page import Column, Picture, means, page
from keras_gen.comparison.preparation import height_by_width, prepare
from keras_gen.comparison.upscalers import Upscaler, show_scale
from keras_gen.data import image_files

LONGEST = 400  # pixels of the longer side of a panel
LONGEST_UPSCALED = 800  # the same without a reference: the input is not reduced
LARGEST_SCALE = 16
COUNT = 24  # pictures on a page
MOST_PIXELS = 2**27  # of all panels: a page of about 120 MB, which browsers still open


@dataclass
class Comparison:
    """What `compare` returns.

    Attributes:
        scale: the factor.
        methods: the methods, in the order of the panels.
        pictures: `page.Picture`s with the panels, uint8, and their numbers.
        columns: which numbers there are.
        skipped: `(name, reason)` of pictures that could not be used.
        has_reference: whether the first panel of each picture is the reference.
        title: the page's heading.
        notes: how it was made, in lines.
    """

    scale: Fraction
    methods: list[Upscaler]
    pictures: list[Picture] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    has_reference: bool = True
    title: str = ""
    notes: list[str] = field(default_factory=list)

    def rows(self) -> list[dict]:
        """The numbers of every picture and method, unrounded.

        Returns:
            One dict for each panel: `picture`, `method`, and the numbers by `Column.key`, those of
            `Quality` under its names. A number that does not exist is None or absent.
        """
        return [
            {"picture": picture.name, "method": panel.title, **panel.numbers}
            for picture in self.pictures
            for panel in picture.panels
        ]

    def means(self) -> list[dict]:
        """The numbers of every method, averaged over the pictures.

        Returns:
            One dict for each method: `method`, and the numbers by `Column.key`.
        """
        averages = means(self.pictures, self.columns)
        panels = self.pictures[0].panels
        return [{"method": panel.title, **row} for panel, row in zip(panels, averages, strict=True)]

    def table(self, keys: Iterable[str] | None = None) -> Table:
        """The means, rounded as on the page.

        Args:
            keys: which columns, by `Column.key`; all by default.

        Returns:
            One row for each method, with the columns' headings.

        Raises:
            ValueError: for a key that no column has.

        Example:
            >>> squares = np.kron(np.eye(8), np.ones((8, 8)))[..., None] * np.ones(3) * 255
            >>> found = compare({"squares": squares.astype(np.uint8)}, methods=["nearest"])
            >>> print(found.table(["psnr", "delta_e"]))
            method     PSNR (dB)  ΔE2000
            Reference  –          –
            Nearest    25.25      1.89
        """
        columns = {column.key: column for column in self.columns}
        chosen = list(columns if keys is None else keys)
        for key in chosen:
            check_choice("column", key, columns)
        return Table(
            {"method": row["method"]}
            | {columns[key].heading: columns[key].text(row[key]) for key in chosen}
            for row in self.means()
        )

    def figure(
        self,
        closeup: tuple[int, int, int] | None = None,
        *,
        picture: int = 0,
        keys: Iterable[str] = ("psnr",),
        columns: int = 4,
        width: float = 2.6,
    ):
        """Plot a picture by every method, the reference last.

        Args:
            closeup: `(top, left, side)` in pixels of a part to show below each panel, unsmoothed.
            picture: which picture, by its place.
            keys: columns whose numbers are written above each panel.
            columns: panels in a row.
            width: width of a panel, in inches.

        Returns:
            The Matplotlib figure.
        """
        panels = [*self.pictures[picture].panels]
        if self.has_reference:
            panels.append(panels.pop(0))
        shown = [column for column in self.columns if column.key in set(keys)]
        images = {}
        for panel in panels:
            numbers = [
                f"{column.label} {column.text(panel.numbers[column.key])} {column.unit}".strip()
                for column in shown
                if panel.numbers.get(column.key) is not None
            ]
            images["\n".join([panel.title, *numbers])] = panel.image
        return figures.side_by_side(images, closeup=closeup, columns=columns, width=width)

    def html(self) -> str:
        """The page, as text."""
        return page(
            self.pictures,
            self.columns,
            title=self.title,
            lead=self._lead(),
            notes=self.notes,
            reference=self.has_reference,
            period=float(self.scale),
        )

    def write(self, path: str | Path) -> Path:
        """Write the page, whole or not at all.

        Args:
            path: the file; an existing one is replaced.

        Returns:
            The path.
        """
        path, page = expanded(path), self.html()
        atomic_write_text(path, page)
        return path

    def _lead(self):
        each = "One picture was" if len(self.pictures) == 1 else "Each picture was"
        methods = f"{len(self.methods)} methods" if len(self.methods) > 1 else "one method"
        times = show_scale(self.scale)
        if self.has_reference:
            return (
                f"{each} reduced by a factor of {times} and upscaled again by {methods}. The "
                "reference comes first: detail that a panel lacks was lost, and detail that only "
                "the panel has was invented."
            )
        return (
            f"{each} upscaled by a factor of {times} by {methods}. There is no larger original to "
            "compare with, so there is no PSNR and no SSIM."
        )


def compare(
    images: str | Path | Iterable[str | Path] | Mapping[str, np.ndarray],
    out: str | Path | None = None,
    *,
    scale: int | str | Fraction | None = None,
    methods: Iterable[str] | None = None,
    models: str | Path | Iterable[str | Path] | Mapping[str, keras.Model] = (),
    upscale: bool = False,
    longest: int | None = None,
    crop: bool = False,
    count: int = COUNT,
    title: str | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Upscale pictures by every method and measure the results.

    A picture is the reference. It is reduced by Pillow's bicubic filter, rounded to 8 bits, and
    that is what the methods upscale. A large picture is first reduced as a whole, so that the page
    shows all of it, sharp to the pixel; with `crop`, its middle is taken as it is. Rows and columns
    at the end that make no whole step of the scale are cropped.

    Args:
        images: a picture, a folder, or several of them; or uint8 arrays `(height, width, 3)` by
            name.
        out: where to write the page; None writes none.
        scale: factor above 1, at most 16; 4 or that of the models by default. `"6.25"` is fine.
        methods: names of `upscalers.FIXED`, of the course's trained networks (`trained_nearest`,
            …), or `"fixed"`, `"trained"`, `"all"`. By default all that exist at this scale; with
            `models`, the fixed ones.
        models: networks to compare: paths of `.keras` files, names of stored generators, or models
            by name. One of fixed size gets the middle of each picture, reduced to its size.
        upscale: upscale the pictures as they are, without a reference; the middle of a picture that
            is too large.
        longest: pixels of the longer side of a panel; 400, or 800 with `upscale`.
        crop: take the middle of a large picture instead of reducing it.
        count: maximum number of pictures; of more, some from all over the folder are taken.
        title: the page's heading.
        progress: called with a line about what is being done.

    Returns:
        A `Comparison`.

    Raises:
        ValueError: for methods, models and scales that are unknown or do not fit together, and if
            no picture can be used.

    Example:
        >>> squares = np.kron(np.eye(8), np.ones((8, 8)))[..., None] * np.ones(3) * 255
        >>> found = compare({"squares": squares.astype(np.uint8)}, methods=["nearest", "bicubic"])
        >>> # Square pixels suit squares.
        >>> [round(row["psnr"], 1) for row in found.means()[1:]]
        [25.2, 18.2]
    """
    own = upscalers.own(models)
    factor = _scale(scale, own)
    fixed_size = _fixed_size(own)
    names = ["fixed"] if methods is None and own else methods
    progress("loading the methods")
    chosen = [*upscalers.find(names, factor), *own]
    if not chosen:
        raise ValueError("there is no method to compare; leave methods out, or name some")
    longest = longest or (LONGEST_UPSCALED if upscale else LONGEST)
    sources, skipped = _sources(images, count)
    result = Comparison(factor, chosen, skipped=skipped, has_reference=not upscale)
    result.columns = scores.columns(chosen, result.has_reference)
    result.title = title or f"Upsampling methods compared, ×{show_scale(factor)}"
    pixels = 0
    noise = scores.noise_scores(chosen, factor, fixed_size, progress)
    for number, (name, source) in enumerate(sources.items(), start=1):
        text = f"{number} of {len(sources)}, {one_line(name)}"
        try:
            image = source if isinstance(source, np.ndarray) else image_files.read_image(source)
            prepared = prepare(
                image, factor, longest=longest, fixed_size=fixed_size, upscale=upscale, crop=crop
            )
            pixels += prepared.size[0] * prepared.size[1] * (len(chosen) + (not upscale))
            if pixels > MOST_PIXELS:
                raise ValueError("the page would be too large; use --longest, --count or --methods")
            panels = scores.panels(
                prepared, chosen, factor, noise, lambda what, text=text: progress(text + what)
            )
        except image_files.UnreadableImageError as error:
            result.skipped.append((name, error.reason))
        except (ValueError, MemoryError) as error:
            reason = one_line(error) or "there is not enough memory"
            result.skipped.append((name, reason))
        else:
            result.pictures.append(Picture(name, prepared.note, panels))
    if not result.pictures:
        name, reason = result.skipped[-1]
        raise ValueError(f"none of the {len(sources)} pictures could be compared; {name}: {reason}")
    result.notes = _notes(result)
    if out is not None:
        progress("writing the page")
        result.write(out)
    return result


def _sources(images, count):
    """Arrays or files by name, and what is skipped because there are too many."""
    if isinstance(images, Mapping):
        sources = {str(name): np.asarray(image) for name, image in images.items()}
    else:
        places = [images] if isinstance(images, (str, Path)) else list(images)
        files = [file for place in places for file in image_files.list_images(place)]
        files = list({file.resolve(): file for file in files}.values())
        sources = dict(zip(upscalers.distinct(files), files, strict=True))
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


def _scale(asked, own):
    """The factor that was asked for, or that of the models, or 4."""
    scale = None
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
    for method in own:
        try:
            its = upscalers.model_scale(method.model)
        except ValueError as error:
            raise ValueError(f"{method.name} cannot be compared: {error}") from None
        scale = scale or its
        if its != scale:
            raise ValueError(
                f"{method.name} upscales by {show_scale(its)}, not by {show_scale(scale)}; use "
                f"--scale {show_scale(its)}, or compare it on a page of its own"
            )
    return scale or Fraction(upscalers.TRAINED_SCALE)


def _fixed_size(own):
    """Height and width of a model of fixed size; all methods then get pictures of that size."""
    sizes = {}
    for method in own:
        size = method.model.input_shape[1:3]
        if None not in size:
            sizes.setdefault(tuple(size), method.name)
        elif size != (None, None):
            raise ValueError(f"{method.name} takes {size}; fix both sides of its input, or neither")
    if len(sizes) > 1:
        both = " and ".join(f"{name} takes {height_by_width(size)}" for size, name in sizes.items())
        raise ValueError(f"{both}; compare models of different fixed sizes on separate pages")
    return next(iter(sizes), None)


def _notes(result):
    notes = []
    if result.has_reference:
        notes.append(
            "The small pictures are Pillow's bicubic reductions of the reference. They and the "
            "panels are rounded to 8 bits; every pixel is shown as the method generated it."
        )
        notes.append("All measures against the reference leave out a border of 4 pixels.")
    if any(method.kind == "trained" for method in result.methods):
        notes.append(
            "The trained networks differ only in their upsampling: they were trained on the same "
            "pictures, for as many steps, with the same loss."
        )
    if any(method.model for method in result.methods):
        shown = machine.machine()
    else:
        shown = f"{platform.processor() or platform.machine()}, Python {platform.python_version()}"
    notes.append(f"Times were measured on: {shown}.")
    for name, reason in result.skipped:
        notes.append(f"Skipped {name}: {reason}")
    return notes
