"""TODO: say what this module holds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_gen.data import synthetic
from keras_gen.data.image_files import read_image
from keras_gen.data.images import Images, crop_weight


@dataclass(frozen=True)
class Photograph:
    """Where a bundled photograph comes from."""

    package: str
    file: str
    split: str
    credit: str


_PUBLIC_DOMAIN = "public domain"


_CC0 = "CC0"


_SKY_TO_LEARN_FROM = 600  # columns of the Hubble deep field; the rest is held out


PHOTOGRAPHS = {
    name: Photograph(*entry)
    for name, entry in {
        "astronaut": ("skimage", "astronaut.png", "train", f"NASA, {_PUBLIC_DOMAIN}"),
        "brick": ("skimage", "brick.png", "train", f"CC0Textures, {_CC0}"),
        "camera": ("skimage", "camera.png", "train", f"Lav Varshney, {_CC0}"),
        "coins": ("skimage", "coins.png", "train", "Brooklyn Museum, no known restrictions"),
        "grass": ("skimage", "grass.png", "train", f"linolafett, {_CC0}"),
        "gravel": ("skimage", "gravel.png", "train", f"CC0Textures, {_CC0}"),
        "hopper": ("matplotlib", "grace_hopper.jpg", "train", f"US Navy, {_PUBLIC_DOMAIN}"),
        "hubble": ("skimage", "hubble_deep_field.jpg", "train", f"NASA and ESA, {_PUBLIC_DOMAIN}"),
        "immunohistochemistry": ("skimage", "ihc.png", "train", "CMMI, no known restrictions"),
        "motorcycle": (
            "skimage",
            "motorcycle_left.png",
            "train",
            f"Middlebury, {_CC0}",
        ),
        "retina": ("skimage", "retina.jpg", "train", f"Mikael Häggström, {_CC0}"),
        "rocket": ("skimage", "rocket.jpg", "train", f"SpaceX, {_PUBLIC_DOMAIN}"),
        "text": ("skimage", "text.png", "train", f"Wikipedia, {_PUBLIC_DOMAIN}"),
        "chelsea": ("skimage", "chelsea.png", "test", f"Stéfan van der Walt, {_CC0}"),
        "coffee": ("skimage", "coffee.png", "test", f"Rachel Michetti, {_CC0}"),
    }.items()
}


def photographs(split: str = "train") -> Images:
    """Load the photographs that are installed with scikit-image and Matplotlib.

    Args:
        split: `"train"`, or `"test"` for the two that no training ever sees. Of the Hubble deep
            field, training sees the columns below 600.

    Returns:
        The `Images`; `PHOTOGRAPHS[name].credit` says whose each one is.

    Raises:
        ValueError: for another split.

    Example:
        >>> photographs("test").names
        ['chelsea', 'coffee']
    """
    if split not in ("train", "test"):
        raise ValueError(f"split {split!r} is unknown; choose 'train' or 'test'")
    images = Images()
    for name, photograph in PHOTOGRAPHS.items():
        if photograph.split == split:
            pixels = read_image(_installed(photograph))
            if name == "hubble":
                pixels = pixels[:, :_SKY_TO_LEARN_FROM]
            images.append(name, pixels, crop_weight(pixels))
    return images


def held_out_sky() -> Images:
    """The part of the Hubble deep field that `photographs` leaves out, columns from 600 on.

    Example:
        >>> held_out_sky()[0].shape
        (872, 400, 3)
    """
    pixels = read_image(_installed(PHOTOGRAPHS["hubble"]))[:, _SKY_TO_LEARN_FROM:]
    images = Images()
    images.append("hubble, columns from 600", pixels, crop_weight(pixels))
    return images


def with_synthetic_images(
    images: Images,
    *,
    leaves: int = 24,
    pages: int = 16,
    share: float = 0.4,
    progress: Callable[[Sequence], Iterable] = iter,
) -> Images:
    """Add pictures drawn by code, which bring the edges, stripes and letters that few photos have.

    Args:
        images: the pictures to add to; they are not changed.
        leaves: how many of `synthetic.dead_leaves`.
        pages: how many of `synthetic.text_page`.
        share: share of the crops that come from drawings; a quarter of it from pages.
        progress: called with the list of what is to be drawn, gives it one by one.

    Returns:
        New `Images`, the drawings last.

    Example:
        >>> with_drawings(photographs("test"), leaves=1, pages=1).names
        ['chelsea', 'coffee', 'leaves_0', 'page_0']
    """
    more = Images(list(images.names), list(images.pictures), skipped=list(images.skipped))
    scale = (1 - share) / sum(images.weights)
    more.weights = [weight * scale for weight in images.weights]
    orders = [("leaves", synthetic.dead_leaves, seed, 0.75 / leaves) for seed in range(leaves)]
    orders += [("page", synthetic.text_page, seed, 0.25 / pages) for seed in range(pages)]
    for name, draw, seed, part in progress(orders):
        more.append(f"{name}_{seed}", draw(seed), part * share)
    return more


def _installed(photograph):
    import importlib.resources

    place = {"skimage": "data", "matplotlib": "mpl-data/sample_data"}[photograph.package]
    package = importlib.resources.files(photograph.package)
    return Path(str(package)) / place / photograph.file
