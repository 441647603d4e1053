"""How far the weights of two links lie apart: in all, and at each neuron."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.graph import DenseLink
from synaplex.graph.link import Link

_BLOCK = 4_000_000
"""Weights of a dense link that are compared at a time."""


@dataclass(frozen=True)
class Products:
    """Sums over the weights of each neuron on one side of two links.

    Attributes
    ----------
    aa, bb, ab
        Of a^2, b^2 and a b, ``(neurons,)``.
    gap
        Of (b - a)^2, which aa - 2 ab + bb would give with few correct digits where a and b are close.
    """

    aa: Float[Tensor, " neurons"]
    bb: Float[Tensor, " neurons"]
    ab: Float[Tensor, " neurons"]
    gap: Float[Tensor, " neurons"]

    @property
    def norm_a(self) -> float:
        """The Frobenius norm of a."""
        return float(self.aa.sum().sqrt())

    @property
    def norm_b(self) -> float:
        """The Frobenius norm of b."""
        return float(self.bb.sum().sqrt())

    @property
    def whole(self) -> dict[str, float | None]:
        """Distance, relative distance and cosine of all weights taken together."""
        summed = Products(*(part.sum()[None] for part in (self.aa, self.bb, self.ab, self.gap)))
        return dict(zip(("distance", "relative_distance", "cosine"), summed.frame("").row(0), strict=True))

    def frame(self, direction: str) -> pl.DataFrame:
        """Columns ``DIRECTION_distance``, ``_relative`` and ``_cosine``; null where a norm is zero."""
        distance, norm_a, norm_b = self.gap.sqrt(), self.aa.sqrt(), self.bb.sqrt()
        identical = self.gap == 0
        cosine = torch.where(identical, 1.0, (self.ab / (norm_a * norm_b)).clamp(-1, 1))
        has_a, has_both = norm_a > 0, (norm_a > 0) & (norm_b > 0)
        has_either = (norm_a > 0) | (norm_b > 0)
        return pl.DataFrame(
            {
                f"{direction}_distance": _column(distance, has_either),
                f"{direction}_relative": _column(distance / norm_a, has_a),
                f"{direction}_cosine": _column(cosine, has_both),
            }
        )


@dataclass(frozen=True)
class Difference:
    """How two links of the same two layers differ.

    Attributes
    ----------
    rows, columns
        Sums at each target and at each source neuron.
    edges_a, edges_b
        Edges of either.
    gained, lost
        Edges of b alone, and of a alone.
    changed
        Edges of either whose weight differs.
    sign_flips
        Edges of both whose weights differ in sign.
    """

    rows: Products
    columns: Products
    edges_a: int
    edges_b: int
    gained: int
    lost: int
    changed: int
    sign_flips: int


def difference(a: Link, b: Link) -> Difference:
    """Compare two links, weight by weight; an edge that one of them lacks counts as zero there.

    Cost: a pass over the weights, in blocks, so that memory stays bounded for dense links.
    """
    shape = (a.out_size, a.in_size)
    rows = [torch.zeros(shape[0], dtype=torch.float64, device=a.device) for _ in range(4)]
    columns = [torch.zeros(shape[1], dtype=torch.float64, device=a.device) for _ in range(4)]
    counts = torch.zeros(6, dtype=torch.long, device=a.device)
    for first, second, row, column in _weights(a, b):
        for place, value in enumerate((first * first, second * second, first * second, (second - first) ** 2)):
            rows[place].index_add_(0, row, value)
            columns[place].index_add_(0, column, value)
        tests = (
            first != 0,
            second != 0,
            (first == 0) & (second != 0),
            (first != 0) & (second == 0),
            first != second,
            first.sign() * second.sign() < 0,
        )
        counts += torch.stack([test.sum() for test in tests])
    return Difference(Products(*rows), Products(*columns), *map(int, counts))


def total(parts: Sequence[Products], size: int) -> Products:
    """Several links at the same neurons taken together."""
    none = torch.zeros(size, dtype=torch.float64)
    sums = (sum((getattr(part, name).cpu() for part in parts), none) for name in ("aa", "bb", "ab", "gap"))
    return Products(*sums)


def _weights(a: Link, b: Link) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Weights of both in float64, block by block, each with its row and its column."""
    if isinstance(a, DenseLink) and isinstance(b, DenseLink):
        height = max(1, _BLOCK // max(a.in_size, 1))
        for start in range(0, a.out_size, height):
            first, second = (link.weight.detach()[start : start + height].to(a.device).double() for link in (a, b))
            row = torch.arange(start, start + len(first), device=a.device)
            column = torch.arange(a.in_size, device=a.device)
            yield first.flatten(), second.flatten(), row.repeat_interleave(a.in_size), column.repeat(len(first))
        return
    sides = [link.to_sparse() for link in (a, b)]
    places = [(link.row * a.in_size + link.column).to(a.device) for link in sides]
    place, where = torch.unique(torch.cat(places), return_inverse=True)
    values = torch.zeros(2, len(place), dtype=torch.float64, device=a.device)
    for value, link, at in zip(values, sides, where.split([len(each) for each in places]), strict=True):
        value[at] = link.weight.detach().to(a.device).double()
    width = max(a.in_size, 1)
    yield values[0], values[1], place // width, place % width


def _column(values: Tensor, known: Tensor) -> pl.Series:
    return pl.Series([v if k else None for v, k in zip(values.tolist(), known.tolist(), strict=True)], dtype=pl.Float64)
