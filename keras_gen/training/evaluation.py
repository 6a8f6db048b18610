"""TODO: say what this module holds."""

import keras
import numpy as np

from keras_gen.inference.sampling import predict_in_batches
from keras_gen.metrics import diversity_and_copying, spectra, wasserstein


class Evaluator:
    """Compares a generator with real images, always on the same latents (or given images).

    Args:
        real: float32 `(count, height, width, 3)` in 0 … 1: half of them are the reference, the
            other half shows what real images score.
        inputs: what the generator draws from: latents `(count // 2, latent_dim)`, or images.
        patches: patches an image and level for the sliced Wasserstein distance.
        pairs: pairs of images for the diversity.
        batch_size: images drawn at once.

    Attributes:
        real_scores: what the real images score: `swd`, `swd_joint`, `diversity`, `checkerboard_2`,
            `checkerboard_4`.

    Raises:
        ValueError: if there are fewer than four real images, or not half as many inputs.

    Example:
        judge = Judge(cut(photographs(), (400, 400), 96), latents(48, 128))
        print(judge(generator)["swd"])  # 1 is as good as real
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
        floor = wasserstein.sliced_wasserstein_floor(real, patches=patches, splits=3)
        self.floor = floor
        self.real_scores = {"swd": floor.separate, "swd_joint": floor.joint}
        self.real_scores |= self._alone(real[count:])

    def draw(self, generator: keras.Model, count: int | None = None) -> np.ndarray:
        """Draw from the first of the inputs: float32 `(count, height, width, 3)`."""
        return predict_in_batches(generator, self.inputs[:count], self.batch_size)

    def __call__(self, generator: keras.Model) -> dict[str, float]:
        """Judge a generator.

        Returns:
            `swd_separate` and `swd_joint`: sliced Wasserstein distances, each over that of real
            images, so that 1 is as good as real; `swd`: the larger of the two. `diversity`: over
            that of real images; near 0 where it draws one image again and again.
            `checkerboard_2`, `checkerboard_4`: mean `checkerboard_gain` of that period.
        """
        return self.compare(self.draw(generator))

    def compare(self, drawn: np.ndarray) -> dict[str, float]:
        """Judge images, float32 `(count // 2, height, width, 3)`, as those of a generator."""
        distance = wasserstein.sliced_wasserstein(drawn, self.reference, patches=self.patches)
        separate = distance.separate / self.floor.separate
        joint = distance.joint / self.floor.joint
        alone = self._alone(drawn)
        alone["diversity"] /= self.real_scores["diversity"] or 1.0
        return {
            "swd": max(separate, joint),
            "swd_separate": separate,
            "swd_joint": joint,
            **alone,
        }

    def _alone(self, images):
        scores = {"diversity": diversity_and_copying.diversity(images, pairs=self.pairs, luma=True)}
        for period in (2, 4):
            scores[f"checkerboard_{period}"] = float(
                np.mean(spectra.checkerboard_gain(images, period))
            )
        return scores
