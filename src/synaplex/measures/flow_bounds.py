"""Flow measures of graphs of any size, with bounds of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph import Adjacency
from synaplex.measures.bounds import Bound
from synaplex.measures.flow_formulas import Formula
from synaplex.measures.pseudo_inverse import Intervals, inverse_intervals


def flow_bounds(
    view: Adjacency,
    chosen: Int[Tensor, " chosen"],
    formula: Formula,
    wanted: Sequence[bool],
    tolerance: float,
    seed: int,
) -> tuple[Float[Tensor, "*networks chosen"], Bound]:
    """Values of some neurons of each network and how far they may be off; NaN for networks that are not wanted.

    Each component is measured by itself. See `synaplex.measures.pseudo_inverse` for how.
    """
    values = torch.full((len(wanted), len(chosen)), torch.nan, dtype=torch.float64, device=view.device)
    errors = values.clone()
    failure = 0.0
    methods: dict[str, None] = {}
    for k, single in enumerate(view.singles()):
        if not wanted[k] or not len(chosen):
            continue
        found = inverse_intervals(
            single,
            chosen,
            partial(formula.allowed, tolerance),
            measure=formula.measure,
            trace=0.4 * tolerance if formula.trace else None,
            seed=seed,
        )
        values[k], errors[k] = _ends(found, formula)
        failure += found.failure
        methods[found.method] = None
    shape = (*view.batch_shape, len(chosen))
    return values.reshape(shape), Bound(errors.reshape(shape), max(0.0, 1 - failure), "; ".join(methods))


def _ends(found: Intervals, formula: Formula) -> tuple[Tensor, Tensor]:
    """The middle of the interval that the ends of L^+_ii and of the trace give, and half its width.

    Where nothing is known the value is 0 and the width infinite: what is no number counts as settled by others.
    """
    first = formula.finish(found.low, found.trace_low, found.sizes, found.strongest)
    second = formula.finish(found.high, found.trace_high, found.sizes, found.strongest)
    alone = found.sizes == 1
    value = torch.where(alone, first, (first + second) / 2)
    error = (first - second).abs() / 2
    if formula.trace:  # one over a sum: between its ends only where that keeps its sign
        below, above = (found.sizes * x + t for x, t in ((found.low, found.trace_low), (found.high, found.trace_high)))
        error = torch.where(below * above > 0, error, torch.inf)
        value = torch.where((below * above > 0) | alone, value, 2 / (below + above))
    known = value.isfinite() | alone
    value, error = torch.where(known, value, 0), torch.where(known, error, torch.inf)
    rounding = 64 * torch.finfo(torch.float64).eps * value.abs()
    return value, torch.where(alone, 0, error + rounding)
