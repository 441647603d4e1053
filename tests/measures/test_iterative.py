"""Iterative forms equal the exact ones within the bound that they report, on any kind of graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import synaplex.measures as ms
from synaplex.errors import DisconnectedGraphError, ToleranceError
from synaplex.graph import IdentityLink, Layer, NeuralGraph
from synaplex.graph.conv import conv_link
from synaplex.measures import limits
from synaplex.measures.bounds import Bounds
from synaplex.measures.operators import Laplacian
from synaplex.measures.signed_gap import signed_gaps
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


CANCELLING = np.array([[1.0, 1.0], [-1.0, -1.0]])
"""Weights of a connected graph whose Laplacian is singular."""


def blocks(parts: list[np.ndarray]) -> NeuralGraph:
    return NeuralGraph.from_weights([scipy.linalg.block_diag(*parts)])


@pytest.mark.parametrize("method", ["iterative", "auto"])
def test_a_singular_laplacian_is_never_a_silent_nan(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXACT_SIDE", 1)
    graph, bounds, undefined = blocks([CANCELLING]), Bounds(), ms.Undefined()
    with pytest.raises(ToleranceError, match=r"neuron 0 of layer 0 .* nothing is known .*singular"):
        ms.current_flow_closeness(graph, method=method)
    values = ms.current_flow_closeness(graph, method=method, bounds=bounds, undefined=undefined)
    (mask, reason), (note,) = undefined.notes[0], bounds.notes
    assert values.isnan().all()
    assert note.error.isnan().all()
    assert mask.shape == values.shape
    assert mask.all()
    assert "singular" in reason
    table = ms.measure(graph, "current_flow_closeness", method=method, undefined="null")
    assert table["reason"].str.contains("tolerance not reached").to_list() == [True] * 4


@pytest.mark.parametrize("sound", [1, 9])
def test_a_singular_component_leaves_the_others_as_they_are(sound: int) -> None:
    """With nine others it is among those that share a bound, and has to be found."""
    random = np.random.default_rng(7)
    parts = [random.normal(size=(6, 5) if sound == 1 else (3, 2)) for _ in range(sound)]
    pairs = [np.array([[weight]]) for weight in (0.5, -2.0, 1.5)]
    graph = blocks([*pairs, CANCELLING, *parts])
    chosen = {"edges": "signed", "on_disconnected": "component"}
    bounds, undefined, exactly = Bounds(), ms.Undefined(), ms.Undefined()
    found = ms.current_flow_closeness(graph, method="iterative", bounds=bounds, undefined=undefined, **chosen)
    exact = ms.current_flow_closeness(graph, method="exact", undefined=exactly, **chosen)
    lost = torch.zeros(graph.neurons, dtype=torch.bool)
    lost[[place for start in graph.offsets[:2] for place in (start + 3, start + 4)]] = True
    for values, notes in ((found, undefined.notes), (exact, exactly.notes)):
        assert torch.equal(values.isnan(), lost)
        assert [mask.tolist() for mask, _ in notes] == [lost.tolist()]
    error = bounds.notes[0].error
    assert ((found - exact).abs() <= error + 1e-9 * exact.abs())[~lost].all()
    assert (error <= 1.01e-4 * found.abs())[~lost].all()
    if sound == 1:
        with pytest.raises(ToleranceError, match=r"neuron 3 of layer 0 \('input'\); neuron 4 .* neuron 4 of layer 1"):
            ms.current_flow_closeness(graph, method="iterative", **chosen)
        rest = (~lost).nonzero()[:, 0].tolist()
        assert ms.current_flow_closeness(graph, method="iterative", neurons=rest, **chosen).isfinite().all()


def test_gaps_of_components_are_below_their_smallest_eigenvalues() -> None:
    random = np.random.default_rng(2)
    parts = [random.normal(size=(3, 2)) for _ in range(10)]
    view = blocks([*parts, CANCELLING, np.zeros((1, 1))]).undirected()
    gaps, _ = signed_gaps(Laplacian(view), torch.arange(13))
    adjacency, labels = view.dense.numpy(), view.components.numpy()
    for piece in range(10):
        inside = np.ix_(labels == piece, labels == piece)
        one = adjacency[inside]
        root = np.sqrt(np.abs(one).sum(0))
        inverse = np.linalg.pinv(np.diag(one.sum(0)) - one, hermitian=True)
        truth = 1 / np.abs(np.linalg.eigvalsh(root[:, None] * inverse * root)).max()
        assert 0.4 * (truth if piece < 8 else 0) < gaps[piece] <= truth
    assert gaps[10] == 0


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
