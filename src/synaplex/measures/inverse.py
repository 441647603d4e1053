"""The diagonal of the Laplacian pseudo-inverse, which current-flow and random-walk measures need."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import SingularLaplacianError

_WEAK = 1e-4
_WORST_CONDITION = 1e12


def inverse_diagonal_two_sides(
    matrix: Float[Tensor, "networks large small"], rows: Int[Tensor, " rows"] | None = None
) -> Float[Tensor, "networks neurons"]:
    """Diagonal of L^+ for connected bipartite graphs, large side first, then small side.

    The Laplacian's block of the large side is diagonal and is eliminated: with d its strengths and X = B / d the
    Schur complement S = D_small - B^T X is as small as the small side, and L^+ follows from a generalised
    inverse G by L^+_ii = G_ii - (2/n) (G 1)_i + (1^T G 1) / n^2. Signed weights are welcome: neurons whose weights
    cancel, to a strength below 1e-4 of their sizes' sum, stay in S, since dividing by it would cost all digits.

    Parameters
    ----------
    matrix
        The biadjacency matrices.
    rows
        The neurons of the large side that are wanted; entries of the others are then not to be read.

    Raises
    ------
    SingularLaplacianError
        If S is so ill-conditioned that fewer than about four digits would be right.

    Notes
    -----
    Cost: N m^2 + 2 m^3 operations for sides of N >= m neurons, and r m^2 for r wanted rows.
    """
    columns = matrix.shape[2]
    neurons = matrix.shape[1] + columns
    above, below = matrix.sum(-1), matrix.sum(-2)
    scale = torch.maximum(above.abs().amax(-1), below.abs().amax(-1))
    cancelled = above.abs() - _WEAK * torch.linalg.vector_norm(matrix, ord=1, dim=-1)
    kept = int((cancelled <= 0).sum(-1).max())
    weak = cancelled.topk(kept, largest=False).indices
    inverse_strength = (1 / above).scatter(1, weak, 0.0)
    spread = matrix * inverse_strength[..., None]
    block = torch.diag_embed(below) - matrix.mT @ spread
    if kept:
        aside = matrix.gather(1, weak[..., None].expand(-1, -1, columns))
        corner = torch.diag_embed(above.gather(1, weak))
        block = torch.cat([torch.cat([block, -aside.mT], 2), torch.cat([-aside, corner], 2)], 1)
    inner = pseudo_inverse(block, scale)
    pulled = torch.nn.functional.pad(spread.sum(1), (0, kept))
    sums_small = (inner @ pulled[..., None])[..., 0]
    sums_large = inverse_strength + (spread @ sums_small[:, :columns, None])[..., 0]
    sums_large.scatter_(1, weak, sums_small[:, columns:])
    reached = spread if rows is None else spread[:, rows]
    own = ((reached @ inner[:, :columns, :columns]) * reached).sum(-1)
    diagonal_large = inverse_strength.clone()
    if rows is None:
        diagonal_large += own
    else:
        diagonal_large[:, rows] += own
    diagonal = inner.diagonal(dim1=-2, dim2=-1)
    diagonal_large.scatter_(1, weak, diagonal[:, columns:])
    sums = torch.cat([sums_large, sums_small[:, :columns]], -1)
    total = sums.sum(-1, keepdim=True)
    return torch.cat([diagonal_large, diagonal[:, :columns]], -1) - 2 / neurons * sums + total / neurons**2


def inverse_diagonal(
    adjacency: Float[Tensor, "networks neurons neurons2"],
) -> Float[Tensor, "networks neurons"]:
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
    inverse, failed = _invert(filled)
    condition = filled.abs().sum(-1).amax(-1) * inverse.abs().sum(-1).amax(-1)
    bad = (failed != 0) | ~(condition < _WORST_CONDITION)
    if bool(bad.any()):
        worst = float(condition[bad].nan_to_num(torch.inf, torch.inf).max())
        some = f"{int(bad.sum())} of {len(bad)} Laplacians are" if len(bad) > 1 else "the Laplacian is"
        raise SingularLaplacianError(
            f"{some} singular or nearly so (condition number {worst:.1e}): its pseudo-inverse would "
            "have no correct digits. Signed weights that cancel do this; use edges='positive' or 'absolute'"
        )
    result: Tensor = inverse - 1 / (level * size)
    return result


def _invert(matrices: Float[Tensor, "networks size size2"]) -> tuple[Tensor, Int[Tensor, " networks"]]:
    """Inverses, and a number other than zero where there is none.

    One by one on the CPU: torch's batched LU returns errors there once anyone has set its number of threads.
    """
    if matrices.device.type != "cpu":
        inverse, failed = torch.linalg.inv_ex(matrices)
        return inverse, failed
    each = [torch.linalg.inv_ex(matrix) for matrix in matrices]
    return torch.stack([one for one, _ in each]), torch.stack([failed for _, failed in each])
