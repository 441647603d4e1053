"""A graph beyond the exact limit whose measures are known in closed form; and what is refused, and how."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from scipy.sparse import csr_array

import synaplex.measures as ms
from synaplex.errors import GraphTooLargeError, SpecificationError, ToleranceError
from synaplex.graph import NeuralGraph
from synaplex.measures import limits

DIMENSION = 14
NEURONS = 2**DIMENSION


@pytest.fixture(scope="module")
def hypercube() -> NeuralGraph:
    """Corners of a cube in 14 dimensions, those with an even number of ones before those with an odd number."""
    corners = torch.arange(NEURONS)
    parity = sum((corners >> bit) & 1 for bit in range(DIMENSION)) % 2
    even, place = corners[parity == 0], torch.empty(NEURONS, dtype=torch.long)
    for side in (0, 1):
        place[corners[parity == side]] = torch.arange(NEURONS // 2)
    row = torch.cat([place[even ^ (1 << bit)] for bit in range(DIMENSION)])
    column = torch.arange(NEURONS // 2).repeat(DIMENSION)
    ones = torch.ones(len(row)).numpy()
    return NeuralGraph.from_weights([csr_array((ones, (row.numpy(), column.numpy())), shape=(NEURONS // 2,) * 2)])


def choose(k: int) -> int:
    return math.comb(DIMENSION, k)


# The Laplacian has eigenvalues 2k and the adjacency matrix 14 - 2k, both with multiplicity (14 over k).
INVERSE = sum(choose(k) / (2 * k) for k in range(1, DIMENSION + 1)) / NEURONS
KNOWN = {
    "log_subgraph_centrality": DIMENSION * math.log(math.cosh(1)),
    "current_flow_closeness": 1 / (2 * NEURONS * INVERSE),
    "second_order_centrality": math.sqrt(2 * NEURONS**2 * DIMENSION * INVERSE + 2 * NEURONS - NEURONS * (NEURONS + 1)),
    "harmonic_centrality": sum(choose(k) / k for k in range(1, DIMENSION + 1)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_hypercube(hypercube: NeuralGraph, name: str) -> None:
    bounds = ms.Bounds()
    values = ms.find(name).function(hypercube, neurons=[0, 5_000, 16_000], tolerance=5e-3, bounds=bounds)
    error = bounds.notes[0].error
    assert bool(((values - KNOWN[name]).abs() <= error).all())
    assert bool((error <= 5e-3 * KNOWN[name]).all())


def test_clustering_of_the_hypercube(hypercube: NeuralGraph) -> None:
    values = ms.bipartite_clustering(hypercube, neurons=[0, 16_000])
    torch.testing.assert_close(values, torch.full((2,), 2 / DIMENSION, dtype=torch.float64))


@pytest.mark.parametrize("name", [*KNOWN, "bipartite_clustering"])
def test_the_exact_form_names_the_iterative_one(hypercube: NeuralGraph, name: str) -> None:
    with pytest.raises(GraphTooLargeError, match="method='iterative'"):
        ms.find(name).function(hypercube, method="exact")


def test_hours_of_work_are_refused(hypercube: NeuralGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORK", 1e8)
    with pytest.raises(GraphTooLargeError, match=r"each of 16,384 neurons .* neurons= with at most"):
        ms.log_subgraph_centrality(hypercube)
    with pytest.raises(GraphTooLargeError, match="neurons="):
        ms.bipartite_clustering(hypercube)
    monkeypatch.setattr(limits, "UNASKED", 1_000)
    with pytest.raises(GraphTooLargeError, match="pass method='iterative'"):
        ms.current_flow_closeness(hypercube, neurons=[0])
    monkeypatch.setattr(limits, "UNASKED", 10**9)
    monkeypatch.setattr(limits, "EDGES", 1_000)
    with pytest.raises(GraphTooLargeError, match="edges='top"):
        ms.harmonic_centrality(hypercube)


def small() -> NeuralGraph:
    generator = torch.Generator().manual_seed(1)
    return NeuralGraph.from_weights([torch.rand(b, a, generator=generator) for a, b in pairwise((60, 40, 20))])


def test_a_tolerance_that_is_not_reached() -> None:
    with pytest.raises(ToleranceError, match=r"harmonic_centrality .* neuron 0 of layer 0"):
        ms.harmonic_centrality(small(), method="iterative", sources=5, tolerance=1e-3)
    table = ms.measure(small(), "harmonic", method="iterative", sources=5, tolerance=1e-3, undefined="null")
    missing = table["harmonic"].is_null()
    assert missing.any()
    assert table.filter(missing)["reason"].str.contains("tolerance not reached").all()


def test_the_table_says_what_was_reached() -> None:
    exact = ms.measure(small(), ["strength", "subgraph_centrality"], method="auto")
    assert exact.columns[3:] == ["strength", "subgraph_centrality"]
    found = ms.measure(small(), ["strength", "subgraph_centrality"], method="iterative", tolerance=1e-8)
    assert found.columns[3:] == ["strength", "subgraph_centrality", "subgraph_centrality_error"]
    off = (found["subgraph_centrality"] - exact["subgraph_centrality"]).abs()
    assert (off <= found["subgraph_centrality_error"] + 1e-12 * exact["subgraph_centrality"]).all()
    assert (found["subgraph_centrality_error"] <= 1.01e-8 * found["subgraph_centrality"]).all()


@pytest.mark.parametrize("tolerance", [0.0, 2.0])
def test_options_that_make_no_sense(tolerance: float) -> None:
    for name in KNOWN:
        with pytest.raises(SpecificationError, match="between 0 and 1"):
            ms.measure(small(), name, tolerance=tolerance)
    with pytest.raises(SpecificationError, match="sources"):
        ms.harmonic_centrality(small(), sources=0)


def test_how_a_measure_is_computed_is_no_part_of_what_it_is() -> None:
    (read,) = ms.describe(ms.plan("current_flow_closeness")).values()
    assert read == {"edges": "signed", "on_disconnected": "raise"}
    (read,) = ms.describe(ms.plan("current_flow_closeness", tolerance=1e-3)).values()
    assert read["tolerance"] == 1e-3
