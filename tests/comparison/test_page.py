"""The page is whole, exact and safe whatever it is given; test_page_in_browser.py opens it."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gen.comparison import page as page_module
from keras_gen.comparison.page import SCRIPTS, Column, Panel, Picture, embedded, means, page

PARTS = sorted((Path(page_module.__file__).parent / "parts").iterdir())
EVIL = "</title><script>alert(1)</script>\"'&<!-- \x00\x1b\n‮gnp.\udc80"
PSNR = Column("psnr", "PSNR", "dB", "closeness", "{:.2f}", best="high", headline=True)
LOW = Column("low", "Low", "", "low is good", "{:.1f}", best="low")
PLAIN = Column("plain", "Plain", "", "no best", "{:.1f}")


def image(seed=0, size=(6, 9)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def pictures(numbers=((), ({"psnr": 30.0}), ({"psnr": 31.0})), names=("one.png",), evil=""):
    titles = ["Reference", "Nearest", "Bicubic", "Mine"][: len(numbers)]
    return [
        Picture(
            name + evil,
            "6×9" + evil,
            [
                Panel(title + evil, "fixed" + evil, "a caption" + evil, image(k), dict(values))
                for k, (title, values) in enumerate(zip(titles, numbers, strict=True))
            ],
        )
        for name in names
    ]


class Reader(HTMLParser):
    """What a page holds, as another parser reads it."""

    void = frozenset({"meta", "link", "img", "input", "br"})

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.words, self.scripts = [], [], [], []
        self.feed(page)
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        place = self.open[-1] if self.open else None
        (self.scripts if place in ("script", "style") else self.words).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def make(found, columns=(PSNR,), **options):
    return page(found, columns, **{"title": "A title", **options})


# Safety ------------------------------------------------------------------------------------------


def test_no_text_becomes_a_tag_an_attribute_or_a_script():
    options = {"lead": "A lead", "notes": ["A note"]}
    plain = Reader(make(pictures(), **options))
    evil = {"title": "A title" + EVIL, "lead": "A lead" + EVIL, "notes": ["A note" + EVIL]}
    shown = "{:.2f}"
    columns = [Column("psnr", EVIL, "dB" + EVIL, EVIL, shown, best="high", headline=True)]
    read = Reader(make(pictures(evil=EVIL), columns, **evil))
    assert [(tag, sorted(has)) for tag, has in read.tags] == [
        (tag, sorted(has)) for tag, has in plain.tags
    ]
    assert read.scripts == plain.scripts
    assert "<script>alert(1)</script>" in "".join(read.words)


def test_policy_lets_only_this_style_and_script_in():
    read = Reader(make(pictures()))
    (policy,) = [meta["content"] for meta in read.all("meta") if "http-equiv" in meta]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    style, script = read.scripts
    for name, code in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    page = make(pictures())
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "style=" not in page.partition("</style>")[2].partition("<script>")[0]
    assert not re.search(r"https?://|url\(|@import", "".join(read.scripts))


def test_page_can_be_written_whatever_names_hold():
    make(pictures(evil=EVIL), title=EVIL).encode("utf-8")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_parts_cannot_end_their_own_tags(part):
    text = part.read_text("utf-8")
    assert "</" not in text or part.suffix == ".html"
    assert "\r" not in text


def test_all_parts_are_used():
    templates = {part.name for part in PARTS if part.suffix == ".html"}
    texts = {"__init__.py", "columns.toml", "methods.toml"}
    found = {part.name for part in PARTS if part.is_file()}
    assert found == templates | texts | {*SCRIPTS, "viewer.css"}
    shell = next(part for part in PARTS if part.name == "viewer.html").read_text("utf-8")
    assert set(re.findall(r'include "(.*?)"', shell)) == templates - {"viewer.html"}


# Pictures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 7), (2, 16384)])
def test_images_are_embedded_without_loss(size):
    given = image(1, size)
    kind, _, data = embedded(given).partition(";base64,")
    assert kind in ("data:image/png", "data:image/webp")
    read = Image.open(io.BytesIO(base64.b64decode(data)))
    np.testing.assert_array_equal(np.asarray(read.convert("RGB")), given)


def test_without_webp_png_serves(monkeypatch):
    given = np.kron(image(2, (20, 20)), np.ones((4, 4, 1), np.uint8))
    smaller = embedded(given)
    monkeypatch.setattr(page_module.features, "check", lambda name: False)
    larger = embedded(given)
    assert smaller.startswith("data:image/webp") and larger.startswith("data:image/png")
    assert len(smaller) < len(larger)


def test_every_picture_has_its_size_and_an_alternative_text():
    read = Reader(make(pictures()))
    alts = [attributes["alt"] for attributes in read.all("img")]
    assert alts == [
        "one.png, the reference",
        "one.png, upscaled by Nearest: PSNR 30.00 dB",
        "one.png, upscaled by Bicubic: PSNR 31.00 dB",
    ]
    assert {(i["width"], i["height"]) for i in read.all("img")} == {("9", "6")}
    alone = Reader(make(pictures(), reference=False))
    assert alone.all("img")[0]["alt"] == "one.png, upscaled by Reference"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: [], "nothing to show"),
        (lambda found: [Picture("x", "", [])], "nothing to show"),
        (lambda found: [*found, Picture("x", "", found[0].panels[:1])], "'x' has other methods"),
        (lambda found: [Picture("x", "", [Panel("a", "", "", np.zeros((3, 3, 3)))])], "float64"),
        (
            lambda found: [Picture("x", "", [Panel("a", "", "", np.zeros((3, 3), np.uint8))])],
            r"uint8 of shape \(3, 3\)",
        ),
        (
            lambda found: [Picture("x", "", [Panel(t, "", "", image(0, (t, 3))) for t in (3, 4)])],
            "several sizes",
        ),
    ],
)
def test_what_cannot_be_shown(change, message):
    with pytest.raises(ValueError, match=message):
        make(change(pictures()))


# Numbers -----------------------------------------------------------------------------------------


def rows(page, which="0"):
    table = re.search(rf'data-picture="{which}".*?</table>', page, re.S)[0]
    return [re.findall(r"<td.*?</td>", row) for row in re.findall(r"<tr.*?</tr>", table, re.S)[1:]]


def test_the_best_of_each_column_is_marked_ties_too_and_never_the_reference():
    numbers = [
        {"psnr": 99.0, "low": 0.0, "plain": 1.0},
        {"psnr": 30.001, "low": 2.0, "plain": 1.0},
        {"psnr": 30.004, "low": 1.0, "plain": 2.0},
        {"psnr": 29.0, "low": None, "plain": 3.0},
    ]
    page = make(pictures(numbers), [PSNR, LOW, PLAIN])
    best = [["best" in cell for cell in row] for row in rows(page)]
    assert best == [
        [False, False, False],
        [True, False, False],
        [True, True, False],
        [False, False, False],
    ]


def test_a_method_alone_is_not_called_the_best():
    assert 'class="best"' not in make(pictures([{}, {"psnr": 30.0}]))


def test_numbers_that_are_none_or_infinite():
    found = pictures([{}, {"psnr": np.inf}, {"psnr": np.nan}])
    cells = [row[0] for row in rows(make(found))]
    assert cells[0] == "<td>–</td>"
    assert cells[1].startswith('<td data-value="inf"') and "∞" in cells[1]
    assert cells[2] == "<td>–</td>"


def test_means_are_over_the_pictures_that_have_the_number():
    found = pictures(names=("one.png", "two.png", "three.png"))
    for picture, value in zip(found, (30.0, 33.0, None), strict=True):
        picture.panels[1].numbers["psnr"] = value
        picture.panels[2].numbers["psnr"] = None
    averages = means(found, [PSNR])
    assert [row["psnr"] for row in averages] == [None, 31.5, None]
    page = make(found)
    assert ">31.50<" in rows(page, "all")[1][0]
    assert page.count("<table>") == 4
    assert "Mean of 3 pictures" in page


def test_every_column_is_explained():
    page = make(pictures(), [PSNR, LOW])
    for column in (PSNR, LOW):
        assert f"<dt>{column.label}</dt><dd>{column.explanation}</dd>" in page
