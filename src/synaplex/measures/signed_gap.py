"""How far the spectrum of a signed Laplacian stays away from 0, component by component."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.measures.extremes import largest_eigenvalue, random_start
from synaplex.measures.krylov import quadratic_forms
from synaplex.measures.operators import Laplacian

_PIECES = 8
"""Components that get a bound of their own, the largest ones; the others share one."""


def signed_gaps(laplacian: Laplacian, pieces: Int[Tensor, " pieces"]) -> tuple[Float[Tensor, " components"], int]:
    """Lower bounds of the smallest |eigenvalue| of D^-1/2 L D^-1/2, D = sum_j |w_ij|, on what L^+ reaches.

    A component whose Laplacian is singular, or so nearly that its systems cannot be solved, leaves the bounds of the
    others as they are: components that share one are halved until it is found.

    Parameters
    ----------
    laplacian
        Of a single network.
    pieces
        The components that are asked about.

    Returns
    -------
    tuple
        The bound of each component, 0 where nothing is known; and how many eigenvalues were bounded, each of which
        fails with the probability of `largest_eigenvalue`.

    Notes
    -----
    Cost: one system a step of Lanczos' method for each of a few components, and for each half.
    """
    gaps = torch.zeros(len(laplacian.sizes), dtype=torch.float64, device=laplacian.labels.device)
    gaps[laplacian.sizes == 1] = 1
    pieces = pieces[laplacian.sizes[pieces] > 1]
    pieces = pieces[laplacian.sizes[pieces].argsort(descending=True)]
    groups = [pieces[i : i + 1] for i in range(min(_PIECES, len(pieces)))]
    if len(pieces) > _PIECES:
        groups.append(pieces[_PIECES:])
    bounded = 0
    while groups:
        group = groups.pop()
        gap = _gap(laplacian, torch.isin(laplacian.labels, group))
        bounded += 1
        if gap > 0 or len(group) == 1:
            gaps[group] = gap
        else:
            groups += group.tensor_split(2)
    return gaps, bounded


def _gap(laplacian: Laplacian, inside: Tensor) -> float:
    """The bound over all neurons of some components; 0 if a system could not be solved.

    It is one over the norm of D^1/2 L^+ D^1/2, which is found by Lanczos' method with a system solved in each step.
    """
    root = laplacian.scale.sqrt() * inside
    solvable = True

    def inverse(x: Tensor) -> Tensor:
        nonlocal solvable
        if not solvable:
            return torch.zeros_like(x)
        right = laplacian.centered(root * x)
        limit = 1e-16 * float((right**2 / laplacian.scale).sum())
        solved = quadratic_forms(laplacian, right[None], lambda _, rest: rest <= limit, solutions=True)
        solvable = bool(solved.residuals[0] <= 100 * limit)
        assert solved.solutions is not None
        return root * laplacian.centered(solved.solutions[0])

    start = random_start(laplacian.neurons, root.device) * inside
    top = largest_eigenvalue(lambda x: inverse(inverse(x)), start, lambda value, bound, _: bound < 2 * value)
    return 1 / (1.01 * top.bound**0.5) if solvable and top.bound > 0 else 0.0
