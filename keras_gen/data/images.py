"""Pictures in memory: the class `Images`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Images:
    """A list of pictures with names, from which crops are taken.

    Attributes:
        names: one name per picture.
        pictures: uint8 arrays of shape `(height, width, 3)`.
        weights: relative frequency of crops from each picture.
        skipped: `(name, reason)` of whatever could not be used.
        note: any other change to the pictures, as a sentence to print.

    Example:
        >>> images = Images()
        >>> images.append("grey", np.full((8, 18, 3), 128, np.uint8))
        >>> len(images), images["grey"].shape, images.weights
        (1, (8, 18, 3), [12.0])
    """

    names: list[str] = field(default_factory=list)
    pictures: list[np.ndarray] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        yield from zip(self.names, self.pictures, strict=True)

    def __getitem__(self, which: int | str) -> np.ndarray:
        return self.pictures[self.names.index(which) if isinstance(which, str) else which]

    def append(self, name: str, picture: np.ndarray, weight: float | None = None) -> None:
        """Add a picture.

        Args:
            name: its name.
            picture: uint8 array of shape `(height, width, 3)`.
            weight: relative frequency of crops from it. None: the square root of its number of
                pixels. Larger pictures hold more crops, but they also repeat themselves.
        """
        self.names.append(name)
        self.pictures.append(picture)
        height, width = picture.shape[:2]
        self.weights.append(float(np.sqrt(height * width)) if weight is None else weight)

    def split(self, fraction: float) -> tuple["Images", "Images"]:
        """Hold out the last pictures.

        Args:
            fraction: fraction of the pictures to hold out, rounded, but at least one picture. A
                single picture is never held out.

        Returns:
            The pictures to train on, and those held out.
        """
        held_out = min(len(self) - 1, max(1, round(fraction * len(self))))
        first = len(self) - held_out
        return self._choose(range(first)), self._choose(range(first, len(self)))

    def at_least(self, size: tuple[int, int]) -> "Images":
        """Keep the pictures that are large enough for a crop of `size`; the rest joins `skipped`.

        Raises:
            ValueError: if no picture is large enough.
        """
        sizes = [picture.shape[:2] for picture in self.pictures]
        fits = [height >= size[0] and width >= size[1] for height, width in sizes]
        if not any(fits):
            largest = max(sizes, key=min, default=(0, 0))
            raise ValueError(
                f"none of the {len(self)} images is as large as the crop of {size[0]}×{size[1]} "
                f"(the largest is {largest[0]}×{largest[1]}); use larger images or a smaller size"
            )
        kept = self._choose(place for place, fit in enumerate(fits) if fit)
        for name, (height, width), fit in zip(self.names, sizes, fits, strict=True):
            if not fit:
                reason = f"{height}×{width} is smaller than the crop of {size[0]}×{size[1]}"
                kept.skipped.append((name, reason))
        return kept

    def _choose(self, places: Iterable[int]) -> "Images":
        chosen = Images(skipped=list(self.skipped), note=self.note)
        for place in places:
            chosen.append(self.names[place], self.pictures[place], self.weights[place])
        return chosen
