"""Baselines beside plain computations of the same features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synaplex.encoders import (
    ComplexNetworkFeatures,
    EpochIndex,
    FlatWeights,
    GraphSet,
    StructureEncoder,
    WeightStatistics,
)
from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph
from synaplex.measures import disparity, strength
from tests.encoders.structures import dense, renumbered

BASELINES = [WeightStatistics(), FlatWeights(4), ComplexNetworkFeatures(types=3), StructureEncoder(epochs=0)]


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda one: type(one).__name__)
def test_one_row_a_network_in_order_however_they_are_given(baseline: object) -> None:
    graph = dense(12, 6, 5, 4, 3, spread=True)
    found = baseline.fit_transform(graph)
    assert found.shape[0] == 12
    assert np.isfinite(found).all()
    singles = [graph.network(k) for k in range(12)]
    np.testing.assert_allclose(baseline.transform(singles), found, atol=1e-5)
    some = GraphSet.of(graph)[[7, 3, 4]]
    np.testing.assert_allclose(baseline.transform(some), found[[7, 3, 4]], atol=1e-5)
    assert baseline.transform([]).shape == (0, found.shape[1])
    with pytest.raises(SpecificationError, match="empty"):
        type(baseline)().fit([])


def test_weight_statistics_are_those_of_the_weights() -> None:
    graph = dense(5, 6, 4, 3)
    features = WeightStatistics().fit(graph)
    names, values = list(features.get_feature_names_out()), features.transform(graph)
    weights = graph.links[1].weight.flatten(1).double().numpy()
    np.testing.assert_allclose(values[:, names.index("link 1 variance")], weights.var(1))
    np.testing.assert_allclose(values[:, names.index("link 1 quantile 0.25")], np.quantile(weights, 0.25, axis=1))


def test_networks_of_other_depth_get_medians_for_what_they_lack() -> None:
    deep, shallow = dense(5, 6, 4, 4, 3), dense(2, 6, 3)
    features = WeightStatistics().fit(deep)
    found = features.transform([shallow, deep])
    assert found.shape == (7, 21)
    np.testing.assert_allclose(found[:2, 7:], np.broadcast_to(np.median(found[2:, 7:], 0), (2, 14)))
    assert WeightStatistics().fit([shallow, deep]).transform([shallow, deep]).shape == (7, 21)


def test_complex_network_features_are_layer_averages_and_shares_of_types() -> None:
    graph = dense(8, 6, 5, 4, 3)
    features = ComplexNetworkFeatures(("strength", "disparity"), types=3).fit(graph)
    names, values = list(features.get_feature_names_out()), features.transform(graph)
    assert names == [
        *(f"{measure}, layer {layer}" for layer in (1, 2) for measure in ("strength", "disparity")),
        *(f"type {t}" for t in (1, 2, 3)),
    ]
    np.testing.assert_allclose(values[:, 0], strength(graph)[:, 6:11].mean(1))
    np.testing.assert_allclose(values[:, 3], disparity(graph)[:, 11:15].mean(1))
    np.testing.assert_allclose(values[:, 4:].sum(1), 1)
    np.testing.assert_allclose(features.transform(renumbered(graph)), values, atol=1e-6)
    with pytest.raises(SpecificationError, match="no feature"):
        ComplexNetworkFeatures(types=0, averages=False).fit(graph)


def test_flat_weights_know_the_order_of_neurons_and_one_architecture_only() -> None:
    graph = dense(10, 6, 5, 3)
    flat = FlatWeights(9).fit(graph)
    weights = torch.cat([link.weights for link in graph.links], 1).double().numpy()
    away = np.linalg.norm(weights[0] - weights[1])
    found = flat.transform(graph)
    assert np.linalg.norm(found[0] - found[1]) == pytest.approx(away)  # nine components hold ten networks
    assert np.abs(flat.transform(renumbered(graph)) - found).max() > 0.1
    with pytest.raises(SpecificationError, match="one architecture"):
        flat.transform(dense(2, 6, 4, 3))


def test_the_epoch_needs_epochs() -> None:
    graph = dense(4, 3, 2)
    found = EpochIndex().fit_transform(GraphSet.of(graph, epochs=[0, 2, 4, 8]))
    assert found.tolist() == [[0], [2], [4], [8]]
    with pytest.raises(SpecificationError, match="no epochs"):
        EpochIndex().fit(graph)
    with pytest.raises(SpecificationError, match="3 epochs for 4 networks"):
        GraphSet.of(graph, epochs=[1, 2, 3])


def test_undefined_measures_take_no_part() -> None:
    weights = dense(6, 5, 4, 3).links[0].weight.clone()
    weights[0, 0] = 0.0  # a hidden neuron without input or output
    after = dense(6, 4, 3, seed=1).links[0].weight.clone()
    after[0, :, 0] = 0.0
    graph = NeuralGraph.from_weights([weights, after])
    found = ComplexNetworkFeatures(("disparity",), types=0).fit_transform(graph)
    np.testing.assert_allclose(found[0, 0], disparity(graph.network(0), neurons=[6, 7, 8]).mean())
