"""Measures beyond the exact limit: how time grows, and beside the exact forms and SciPy's iterative ones."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, cg, eigsh

import synaplex.measures as ms
from synaplex.graph import NeuralGraph, SparseLink

Row = dict[str, Any]
EXACT = (1_000, 2_000)
BEYOND = (4_000, 8_000)
FEW = 8


def run() -> Iterator[Row]:
    """Rows with network, measure, seconds, reached relative error bound, peer (in seconds) and ratio (peer / ours)."""
    for width in EXACT:
        graph = _dense(width)
        for name, options in _measures().items():
            exact, truth = _timed(lambda n=name, o=options, g=graph: ms.find(n).function(g, method="exact", **o))
            yield _row(graph, name, options, truth, "exact form", exact)
    for graph in (_dense(EXACT[-1]), _sparse(4 * EXACT[-1])):
        yield from _beside_scipy(graph)
    for graph in (*map(_dense, BEYOND), *map(_sparse, (20_000, 40_000))):
        for name, options in _measures().items():
            if isinstance(graph.links[0], SparseLink) and "on_disconnected" in options:
                options = {**options, "neurons": graph.select("hidden")[:FEW].tolist()}
            yield _row(graph, name, options)


def _measures() -> dict[str, dict[str, Any]]:
    whole = {"edges": "positive", "on_disconnected": "component"}
    return {
        "log_subgraph_centrality": {"tolerance": 1e-6},
        "current_flow_closeness": {**whole, "tolerance": 1e-4},
        "second_order_centrality": {**whole, "tolerance": 1e-5},
    }


def _row(
    graph: NeuralGraph,
    name: str,
    options: dict[str, Any],
    truth: Any = None,
    peer: str = "",
    theirs: float | None = None,
) -> Row:
    bounds = ms.Bounds()
    ours, values = _timed(lambda: ms.find(name).function(graph, method="iterative", bounds=bounds, **options))
    error = bounds.notes[0].error
    if truth is not None:
        assert bool(((values - truth).abs() <= error + 1e-9 * truth.abs()).all())
    count = "all" if "neurons" not in options else str(len(options["neurons"]))
    return {
        "network": _label(graph),
        "measure": f"{name} of {count}",
        "seconds": ours,
        "bound": f"{float((error / values.abs()).max()):.1e}",
        "how": bounds.notes[0].method,
        "peer": peer,
        "theirs": "" if theirs is None else theirs,
        "ratio": "" if theirs is None else theirs / ours,
    }


def _beside_scipy(graph: NeuralGraph) -> Iterator[Row]:
    """One eigenvector by `eigsh`, and one linear system a neuron by `cg`, on the same operator."""
    binary, view = graph.undirected("positive", binary=True), graph.undirected("positive")

    def operator(product: Callable[[torch.Tensor], torch.Tensor]) -> LinearOperator:
        return LinearOperator((graph.neurons,) * 2, lambda x: product(torch.as_tensor(x).view(-1)).numpy(), dtype=float)

    seconds, _ = _timed(lambda: eigsh(operator(binary.product), k=1, which="LA", v0=np.ones(graph.neurons)))
    name, options = "log_subgraph_centrality", {"tolerance": 1e-6, "neurons": graph.select("hidden")[:FEW].tolist()}
    yield _row(graph, name, options, None, "eigsh, 1 eigenvector", seconds)
    strength = view.strength
    scale = strength.clamp_min(1e-12).numpy()
    chosen = [int(i) for i in graph.select("hidden")[:FEW]]

    def systems() -> None:
        jacobi = LinearOperator((graph.neurons,) * 2, lambda x: x.ravel() / scale, dtype=float)
        laplacian = operator(lambda x: strength * x - view.product(x))
        for neuron in chosen:
            right = np.full(graph.neurons, -1 / graph.neurons)
            right[neuron] += 1
            cg(laplacian, right, rtol=1e-5, M=jacobi)

    seconds, _ = _timed(systems)
    options = {"edges": "positive", "on_disconnected": "component", "tolerance": 1e-5, "neurons": chosen}
    yield _row(graph, "second_order_centrality", options, None, f"cg, {FEW} systems, no bound", seconds)


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def _label(graph: NeuralGraph) -> str:
    edges = sum(link.edge_count for link in graph.links)
    return f"{'-'.join(map(str, graph.sizes))}, {edges / 1e6:.1f} M edges"


def _dense(width: int) -> NeuralGraph:
    generator = torch.Generator().manual_seed(0)
    pairs = itertools.pairwise((784, width, width, 10))
    return NeuralGraph.from_weights([torch.empty(b, a).uniform_(-0.05, 0.05, generator=generator) for a, b in pairs])


def _sparse(width: int, degree: int = 40) -> NeuralGraph:
    """About `degree` inputs a neuron, as truly sparse networks have."""
    from scipy.sparse import random_array

    random = np.random.default_rng(0)
    matrices = []
    for a, b in itertools.pairwise((784, width, width, 10)):
        matrix = random_array((b, a), density=min(1.0, degree / a), format="csr", rng=random)
        matrix.data = random.uniform(-0.05, 0.05, len(matrix.data))
        matrices.append(matrix)
    return NeuralGraph.from_weights(matrices)
