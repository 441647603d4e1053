"""Encoders and baselines on one split."""

from __future__ import annotations

import numpy as np
import pytest

from synaplex.encoders import (
    FlatWeights,
    GraphSet,
    PerformanceDecoder,
    StructureEncoder,
    WeightStatistics,
    compare_encoders,
    decoding_scores,
)
from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph
from tests.encoders.structures import dense


def test_each_encoder_is_fitted_on_training_networks_and_scored_on_the_others() -> None:
    networks = GraphSet.of(dense(90, 6, 5, 3, spread=True))
    spread = WeightStatistics().fit_transform(networks)[:, 1]  # performance that the variance of the weights tells
    train, test = networks[:60], networks[60:]
    encoders = {
        "structure": StructureEncoder(epochs=1, positions=3, width=4, heads=2, latent=4),
        "weights": WeightStatistics(),
        "flat": FlatWeights(5),
    }
    table = compare_encoders(encoders, train, spread[:60], test, spread[60:], resamples=50)
    assert table["encoder"].to_list() == list(encoders)
    assert table["pearson"][1] > 0.999
    assert table["pearson"][0] > table["pearson"][2]
    assert not table["transductive"].any()
    assert not hasattr(encoders["weights"], "medians_")
    features = WeightStatistics().fit(train)
    decoder = PerformanceDecoder("ridge").fit(features.transform(train), spread[:60])
    alone = decoding_scores(decoder.predict(features.transform(test)), spread[60:], resamples=50)
    assert table["kendall"][1] == alone["kendall"].value
    assert table["r2_low"][1] == alone["r2"].low
    low, high = decoder.predict_interval(features.transform(test))
    assert table["covered"][1] == ((low <= spread[60:]) & (spread[60:] <= high)).mean()


def test_what_is_undefined_or_transductive_is_said() -> None:
    graph = dense(12, 4, 3, 2)
    constant = np.full(12, 0.5)
    table = compare_encoders({"weights": WeightStatistics()}, graph, constant, graph, constant, resamples=5)
    assert table["pearson"].to_list() == [None]
    assert "the same for all 12 networks" in table["reason"][0]
    assert table["transductive"].to_list() == [True]
    with pytest.raises(SpecificationError, match="11 figures of performance for 12 networks"):
        compare_encoders({}, graph, constant[:11], graph, constant)


def test_a_test_network_with_other_biases_is_new_to_those_alone_that_read_them() -> None:
    graph = dense(12, 4, 3, 2)
    moved = NeuralGraph.from_weights([link.weight for link in graph.links], [graph.biases[1] + 1, graph.biases[2]])
    options = {"epochs": 0, "positions": 2, "width": 2, "heads": 1, "latent": 2}
    encoders = {
        "weights": StructureEncoder(**options),
        "biases": StructureEncoder(**options, node_features=("bias",)),
        "statistics": WeightStatistics(),
    }
    spread = graph.links[0].weight.double().flatten(1).std(1).numpy()
    table = compare_encoders(encoders, graph, spread, moved, spread, resamples=5)
    assert table["transductive"].to_list() == [True, False, True]
