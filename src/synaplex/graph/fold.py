"""Fold links: sums and means over axes, and copies along them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.select import SelectLink
from synaplex.graph.sparse import SparseLink
from synaplex.graph.transposed import TransposedLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FoldLink(Link):
    """Positions summed into one: a source of shape (outer, positions, inner), a target of shape (outer, inner).

    Attributes
    ----------
    outer, positions, inner
        Sizes of the source's axes.
    scale
        ``(*networks,)``: the weight that every edge carries, one over `positions` for a mean.
    """

    outer: int
    positions: int
    inner: int
    scale: Float[Tensor, "*networks"]

    @property
    def in_size(self) -> int:
        return self.outer * self.positions * self.inner

    @property
    def out_size(self) -> int:
        return self.outer * self.inner

    @property
    def networks(self) -> int | None:
        return self.scale.shape[0] if self.scale.ndim == 1 else None

    @property
    def weights(self) -> Tensor:
        return self.scale[..., None]

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return torch.tensor([self.in_size], device=self.scale.device)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        total = x.reshape(*x.shape[:-1], self.outer, self.positions, self.inner).sum(-2).flatten(-2)
        return self.scale.to(x.dtype)[..., None] * total

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        scaled = self.scale.to(y.dtype)[..., None] * y
        copies = scaled.reshape(*scaled.shape[:-1], self.outer, 1, self.inner)
        return copies.expand(*copies.shape[:-2], self.positions, self.inner).flatten(-3)

    def map(self, function: Elementwise) -> FoldLink:
        return replace(self, scale=function(self.scale))

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_sparse().to_dense()

    def to_sparse(self) -> SparseLink:
        where = torch.arange(self.out_size).view(self.outer, 1, self.inner)
        index = where.expand(self.outer, self.positions, self.inner).flatten()
        copies = SelectLink(
            source=self.target, target=self.source, name=self.name, index=index, size=self.out_size, scale=self.scale
        )
        return copies.to_sparse().transpose()

    def transpose(self) -> Link:
        return TransposedLink.of(self)

    def network(self, index: int) -> FoldLink:
        return replace(self, scale=self.scale[index])

    def subset(self, start: int, stop: int) -> FoldLink:
        return replace(self, scale=self.scale[start:stop])


def sum_link(
    shape: Sequence[int],
    axes: Sequence[int],
    *,
    scale: float = 1.0,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> FoldLink:
    """The sum over neighbouring axes of a layer of the given shape, times `scale`.

    Raises
    ------
    SpecificationError
        If the axes do not stand side by side.
    """
    chosen = sorted(axis % len(shape) for axis in axes)
    if not chosen or chosen != list(range(chosen[0], chosen[-1] + 1)):
        raise SpecificationError(f"axes {tuple(axes)} of {tuple(shape)} do not stand side by side")
    outer, inner = math.prod(shape[: chosen[0]]), math.prod(shape[chosen[-1] + 1 :])
    positions = math.prod(shape[chosen[0] : chosen[-1] + 1])
    weight = torch.full(() if networks is None else (networks,), scale, dtype=torch.float64)
    return FoldLink(
        source=source, target=target, name=name, outer=outer, positions=positions, inner=inner, scale=weight
    )


def mean_link(
    shape: Sequence[int],
    axes: Sequence[int],
    *,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> FoldLink:
    """The mean over neighbouring axes of a layer of the given shape: every edge carries one over the positions."""
    positions = math.prod(shape[axis] for axis in axes)
    return sum_link(shape, axes, scale=1 / positions, networks=networks, source=source, target=target, name=name)


def spread_link(
    shape: Sequence[int],
    axes: Sequence[int],
    *,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> Link:
    """Copies along neighbouring axes of a target of the given shape, by weight 1: a source without these axes."""
    return sum_link(shape, axes, networks=networks, source=target, target=source, name=name).transpose()
