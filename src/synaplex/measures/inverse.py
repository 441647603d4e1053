"""The diagonal of the Laplacian pseudo-inverse, which current-flow and random-walk measures need."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SingularLaplacianError

_WEAK = 1e-4
_WORST_CONDITION = 1e12


def inverse_diagonal_two_sides(matrix: Float[Tensor, "networks large small"]) -> Float[Tensor, "networks neurons"]:
    """Diagonal of L^+ for connected bipartite graphs, large side first, then small side.

    The Laplacian's block of the large side is diagonal and is eliminated: with d its strengths and X = B / d the Schur
    complement S = D_small - B^T X is as small as the small side, and L^+ follows from a generalised inverse G by
    L^+_ii = G_ii - (2/n) (G 1)_i + (1^T G 1) / n^2. Signed weights are welcome: neurons whose strength is below 1e-4
    of the largest stay in S, since dividing by a strength near zero would cost all digits.

    Raises
    ------
    SingularLaplacianError
        If S is so ill-conditioned that fewer than about four digits would be right.

    Notes
    -----
    Cost: N m^2 + 2 m^3 operations for sides of N >= m neurons.
    """
    strength = matrix.sum(-1)
    below = matrix.sum(-2)
    scale = torch.maximum(strength.abs().amax(-1), below.abs().amax(-1))
    kept = int((strength.abs() <= _WEAK * scale[:, None]).sum(-1).max()) if matrix.shape[1] else 0
    if not kept:
        eliminated, remaining = matrix, matrix[:, :0]
        order = None
    else:
        order = strength.abs().argsort(dim=-1)
        sorted_rows = matrix.gather(1, order[..., None].expand(-1, -1, matrix.shape[2]))
        remaining, eliminated = sorted_rows[:, :kept], sorted_rows[:, kept:]
    weight = eliminated.sum(-1, keepdim=True)
    spread = eliminated / weight
    block = torch.diag_embed(below) - eliminated.mT @ spread
    if kept:
        corner = torch.diag_embed(remaining.sum(-1))
        block = torch.cat([torch.cat([block, -remaining.mT], 2), torch.cat([-remaining, corner], 2)], 1)
        spread_all = torch.nn.functional.pad(spread, (0, kept))
    else:
        spread_all = spread
    inner = pseudo_inverse(block, scale)
    reach = spread_all @ inner
    diagonal_large = 1 / weight[..., 0] + (reach * spread_all).sum(-1)
    sums_small = (inner @ spread_all.sum(1)[..., None])[..., 0]
    sums_large = 1 / weight[..., 0] + (spread_all @ sums_small[..., None])[..., 0]
    diagonal_small = inner.diagonal(dim1=-2, dim2=-1)
    neurons = matrix.shape[1] + matrix.shape[2]
    total = (sums_small.sum(-1) + sums_large.sum(-1))[:, None]

    def finish(diagonal: Tensor, sums: Tensor) -> Tensor:
        return diagonal - 2 / neurons * sums + total / neurons**2

    large = finish(diagonal_large, sums_large)
    small = finish(diagonal_small, sums_small)
    columns = matrix.shape[2]
    if order is None:
        return torch.cat([large, small], -1)
    unordered = torch.empty_like(strength)
    unordered.scatter_(1, order, torch.cat([small[:, columns:], large], -1))
    return torch.cat([unordered, small[:, :columns]], -1)


def inverse_diagonal(adjacency: Float[Tensor, "networks neurons neurons2"]) -> Float[Tensor, "networks neurons"]:
    """Diagonal of L^+ for connected graphs given by their adjacency matrices. Cost: 2 n^3 operations."""
    strength = adjacency.sum(-1)
    laplacian = torch.diag_embed(strength) - adjacency
    return pseudo_inverse(laplacian, strength.abs().amax(-1)).diagonal(dim1=-2, dim2=-1)


def pseudo_inverse(
    laplacian: Float[Tensor, "networks size size2"], scale: Float[Tensor, " networks"]
) -> Float[Tensor, "networks size size2"]:
    """Pseudo-inverse of symmetric matrices whose only null vector is constant: inv(L + c J / n) - J / (c n).

    J is all ones and c the given scale of the matrix, such as its largest strength. A condition number beyond 1e12
    raises `SingularLaplacianError`.
    """
    size = laplacian.shape[-1]
    level = scale.clamp_min(torch.finfo(torch.float64).tiny)[:, None, None]
    filled = laplacian + level / size
    inverse, failed = torch.linalg.inv_ex(filled)
    condition = filled.abs().sum(-1).amax(-1) * inverse.abs().sum(-1).amax(-1)
    bad = (failed != 0) | ~(condition < _WORST_CONDITION)
    if bool(bad.any()):
        which = bad.nonzero()[:, 0].tolist()
        where = f" of network {which[0]}" + (f" and {len(which) - 1} more" if len(which) > 1 else "")
        raise SingularLaplacianError(
            f"the Laplacian{where if laplacian.shape[0] > 1 else ''} is singular or nearly so (condition number "
            f"{float(condition[which[0]]):.1e}): its pseudo-inverse would have no correct digits. Signed weights that "
            "cancel do this; use edges='positive' or 'absolute'"
        )
    return inverse - 1 / (level * size)
