"""A batch on the CPU in parts that fit the caches."""

from __future__ import annotations

from collections.abc import Iterator

from synaplex.graph import NeuralGraph

_ENTRIES = 1_500_000


def in_parts(graph: NeuralGraph) -> Iterator[NeuralGraph]:
    """Parts of a batch, in order, with about a million and a half possible edges each.

    Larger temporaries would be written to memory and read back, and a batch would cost more a network than a single
    network does. The parts depend on sizes alone.
    """
    if graph.networks is None or graph.device.type != "cpu":
        yield graph
        return
    step = max(1, _ENTRIES // max(1, sum(link.in_size * link.out_size for link in graph.links)))
    for start in range(0, graph.networks, step):
        yield graph.subset(start, min(start + step, graph.networks))
