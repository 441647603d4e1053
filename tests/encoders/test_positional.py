"""Positional encodings beside NetworkX's normalised Laplacian and a dense decomposition."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synaplex.encoders import positional_encoding, structure_graph
from synaplex.errors import GraphTooLargeError, SpecificationError, UnknownNameError
from synaplex.graph import NeuralGraph, to_networkx
from tests.encoders.structures import dense, renumbered, residual


def reference(graph: NeuralGraph, adjacency: str) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors of the Laplacian of a single network, by NetworkX and NumPy."""
    signed = to_networkx(graph, directed=False)
    absolute = networkx.Graph((a, b, {"weight": abs(w)}) for a, b, w in signed.edges(data="weight"))
    nodes = range(graph.neurons)
    if adjacency == "signed":
        degrees = np.array([d for _, d in sorted(absolute.degree(weight="weight"))])
        matrix = networkx.to_numpy_array(signed, nodelist=nodes) / np.sqrt(np.outer(degrees, degrees))
        return np.linalg.eigh(np.eye(len(degrees)) - matrix)
    weight = "weight" if adjacency == "absolute" else None
    laplacian = networkx.normalized_laplacian_matrix(absolute, nodelist=nodes, weight=weight)
    return np.linalg.eigh(laplacian.toarray())


@pytest.mark.parametrize("adjacency", ["absolute", "signed"])
@pytest.mark.parametrize("options", [{}, {"method": "whole"}, {"sparse_threshold": 2}])
@pytest.mark.parametrize("widths", [(12, 9, 8, 3), (5, 30, 4)])
def test_equals_a_dense_decomposition(adjacency: str, options: dict[str, int], widths: tuple[int, ...]) -> None:
    graph = dense(3, *widths)
    found = positional_encoding(structure_graph(graph), 5, adjacency=adjacency, **options)
    for k in range(3):
        values, vectors = reference(graph.network(k), adjacency)
        first = 0 if adjacency == "signed" else 1
        np.testing.assert_allclose(found.eigenvalues[k], values[first : first + 5], atol=1e-9)
        for column in range(5):
            overlap = abs(found.values[k, :, column].numpy() @ vectors[:, first + column])
            assert overlap == pytest.approx(1, abs=1e-7)
        assert (found.values[k] ** 3).sum(0).min() > 0
    assert not found.degenerate.any()
    assert not found.padded.any()


@given(
    seed=st.integers(0, 2**20),
    widths=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    zeros=st.sampled_from([0.0, 0.3, 0.7]),
    k=st.integers(1, 6),
    adjacency=st.sampled_from(["absolute", "signed", "unweighted"]),
)
@settings(max_examples=60)
def test_two_sides_and_all_nodes_agree(seed: int, widths: list[int], zeros: float, k: int, adjacency: str) -> None:
    graph = structure_graph(dense(2, *widths, seed=seed, zeros=zeros))
    sides = positional_encoding(graph, k, adjacency=adjacency)
    whole = positional_encoding(graph, k, adjacency=adjacency, method="whole")
    torch.testing.assert_close(sides.eigenvalues, whole.eigenvalues, atol=1e-8, rtol=0, equal_nan=True)
    for name in ("trivial", "degenerate", "padded"):
        assert torch.equal(getattr(sides, name), getattr(whole, name)), name
    torch.testing.assert_close(sides.values, whole.values, atol=1e-6, rtol=0)


def test_unweighted_a_dense_network_has_one_useful_vector() -> None:
    found = positional_encoding(structure_graph(dense(2, 12, 9, 8, 3)), 4, adjacency="unweighted")
    assert found.degenerate.tolist() == [3, 3]
    assert found.values[..., 1:].abs().max() == 0
    _, vectors = reference(dense(2, 12, 9, 8, 3).network(0), "unweighted")
    assert abs(found.values[0, :, 0].numpy() @ vectors[:, 1]) == pytest.approx(1, abs=1e-9)
    whole = positional_encoding(structure_graph(dense(2, 12, 9, 8, 3)), 4, adjacency="unweighted", method="whole")
    torch.testing.assert_close(whole.values, found.values)
    assert torch.equal(whole.degenerate, found.degenerate)


def test_the_order_of_hidden_neurons_changes_nothing_but_the_order() -> None:
    graph = dense(2, 7, 9, 6, 3)
    for adjacency in ("absolute", "signed"):
        one = positional_encoding(structure_graph(graph), 4, adjacency=adjacency).values
        other = positional_encoding(structure_graph(renumbered(graph)), 4, adjacency=adjacency).values
        torch.testing.assert_close(one.sort(1).values, other.sort(1).values, atol=1e-9, rtol=0)
        torch.testing.assert_close(one[:, :7], other[:, :7], atol=1e-9, rtol=0)


def test_a_small_network_is_padded() -> None:
    found = positional_encoding(structure_graph(dense(1, 2, 2, 1)), 8)
    assert found.padded.tolist() == [4]
    assert found.values.shape == (1, 5, 8)
    assert found.values[..., 4:].abs().max() == 0
    assert found.eigenvalues.isnan().sum() == 4


def test_parts_that_are_not_connected_are_trivial_vectors_and_neurons_without_edges_take_no_part() -> None:
    parts = [
        torch.rand(shape, generator=torch.Generator().manual_seed(1)) for shape in ((3, 4), (2, 3), (2, 3), (2, 2))
    ]
    first, second = torch.block_diag(parts[0], parts[1]), torch.block_diag(parts[2], parts[3])
    first = torch.cat([first, torch.zeros(5, 1)], 1)  # an input that nothing reads
    found = positional_encoding(structure_graph(NeuralGraph.from_weights([first, second])), 3)
    assert found.trivial.tolist() == [2]
    assert found.values[0, 7].abs().max() == 0
    graph = networkx.Graph()
    for link, weight in enumerate((first, second)):
        for row, column in weight.nonzero().tolist():
            graph.add_edge((link, column), (link + 1, row), weight=float(weight[row, column]))
    expected = np.sort(networkx.normalized_laplacian_spectrum(graph))[2:5]
    np.testing.assert_allclose(found.eigenvalues[0], expected, atol=1e-9)


def test_a_vector_without_a_rule_for_its_sign_is_dropped() -> None:
    path = torch.eye(2)  # two separate edges: every vector but the trivial ones is antisymmetric and degenerate
    found = positional_encoding(structure_graph(NeuralGraph.from_weights([path])), 2)
    assert found.trivial.tolist() == [2]
    assert found.degenerate.tolist() == [2]


def test_a_residual_network_and_one_above_the_threshold_are_no_exception() -> None:
    graph = structure_graph(residual())
    one = positional_encoding(graph, 4)
    other = positional_encoding(graph, 4, sparse_threshold=3)
    torch.testing.assert_close(one.values, other.values, atol=1e-8, rtol=0)
    matrix = np.zeros((graph.nodes, graph.nodes))
    offsets = graph.offsets
    for block in graph.blocks:
        size = block.weight[0].double().abs().sum((-2, -1))
        part = torch.diag(size) if block.diagonal else size
        rows = slice(offsets[block.target], offsets[block.target + 1])
        matrix[rows, offsets[block.source] : offsets[block.source + 1]] += part.numpy()
    matrix += matrix.T
    degrees = matrix.sum(1)
    values = np.linalg.eigvalsh(np.eye(len(matrix)) - matrix / np.sqrt(np.outer(degrees, degrees)))
    np.testing.assert_allclose(one.eigenvalues[0], values[1:5], atol=1e-9)


def test_a_recurrent_link_counts_both_directions_and_a_loop_once() -> None:
    weight = torch.rand(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    graph = NeuralGraph.from_weights([weight])
    loop = NeuralGraph(graph.layers[:1], (graph.links[0].between(0, 0),), {})
    found = positional_encoding(structure_graph(loop), 3)
    matrix = (weight + weight.T - torch.diag(weight.diagonal())).numpy()
    degrees = matrix.sum(1)
    values = np.linalg.eigvalsh(np.eye(4) - matrix / np.sqrt(np.outer(degrees, degrees)))
    np.testing.assert_allclose(found.eigenvalues[0], values[1:], atol=1e-9)


def test_senseless_arguments_are_refused() -> None:
    graph = structure_graph(dense(1, 3, 2))
    with pytest.raises(SpecificationError, match="negative"):
        positional_encoding(graph, -1)
    with pytest.raises(SpecificationError, match="method"):
        positional_encoding(graph, 1, method="fast")
    with pytest.raises(UnknownNameError, match="absolute"):
        positional_encoding(graph, 1, adjacency="absolut")
    assert positional_encoding(graph, 0).values.shape == (1, 5, 0)


def test_an_adjacency_too_large_to_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synaplex.encoders.adjacency.MOST_ENTRIES", 5)
    with pytest.raises(GraphTooLargeError, match="3 x 2"):
        positional_encoding(structure_graph(dense(1, 3, 2)), 1)
