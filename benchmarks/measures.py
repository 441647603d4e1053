"""Each measure beside NetworkX, igraph and NetworKit, on one network, in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import igraph
import networkit
import networkx as nx
import numpy as np

import synaplex.measures as ms
from benchmarks.networks import released, uniform
from benchmarks.timing import seconds
from synaplex.graph import NeuralGraph

Row = dict[str, Any]
BATCH = 64


def run() -> Iterator[Row]:
    """Rows with name, ours, peer (both in seconds) and ratio (peer / ours)."""
    graph, _ = released()
    hidden = graph.select("hidden").tolist()
    eight = ms.PRESETS["scabini"].measures
    peers = _networkx(graph, hidden)
    total = 0.0
    for name, options in eight.items():
        function = ms.find(name).function
        ours, values = seconds(lambda f=function, o=options: f(graph, neurons="hidden", **o))
        networkx_time, expected = seconds(peers[name], repeats=1, warm=False)
        total += networkx_time
        np.testing.assert_allclose(values.numpy(), expected, rtol=1e-6)
        yield _row(f"{name} / NetworkX", ours, networkx_time)
    for name, options, peer, call in _fast_peers(graph, hidden):
        function = ms.find(name).function
        ours, values = seconds(lambda f=function, o=options: f(graph, neurons="hidden", **o), repeats=15)
        theirs, expected = seconds(call, repeats=5)
        if expected is not None:
            np.testing.assert_allclose(values.numpy(), expected, rtol=1e-5)
        yield _row(f"{name} / {peer}", ours, theirs)
    together, _ = seconds(lambda: ms.measure(graph, preset="scabini"))
    yield _row("all eight / NetworkX", together, total)
    dense = graph.undirected().dense.numpy()
    yield _row("all eight / numpy.linalg.eigh of A", together, seconds(lambda: np.linalg.eigh(dense), repeats=5)[0])
    batch = uniform(networks=BATCH)
    alone = seconds(lambda: ms.measure(uniform(), preset="scabini"))[0]
    many = seconds(lambda: ms.measure(batch, preset="scabini"), repeats=3)[0]
    yield _row(f"all eight, a network of a batch of {BATCH} / a single network", many / BATCH, alone)


def _row(name: str, ours: float, peer: float) -> Row:
    return {"name": name, "ours": ours, "peer": peer, "ratio": peer / ours}


def _networkx(graph: NeuralGraph, hidden: list[int]) -> dict[str, Callable[[], np.ndarray]]:
    """The eight measures as the paper's authors computed them, each on its graph; graphs are built beforehand."""
    whole, positive = _as_networkx(graph, "signed"), _as_networkx(graph, "positive")

    def of(values: dict[int, float]) -> np.ndarray:
        return np.array([values[node] for node in hidden])

    return {
        "strength": lambda: of(dict(whole.degree(weight="weight"))),
        "neighbor_strength": lambda: of(nx.average_neighbor_degree(whole, weight="weight")),
        "current_flow_closeness": lambda: of(nx.current_flow_closeness_centrality(whole, weight="weight")),
        "bipartite_clustering": lambda: of(nx.bipartite.latapy_clustering(positive, nodes=hidden, mode="max")),
        "subgraph_centrality": lambda: of(nx.subgraph_centrality(positive)),
        "harmonic_centrality": lambda: of(nx.harmonic_centrality(positive, nbunch=hidden, distance="weight")),
        "second_order_centrality": lambda: of(nx.second_order_centrality(positive)),
        "maximal_cliques": lambda: of(_clique_counts(positive)),
    }


def _clique_counts(graph: nx.Graph) -> dict[int, float]:
    counts = dict.fromkeys(graph, 0.0)
    for clique in nx.find_cliques(graph):
        for node in clique:
            counts[node] += 1
    return counts


def _as_networkx(graph: NeuralGraph, edges: str) -> nx.Graph:
    first, second, weight = graph.undirected(edges).edges()
    made = nx.Graph()
    made.add_nodes_from(range(graph.neurons))
    made.add_weighted_edges_from(zip(first.tolist(), second.tolist(), weight.tolist(), strict=True))
    return made


def _fast_peers(
    graph: NeuralGraph, hidden: list[int]
) -> Iterator[tuple[str, dict[str, Any], str, Callable[[], np.ndarray | None]]]:
    """Measures that igraph and NetworKit have, on graphs built beforehand."""
    signed, positive = {"edges": "signed"}, {"edges": "positive"}
    whole = _as_igraph(graph, "signed")
    lengths = whole.es["weight"]
    yield "strength", signed, "igraph", lambda: np.array(whole.strength(hidden, weights="weight"))
    yield "strength", signed, "igraph, weights as a list", lambda: np.array(whole.strength(hidden, weights=lengths))
    kit = _as_networkit(graph, "signed")
    yield "strength", signed, "NetworKit", lambda: np.array([kit.weightedDegree(node) for node in hidden])
    part = _as_igraph(graph, "positive")
    degree = {"edges": "positive", "form": "degree"}
    yield "neighbor_strength", degree, "igraph", lambda: np.array(part.knn(hidden, weights="weight")[0])
    yield "harmonic_centrality", positive, "igraph", lambda: _igraph_harmonic(part, hidden)
    yield "maximal_cliques", positive, "igraph", lambda: _igraph_cliques(part, hidden)
    laplacian = networkit.centrality.LaplacianCentrality(_as_networkit(graph, "positive"))
    # NetworKit truncates the weighted degree to an integer (see the CenSET variant): a time, not a comparison.
    yield "laplacian_centrality", positive, "NetworKit", lambda: laplacian.run() and None


def _as_igraph(graph: NeuralGraph, edges: str) -> igraph.Graph:
    first, second, weight = (part.numpy() for part in graph.undirected(edges).edges())
    made = igraph.Graph(graph.neurons, np.stack([first, second], 1).tolist())
    made.es["weight"] = weight.tolist()
    return made


def _as_networkit(graph: NeuralGraph, edges: str) -> networkit.Graph:
    made = networkit.Graph(graph.neurons, weighted=True)
    for a, b, weight in zip(*(part.tolist() for part in graph.undirected(edges).edges()), strict=True):
        made.addEdge(a, b, weight)
    return made


def _igraph_harmonic(graph: igraph.Graph, hidden: list[int]) -> np.ndarray:
    return np.array(graph.harmonic_centrality(hidden, weights="weight", normalized=False))


def _igraph_cliques(graph: igraph.Graph, hidden: list[int]) -> np.ndarray:
    counts = np.zeros(graph.vcount())
    for clique in graph.maximal_cliques():
        counts[list(clique)] += 1
    return counts[hidden]
