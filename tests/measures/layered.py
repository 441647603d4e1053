"""Random layered networks for property tests, and their edges as plain lists: the independent view."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import torch
from hypothesis import strategies as st

from synaplex.graph import DenseLink, Layer, NeuralGraph


@dataclass(frozen=True)
class Layered:
    """Widths, and a weight matrix (target x source) for each joined pair of layers."""

    widths: tuple[int, ...]
    weights: dict[tuple[int, int], np.ndarray]

    @property
    def graph(self) -> NeuralGraph:
        return build([self])

    @property
    def offsets(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.widths)])

    @property
    def adjacency(self) -> np.ndarray:
        """The symmetric adjacency matrix, entry by entry."""
        matrix = np.zeros((sum(self.widths),) * 2)
        for (source, target), weight in self.weights.items():
            for row in range(weight.shape[0]):
                for column in range(weight.shape[1]):
                    a, b = self.offsets[source] + column, self.offsets[target] + row
                    matrix[a, b] += weight[row, column]
                    matrix[b, a] += weight[row, column]
        return matrix

    def networkx(self, positive: bool = False) -> nx.Graph:
        """The same as a NetworkX graph; an exact zero is no edge."""
        matrix = self.adjacency
        graph = nx.Graph()
        graph.add_nodes_from(range(len(matrix)))
        for a, b in zip(*np.nonzero(np.triu(matrix)), strict=True):
            if not positive or matrix[a, b] > 0:
                graph.add_edge(int(a), int(b), weight=float(matrix[a, b]))
        return graph


def build(networks: list[Layered]) -> NeuralGraph:
    """One graph; a batch if there are several networks (of equal widths and links)."""
    first = networks[0]
    last = len(first.widths) - 1
    roles = ["input" if i == 0 else "output" if i == last else "hidden" for i in range(last + 1)]
    layers = tuple(Layer(f"layer {i}", (w,), r) for i, (w, r) in enumerate(zip(first.widths, roles, strict=True)))
    links = []
    for source, target in first.weights:
        stack = np.stack([network.weights[source, target] for network in networks])
        weight = torch.as_tensor(stack if len(networks) > 1 else stack[0])
        links.append(DenseLink(source=source, target=target, weight=weight))
    return NeuralGraph(layers, tuple(links), {})


@st.composite
def layered(draw: st.DrawFn, *, signed: bool, networks: int = 1, skips: bool = True) -> list[Layered]:
    """Networks of 2 to 6 layers, 1 to 12 neurons a layer, with zeros, isolated neurons and (maybe) skip links."""
    widths = tuple(draw(st.lists(st.integers(1, 12), min_size=2, max_size=6)))
    pairs = [(i, i + 1) for i in range(len(widths) - 1)]
    if skips:
        far = [(i, j) for i in range(len(widths)) for j in range(i + 2, len(widths))]
        pairs += draw(st.lists(st.sampled_from(far), unique=True, max_size=2)) if far else []
    density = draw(st.sampled_from([0.15, 0.5, 0.9, 1.0]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    made = []
    for _ in range(networks):
        weights = {}
        for source, target in pairs:
            shape = (widths[target], widths[source])
            values = random.uniform(0.05, 1.0, shape) * (random.random(shape) < density)
            weights[source, target] = values * random.choice([-1, 1], shape) if signed else values
        made.append(Layered(widths, weights))
    return made
