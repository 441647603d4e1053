"""Bounds that hold with a stated probability hold about as often, and bounds of eigenvalues hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import synaplex.measures as ms
from synaplex.graph import NeuralGraph
from synaplex.measures.extremes import largest_eigenvalue, random_start
from synaplex.measures.moments import inverse_bounds, moments
from synaplex.measures.operators import Laplacian
from synaplex.measures.probes import trace_by_probes
from synaplex.measures.sampling import mean_error
from tests.measures.layered import Layered, build, layered


def trace_of(graph: NeuralGraph) -> tuple[Laplacian, float]:
    laplacian = Laplacian(graph.undirected())
    matrix = torch.diag(laplacian.strength) - graph.undirected().dense
    return laplacian, float(torch.linalg.pinv(matrix, hermitian=True).trace())


@pytest.mark.parametrize("known", [True, False])
def test_intervals_of_traces_hold_the_trace_as_often_as_stated(known: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.rand(40, 60, generator=generator) * (torch.rand(40, 60, generator=generator) < 0.2)
    laplacian, trace = trace_of(NeuralGraph.from_weights([weights]))
    assert len(laplacian.sizes) == 1
    found = moments(laplacian)
    start = None
    if known:  # all but the sum over what three moments leave of (I - M)^+
        matrix = laplacian.projected(laplacian.normalized(laplacian.projected(torch.eye(100, dtype=torch.float64))))
        rest = torch.linalg.inv(torch.eye(100, dtype=torch.float64) - matrix) @ matrix @ matrix @ matrix
        start = trace - float((rest.diagonal() / laplacian.scale).sum())
    hits, shares = 0, []
    for seed in range(60):
        probed = trace_by_probes(laplacian, 0, start, found.gap, 1e-2, 24, 10**6, seed)
        assert probed is not None
        hits += probed.low <= trace <= probed.high
        shares.append(abs((probed.low + probed.high) / 2 - trace) / (probed.high - probed.low) * 2)
    assert hits >= 56  # of 60, with 99 % stated: fewer happen once in 3,000 times
    assert 0.1 < np.median(shares) < 0.45  # the interval is no wider than it has to be: 0.24 for normal values


def test_fewer_systems_are_preferred_to_probes() -> None:
    laplacian, _ = trace_of(NeuralGraph.from_weights([torch.rand(30, 30, generator=torch.Generator().manual_seed(0))]))
    assert trace_by_probes(laplacian, 0, None, 0.5, 1e-6, 10**6, 60, 0) is None


@pytest.mark.parametrize("shape", [0.3, 3.0])
@pytest.mark.parametrize("size", [10, 100, 900])
def test_intervals_of_sampled_means(shape: float, size: int) -> None:
    random = np.random.default_rng(1)
    population = random.random(1_000) ** shape
    missed = 0
    for _ in range(300):
        sample = random.choice(population, size, replace=False)
        one, count = torch.ones(1, dtype=torch.float64), torch.tensor([float(size)], dtype=torch.float64)
        error = mean_error(float(sample.var()) * one, count, 1_000 * one, one, 0.1)
        missed += abs(sample.mean() - population.mean()) > float(error)
    assert missed <= 45
    assert float(error) < 1.5 / size**0.5


def test_a_whole_population_leaves_no_error() -> None:
    one = torch.ones(1, dtype=torch.float64)
    assert float(mean_error(one, 5 * one, 5 * one, one, 0.01)) == 0
    assert float(mean_error(one, 0 * one, 5 * one, 2 * one, 0.01)) == 2


def test_sampled_harmonic_centrality() -> None:
    generator = torch.Generator().manual_seed(2)
    graph = NeuralGraph.from_weights([torch.rand(b, a, generator=generator) for a, b in ((200, 150), (150, 50))])
    exact = ms.harmonic_centrality(graph)
    for seed in range(5):
        bounds = ms.Bounds()
        options = {"method": "iterative", "sources": 200, "tolerance": 0.5, "seed": seed}
        found = ms.harmonic_centrality(graph, bounds=bounds, **options)
        error = bounds.notes[0].error
        assert bounds.notes[0].confidence == 0.99
        assert bool(((found - exact).abs() <= error).all())
        assert bool((found != exact).any())
        torch.testing.assert_close(ms.harmonic_centrality(graph, **options), found, rtol=0, atol=0)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_the_largest_eigenvalue_lies_between_value_and_bound(size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    root = torch.as_tensor(random.standard_normal((size, int(random.integers(1, size + 1)))))
    matrix = root @ root.mT
    true = float(torch.linalg.eigvalsh(matrix)[-1])
    for loose in (0.5, 1e-9):
        found = largest_eigenvalue(
            lambda x: matrix @ x,
            random_start(size, matrix.device, seed),
            lambda value, bound, _, loose=loose: bound - value <= loose * value,
            vector=True,
        )
        assert found.value <= true * (1 + 1e-12)
        assert true <= found.bound * (1 + 1e-12)
    assert found.vector is not None
    torch.testing.assert_close(matrix @ found.vector, true * found.vector, rtol=0, atol=1e-6 * true)


@settings(max_examples=15)
@given(layered(signed=False))
def test_three_moments_bound_the_pseudo_inverse(networks: list[Layered]) -> None:
    laplacian = Laplacian(build(networks).undirected())
    found = moments(laplacian)
    low, high = inverse_bounds(found)
    projector = laplacian.projected(torch.eye(laplacian.neurons, dtype=torch.float64))
    matrix = projector @ laplacian.normalized(projector)
    values = torch.linalg.eigvalsh(matrix)
    assert found.floor <= float(values[0]) + 1e-9
    assert float(values[-1]) <= found.ceiling + 1e-9
    inverse = torch.linalg.inv(torch.eye(laplacian.neurons, dtype=torch.float64) - matrix) - (
        torch.eye(laplacian.neurons, dtype=torch.float64) - projector
    )
    diagonal = inverse.diagonal()
    assert bool((low <= diagonal + 1e-9).all())
    assert bool((diagonal <= high + 1e-9).all())
