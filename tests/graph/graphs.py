"""Random networks for the tests of the graph core, and the same networks as plain matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import strategies as st

from synaplex.graph import DenseLink, DiagonalLink, IdentityLink, Layer, Link, NeuralGraph

KINDS = ("dense", "sparse", "diagonal", "identity")


def random_matrix(generator: torch.Generator, *shape: int) -> torch.Tensor:
    """Signed weights, a third of them exact zeros, some equal in size."""
    values = torch.randint(-6, 7, shape, generator=generator).double() / 4
    return values * (torch.rand(shape, generator=generator) > 0.33)


def make_link(kind: str, generator: torch.Generator, networks: int | None, out: int, into: int) -> Link:
    lead = () if networks is None else (networks,)
    if kind == "identity" and out == into:
        return IdentityLink(source=0, target=1, size=out, scale=random_matrix(generator, *lead) + 0.5)
    if kind == "diagonal" and out == into:
        return DiagonalLink(source=0, target=1, gain=random_matrix(generator, *lead, out))
    dense = DenseLink(source=0, target=1, name=kind, weight=random_matrix(generator, *lead, out, into))
    return dense.to_sparse() if kind == "sparse" else dense


@dataclass(frozen=True)
class Recipe:
    """What a random network is made from; made when a test asks for it."""

    seed: int
    sizes: tuple[int, ...]
    networks: int | None
    joined: tuple[tuple[int, int, str], ...]

    @property
    def graph(self) -> NeuralGraph:
        generator = torch.Generator().manual_seed(self.seed)
        links = tuple(
            make_link(kind, generator, self.networks, self.sizes[target], self.sizes[source]).between(source, target)
            for source, target, kind in self.joined
        )
        layers = tuple(Layer(f"layer {i}", (size,)) for i, size in enumerate(self.sizes))
        return NeuralGraph(layers, links, {})


@st.composite
def recipes(draw: st.DrawFn, *, batched: bool = False, feed_forward: bool = False) -> Recipe:
    """A network of 1 to 5 layers of up to 6 neurons with any links: parallel, backward, within a layer."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=2 if feed_forward else 1, max_size=5))
    if feed_forward:
        joined = [(i, i + 1, draw(st.sampled_from(KINDS))) for i in range(len(sizes) - 1)]
    else:
        index = st.integers(0, len(sizes) - 1)
        joined = draw(st.lists(st.tuples(index, index, st.sampled_from(KINDS)), min_size=1, max_size=8))
    networks = draw(st.integers(1, 3)) if batched else None
    return Recipe(draw(st.integers(0, 2**20)), tuple(sizes), networks, tuple(joined))


def directed_matrix(graph: NeuralGraph) -> np.ndarray:
    """A[i, j]: the summed weight of all edges from neuron i to neuron j, edge by edge."""
    matrix = np.zeros((graph.neurons, graph.neurons))
    for link in graph.links:
        sparse = link.to_sparse()
        for row, column, weight in zip(sparse.row, sparse.column, sparse.weight, strict=True):
            source, target = graph.offsets[link.source] + int(column), graph.offsets[link.target] + int(row)
            matrix[source, target] += float(weight)
    return matrix


def undirected_matrix(graph: NeuralGraph) -> np.ndarray:
    """The symmetric matrix in which antiparallel edges add and a self-loop counts once."""
    directed = directed_matrix(graph)
    return directed + directed.T - np.diag(np.diag(directed))


def networks_of(graph: NeuralGraph) -> list[NeuralGraph]:
    return [graph] if graph.networks is None else [graph.network(k) for k in range(graph.networks)]
