"""TODO: say what this module holds."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Images:
    """Pictures by name, with how often each is drawn from.

    Attributes:
        names: one name a picture.
        pictures: uint8 arrays of shape `(height, width, 3)`.
        weights: relative share of the crops that come from each picture.
        skipped: `(name, reason)` of what could not be used.
        note: what else was done to them, in a line.
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

    def append(self, name: str, picture: np.ndarray, weight: float) -> None:
        self.names.append(name)
        self.pictures.append(picture)
        self.weights.append(weight)

    def split(self, share: float) -> tuple["Images", "Images"]:
        """Give (the first pictures, the last ones): `share` of them are held out, at least one.

        A single picture is for training; then nothing is held out.
        """
        held = min(len(self) - 1, max(1, round(share * len(self))))
        parts = []
        for places in (range(len(self) - held), range(len(self) - held, len(self))):
            part = Images(skipped=self.skipped, note=self.note)
            for place in places:
                part.append(self.names[place], self.pictures[place], self.weights[place])
            parts.append(part)
        return parts[0], parts[1]

    def at_least(self, size: tuple[int, int]) -> "Images":
        """Keep what is large enough to cut `size` from; the rest joins `skipped`.

        Raises:
            ValueError: where nothing is large enough.
        """
        kept = Images(skipped=list(self.skipped), note=self.note)
        largest = (0, 0)
        for name, picture, weight in zip(self.names, self.pictures, self.weights, strict=True):
            height, width = picture.shape[:2]
            if height >= size[0] and width >= size[1]:
                kept.append(name, picture, weight)
            else:
                largest = max(largest, (height, width), key=min)
                reason = f"{height}×{width} is smaller than the crop of {size[0]}×{size[1]}"
                kept.skipped.append((name, reason))
        if not kept.names:
            raise ValueError(
                f"none of the {len(self)} images is as large as the crop of {size[0]}×{size[1]} "
                f"(the largest is {largest[0]}×{largest[1]}); use larger images or a smaller size"
            )
        return kept


def crop_weight(pixels):
    """Larger pictures hold more crops, but not in proportion: they also repeat themselves."""
    return float(np.sqrt(pixels.shape[0] * pixels.shape[1]))
