"""Sets of networks of any sizes: what estimators are fitted on, in order, with an epoch each where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from synaplex.encoders.reading import structure_graph
from synaplex.encoders.structure import StructureGraph, stacked
from synaplex.errors import GraphTooLargeError, IncompleteGraphError, InvalidGraphError, SpecificationError
from synaplex.graph import NeuralGraph

EDGES_AT_ONCE = 1_000_000
"""A batch holds about so many edges at most, and 16 times as many pairs of nodes, however many networks it may hold."""
ROWS_AT_ONCE = 64
"""Networks whose weights are read at once, where nothing is computed from them."""
FINGERPRINTED = ("bias", "gain")
"""The features of nodes that networks of one layout and the same weights may differ in."""


@dataclass(frozen=True, eq=False)
class GraphSet:
    """Networks in order, each by itself or one of a batch.

    Attributes
    ----------
    graphs
        Single networks and batches.
    rows
        For each network of the set, the index of its graph and its place there (0 of a single network).
    epochs
        The epoch of each network, for snapshots of training; None where there is none.
    names
        What errors call each network; None for numbers.
    """

    graphs: tuple[NeuralGraph, ...]
    rows: tuple[tuple[int, int], ...]
    epochs: Float[np.ndarray, " networks"] | None = None
    names: tuple[str, ...] | None = None

    @classmethod
    def of(cls, graphs: Any, *, epochs: Any = None) -> GraphSet:
        """The set of a graph, of a batch, or of a sequence of these; a set stays what it is. `epochs` is array-like.

        Raises
        ------
        SpecificationError
            If something else is among them, or there are not as many epochs as networks.
        """
        if isinstance(graphs, GraphSet):
            made = graphs
        else:
            given = [graphs] if isinstance(graphs, NeuralGraph) else graphs
            if isinstance(given, str | bytes) or not isinstance(given, Iterable):
                raise SpecificationError(_refusal(given))
            listed = tuple(given)
            for one in listed:
                if not isinstance(one, NeuralGraph):
                    raise SpecificationError(_refusal(one))
            rows = tuple((i, k) for i, one in enumerate(listed) for k in range(one.networks or 1))
            made = cls(listed, rows)
        if epochs is None:
            return made
        times = np.asarray(epochs, dtype=np.float64)
        if times.shape != (len(made),):
            raise SpecificationError(f"{times.size} epochs for {len(made)} networks")
        return replace(made, epochs=times)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Any) -> GraphSet:
        """The set of some networks: a slice, indices or a mask."""
        index = np.arange(len(self))[chosen].reshape(-1)
        epochs = None if self.epochs is None else self.epochs[index]
        names = None if self.names is None else tuple(self.names[i] for i in index.tolist())
        return GraphSet(self.graphs, tuple(self.rows[i] for i in index.tolist()), epochs, names)

    def named(self, names: Sequence[str]) -> GraphSet:
        """The same with a name for each network."""
        if len(names) != len(self):
            raise SpecificationError(f"{len(names)} names for {len(self)} networks")
        return replace(self, names=tuple(names))

    def name(self, row: int) -> str:
        """What errors call a network."""
        return f"network {row}" if self.names is None else self.names[row]

    def parts(self, rows: Sequence[int] | None = None) -> Iterator[NeuralGraph]:
        """The networks in order, runs of neighbours in a batch together."""
        chosen = range(len(self)) if rows is None else rows
        start = 0
        places = [self.rows[i] for i in chosen]
        while start < len(places):
            graph, first = places[start]
            stop = start + 1
            while stop < len(places) and places[stop] == (graph, first + stop - start):
                stop += 1
            whole = self.graphs[graph]
            if whole.networks is None:
                stop = start + 1
                yield whole
            else:
                yield whole if stop - start == whole.networks else whole.subset(first, first + stop - start)
            start = stop

    def pieces(self, size: int) -> Iterator[NeuralGraph]:
        """As `parts`, at most `size` networks in each."""
        for part in self.parts():
            if part.networks is None or part.networks <= size:
                yield part
            else:
                for start in range(0, part.networks, size):
                    yield part.subset(start, min(start + size, part.networks))

    def structure(self, rows: Sequence[int]) -> StructureGraph:
        """Some networks of one layout as a batch."""
        return stacked([structure_graph(part) for part in self.parts(rows)])

    @cached_property
    def layouts(self) -> list[tuple[StructureGraph, Int[np.ndarray, " rows"]]]:
        """The first network of each layout, and the rows that have it."""
        of_graph: dict[int, StructureGraph] = {}
        for row, (i, _) in enumerate(self.rows):
            if i not in of_graph:
                of_graph[i] = self._first(i, row)
        groups: dict[tuple[object, ...], list[int]] = {}
        first: dict[tuple[object, ...], StructureGraph] = {}
        for row, (graph, _) in enumerate(self.rows):
            layout = of_graph[graph].layout
            groups.setdefault(layout, []).append(row)
            first.setdefault(layout, of_graph[graph])
        return [(first[layout], np.array(rows)) for layout, rows in groups.items()]

    def batches(self, size: int, *, generator: torch.Generator | None = None) -> list[Int[np.ndarray, " rows"]]:
        """Rows in batches of one layout, at most `size` networks and about `EDGES_AT_ONCE` edges each.

        With a generator, in random order: which rows share a batch, and the order of batches.
        """
        found = []
        for graph, rows in self.layouts:
            count = max(1, min(size, EDGES_AT_ONCE // max(graph.edges, graph.nodes**2 // 16, 1)))
            order = rows if generator is None else rows[torch.randperm(len(rows), generator=generator).numpy()]
            found += [np.sort(order[start : start + count]) for start in range(0, len(rows), count)]
        if generator is None:
            return found
        return [found[i] for i in torch.randperm(len(found), generator=generator).tolist()]

    def fingerprints(self, node_features: Sequence[str] = ()) -> list[str]:
        """A name for the weights and some node features of each network, see `fingerprints`."""
        found: dict[int, str] = {}
        for batch in self.batches(ROWS_AT_ONCE):
            names = fingerprints(self.structure(batch.tolist()), node_features)
            found.update(zip(batch.tolist(), names, strict=True))
        return [found[row] for row in range(len(self))]

    def described(self) -> list[str]:
        """The layout of each network, see `StructureGraph.described`."""
        found = {row: graph.described for graph, rows in self.layouts for row in rows.tolist()}
        return [found[row] for row in range(len(self))]

    def _first(self, graph: int, row: int) -> StructureGraph:
        whole = self.graphs[graph]
        try:
            return structure_graph(whole if whole.networks is None else whole.subset(0, 1))
        except (GraphTooLargeError, IncompleteGraphError, InvalidGraphError) as error:
            if self.names is None:
                raise
            raise type(error)(f"{self.name(row)}: {error}") from error


def fingerprints(graph: StructureGraph, node_features: Sequence[str] = ()) -> list[str]:
    """A name for the weights of each network, and for its biases and gains where they are among the node features.

    Equal names for networks that an encoder with these `node_features` cannot tell apart, and other names for others:
    an encoder that reads no biases gives networks with the same weights one embedding, whatever their biases are.

    Parameters
    ----------
    graph
        Networks of one layout.
    node_features
        Of an encoder. Those that the layout settles, such as the position, are of no influence.

    Notes
    -----
    Cost: one pass over the bytes.
    """
    names = []
    for network in range(graph.networks):
        digest = blake2b(repr(graph.layout).encode(), digest_size=16)
        for block in graph.blocks:
            weight = block.weight[network].double().cpu().contiguous().numpy()
            digest.update(weight.tobytes())
        for name, value in (("bias", graph.bias), ("gain", graph.gain)):
            if name in node_features:
                digest.update(name.encode() + value[network].double().cpu().contiguous().numpy().tobytes())
        names.append(digest.hexdigest())
    return names


def _refusal(given: object) -> str:
    what = repr(given) if isinstance(given, str) else type(given).__name__
    return (
        f"estimators take graphs, and {what} is none: make one by synaplex.graph(model, example) or synaplex.load(file)"
    )
