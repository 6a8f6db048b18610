"""The page in a real browser, opened from a file: names, pictures, views."""

import numpy as np
import pytest

from tests.comparison.screen import EVIL, LONG, SIZE, boxes, canvas, frames, on_screen, settle, text

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
        .startswith(f"{EVIL}, upscaled by Nearest: PSNR ")
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
        visible = {tuple(colour) for colour in inset.reshape(-1, 3)}
        own = {tuple(colour) for colour in panel.image.reshape(-1, 3)}
        assert visible <= own | {(0, 0, 0)}, "smoothing adds no colour"


def test_difference_is_from_the_reference_amplified_four_times(visit, comparison):
    page = visit()
    page.keyboard.press("d")
    page.wait_for_selector(".panel:nth-child(4) canvas.shown")
    reference, *others = (panel.image.astype(int) for panel in comparison.pictures[0].panels)
    for number, large in enumerate(others, start=1):
        expected = np.clip(128 + 4 * (large - reference), 0, 255)
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
        shade = np.clip(1 + (level - levels[0].max()) / 80, 0, 1) * 5
        expected = np.stack(
            [np.interp(shade, range(6), anchors[:, channel]) for channel in range(3)], axis=-1
        )
        apart = np.abs(canvas(page, number) - expected).max(axis=2)
        # Except for the circles, which are plotted over it.
        assert (apart <= 1).mean() > 0.6
        assert np.median(apart) <= 1


def test_swipe_clips_at_the_divider(visit, comparison):
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
