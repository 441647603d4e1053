"""The study from end to end on a tiny population of digits networks."""

import shutil

import polars as pl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from synaplex.cli.study_options import parse_options
from synaplex.errors import SpecificationError, UnknownNameError, UnreadableFileError
from synaplex.studies import studies
from synaplex.studies.la_malfa_2021.claims import CLAIMS
from synaplex.studies.la_malfa_2021.figures.densities import densities
from synaplex.studies.la_malfa_2021.figures.palette import shade
from synaplex.studies.la_malfa_2021.recipe import BINS
from synaplex.studies.la_malfa_2021.results_page import results_markdown
from synaplex.studies.la_malfa_2021.run import populations_dataset, run
from synaplex.studies.machine import Origin
from tests.studies.la_malfa_2021.conftest import TINY, computed


def tables(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "tables").iterdir())}


@pytest.mark.slow
def test_everything_is_there(folder, results, tmp_path):
    shutil.copytree(folder / "pieces", tmp_path / "pieces")
    options = {"dataset": "digits", "scale": "small", "seed": 0, "data_dir": None, "progress": False}
    page = run(tmp_path, **options, results_page=tmp_path / "results.md", settings=TINY).read_text()
    assert tables(tmp_path) == tables(folder)
    for name in ("fig2-cnn-weights", "fig6-individual", "fig8-dense-strength", "fig10-dense-moments", "distances"):
        assert [path.suffix for path in sorted((tmp_path / "figures").glob(f"{name}*"))] == [".png", ".svg"], name
        assert f'id="{name}' in page
    assert (
        "synaplex study la-malfa-2021 --dataset digits --scale small --seed 0" in (tmp_path / "results.md").read_text()
    )


def test_the_page_for_the_documentation_names_every_claim(results):
    text = results_markdown(results, Origin("synaplex study la-malfa-2021 --seed 0", {"machine": "one"}, 3.0))
    assert "synaplex study la-malfa-2021 --seed 0" in text
    assert len(results.found) == len(CLAIMS) + 5
    assert {one.verdict for one in results.found} <= {"holds", "fails", "undecided"}
    assert all(one.statement.split(" (")[0] in text for one in results.found)


def test_each_claim_is_tested_where_it_applies(results):
    tests = results.tests
    bimodal = tests.filter(pl.col("claim") == "strength bimodal")
    assert set(bimodal["kind"]) <= {"dense"}
    assert set(bimodal["layer"]) <= {2, 3}
    restrained = tests.filter(pl.col("claim") == "restrained variance")
    assert set(restrained.select("kind", "scale").unique().rows()) <= {("dense", 0.5)}
    assert set(tests.filter(pl.col("claim") == "positive tails")["layer"]) == {0, 1, 2}
    inside = tests.filter(pl.col("low").is_not_nan() & pl.col("high").is_not_nan())
    assert len(inside)
    assert (inside["low"] <= inside["high"]).all()


def test_bins_hold_networks_of_their_accuracy(results):
    for cell in results.cells:
        bins = cell.bins_table.drop_nulls()
        assert (bins["lowest"] >= bins["bin"] / BINS - 1e-9).all()
        assert ((bins["highest"] < bins["bin"] / BINS + 0.1 - 1e-9) | (bins["bin"] == BINS - 1)).all()
        assert (bins["networks"] <= TINY.per_bin).all()


def test_low_accuracy_is_grey_and_high_accuracy_blue(results):
    figure = densities([one for one in results.cells if one.cell.kind == "dense"], "strength")
    assert isinstance(figure, Figure)
    panel = figure.axes[0]
    drawn = [to_rgb(line.get_color()) for line in panel.lines]
    bins = next(one.bins for one in results.cells if one.cell.kind == "dense")
    assert drawn == [to_rgb(shade(number / (BINS - 1))) for number in bins]
    saturation = [max(color) - min(color) for color in (shade(0.0)[:3], shade(0.5)[:3], shade(1.0)[:3])]
    assert saturation == sorted(saturation)
    assert shade(1.0)[2] > 2 * shade(1.0)[1]


def test_a_run_that_lost_pieces_makes_the_same_tables(folder, results, tmp_path):
    copy = tmp_path / "study"
    shutil.copytree(folder, copy)
    (lost,) = (copy / "pieces").glob("dense-normal-0.05-10000-*")
    (single,) = (copy / "pieces").glob("individual-*")
    before = {path.name: path.stat().st_mtime_ns for path in (copy / "pieces").iterdir()}
    lost.unlink()
    single.unlink()
    shutil.rmtree(copy / "tables")
    computed(copy)
    assert tables(copy) == tables(folder)
    after = {path.name: path.stat().st_mtime_ns for path in (copy / "pieces").iterdir()}
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} == {lost.name, single.name}


def test_without_a_name_the_dataset_is_mnist_and_digits_only_where_nobody_says_where_it_lies(tmp_path, monkeypatch):
    for name in ("SYNAPLEX_DATA", "SYNAPLEX_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableFileError, match="mnist"):
        populations_dataset(None, tmp_path)
    assert populations_dataset("digits", tmp_path).name == "digits"


def test_what_it_refuses(tmp_path):
    study = studies()["la-malfa-2021"]
    with pytest.raises(SpecificationError, match="--scale large"):
        parse_options(study, ["--scale", "large"])
    with pytest.raises(SpecificationError, match="seed from 0 to 399"):
        study.run(tmp_path, dataset="digits", seed=400)
    with pytest.raises(UnknownNameError, match="digit"):
        study.run(tmp_path, dataset="digit")
    assert not list(tmp_path.iterdir())
