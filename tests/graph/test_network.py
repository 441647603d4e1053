"""NeuralGraph: what it refuses, how it numbers neurons, and its views against brute force over edges."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import DenseLink, EdgeRule, IdentityLink, Layer, NeuralGraph, SparseLink
from tests.graph.graphs import Recipe, directed_matrix, networks_of, recipes, undirected_matrix


def brute_force(matrix: np.ndarray, rule: str) -> np.ndarray:
    """The symmetric matrix under a rule, by sorting the list of all its edges."""
    if rule == "signed":
        return matrix
    if rule == "positive":
        return np.where(matrix > 0, matrix, 0)
    if rule == "absolute":
        return abs(matrix)
    share = float(rule.removeprefix("top:"))
    sizes = sorted((abs(w) for w in matrix[np.tril_indices_from(matrix)] if w), reverse=True)
    kept = math.ceil(share * len(sizes) - 1e-9)
    return np.where(abs(matrix) >= sizes[kept - 1], matrix, 0) if sizes else matrix


@given(recipes(), st.sampled_from(["signed", "positive", "absolute", "top:0.1", "top:0.5", "top:1"]))
def test_undirected_view_is_the_brute_force_one(drawn: Recipe, rule: str) -> None:
    graph = drawn.graph
    expected = brute_force(undirected_matrix(graph), rule)
    view = graph.undirected(rule)
    np.testing.assert_allclose(view.dense.numpy(), expected)
    x = torch.randn(3, graph.neurons, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(view.product(x).numpy(), x.numpy() @ expected, atol=1e-12)
    np.testing.assert_allclose(view.strength.numpy(), expected.sum(1), atol=1e-12)
    np.testing.assert_array_equal(view.degree.numpy(), (expected != 0).sum(1))
    binary = graph.undirected(rule, binary=True)
    np.testing.assert_array_equal(binary.dense.numpy(), (expected != 0).astype(float))
    without = expected - np.diag(np.diag(expected))
    np.testing.assert_allclose(view.without_loops.dense.numpy(), without)


@given(recipes())
def test_edges_lists_each_edge_once(drawn: Recipe) -> None:
    graph = drawn.graph
    first, second, weight = (part.numpy() for part in graph.undirected().edges())
    matrix = np.zeros((graph.neurons, graph.neurons))
    np.add.at(matrix, (first, second), weight)
    twice = first != second
    np.add.at(matrix, (second[twice], first[twice]), weight[twice])
    expected = undirected_matrix(graph)
    np.testing.assert_allclose(matrix, expected)
    assert len(weight) == np.count_nonzero(np.tril(expected))


@given(recipes(), st.sampled_from(["signed", "positive", "absolute"]))
def test_directed_links_are_the_brute_force_ones(drawn: Recipe, rule: str) -> None:
    graph = drawn.graph
    matrix = np.zeros((graph.neurons, graph.neurons))
    links = graph.directed(rule)
    for link in links:
        matrix[graph.layer_slice(link.source), graph.layer_slice(link.target)] += link.to_dense().numpy().T
    np.testing.assert_allclose(matrix, brute_force(directed_matrix(graph), rule))
    assert len({(link.source, link.target) for link in links}) == len(links)


@given(recipes(feed_forward=True), st.sampled_from([0.2, 0.5]))
def test_share_within_each_link(drawn: Recipe, share: float) -> None:
    graph = drawn.graph
    view = graph.undirected(f"top:{share}/layer")
    for kept, link in zip(view.links, graph.links, strict=True):
        dense = link.to_dense().numpy()
        sizes = sorted(abs(dense[dense != 0]), reverse=True)
        smallest = sizes[math.ceil(share * len(sizes) - 1e-9) - 1] if sizes else np.inf
        np.testing.assert_allclose(kept.to_dense().numpy(), np.where(abs(dense) >= smallest, dense, 0))


@given(recipes(batched=True), st.sampled_from(["signed", "positive", "top:0.3", "top:0.3/layer"]))
def test_batch_is_its_networks(drawn: Recipe, rule: str) -> None:
    graph = drawn.graph
    view = graph.undirected(rule)
    for k, single in enumerate(networks_of(graph)):
        alone = single.undirected(rule)
        torch.testing.assert_close(view.dense[k], alone.dense)
        torch.testing.assert_close(view.strength[k], alone.strength)
        torch.testing.assert_close(view.degree[k], alone.degree)
        torch.testing.assert_close(view.network(k).dense, alone.dense)
        assert view.components[k].tolist() == alone.components.tolist()
        assert bool(view.connected[k]) == bool(alone.connected)


@given(recipes())
def test_components_are_those_of_networkx(drawn: Recipe) -> None:
    graph = drawn.graph
    view = graph.undirected("positive")
    expected = nx.from_numpy_array(view.dense.numpy())
    labels = view.components.tolist()
    for label, nodes in enumerate(sorted(nx.connected_components(expected), key=min)):
        assert {labels[node] for node in nodes} == {label}
    assert bool(view.connected) == nx.is_connected(expected)


@given(recipes())
def test_sides_colour_the_layers_if_that_is_possible(drawn: Recipe) -> None:
    graph = drawn.graph
    layers = nx.Graph((link.source, link.target) for link in graph.links)
    layers.add_nodes_from(range(len(graph.layers)))
    view = graph.undirected()
    if not nx.is_bipartite(layers):
        assert view.sides is None
        with pytest.raises(ValueError, match="no two sides"):
            _ = view.biadjacency
        return
    sides = view.sides
    assert sides is not None
    large, small = sides.large_index.numpy(), sides.small_index.numpy()
    assert sorted([*large, *small]) == list(range(graph.neurons))
    assert len(large) >= len(small)
    dense = view.dense.numpy()
    np.testing.assert_allclose(view.biadjacency.numpy(), dense[np.ix_(large, small)])
    assert not dense[np.ix_(large, large)].any()
    assert not dense[np.ix_(small, small)].any()


def test_rule_over_two_networks_cuts_each_by_itself() -> None:
    weight = torch.tensor([[[4.0, 3.0]], [[2.0, 1.0]]])
    view = NeuralGraph.from_weights([weight]).undirected("top:0.5")
    assert view.links[0].to_dense().tolist() == [[[4, 0]], [[2, 0]]]


def test_share_in_a_layer_counts_each_edge_once() -> None:
    # Four edges: three within layer 0, one to layer 1. Half of four is two.
    inside = torch.zeros(3, 3)
    inside[1, 0], inside[2, 1], inside[2, 0] = 5.0, 4.0, 3.0
    graph = NeuralGraph(
        (Layer("a", (3,)), Layer("b", (1,))),
        (
            DenseLink(source=0, target=0, weight=inside),
            DenseLink(source=0, target=1, weight=torch.tensor([[0.0, 0.0, 4.5]])),
        ),
        {},
    )
    _, _, weight = graph.undirected("top:0.5").edges()
    assert sorted(weight.tolist()) == [4.5, 5.0]


def test_half_precision_weights_are_summed_in_double() -> None:
    weight = torch.full((1, 1), 2048.0, dtype=torch.float16)
    one = torch.ones(1, 1, dtype=torch.float16)
    layers = (Layer("a", (1,)), Layer("b", (1,)))
    links = (DenseLink(source=0, target=1, weight=weight), DenseLink(source=0, target=1, weight=one))
    assert NeuralGraph(layers, links, {}).undirected().strength.tolist() == [2049, 2049]


def test_parallel_edges_that_cancel_are_no_edge() -> None:
    weight = torch.tensor([[1.0, 2.0]])
    layers = (Layer("a", (2,)), Layer("b", (1,)))
    links = (
        DenseLink(source=0, target=1, weight=weight),
        DenseLink(source=1, target=0, weight=torch.tensor([[-1.0], [5.0]])),
    )
    view = NeuralGraph(layers, links, {}).undirected()
    assert view.degree.tolist() == [0, 1, 1]
    assert view.dense[2].tolist() == [0, 7, 0]


@pytest.mark.parametrize("rule", ["top:0", "top:1.5", "top:x", "top:0.1/link", "topp:0.1", "all", ""])
def test_unknown_rule_is_quoted(rule: str) -> None:
    with pytest.raises(SpecificationError, match="edge rule") as error:
        EdgeRule.parse(rule)
    assert repr(rule) in str(error.value)


@pytest.mark.parametrize("rule", ["signed", "positive", "absolute", "top:0.1", "top:0.12345678/layer"])
def test_rule_prints_as_it_is_read(rule: str) -> None:
    assert str(EdgeRule.parse(rule)) == rule


def test_neurons_are_numbered_layer_by_layer() -> None:
    graph = NeuralGraph.from_weights([torch.ones(3, 2), torch.ones(1, 3)])
    assert graph.sizes == (2, 3, 1)
    assert graph.offsets == (0, 2, 5, 6)
    assert graph.hidden == (1,)
    assert graph.select("hidden").tolist() == [2, 3, 4]
    assert graph.select().tolist() == [0, 1, 2, 3, 4, 5]
    assert graph.select(torch.tensor([5, 0])).tolist() == [5, 0]
    with pytest.raises(SpecificationError, match="from 0 to 5"):
        graph.select([6])


def test_no_hidden_layer_is_said() -> None:
    with pytest.raises(InvalidGraphError, match=r"\(2-3\) has no hidden layer"):
        NeuralGraph.from_weights([torch.ones(3, 2)]).select("hidden")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_no_numbers_are_named(value: float) -> None:
    bad = torch.ones(1, 3)
    bad[0, 1] = value
    with pytest.raises(InvalidGraphError, match=r"'head.weight'.*1 NaN or infinite values of 3"):
        NeuralGraph.from_weights([torch.ones(3, 2), bad], names=["body.weight", "head.weight"])
    with pytest.raises(InvalidGraphError, match="the bias of layer 'output'"):
        NeuralGraph.from_weights([torch.ones(3, 2)], [bad[0]])


def test_layers_that_do_not_chain_are_named() -> None:
    with pytest.raises(InvalidGraphError, match=r"'a' gives 3 neurons, but 'b' expects 4.*\(3, 2\).*\(1, 4\)"):
        NeuralGraph.from_weights([torch.ones(3, 2), torch.ones(1, 4)], names=["a", "b"])


@pytest.mark.parametrize(
    ("weights", "biases", "names", "message"),
    [
        ([], None, None, "at least one weight matrix"),
        ([torch.ones(3)], None, None, r"\(out, in\)"),
        ([torch.ones(3, 2, dtype=torch.long)], None, None, "floating-point"),
        ([torch.ones(3, 2)], None, ["a", "b"], "1 weight matrices, but 2 names"),
        ([torch.ones(3, 2)], [None, None], None, "2 biases"),
        ([torch.ones(3, 2)], [torch.ones(2)], None, "2 values for 3 neurons"),
        ([torch.ones(2, 3, 2), torch.ones(3, 1, 3)], None, None, "different numbers of networks"),
    ],
)
def test_weights_that_make_no_network(weights: list, biases: list, names: list, message: str) -> None:
    with pytest.raises(InvalidGraphError, match=message):
        NeuralGraph.from_weights(weights, biases, names)


def test_links_must_fit_their_layers() -> None:
    layers = (Layer("a", (2,)), Layer("b", (3,)))
    with pytest.raises(InvalidGraphError, match="does not fit between layer 'a' with 2 neurons"):
        NeuralGraph(layers, (DenseLink(source=0, target=1, weight=torch.ones(2, 3)),), {})
    with pytest.raises(InvalidGraphError, match="there are 2"):
        NeuralGraph(layers, (DenseLink(source=0, target=2, weight=torch.ones(3, 2)),), {})
    with pytest.raises(InvalidGraphError, match="at least one layer"):
        NeuralGraph((), (), {})


def test_one_network_of_a_batch() -> None:
    weight = torch.arange(12.0).reshape(2, 3, 2)
    graph = NeuralGraph.from_weights([weight], [torch.arange(6.0).reshape(2, 3)])
    assert graph.networks == 2
    assert graph.network(-1).links[0].to_dense().tolist() == weight[1].tolist()
    assert graph.network(1).biases[1].tolist() == [3, 4, 5]
    with pytest.raises(SpecificationError, match="network 2 asked of 2"):
        graph.network(2)
    with pytest.raises(SpecificationError, match="a single network"):
        graph.network(0).network(0)


def test_sparse_matrices_make_sparse_links() -> None:
    matrix = scipy.sparse.csr_array(np.array([[0.0, 2.0], [0.0, 0.0], [-1.0, 0.0]]))
    graph = NeuralGraph.from_weights([matrix])
    assert isinstance(graph.links[0], SparseLink)
    assert graph.links[0].to_dense().tolist() == matrix.toarray().tolist()
    assert graph.undirected().strength.tolist() == [-1, 2, 2, 0, -1]


def test_memoized_graph_keeps_its_views() -> None:
    graph = NeuralGraph.from_weights([torch.ones(3, 2)])
    assert graph.undirected() is not graph.undirected()
    kept = graph.memoized()
    assert kept.undirected("top:0.5") is kept.undirected("top:0.5")
    assert kept.undirected("top:0.5") is not kept.undirected("top:0.50000001")


def test_coverage_lists_links_and_biases() -> None:
    graph = NeuralGraph.from_weights([torch.ones(3, 2)], [torch.ones(3)], names=["fc.weight"])
    frame = graph.coverage()
    assert frame.columns == ["parameter", "shape", "outcome", "detail"]
    assert frame["outcome"].to_list() == ["link", "bias"]
    assert frame["parameter"].to_list() == ["fc.weight", "bias of output"]


def test_layers_without_links_stand_alone() -> None:
    graph = NeuralGraph((Layer("a", (2,)), Layer("b", (1,))), (), {})
    view = graph.undirected("top:0.5")
    assert view.strength.tolist() == [0, 0, 0]
    assert view.components.tolist() == [0, 1, 2]
    assert not bool(view.connected)


def test_differentiable_in_the_weights() -> None:
    weight = torch.ones(3, 2, requires_grad=True)
    NeuralGraph.from_weights([weight]).undirected().strength.sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[2, 2]] * 3


def test_identity_within_a_layer_is_a_loop() -> None:
    link = IdentityLink(source=0, target=0, size=2, scale=torch.tensor(3.0))
    view = NeuralGraph((Layer("a", (2,)),), (link,), {}).undirected()
    assert view.dense.tolist() == [[3, 0], [0, 3]]
    assert view.degree.tolist() == [1, 1]
    assert isinstance(link.to_sparse(), SparseLink)
