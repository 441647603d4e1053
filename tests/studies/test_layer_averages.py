"""Layer averages, and the vocabulary of types, from neuron tables."""

import numpy as np
import polars as pl
import pytest

from synaplex.errors import SpecificationError
from synaplex.population import Population
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.layer_averages import layer_averages, neuron_values, subgraph_scale
from synaplex.studies.scabini.published import KEPT
from synaplex.studies.scabini.recipe import network_seeds
from synaplex.studies.scabini.vocabulary import Vocabulary, share_differences
from synaplex.studies.scabini.weight_statistics import untrained, weight_statistics
from tests.studies.conftest import EPOCHS, QUICK


@pytest.fixture(scope="module")
def last(study) -> pl.DataFrame:
    frame = Population.open(study / "population").neurons()
    return frame.filter(pl.col("epoch") == EPOCHS).drop("epoch")


def test_averages_are_means_over_the_neurons_of_a_layer(last: pl.DataFrame) -> None:
    found = layer_averages(last.sample(fraction=1, shuffle=True, seed=0), subgraph_scale(last))
    expected = last.group_by("seed", "layer").agg(pl.col("strength", "harmonic_centrality").cast(pl.Float64).mean())
    for measure in ("strength", "harmonic_centrality"):
        for layer in (1, 2):
            column = found.values[:, found.features.index((measure, layer))]
            truth = expected.filter(pl.col("layer") == layer).sort("seed")[measure].to_numpy()
            np.testing.assert_allclose(column, truth, rtol=1e-12)


def test_subgraph_centrality_is_a_share_of_the_largest_and_never_overflows(last: pl.DataFrame) -> None:
    huge = last.with_columns(pl.col("log_subgraph_centrality") + 5000)
    for frame in (last, huge):
        layers, values = neuron_values(frame, subgraph_scale(frame))
        shares = values["subgraph_centrality"]
        assert shares.min() >= 0
        for layer in (1, 2):
            assert shares[:, layers == layer].max() == 1.0


def test_undefined_neurons_are_left_out_of_the_average(last: pl.DataFrame) -> None:
    first = (pl.col("seed") == 0) & (pl.col("layer") == 1)
    hole = last.with_columns(
        pl.when(first & (pl.col("neuron") == 0)).then(None).otherwise("strength").alias("strength")
    )
    found = layer_averages(hole, subgraph_scale(last)).values[0, 0]
    assert found == pytest.approx(hole.filter(first)["strength"].cast(pl.Float64).mean())
    none = last.with_columns(pl.when(first).then(None).otherwise("strength").alias("strength"))
    empty = layer_averages(none, subgraph_scale(last))
    assert np.isnan(empty.values[0, 0])
    assert empty.complete[0, 0] == np.median(empty.values[1:, 0])


def test_a_table_that_lacks_neurons_is_refused(last: pl.DataFrame) -> None:
    with pytest.raises(SpecificationError, match="some networks lack neurons"):
        layer_averages(last.head(-1), subgraph_scale(last))


def test_a_vocabulary_speaks_of_other_neurons_on_its_own_scale(last: pl.DataFrame) -> None:
    vocabulary = Vocabulary.find(last, 6, 3, 0)
    shares = vocabulary.shares(last)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    one = vocabulary.shares(last.filter(pl.col("seed") == 7))
    np.testing.assert_array_equal(one[0], shares[7])
    assert vocabulary.table().columns == ["type", *KEPT, "share"]


def test_a_network_without_descriptors_is_named(last: pl.DataFrame) -> None:
    vocabulary = Vocabulary.find(last, 6, 1, 0)
    silent = last.with_columns(pl.when(pl.col("seed") == 4).then(None).otherwise("strength").alias("strength"))
    with pytest.raises(SpecificationError, match=r"\[4\]"):
        vocabulary.shares(silent)


def test_differences_of_shares_are_best_minus_worst() -> None:
    shares = np.tile([0.2, 0.8], (10, 1))
    shares[5:] = [0.5, 0.5]
    table = share_differences(shares, np.arange(5), np.arange(5, 10), QUICK)
    np.testing.assert_allclose(table["difference"], [0.3, -0.3])
    np.testing.assert_allclose(table["low"], table["high"])


def test_weight_statistics_know_the_mean_strength(results: Results, study) -> None:
    """The baseline holds the layer averages of strength: sums of means of weights times neurons on the other side."""
    population = Population.open(study / "population")
    statistics = weight_statistics(population.weights, results.seeds)
    column = results.averages.values[:, results.averages.features.index(("strength", 1))]
    np.testing.assert_allclose(64 * statistics[:, 0] + 16 * statistics[:, 7], column, rtol=1e-4, atol=1e-5)
    before = weight_statistics(untrained(population.spec), results.seeds)
    assert np.abs(before[:, 2]).max() <= 0.9
    assert before.shape == statistics.shape == (20, 21)


def test_networks_of_other_seeds_are_others_and_more_extend_fewer() -> None:
    assert set(network_seeds(300, 0)) < set(network_seeds(1000, 0))
    assert not set(network_seeds(1000, 0)) & set(network_seeds(1000, 1))
