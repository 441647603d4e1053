"""The trace of a Laplacian pseudo-inverse by random probes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.measures.krylov import quadratic_forms
from synaplex.measures.operators import Laplacian

FAILURE = 0.01
"""The probability that the interval of a trace does not hold it."""

_FIRST = 24
_VALUES = 4_000_000


@dataclass(frozen=True)
class Probed:
    """An interval for a trace, and the number of probes."""

    low: float
    high: float
    probes: int


def trace_by_probes(
    laplacian: Laplacian, piece: int, known: float | None, gap: float, share: float, most: int, instead: int, seed: int
) -> Probed | None:
    """An interval for the trace of L^+ over a component, by Hutchinson's estimator.

    None where no fewer probes would be needed than `instead`.

    The mean of z^T L^+ z over vectors z of random signs is the trace. For positive weights only what lies beyond the
    second moment is estimated so, since the moments are known: its spread is far smaller.

    Parameters
    ----------
    laplacian
        Of a single network.
    piece
        Number of the component.
    known
        For positive weights, what the moments say of the trace: all but what lies beyond the second.
    gap
        Lower bound of the smallest |eigenvalue| of D^-1/2 L D^-1/2.
    share
        How far the trace may be off, as a share of itself.
    most
        How many probes are spent on it at most.
    instead
        How many neurons need a system for an exact sum.
    seed
        Of the random signs.

    Notes
    -----
    Two stages: the spread of the first 24 probes says how many are needed, and gives a t-interval that holds for any
    number of normal values (a quadratic form of many signs is close to one). Cost: one system a probe. Source:
    Hutchinson 1989; Stein 1945.
    """
    from scipy.stats import t

    if instead <= _FIRST:
        return None
    generator = torch.Generator().manual_seed(seed)
    inside = laplacian.labels == piece
    values, errors = _forms(laplacian, inside, known, gap, share, _FIRST, generator)
    quantile = float(t.ppf(1 - FAILURE / 2, _FIRST - 1)) * float(values.std())
    target = 0.5 * share * abs(float(values.mean()))
    needed = (quantile / max(target, 1e-300)) ** 2
    if instead <= min(needed, most):
        return None
    count = min(most, max(_FIRST, math.ceil(needed)))
    if count > _FIRST:
        more, loose = _forms(laplacian, inside, known, gap, share, count - _FIRST, generator)
        values, errors = torch.cat([values, more]), torch.cat([errors, loose])
    mean = float(values.mean())
    error = quantile / math.sqrt(count) + float(errors.mean())
    return Probed(mean - error, mean + error, count)


def _forms(
    laplacian: Laplacian,
    inside: Tensor,
    known: float | None,
    gap: float,
    share: float,
    count: int,
    generator: torch.Generator,
) -> tuple[Float[Tensor, " probes"], Float[Tensor, " probes"]]:
    """What each probe says of the trace, and how far its system may put it off."""
    values, errors = [], []
    block = max(1, min(count, _VALUES // laplacian.neurons))
    for start in range(0, count, block):
        shape = (min(block, count - start), laplacian.neurons)
        signs = torch.randint(0, 2, shape, generator=generator).to(inside.device) * 2.0 - 1.0
        right = signs.to(torch.float64) * inside
        shift = torch.zeros(shape[0], dtype=torch.float64, device=inside.device)
        if known is not None:
            root = laplacian.scale.sqrt()
            once = laplacian.projected(laplacian.normalized(laplacian.projected(right / root)))
            right, shift = root * once, known - (once**2).sum(-1)

        def enough(forms: Tensor, rest: Tensor, shift: Tensor = shift) -> Tensor:
            return rest / gap <= 0.2 * share * (forms + shift).abs()

        solved = quadratic_forms(laplacian, laplacian.centered(right), enough)
        error = solved.residuals / gap
        values.append(solved.values + shift + (0 if laplacian.signed else error / 2))
        errors.append(error if laplacian.signed else error / 2)
    return torch.cat(values), torch.cat(errors)
