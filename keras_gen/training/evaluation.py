"""Evaluation of a generator without references: its images as a whole against real images."""

import keras
import numpy as np

from keras_gen.inference.sampling import predict_in_batches
from keras_gen.metrics import diversity_and_copying, spectra, wasserstein


class Evaluator:
    """Compares a generator with real images, always from the same latents (or input images).

    Args:
        real: float32 `(count, height, width, 3)` in 0 … 1. One half is the reference; the other
            half shows what real images score.
        inputs: inputs of the generator: latents `(count // 2, latent_dim)`, or images.
        patches: patches for each image and level in the sliced Wasserstein distance.
        pairs: pairs of images for the diversity.
        batch_size: images generated at once.

    Attributes:
        reference: the real images to compare with.
        inputs: the inputs, float32.
        floor: the sliced Wasserstein distance of real images from one another.
        real_scores: what real images score: `swd`, `swd_joint`, `diversity`, `checkerboard_2`,
            `checkerboard_4`.

    Raises:
        ValueError: if there are fewer than four real images, or not half as many inputs.

    Example:
        >>> real = np.random.default_rng(0).random((8, 32, 32, 3), np.float32)
        >>> evaluate = Evaluator(real, np.zeros((4, 8)))
        >>> evaluate(kg.gan_generator(8, 32, filters=(8, 4)))["swd"] > 1  # 1 is as good as real
        True
    """

    def __init__(
        self,
        real: np.ndarray,
        inputs: np.ndarray,
        *,
        patches: int = 128,
        pairs: int = 24,
        batch_size: int = 8,
    ):
        count = len(real) // 2
        if count < 2 or len(inputs) != count:
            raise ValueError(
                f"received {len(real)} real images and {len(inputs)} inputs; expected at least 4 "
                "real images, and inputs for half as many"
            )
        self.reference, self.inputs = real[:count], np.asarray(inputs, np.float32)
        self.patches, self.pairs, self.batch_size = patches, pairs, batch_size
        self.floor = wasserstein.sliced_wasserstein_floor(real, patches=patches, splits=3)
        self.real_scores = {"swd": self.floor.separate, "swd_joint": self.floor.joint}
        self.real_scores |= self._scores_without_reference(real[count:])

    def generate(self, generator: keras.Model, count: int | None = None) -> np.ndarray:
        """Generate from the first inputs: float32 `(count, height, width, 3)`."""
        return predict_in_batches(generator, self.inputs[:count], self.batch_size)

    def __call__(self, generator: keras.Model) -> dict[str, float]:
        """Evaluate a generator.

        Returns:
            `swd_separate` and `swd_joint`: sliced Wasserstein distances, with the two sets of
            images normalised separately or jointly, divided by those of real images, so 1 is as
            good as real; `swd`: the larger of the two; `diversity`: divided by that of real images,
            near 0 where the same image is generated repeatedly; `checkerboard_2`,
            `checkerboard_4`: mean `checkerboard_gain` of that period.
        """
        return self.compare(self.generate(generator))

    def compare(self, images: np.ndarray) -> dict[str, float]:
        """Evaluate images, float32 `(count // 2, height, width, 3)`, as those of a generator."""
        distance = wasserstein.sliced_wasserstein(images, self.reference, patches=self.patches)
        separate = distance.separate / self.floor.separate
        joint = distance.joint / self.floor.joint
        scores = self._scores_without_reference(images)
        scores["diversity"] /= self.real_scores["diversity"] or 1.0
        return {"swd": max(separate, joint), "swd_separate": separate, "swd_joint": joint, **scores}

    def _scores_without_reference(self, images):
        scores = {"diversity": diversity_and_copying.diversity(images, pairs=self.pairs, luma=True)}
        for period in (2, 4):
            scores[f"checkerboard_{period}"] = float(
                np.mean(spectra.checkerboard_gain(images, period))
            )
        return scores
