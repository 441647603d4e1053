"""Which measures the two selection steps keep, on made-up relations."""

import numpy as np
import polars as pl
import pytest

from synaplex.studies.scabini.labels import MEASURES
from synaplex.studies.scabini.layer_averages import LayerAverages
from synaplex.studies.scabini.relations import correlations, holm, relations
from synaplex.studies.scabini.selection import pair_correlations, select

scipy_stats = pytest.importorskip("scipy.stats")


def related(**rho: float) -> pl.DataFrame:
    rows = [(name, layer, rho.get(name, 0.0)) for name in MEASURES for layer in (1, 2)]
    frame = pl.DataFrame(rows, schema=["measure", "layer", "spearman"], orient="row")
    return frame.with_columns(p_adjusted=pl.when(pl.col("spearman") != 0).then(1e-4).otherwise(1.0))


def correlated(*pairs: tuple[str, str, float]) -> pl.DataFrame:
    order = list(MEASURES)
    known = {frozenset(pair[:2]): pair[2] for pair in pairs}
    rows = [
        (layer, first, second, known.get(frozenset((first, second)), 0.1) if layer == 1 else 0.1)
        for layer in (1, 2)
        for i, first in enumerate(order)
        for second in order[i + 1 :]
    ]
    return pl.DataFrame(rows, schema=["layer", "first", "second", "pearson"], orient="row")


def test_measures_unrelated_to_accuracy_go_first() -> None:
    chosen = select(related(strength=0.5, bipartite_clustering=-0.4), correlated(), 0.8)
    assert chosen.related == chosen.kept == ("strength", "bipartite_clustering")


def test_a_weak_relation_is_none_however_sure_it_is() -> None:
    assert select(related(strength=0.09), correlated(), 0.8).related == ()


def test_of_two_redundant_measures_the_cheaper_is_kept() -> None:
    everything = related(**dict.fromkeys(MEASURES, 0.4))
    pairs = correlated(
        ("strength", "second_order_centrality", -0.9), ("subgraph_centrality", "harmonic_centrality", 0.85)
    )
    chosen = select(everything, pairs, 0.8)
    assert set(MEASURES) - set(chosen.kept) == {"second_order_centrality", "harmonic_centrality"}
    row = chosen.table.row(by_predicate=pl.col("measure") == "second_order_centrality", named=True)
    assert (row["redundant_with"], row["correlation"], row["kept"]) == ("strength", -0.9, False)


def test_a_measure_that_is_gone_removes_no_other() -> None:
    everything = related(strength=0.4, maximal_cliques=0.4, bipartite_clustering=0.4)
    pairs = correlated(("strength", "maximal_cliques", 0.9), ("maximal_cliques", "bipartite_clustering", 0.9))
    assert select(everything, pairs, 0.8).kept == ("strength", "bipartite_clustering")
    without = select(related(maximal_cliques=0.4, bipartite_clustering=0.4), pairs, 0.8)
    assert without.kept == ("maximal_cliques",)


def test_pair_correlations_are_pearsons_over_all_neurons_of_a_layer() -> None:
    generator = np.random.default_rng(0)
    values = {name: generator.normal(size=(7, 5)) for name in ("strength", "subgraph_centrality")}
    values["strength"][2, 0] = np.nan
    layers = np.array([1, 1, 1, 2, 2])
    table = pair_correlations(layers, values)
    x, y = (values[name][:, :3].ravel() for name in values)
    expected = scipy_stats.pearsonr(x[np.isfinite(x)], y[np.isfinite(x)])[0]
    assert table.row(0, named=True)["pearson"] == pytest.approx(expected)
    assert table["neurons"].to_list() == [20, 14]


def averages(networks: int) -> tuple[LayerAverages, np.ndarray]:
    generator = np.random.default_rng(1)
    accuracy = generator.uniform(size=networks)
    values = generator.normal(size=(networks, 2))
    values[:, 1] += 3 * accuracy
    return LayerAverages((("strength", 1), ("strength", 2)), values), accuracy


def test_relations_are_those_of_scipy_with_the_value_in_its_interval() -> None:
    found, accuracy = averages(60)
    table = relations(found, accuracy, resamples=200)
    for i, row in enumerate(table.iter_rows(named=True)):
        spearman = scipy_stats.spearmanr(found.values[:, i], accuracy)
        assert row["spearman"] == pytest.approx(spearman.statistic)
        assert row["p"] == pytest.approx(spearman.pvalue)
        assert row["pearson"] == pytest.approx(scipy_stats.pearsonr(found.values[:, i], accuracy)[0])
        for kind in ("pearson", "spearman"):
            assert row[f"{kind}_low"] < row[kind] < row[f"{kind}_high"]
    assert table["spearman"].to_list() == pytest.approx(correlations(found, accuracy, "spearman").tolist())
    assert table.equals(relations(found, accuracy, resamples=200))


def test_networks_without_an_average_are_left_out_of_its_relation_only() -> None:
    found, accuracy = averages(40)
    found.values[3, 0] = np.nan
    table = relations(found, accuracy, resamples=50)
    assert table["networks"].to_list() == [39, 40]
    assert table["spearman"].is_finite().all()


def test_holm_adjusts_in_order_and_never_beyond_one() -> None:
    p = np.array([0.2, 0.001, 0.9, 0.01])
    np.testing.assert_allclose(holm(p), [0.4, 0.004, 0.9, 0.03])
    assert holm(np.array([0.9, 0.8])).max() == 1.0
