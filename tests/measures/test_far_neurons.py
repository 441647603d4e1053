"""Subgraph centrality far from the dense core, where the core's e^t times a squared rounding error is a huge number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import factorial, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synaplex.measures as ms
from synaplex.errors import ToleranceError
from synaplex.graph import NeuralGraph
from tests.measures.layered import Layered, build

WEIGHTED = {"binary": False}


def logarithms(matrix: np.ndarray, neurons: Sequence[int] | slice = slice(None)) -> np.ndarray:
    """log (e^A)_ii as 2 log |e^(A/2) e_i| for A without negative entries: a Taylor series in which nothing cancels."""
    term = np.eye(len(matrix))[:, neurons]
    total, scale, bound, k = term.copy(), np.zeros(term.shape[1]), matrix.sum(0).max(), 0
    while k < bound or (term > 1e-18 * total.max(0)).any():
        k += 1
        term = matrix @ term / (2 * k)
        total += term
        size = total.max(0)
        term, total, scale = term / size, total / size, scale + np.log(size)
    return 2 * (scale + np.log(np.linalg.norm(total, axis=0)))


def exactly(matrix: np.ndarray, neuron: int, terms: int) -> float:
    """log (e^A)_ii from whole numbers of closed walks."""
    whole = matrix.astype(int).astype(object)
    walk = np.zeros(len(matrix), dtype=object)
    walk[neuron] = total = 1
    for k in range(1, terms):
        walk = whole @ walk
        total = total * k + int(walk[neuron])
    return log(total) - log(factorial(terms - 1))


def of_widths(widths: list[int], seed: int = 0, largest: int = 1) -> Layered:
    """Dense links of random whole weights from 1 to `largest` between layers of several neurons, of 1 elsewhere."""
    random = np.random.default_rng(seed)
    weights = {}
    for i, (a, b) in enumerate(pairwise(widths)):
        weights[i, i + 1] = random.integers(1, largest + 1 if min(a, b) > 1 else 2, (b, a)).astype(float)
    return Layered(tuple(widths), weights)


CHAIN = [*[1] * 9, 4, 5, 4, 3, *[1] * 9]


@pytest.mark.parametrize("widths", [CHAIN, CHAIN[5:], CHAIN[:-5]])
def test_chains_at_a_core_equal_counts_of_walks(widths: list[int]) -> None:
    one = of_widths(widths, largest=40)
    found = ms.log_subgraph_centrality(one.graph, **WEIGHTED).numpy()
    matrix = one.adjacency
    for neuron in (*one.offsets[: len(widths) : 3], len(matrix) - 1):
        assert found[neuron] == pytest.approx(exactly(matrix, neuron, 900), abs=1e-11)
    np.testing.assert_allclose(found, logarithms(matrix), atol=1e-11)
    plain = ms.subgraph_centrality(one.graph, **WEIGHTED).numpy()
    np.testing.assert_allclose(np.log(plain), found, rtol=1e-12)


def test_a_batch_and_a_part_equal_single_networks() -> None:
    networks = [of_widths(CHAIN, seed, largest) for seed, largest in enumerate((40, 1, 30))]
    networks[2].weights[3, 4][:] = 0  # falls apart
    batch = ms.log_subgraph_centrality(build(networks), **WEIGHTED).numpy()
    for one, found in zip(networks, batch, strict=True):
        np.testing.assert_allclose(found, logarithms(one.adjacency), atol=1e-11)
    chosen = [0, 12, len(networks[0].adjacency) - 1]
    part = ms.log_subgraph_centrality(build(networks), neurons=chosen, **WEIGHTED).numpy()
    np.testing.assert_allclose(part, batch[:, chosen], atol=1e-11)


def test_a_deep_network_of_positive_edges() -> None:
    random = np.random.default_rng(0)
    widths = [220, 120, 40, *[10] * 12, 5]
    graph = NeuralGraph.from_weights([random.normal(size=(b, a)) for a, b in pairwise(widths)])
    expected = logarithms((graph.undirected("positive").dense.numpy() > 0).astype(float))
    np.testing.assert_allclose(ms.log_subgraph_centrality(graph).numpy(), expected, atol=1e-11)


@st.composite
def deep(draw: st.DrawFn) -> Layered:
    """Networks of up to 14 narrow layers, some in pieces, some with a skip link, with heavy links beside light ones."""
    widths = draw(st.lists(st.integers(1, 4), min_size=3, max_size=14))
    pairs = list(pairwise(range(len(widths))))
    if draw(st.booleans()):
        pairs.append((0, 2))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.7, 1.0]))
    sizes = draw(st.lists(st.sampled_from([0.01, 1.0, 1.0, 200.0]), min_size=len(pairs), max_size=len(pairs)))
    weights = {}
    for (source, target), size in zip(pairs, sizes, strict=True):
        shape = widths[target], widths[source]
        weights[source, target] = size * random.uniform(0.5, 1, shape) * (random.random(shape) < density)
    return Layered(tuple(widths), weights)


@settings(max_examples=40)
@given(deep())
def test_any_deep_network(one: Layered) -> None:
    expected = logarithms(one.adjacency)
    found = ms.log_subgraph_centrality(one.graph, **WEIGHTED).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=2e-9)


SIGNED = {"edges": "signed", **WEIGHTED}


def of_both_signs() -> Layered:
    one = of_widths(CHAIN, largest=40)
    one.weights[0, 1] *= -1
    return one


def test_signed_weights_that_cancel_are_refused_or_empty_with_a_reason() -> None:
    one = of_both_signs()
    expected = logarithms(np.abs(one.adjacency))  # of a graph without cycles through that edge, whatever its sign
    with pytest.raises(ToleranceError, match=r"rounding .* neuron 0 of layer 0 .*edges='positive'"):
        ms.subgraph_centrality(one.graph, **SIGNED)
    table = ms.measure(one.graph, "log_subgraph_centrality", undefined="null", **SIGNED)
    found, lost = table["log_subgraph_centrality"].to_numpy(), table["log_subgraph_centrality"].is_null().to_numpy()
    np.testing.assert_allclose(found[~lost], expected[~lost], atol=1e-6)
    assert lost[0]
    assert lost[-1]
    assert not lost[9:20].any()
    reasons = table.filter(lost)["reason"]
    assert (reasons == "log_subgraph_centrality: lost in rounding beside the values of other neurons").all()
    near = int(one.offsets[10])
    assert ms.log_subgraph_centrality(one.graph, neurons=[near], **SIGNED) == pytest.approx(expected[near], abs=1e-9)


@pytest.mark.parametrize("name", ["subgraph_centrality", "log_subgraph_centrality"])
def test_the_iterative_form_refuses_what_it_cannot_tell(name: str) -> None:
    graph = of_widths(CHAIN, largest=40).graph
    with pytest.raises(ToleranceError, match="did not reach its tolerance for neuron 0 of layer 0"):
        ms.find(name).function(graph, neurons=[0], method="iterative", **WEIGHTED)


def test_values_beyond_the_range_of_float64_are_right_or_refused() -> None:
    """The core's e^3200 reaches neurons 100 steps away by walks that weigh less than any float64."""
    one = of_widths([1] * 206)
    one.weights[0, 1] *= 3200
    neurons = [0, 1, 2, 50, 75, 110, 150, 205]
    undefined = ms.Undefined()
    found = ms.log_subgraph_centrality(one.graph, neurons=neurons, undefined=undefined, **WEIGHTED).numpy()
    lost = np.isnan(found)
    assert lost.tolist() == [False] * 5 + [True] * 3
    np.testing.assert_allclose(found[~lost], logarithms(one.adjacency, neurons)[~lost], rtol=1e-12, atol=1e-9)
