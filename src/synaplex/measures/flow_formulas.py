"""How the flow measures follow from the diagonal of the Laplacian pseudo-inverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Finish = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Formula:
    """A measure of a neuron from L^+_ii and from what is true of its component.

    Attributes
    ----------
    measure
        Its name.
    finish
        From L^+_ii, trace L^+, number of neurons and largest strength to values; monotone in each of the first two.
    allowed
        From tolerance, L^+_ii, number of neurons and largest strength to how far L^+_ii may be off.
    trace
        Whether the trace is needed.
    floor
        What the tolerance is a share of, where the value is smaller.
    """

    measure: str
    finish: Finish
    allowed: Callable[[float, Tensor, Tensor, Tensor], Tensor]
    trace: bool
    floor: float

    def of_whole(self, inverse: Tensor, strength: Tensor) -> Tensor:
        """Values of all neurons of connected graphs, from L^+_ii and strengths, ``(networks, neurons)``."""
        size = torch.tensor(float(inverse.shape[-1]), dtype=torch.float64, device=inverse.device)
        return self.finish(inverse, inverse.sum(-1, keepdim=True), size, strength.amax(-1, keepdim=True))

    def near(self, values: Tensor, tolerance: float) -> Tensor:
        """How far values may be off."""
        return tolerance * values.abs().clamp_min(self.floor)


def _closeness(inverse: Tensor, trace: Tensor, size: Tensor, _strongest: Tensor) -> Tensor:
    return 1 / (size * inverse + trace)


def _closeness_allowed(tolerance: float, inverse: Tensor, _size: Tensor, _strongest: Tensor) -> Tensor:
    return 0.4 * tolerance * inverse.abs()


def _deviation(inverse: Tensor, _trace: Tensor, size: Tensor, strongest: Tensor) -> Tensor:
    fundamental = strongest * inverse + 1 / size
    return (2 * (size * (size * fundamental - 1) + size) - size * (size + 1)).clamp_min(0).sqrt()


def _deviation_allowed(tolerance: float, inverse: Tensor, size: Tensor, strongest: Tensor) -> Tensor:
    value = _deviation(inverse, inverse, size, strongest)
    return 0.8 * tolerance * value.clamp_min(1) * value.clamp_min(tolerance / 2) / (size**2 * strongest)


CLOSENESS = Formula("current_flow_closeness", _closeness, _closeness_allowed, trace=True, floor=0.0)
DEVIATION = Formula("second_order_centrality", _deviation, _deviation_allowed, trace=False, floor=1.0)
