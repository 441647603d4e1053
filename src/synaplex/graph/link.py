"""The Link: a linear operator with weights that joins two layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from synaplex.graph.sparse import SparseLink

Elementwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False, kw_only=True)
class Link(ABC):
    """Edges from every neuron of one layer to neurons of another, as a linear operator.

    A link is never a list of edges. It answers products with its matrix W (rows are the target's
    neurons, columns the source's), and `map` gives the same structure with every weight changed, which is all
    that strength-like, Laplacian and spectral measures need. Weights may carry a leading axis of networks.

    Attributes
    ----------
    source, target
        Indices of the layers joined, into ``NeuralGraph.layers``.
    name
        The parameter the weights come from.
    """

    source: int
    target: int
    name: str = ""

    @property
    @abstractmethod
    def in_size(self) -> int:
        """Number of source neurons."""

    @property
    @abstractmethod
    def out_size(self) -> int:
        """Number of target neurons."""

    @property
    @abstractmethod
    def networks(self) -> int | None:
        """Length of the axis of networks, or None for a single network."""

    @property
    @abstractmethod
    def weights(self) -> Tensor:
        """The distinct weights, ``(*networks, count)``; in a sparse batch those of all networks in a row."""

    @property
    @abstractmethod
    def multiplicity(self) -> Int[Tensor, " count"]:
        """How many edges carry each of `weights`."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        """W x, for x over the source's neurons."""

    @abstractmethod
    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        """W^T y, for y over the target's neurons."""

    @abstractmethod
    def map(self, function: Elementwise) -> Link:
        """The same structure with every weight w replaced by ``function(w)``, where ``function(0) = 0``."""

    def drop_below(self, threshold: Float[Tensor, "*networks"]) -> Link:
        """The link without edges of |w| below a threshold, one for each network."""

        def cut(weight: Tensor) -> Tensor:
            return weight * (weight.abs() >= threshold.view([*threshold.shape, *[1] * (weight.ndim - threshold.ndim)]))

        return self.map(cut)

    def entries(self, row: Int[Tensor, " pairs"], column: Int[Tensor, " pairs"]) -> Float[Tensor, "*networks pairs"]:
        """The weights between target neurons `row` and source neurons `column`, 0 where there is no edge."""
        return self.to_sparse().entries(row, column)

    @abstractmethod
    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        """The matrix W; for small links only."""

    @abstractmethod
    def to_sparse(self) -> SparseLink:
        """The edges themselves in compressed rows; an exact zero is no edge."""

    @abstractmethod
    def transpose(self) -> Link:
        """The link from target to source with matrix W^T."""

    @abstractmethod
    def network(self, index: int) -> Link:
        """The link of one network of the batch."""

    @abstractmethod
    def subset(self, start: int, stop: int) -> Link:
        """The links of networks `start` to `stop` (exclusive) of the batch, as a batch."""

    @property
    def stored(self) -> int:
        """How many numbers hold the weights in memory."""
        return self.weights.numel()

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.weights.device

    @property
    def dtype(self) -> torch.dtype:
        """How the weights are stored."""
        return self.weights.dtype

    def to(self, dtype: torch.dtype) -> Link:
        """The same link with weights of another precision."""
        return self if self.dtype == dtype else self.map(lambda weight: weight.to(dtype))

    def between(self, source: int, target: int) -> Self:
        """The same operator between other layers."""
        return replace(self, source=source, target=target)

    @property
    def edge_count(self) -> int:
        """Number of edges (weights other than exact zeros), summed over the batch."""
        return int(((self.weights != 0) * self.multiplicity).sum())

    def __repr__(self) -> str:
        batch = "" if self.networks is None else f"{self.networks} networks, "
        label = f" {self.name!r}" if self.name else ""
        return f"{type(self).__name__}({batch}{self.in_size} -> {self.out_size}{label})"
