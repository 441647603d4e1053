"""Several benchmarks side by side: divergences, readings and transfers with known answers, and the page."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from synaplex.errors import UnreadableFileError
from synaplex.neurons import jensen_shannon
from synaplex.population import Population
from synaplex.studies.machine import Origin
from synaplex.studies.scabini import published
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.benchmarks.benchmark import Benchmark, read_benchmark
from synaplex.studies.scabini.benchmarks.claims import beyond_chance, claims, types_alike, types_transfer
from synaplex.studies.scabini.benchmarks.divergence import HALF, UNTRAINED, divergences, missing, readings
from synaplex.studies.scabini.benchmarks.results_page import Combined, results_markdown
from synaplex.studies.scabini.benchmarks.run import shrink
from synaplex.studies.scabini.benchmarks.transfer import applied, transfers
from synaplex.studies.scabini.recipe import Analysis
from synaplex.studies.scabini.vocabulary import Vocabulary
from tests.studies.conftest import NETWORKS
from tests.studies.made_up import neurons

QUICK = Analysis(starts=8, epoch_starts=4, resamples=50, repeats=1)
CENTERS = published.released_types().select(published.KEPT).to_numpy()
TENTHS = np.random.default_rng(0).multinomial(10, [1 / 6] * 6, size=12) / 10


def made_up(dataset: str, centers: np.ndarray = CENTERS, seed: int = 0) -> Benchmark:
    """A benchmark of twelve networks with known types; before training they were the same."""
    frame = neurons(centers, TENTHS, seed=seed)
    vocabulary = Vocabulary.find(frame, 6, 8, 0)
    nothing = object.__new__(Population)
    return Benchmark(dataset, nothing, tuple(range(12)), TENTHS[:, 2], frame, frame, vocabulary, {})


def chosen(table: pl.DataFrame, **where: Any) -> dict[str, Any]:
    wanted = {"scale": "target", "base": "2", "root": False} | where
    return table.row(by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in wanted.items()), named=True)


def test_the_same_neurons_under_two_names_have_no_divergence() -> None:
    table = divergences([made_up("mnist"), made_up("fashion-mnist", seed=1)], QUICK)
    for vocabulary in ("fashion-mnist", HALF, UNTRAINED):
        row = chosen(table, vocabulary=vocabulary, target="mnist")
        assert row["mean"] == pytest.approx(0, abs=1e-9)
        assert row["networks"] == 12
    assert chosen(table, vocabulary="fashion-mnist", target="mnist")["published_mean"] == 0.24
    assert chosen(table, vocabulary="mnist", target="fashion-mnist")["published_mean"] == 0.21
    assert table.height == 4 * (2 * 2 + 2 * 2)


def test_a_vocabulary_that_calls_two_types_by_one_name_diverges_by_what_that_moves() -> None:
    """The other vocabulary has type 3 where nothing is: its neurons are called by the nearest, type 4."""
    own, other = made_up("mnist"), made_up("kth-tips")
    centers = own.vocabulary.bag.cluster_centers_.copy()
    centers[2] = [centers[2, 0], 5.0, 5.0]
    other.vocabulary.bag.cluster_centers_ = centers
    foreign = other.vocabulary.shares(own.final)
    assert not foreign[:, 2].any()
    expected = jensen_shannon(TENTHS, foreign)
    row = chosen(divergences([own, other], QUICK), vocabulary="kth-tips", target="mnist")
    assert row["mean"] == pytest.approx(expected.mean(), abs=1e-6)
    assert row["standard_deviation"] == pytest.approx(expected.std(), abs=1e-6)
    root = chosen(divergences([own, other], QUICK), vocabulary="kth-tips", target="mnist", root=True, base="e")
    assert root["mean"] == pytest.approx(np.sqrt(expected * np.log(2)).mean(), abs=1e-6)


def test_the_reading_that_the_paper_used_fits_best() -> None:
    theirs = published.table_2()
    rows = []
    for base, root, change in (
        ("2", False, lambda v: v),
        ("e", False, lambda v: v * np.log(2)),
        ("2", True, np.sqrt),
        ("e", True, lambda v: np.sqrt(v * np.log(2))),
    ):
        for row in theirs.iter_rows(named=True):
            ours = change(row["mean"] ** 2)
            spread = row["standard_deviation"] if (base, root) == ("2", True) else 0.9
            key = (row["vocabulary"], row["target"], "target", base, root)
            rows.append((*key, ours, spread, row["mean"], row["standard_deviation"]))
    names = ["vocabulary", "target", "scale", "base", "root", "mean", "standard_deviation"]
    table = pl.DataFrame(rows, schema=[*names, "published_mean", "published_deviation"], orient="row")
    first = readings(table).row(0, named=True)
    assert (first["base"], first["root"], first["pairs"]) == ("2", True, 12)
    assert first["apart"] == pytest.approx(0, abs=1e-12)
    assert first["deviations_apart"] == pytest.approx(0, abs=1e-12)


def test_missing_benchmarks_are_named() -> None:
    assert missing([made_up("mnist"), made_up("cifar10-grey-28")]) == ("Fashion MNIST", "KTH-TIPS")


def test_types_are_alike_until_one_is_elsewhere() -> None:
    moved = CENTERS.copy()
    moved[5] = [0.9, 0.1, 0.9]
    assert types_alike([made_up("mnist"), made_up("kth-tips", seed=1)]).verdict == "holds"
    assert types_alike([made_up("mnist"), made_up("kth-tips", moved)]).verdict == "fails"
    assert claims([made_up("mnist")], pl.DataFrame(), pl.DataFrame()) == ()


def test_vocabularies_beyond_chance_are_told_from_those_that_are_not() -> None:
    rows = [("kth-tips", 0.1), (HALF, 0.05), (UNTRAINED, 0.4)]
    base = pl.DataFrame({"base": ["2"], "root": [False], "scale": ["target"]})
    table = pl.DataFrame(rows, schema=["vocabulary", "mean"], orient="row").join(base, how="cross")
    assert beyond_chance(table).verdict == "holds"
    worse = table.with_columns(mean=pl.when(pl.col("vocabulary") == "kth-tips").then(0.5).otherwise(pl.col("mean")))
    assert beyond_chance(worse).verdict == "fails"


def test_a_regression_carried_over_keeps_the_order() -> None:
    generator = np.random.default_rng(0)
    known, unseen = generator.normal(size=(60, 3)), 5 + 2 * generator.normal(size=(60, 3))
    slope = np.array([1.0, -2.0, 0.0])
    guess = applied(known, known @ slope, unseen)
    assert np.corrcoef(guess, unseen @ slope)[0, 1] > 0.95


def test_transfers_between_a_study_and_itself(study: Path, results: Results) -> None:
    one, again = read_benchmark(study, "digits"), read_benchmark(study, "other")
    table = transfers([one, again], QUICK)
    assert table.height == 8
    within = table.filter((pl.col("fitted_on") == "digits") & (pl.col("applied_to") == "digits"))
    between = table.filter((pl.col("fitted_on") == "digits") & (pl.col("applied_to") == "other"))
    assert (within["tau_low"] <= within["tau_high"]).all()
    # Fitted to the very networks it is applied to, a regression is better than in cross-validation.
    assert (between["tau"].to_numpy() >= within["tau"].to_numpy()).all()
    assert types_transfer(table).verdict in ("holds", "fails", "undecided")


def test_a_study_is_read_as_it_was_analysed(study: Path, results: Results) -> None:
    one = read_benchmark(study, "digits")
    assert one.seeds == results.seeds
    np.testing.assert_allclose(one.accuracy, results.accuracy)
    shares = results.vocabulary.shares(one.final)
    np.testing.assert_array_equal(one.vocabulary.shares(one.final), shares)
    layers = results.vocabulary.layer_shares(one.final)
    assert layers.shape == (NETWORKS, 12)
    np.testing.assert_allclose(layers.sum(axis=1), 2)
    sizes = np.repeat([32, 16], 6) / 48
    np.testing.assert_allclose((layers * sizes).reshape(NETWORKS, 2, 6).sum(axis=1), shares)


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no finished study of mnist"):
        read_benchmark(tmp_path, "mnist")


def test_the_page_has_every_published_number_and_says_what_is_missing(study: Path, results: Results) -> None:
    digits, fashion = read_benchmark(study, "digits"), read_benchmark(study, "fashion-mnist")
    table = divergences([fashion, digits], QUICK)
    carried = transfers([fashion, digits], QUICK)
    found = claims([fashion, digits], table, carried)
    combined = Combined([fashion, digits], {"KTH-TIPS": "no file"}, table, carried, found, "Fashion MNIST")
    origin = Origin("synaplex study scabini --dataset a,b", {"machine": "m"}, 1.0)
    text = results_markdown(combined, origin, ["fig3-accuracy"])
    assert "synaplex study scabini --dataset a,b" in text
    assert "**KTH-TIPS is missing**: no file" in text
    assert "(scabini/fig3-accuracy.png)" in text
    assert "fig2-samples" not in text
    section = text.split("## Table 1")[1].split("## Table 2")[0]
    for row in published.table_1().filter(pl.col("benchmark") == "fashion-mnist").select(published.KEPT).rows():
        for value in row:
            assert f"({value:.2f})".replace("-", "−") in section
    for row in digits.tables["findings"].iter_rows(named=True):
        assert row["statement"] in text
        assert row["evidence"] in text


def test_images_of_the_page_are_small(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size=(200, 280, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    shrink(tmp_path / "noise.png", tmp_path / "small.png", 20_000)
    assert (tmp_path / "small.png").stat().st_size <= 20_000
    with Image.open(tmp_path / "small.png") as image:
        assert image.width / image.height == pytest.approx(1.4, abs=0.02)
