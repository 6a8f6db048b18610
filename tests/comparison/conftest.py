"""Fixtures of the comparison: stored networks, a folder of pictures, a page in a browser."""

import functools
import os
import shutil

import keras
import pytest
from PIL import Image

from keras_gen.comparison import comparing
from tests.comparison.pictures import picture, upscaler
from tests.comparison.screen import EVIL, LONG, noisy_picture

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Two networks named like those of the course, and others."""
    place = tmp_path_factory.mktemp("weights")
    keras.utils.set_random_seed(0)
    upscaler(4).save(place / "upsampling_nearest_x4.keras")
    upscaler(4).save(place / "upsampling_transposed_x4.keras")
    for folder in ("a", "b"):
        (place / folder).mkdir()
        upscaler(2).save(place / folder / "mine.keras")
    upscaler(2, (8, 12, 3)).save(place / "fixed.keras")
    upscaler(2, (9, 9, 3)).save(place / "other.keras")
    return place


@pytest.fixture
def weights(stored, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(stored))
    return stored


@pytest.fixture
def run(run):
    """Run the command in this process: exit code, lines of stdout, stderr."""
    return functools.partial(run, "compare")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    (place / "deeper").mkdir(parents=True)
    for number, name in enumerate(("b.png", "a.jpg", "deeper/b.png")):
        Image.fromarray(picture(40, 48, number)).save(place / name)
    (place / "bad.png").write_text("no picture")
    return place


@pytest.fixture(scope="module")
def browser():
    """A browser that is installed here; the gate insists on one."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        reason = f"install {' or '.join(BROWSERS[:3])}, and pip install playwright"
        if os.environ.get("KERAS_GEN_BROWSER") == "required":
            pytest.fail(f"KERAS_GEN_BROWSER=required, but there is no browser: {reason}")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def comparison():
    pictures = {EVIL: noisy_picture(0), LONG: noisy_picture(1)}
    return comparing.compare(pictures, scale=4, methods=["nearest", "bilinear", "bicubic"])


@pytest.fixture(scope="module")
def file(comparison, tmp_path_factory):
    return comparison.write(tmp_path_factory.mktemp("page") / "compared.html")


@pytest.fixture
def visit(browser, file):
    """Open the page; at the end, nothing may have been asked for and nothing gone wrong."""
    contexts, wrong = [], []

    def visit(width=1200, height=900, *, address=None, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:"))
                else wrong.append(f"request: {request.url}")
            ),
        )
        page.goto(address or file.as_uri())
        page.wait_for_timeout(100)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []
