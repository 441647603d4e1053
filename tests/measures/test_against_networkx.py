"""Every measure equals NetworkX where NetworkX is right: on non-negative weights, whole or in pieces, with skips."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given

import synaplex.measures as ms
from synaplex.errors import DisconnectedGraphError
from tests.measures.layered import Layered, layered


def values(by_node: dict[int, float]) -> np.ndarray:
    return np.array([by_node[node] for node in sorted(by_node)], dtype=float)


@given(layered(signed=False))
def test_strength(networks: list[Layered]) -> None:
    (one,) = networks
    expected = values(dict(one.networkx().degree(weight="weight")))
    np.testing.assert_allclose(ms.strength(one.graph).numpy(), expected, rtol=1e-12)


@given(layered(signed=False))
def test_neighbor_strength_of_degree_form(networks: list[Layered]) -> None:
    (one,) = networks
    chosen = np.flatnonzero(one.adjacency.sum(0) > 0)
    expected = values(nx.average_neighbor_degree(one.networkx(), weight="weight"))[chosen]
    measured = ms.neighbor_strength(one.graph, form="degree", neurons=chosen.tolist()).numpy()
    np.testing.assert_allclose(measured, expected, rtol=1e-12)


@given(layered(signed=False))
def test_current_flow_closeness(networks: list[Layered]) -> None:
    (one,) = networks
    graph = one.networkx()
    assume(nx.is_connected(graph) and len(graph) > 1)
    expected = values(nx.current_flow_closeness_centrality(graph, weight="weight", solver="full"))
    np.testing.assert_allclose(ms.current_flow_closeness(one.graph).numpy(), expected, rtol=1e-7)


@given(layered(signed=False))
def test_second_order_centrality(networks: list[Layered]) -> None:
    (one,) = networks
    graph = one.networkx()
    assume(nx.is_connected(graph))
    expected = values(nx.second_order_centrality(graph))
    np.testing.assert_allclose(ms.second_order_centrality(one.graph).numpy(), expected, rtol=1e-6, atol=1e-5)


@given(layered(signed=False))
def test_by_component(networks: list[Layered]) -> None:
    (one,) = networks
    graph = one.networkx()
    closeness, deviation = np.empty(len(graph)), np.empty(len(graph))
    alone = []
    for piece in nx.connected_components(graph):
        index = sorted(piece)
        part = nx.convert_node_labels_to_integers(graph.subgraph(index), ordering="sorted")
        if len(index) == 1:
            alone += index
            deviation[index] = 0
        else:
            closeness[index] = values(nx.current_flow_closeness_centrality(part, weight="weight", solver="full"))
            deviation[index] = values(nx.second_order_centrality(part))
    together = [node for node in graph if node not in alone]
    measured = ms.current_flow_closeness(one.graph, neurons=together, on_disconnected="component").numpy()
    np.testing.assert_allclose(measured, closeness[together], rtol=1e-7)
    measured = ms.second_order_centrality(one.graph, on_disconnected="component").numpy()
    np.testing.assert_allclose(measured, deviation, rtol=1e-6, atol=1e-5)
    if alone:
        with pytest.raises(
            DisconnectedGraphError,
            match=f"neuron {alone[0] - one.offsets[:-1][one.offsets[:-1] <= alone[0]].max()} of",
        ):
            ms.current_flow_closeness(one.graph, neurons=alone, on_disconnected="component")


@given(layered(signed=True))
def test_subgraph_centrality_of_positive_edges(networks: list[Layered]) -> None:
    (one,) = networks
    expected = values(nx.subgraph_centrality(one.networkx(positive=True)))
    np.testing.assert_allclose(ms.subgraph_centrality(one.graph).numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(ms.log_subgraph_centrality(one.graph).numpy(), np.log(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("mode", ["max", "min", "dot"])
@given(networks=layered(signed=True))
def test_bipartite_clustering(mode: str, networks: list[Layered]) -> None:
    (one,) = networks
    graph = one.networkx(positive=True)
    assume(nx.is_bipartite(graph))
    expected = values(nx.bipartite.latapy_clustering(graph, mode=mode))
    np.testing.assert_allclose(ms.bipartite_clustering(one.graph, mode=mode).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("distance", ["weight", "inverse"])
@given(networks=layered(signed=True))
def test_harmonic_centrality(distance: str, networks: list[Layered]) -> None:
    (one,) = networks
    graph = one.networkx(positive=True)
    for _, _, edge in graph.edges(data=True):
        edge["inverse"] = 1 / edge["weight"]
    expected = values(nx.harmonic_centrality(graph, distance=distance))
    np.testing.assert_allclose(ms.harmonic_centrality(one.graph, distance=distance).numpy(), expected, rtol=1e-12)


@given(layered(signed=True))
def test_maximal_cliques(networks: list[Layered]) -> None:
    (one,) = networks
    count = np.zeros(sum(one.widths))
    for clique in nx.find_cliques(one.networkx(positive=True)):
        count[clique] += 1
    np.testing.assert_array_equal(ms.maximal_cliques(one.graph).numpy(), count)


@pytest.mark.parametrize("normalized", [False, True])
@given(networks=layered(signed=False))
def test_laplacian_centrality(normalized: bool, networks: list[Layered]) -> None:
    (one,) = networks
    graph = one.networkx()
    assume(graph.number_of_edges() > 0)
    expected = values(nx.laplacian_centrality(graph, normalized=normalized))
    measured = ms.laplacian_centrality(one.graph, normalized=normalized).numpy()
    np.testing.assert_allclose(measured, expected, rtol=1e-9, atol=1e-9)
