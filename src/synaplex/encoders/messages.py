"""Message passing over blocks: what enters each group of nodes, and the softmax over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from synaplex.encoders.kernels import edge_features
from synaplex.encoders.structure import StructureGraph
from synaplex.errors import UnknownNameError

DIRECTIONS = ("both", "forward")


@dataclass(frozen=True, eq=False)
class Incoming:
    """The edges of one block that enter a group of nodes.

    Attributes
    ----------
    source
        The group they come from.
    block
        The number of the block.
    backward
        Whether they run against the signal.
    features
        ``(networks, targets, sources, features)``, or ``(networks, nodes, features)`` of a diagonal block.
    present
        Which of them are edges; None if all are.
    diagonal
        Whether node i receives from node i alone.
    """

    source: int
    block: int
    backward: bool
    features: Float[Tensor, ...]
    present: Bool[Tensor, ...] | None
    diagonal: bool

    def rows(self, values: Float[Tensor, ...]) -> Float[Tensor, "networks heads targets sources"]:
        """Values per edge and head, ``(networks, [targets,] sources, heads)``, as rows to be joined."""
        return values.movedim(-1, 1)[..., None] if self.diagonal else values.movedim(-1, 1)


@dataclass(frozen=True, eq=False)
class MessageGraph:
    """Networks of one layout with edge features of one length, ready for message passing.

    Attributes
    ----------
    sizes
        Nodes of each group.
    incoming
        Per group what enters it.
    forward
        Every block once, as it enters its target.
    networks
        How many.
    device
        Where the features lie.
    """

    sizes: tuple[int, ...]
    incoming: tuple[tuple[Incoming, ...], ...]
    forward: tuple[tuple[int, Incoming], ...]
    networks: int
    device: torch.device

    @cached_property
    def places(self) -> tuple[slice, ...]:
        """The nodes of each group."""
        ends = list(accumulate(self.sizes))
        return tuple(slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True))


def message_graph(
    graph: StructureGraph,
    kernel: int,
    *,
    scale: float = 1.0,
    direction: str = "both",
    device: torch.device | str = "cpu",
) -> MessageGraph:
    """The edges of networks with features of length kernel², divided by `scale`.

    Parameters
    ----------
    graph
        Networks of one layout.
    kernel
        The side of the footprint that all edges are brought to, see `edge_features`.
    scale
        What features are divided by.
    direction
        ``"both"``: each edge also runs backward, with the same features. ``"forward"``: as the signal runs only.
    device
        Where to compute.

    Raises
    ------
    UnknownNameError
        If there is no such direction.
    """
    if direction not in DIRECTIONS:
        raise UnknownNameError("direction", direction, DIRECTIONS)
    incoming: list[list[Incoming]] = [[] for _ in graph.sizes]
    forward = []
    for number, block in enumerate(graph.blocks):
        weight = block.weight.to(device)
        features = edge_features(weight, kernel, scale)
        mask = (weight != 0).flatten(-2).any(-1)
        present = None if bool(mask.all()) else mask
        ahead = Incoming(block.source, number, False, features, present, block.diagonal)
        forward.append((block.target, ahead))
        incoming[block.target].append(ahead)
        if direction == "both":
            back, seen = features, present
            if not block.diagonal:
                back, seen = features.transpose(1, 2), None if present is None else present.transpose(1, 2)
            incoming[block.source].append(Incoming(block.target, number, True, back, seen, block.diagonal))
    entering = tuple(tuple(group) for group in incoming)
    return MessageGraph(graph.sizes, entering, tuple(forward), graph.networks, torch.device(device))


def joint_softmax(
    scores: Sequence[Float[Tensor, "networks heads targets _"]], incoming: Sequence[Incoming]
) -> list[Float[Tensor, "networks heads targets _"]]:
    """The softmax of each node over all edges that enter it, from whichever group; all 0 for a node without edges.

    Further scores than there are blocks, such as those of self-loops, count as edges.
    """
    present: list[Bool[Tensor, ...] | None] = []
    for edges in incoming:
        mask = edges.present
        present.append(mask if mask is None else mask[:, None, :, None] if edges.diagonal else mask[:, None])
    masked = list(scores)
    for i, mask in enumerate(present):
        if mask is not None:
            masked[i] = scores[i].masked_fill(~mask, -torch.inf)
    joined = torch.cat(masked, -1) if len(masked) > 1 else masked[0]
    if all(mask is not None for mask in present) and len(scores) == len(incoming):
        alone = torch.isneginf(joined).all(-1, keepdim=True)
        shares = torch.softmax(joined.masked_fill(alone, 0.0), -1).masked_fill(alone, 0.0)
    else:
        shares = torch.softmax(joined, -1)
    return list(torch.split(shares, [part.shape[-1] for part in masked], -1))


def gather_nodes(
    share: Float[Tensor, "networks heads targets _"],
    values: Float[Tensor, "networks heads sources width"],
    diagonal: bool,
) -> Float[Tensor, "networks heads targets width"]:
    """The sum over a node's edges of the share of each times the values of the node at its other end."""
    return share * values if diagonal else share @ values


def gather_edges(
    share: Float[Tensor, "networks heads targets _"], edges: Incoming
) -> Float[Tensor, "networks heads targets features"]:
    """The sum over a node's edges of the share of each times its features."""
    if edges.diagonal:
        return share * edges.features[:, None]
    if edges.features.shape[-1] == 1:
        return (share * edges.features[..., 0][:, None]).sum(-1, keepdim=True)
    return (share.transpose(1, 2) @ edges.features).transpose(1, 2)
