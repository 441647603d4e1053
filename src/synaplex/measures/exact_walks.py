"""Subgraph centrality by dense algebra, and how far rounding may have moved it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.graph import Adjacency
from synaplex.measures.doubling import log_diagonal_by_doubling, log_two_sides_by_doubling

_DIGITS = 16 * torch.finfo(torch.float64).eps
"""How far an entry of an eigenvector of length 1 may be off; at most twice its last digit is usual."""

_CLOSE = 1e-9
"""Share of a value that rounding may move before it is computed once more, without cancellation."""


def log_subgraph(
    view: Adjacency, chosen: Int[Tensor, " chosen"]
) -> tuple[Float[Tensor, "*networks chosen"], Float[Tensor, "*networks chosen"]]:
    """Logarithms of (e^A)_ii for some neurons of each network, and what share of the value rounding may have moved.

    By eigenvectors. Far from the dense core of a deep network a neuron's entries of the leading ones fall below their
    rounding, and e^t for the core's eigenvalue t makes any number of that. Such neurons are done again by doubling
    where no weight is negative; where one is, the second result says how bad it is.

    Parameters
    ----------
    view
        Of one network or a batch, small enough for dense algebra.
    chosen
        Neurons.

    Notes
    -----
    An entry v of a normalised eigenvector is off by some last digits d of 1, so that the sum of v^2 e^t is off by that
    of (2 |v| d + d^2) e^t at most; by Cauchy and Schwarz that is 2 r + r^2 times the value for r^2 = d^2 times the sum
    of e^t over the value.
    """
    values, rounding = _by_eigenvectors(view, chosen)
    loose = torch.zeros_like(values, dtype=torch.bool)
    loose[..., chosen] = ~(rounding[..., chosen] <= _CLOSE)
    if bool(loose.any()):
        if view.networks is None:
            _repair(view, values, rounding, loose)
        else:
            for k in loose.any(-1).nonzero()[:, 0].tolist():
                _repair(view.network(k), values[k], rounding[k], loose[k])
    return values[..., chosen], rounding[..., chosen]


def _by_eigenvectors(view: Adjacency, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms and rounding of all neurons; those not chosen may be left at zero."""
    values = torch.zeros(2, *view.batch_shape, view.neurons, dtype=torch.float64, device=view.device)
    whole = view.connected
    if bool(whole.any()):
        _of_connected(view, chosen, values)
    if view.networks is None:
        if not bool(whole):
            _of_pieces(view, values)
    else:
        for k in (~whole).nonzero()[:, 0].tolist():
            _of_pieces(view.network(k), values[:, k])
    return values[0], values[1]


def _of_connected(view: Adjacency, chosen: Tensor, values: Tensor) -> None:
    """Fill in the values of networks in one piece."""
    sides = view.sides
    if sides is None:
        values.copy_(_log_diagonal_exponential(view.dense))
        return
    wanted = torch.zeros(view.neurons, dtype=torch.bool, device=view.device)
    wanted[chosen] = True
    rows = wanted[sides.large_index].nonzero()[:, 0]
    large, small = _log_two_sides(view.biadjacency, rows)
    values[..., sides.large_index[rows]] = large
    values[..., sides.small_index] = small


def _of_pieces(view: Adjacency, values: Tensor) -> None:
    """Fill in the values component by component, for one network that falls apart."""
    sizes = torch.bincount(view.components)
    values.zero_()
    if view.sides is None:
        values[0] += torch.where(sizes[view.components] == 1, view.dense.diagonal(), 0.0)
    for piece in (sizes > 1).nonzero()[:, 0]:
        matrix, first, second = _block(view, view.components == piece)
        if second is None:
            values[:, first] = _log_diagonal_exponential(matrix)
        else:
            rows = torch.arange(len(first), device=view.device)
            values[:, first], values[:, second] = _log_two_sides(matrix, rows)


def _repair(view: Adjacency, values: Tensor, rounding: Tensor, loose: Bool[Tensor, " neurons"]) -> None:
    """Compute the neurons in the mask once more, in components without negative weights."""
    for piece in torch.unique(view.components[loose]):
        matrix, first, second = _block(view, view.components == piece)
        if bool((matrix < 0).any()):
            continue
        rows = loose[first].nonzero()[:, 0]
        if second is None:
            found, index = log_diagonal_by_doubling(matrix)[rows], first[rows]
        else:
            found, index = torch.cat(log_two_sides_by_doubling(matrix, rows)), torch.cat([first[rows], second])
        better = loose[index] & ~found.isnan()
        values[index[better]] = found[better]
        rounding[index[better]] = 0


def _block(view: Adjacency, inside: Bool[Tensor, " neurons"]) -> tuple[Tensor, Tensor, Tensor | None]:
    """The matrix of one component, and the neurons of its rows and, where it has two sides, of its columns."""
    sides = view.sides
    if sides is None:
        index = inside.nonzero()[:, 0]
        return view.dense[index][:, index], index, None
    rows, columns = inside[sides.large_index], inside[sides.small_index]
    matrix = view.biadjacency[rows][:, columns]
    first, second = sides.large_index[rows], sides.small_index[columns]
    return (matrix, first, second) if len(first) >= len(second) else (matrix.mT, second, first)


def _log_two_sides(matrix: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms and rounding of the given rows (large side) and of all columns (small side) of a biadjacency."""
    squared, vectors = torch.linalg.eigh(matrix.mT @ matrix)
    singular = squared.clamp_min(0).sqrt()
    top = singular[..., -1:]
    raised = 0.5 * ((singular - top).exp() + (-singular - top).exp())
    small = (vectors**2 @ raised[..., None])[..., 0]
    squares = singular**2
    half = 0.5 * ((singular - top) / 2).exp() * -torch.expm1(-singular)
    share = torch.where(squares > 1e-8, 2 * half**2 / squares.clamp_min(1e-8), 0.5 * (-top).exp() * (1 + squares / 12))
    projected = (matrix[..., rows, :] @ vectors) ** 2
    large = (-top).exp() + (projected @ share[..., None])[..., 0]
    return (
        _with_rounding(top, large, share.sum(-1, keepdim=True) * projected.sum(-1)),
        _with_rounding(top, small, raised.sum(-1, keepdim=True)),
    )


def _log_diagonal_exponential(matrix: Tensor) -> Float[Tensor, "2 *networks neurons"]:
    """Logarithm of the diagonal of e^A, and its rounding."""
    values, vectors = torch.linalg.eigh(matrix)
    top = values[..., -1:]
    raised = (values - top).exp()
    return _with_rounding(top, (vectors**2 @ raised[..., None])[..., 0], raised.sum(-1, keepdim=True))


def _with_rounding(top: Tensor, values: Tensor, total: Tensor) -> Float[Tensor, "2 *networks neurons"]:
    """Logarithms of values e^top, and the share of them that rounding may have moved; `total` as for entries of 1."""
    ratio = _DIGITS * (total / values).sqrt()
    return torch.stack([top + values.log(), 2 * ratio + ratio**2])
