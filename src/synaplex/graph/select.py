"""Select links: each target neuron repeats one source neuron, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink
from synaplex.graph.taps import take
from synaplex.graph.transposed import TransposedLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SelectLink(Link):
    """Neurons put in another place: permutations, slices, flips, repeats, pieces of a concatenation, padding.

    Attributes
    ----------
    index
        The source neuron of each target neuron, -1 for none.
    size
        Number of source neurons.
    scale
        ``(*networks,)``: the weight that every edge carries.
    """

    index: Int[Tensor, " target"]
    size: int
    scale: Float[Tensor, "*networks"]

    def __post_init__(self) -> None:
        if len(self.index) and not -1 <= int(self.index.min()) <= int(self.index.max()) < self.size:
            raise InvalidGraphError(f"{self.name!r} selects neurons outside of 0 to {self.size - 1}")

    @property
    def in_size(self) -> int:
        return self.size

    @property
    def out_size(self) -> int:
        return len(self.index)

    @property
    def networks(self) -> int | None:
        return self.scale.shape[0] if self.scale.ndim == 1 else None

    @property
    def weights(self) -> Tensor:
        return self.scale[..., None]

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return (self.index >= 0).sum()[None].to(self.scale.device)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return self.scale.to(x.dtype)[..., None] * take(x, -1, self.index)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        target, source = self._edges
        scaled = self.scale.to(y.dtype)[..., None] * y
        return scaled.new_zeros(*scaled.shape[:-1], self.size).index_add(-1, source, scaled[..., target])

    @property
    def _edges(self) -> tuple[Tensor, Tensor]:
        target = (self.index >= 0).nonzero()[:, 0]
        return target.to(self.scale.device), self.index[target].to(self.scale.device)

    def map(self, function: Elementwise) -> SelectLink:
        return replace(self, scale=function(self.scale))

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_sparse().to_dense()

    def to_sparse(self) -> SparseLink:
        target, source = self._edges
        networks = self.networks or 1
        weight = self.scale.reshape(-1, 1).expand(networks, len(target))
        network, edge = weight.nonzero(as_tuple=True)
        return SparseLink.from_edges(
            target[edge],
            source[edge],
            weight[network, edge],
            (self.out_size, self.in_size),
            network=None if self.networks is None else network,
            networks=self.networks,
            source=self.source,
            target=self.target,
            name=self.name,
        )

    def transpose(self) -> Link:
        return TransposedLink.of(self)

    def network(self, index: int) -> SelectLink:
        return replace(self, scale=self.scale[index])

    def subset(self, start: int, stop: int) -> SelectLink:
        return replace(self, scale=self.scale[start:stop])


def select_link(
    index: Int[Tensor, " target"],
    size: int,
    *,
    scale: float = 1.0,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> SelectLink:
    """A `SelectLink` whose edges all carry `scale`.

    Examples
    --------
    >>> select_link(torch.tensor([2, -1, 0]), 3).forward(torch.tensor([1.0, 2.0, 3.0])).tolist()
    [3.0, 0.0, 1.0]
    """
    weight = torch.full(() if networks is None else (networks,), scale, dtype=torch.float64, device=index.device)
    return SelectLink(source=source, target=target, name=name, index=index, size=size, scale=weight)
