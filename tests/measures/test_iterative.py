"""Iterative forms equal the exact ones within the bound that they report, on any kind of graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import synaplex.measures as ms
from synaplex.errors import DisconnectedGraphError
from synaplex.graph import IdentityLink, Layer, NeuralGraph
from synaplex.graph.conv import conv_link
from synaplex.measures.bounds import Bounds
from tests.measures.layered import Layered, build, layered

few = settings(max_examples=6)
CLOSENESS = ("current_flow_closeness", {"on_disconnected": "component", "edges": "signed"})
MEASURES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("log_subgraph_centrality", {}),
    ("subgraph_centrality", {"binary": False}),
    CLOSENESS,
    ("second_order_centrality", {"on_disconnected": "component"}),
    ("harmonic_centrality", {}),
)
ON_SIGNED = (CLOSENESS, ("subgraph_centrality", {"edges": "signed", "binary": False}))


def both(graph: NeuralGraph, name: str, options: dict[str, Any], **more: Any) -> tuple[np.ndarray, ...]:
    """Exact values, iterative values and their error bounds."""
    function, bounds, undefined = ms.find(name).function, Bounds(), ms.Undefined()
    exact = function(graph, method="exact", undefined=ms.Undefined(), **options)
    found = function(graph, method="iterative", bounds=bounds, undefined=undefined, **options, **more)
    assert [reason for _, reason in undefined.notes] in ([], ["no edge"])
    return exact.numpy(), found.numpy(), bounds.notes[0].error.numpy()


def check(graph: NeuralGraph, name: str, options: dict[str, Any], **more: Any) -> None:
    exact, found, error = both(graph, name, options, **more)
    np.testing.assert_array_equal(np.isnan(exact), np.isnan(found))
    # What the exact form itself rounds; a root of a difference that should be 0 loses half the digits.
    slack = 1e-9 * np.abs(exact) + (1e-5 if name == "second_order_centrality" else 0)
    defined = ~np.isnan(exact)
    assert (np.abs(exact - found) <= error + slack)[defined].all(), (name, exact, found, error)
    tolerance = ms.find(name).controls["tolerance"]
    assert (error[defined] <= 1.01 * tolerance * np.maximum(np.abs(found[defined]), 1)).all()


@few
@given(layered(signed=False), st.sampled_from(MEASURES))
def test_positive(networks: list[Layered], measure: tuple[str, dict[str, Any]]) -> None:
    check(build(networks), *measure)


@few
@given(layered(signed=True), st.sampled_from(ON_SIGNED))
def test_signed(networks: list[Layered], measure: tuple[str, dict[str, Any]]) -> None:
    check(build(networks), *measure)


@few
@given(layered(signed=False, networks=3), st.sampled_from(MEASURES), st.data())
def test_chosen_neurons_of_a_batch(networks: list[Layered], measure: Any, data: st.DataObject) -> None:
    graph = build(networks)
    chosen = data.draw(st.lists(st.integers(0, graph.neurons - 1), min_size=1, max_size=4))
    check(graph, measure[0], {**measure[1], "neurons": chosen})


@few
@given(layered(signed=False), st.sampled_from(["max", "min", "dot"]))
def test_clustering(networks: list[Layered], mode: Any) -> None:
    graph = build(networks)
    exact = ms.bipartite_clustering(graph, mode=mode, method="exact")
    found = ms.bipartite_clustering(graph, mode=mode, method="iterative")
    np.testing.assert_allclose(found.numpy(), exact.numpy(), atol=1e-12)


def convolutional() -> NeuralGraph:
    """Two convolutions, one with a residual connection: the layer graph has no two sides."""
    generator = torch.Generator().manual_seed(3)

    def weight(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator, dtype=torch.float64) + 0.1

    layers = (Layer("in", (2, 3, 3), "input"), Layer("a", (2, 3, 3), "hidden"), Layer("b", (2, 3, 3), "output"))
    first = conv_link(weight(2, 2, 3, 3), (2, 3, 3), padding=1, source=0, target=1)
    second = conv_link(weight(2, 2, 3, 3), (2, 3, 3), padding=1, source=1, target=2)
    skip = IdentityLink(source=0, target=2, size=18, scale=torch.ones(()))
    return NeuralGraph(layers, (first, second, skip), {})


@pytest.mark.parametrize(("name", "options"), MEASURES)
def test_convolutional_network_with_a_residual_connection(name: str, options: dict[str, Any]) -> None:
    graph = convolutional()
    assert graph.undirected().sides is None
    check(graph, name, options)


@pytest.mark.parametrize(("name", "options"), MEASURES)
def test_permuting_neurons_permutes_values(name: str, options: dict[str, Any]) -> None:
    random = np.random.default_rng(5)
    weights = [random.uniform(0.1, 1, (b, a)) for a, b in ((9, 7), (7, 4))]
    order = random.permutation(7)
    turned = NeuralGraph.from_weights([weights[0][order], weights[1][:, order]])
    whole = np.concatenate([np.arange(9), 9 + order, np.arange(16, 20)])
    _, first, first_error = both(NeuralGraph.from_weights(weights), name, options)
    _, second, second_error = both(turned, name, options)
    assert (np.abs(second - first[whole]) <= second_error + first_error[whole]).all()


def test_a_graph_that_falls_apart_is_refused_as_by_the_exact_form() -> None:
    graph = NeuralGraph.from_weights([torch.eye(3)])
    with pytest.raises(DisconnectedGraphError, match="falls apart into 3 components"):
        ms.current_flow_closeness(graph, method="iterative")
    table = ms.measure(graph, "current_flow_closeness", method="iterative", undefined="null")
    assert table["current_flow_closeness"].null_count() == table["current_flow_closeness_error"].null_count() == 6
    assert table["reason"][0] == "current_flow_closeness: the graph of signed edges falls apart"


def test_wide_networks_are_measured_all_at_once() -> None:
    generator = torch.Generator().manual_seed(0)
    graph = NeuralGraph.from_weights([torch.rand(300, width, generator=generator) for width in (400, 300)])
    bounds = Bounds()
    ms.second_order_centrality(graph, method="iterative", tolerance=1e-3, bounds=bounds)
    ms.log_subgraph_centrality(graph, method="iterative", bounds=bounds)
    assert [note.method for note in bounds.notes] == ["moments", "leading eigenvector"]
    assert all(note.confidence > 0.99999 for note in bounds.notes)


@pytest.mark.parametrize("seed", range(2))
def test_small_components_are_solved_long_before_large_ones(seed: int) -> None:
    """Pairs take one step, the other component hundreds: what is solved must stay as it is."""
    random = np.random.default_rng(seed)
    weights = np.zeros((26, 26))
    weights[range(6), range(6)] = random.uniform(-1, -0.1, 6)
    weights[6:, 6:] = random.normal(size=(20, 20))
    graph = NeuralGraph.from_weights([weights])
    check(graph, *CLOSENESS)
    found = ms.current_flow_closeness(graph, edges="signed", on_disconnected="component", method="iterative")
    np.testing.assert_allclose(found[:6].numpy(), weights[range(6), range(6)], rtol=1e-9)
