"""Error bounds: how far a value that was approximated may be from the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError, ToleranceError
from synaplex.graph import NeuralGraph
from synaplex.measures.naming import name_neurons
from synaplex.measures.undefined import Undefined, settle


@dataclass(frozen=True, eq=False)
class Bound:
    """The error bound of one measure's values.

    Attributes
    ----------
    error
        How far each value is from the truth at most, in the units of the measure, ``(*networks, neurons)``.
    confidence
        The probability that all bounds hold at once; 1 where they follow from the computation itself.
    method
        What was done, such as ``"Lanczos quadrature, 24 steps"``.
    """

    error: Float[Tensor, "*networks neurons"]
    confidence: float
    method: str


@dataclass
class Bounds:
    """Collects the error bounds of values that were not computed exactly: pass one as ``bounds=`` to a measure.

    An exact form, whose error is that of float64 arithmetic, adds nothing. `sx.measure` writes what is collected here
    into a column ``<measure>_error``.

    Attributes
    ----------
    notes
        One for each call that used an iterative or sampled form.
    """

    notes: list[Bound] = field(default_factory=list)


def accept(
    graph: NeuralGraph,
    chosen: Tensor,
    measure: str,
    values: Float[Tensor, "*networks neurons"],
    bound: Bound,
    allowed: Float[Tensor, "*networks neurons"],
    bounds: Bounds | None,
    undefined: Undefined | None,
) -> Float[Tensor, "*networks neurons"]:
    """The values, their bound noted, where it is within what is allowed; else `ToleranceError`, or undefined ones.

    Values that are NaN already are left to whoever made them so.
    """
    beyond = ~(bound.error <= allowed) & ~values.isnan()
    if bool(beyond.any()):
        worst = float((bound.error / allowed)[beyond].nan_to_num(torch.inf, torch.inf).max())
        if worst < math.inf:
            reached = f"the error bound is {worst:.1e} times what tolerance= allows"
            advice = "Allow more, or measure fewer neurons or a part of the network"
        else:
            reached = "nothing is known of the error"
            advice = "Measure a part of the network; where negative weights cancel, edges='positive' is sound"
        error = ToleranceError(
            f"{measure} did not reach its tolerance for {name_neurons(graph, chosen, beyond)}: {reached} "
            f"({bound.method}). {advice}"
        )
        values = settle(values, beyond, error, f"tolerance not reached ({bound.method})", undefined)
    if bounds is not None:
        error_bound = bound.error.masked_fill(values.isnan(), torch.nan)
        bounds.notes.append(Bound(error_bound, bound.confidence, bound.method))
    return values


def check_tolerance(tolerance: float) -> None:
    """Raise `SpecificationError` for a tolerance that is none."""
    if not 0 < tolerance < 1:
        raise SpecificationError(f"tolerance={tolerance} is no number between 0 and 1")
