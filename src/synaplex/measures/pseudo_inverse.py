"""Intervals of the diagonal and the trace of the Laplacian pseudo-inverse, for graphs of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph import Adjacency
from synaplex.measures.extremes import FAILURE
from synaplex.measures.krylov import quadratic_forms
from synaplex.measures.limits import WORK, check_work
from synaplex.measures.moments import Moments, inverse_bounds, moments
from synaplex.measures.operators import Laplacian
from synaplex.measures.probes import FAILURE as PROBES_FAIL
from synaplex.measures.probes import trace_by_probes
from synaplex.measures.signed_gap import signed_gaps

_VALUES = 4_000_000
_STEPS = 30
_PROBES = 200
_DIGITS = 64 * torch.finfo(torch.float64).eps

Allowed = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From values of L^+_ii, sizes of the components and their largest strengths to how far the values may be off."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """Where L^+_ii of the chosen neurons and the trace of L^+ over their components lie.

    Attributes
    ----------
    low, high
        Bounds of L^+_ii, ``(chosen,)``; infinite where nothing is known.
    trace_low, trace_high
        Bounds of the trace over the neuron's component, ``(chosen,)``; infinite where it was not asked for or
        nothing is known.
    sizes, strongest
        Neurons of the component, and its largest strength, ``(chosen,)``.
    failure
        The probability that not all bounds hold, over the random starts and probes.
    method
        What was done.
    """

    low: Float[Tensor, " chosen"]
    high: Float[Tensor, " chosen"]
    trace_low: Float[Tensor, " chosen"]
    trace_high: Float[Tensor, " chosen"]
    sizes: Float[Tensor, " chosen"]
    strongest: Float[Tensor, " chosen"]
    failure: float
    method: str


def inverse_intervals(
    view: Adjacency,
    chosen: Int[Tensor, " chosen"],
    allowed: Allowed,
    *,
    measure: str,
    trace: float | None,
    seed: int,
) -> Intervals:
    """Bounds of the diagonal of L^+ at some neurons of one network, and of its trace over each component.

    First bounds for all neurons at once, from three moments (`moments`; positive weights only). Neurons for which they
    are not close enough get a linear system each. The trace is the sum over all neurons where that is close enough, and
    else estimated by random probes.

    Parameters
    ----------
    view
        Of a single network, without self-loops.
    chosen
        Neurons.
    allowed
        How far each value may be off.
    measure
        Name of the measure, for messages.
    trace
        How far the trace may be off, as a share of itself; None if it is not needed.
    seed
        Of the probes.

    Raises
    ------
    GraphTooLargeError
        If so many neurons would need a system of their own that it would take hours.

    Notes
    -----
    Cost: some 50 products, and then 10 to 100 (as the square root of the condition number) for each neuron left and
    each probe. With signed weights systems are indefinite and take a number of steps in proportion to the condition
    number.
    """
    laplacian = Laplacian(view)
    labels = laplacian.labels
    own = labels[chosen]
    found = None if laplacian.signed else moments(laplacian)
    if found is None:
        gaps, bounded = signed_gaps(laplacian, torch.unique(own))
    else:
        gaps, bounded = torch.full((len(laplacian.sizes),), found.gap, dtype=torch.float64, device=view.device), 1
    centre = _centre(laplacian, found.gap) if found is not None and found.gap > 0 else None
    low, high = _of_all(laplacian, found, centre)
    sizes = laplacian.sizes.to(torch.float64)[labels]
    strongest = _strongest(laplacian)[labels]

    method = [] if found is None else ["moments"]

    def wanted(index: Tensor, values: Tensor) -> Tensor:
        return allowed(values, sizes[index], strongest[index])

    def loose(index: Tensor) -> Tensor:
        """Those of the index whose bounds are not close enough."""
        middle = ((low + high) / 2).nan_to_num(0, 0, 0)[index]
        return index[~((high - low)[index] / 2 <= wanted(index, middle))]

    def refine(left: Tensor) -> None:
        """A system for each of these neurons."""
        left = left[gaps[labels[left]] > 0]
        if not len(left):
            return
        check_work(measure, len(left), _STEPS, laplacian.edges)
        for part in torch.split(left, max(1, _VALUES // max(view.neurons, 1))):
            below, above = _by_systems(laplacian, part, gaps[labels[part]], partial(wanted, part))
            low[part], high[part] = torch.maximum(low[part], below), torch.minimum(high[part], above)
        method.append(f"{'MINRES' if laplacian.signed else 'conjugate gradients'} for {len(left):,} neurons")

    refine(loose(torch.unique(chosen)))
    failure = bounded * FAILURE
    traces = torch.full((2, len(laplacian.sizes)), torch.inf, dtype=torch.float64, device=view.device)
    if trace is not None:
        traces = torch.stack([laplacian.summed(low), laplacian.summed(high)])
        known = _known_traces(laplacian, found, centre) if found is not None and centre is not None else None
        for piece in torch.unique(own).tolist():
            below, above = traces[:, piece].tolist()
            gap = float(gaps[piece])
            if gap <= 0 or above - below <= trace * abs(above + below):
                continue
            most = max(_PROBES, int(0.1 * WORK / (_STEPS * laplacian.edges)))
            start = None if known is None else float(known[piece])
            left = loose((labels == piece).nonzero()[:, 0])
            probed = trace_by_probes(laplacian, piece, start, gap, trace, most, len(left), seed)
            if probed is None:
                refine(left)
                traces[:, piece] = torch.stack([laplacian.summed(low)[piece], laplacian.summed(high)[piece]])
                continue
            traces[:, piece] = torch.tensor([max(below, probed.low), min(above, probed.high)])
            method.append(f"trace by {probed.probes} probes")
            failure += PROBES_FAIL
    unsolved = int((gaps[own] <= 0).sum())
    if unsolved:
        cause = "MINRES did not arrive" if laplacian.signed else "no gap of the spectrum is known"
        method.append(f"{cause} for {unsolved:,} neurons, where the Laplacian is singular or nearly so")
    return Intervals(
        low[chosen],
        high[chosen],
        traces[0, own],
        traces[1, own],
        sizes[chosen],
        strongest[chosen],
        failure,
        ", ".join(method),
    )


def _of_all(laplacian: Laplacian, found: Moments | None, centre: _Centre | None) -> tuple[Tensor, Tensor]:
    """Bounds of L^+_ii for all neurons, by L^+_ii = G_ii - (2/n) (G 1)_i + (1^T G 1) / n^2 in each component.

    G = D^-1/2 (I - M)^+ D^-1/2, and G 1 is the solution of one system.
    """
    alone = laplacian.sizes[laplacian.labels] == 1
    if found is None or centre is None:
        high = torch.full_like(laplacian.strength, torch.inf).masked_fill(alone, 0)
        return -high if found is None else torch.zeros_like(high), high
    low, high = inverse_bounds(found)
    known = _of_minus_one(laplacian)
    low, high = (low + known) / laplacian.scale, (high + known) / laplacian.scale
    size = laplacian.sizes.to(torch.float64)
    of_total = (centre.total.clamp_min(0) * centre.off).sqrt() + centre.off
    shift = (centre.total / size**2)[laplacian.labels] - 2 * centre.sums / size[laplacian.labels]
    error = (of_total / size**2)[laplacian.labels] + 2 * (high * centre.off).sqrt() / size[laplacian.labels]
    error = error + _DIGITS / found.gap * high
    low, high = low + shift - error, high + shift + error
    return low.clamp_min(0).masked_fill(alone, 0), high.masked_fill(alone, 0)


@dataclass(frozen=True, eq=False)
class _Centre:
    """What turns G into L^+: G 1 for each neuron, its sum over each component, and e^T L e of the error e of G 1."""

    sums: Tensor
    total: Tensor
    off: float


def _centre(laplacian: Laplacian, gap: float) -> _Centre:
    size = laplacian.sizes.to(torch.float64)[laplacian.labels]
    right = laplacian.centered(1 - size * laplacian.strength / laplacian.volume)
    enough = 1e-26 * float((right**2 / laplacian.scale).sum())
    solved = quadratic_forms(laplacian, right[None], lambda _, rest: rest <= enough, solutions=True)
    assert solved.solutions is not None
    sums = solved.solutions[0]
    sums = sums - laplacian.summed(laplacian.strength * sums)[laplacian.labels] / laplacian.volume
    return _Centre(sums, laplacian.summed(right * sums), float(solved.residuals[0]) / gap)


def _of_minus_one(laplacian: Laplacian) -> Tensor:
    """What the eigenvector of -1 adds to the diagonal of (I - M)^+."""
    share = laplacian.strength / laplacian.volume
    return share / 2 if laplacian.two_sided else torch.zeros_like(share)


def _known_traces(laplacian: Laplacian, found: Moments, centre: _Centre) -> Tensor:
    """What the moments say of the trace over each component: all but what lies beyond the second."""
    own = (found.mass + found.first + found.second + _of_minus_one(laplacian)) / laplacian.scale
    return laplacian.summed(own) - centre.total / laplacian.sizes


def _by_systems(
    laplacian: Laplacian, part: Tensor, gap: Tensor, wanted: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Bounds of L^+_ii by one system a neuron, from the gap of each one's component."""
    right = torch.zeros(len(part), laplacian.neurons, dtype=torch.float64, device=part.device)
    right[torch.arange(len(part)), part] = 1
    reach = 1.0 if laplacian.signed else 0.5  # the error's sign is known where L is positive
    solved = quadratic_forms(
        laplacian, laplacian.centered(right), lambda values, rest: reach * rest / gap <= 0.9 * wanted(values)
    )
    error = solved.residuals / gap
    rounding = _DIGITS / gap * (solved.values.abs() + 1 / laplacian.scale[part])
    return solved.values - (error if laplacian.signed else 0) - rounding, solved.values + error + rounding


def _strongest(laplacian: Laplacian) -> Tensor:
    """The largest strength of each component."""
    empty = torch.full((len(laplacian.sizes),), -torch.inf, dtype=torch.float64, device=laplacian.labels.device)
    return empty.scatter_reduce(0, laplacian.labels, laplacian.strength, "amax")
