"""The page in a real browser: its tables, used by keyboard and touch alone, in every light."""

import pytest

from keras_gen.comparison import comparing
from tests.comparison.screen import LONG, SIZE, boxes, frames, noisy_picture, settle, text

# Numbers -----------------------------------------------------------------------------------------


def test_table_sorts_and_marks_the_best(visit, comparison):
    page = visit()
    head = page.locator(".table:visible thead button", has_text="PSNR").first
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


def test_without_a_reference_there_is_no_difference(visit, tmp_path):
    alone = comparing.compare(
        {"one.png": noisy_picture(2, (9, 7))}, methods=["nearest", "lanczos"], upscale=True
    )
    page = visit(address=alone.write(tmp_path / "alone.html").as_uri())
    assert page.locator("[value=difference]").is_disabled()
    page.keyboard.press("d")
    settle(page)
    assert frames(page).count() == 2
    assert page.evaluate("document.documentElement.dataset.view") == "picture"
    assert "PSNR" not in text(page, "table:visible")
