"""Structure encoders: seconds to fit and to embed, beside PyTorch Geometric's layers on the same edges.

Everything runs on as many cores as torch is given (``OMP_NUM_THREADS``); embedding reads, encodes and pools.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch

from benchmarks.timing import seconds
from synaplex.encoders import (
    GATConv,
    StructureEncoder,
    TransformerConv,
    message_graph,
    positional_encoding,
    structure_graph,
)
from synaplex.encoders.pyg import pyg_edges
from synaplex.graph import NeuralGraph

NETWORKS = 250
SMALL, LARGE = (64, 100, 26, 10), (784, 200, 100, 10)
MEGABYTE = 2**20


def run() -> list[dict[str, str | float]]:
    """A row a task: seconds of ``ours`` and, where there is one, of the ``peer``; ``ratio``; peak memory so far."""
    rows = [_layer(kind, heads) for kind, heads in ((TransformerConv, 1), (TransformerConv, 4), (GATConv, 4))]
    rows.append(_positions())
    start = time.perf_counter()
    encoder = StructureEncoder().fit(_population(*SMALL))
    name = f"fit {NETWORKS} x {_named(SMALL)}, {encoder.epochs} epochs"
    rows.append(_row(name, time.perf_counter() - start))
    large = _population(*LARGE)
    start = time.perf_counter()
    encoder.transform(large)
    rows.append(_row(f"embed {NETWORKS} x {_named(LARGE)}", time.perf_counter() - start))
    return rows


def _layer(kind: Any, heads: int) -> dict[str, str | float]:
    """One layer over one large network, with edge features, width 16, no gradient."""
    structure = structure_graph(_population(*LARGE, networks=1))
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, structure.nodes, 16, generator=generator)
    ours = kind(16, 16, heads=heads, edges=1, generator=generator)
    name = f"{kind.__name__}, {heads} heads, {_named(LARGE)}"
    with torch.no_grad():
        taken, found = seconds(lambda: ours(x, message_graph(structure, 1)), repeats=3)
        peer = _peer(kind.__name__, heads, ours, structure, x)
        if peer is None:
            return _row(name, taken)
        theirs, expected = seconds(peer, repeats=1)
    if not torch.allclose(found[0], expected, atol=1e-3):
        raise RuntimeError(f"{name} differs from PyTorch Geometric's by {float((found[0] - expected).abs().max()):.1e}")
    return _row(name, taken, theirs)


def _peer(name: str, heads: int, ours: torch.nn.Module, structure: Any, x: torch.Tensor) -> Callable[[], Any] | None:
    """PyTorch Geometric's layer with the same parameters, where it is installed."""
    try:
        import torch_geometric.nn as geometric
    except ImportError:
        return None
    peer = getattr(geometric, name)(16, 16, heads=heads, edge_dim=1)
    peer.load_state_dict({**peer.state_dict(), **ours.state_dict()})
    index, features = pyg_edges(structure, 1)
    return lambda: peer(x[0], index, features)


def _positions() -> dict[str, str | float]:
    """Eight eigenvectors of ten networks: from the small side, and from the matrix of all neurons."""
    structure = structure_graph(_population(*LARGE, networks=10))
    ours, _ = seconds(lambda: positional_encoding(structure), repeats=3)
    peer, _ = seconds(lambda: positional_encoding(structure, method="whole"), repeats=1, warm=False)
    return _row(f"positional encoding, 10 x {_named(LARGE)}, beside all neurons", ours, peer)


def _population(*widths: int, networks: int = NETWORKS) -> NeuralGraph:
    generator = torch.Generator().manual_seed(0)
    return NeuralGraph.from_weights(
        [torch.randn(networks, b, a, generator=generator) * (2 / a) ** 0.5 for a, b in pairwise(widths)]
    )


def _named(widths: tuple[int, ...]) -> str:
    return "-".join(map(str, widths))


def _row(name: str, ours: float, peer: float | None = None) -> dict[str, str | float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    beside: dict[str, str | float] = {"peer": "", "ratio": ""} if peer is None else {"peer": peer, "ratio": peer / ours}
    return {"name": name, "ours": ours, **beside, "peak MiB": peak}
