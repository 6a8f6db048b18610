"""Photographs that are installed with scikit-image and Matplotlib, in a fixed split."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_gen._util.arguments import check_choice
from keras_gen.data import synthetic
from keras_gen.data.image_files import read_image
from keras_gen.data.images import Images


@dataclass(frozen=True)
class Photograph:
    """Source of a bundled photograph.

    Attributes:
        package: the package that it is installed with.
        file: its file there.
        split: `"train"` or `"test"`.
        credit: author and licence.
    """

    package: str
    file: str
    split: str
    credit: str


_SKY_COLUMNS = 600  # of the Hubble deep field, to train on; the rest is held out

PHOTOGRAPHS = {
    name: Photograph(*entry)
    for name, entry in {
        "astronaut": ("skimage", "astronaut.png", "train", "NASA, public domain"),
        "brick": ("skimage", "brick.png", "train", "CC0Textures, CC0"),
        "camera": ("skimage", "camera.png", "train", "Lav Varshney, CC0"),
        "coins": ("skimage", "coins.png", "train", "Brooklyn Museum, no known restrictions"),
        "grass": ("skimage", "grass.png", "train", "linolafett, CC0"),
        "gravel": ("skimage", "gravel.png", "train", "CC0Textures, CC0"),
        "hopper": ("matplotlib", "grace_hopper.jpg", "train", "US Navy, public domain"),
        "hubble": ("skimage", "hubble_deep_field.jpg", "train", "NASA and ESA, public domain"),
        "immunohistochemistry": ("skimage", "ihc.png", "train", "CMMI, no known restrictions"),
        "motorcycle": ("skimage", "motorcycle_left.png", "train", "Middlebury, CC0"),
        "retina": ("skimage", "retina.jpg", "train", "Mikael Häggström, CC0"),
        "rocket": ("skimage", "rocket.jpg", "train", "SpaceX, public domain"),
        "text": ("skimage", "text.png", "train", "Wikipedia, public domain"),
        "chelsea": ("skimage", "chelsea.png", "test", "Stéfan van der Walt, CC0"),
        "coffee": ("skimage", "coffee.png", "test", "Rachel Michetti, CC0"),
    }.items()
}


def photographs(split: str = "train") -> Images:
    """Load the photographs that are installed with scikit-image and Matplotlib.

    Args:
        split: `"train"`, or `"test"` for the two that no training uses. The columns of
            the Hubble deep field below 600 are for training.

    Returns:
        The `Images`; `PHOTOGRAPHS[name].credit` names author and licence.

    Raises:
        ValueError: if the split is unknown.

    Example:
        >>> photographs("test").names
        ['chelsea', 'coffee']
    """
    check_choice("split", split, ("train", "test"))
    images = Images()
    for name, photograph in PHOTOGRAPHS.items():
        if photograph.split == split:
            pixels = read_image(_installed(photograph))
            if name == "hubble":
                pixels = pixels[:, :_SKY_COLUMNS]
            images.append(name, pixels)
    return images


def held_out_sky() -> Images:
    """Load the part of the Hubble deep field that `photographs` leaves out: columns from 600 on.

    Example:
        >>> held_out_sky()[0].shape
        (872, 400, 3)
    """
    pixels = read_image(_installed(PHOTOGRAPHS["hubble"]))[:, _SKY_COLUMNS:]
    images = Images()
    images.append("hubble, columns from 600", pixels)
    return images


def with_synthetic_images(
    images: Images,
    *,
    leaves: int = 24,
    pages: int = 16,
    fraction: float = 0.4,
    progress: Callable[[Sequence], Iterable] = iter,
) -> Images:
    """Add synthetic images, for the edges, stripes and letters that photographs rarely contain.

    Args:
        images: the pictures to add to; they are not changed.
        leaves: number of images by `dead_leaves`.
        pages: number of images by `text_page`.
        fraction: fraction of all crops that come from synthetic images, a quarter of them from
            pages.
        progress: wraps the sequence of images to render, for a progress bar.

    Returns:
        New `Images` with the synthetic ones last.

    Example:
        >>> with_synthetic_images(photographs("test"), leaves=1, pages=1).names
        ['chelsea', 'coffee', 'leaves_0', 'page_0']
    """
    more = Images(list(images.names), list(images.pictures), skipped=list(images.skipped))
    scale = (1 - fraction) / sum(images.weights)
    more.weights = [weight * scale for weight in images.weights]
    orders = [("leaves", synthetic.dead_leaves, seed, 0.75 / leaves) for seed in range(leaves)]
    orders += [("page", synthetic.text_page, seed, 0.25 / pages) for seed in range(pages)]
    for name, render, seed, part in progress(orders):
        more.append(f"{name}_{seed}", render(seed), part * fraction)
    return more


def _installed(photograph):
    import importlib.resources

    place = {"skimage": "data", "matplotlib": "mpl-data/sample_data"}[photograph.package]
    package = importlib.resources.files(photograph.package)
    return Path(str(package)) / place / photograph.file
