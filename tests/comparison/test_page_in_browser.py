"""The page in a real browser: opened from a file, used by mouse, touch and keyboard alone."""

import base64
import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_gen.comparison import comparing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
EVIL = "<script>document.title='run'</script> & \"both\" 'quotes' 🦊.png"
LONG = "long_" + "name" * 40 + ".png"
SIZE = (52, 44)  # 4·13 and 4·11: Fourier transforms of lengths that are no powers of two


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


def picture(seed, size=SIZE):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (7, 6, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC))
    return np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def comparison():
    pictures = {EVIL: picture(0), LONG: picture(1)}
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
    """Where each visible frame's picture is, in shares of its frame."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.frame')].filter(f => f.offsetParent).map(f => {
            const [a, b] = [f, f.querySelector('.shown')].map(e => e.getBoundingClientRect());
            return [(b.x - a.x) / a.width, (b.y - a.y) / a.height,
                    b.width / a.width, b.height / a.height].map(v => Math.round(v * 1e4) / 1e4);
        })"""
    )


def text(page, selector):
    return page.locator(selector).inner_text()


# Names -------------------------------------------------------------------------------------------


def test_names_are_shown_as_text_and_nothing_else(visit):
    page = visit()
    assert page.title() == "Upsampling methods compared, ×4"
    assert text(page, "h2:visible >> nth=0") == EVIL
    assert page.locator("script").count() == 1
    alt = page.locator("img").first.get_attribute("alt")
    assert alt == f"{EVIL}, the reference"
    assert (
        page.locator("img")
        .nth(1)
        .get_attribute("alt")
        .startswith(f"{EVIL}, enlarged by Nearest: PSNR ")
    )


def test_nothing_can_be_asked_for_and_no_other_script_runs(browser, file):
    """Even if a name did get through, the page's policy would stop it."""
    page = browser.new_page()
    page.goto(file.as_uri())
    refused = page.evaluate(
        """async () => {
            const refused = [];
            document.addEventListener('securitypolicyviolation',
                                      (event) => refused.push(event.effectiveDirective));
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
            const image = document.createElement('img');
            image.src = 'https://example.invalid/x.png';
            document.body.append(image);
            await fetch('https://example.invalid/').catch(() => {});
            await new Promise((resolve) => setTimeout(resolve, 100));
            return [window.ran, ...refused.sort()];
        }"""
    )
    page.close()
    assert refused == [None, "connect-src", "img-src", "script-src-elem"]


# Pictures ----------------------------------------------------------------------------------------


def test_zoom_is_linked_and_pixels_are_not_smoothed(visit, comparison):
    page = visit(1200, 1400)
    assert frames(page).count() == 4
    page.click("#in")
    page.click("#in")
    settle(page)
    level = int(text(page, "#level").removesuffix("×"))
    assert level >= 8
    found = boxes(page)
    assert found[0][2] > 1.2  # larger than its frame
    assert all(box == found[0] for box in found)
    frame = frames(page).first.bounding_box()
    for number, panel in enumerate(comparison.pictures[0].panels):
        shown, offset = on_screen(page, number)
        rows = (np.arange(shown.shape[0]) + 0.5 + offset[1] - found[0][1] * frame["height"]) / level
        columns = np.arange(shown.shape[1]) + 0.5 + offset[0] - found[0][0] * frame["width"]
        expected = panel.image[rows.astype(int)][:, (columns / level).astype(int)]
        # Positions are rounded to 1/64 pixel: a line of pixels may fall to its neighbour.
        assert (shown == expected).all(axis=2).mean() > 0.9
        inside = shown[:, 1:] != shown[:, :-1]
        changes = inside.any(axis=(0, 2)).mean()
        assert changes < 1.5 / level, "colours change only where a picture's pixel ends"
    page.click("#whole")
    settle(page)
    assert boxes(page)[1] == [0, 0, 1, 1]
    assert page.locator("#out").is_disabled()


def test_mouse_drags_and_zooms_at_the_pointer(visit):
    page = visit()
    frame = frames(page).nth(1)
    frame.dblclick(position={"x": 40, "y": 30})
    settle(page)
    left, top, width, height = boxes(page)[0]
    size = frame.bounding_box()
    assert width > 1
    # The place under the pointer stays.
    assert (40 / size["width"] - left) / width == pytest.approx(40 / size["width"], abs=0.01)
    assert (30 / size["height"] - top) / height == pytest.approx(30 / size["height"], abs=0.01)
    frame.hover(position={"x": 100, "y": 100})
    page.mouse.down()
    page.mouse.move(size["x"] + 85, size["y"] + 90)
    page.mouse.up()
    settle(page)
    moved = boxes(page)
    assert moved[0][0] == pytest.approx(left - 15 / size["width"], abs=1e-3)
    assert moved[0][1] == pytest.approx(top - 10 / size["height"], abs=1e-3)
    assert all(box == moved[0] for box in moved)
    page.keyboard.down("Control")
    page.mouse.wheel(0, 120)
    page.keyboard.up("Control")
    settle(page)
    assert boxes(page)[0][2] == pytest.approx(1, abs=1e-3)


def test_lens_shows_the_same_place_of_every_panel(visit, comparison):
    page = visit()
    page.click("#lens")
    frame = frames(page).nth(2)
    size = frame.bounding_box()
    row, column = 20, 30
    scale = size["width"] / SIZE[1]
    frame.hover(position={"x": (column + 0.5) * scale, "y": (row + 0.5) * scale})
    settle(page)
    assert page.locator(".inset:visible").count() == 4
    for number, panel in enumerate(comparison.pictures[0].panels):
        inset = canvas(page, number, ".inset")
        middle = inset[len(inset) // 2, len(inset) // 2]
        np.testing.assert_array_equal(middle, panel.image[row, column])
        seen = {tuple(colour) for colour in inset.reshape(-1, 3)}
        own = {tuple(colour) for colour in panel.image.reshape(-1, 3)}
        assert seen <= own | {(0, 0, 0)}, "no colour is made up by smoothing"


def test_difference_is_to_the_truth_four_times_stronger(visit, comparison):
    page = visit()
    page.keyboard.press("d")
    page.wait_for_selector(".panel:nth-child(4) canvas.shown")
    reference, *others = (panel.image.astype(int) for panel in comparison.pictures[0].panels)
    for number, drawn in enumerate(others, start=1):
        expected = np.clip(128 + 4 * (drawn - reference), 0, 255)
        np.testing.assert_array_equal(canvas(page, number), expected)
    assert page.locator(".panel").first.locator("img.shown").count() == 1
    label = page.locator(".panel canvas.shown").first.get_attribute("aria-label")
    assert label.startswith("difference of: ")


def test_spectrum_agrees_with_numpy(visit, comparison):
    """Colour by colour, from another Fourier transform."""
    page = visit()
    page.keyboard.press("f")
    page.wait_for_selector(".panel:nth-child(4) canvas.shown", timeout=20000)
    window = [np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2 for side in SIZE]
    window = np.outer(*window)
    levels = []
    for panel in comparison.pictures[0].panels:
        grey = panel.image @ [0.299, 0.587, 0.114]
        grey = (grey - np.average(grey, weights=window)) * window
        power = np.abs(np.fft.fftshift(np.fft.fft2(grey))) ** 2 / grey.size
        levels.append(10 * np.log10(power + 1e-9))
    anchors = [[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109]]
    anchors = np.array([*anchors, [252, 253, 191]])
    for number, level in enumerate(levels):
        share = np.clip(1 + (level - levels[0].max()) / 80, 0, 1) * 5
        expected = np.stack(
            [np.interp(share, range(6), anchors[:, channel]) for channel in range(3)], axis=-1
        )
        apart = np.abs(canvas(page, number) - expected).max(axis=2)
        # But for the circles, which are drawn over it.
        assert (apart <= 1).mean() > 0.6
        assert np.median(apart) <= 1


def test_swipe_cuts_at_the_divider(visit, comparison):
    page = visit(600, 1400)
    page.check("[value=swipe]", force=True)
    page.select_option("#left", label="Reference")
    page.select_option("#right", label="Nearest")
    settle(page)
    assert frames(page).count() == 1
    box = frames(page).first.bounding_box()
    divider = page.locator(".divider:visible")
    handle = divider.bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 60)
    page.mouse.up()
    settle(page)
    slider = page.locator(".swipe:visible input")
    assert float(slider.input_value()) == pytest.approx(25, abs=0.5)
    assert "Reference, then Nearest" in slider.get_attribute("aria-valuetext")
    shown, _ = on_screen(page, 0)
    scale = box["width"] / SIZE[1]
    reference, nearest = (panel.image for panel in comparison.pictures[0].panels[:2])
    row = 21
    for column, image in ((4, reference), (30, nearest)):
        place = int((row + 0.5) * scale), int((column + 0.5) * scale)
        np.testing.assert_array_equal(shown[place], image[row, column])
        assert (reference[row, column] != nearest[row, column]).any()


def test_pictures_are_chosen_and_panels_hidden(visit):
    page = visit()
    assert page.locator("section.picture:visible").count() == 1
    page.check("[name=picture][value='1']", force=True)
    settle(page)
    assert text(page, "section.picture:visible h2") == LONG
    page.locator("[name=picture][value=all]").check(force=True)
    settle(page)
    assert page.locator("section.picture:visible").count() == 2
    assert text(page, "caption:visible") == "Mean of 2 pictures"
    page.click("#chosen")
    page.uncheck("[name=panel][value='2']")
    settle(page)
    assert frames(page).count() == 6
    assert text(page, "#chosen") == "3 of 4 panels"


# Numbers -----------------------------------------------------------------------------------------


def test_table_sorts_and_marks_the_best(visit, comparison):
    page = visit()
    head = page.locator(".table:visible thead button", has_text="PSNR")
    numbers = {panel.title: panel.numbers for panel in comparison.pictures[0].panels[1:]}
    ranked = sorted(numbers, key=lambda title: -numbers[title]["psnr"])

    def order():
        return page.locator(".table:visible tbody th bdi").all_inner_texts()

    assert order() == ["Reference", *numbers]
    head.click()
    assert order() == ["Reference", *ranked]
    column = page.locator(".table:visible th[aria-sort]")
    assert column.get_attribute("aria-sort") == "descending"
    head.click()
    assert order() == ["Reference", *ranked[::-1]]
    assert column.get_attribute("aria-sort") == "ascending"
    best = page.locator(".table:visible .best").first
    assert best.inner_text().startswith(f"{numbers[ranked[0]]['psnr']:.2f}")
    assert "(best)" in best.text_content()


# Keyboard, touch ---------------------------------------------------------------------------------


def test_keyboard_alone(visit):
    page = visit()

    def focused():
        return page.evaluate(
            "() => { const e = document.activeElement; return e.id || e.name || e.className }"
        )

    def tab_to(name, most=40):
        met = []
        for _ in range(most):
            page.keyboard.press("Tab")
            met.append(focused())
            if met[-1] == name:
                return met
        raise AssertionError(f"{name} is not reached: {met}")

    met = tab_to("panels")
    assert {"theme", "picture", "view", "layout", "in", "lens", "chosen"} <= set(met)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("+")
    page.keyboard.press("+")
    settle(page)
    before = boxes(page)[0]
    assert before[2] > 1
    page.keyboard.press("ArrowRight")
    settle(page)
    assert boxes(page)[0][0] < before[0]
    page.keyboard.press("0")
    page.keyboard.press("l")
    settle(page)
    marker = "parseFloat(document.querySelector('.marker').style.left)"
    start = page.evaluate(marker)
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert page.evaluate(marker) == pytest.approx(start - 100 / SIZE[1], abs=0.01)
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    settle(page)
    assert text(page, "section.picture:visible h2") == LONG
    page.keyboard.press("s")
    page.keyboard.press("]")
    settle(page)
    assert float(page.locator(".swipe:visible input").input_value()) == 55
    assert "swipe" in page.locator("#status").text_content()
    page.keyboard.press("g")
    page.keyboard.press("?")
    assert page.locator(".keys").is_visible()
    page.locator(".table:visible thead button").nth(2).focus()
    page.keyboard.press("Enter")
    assert page.locator(".table:visible th[aria-sort]").count() == 1
    page.locator("#keys").uncheck()
    page.keyboard.press("s")
    settle(page)
    assert page.locator(".swipe:visible").count() == 0, "single keys can be switched off"


def test_touch_pinches_and_moves(visit):
    page = visit(390, 844, has_touch=True, device_scale_factor=2)
    frames(page).first.scroll_into_view_if_needed()
    box = frames(page).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": a, "y": b, "id": number} for number, (a, b) in enumerate(places)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 40, 50, 60):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    settle(page)
    found = boxes(page)
    assert 2 < found[0][2] < 4
    assert all(box == found[0] for box in found)
    assert "." not in text(page, "#level"), "pixels end up whole"
    touch("touchStart", (x, y))
    touch("touchMove", (x - 12, y))
    touch("touchMove", (x - 24, y))
    touch("touchEnd")
    settle(page)
    assert boxes(page)[0][0] == pytest.approx(found[0][0] - 24 / box["width"], abs=0.02)
    page.tap("#whole")
    page.tap("#lens")
    page.touchscreen.tap(x, y)
    settle(page)
    assert page.locator(".inset:visible").count() == 4


# Light, dark, narrow, paper, no script -----------------------------------------------------------


def test_dark_and_light(visit):
    brightness = (
        "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"
        ".slice(0, 3).reduce((a, b) => a + +b, 0) / 3"
    )
    light, dark = visit(), visit(color_scheme="dark")
    assert light.evaluate(brightness) > 240
    assert dark.evaluate(brightness) < 40
    for page, target in ((light, 0), (dark, 255)):
        page.click("#theme")
        assert abs(page.evaluate(brightness) - target) < 40
    assert light.locator("#theme").get_attribute("aria-pressed") == "true"


def test_narrow_screens_do_not_scroll_sideways(visit):
    page = visit(390, 844)
    page.locator("[name=picture][value=all]").check(force=True)
    for key in ("i", "d", "f", "s", "g", "?"):
        page.keyboard.press(key)
        settle(page)
        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], key
    columns = {round(box["x"]) for box in (f.bounding_box() for f in frames(page).all())}
    assert len(columns) == 2


def test_it_prints(visit):
    page = visit()
    page.emulate_media(media="print")
    assert not page.locator("#in").is_visible()
    assert page.locator("figure:visible").count() == 4
    assert page.locator("table:visible").count() == 1
    assert page.pdf()[:5] == b"%PDF-"


def test_without_a_script_everything_is_there(visit):
    page = visit(java_script_enabled=False)
    assert page.locator("figure:visible").count() == 8
    assert page.locator("table:visible").count() == 3
    assert not page.locator("#in").is_visible()


def test_without_a_truth_there_is_no_difference(visit, tmp_path):
    alone = comparing.compare(
        {"one.png": picture(2, (9, 7))}, methods=["nearest", "lanczos"], upscale=True
    )
    page = visit(address=alone.write(tmp_path / "alone.html").as_uri())
    assert page.locator("[value=difference]").is_disabled()
    page.keyboard.press("d")
    settle(page)
    assert frames(page).count() == 2
    assert page.evaluate("document.documentElement.dataset.view") == "picture"
    assert "PSNR" not in text(page, "table:visible")
