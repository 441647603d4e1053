"""Attention: what is in the weights, and what the data add.

Without data, attention is its projections: dense links from the features to queries, keys and values, and from the
values of all heads to the output. With grouped queries, the heads of a group read the same values: a `SelectLink` by
`repeated_heads`. Queries and keys meet in the attention weights alone, which depend on the data, so that in the
data-free graph nothing leaves them. With data, an attention map is a link from token to token: `AttentionLink`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class AttentionLink(Link):
    """Tokens that read tokens: within each head, feature j of token t gets a[t, s] of feature j of token s.

    The source has shape ``(sources, heads, head_size)``, the target ``(targets, heads, head_size)``.

    Attributes
    ----------
    attention
        ``(*networks, heads, targets, sources)``: the attention of each head, after the softmax.
    head_size
        Features of each head; 1 gives one neuron a token and head.
    """

    attention: Float[Tensor, "*networks heads targets sources"]
    head_size: int = 1

    @property
    def heads(self) -> int:
        """Number of heads."""
        return self.attention.shape[-3]

    @property
    def in_size(self) -> int:
        return self.attention.shape[-1] * self.heads * self.head_size

    @property
    def out_size(self) -> int:
        return self.attention.shape[-2] * self.heads * self.head_size

    @property
    def networks(self) -> int | None:
        return self.attention.shape[0] if self.attention.ndim == 4 else None

    @property
    def weights(self) -> Tensor:
        return self.attention.flatten(-3)

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        count = self.attention.shape[-3:].numel()
        return torch.full((count,), self.head_size, device=self.attention.device)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return self._read(self.attention, x)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return self._read(self.attention.mT, y)

    def _read(self, attention: Tensor, x: Tensor) -> Tensor:
        tokens = x.reshape(*x.shape[:-1], -1, self.heads, self.head_size).transpose(-3, -2)
        return (attention.to(x.dtype) @ tokens).transpose(-3, -2).flatten(-3)

    def map(self, function: Elementwise) -> AttentionLink:
        return replace(self, attention=function(self.attention))

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_sparse().to_dense()

    def to_sparse(self) -> SparseLink:
        attention = self.attention if self.networks is not None else self.attention[None]
        network, head, target, source = (part[:, None] for part in attention.nonzero(as_tuple=True))
        feature = torch.arange(self.head_size, device=attention.device)
        weight = attention[network, head, target, source].expand(-1, self.head_size)
        return SparseLink.from_edges(
            ((target * self.heads + head) * self.head_size + feature).flatten(),
            ((source * self.heads + head) * self.head_size + feature).flatten(),
            weight.flatten(),
            (self.out_size, self.in_size),
            network=None if self.networks is None else network.expand(weight.shape).flatten(),
            networks=self.networks,
            source=self.source,
            target=self.target,
            name=self.name,
        )

    def transpose(self) -> AttentionLink:
        return replace(self, source=self.target, target=self.source, attention=self.attention.mT)

    def network(self, index: int) -> AttentionLink:
        return replace(self, attention=self.attention[index])

    def subset(self, start: int, stop: int) -> AttentionLink:
        return replace(self, attention=self.attention[start:stop])


def split_projections(fused: Float[Tensor, ...], sizes: Sequence[int]) -> tuple[Tensor, ...]:
    """The weights (or biases) of queries, keys and values in a fused parameter, as views of its rows.

    Parameters
    ----------
    fused
        ``(sum of sizes, *rest)``.
    sizes
        Rows of each projection, such as ``(embedding, embedding, embedding)``; keys and values have fewer where queries
        are grouped.

    Raises
    ------
    InvalidGraphError
        If the sizes do not add up to the rows.
    """
    if fused.shape[0] != sum(sizes):
        raise InvalidGraphError(
            f"projections of {tuple(sizes)} rows do not fit a fused parameter of shape {tuple(fused.shape)}"
        )
    return torch.split(fused, list(sizes))


def repeated_heads(heads: int, value_heads: int, head_size: int) -> Int[Tensor, " features"]:
    """For a `SelectLink`: the value feature that each feature of each head reads where queries are grouped.

    Examples
    --------
    >>> repeated_heads(4, 2, 1).tolist()
    [0, 0, 1, 1]
    """
    if value_heads < 1 or heads % value_heads:
        raise SpecificationError(f"{heads} heads cannot share {value_heads} value heads evenly")
    head = torch.arange(heads) // (heads // value_heads)
    return (head[:, None] * head_size + torch.arange(head_size)).flatten()
