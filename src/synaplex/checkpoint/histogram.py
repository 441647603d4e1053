"""Histograms over the leading bits of values: counts, moments of short formats, quantiles with an error bound.

A bin of float32 is its first 16 bits (sign, exponent, 7 bits of the fraction), one of float64 its first 19, so that a
bin is at most 1/128 as wide as its values are large and no range need be known beforehand. A bin of a shorter format
is one value, and everything that follows from its counts is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from synaplex.checkpoint.formats import FORMATS, Format
from synaplex.checkpoint.scan import Counts, Reals


@dataclass(frozen=True, eq=False)
class Histogram:
    """Bins in ascending order of their finite values.

    Attributes
    ----------
    lower, upper
        What a bin's values lie between; equal where a bin is one value.
    counts
        How many values each holds.
    """

    lower: Reals
    upper: Reals
    counts: Counts

    @classmethod
    def of_bins(cls, form: Format, counts: Counts) -> Histogram:
        """From the counts of all bins of a format; values that are not finite are left out."""
        lower, upper = _edges(form.name)
        order = np.flatnonzero((counts > 0) & np.isfinite(lower))
        order = order[np.lexsort((upper[order], lower[order]))]
        return cls(lower[order], upper[order], counts[order])

    @property
    def count(self) -> int:
        """Number of values."""
        return int(self.counts.sum())

    def quantiles(self, at: Sequence[float], low: float, high: float) -> tuple[list[float], float]:
        """Quantiles, and the largest error that any of them can have: the width of its bin.

        Parameters
        ----------
        at
            Shares between 0 and 1; between two values the quantile is interpolated.
        low, high
            The extremes of the values.
        """
        ends = self.counts.cumsum()
        lower, upper = self.lower.clip(low, high), self.upper.clip(low, high)
        found, error = [], 0.0
        for share in at:
            place = share * (self.count - 1)
            rank = int(place)
            nearest = []
            for value in (rank, min(rank + 1, self.count - 1)):
                bin = int(np.searchsorted(ends, value, side="right"))
                before = int(ends[bin] - self.counts[bin])
                width = float(upper[bin] - lower[bin])
                nearest.append(float(lower[bin]) + width * (value - before + 0.5) / int(self.counts[bin]))
                error = max(error, width)
            found.append(nearest[0] + (nearest[1] - nearest[0]) * (place - rank))
        return found, error


@cache
def _edges(name: str) -> tuple[Reals, Reals]:
    """Lower and upper ends of all bins of a format; not finite for bins that hold no finite value."""
    form = FORMATS[name]
    if form.short:
        values = form.values
        return values, values
    unsigned, floating = f"uint{8 * form.size}", f"float{8 * form.size}"
    bits = np.arange(form.bins // 2, dtype=unsigned) << np.dtype(unsigned).type(form.dropped)
    with np.errstate(invalid="ignore"):
        starts = bits.view(floating).astype(np.float64)
    finite = np.isfinite(starts)
    starts[~finite] = np.nan
    ends = np.append(starts[1:], np.nan)
    ends[finite & np.isnan(ends)] = float(np.finfo(floating).max)
    return np.concatenate([starts, -ends]), np.concatenate([ends, -starts])
