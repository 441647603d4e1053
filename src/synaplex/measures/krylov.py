"""Quadratic forms b^T L^+ b of graph Laplacians by conjugate gradients and MINRES, many right sides at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.measures.operators import Laplacian

STEPS = 2_000
"""Steps after which a system counts as not solved."""

_EXHAUSTED = 64 * torch.finfo(torch.float64).eps
"""A basis vector so much shorter than the one before it is rounding: the solution lies in what was spanned already."""


@dataclass(frozen=True, eq=False)
class Solved:
    """Quadratic forms, and what is known of their errors.

    Attributes
    ----------
    values
        b^T L^+ b for each right side; for positive weights never too large.
    residuals
        r^T D^-1 r of the last residual: the error is at most this over the smallest eigenvalue (in size) of
        D^-1/2 L D^-1/2 that is not of the null space.
    steps
        Steps taken.
    solutions
        A solution of L x = b for each right side, where it was asked for.
    """

    values: Float[Tensor, " batch"]
    residuals: Float[Tensor, " batch"]
    steps: int
    solutions: Float[Tensor, "batch neurons"] | None = None


Enough = Callable[[Tensor, Tensor], Tensor]
"""From values and residuals to which of them are good enough."""


def quadratic_forms(
    laplacian: Laplacian, right: Float[Tensor, "batch neurons"], enough: Enough, *, solutions: bool = False
) -> Solved:
    """b^T L^+ b for centred right sides, until they are good enough or `STEPS` steps are taken.

    Conjugate gradients for positive weights, MINRES for signed ones, with Jacobi's preconditioner.

    Notes
    -----
    Cost: one product with L a step for all right sides together. Memory: five blocks like `right`, nine with signed
    weights. Source: Golub & Meurant 1997 (the form and its error); Paige & Saunders 1975.
    """
    return (_minres if laplacian.signed else _conjugate_gradients)(laplacian, right, enough, solutions)


def _conjugate_gradients(laplacian: Laplacian, right: Tensor, enough: Enough, solutions: bool) -> Solved:
    residual = right.clone()
    direction = residual / laplacian.scale
    size = (residual * direction).sum(-1)
    values = torch.zeros_like(size)
    solution = torch.zeros_like(right) if solutions else None
    step = 0
    while step < STEPS and not bool(enough(values, size).all()):
        step += 1
        image = laplacian.product(direction)
        curvature = (direction * image).sum(-1)
        length = torch.where(curvature > 0, size / curvature, 0)
        values = values + length * size
        if solution is not None:
            solution.addcmul_(direction, length[:, None])
        residual = laplacian.centered(residual.addcmul_(image, length[:, None], value=-1))
        pulled = residual / laplacian.scale
        before, size = size, (residual * pulled).sum(-1)
        direction.mul_(torch.where(before > 0, size / before, 0)[:, None]).add_(pulled)
    return Solved(values, size, step, solution)


def _minres(laplacian: Laplacian, right: Tensor, enough: Enough, solutions: bool) -> Solved:
    """The form is b^T x + x^T r for the solution x with residual r, and so off by r^T L^+ r only."""
    solution, steps = _minimal_residuals(laplacian, right, enough)
    residual = laplacian.centered(right - laplacian.product(solution))
    values = (solution * (right + residual)).sum(-1)
    sizes = (residual**2 / laplacian.scale).sum(-1)
    return Solved(values, sizes, steps, solution if solutions else None)


def _minimal_residuals(laplacian: Laplacian, right: Tensor, enough: Enough) -> tuple[Tensor, int]:
    """Solutions of L x = b for centred right sides, and the number of steps."""
    solution, wide, wider = (torch.zeros_like(right) for _ in range(3))
    older, vector = torch.zeros_like(right), right.clone()
    pulled = vector / laplacian.scale
    length = (vector * pulled).sum(-1).clamp_min(0).sqrt()
    rest, before = length, torch.ones_like(length)
    cosine, cosine_before, sine, sine_before = (torch.full_like(length, value) for value in (1, 1, 0, 0))
    step = 0
    while step < STEPS:
        if not step % 8:
            done = enough((solution * right).sum(-1), rest**2) | (length == 0)  # no step changes what is exhausted
            if bool(done.all()):
                break
        step += 1
        alive = length > 0  # where a solution is exact, nothing follows
        length = torch.where(alive, length, 1)
        unit = pulled / length[:, None]
        image = laplacian.product(unit)
        along = (image * unit).sum(-1)
        image.addcmul_(vector, (along / length)[:, None], value=-1)
        image.addcmul_(older, (length / before)[:, None], value=-1)
        older, vector = vector, laplacian.centered(image)
        pulled = vector / laplacian.scale
        after = (vector * pulled).sum(-1).clamp_min(0).sqrt()
        turned = cosine * along - cosine_before * sine * length
        radius = (turned**2 + after**2).sqrt()
        radius = torch.where(radius > 0, radius, 1)
        second = sine * along + cosine_before * cosine * length
        third = sine_before * length
        fresh = (unit - third[:, None] * wider - second[:, None] * wide) / radius[:, None]
        wider, wide = wide, fresh
        cosine_before, sine_before = cosine, sine
        cosine, sine = turned / radius, after / radius
        solution += torch.where(alive[:, None], (cosine * rest)[:, None] * fresh, 0)
        rest = torch.where(alive, -sine * rest, 0)
        before, length = length, torch.where(alive & (after > _EXHAUSTED), after, 0)
    return solution, step
