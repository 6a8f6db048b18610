"""The command `compare`: what it writes, prints and refuses."""


def test_command(run, folder, tmp_path):
    out = tmp_path / "new" / "page.html"
    code, lines, errors = run(folder, "--methods", "nearest", "bicubic", "--out", out)
    assert (code, errors) == (0, "")
    assert lines[0] == "importing Keras"
    assert "skipped bad.png: it is empty, damaged, or no image" in lines
    assert any(line.split()[:1] == ["Bicubic"] for line in lines)
    assert lines[-1].startswith(f"wrote {out} (")
    assert out.read_text("utf-8").count("<figure") == 9


def test_command_takes_several_values_in_any_order(run, folder, weights, tmp_path):
    out = tmp_path / "page"
    files = [weights / "a" / "mine.keras", weights / "b" / "mine.keras"]
    first = ["--out", out, "--methods", "nearest", "--model", *files, "--", folder / "b.png"]
    code, lines, errors = run(*first)
    assert (code, errors) == (0, "")
    assert lines[-1].startswith(f"wrote {out}.html (")
    page = out.with_suffix(".html").read_text("utf-8")
    assert page.count("<figure") == 4
    assert "b/mine" in page


def test_command_mistakes(fails, folder, weights, tmp_path):
    one, out = folder / "b.png", tmp_path / "page.html"
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.keras").write_text("no model")
    mine, fixed = weights / "a" / "mine.keras", weights / "fixed.keras"
    last = ["--methods", "nearest", "--out", out]
    assert "holds no image file" in fails(tmp_path / "empty", *last)
    assert "missing.png does not exist" in fails(tmp_path / "missing.png", *last)
    assert "none of the 1 pictures could be compared; bad.png: it is empty" in fails(
        folder / "bad.png", *last
    )
    unknown = fails(one, "--methods", "cubic", "--out", out)
    assert unknown.startswith("method 'cubic' is unknown; choose one of 'nearest', 'bilinear',")
    assert "trained_transposed" in unknown
    assert "needs upsampling_blur_x4.keras, which is not in" in fails(one, "--methods", "blur")
    assert "trained_nearest upscales by 4, not by 2; use --scale 4" in fails(
        one, "--methods", "trained_nearest", "--scale", 2
    )
    assert "there are no weights 'nonsense'" in fails(one, "--model", "nonsense", "--out", out)
    assert "broken.keras is not a .keras file" in fails(one, "--model", tmp_path / "broken.keras")
    assert "mine upscales by 2, not by 4; use --scale 2" in fails(
        one, "--model", mine, "--scale", 4
    )
    assert "other takes 9×9" in fails(one, "--model", fixed, "other")
    assert "Missing argument" in fails("--methods", "nearest", one)
    for scale in ("1", "0", "17", "many", "nan", "1/0"):
        assert f"{scale}" in fails(one, "--scale", scale)
    assert "is a directory" in fails(one, "--out", folder)
    assert "give a name that ends in .html" in fails(one, "--out", tmp_path / "page.png")
    assert "is not a directory" in fails(one, "--out", one / "page.html")
    assert not out.exists()


def test_help(run):
    code, lines, errors = run("--help")
    assert (code, errors) == (0, "")
    text = "\n".join(lines)
    for word in ("--methods", "--model", "--upscale", "--scale", "trained_nearest"):
        assert word in text
