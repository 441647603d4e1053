"""The statistics of a stored tensor, gathered from the scans of its parts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from synaplex.checkpoint.formats import FORMATS
from synaplex.checkpoint.histogram import Histogram
from synaplex.checkpoint.scan import Counts, Reals, Scan
from synaplex.checkpoint.stored import StoredTensor


@dataclass
class Moments:
    """Number, mean and sums of powers 2 to 4 of the differences from the mean."""

    count: int = 0
    mean: float = 0.0
    second: float = 0.0
    third: float = 0.0
    fourth: float = 0.0

    @classmethod
    def about(cls, center: float, count: int, powers: tuple[float, float, float, float]) -> Moments:
        """From sums of powers 1 to 4 of the differences from a value near the mean."""
        if not count:
            return cls()
        one, two, three, four = powers
        shift = one / count
        square = shift * shift  # products overflow to infinity, where powers would raise
        return cls(
            count,
            center + shift,
            max(two - count * square, 0.0),
            three - 3 * shift * two + 2 * count * square * shift,
            max(four - 4 * shift * three + 6 * square * two - 3 * count * square * square, 0.0),
        )

    @classmethod
    def of_values(cls, values: Reals, counts: Counts) -> Moments:
        """Of values that occur so often."""
        count = int(counts.sum())
        if not count:
            return cls()
        mean = float(values @ counts) / count
        one = values - mean
        two = one * one
        powers = float(one @ counts), float(two @ counts), float((two * one) @ counts), float((two * two) @ counts)
        return cls.about(mean, count, powers)

    def __add__(self, other: Moments) -> Moments:
        """Of both together."""
        if not self.count or not other.count:
            return other if not self.count else self
        a, b, n = self.count, other.count, self.count + other.count
        d = other.mean - self.mean
        dd = d * d
        return Moments(
            n,
            self.mean + d * b / n,
            self.second + other.second + dd * a * b / n,
            self.third
            + other.third
            + dd * d * a * b * (a - b) / n**2
            + 3 * d * (a * other.second - b * self.second) / n,
            self.fourth
            + other.fourth
            + dd * dd * a * b * (a**2 - a * b + b**2) / n**3
            + 6 * dd * (a**2 * other.second + b**2 * self.second) / n**2
            + 4 * d * (a * other.third - b * self.third) / n,
        )


@dataclass(eq=False)
class Statistics:
    """Sums up a tensor: `add` the scan of each part, then `finish`.

    Attributes
    ----------
    tensor
        Which.
    moments, low, high
        Of its finite values.
    zeros, positive, infinite, missing
        How many values are exact zeros, positive and finite, infinite, NaN.
    """

    tensor: StoredTensor
    moments: Moments = field(default_factory=Moments)
    low: float = math.inf
    high: float = -math.inf
    zeros: int = 0
    positive: int = 0
    infinite: int = 0
    missing: int = 0

    def __post_init__(self) -> None:
        form, shape = FORMATS[self.tensor.dtype], self.tensor.shape
        self._plus_zeros = 0
        self._bins: Counts = np.zeros(form.bins, np.int64)
        self._rows = np.zeros(shape[0] if len(shape) > 1 else 0)
        self._columns = np.zeros(math.prod(shape[1:]) if len(shape) > 1 else 0)

    def add(self, scan: Scan) -> None:
        """Add one part; added in the same order, parts give the same digits."""
        part = scan.part
        self._bins[scan.bins] += scan.counts
        if len(self._rows):
            self._rows[part.row : part.row + part.rows] += scan.row_sums
            self._columns[part.column : part.column + part.columns] += scan.column_sums
        if FORMATS[self.tensor.dtype].short:
            return
        finite = part.count - scan.infinite - scan.missing
        self.moments = self.moments + Moments.about(scan.center, finite, scan.powers)
        self.low, self.high = min(self.low, scan.low), max(self.high, scan.high)
        self.zeros += scan.zeros + scan.minus_zeros
        self._plus_zeros += scan.zeros
        self.infinite += scan.infinite
        self.missing += scan.missing

    def finish(self) -> Histogram:
        """The histogram, after the last part; for short formats everything but strengths is read off it."""
        form = FORMATS[self.tensor.dtype]
        histogram = Histogram.of_bins(form, self._bins)
        # The first bin of a long format, from zero on, is the only one to hold zeros among positive values.
        self.positive = int(histogram.counts[histogram.upper > 0].sum()) - self._plus_zeros
        if form.short:
            values, codes = histogram.lower, form.values
            self.infinite, self.missing = (int(self._bins[odd].sum()) for odd in (np.isinf(codes), np.isnan(codes)))
            if histogram.count:
                self.moments = Moments.of_values(values, histogram.counts)
                self.low, self.high = float(values[0]), float(values[-1])
                self.zeros = int(histogram.counts[values == 0].sum())
        return histogram

    def strengths(self) -> tuple[Reals, Reals] | None:
        """In-strength of each output and out-strength of each input, by the axes of a matrix or kernel."""
        if len(self.tensor.shape) < 2:
            return None
        second = self._columns.reshape(self.tensor.shape[1], -1).sum(1)
        return (second, self._rows) if self.tensor.transposed else (self._rows, second)
