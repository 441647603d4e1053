"""Diagonals of e^A for all neurons at once, where one eigenvector says nearly all of it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from synaplex.graph import Adjacency
from synaplex.measures.extremes import largest_eigenvalue, random_start

_DIGITS = 64 * torch.finfo(torch.float64).eps


def leading_part(
    view: Adjacency, inside: Bool[Tensor, " neurons"]
) -> tuple[Float[Tensor, " neurons"], Float[Tensor, " neurons"]]:
    """Logarithms of (e^A)_ii within one component, and how far they may be off; to be read inside it only.

    With the largest eigenvalue t, its eigenvector v and an upper bound b of all others, (e^A)_ii lies between
    v_i^2 e^t and v_i^2 e^t + (1 - v_i^2) e^b. In a dense network of hundreds of neurons the two agree to the last
    digit.

    Parameters
    ----------
    view
        Of a single network.
    inside
        The neurons of one component.

    Notes
    -----
    Cost: some 50 products, and a basis of at most 160 MB. What is not known of t and v, from the residual of the
    eigenvector and the gap to b, is part of the error. Source: Estrada & Rodriguez-Velazquez 2005 for the measure;
    Parlett 1998, section 11.7, for the bounds.
    """
    keep = inside.to(torch.float64)
    norm = float(view.map(torch.abs).strength[inside].max())
    if norm == 0:
        return torch.zeros_like(keep), torch.zeros_like(keep)

    def shifted(x: Tensor) -> Tensor:  # positive semidefinite
        return torch.add(view.product(x), x, alpha=norm)

    start = random_start(len(keep), keep.device) * keep
    top = largest_eigenvalue(shifted, start, lambda value, _, residual: residual <= 1e-13 * value, vector=True)
    vector = top.vector
    assert vector is not None
    image = view.product(vector)
    value = float(image @ vector)
    residual = float((image - value * vector).norm()) + _DIGITS * norm

    def rest(x: Tensor) -> Tensor:
        x = x - (x @ vector) * vector
        y = shifted(x)
        return y - (y @ vector) * vector

    def far(found: float, bound: float, _: float) -> bool:
        """Whether the rest does not count any more, or is known well."""
        return bound - norm < value - 100 or bound - found <= 0.02 * norm

    other = largest_eigenvalue(rest, start - (start @ vector) * vector, far).bound - norm + residual
    gap = value - other
    if gap <= 4 * residual:
        return torch.zeros_like(keep), torch.full_like(keep, torch.inf)
    turned = 2**0.5 * residual / gap
    size = vector.abs()
    small, large = (size - turned).clamp_min(0) ** 2, ((size + turned) ** 2).clamp(max=1)
    rounding = _DIGITS * norm
    drop = torch.tensor(other - value, dtype=torch.float64, device=keep.device).exp()
    low = value - rounding + small.log()
    high = value + residual**2 / gap + rounding + (large + (1 - small) * drop).log()
    return ((low + high) / 2).nan_to_num(0), ((high - low) / 2).nan_to_num(torch.inf)
