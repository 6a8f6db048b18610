"""The light of an aerial scene: one sun, its shadows, the haze and the lens."""

import numpy as np

from keras_gen.data.aerial import palette
from keras_gen.data.aerial.canvas import MARGIN, facing, smooth_noise


def photograph(c):
    """Apply the light of the sun, then air and lens.

    Returns:
        The image without its margin, uint8 `(height, width, 3)`.
    """
    rng = c.rng
    hills = facing(smooth_noise(rng, c.shape, 80), c.sun, 6)
    c.light += 0.14 * hills * ((c.labels != palette.WATER) & (c.labels != palette.BUILDING))
    shadow = _shadow(c.height, c.sun, c.drop)
    warmth, exposure, haze = rng.normal(0, 0.012), rng.normal(1.07, 0.035), rng.uniform(0.02, 0.06)
    keep = slice(MARGIN - 1, 1 - MARGIN)
    image = c.colour[:, keep, keep]
    light, shadow, pixel = (m[keep, keep] for m in (c.light, shadow, c.noise["pixel"]))
    # The sky lights the shadows, so they are bluish, and so is the haze.
    tints = zip(image, (0.60, 0.555, 0.475), (0.52, 0.58, 0.66), (1, 0, -1), strict=True)
    for plane, dim, sky, lean in tints:
        gain = (1 - haze) * exposure * (1 + lean * warmth)
        bright = shadow * (-dim * gain)
        bright += gain
        bright *= light
        plane *= bright
        plane += haze * sky
    # The lens blurs every point slightly.
    for ahead, here, behind in (
        ((slice(None), slice(2, None)), (slice(None), slice(1, -1)), (slice(None), slice(-2))),
        ((..., slice(2, None)), (..., slice(1, -1)), (..., slice(-2))),
    ):
        blurred = image[ahead] + image[behind]
        blurred *= 0.08
        blurred += 0.84 * image[here]
        image = blurred
    image += 0.007 * pixel[1:-1, 1:-1]
    image *= 255
    np.clip(np.rint(image, out=image), 0, 255, out=image)
    return np.ascontiguousarray(image.astype(np.uint8).transpose(1, 2, 0))


def _shadow(height, sun, drop):
    """Return how deep each pixel lies in shadow, 0 … 1.

    Four steps of 1, 2, 4 and 8 pixels follow the ray of the sun over 15 pixels: each step reuses
    the result of the one before at a place nearer to the sun.
    """
    h, w = height.shape
    ray, spare = height.copy(), np.empty_like(height)  # ray: the lowest height that the sun reaches
    for k in (1, 2, 4, 8):
        x, y = round(float(k * sun[0])), round(float(k * sun[1]))
        here = slice(max(-y, 0), h - max(y, 0)), slice(max(-x, 0), w - max(x, 0))
        towards = slice(max(y, 0), h - max(-y, 0)), slice(max(x, 0), w - max(-x, 0))
        lower = np.subtract(ray[towards], k * drop, out=spare[here])
        np.maximum(ray[here], lower, out=ray[here])
    ray -= height
    ray -= 0.2
    ray *= 0.8
    return np.clip(ray, 0, 1, out=ray)
