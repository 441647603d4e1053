"""The graph that an encoder reads: groups of nodes joined by blocks of edges with features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError


@dataclass(frozen=True, eq=False)
class Block:
    """The edges that one link makes between two groups of nodes, as an array.

    Attributes
    ----------
    source, target
        Indices of the groups.
    weight
        The footprint of each edge: ``(networks, targets, sources, height, width)``, or, where node i is joined to node
        i alone, ``(networks, nodes, height, width)``. A dense weight has a footprint of 1 x 1, a kernel of its own
        size, a Linear that reads an image of h x w one of that size. An edge whose footprint is all zero is no edge.
    diagonal
        Whether node i is joined to node i alone.
    kernel
        Whether the footprint is a kernel, the same at every position.
    name
        The parameter the weights come from.
    """

    source: int
    target: int
    weight: Float[Tensor, ...]
    diagonal: bool = False
    kernel: bool = False
    name: str = ""

    @property
    def footprint(self) -> tuple[int, int]:
        """Height and width of what an edge carries."""
        return self.weight.shape[-2], self.weight.shape[-1]

    @property
    def edges(self) -> int:
        """Number of places for edges, of one network."""
        return self.weight.shape[1:-2].numel()


@dataclass(frozen=True, eq=False)
class StructureGraph:
    """Networks of one layout, as nodes (neurons or channels) and edges with features.

    Attributes
    ----------
    sizes
        Nodes of each group, in order; nodes are numbered through.
    blocks
        The edges, each once, from source to target as the signal runs.
    bias, gain
        Of each node, ``(networks, nodes)``: the mean over the positions of a channel; 0 and 1 where there is none.
    position
        ``(nodes,)``: 0 for the first group to 1 for the last.
    """

    sizes: tuple[int, ...]
    blocks: tuple[Block, ...]
    bias: Float[Tensor, "networks nodes"]
    gain: Float[Tensor, "networks nodes"]
    position: Float[Tensor, " nodes"]

    @property
    def networks(self) -> int:
        """Number of networks."""
        return self.bias.shape[0]

    @property
    def nodes(self) -> int:
        """Number of nodes of one network."""
        return sum(self.sizes)

    @property
    def edges(self) -> int:
        """Number of places for edges of one network, in one direction."""
        return sum(block.edges for block in self.blocks)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Index of the first node of each group, and the total at the end."""
        return (0, *accumulate(self.sizes))

    @property
    def layout(self) -> tuple[object, ...]:
        """What networks must share to be put into one batch."""
        return self.sizes, tuple((b.source, b.target, b.diagonal, *b.footprint) for b in self.blocks)

    @property
    def described(self) -> str:
        """The layout in words: sizes of the groups, what joins them unless each reads the one before, footprints.

        Equal for two networks if and only if their layouts are.
        """
        links = [(b.source, b.target, b.diagonal, b.footprint) for b in self.blocks]
        text = "-".join(map(str, self.sizes))
        chain = [(i, i + 1, False) for i in range(len(self.sizes) - 1)]
        joined = [] if [one[:3] for one in links] == chain else [f"{a}{'=' if d else '>'}{b}" for a, b, d, _ in links]
        sides = [f"{high}x{wide}" for *_, (high, wide) in links] if any(one[3] != (1, 1) for one in links) else []
        further = "; ".join(" ".join(part) for part in (joined, sides) if part)
        return f"{text} ({further})" if further else text

    @property
    def largest_kernel(self) -> int:
        """The largest side of a kernel, 1 where there is none."""
        return max((max(block.footprint) for block in self.blocks if block.kernel), default=1)


def stacked(graphs: Sequence[StructureGraph]) -> StructureGraph:
    """Networks of one layout as one batch, in order.

    Raises
    ------
    SpecificationError
        If layouts differ, or there is none.
    """
    layouts = {graph.layout for graph in graphs}
    if len(layouts) != 1:
        raise SpecificationError(f"networks of {len(layouts)} layouts cannot be put into one batch")
    if len(graphs) == 1:
        return graphs[0]
    blocks = tuple(
        replace(block, weight=torch.cat([graph.blocks[i].weight for graph in graphs]))
        for i, block in enumerate(graphs[0].blocks)
    )
    bias, gain = torch.cat([graph.bias for graph in graphs]), torch.cat([graph.gain for graph in graphs])
    return replace(graphs[0], blocks=blocks, bias=bias, gain=gain)
