"""Diagonal entries of e^A by Lanczos quadrature: two-sided bounds from a few dozen products."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph import Adjacency
from synaplex.measures.extremes import largest_eigenvalue, random_start

STEPS = 300
"""Products for each neuron after which the quadrature gives up."""

_VALUES = 4_000_000
_DIGITS = 16 * torch.finfo(torch.float64).eps


def log_diagonal_exponential(
    view: Adjacency, chosen: Int[Tensor, " chosen"], tolerance: float
) -> tuple[Float[Tensor, " chosen"], Float[Tensor, " chosen"], int]:
    """Logarithms of (e^A)_ii for some neurons of one network, and how far they may be off.

    From neuron i, k steps of Lanczos' method give a tridiagonal matrix T. The Gauss rule (e^T)_11 lies below the
    truth, and the Gauss-Radau rule with a node at or beyond the largest eigenvalue of A above it; the value is halfway.

    Parameters
    ----------
    view
        Of a single network.
    chosen
        Neurons.
    tolerance
        Half the distance of the two rules, in logarithms, at which a neuron is done.

    Returns
    -------
    tuple
        Logarithms, error bounds (beyond the tolerance where `STEPS` were not enough), and the number of steps.

    Notes
    -----
    Cost: one product with A for each neuron and step, some 10 to 60 steps. Memory: four blocks of 32 MB, besides A.
    Source: Golub & Meurant 1994, Matrices, moments and quadrature; Benzi & Boito 2010 for the subgraph centrality.
    """
    ceiling = _ceiling(view)
    values, errors = (torch.empty(len(chosen), dtype=torch.float64, device=view.device) for _ in range(2))
    steps = 0
    for part in torch.split(torch.arange(len(chosen), device=view.device), max(1, _VALUES // max(view.neurons, 1))):
        values[part], errors[part], taken = _of_some(view, chosen[part], ceiling, tolerance)
        steps = max(steps, taken)
    return values, errors, steps


def _ceiling(view: Adjacency) -> float:
    """An upper bound of the largest eigenvalue of A: the largest summed |weight| of a neuron, or a closer one."""
    if not view.neurons:
        return 0.0
    norm = float(view.map(torch.abs).strength.amax())
    top = largest_eigenvalue(
        lambda x: torch.add(view.product(x), x, alpha=norm),
        random_start(view.neurons, view.device),
        lambda value, bound, _: bound - value <= 0.05 * norm,
    )
    return min(norm, top.bound - norm) + 1e-12 * norm


def _of_some(view: Adjacency, chosen: Tensor, ceiling: float, tolerance: float) -> tuple[Tensor, Tensor, int]:
    """The neurons of one block, those that are done leaving it."""
    count = len(chosen)
    values, errors = torch.full((2, count), torch.inf, dtype=torch.float64, device=chosen.device)
    active = torch.arange(count, device=chosen.device)
    vector = torch.zeros(count, view.neurons, dtype=torch.float64, device=chosen.device)
    vector[active, chosen] = 1
    before = torch.zeros_like(vector)
    diagonal, beside = (torch.empty(count, 0, dtype=torch.float64, device=chosen.device) for _ in range(2))
    step, check = 0, 3
    while len(active) and step < STEPS:
        step += 1
        image = view.product(vector)
        along = (image * vector).sum(-1)
        image.addcmul_(vector, along[:, None], value=-1)
        if step > 1:
            image.addcmul_(before, beside[:, -1:], value=-1)
        length = image.norm(dim=-1)
        length = torch.where(length > _DIGITS * max(ceiling, 1e-300), length, 0)
        diagonal, beside = (torch.cat([held, new[:, None]], -1) for held, new in ((diagonal, along), (beside, length)))
        before, vector = vector, image / torch.where(length > 0, length, 1)[:, None]
        vector *= (length > 0)[:, None]
        if step < min(check, STEPS) and bool((length > 0).all()):
            continue
        check = step + max(2, step // 4)
        low, high, rounding = _rules(diagonal, beside, ceiling)
        values[active] = (low + high) / 2
        errors[active] = (high - low).abs() / 2 + rounding
        left = errors[active] > tolerance
        left &= length > 0  # an invariant subspace: the rule is exact, and no step changes it
        if not bool(left.all()):
            active, vector, before = active[left], vector[left], before[left]
            diagonal, beside = diagonal[left], beside[left]
    return values, errors, step


def _rules(diagonal: Tensor, beside: Tensor, ceiling: float) -> tuple[Tensor, Tensor, Tensor]:
    """Logarithms of the Gauss and of the Gauss-Radau rule, and what rounding may add to them."""
    low, rounding = _log_rule(diagonal, beside[:, :-1])
    pivot = diagonal[:, 0] - ceiling
    for k in range(1, diagonal.shape[1]):
        pivot = diagonal[:, k] - ceiling - beside[:, k - 1] ** 2 / pivot
    last = ceiling + beside[:, -1] ** 2 / torch.where(pivot < 0, pivot, -torch.inf)
    high, more = _log_rule(torch.cat([diagonal, last[:, None]], -1), beside)
    high = torch.where(pivot < 0, high, torch.inf)
    return low, torch.where(beside[:, -1] > 0, high, low), torch.maximum(rounding, more)


def _log_rule(diagonal: Tensor, beside: Tensor) -> tuple[Tensor, Tensor]:
    """The logarithm of (e^T)_11 for tridiagonal matrices, and its rounding error."""
    matrix = torch.diag_embed(diagonal)
    matrix += torch.diag_embed(beside, 1) + torch.diag_embed(beside, -1)
    nodes, vectors = torch.linalg.eigh(matrix)
    size = vectors[:, 0].abs()
    value = torch.logsumexp(nodes + 2 * size.log(), -1)
    # A component of size u is known to within the last digits of 1, a node to within those of the largest.
    loose = torch.logsumexp(nodes + (2 * size * _DIGITS + _DIGITS**2).log(), -1)
    return value, (loose - value).exp() + _DIGITS * nodes.abs().amax(-1)
