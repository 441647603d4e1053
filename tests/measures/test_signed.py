"""Signed weights, where NetworkX is wrong or refuses: brute force over edges and dense linear algebra instead."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import synaplex.measures as ms
from synaplex.errors import SingularLaplacianError, SpecificationError, UndefinedMeasureError
from synaplex.graph import NeuralGraph
from tests.measures.layered import Layered, layered


def energy(adjacency: np.ndarray) -> float:
    """Laplacian energy: the summed squares of the Laplacian's eigenvalues."""
    laplacian = np.diag(adjacency.sum(0)) - adjacency
    return float((np.linalg.eigvalsh(laplacian) ** 2).sum())


def closeness(adjacency: np.ndarray) -> np.ndarray:
    """1 / sum of effective resistances, from the whole pseudo-inverse."""
    inverse = np.linalg.pinv(np.diag(adjacency.sum(0)) - adjacency, hermitian=True)
    size = np.diagonal(inverse)
    resistance = size[:, None] + size[None] - 2 * inverse
    return 1 / resistance.sum(0)


@given(layered(signed=True))
def test_laplacian_centrality_is_the_energy_drop(networks: list[Layered]) -> None:
    (one,) = networks
    matrix = one.adjacency
    drops = [energy(matrix) - energy(np.delete(np.delete(matrix, i, 0), i, 1)) for i in range(len(matrix))]
    np.testing.assert_allclose(ms.laplacian_centrality(one.graph).numpy(), drops, rtol=1e-9, atol=1e-8)


@given(layered(signed=True))
def test_strength_family_edge_by_edge(networks: list[Layered]) -> None:
    (one,) = networks
    size = sum(one.widths)
    received, sent, absolute, squares = (np.zeros(size) for _ in range(4))
    for (source, target), weight in one.weights.items():
        for row, column in zip(*np.nonzero(weight), strict=True):
            a, b, w = one.offsets[source] + column, one.offsets[target] + row, weight[row, column]
            received[b] += w
            sent[a] += w
            for end in (a, b):
                absolute[end] += abs(w)
                squares[end] += w * w
    graph = one.graph
    np.testing.assert_allclose(ms.in_strength(graph).numpy(), received, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ms.out_strength(graph).numpy(), sent, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ms.strength(graph).numpy(), received + sent, rtol=1e-12, atol=1e-12)
    there = np.flatnonzero(absolute)
    measured = ms.disparity(graph, neurons=there.tolist()).numpy()
    np.testing.assert_allclose(measured, squares[there] / absolute[there] ** 2, rtol=1e-12)


@pytest.mark.parametrize("form", ["strength", "degree"])
@given(networks=layered(signed=True))
def test_neighbor_strength(form: str, networks: list[Layered]) -> None:
    (one,) = networks
    matrix = one.adjacency
    total = matrix.sum(0)
    chosen = np.flatnonzero(np.abs(total) > 1e-6)
    expected = (matrix @ (total if form == "strength" else (matrix != 0).sum(0)))[chosen] / total[chosen]
    measured = ms.neighbor_strength(one.graph, form=form, neurons=chosen.tolist()).numpy()
    np.testing.assert_allclose(measured, expected, rtol=1e-8, atol=1e-9)


@given(layered(signed=True))
def test_current_flow_closeness(networks: list[Layered]) -> None:
    (one,) = networks
    matrix = one.adjacency
    values = np.abs(np.linalg.eigvalsh(np.diag(matrix.sum(0)) - matrix))
    assume(bool(one.graph.undirected().connected) and len(matrix) > 1)
    assume(np.sort(values)[1] > 1e-3 * values.max())
    expected = closeness(matrix)
    assume(np.abs(expected).max() < 1e6)
    np.testing.assert_allclose(ms.current_flow_closeness(one.graph).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-8, 1e-6, 1e-4, 1e-3])
def test_neurons_of_near_zero_strength_keep_their_digits(size: float) -> None:
    generator = torch.Generator().manual_seed(5)
    weights = [
        torch.randn(12, 30, generator=generator).double(),
        torch.randn(9, 12, generator=generator).double(),
    ]
    for neuron in (0, 7):
        weights[0][:, neuron] -= weights[0][:, neuron].mean() - size / 12
    graph = NeuralGraph.from_weights(weights)
    assert abs(float(ms.strength(graph)[7]) - size) < 1e-13
    expected = closeness(graph.undirected().dense.numpy())
    np.testing.assert_allclose(ms.current_flow_closeness(graph).numpy(), expected, rtol=1e-8)


@pytest.mark.parametrize("binary", [False, True])
@given(networks=layered(signed=True))
def test_weighted_and_binary_subgraph_centrality(binary: bool, networks: list[Layered]) -> None:
    (one,) = networks
    matrix = one.adjacency if not binary else (one.adjacency != 0).astype(float)
    expected = np.diagonal(scipy.linalg.expm(matrix))
    measured = ms.subgraph_centrality(one.graph, edges="signed", binary=binary).numpy()
    np.testing.assert_allclose(measured, expected, rtol=1e-8)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_bias_forms(first: float, second: float) -> None:
    weights = [torch.tensor([[1.0, 2.0], [0.0, -3.0]]), torch.tensor([[5.0, 7.0]])]
    graph = NeuralGraph.from_weights(weights, [torch.tensor([first, second]), None])
    f32 = np.float32
    once = np.array([1, -1, 3 + 5 + float(f32(first)), -3 + 7 + float(f32(second)), 12])
    np.testing.assert_allclose(ms.strength(graph, bias="once").numpy(), once, atol=1e-12)
    a, b = float(f32(first)), float(f32(second))
    per_edge = np.array([1 + a, -1 + a + b, 3 + 2 * a + 5, -3 + b + 7, 12])
    np.testing.assert_allclose(ms.strength(graph, bias="per_edge").numpy(), per_edge, atol=1e-12)
    with pytest.raises(SpecificationError, match="signed edges only"):
        ms.strength(graph, bias="once", edges="positive")


def test_missing_sides_count_as_asked() -> None:
    graph = NeuralGraph.from_weights([torch.tensor([[2.0]]), torch.tensor([[3.0]])])
    assert ms.strength(graph, missing=1.0).tolist() == [3.0, 5.0, 4.0]


def test_zero_strength_is_undefined_and_named() -> None:
    graph = NeuralGraph.from_weights([torch.tensor([[1.0, -1.0]]), torch.tensor([[2.0], [1.0]])])
    with pytest.raises(UndefinedMeasureError, match="neuron 0 of layer 0"):
        ms.neighbor_strength(NeuralGraph.from_weights([torch.tensor([[0.0, 1.0]])]))
    notes = ms.Undefined()
    zero = NeuralGraph.from_weights([torch.tensor([[1.0], [-1.0]])])
    values = ms.neighbor_strength(zero, undefined=notes)
    assert values.isnan().tolist() == [True, False, False]
    assert notes.notes[0][0].tolist() == [True, False, False]
    assert ms.strength(graph)[2] == 3.0


def test_singular_signed_laplacian_is_refused() -> None:
    square = NeuralGraph.from_weights([torch.tensor([[1.0, 1.0], [-1 / 3, 1.0]], dtype=torch.float64)])
    matrix = square.undirected().dense.numpy()
    assert np.linalg.matrix_rank(np.diag(matrix.sum(0)) - matrix, tol=1e-12) == 2
    with pytest.raises(SingularLaplacianError, match="condition number"):
        ms.current_flow_closeness(square)


def test_a_singular_component_takes_no_other_value_with_it() -> None:
    generator = torch.Generator().manual_seed(4)
    weights = torch.zeros(3, 7, 6, dtype=torch.float64)
    weights[:, :4, :4] = torch.randn(3, 4, 4, generator=generator)
    weights[:, 4:, 4:] = torch.randn(3, 3, 2, generator=generator)
    weights[1, 4:, 4:] = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]])
    graph = NeuralGraph.from_weights([weights])
    with pytest.raises(SingularLaplacianError, match="condition number inf"):
        ms.current_flow_closeness(graph, on_disconnected="component")
    table = ms.measure(graph, "current_flow_closeness", on_disconnected="component", undefined="null")
    reasons = {(1, 0, 4), (1, 0, 5), (1, 1, 4), (1, 1, 5)}
    for row in table.iter_rows(named=True):
        place = (row["network"], row["layer"], row["neuron"])
        if place in reasons:
            assert row["reason"] == "current_flow_closeness: singular Laplacian"
        elif place == (1, 1, 6):
            assert row["reason"] == "current_flow_closeness: no edge"
        else:
            assert row["reason"] is None
        assert (row["current_flow_closeness"] is None) == (row["reason"] is not None)
    sound = ms.current_flow_closeness(graph, neurons=[0, 1, 6, 7], on_disconnected="component")
    for k, part in ((0, slice(0, 4)), (1, slice(0, 4)), (2, slice(0, 4))):
        matrix = np.zeros((8, 8))
        matrix[4:, :4] = weights[k, part, part]
        expected = closeness(matrix + matrix.T)
        np.testing.assert_allclose(sound[k].numpy(), expected[[0, 1, 4, 5]], rtol=1e-8)


def test_a_neuron_cut_off_costs_no_more_than_another_component() -> None:
    """Of 100,003 neurons, 3 of them on the small side: a dense matrix of all would take 80 GB."""
    generator = torch.Generator().manual_seed(6)
    weights = torch.randn(100_000, 3, generator=generator, dtype=torch.float64)
    whole = ms.current_flow_closeness(NeuralGraph.from_weights([weights]))
    gap = torch.cat([weights[:50], torch.zeros(1, 3), weights[50:]])
    notes = ms.Undefined()
    apart = ms.current_flow_closeness(NeuralGraph.from_weights([gap]), on_disconnected="component", undefined=notes)
    assert apart.isnan().nonzero().tolist() == [[53]]
    np.testing.assert_allclose(apart[~apart.isnan()].numpy(), whole.numpy(), rtol=1e-9)
    positive = gap.abs()  # each neuron is weak beside the three that all are joined to
    second = ms.second_order_centrality(
        NeuralGraph.from_weights([positive]), neurons=[0, 53], on_disconnected="component"
    )
    alone = ms.second_order_centrality(NeuralGraph.from_weights([weights.abs()]), neurons=[0])
    np.testing.assert_allclose(second.numpy(), [float(alone[0]), 0.0], rtol=1e-9)


def test_negative_edges_are_no_distances_and_no_probabilities() -> None:
    graph = NeuralGraph.from_weights([torch.tensor([[1.0, -1.0]])])
    with pytest.raises(SpecificationError, match="distances cannot be negative"):
        ms.harmonic_centrality(graph, edges="signed")
    with pytest.raises(SpecificationError, match="walks at random"):
        ms.second_order_centrality(graph, edges="signed")


@given(layered(signed=True, skips=False))
def test_censet_variant_equals_its_definition(networks: list[Layered]) -> None:
    (one,) = networks
    matrix = np.zeros((sum(one.widths),) * 2)
    for (source, target), weight in one.weights.items():
        if target < len(one.widths) - 1:
            matrix[one.offsets[source] : one.offsets[source + 1], one.offsets[target] : one.offsets[target + 1]] = (
                weight.T
            )
    sent = matrix.sum(1)
    expected = [
        int(sent[u]) ** 2 + sum(matrix[u, v] * (matrix[u, v] + 2 * sent[v]) for v in range(len(matrix)))
        for u in range(len(matrix))
    ]
    measured = ms.laplacian_centrality(one.graph, variant="censet").numpy()
    np.testing.assert_allclose(measured, expected, rtol=1e-9, atol=1e-9)
