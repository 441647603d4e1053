"""Undefined values: where a definition divides by zero or the graph falls apart."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from synaplex.errors import SynaplexError


@dataclass
class Undefined:
    """Collects undefined values instead of raising: pass one as ``undefined=`` to a measure.

    The values become NaN in the returned tensor, and every NaN is accounted for here.

    Attributes
    ----------
    notes
        Pairs of a boolean mask over the returned values, ``(*networks, neurons)``, and the reason.
    overflow
        Whether to collect values beyond float64, too. These are defined, and large: by default they raise
        `MeasureOverflowError`, so that what takes undefined values for low ones does not take these for low.
    """

    notes: list[tuple[Bool[Tensor, "*networks neurons"], str]] = field(default_factory=list)
    overflow: bool = False


def settle(
    values: Float[Tensor, "*networks neurons"],
    mask: Bool[Tensor, "*networks neurons"],
    error: SynaplexError,
    reason: str,
    undefined: Undefined | None,
) -> Float[Tensor, "*networks neurons"]:
    """Raise `error` where the mask holds anything, or note it in `undefined` and put NaN there."""
    if not bool(mask.any()):
        return values
    if undefined is None:
        raise error
    undefined.notes.append((mask, reason))
    return values.masked_fill(mask, torch.nan)
