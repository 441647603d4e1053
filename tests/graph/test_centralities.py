"""Centralities by name, against NetworkX."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import networkx as nx
import numpy as np
import pytest
import torch

import synaplex as sx
from synaplex.errors import SpecificationError, UndefinedMeasureError, UnknownNameError
from synaplex.graph import CENTRALITIES, NeuralGraph, centrality, from_networkx, to_networkx

pytest.importorskip("igraph")


@pytest.fixture
def graph() -> NeuralGraph:
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(5, 4, generator=generator), torch.randn(3, 5, generator=generator)]
    return NeuralGraph.from_weights(weights)


def by_node(values: dict) -> np.ndarray:
    return np.array([values[node] for node in sorted(values)])


def betweenness(made: nx.Graph) -> np.ndarray:
    for _, _, edge in made.edges(data=True):
        edge["length"] = 1 / edge["weight"]
    return by_node(nx.betweenness_centrality(made, weight="length", normalized=False))


REFERENCES: dict[str, Callable[[nx.Graph], np.ndarray]] = {
    "betweenness": betweenness,
    "coreness": lambda made: by_node(nx.core_number(made)),
    "degree": lambda made: by_node(dict(made.degree())),
    "eccentricity": lambda made: by_node(nx.eccentricity(made.to_undirected())),
    "local_clustering": lambda made: by_node(nx.clustering(made)),
    "pagerank": lambda made: by_node(nx.pagerank(made, tol=1e-14, max_iter=1000)),
    "strength": lambda made: by_node(dict(made.degree(weight="weight"))),
    "burt_constraint": lambda made: by_node(nx.constraint(made, weight="weight")),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_equal_to_networkx(graph: NeuralGraph, name: str) -> None:
    values = centrality(graph, name)
    assert values.dtype == torch.float64
    expected = REFERENCES[name](to_networkx(graph, edges="absolute", directed=False))
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_equal_to_networkx_with_directions(graph: NeuralGraph) -> None:
    made = to_networkx(graph, edges="absolute")
    values = centrality(graph, "pagerank", directed=True).numpy()
    np.testing.assert_allclose(values, by_node(nx.pagerank(made, tol=1e-14, max_iter=1000)), rtol=1e-9)
    values = centrality(graph, "betweenness", directed=True).numpy()
    np.testing.assert_allclose(values, betweenness(made), atol=1e-12)


def test_eigenvector_centrality_of_karate_club() -> None:
    karate = nx.karate_club_graph()
    values = centrality(from_networkx(karate), "eigenvector_centrality").numpy()
    expected = by_node(nx.eigenvector_centrality_numpy(karate, weight="weight"))
    np.testing.assert_allclose(values / np.linalg.norm(values), expected, rtol=1e-8)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("edges", ["absolute", "signed"])
def test_katz(graph: NeuralGraph, directed: bool, edges: str) -> None:
    values = centrality(graph, "katz", edges=edges, directed=directed, alpha=0.1, beta=2.0).numpy()
    made = to_networkx(graph, edges=edges, directed=directed)
    expected = by_node(nx.katz_centrality_numpy(made, alpha=0.1, beta=2.0, weight="weight"))
    np.testing.assert_allclose(values, expected, rtol=1e-10)


def test_katz_of_a_large_graph_chooses_a_sound_alpha() -> None:
    made = nx.gnp_random_graph(100, 0.3, seed=1)
    radius = max(abs(np.linalg.eigvalsh(nx.to_numpy_array(made))))
    values = centrality(from_networkx(made), "katz").numpy()
    expected = by_node(nx.katz_centrality_numpy(made, alpha=0.5 / radius, weight="weight"))
    np.testing.assert_allclose(values, expected, rtol=1e-9)
    with pytest.raises(UndefinedMeasureError, match=r"needs 0 < alpha < 0\.0"):
        centrality(from_networkx(made), "katz", alpha=1.0)


@pytest.mark.parametrize("name", CENTRALITIES)
def test_every_name_gives_a_number_a_neuron(graph: NeuralGraph, name: str) -> None:
    values = centrality(graph, name)
    assert values.shape == (12,)
    assert bool(torch.isfinite(values).all())


def test_distance_is_a_choice(graph: NeuralGraph) -> None:
    near, far, hops = (centrality(graph, "closeness", distance=d) for d in ("inverse", "weight", "hops"))
    assert not torch.allclose(near, far)
    expected = by_node(nx.closeness_centrality(to_networkx(graph, directed=False)))
    np.testing.assert_allclose(hops.numpy(), expected)
    with pytest.raises(UnknownNameError, match="unknown distance 'invers'; did you mean 'inverse'"):
        centrality(graph, "closeness", distance="invers")


def test_options_are_passed_on(graph: NeuralGraph) -> None:
    even = centrality(graph, "pagerank", damping=1e-9)
    torch.testing.assert_close(even, torch.full((12,), 1 / 12, dtype=torch.float64))
    with pytest.raises(SpecificationError, match="dampening"):
        centrality(graph, "pagerank", dampening=0.5)


def test_misspelt_name_is_suggested(graph: NeuralGraph) -> None:
    with pytest.raises(UnknownNameError, match="unknown centrality 'betweeness'; did you mean 'betweenness'"):
        centrality(graph, "betweeness")
    assert torch.equal(centrality(graph, "k_core"), centrality(graph, "coreness"))


def test_negative_weights_are_refused_where_they_mean_nothing(graph: NeuralGraph) -> None:
    with pytest.raises(UndefinedMeasureError, match=r"pagerank needs weights above zero.*edges='absolute'"):
        centrality(graph, "pagerank", edges="signed")
    torch.testing.assert_close(centrality(graph, "strength", edges="signed"), graph.undirected().strength)


def test_batch_is_refused() -> None:
    with pytest.raises(SpecificationError, match="batch of 2"):
        centrality(sx.graph([torch.ones(2, 3, 3)]), "degree")


def test_global_random_state_is_neither_read_nor_changed() -> None:
    # In a process of its own: the checks of types under test draw from that state themselves.
    code = """
import random, torch, synaplex as sx
graph = sx.graph([torch.arange(20.0).reshape(5, 4) + 1])
random.seed(1)
before = random.getstate()
first = sx.graph.centrality(graph, "eigenvector")
assert random.getstate() == before
random.seed(2)
assert torch.equal(sx.graph.centrality(graph, "eigenvector"), first)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
