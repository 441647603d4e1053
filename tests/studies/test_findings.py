"""Claims: each can hold, fail or stay undecided, as the numbers have it."""

from dataclasses import replace

import polars as pl
import pytest

from synaplex.studies.finding import decide
from synaplex.studies.scabini import published
from synaplex.studies.scabini.analysis import STATNN, Results
from synaplex.studies.scabini.findings import averages, controls, findings, findings_table, types
from synaplex.studies.scabini.page import answer


def changed(results: Results, table: str, where: pl.Expr, **values: float | int | None) -> Results:
    """The results with other numbers in some rows of a table."""
    frame = results.tables[table]
    columns = [
        pl.when(where).then(pl.lit(value)).otherwise(pl.col(name)).cast(frame.schema[name]).alias(name)
        for name, value in values.items()
    ]
    return replace(results, tables={**results.tables, table: frame.with_columns(columns)})


def test_every_claim_comes_with_evidence(results: Results) -> None:
    found = findings(results)
    assert len({one.statement for one in found}) == len(found)
    for one in found:
        assert one.verdict in ("holds", "fails", "undecided")
        assert one.evidence
        assert "nan" not in one.evidence
    assert findings_table(found).height == len(found)


def test_a_verdict_needs_a_reason() -> None:
    assert [decide(True, False), decide(False, True), decide(False, False)] == ["holds", "fails", "undecided"]


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.95, 1.0, "holds"), (0.6, 0.8, "fails"), (0.85, 0.95, "undecided")]
)
def test_separable_groups(results: Results, low: float, high: float, verdict: str) -> None:
    rows = pl.col("features").is_in(published.SEPARABLE)
    assert averages.separable(changed(results, "separability", rows, low=low, high=high)).verdict == verdict


@pytest.mark.parametrize(
    ("p", "reach", "verdict"), [(0.001, 0.5, "holds"), (0.5, 0.2, "fails"), (0.5, 0.6, "undecided")]
)
def test_related_measures(results: Results, p: float, reach: float, verdict: str) -> None:
    rows = pl.col("measure").is_in(published.KEPT)
    doctored = changed(results, "relations", rows, p_adjusted=p, spearman_low=-reach, spearman_high=reach)
    assert averages.related(doctored).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(-0.4, -0.1, "holds"), (0.1, 0.4, "fails"), (-0.1, 0.2, "undecided")]
)
def test_higher_subgraph_centrality_in_poor_networks(results: Results, low: float, high: float, verdict: str) -> None:
    rows = pl.col("measure") == "subgraph_centrality"
    doctored = changed(results, "relations", rows, spearman_low=low, spearman_high=high)
    assert averages.poorer_have_more(doctored).verdict == verdict


@pytest.mark.parametrize(
    ("p", "reach", "verdict"), [(0.5, 0.2, "holds"), (0.01, 0.2, "fails"), (0.5, 0.4, "undecided")]
)
def test_unrelated_measures(results: Results, p: float, reach: float, verdict: str) -> None:
    rows = pl.col("measure").is_in(published.UNRELATED)
    doctored = changed(results, "relations", rows, p_adjusted=p, spearman_low=-reach, spearman_high=reach)
    assert averages.unrelated(doctored).verdict == verdict


@pytest.mark.parametrize(("picked", "verdict"), [((6, 6, 6), "holds"), ((5, 7, 6), "holds"), ((6, 8, 6), "fails")])
def test_about_six_types(results: Results, picked: tuple[int, int, int], verdict: str) -> None:
    doctored = results
    for rows, count in zip(("layer 1", "layer 2", "all layers"), picked, strict=True):
        where = (pl.col("rows") == rows) & pl.col("picked")
        doctored = changed(doctored, "elbow", where, n_types=count)
    assert types.six_types(doctored).verdict == verdict


def test_third_type_gains_most(results: Results) -> None:
    others = changed(results, "occurrence_difference", pl.col("type") != 3, difference=0.0, low=-0.02, high=0.02)
    third = pl.col("type") == 3
    gains = changed(others, "occurrence_difference", third, difference=0.1, low=0.05, high=0.15)
    assert types.third_differs_most(gains).verdict == "holds"
    loses = changed(others, "occurrence_difference", third, difference=-0.1, low=-0.15, high=-0.05)
    assert types.third_differs_most(loses).verdict == "fails"
    unsure = changed(others, "occurrence_difference", third, difference=0.02, low=-0.01, high=0.05)
    assert types.third_differs_most(unsure).verdict == "undecided"


@pytest.mark.parametrize(
    ("top", "low", "high", "verdict"),
    [(1.0, 0.26, 0.33, "holds"), (0.0, 0.26, 0.33, "fails"), (1.0, 0.4, 0.5, "fails"), (0.6, 0.26, 0.33, "undecided")],
)
def test_third_type_is_the_most_common(results: Results, top: float, low: float, high: float, verdict: str) -> None:
    third = pl.col("type") == 3
    doctored = changed(results, "occurrence_difference", third, top_in_best=top)
    doctored = changed(doctored, "occurrence", third & (pl.col("group") == "best"), low=low, high=high)
    assert types.third_most_common(doctored).verdict == verdict


@pytest.mark.parametrize(("z", "verdict"), [((5.0, 3.0), "holds"), ((0.1, 1.0), "fails"), ((5.0, 1.0), "undecided")])
def test_beyond_shuffled_networks(results: Results, z: tuple[float, float], verdict: str) -> None:
    doctored = results
    for subject, value in zip(("layer averages", "neuron types"), z, strict=True):
        rows = (pl.col("quantity") == "r2") & (pl.col("subject") == subject) & (pl.col("null") == "shuffled")
        doctored = changed(doctored, "nulls", rows, z=value)
    assert controls.beyond_shuffled(doctored).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.01, 0.2, "holds"), (-0.2, -0.01, "fails"), (-0.1, 0.1, "undecided")]
)
def test_better_than_weight_statistics(results: Results, low: float, high: float, verdict: str) -> None:
    rows = pl.col("features") != STATNN
    doctored = changed(results, "prediction", rows, r2_above_baseline_low=low, r2_above_baseline_high=high)
    assert controls.beyond_statistics(doctored).verdict == verdict
    assert controls.adds_to_statistics(doctored).verdict == verdict


@pytest.mark.parametrize(
    ("distance", "agreement", "verdict"), [(0.5, -1.0, "holds"), (0.001, 1.0, "fails"), (0.5, 1.0, "undecided")]
)
def test_types_emerge_if_untrained_networks_have_others(
    results: Results, distance: float, agreement: float, verdict: str
) -> None:
    moved = results.evolution.types.with_columns(centroid_distance=pl.lit(distance), agreement=pl.lit(agreement))
    doctored = replace(results, evolution=replace(results.evolution, types=moved))
    assert controls.types_emerge(doctored).verdict == verdict


def test_networks_of_nearly_the_same_accuracy_are_called_so(results: Results) -> None:
    flat = replace(results, accuracy=results.accuracy * 0 + 0.9 + 1e-4 * (results.accuracy > results.accuracy.mean()))
    finding = averages.spread(flat)
    assert finding.verdict == "fails"
    assert "nearly the same accuracy" in finding.evidence


def test_the_answer_follows_the_numbers(results: Results) -> None:
    rows = pl.col("features").str.contains("layer averages|neuron types")
    for low, verdict in ((-0.5, "No: neither"), (0.2, "Somewhat, but no more|Yes, and more")):
        text = answer(changed(results, "prediction", rows, r2_low=low), findings(results))
        assert any(part in text for part in verdict.split("|"))


def test_published_numbers_agree_with_the_released_ones() -> None:
    table = published.table_1().filter(pl.col("benchmark") == "mnist").drop("benchmark")
    released = published.released_types()
    assert released["share"].sum() == pytest.approx(1, abs=1e-3)
    for measure in published.KEPT:
        assert (table[measure] - released[measure]).abs().max() < 0.016
    assert published.table_2().height == 12
