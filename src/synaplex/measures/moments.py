"""Diagonals of pseudo-inverses for all neurons at once, from three moments and the reach of the spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.measures.extremes import largest_eigenvalue, random_start
from synaplex.measures.operators import Laplacian


@dataclass(frozen=True, eq=False)
class Moments:
    """What three passes over the weights and a few dozen products say of L for positive weights.

    M = D^-1/2 A D^-1/2 is split off its known eigenvectors, those of 1 and (with two sides) of -1, in each component;
    the rest has its spectrum in [floor, ceiling]. All is about that rest.

    Attributes
    ----------
    mass, first, second
        Diagonals of its powers 0, 1 and 2, ``(neurons,)``.
    floor, ceiling
        Bounds of its eigenvalues; with two sides, floor = -ceiling.
    """

    mass: Float[Tensor, " neurons"]
    first: Float[Tensor, " neurons"]
    second: Float[Tensor, " neurons"]
    floor: float
    ceiling: float

    @property
    def gap(self) -> float:
        """A lower bound of the smallest eigenvalue of D^-1/2 L D^-1/2 other than those of the null space."""
        return 1 - self.ceiling


def moments(laplacian: Laplacian) -> Moments:
    """The moments of a Laplacian of positive weights. Cost: a few dozen products, more the closer the gap is to 0."""
    strength, volume = laplacian.scale, laplacian.volume
    share = torch.where(laplacian.strength > 0, strength / volume, 1)
    known = 2 if laplacian.two_sided else 1
    mass = (1 - known * share).clamp_min(0)
    mass = torch.where(laplacian.strength > 0, mass, 0)
    first = torch.zeros_like(mass) if laplacian.two_sided else -share * (laplacian.strength > 0)
    second = (laplacian.squares / strength - known * share).clamp_min(0) * (laplacian.strength > 0)
    start = laplacian.projected(random_start(len(strength), strength.device))
    if not bool(start.abs().max() > 1e-12):
        return Moments(mass, first, second, 0.0, 0.0)

    def rest(x: Tensor) -> Tensor:
        return laplacian.projected(laplacian.normalized(x))

    if laplacian.two_sided:
        top = largest_eigenvalue(
            lambda x: rest(rest(x)), start, lambda value, bound, _: bound - value <= 0.1 * min(value, abs(1 - value))
        )
        ceiling = top.bound**0.5
        return Moments(mass, first, second, -ceiling, ceiling)

    def enough(value: float, bound: float, _: float) -> bool:
        return bound - value <= 0.1 * (2 - value)

    ceiling = largest_eigenvalue(lambda x: laplacian.projected(x) + rest(x), start, enough).bound - 1
    floor = 1 - largest_eigenvalue(lambda x: laplacian.projected(x) - rest(x), start, enough).bound
    return Moments(mass, first, second, max(floor, -1.0), ceiling)


def inverse_bounds(found: Moments) -> tuple[Float[Tensor, " neurons"], Float[Tensor, " neurons"]]:
    """Lower and upper bounds of the diagonal of (I - M)^+ without its part along the known eigenvectors.

    With two sides the diagonal is that of (I - M^2)^-1, between the Gauss rule (one node, at the mean of the squares)
    and the Gauss-Radau rule (nodes at 0 and at ceiling^2); else between the Gauss-Radau rules with a node at the floor
    and at the ceiling. Infinite above where the ceiling is not below 1. Source: Golub & Meurant 1994.
    """
    mass, first, second = found.mass, found.first, found.second
    if not found.ceiling < 1:
        return mass / 2, torch.full_like(mass, torch.inf)
    if found.floor == -found.ceiling:
        mean = torch.where(mass > 0, second / mass.clamp_min(1e-300), 0).clamp(max=found.ceiling**2)
        return mass / (1 - mean), mass + second / (1 - found.ceiling**2)
    return _radau(mass, first, second, found.floor), _radau(mass, first, second, found.ceiling)


def _radau(mass: Tensor, first: Tensor, second: Tensor, end: float) -> Tensor:
    """The rule with one node at an end of the spectrum and one free node, exact for the three moments."""
    tilt = first - end * mass
    regular = tilt.abs() > 1e-14
    free = torch.where(regular, (second - end * first) / torch.where(regular, tilt, 1), end)
    apart = torch.where(regular, free - end, 1)
    share = torch.where(regular, tilt / apart, 0)
    return (mass - share) / (1 - end) + share / (1 - free)
