import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from keras_gen.cli.main import app


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    x = keras.Input((32, 48, 3))
    y = keras.layers.Conv2D(8, 5, strides=2, padding="same", name="halve")(x)
    y = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", name="double")(y)
    path = tmp_path_factory.mktemp("models") / "small.keras"
    keras.Model(x, y).save(path)
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


def test_tells_size_field_stride_and_cost_of_every_layer(model_file):
    result = run(model_file)
    assert result.exit_code == 0, result.output
    rows = {line.split()[0]: line.split() for line in result.output.splitlines() if line.strip()}
    # layer, type, size, channels, field, stride, parameters, multiply–accumulates
    assert rows["halve"][2:] == ["16×24", "8", "5×5", "2", "608", f"{16 * 24 * 8 * 75:,}"]
    assert rows["double"][2:] == ["32×48", "3", "7×7", "1", "387", f"{16 * 24 * 8 * 48:,}"]
    assert "995 parameters" in result.output


def test_plots_the_fields(model_file, tmp_path):
    photograph = tmp_path / "photograph.png"
    Image.fromarray(np.zeros((32, 48, 3), np.uint8)).save(photograph)
    result = run(model_file, "--plot", tmp_path / "fields.png", "--on", photograph)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "fields.png") as picture:
        assert min(picture.size) > 200
        assert len(picture.convert("RGB").getcolors(2**20)) > 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.keras"], "there are no weights 'nothing.keras'"),
        (["simple_x4_photos"], "takes any size; say which one to inspect: --size 400"),
        (["simple_x4_photos", "--on", "a.png"], "say where to write it with --plot FILE"),
    ],
)
def test_says_what_is_wrong(arguments, message):
    result = run(*arguments)
    assert result.exit_code != 0
    assert message in str(result.exception)
