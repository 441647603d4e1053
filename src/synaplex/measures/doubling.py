"""Diagonals of e^A without cancellation, for weights that are not negative: from a short step, by doubling it."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

_TERMS = 8

_RANGE = 1300.0
"""How far below the largest logarithm others are known: the range of float64, squared, and some margin."""


def log_diagonal_by_doubling(matrix: Float[Tensor, "size size2"]) -> Float[Tensor, " size"]:
    """Logarithm of the diagonal of e^A, to full relative precision, for a symmetric A without negative entries.

    With E_h = e^(hA) - I and a short h from the Taylor series, E_2h = 2 E_h + E_h^2. Nothing is ever subtracted, so
    that small entries beside huge ones keep their digits, which no eigenvector of a dense solver does.

    Parameters
    ----------
    matrix
        A, float64.

    Returns
    -------
    Tensor
        Logarithms; NaN for those more than `_RANGE` below the largest (see Notes).

    Notes
    -----
    Cost: some 18 + log2(t) products of n x n matrices for a largest eigenvalue t, and ten such matrices in memory.
    The series is cut where it changes the result by less than 1e-16 of itself. Entries are kept as multiples of
    powers of two of their row and column, by which the diagonal lies near 1. A path to the core and back whose half
    falls below 1e-308 is lost; with all that it might have grown to, it changes a value by less than 1e-616 e^t.
    Source: Higham 2008, Functions of Matrices, chapters 10 and 12, for scaling and doubling.
    """
    step, doublings = _short(float(matrix.sum(-1).max()))
    small = step * matrix
    series = _series(small, [1 / math.factorial(k) for k in range(1, 2 * _TERMS + 1)])
    parts, scale = _doubled((small @ series)[None], doublings, once=2)
    values = _logarithms(parts[0].diagonal(), 2 * scale)
    return _known(values, values.max())


def log_two_sides_by_doubling(
    matrix: Float[Tensor, "large small"], rows: Int[Tensor, " rows"]
) -> tuple[Float[Tensor, " rows"], Float[Tensor, " small"]]:
    """The same for a graph of two sides: of the given rows of its biadjacency B, and of all columns.

    With M = B^T B, C_h = cosh(h sqrt(M)) - I and F_h = C_h / M as series of powers of M, C_2h = 4 C_h + 2 C_h^2 and
    F_2h = 4 F_h + 2 F_h C_h; the columns' values are 1 + C_1, the rows' 1 + B F_1 B^T on the diagonal.

    Parameters
    ----------
    matrix
        B, float64, without negative entries; every row that is asked for has an edge.
    rows
        Rows that are wanted.

    Notes
    -----
    As in `log_diagonal_by_doubling`, with matrices of the small side's size, and twice as many products where rows
    are wanted.
    """
    squared = matrix.mT @ matrix
    step, doublings = _short(float(squared.sum(-1).max()) ** 0.5)
    squared *= step**2
    series = _series(squared, [1 / math.factorial(2 * k) for k in range(1, _TERMS + 1)])
    parts = (squared @ series)[None]
    if len(rows):
        parts = torch.stack([parts[0], step**2 * series])
    parts, scale = _doubled(parts, doublings, once=4)
    small = _logarithms(parts[0].diagonal(), 2 * scale)
    top = small.max()
    if not len(rows):
        return small[:0], _known(small, top)
    first = matrix[rows]
    level = (first.log2() + scale).amax(-1).round()
    first *= torch.exp2((scale - level[:, None]).clamp(max=1023))
    large = _logarithms(((first @ parts[1]) * first).sum(-1), 2 * level)
    return _known(large, top), _known(small, top)


def _short(bound: float) -> tuple[float, int]:
    """A step by which an eigenvalue of at most `bound` becomes at most 1/2, and how often to double it."""
    doublings = max(0, math.ceil(math.log2(bound)) + 1)
    return 2.0**-doublings, doublings


def _series(matrix: Tensor, coefficients: list[float]) -> Tensor:
    """The sum of coefficients[k] matrix^k."""
    total = torch.diag_embed(torch.full_like(matrix[0], coefficients[-1]))
    for coefficient in coefficients[-2::-1]:
        total = matrix @ total
        total.diagonal().add_(coefficient)
    return total


def _doubled(parts: Tensor, doublings: int, once: int) -> tuple[Tensor, Tensor]:
    """P -> once P + once/2 P parts[0] for each P of parts, over and over; entry i, j in units of 2^(scale_i + scale_j).

    By the scale I + parts[0] has a diagonal between 1/2 and 2 after each doubling; no entry off it is larger, since
    this matrix is positive definite.
    """
    scale = torch.zeros_like(parts[0, 0])
    for _ in range(doublings):
        level = torch.maximum((parts[0].log2() + scale).amax(-1), scale).round()
        reached = parts * torch.exp2((scale - level[:, None]).clamp(max=1023))
        product = reached @ reached[0].mT
        diagonal = once * parts[0].diagonal() * torch.exp2(-2 * level) + once / 2 * product[0].diagonal()
        rise = ((torch.exp2(-2 * (scale + level)) + diagonal).log2() / 2).round()
        before, after = torch.exp2(-level - rise), torch.exp2(-rise)
        parts = once * before[:, None] * parts * before + once / 2 * after[:, None] * product * after
        scale = scale + level + rise
    return parts, scale


def _logarithms(values: Tensor, exponents: Tensor) -> Tensor:
    """The logarithms of 1 + values 2^exponents."""
    return torch.logaddexp(torch.zeros_like(values), values.log() + math.log(2) * exponents)


def _known(values: Tensor, top: Tensor) -> Tensor:
    return values.masked_fill(top - values > _RANGE, torch.nan)
