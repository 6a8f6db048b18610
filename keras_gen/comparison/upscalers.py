"""The methods that a comparison can hold: fixed interpolators, the course's networks, your own.

A plain name is a fixed interpolator, `nearest` for instance. `trained_nearest` is the course's
small network that upscales by nearest-neighbour resizing and convolutions.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_gen._util.arguments import check_choice, show_size
from keras_gen.analysis.costs import cost
from keras_gen.comparison.parts import part
from keras_gen.inference import upscaling
from keras_gen.inference.stored import (
    generator_path,
    load_generator,
    stored_names,
    weights_directory,
)
from keras_gen.models.upsampling import UPSAMPLING

_TITLES = part("methods.toml")
FIXED = _TITLES["fixed"]  # title and caption of each
TRAINED_SCALE = 4
PREFIX = "trained_"
_PROBE = 32  # pixels a side, a size that networks can halve several times


@dataclass(frozen=True)
class Upscaler:
    """A method that makes pictures larger.

    Attributes:
        name: what it is asked for by.
        title: its name on the page.
        kind: `"fixed"`, `"trained"` or `"your model"`.
        caption: one line on what it does.
        upscale: `(uint8 picture, (height, width) of the result) -> uint8 picture`.
        model: the network, if it is one.
    """

    name: str
    title: str
    kind: str
    caption: str
    upscale: Callable[[np.ndarray, tuple[int, int]], np.ndarray]
    model: keras.Model | None = None

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return self.model.count_params() if self.model else 0

    def seconds(self, low: np.ndarray, size: tuple[int, int]) -> float:
        """Measure one run, of the network alone. The first run for a size takes longer."""
        start = time.perf_counter()
        if self.model is None:
            self.upscale(low, size)
        else:
            np.asarray(self.model(low[None] / np.float32(255), training=False))
        return time.perf_counter() - start

    def macs(self, size: tuple[int, int]) -> int | None:
        """Multiply–accumulates by weights for one small picture of `(height, width)`.

        None for an interpolator, and for a network with unknown layers.
        """
        if self.model is None:
            return None
        try:
            return cost(self.model, input_shape=(*size, self.model.input_shape[-1])).macs
        except (ValueError, NotImplementedError):
            return None  # a layer of the user's own, say


def trained_names() -> list[str]:
    """Names of the course's networks that are stored here, as `find` takes them."""
    stored = set(stored_names())
    return [PREFIX + method for method in UPSAMPLING if _stored(method) in stored]


def find(names: Iterable[str] | None, scale: Fraction) -> list[Upscaler]:
    """Find methods by name.

    Args:
        names: keys of `FIXED`, and `trained_names()`; `"fixed"`, `"trained"` and `"all"` stand for
            several. None means all that exist at this scale.
        scale: the factor.

    Returns:
        The methods, each once.

    Raises:
        ValueError: for an unknown name, or a network of another scale.

    Example:
        >>> [method.title for method in find(["nearest", "bicubic"], Fraction(4))]
        ['Nearest', 'Bicubic']
    """
    if names is None:
        names = ["all" if scale == TRAINED_SCALE else "fixed"]
    if isinstance(names, str):
        raise ValueError(f"methods={names!r} is one text; give a list, [{names!r}]")
    trained = trained_names()
    groups = {"fixed": [*FIXED], "trained": trained, "all": [*FIXED, *trained]}
    chosen = []
    for name in names:
        if name == "trained" and not trained:
            raise ValueError(f"no trained network is in {weights_directory()}; use fixed methods")
        chosen += groups[name] if name in groups else [_full_name(name, trained)]
    chosen = list(dict.fromkeys(chosen))
    networks = [name for name in chosen if name not in FIXED]
    if networks and scale != TRAINED_SCALE:
        raise ValueError(
            f"{networks[0]} upscales by {TRAINED_SCALE}, not by {show_scale(scale)}; use "
            f"--scale {TRAINED_SCALE}, or fixed methods: {', '.join(FIXED)}"
        )
    return [_fixed(name) if name in FIXED else _trained(name) for name in chosen]


def own(models: Iterable[str | Path] | Mapping[str, keras.Model]) -> list[Upscaler]:
    """Take the user's networks.

    Args:
        models: paths of `.keras` files or names of stored generators; or models by name.

    Returns:
        The methods, each with a title of its own.

    Raises:
        ValueError: if one cannot be loaded, or does not map RGB pictures to RGB pictures.
    """
    if isinstance(models, Mapping):
        loaded = [(str(name), str(name), model) for name, model in models.items()]
    else:
        models = [models] if isinstance(models, (str, Path)) else models
        files = list({generator_path(model).resolve(): None for model in models})
        names = distinct([file.with_suffix("") for file in files])
        loaded = [
            (name, file.name, load_generator(file)) for name, file in zip(names, files, strict=True)
        ]
    methods = []
    for name, file, model in loaded:
        try:
            upscaling.check_upscaler(model)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        caption = f"{file}, {model.count_params():,} parameters"
        methods.append(Upscaler(name, name, "your model", caption, _run(model), model))
    return methods


def model_scale(model: keras.Model) -> Fraction:
    """The factor by which a network upscales.

    Args:
        model: network of `(height, width, 3)` pictures.

    Returns:
        The factor, the same for height and width.

    Raises:
        ValueError: if it stretches pictures, or makes them no larger.
    """
    size = model.input_shape[1:3]
    size = size if None not in size else (_PROBE, _PROBE)
    large = model.output_shape[1:3]
    if None in large:
        large = model.compute_output_shape((1, *size, 3))[1:3]
    scales = {Fraction(after, before) for after, before in zip(large, size, strict=True)}
    if len(scales) > 1 or min(scales) <= 1:
        raise ValueError(
            f"it turns {show_size(size)} into {show_size(large)}; methods that are compared make "
            "height and width larger by one factor"
        )
    return scales.pop()


def show_scale(scale: Fraction) -> str:
    """A factor as people write it: 4, 6.25.

    Example:
        >>> show_scale(Fraction(25, 4))
        '6.25'
    """
    return f"{float(scale):g}"


def distinct(paths: Iterable[Path]) -> list[str]:
    """Name files by their own names and, where those are the same, by the folders before them.

    Example:
        >>> distinct([Path("a/x.png"), Path("b/x.png"), Path("b/y.png")])
        ['a/x.png', 'b/x.png', 'y.png']
    """
    paths, names = list(paths), []
    for path in paths:
        others = [other for other in paths if other != path]
        for count in range(1, len(path.parts) + 1):
            name = path.parts[-count:]
            if all(other.parts[-count:] != name for other in others):
                break
        names.append("/".join(name))
    return names


def _stored(method):
    return f"upsampling_{method}_x{TRAINED_SCALE}"


def _full_name(name, trained):
    """`transposed` can only mean the trained network; `nearest` is the fixed interpolator."""
    if name in FIXED or name in trained:
        return name
    if PREFIX + name in trained:
        return PREFIX + name
    method = name.removeprefix(PREFIX)
    if method in UPSAMPLING:
        raise ValueError(
            f"method {name!r} needs {_stored(method)}.keras, which is not in {weights_directory()}"
        )
    check_choice("method", name, [*FIXED, *trained, "fixed", "trained", "all"])


def _fixed(name):
    title, caption = FIXED[name]
    kind = Image.Resampling[name.upper()]

    def upscale(low, size):
        return np.asarray(Image.fromarray(low).resize((size[1], size[0]), kind))

    return Upscaler(name, title, "fixed", caption, upscale)


def _trained(name):
    method = name.removeprefix(PREFIX)
    model = load_generator(_stored(method))
    caption = UPSAMPLING[method]
    return Upscaler(name, _TITLES["trained"][method], "trained", caption, _run(model), model)


def _run(model):
    def upscale(low, size):
        large = upscaling.upscale(model, low)
        if large.shape[:2] != tuple(size):
            raise ValueError(
                f"{model.name} generates {show_size(large.shape[:2])} from "
                f"{show_size(low.shape[:2])} pixels, where {show_size(size)} were expected"
            )
        return large

    return upscale
