"""Compare upsampling methods on pictures: by eye on a page of HTML, and in numbers.

Each picture is made smaller and enlarged again by every method, so that the reference is known; or,
where there is no larger reference, enlarged as it is.

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

from keras_gen._util import machine
from keras_gen._util.files import atomic_write, expanded
from keras_gen._util.progress import one_line
from keras_gen.comparison import scores, upscalers
from keras_gen.comparison.page import Column, Picture, means, page
from keras_gen.comparison.preparation import Preparation, height_by_width
from keras_gen.comparison.upscalers import Upscaler, show_scale
from keras_gen.data import image_files

LONGEST = 400  # pixels of the longer side of a panel


LONGEST_ENLARGED = 800  # the same without a reference: what is given is not made smaller


LARGEST_SCALE = 16


COUNT = 24  # pictures on a page


MOST_PIXELS = 2**27  # of all panels: a page of about 120 MB, which browsers still open


@dataclass
class Comparison:
    """What `compare` found.

    Attributes:
        scale: by how much was enlarged.
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
        """The numbers of every picture and method.

        Returns:
            One dict a panel: `picture`, `method`, and the numbers by `Column.key`, which are None
            where there is none. Sharpness is in percent of the reference's where there is a reference.
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
        averages = means(self.pictures, self.columns)
        panels = self.pictures[0].panels
        return [{"method": panel.title, **row} for panel, row in zip(panels, averages, strict=True)]

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
            path: the file; one that is there is replaced.

        Returns:
            The path.
        """
        path, page = expanded(path), self.html()
        atomic_write(path, lambda name: Path(name).write_text(page, "utf-8"))
        return path

    def _lead(self):
        times, methods = show_scale(self.scale), len(self.methods)
        each = "One picture was" if len(self.pictures) == 1 else "Each picture was"
        ways = "by one method" if methods == 1 else f"by {methods} methods"
        if self.has_reference:
            return (
                f"{each} made {times} times smaller and enlarged again {ways}. The reference comes "
                "first: what a panel lacks, its method lost; what it adds, its method made up."
            )
        return (
            f"{each} enlarged {times} times {ways}. Nobody knows what a larger one would have "
            "shown: there is no reference here to compare with, so there is no PSNR and no SSIM."
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
    """Enlarge pictures by every method and measure what comes out.

    A picture is the reference: made smaller by Pillow's bicubic filter, rounded to 8 bits, that is
    what the methods enlarge. A large picture is first reduced as a whole, so that the page shows
    all of it, sharp to the pixel; with `crop`, its middle is taken as it is. The last rows and
    columns that make no whole step of the scale are cut off.

    Args:
        images: a picture, a folder, or several of them; or uint8 arrays `(height, width, 3)` by
            name.
        out: where to write the page; None writes none.
        scale: factor above 1, at most 16; 4 or that of the models by default. `"6.25"` is fine.
        methods: names of `upscalers.FIXED`, of the course's trained networks (`trained_nearest`,
            …), or `"fixed"`, `"trained"`, `"all"`. By default all that there are at this scale;
            where there are `models`, the fixed ones.
        models: networks to compare: paths of `.keras` files, names of stored generators, or models
            by name. One of fixed size gets the middle of each picture, reduced to its size.
        upscale: take the pictures as they are for the small ones; then there is no reference. Of a
            picture that is too large, the middle.
        longest: pixels of the longer side of a panel; 400, or 800 with `upscale`.
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
    longest = longest or (LONGEST_ENLARGED if upscale else LONGEST)
    sources, skipped = _sources(images, count)
    result = Comparison(factor, chosen, skipped=skipped, has_reference=not upscale)
    result.columns = scores.columns(chosen, result.has_reference)
    result.title = title or f"Upsampling methods compared, ×{show_scale(factor)}"
    prepare = Preparation(factor, longest, fixed_size, upscale=upscale, crop=crop)
    pixels = 0
    noise = scores.noise_scores(chosen, factor, fixed_size, progress)
    for number, (name, source) in enumerate(sources.items(), start=1):
        text = f"{number} of {len(sources)}, {one_line(name)}"
        try:
            image = source if isinstance(source, np.ndarray) else image_files.read_image(source)
            given = prepare(image)
            pixels += given.size[0] * given.size[1] * (len(chosen) + (not upscale))
            if pixels > MOST_PIXELS:
                raise ValueError("the page would be too large; use --longest, --count or --methods")
            panels = scores.panels(
                given, chosen, factor, noise, lambda what, t=text: progress(t + what)
            )
        except image_files.UnreadableImageError as error:
            result.skipped.append((name, error.reason))
        except (ValueError, MemoryError) as error:
            reason = one_line(error) or "there is not enough memory"
            result.skipped.append((name, reason))
        else:
            result.pictures.append(Picture(name, given.note, panels))
    if not result.pictures:
        name, reason = result.skipped[-1]
        raise ValueError(f"none of the {len(sources)} pictures could be compared; {name}: {reason}")
    result.notes = _notes(result)
    if out is not None:
        progress("writing the page")
        result.write(out)
    return result


# Pictures and methods -----------------------------------------------------------------------------


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
            its = upscalers.model_scale(method.model)
        except ValueError as error:
            raise ValueError(f"{method.name} cannot be compared: {error}") from None
        scale = scale or its
        if its != scale:
            raise ValueError(
                f"{method.name} enlarges by {show_scale(its)}, not by {show_scale(scale)}; use "
                f"--scale {show_scale(its)}, or compare it on a page of its own"
            )
    return scale or Fraction(upscalers.TRAINED_SCALE)


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
        told = " and ".join(f"{name} takes {height_by_width(size)}" for size, name in sizes.items())
        raise ValueError(f"{told}; compare models of different fixed sizes on separate pages")
    return next(iter(sizes), None)


def _notes(result):
    notes = []
    if result.has_reference:
        notes.append(
            "The small pictures are Pillow's bicubic reductions of the reference, rounded to 8 bits; "
            "so are the panels. Every pixel on this page is as the method drew it."
        )
    if any(method.kind == "trained" for method in result.methods):
        notes.append(
            "The trained networks are alike but for their upsampling, and learned the same: "
            "same pictures, same steps, same loss."
        )
    if any(method.model for method in result.methods):
        shown = machine.machine()
    else:
        shown = f"{platform.processor() or platform.machine()}, Python {platform.python_version()}"
    notes.append(f"Times were measured on: {shown}.")
    for name, reason in result.skipped:
        notes.append(f"Skipped {name}: {reason}")
    return notes
