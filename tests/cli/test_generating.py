"""`generate` writes one picture or a folder of them, and says what cannot be read."""

import keras
from PIL import Image

from tests.cli.commands import tiny_training


def test_generate_a_folder(run, weights, pictures, tmp_path):
    (pictures / "bad.png").write_text("no picture")
    out = tmp_path / "out"
    code, lines, errors = run("generate", "simple_x2_tiny", "--input", pictures, "--out", out)
    assert (code, errors) == (0, "")
    names = [f"{index}_simple_x2_tiny.png" for index in range(3)]
    assert sorted(path.name for path in out.iterdir()) == names
    with Image.open(out / names[0]) as result:
        assert result.size == (140, 120)
    assert f"skipped {pictures / 'bad.png'}: it is empty, damaged, or no image" in lines
    assert lines[-1] == f"wrote 3 pictures to {out}"
    assert lines[0] == "importing Keras"


def test_generate_one_picture_with_a_file_of_weights(run, stored, pictures, tmp_path):
    picture, path = pictures / "0.png", stored / "simple_64to400_photos.keras"
    code, lines, errors = run("generate", path, "--input", picture, "--out", tmp_path / "out")
    assert (code, errors) == (0, "")
    result = tmp_path / "out" / "0_simple_64to400_photos.png"
    assert lines[-1] == f"wrote {result}"
    with Image.open(result) as image:
        assert image.size == (400, 400)


def test_generate_does_not_upscale_its_own_results(run, weights, pictures):
    out = pictures / "large"
    for _ in range(2):
        code, _, _ = run("generate", "simple_x2_tiny", "--input", pictures, "--out", out)
        assert code == 0
        assert len(list(out.iterdir())) == 3


def test_generate_mistakes(fails, weights, pictures, tmp_path):
    def message(generator="simple_x2_tiny", given=pictures, out=tmp_path / "out"):
        return fails("generate", generator, "--input", given, "--out", out)

    text = message(generator="simple_x3")
    assert (
        "there are no weights 'simple_x3'; give the path of a .keras file, or one of: gan_hubble, "
        in text
    )
    (tmp_path / "fake.keras").write_text("no archive")
    assert "fake.keras is not a .keras file" in message(generator=tmp_path / "fake.keras")
    inputs = keras.Input((4,))
    keras.Model(inputs, keras.layers.Dense(3)(inputs)).save(tmp_path / "dense.keras")
    assert "maps (None, 4) to (None, 3)" in message(generator=tmp_path / "dense.keras")
    assert "missing does not exist" in message(given=tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "holds no image file" in message(given=tmp_path / "empty")
    (tmp_path / "text.png").write_text("no picture")
    assert "none of the 1 pictures" in message(given=tmp_path / "text.png")
    assert "is not a directory" in message(out=tmp_path / "text.png")
    assert "is not a directory" in message(out=tmp_path / "text.png" / "deeper")
    assert "results would mix with them" in message(out=pictures)
    assert not (tmp_path / "out").exists(), "nothing is written where nothing could be done"
    assert "say which with --input" in fails("generate", "simple_x2_tiny", "--out", "x")
    assert "missing argument 'weights'" in fails("generate").lower()


def test_names_that_no_terminal_can_show(run, weights, unspeakable, tmp_path):
    out = tmp_path / "out"
    code, lines, errors = run("generate", "simple_x2_tiny", "--input", unspeakable, "--out", out)
    assert (code, errors) == (0, "")
    assert len(list(out.iterdir())) == 4
    assert f"skipped {unspeakable}/bad ?.png: it is empty, damaged, or no image" in lines
    code, lines, errors = run(*tiny_training(unspeakable, tmp_path / "run"))
    assert (code, errors) == (0, "")
    assert "skipped bad ?.png: it is empty, damaged, or no image" in lines
