"""The undirected weighted graph of a network, as a symmetric operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.graph.link import Elementwise, Link

_HELD = 2**22
"""Weights that are kept in float64 without being asked for: 32 MB."""


@dataclass(frozen=True)
class Sides:
    """The two sides of a bipartite graph: no edge joins two neurons of one side.

    Attributes
    ----------
    large, small
        Layer indices of either side; `small` has no more neurons than `large`.
    large_index, small_index
        Global indices of the neurons of either side.
    """

    large: tuple[int, ...]
    small: tuple[int, ...]
    large_index: Int[Tensor, " large"]
    small_index: Int[Tensor, " small"]


class Adjacency:
    """The symmetric adjacency matrix A of a network (or a batch) under an edge rule, in float64.

    Built by `NeuralGraph.undirected`. Row i of A is the neuron with global index i (layer by layer). An edge
    is an entry other than exact zero. Derived quantities are computed once and kept.

    Parameters
    ----------
    sizes
        Number of neurons of each layer.
    links
        One link per joined pair of layers, source index not above target index; a link within a layer holds a
        symmetric matrix.
    networks
        Length of the axis of networks, or None.
    function
        What every weight is mapped by, in float64, or None.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        links: Sequence[Link],
        networks: int | None,
        device: torch.device,
        function: Elementwise | None = None,
    ) -> None:
        self.sizes = tuple(sizes)
        self._stored = tuple(links)
        self._function = function
        self.networks = networks
        self.device = device
        self.offsets = tuple(accumulate(self.sizes, initial=0))

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The links in float64, mapped; held in memory from then on."""
        return tuple(map(self._prepared, self._stored))

    def _prepared(self, link: Link) -> Link:
        exact = link.to(torch.float64)
        return exact if self._function is None else exact.map(self._function)

    def _passed(self, layer: int | None = None) -> Iterable[Link]:
        """The same links, or those of a layer, one by one; held only where that costs little or was asked for."""
        if "links" in self.__dict__ or sum(link.stored for link in self._stored) <= _HELD:
            return _of(self.links, layer)
        return map(self._prepared, _of(self._stored, layer))

    def _summed(self, layer: int | None = None) -> Iterable[Link]:
        """Links for plain sums, which convert as they go; a mapped weight is mapped in float64 first."""
        return _of(self._stored, layer) if self._function is None else self._passed(layer)

    @property
    def neurons(self) -> int:
        """Number of neurons n."""
        return self.offsets[-1]

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """``(networks,)``, or ``()`` for a single network."""
        return () if self.networks is None else (self.networks,)

    def _slice(self, layer: int) -> slice:
        return slice(self.offsets[layer], self.offsets[layer + 1])

    def map(self, function: Elementwise) -> Adjacency:
        """The same graph with every weight w replaced by ``function(w)``."""
        before = self._function
        composed = function if before is None else lambda weight: function(before(weight))
        return Adjacency(self.sizes, self._stored, self.networks, self.device, composed)

    def product(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch2 neurons"]:
        """A x. Cost: one pass over the weights."""
        shape = torch.broadcast_shapes(x.shape[:-1], self.batch_shape)  # type: ignore[no-untyped-call]
        total = x.new_zeros(*shape, self.neurons)
        for link in self._passed():
            total[..., self._slice(link.target)] += link.forward(x[..., self._slice(link.source)])
            if link.source != link.target:
                total[..., self._slice(link.source)] += link.backward(x[..., self._slice(link.target)])
        return total

    @cached_property
    def strength(self) -> Float[Tensor, "*networks neurons"]:
        """A 1, the summed weight of each neuron's edges (a self-loop counts once). Cost: one pass over the weights."""
        one = torch.ones((), dtype=torch.float64, device=self.device)
        total = one.new_zeros(*self.batch_shape, self.neurons)
        for link in self._summed():
            total[..., self._slice(link.target)] += link.forward(one.expand(self.sizes[link.source]))
            if link.source != link.target:
                total[..., self._slice(link.source)] += link.backward(one.expand(self.sizes[link.target]))
        return total

    def strength_of(self, layer: int) -> Float[Tensor, "*networks size"]:
        """The strengths of one layer's neurons. Cost: one pass over the weights of the links that it has."""
        one = torch.ones((), dtype=torch.float64, device=self.device)
        total = one.new_zeros(*self.batch_shape, self.sizes[layer])
        for link in self._summed(layer):
            if link.target == layer:
                total = total + link.forward(one.expand(self.sizes[link.source]))
            else:
                total = total + link.backward(one.expand(self.sizes[link.target]))
        return total

    @cached_property
    def indicator(self) -> Adjacency:
        """The same graph with every edge of weight 1."""
        return self.map(lambda weight: (weight != 0).to(weight.dtype))

    @cached_property
    def degree(self) -> Float[Tensor, "*networks neurons"]:
        """Number of edges of each neuron (a self-loop counts once)."""
        return self.indicator.strength

    @property
    def without_loops(self) -> Adjacency:
        """The same graph without self-loops."""
        # Not kept where it is this object: what holds itself is only freed when garbage is next collected.
        return self if all(link.source != link.target for link in self._stored) else self._stripped

    @cached_property
    def _stripped(self) -> Adjacency:
        links = [_without_diagonal(link) if link.source == link.target else link for link in self._stored]
        return Adjacency(self.sizes, links, self.networks, self.device, self._function)

    @cached_property
    def sides(self) -> Sides | None:
        """The two sides of the layer graph, or None where it cannot be coloured with two colours."""
        colors: list[int | None] = [None] * len(self.sizes)
        neighbors: list[set[int]] = [set() for _ in self.sizes]
        for link in self._stored:
            neighbors[link.source].add(link.target)
            neighbors[link.target].add(link.source)
        for start in range(len(self.sizes)):
            if colors[start] is not None:
                continue
            colors[start] = 0
            stack = [start]
            while stack:
                layer = stack.pop()
                for other in neighbors[layer]:
                    if colors[other] is None:
                        colors[other] = 1 - (colors[layer] or 0)
                        stack.append(other)
                    elif colors[other] == colors[layer]:
                        return None
        groups = [tuple(layer for layer, color in enumerate(colors) if color == side) for side in (0, 1)]
        small, large = sorted(groups, key=lambda group: sum(self.sizes[layer] for layer in group))
        return Sides(large, small, self._index(large), self._index(small))

    def _index(self, layers: Sequence[int]) -> Int[Tensor, " neurons"]:
        ranges = [torch.arange(self.offsets[i], self.offsets[i + 1], device=self.device) for i in layers]
        return torch.cat([torch.empty(0, dtype=torch.long, device=self.device), *ranges])

    @cached_property
    def biadjacency(self) -> Float[Tensor, "*networks large small"]:
        """The matrix B of a bipartite graph, large side by small side. Memory: 8 bytes an entry."""
        sides = self.sides
        if sides is None:
            raise ValueError("the layer graph has no two sides")
        rows, columns = _starts(sides.large, self.sizes), _starts(sides.small, self.sizes)
        shape = (*self.batch_shape, len(sides.large_index), len(sides.small_index))
        matrix = torch.zeros(shape, dtype=torch.float64, device=self.device)
        for link in self.links:
            large, small = (link.target, link.source) if link.source in columns else (link.source, link.target)
            block = link.to_dense()
            block = block if link.source in columns else block.mT
            top, left = rows[large], columns[small]
            matrix[..., top : top + self.sizes[large], left : left + self.sizes[small]] = block
        return matrix

    @cached_property
    def dense(self) -> Float[Tensor, "*networks neurons neurons"]:
        """The matrix A itself. Memory: 8 n^2 bytes a network."""
        matrix = torch.zeros(*self.batch_shape, self.neurons, self.neurons, dtype=torch.float64, device=self.device)
        for link in self.links:
            block = link.to_dense()
            matrix[..., self._slice(link.target), self._slice(link.source)] = block
            matrix[..., self._slice(link.source), self._slice(link.target)] = block.mT
        return matrix

    def edges(self) -> tuple[Int[Tensor, " edges"], Int[Tensor, " edges"], Float[Tensor, " edges"]]:
        """Edges of a single network, each once: global indices of its two ends and its weight."""
        empty = torch.empty(0, dtype=torch.long, device=self.device)
        first, second, weights = [empty], [empty], [torch.empty(0, dtype=torch.float64, device=self.device)]
        for link in self.links:
            sparse = link.to_sparse()
            keep = sparse.column <= sparse.row if link.source == link.target else slice(None)
            first.append(sparse.column[keep] + self.offsets[link.source])
            second.append(sparse.row[keep] + self.offsets[link.target])
            weights.append(sparse.weight[keep])
        return torch.cat(first), torch.cat(second), torch.cat(weights)

    def network(self, index: int) -> Adjacency:
        """The graph of one network of the batch."""
        links = [link.network(index) for link in self._stored]
        return Adjacency(self.sizes, links, None, self.device, self._function)

    def singles(self) -> list[Adjacency]:
        """The graphs of all networks, one by one."""
        return [self] if self.networks is None else [self.network(k) for k in range(self.networks)]

    @cached_property
    def components(self) -> Int[Tensor, "*networks neurons"]:
        """Connected component of each neuron: 0 for the one of neuron 0, then 1, 2, ... by lowest neuron.

        Cost: one product a step of a breadth-first search for a connected graph; one search over edges else.
        """
        reached = torch.zeros(*self.batch_shape, self.neurons, dtype=torch.float64, device=self.device)
        if not self.neurons:
            return reached.long()
        reached[..., 0] = 1
        count = 0
        while (now := int(reached.sum())) > count:
            count = now
            reached = ((self.indicator.product(reached) + reached) > 0).to(torch.float64)
        whole = reached.bool().all(-1)
        labels = torch.zeros(*self.batch_shape, self.neurons, dtype=torch.long, device=self.device)
        if self.networks is None:
            return labels if bool(whole) else self._label()
        for k in (~whole).nonzero()[:, 0].tolist():
            labels[k] = self.network(k)._label()
        return labels

    def _label(self) -> Int[Tensor, " neurons"]:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        first, second, _ = (part.cpu().numpy() for part in self.edges())
        ones = torch.ones(len(first)).numpy()
        matrix = coo_array((ones, (first, second)), shape=(self.neurons, self.neurons))
        _, labels = connected_components(matrix, directed=False)
        return torch.as_tensor(labels, dtype=torch.long, device=self.device)

    @property
    def connected(self) -> Bool[Tensor, "*networks"]:
        """Whether each network is in one piece."""
        return (self.components == 0).all(-1)


def _of(links: Sequence[Link], layer: int | None) -> Sequence[Link]:
    """Links that enter or leave a layer; all where none is named."""
    return links if layer is None else [link for link in links if layer in (link.source, link.target)]


def _starts(layers: Sequence[int], sizes: Sequence[int]) -> dict[int, int]:
    starts, place = {}, 0
    for layer in layers:
        starts[layer] = place
        place += sizes[layer]
    return starts


def _without_diagonal(link: Link) -> Link:
    from synaplex.graph.dense import DenseLink

    if isinstance(link, DenseLink):
        return link.map(
            lambda weight: weight * (1 - torch.eye(weight.shape[-1], dtype=weight.dtype, device=weight.device))
        )
    sparse = link.to_sparse()
    return sparse.map(lambda weight: weight * (sparse.row != sparse.column)).to_sparse()
