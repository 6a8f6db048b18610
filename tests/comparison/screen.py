"""What a browser shows of a page, for the tests that open it in one."""

import base64
import io

import numpy as np
from PIL import Image

EVIL = "<script>document.title='run'</script> & \"both\" 'quotes' 🦊.png"
LONG = "long_" + "name" * 40 + ".png"
SIZE = (52, 44)  # 4·13 and 4·11: Fourier transforms of lengths that are no powers of two


def noisy_picture(seed, size=SIZE):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (7, 6, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC))
    return np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)


def frames(page):
    return page.locator(".frame:visible")


def settle(page):
    page.wait_for_timeout(120)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def on_screen(page, number):
    """What a frame shows, pixel by pixel, whole screen pixels only."""
    box = frames(page).nth(number).bounding_box()
    left, top = np.ceil([box["x"], box["y"]])
    right, bottom = np.floor([box["x"] + box["width"], box["y"] + box["height"]])
    shot = page.screenshot(
        clip={"x": left, "y": top, "width": right - left, "height": bottom - top}
    )
    return pixels(shot), (left - box["x"], top - box["y"])


def canvas(page, panel, which=".shown"):
    """The pixels of a canvas in a panel of the first picture."""
    address = page.evaluate(
        "([panel, which]) => document.querySelectorAll('.panel')[panel]"
        ".querySelector(which).toDataURL()",
        [panel, which],
    )
    return pixels(base64.b64decode(address.partition(",")[2]))


def boxes(page):
    """Where each visible frame's picture is, as fractions of its frame."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.frame')].filter(f => f.offsetParent).map(f => {
            const [a, b] = [f, f.querySelector('.shown')].map(e => e.getBoundingClientRect());
            return [(b.x - a.x) / a.width, (b.y - a.y) / a.height,
                    b.width / a.width, b.height / a.height].map(v => Math.round(v * 1e4) / 1e4);
        })"""
    )


def text(page, selector):
    return page.locator(selector).inner_text()
