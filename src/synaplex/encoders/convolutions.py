"""Graph convolutions with attention, computed block by block: what PyTorch Geometric computes edge by edge.

Both name their parameters as PyTorch Geometric's `TransformerConv` and `GATConv` do; ours lack `lin_key.bias` alone.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from synaplex.encoders.messages import Incoming, MessageGraph, gather_edges, gather_nodes, joint_softmax
from synaplex.encoders.parameters import Affine, glorot

Heads = Float[Tensor, "networks heads nodes width"]


class Convolution(nn.Module):
    """A layer that gives each node new features from those of the nodes it has edges with.

    Attributes
    ----------
    heads, width
        How many attentions run side by side, and how many features each gives.
    """

    heads: int
    width: int

    @abstractmethod
    def forward(
        self, x: Float[Tensor, "networks nodes into"], graph: MessageGraph
    ) -> Float[Tensor, "networks nodes out"]:
        """The new features, heads one after the other."""

    def _split(self, x: Float[Tensor, "networks nodes out"]) -> Heads:
        return x.reshape(*x.shape[:-1], self.heads, self.width).transpose(1, 2)


class TransformerConv(Convolution):
    """Attention by queries and keys: x'_j = W_skip x_j + sum_i alpha_ij (W_value x_i + W_edge e_ij).

    alpha_ij is the softmax over i of (W_query x_j) · (W_key x_i + W_edge e_ij) / sqrt(width). Keys have no bias, which
    would add the same to all scores of a node and so change nothing. Edges are met by
    (W_edge^T W_query x_j) · e_ij, so that nothing of the size edges x width is ever formed.

    Parameters
    ----------
    into, width, heads
        Features of a node before, and after for each head.
    edges
        Length of e_ij; None leaves the edge terms out.
    generator
        What the initial parameters are drawn from.

    Notes
    -----
    Source: Shi et al. (2020). Cost: heads x (node width + edge features) operations an edge.
    """

    def __init__(
        self, into: int, width: int, *, heads: int = 1, edges: int | None = None, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.lin_key = Affine(into, heads * width, bias=False, generator=generator)
        self.lin_query = Affine(into, heads * width, generator=generator)
        self.lin_value = Affine(into, heads * width, generator=generator)
        self.lin_edge = None if edges is None else Affine(edges, heads * width, bias=False, generator=generator)
        self.lin_skip = Affine(into, heads * width, generator=generator)

    def forward(
        self, x: Float[Tensor, "networks nodes into"], graph: MessageGraph
    ) -> Float[Tensor, "networks nodes out"]:
        query = self._split(self.lin_query(x)) / math.sqrt(self.width)
        key, value = self._split(self.lin_key(x)), self._split(self.lin_value(x))
        at_edges = None if self.lin_edge is None else self.lin_edge.weight.view(self.heads, self.width, -1)
        on_edges = None if at_edges is None else query @ at_edges
        parts = []
        for place, incoming in zip(graph.places, graph.incoming, strict=True):
            total = torch.zeros_like(query[:, :, place])
            scores = []
            for edges in incoming:
                other = key[:, :, graph.places[edges.source]]
                mine = query[:, :, place]
                score = (mine * other).sum(-1, keepdim=True) if edges.diagonal else mine @ other.mT
                if on_edges is not None:
                    score = score + _edge_scores(on_edges[:, :, place], edges)
                scores.append(score)
            for share, edges in zip(joint_softmax(scores, incoming) if scores else (), incoming, strict=True):
                total = total + gather_nodes(share, value[:, :, graph.places[edges.source]], edges.diagonal)
                if at_edges is not None:
                    total = total + gather_edges(share, edges) @ at_edges.mT
            parts.append(total.transpose(1, 2).flatten(-2))
        skipped: Tensor = self.lin_skip(x)
        return skipped + torch.cat(parts, 1)


class GATConv(Convolution):
    """Attention by sums: x'_j = b + sum_i alpha_ij W x_i, over the edges at j and a self-loop.

    alpha_ij is the softmax over i of LeakyReLU(a_source · W x_i + a_target · W x_j + a_edge · W_edge e_ij); the
    self-loop carries the mean of the features of the edges at j.

    Parameters
    ----------
    into, width, heads, edges, generator
        As those of `TransformerConv`.

    Notes
    -----
    Source: Velickovic et al. (2017). Cost: heads x (node width + edge features) operations an edge.
    """

    def __init__(
        self, into: int, width: int, *, heads: int = 1, edges: int | None = None, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.att_src = glorot(1, heads, width, generator=generator)
        self.att_dst = glorot(1, heads, width, generator=generator)
        self.att_edge = None if edges is None else glorot(1, heads, width, generator=generator)
        self.bias = nn.Parameter(torch.zeros(heads * width))
        self.lin = Affine(into, heads * width, bias=False, generator=generator)
        self.lin_edge = None if edges is None else Affine(edges, heads * width, bias=False, generator=generator)

    def forward(
        self, x: Float[Tensor, "networks nodes into"], graph: MessageGraph
    ) -> Float[Tensor, "networks nodes out"]:
        value = self._split(self.lin(x))
        of_source, of_target = value @ self.att_src[0][:, :, None], value @ self.att_dst[0][:, :, None]
        on_edges = None
        if self.lin_edge is not None and self.att_edge is not None:
            weight = self.lin_edge.weight.view(self.heads, self.width, -1)
            on_edges = (self.att_edge[0][:, None] @ weight)[None]
        parts = []
        for place, incoming in zip(graph.places, graph.incoming, strict=True):
            mine = of_target[:, :, place]
            scores = []
            for edges in incoming:
                other = of_source[:, :, graph.places[edges.source]]
                score = mine + (other if edges.diagonal else other.mT)
                scores.append(score if on_edges is None else score + _edge_scores(on_edges, edges))
            itself = mine + of_source[:, :, place]
            if on_edges is not None and incoming:
                itself = itself + (on_edges * _mean_features(incoming)[:, None]).sum(-1, keepdim=True)
            shares = joint_softmax([leaky_relu(score, 0.2) for score in (*scores, itself)], incoming)
            total = shares[-1] * value[:, :, place]
            for share, edges in zip(shares[:-1], incoming, strict=True):
                total = total + gather_nodes(share, value[:, :, graph.places[edges.source]], edges.diagonal)
            parts.append(total.transpose(1, 2).flatten(-2))
        return self.bias + torch.cat(parts, 1)


def _edge_scores(
    vectors: Float[Tensor, "_ heads #targets features"], edges: Incoming
) -> Float[Tensor, "networks heads targets _"]:
    """The product of each edge's features with the vector of its target node (or of all nodes) for each head."""
    if edges.diagonal:
        return (vectors * edges.features[:, None]).sum(-1, keepdim=True)
    if edges.features.shape[-1] == 1:
        return vectors * edges.features[..., 0][:, None]
    if vectors.shape[-2] == 1:
        return (edges.features @ vectors[:, :, 0].mT[:, None]).movedim(-1, 1)
    return (edges.features @ vectors.permute(0, 2, 3, 1)).movedim(-1, 1)


def _mean_features(incoming: tuple[Incoming, ...]) -> Float[Tensor, "networks targets features"]:
    """The mean of the features of the edges at each node, 0 for a node without edges."""
    total: Tensor | float = 0.0
    count: Tensor | float = 0.0
    for edges in incoming:
        features = edges.features if edges.diagonal else edges.features.sum(2)
        total = total + features
        if edges.present is None:
            count = count + (1.0 if edges.diagonal else float(edges.features.shape[2]))
        else:
            count = count + (edges.present.double() if edges.diagonal else edges.present.sum(2).double())[..., None]
    if isinstance(count, float):
        return torch.as_tensor(total) / max(count, 1.0)
    return torch.as_tensor(total) / count.clamp(min=1.0).to(torch.as_tensor(total))
