import keras
import numpy as np
import pytest

from keras_gen.comparison import old_comparisons
from keras_gen.data import bundled, synthetic
from keras_gen.data.resampling import reduce
from keras_gen.inference import stored
from keras_gen.models.upsampling import UPSAMPLING


@pytest.fixture(scope="module")
def coffee():
    return dict(bundled.photographs("test"))["coffee"]


@pytest.fixture(scope="module")
def untrained(coffee):
    return old_comparisons.untrained(reduce(coffee, (48, 72)))


def test_untrained_gain_is_born_where_phases_have_kernels_of_their_own(untrained):
    gain = {row["method"]: row["gain"] for row in untrained.rows}
    assert set(gain) == set(UPSAMPLING)
    for method in ("transposed", "transposed_overlap", "subpixel_plain"):
        assert gain[method] > 100 * gain["nearest"]
    for method in ("bilinear", "bicubic", "subpixel", "blur"):
        assert gain[method] < 10 * gain["nearest"]


def test_untrained_energy_is_uneven_where_kernels_overlap_unevenly(untrained):
    energy = {row["method"]: row["energy"] for row in untrained.rows}
    assert energy["transposed_overlap"] > 3 * energy["transposed"]
    assert energy["transposed_overlap"] > 3 * energy["subpixel_plain"]


def test_untrained_repeats_itself(coffee):
    small = reduce(coffee, (40, 40))
    first, again = (
        old_comparisons.untrained(small, methods=["transposed"], seeds=[3]) for _ in range(2)
    )
    assert first.rows == again.rows
    assert np.array_equal(first.pictures["transposed"], again.pictures["transposed"])


def test_decoders_differ_in_their_upsampling_alone():
    first, other = (old_comparisons.random_decoder(m, seed=5) for m in ("nearest", "subpixel"))
    for place in (0, -2):  # the first kernel, and the last
        assert np.array_equal(first.get_weights()[place], other.get_weights()[place])


def test_fixed_scores_of_a_photograph(coffee):
    compared = old_comparisons.fixed(coffee, scale=4)
    psnr = [row["psnr"] for row in compared.rows]
    assert psnr[:-1] == sorted(psnr[:-1])  # nearest, bilinear, bicubic, Lanczos
    reference = compared.row("reference")
    assert reference["psnr"] is None
    assert (reference["ssim"], reference["spectrum"]) == (pytest.approx(1), 0)
    assert all(row["sharpness"] < reference["sharpness"] for row in compared.rows[:-1])


def test_fixed_cuts_to_whole_multiples(coffee):
    compared = old_comparisons.fixed(coffee[:101, :127], scale=3, methods=["bilinear"])
    assert (
        compared.pictures["reference"].shape == compared.pictures["bilinear"].shape == (99, 126, 3)
    )


def test_trained_takes_the_stored_networks(coffee, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_WEIGHTS", str(tmp_path))
    x = keras.Input((None, None, 3))
    model = keras.Model(x, keras.layers.UpSampling2D(4, interpolation="bilinear")(x))
    model.save(tmp_path / "upsampling_blur_x4.keras")
    compared = old_comparisons.trained(coffee[:80, :120])
    assert list(compared.pictures) == ["blur", "reference"]
    bilinear = old_comparisons.fixed(coffee[:80, :120], methods=["bilinear"]).row("bilinear")
    assert compared.row("blur")["psnr"] == pytest.approx(bilinear["psnr"], abs=1e-3)
    with pytest.raises(ValueError, match="no weights 'upsampling_nearest_x4'"):
        old_comparisons.trained(coffee[:80, :120], methods=["nearest"])


def test_stored_networks_are_there_for_every_method():
    assert {f"upsampling_{method}_x4" for method in UPSAMPLING} <= set(stored.stored_names())


def test_table_and_figure(coffee):
    import matplotlib.pyplot as plt

    compared = old_comparisons.fixed(coffee[:64, :96], methods=["nearest", "bicubic"])
    assert "PSNR" not in str(compared.table())
    assert compared.table()[0]["psnr"] == f"{compared.rows[0]['psnr']:.2f}"
    figure = compared.figure(labels=["psnr"], columns=2)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == [
        f"nearest\nPSNR {compared.rows[0]['psnr']:.2f}",
        f"bicubic\nPSNR {compared.rows[1]['psnr']:.2f}",
        "reference",
    ]
    plt.close(figure)


def test_zone_plate_is_finest_at_the_edges():
    plate = synthetic.zone_plate(64)
    assert plate.shape == (64, 64, 3) and plate.dtype == np.uint8
    row = plate[32, :, 0].astype(int)
    steps = abs(np.diff(row))
    assert steps[30:33].max() < 20
    assert steps[-8:].mean() > 2 * steps[24:40].mean() > 4 * steps[30:33].mean()
    assert np.array_equal(plate, plate[::-1, ::-1])


def test_says_what_is_wrong(coffee):
    with pytest.raises(ValueError, match=r"received float64 \(8, 8, 3\); expected uint8"):
        old_comparisons.fixed(np.zeros((8, 8, 3)))
    with pytest.raises(ValueError, match="received 8×8 pixels; ×4 needs 32 a side"):
        old_comparisons.fixed(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="no seeds were given"):
        old_comparisons.untrained(coffee, seeds=[])
