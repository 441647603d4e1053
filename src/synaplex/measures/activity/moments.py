"""Moments of a stream: means and central moments up to the fourth, merged exactly, whatever the batches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

BLOCK = 2**21
"""Values that are raised to powers at a time."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean, sums of powers of deviations from the mean, and extremes, of each of several quantities.

    Attributes
    ----------
    count
        Observations.
    mean, m2, m3, m4
        Mean, and sums of the second to fourth powers of the deviations from it, float64.
    low, high
        Smallest and largest observation.

    Notes
    -----
    Merging is exact up to rounding (Pébay 2008, Sandia report SAND2008-6212, eqs. 2.1 and 3.1): the moments of a stream
    do not depend on how it was cut into batches.
    """

    count: int
    mean: Float[Tensor, " cells"]
    m2: Float[Tensor, " cells"]
    m3: Float[Tensor, " cells"]
    m4: Float[Tensor, " cells"]
    low: Float[Tensor, " cells"]
    high: Float[Tensor, " cells"]

    @classmethod
    def of(cls, values: Float[Tensor, "observations cells"]) -> Moments:
        """Of one batch, in two passes over it."""
        width = max(1, BLOCK // len(values))
        parts = [_block(block) for block in torch.split(values, width, 1)] if values.shape[1] else [_block(values)]
        return cls(len(values), *(torch.cat(column) for column in zip(*parts, strict=True)))

    def merge(self, other: Moments) -> Moments:
        """Of both streams, one after the other."""
        total = self.count + other.count
        p, q = self.count / total, other.count / total
        delta = other.mean - self.mean
        return Moments(
            total,
            self.mean + q * delta,
            self.m2 + other.m2 + total * p * q * delta**2,
            self.m3 + other.m3 + total * p * q * (p - q) * delta**3 + 3 * delta * (p * other.m2 - q * self.m2),
            self.m4
            + other.m4
            + total * p * q * (1 - 3 * p * q) * delta**4
            + 6 * delta**2 * (p * p * other.m2 + q * q * self.m2)
            + 4 * delta * (p * other.m3 - q * self.m3),
            torch.minimum(self.low, other.low),
            torch.maximum(self.high, other.high),
        )

    def pool(self) -> Moments:
        """Of all quantities taken together, as a single one."""
        mean = self.mean.mean()
        delta = self.mean - mean
        n = self.count
        return Moments(
            n * len(self.mean),
            mean[None],
            (self.m2 + n * delta**2).sum()[None],
            (self.m3 + 3 * delta * self.m2 + n * delta**3).sum()[None],
            (self.m4 + 4 * delta * self.m3 + 6 * delta**2 * self.m2 + n * delta**4).sum()[None],
            self.low.min()[None],
            self.high.max()[None],
        )

    @property
    def flat(self) -> Bool[Tensor, " cells"]:
        """Which quantities never change: exactly, so that rounding does not make them spread."""
        return self.low == self.high

    @property
    def variance(self) -> Float[Tensor, " cells"]:
        """Mean squared deviation; 0 where nothing changes."""
        return (self.m2 / self.count).masked_fill(self.flat, 0.0)

    @property
    def skewness(self) -> Float[Tensor, " cells"]:
        """Third standardised moment; NaN where nothing changes."""
        value = self.m3 / self.count / (self.m2 / self.count) ** 1.5
        return value.masked_fill(self.flat, torch.nan)

    @property
    def kurtosis(self) -> Float[Tensor, " cells"]:
        """Fourth standardised moment, 3 for a Gaussian; NaN where nothing changes."""
        value = self.m4 * self.count / self.m2**2
        return value.masked_fill(self.flat, torch.nan)


def _block(values: Float[Tensor, "observations cells"]) -> tuple[Tensor, ...]:
    x = values.double()
    mean = x.mean(0)
    deviation = x - mean
    square = deviation * deviation
    return (
        mean,
        square.sum(0),
        (square * deviation).sum(0),
        (square * square).sum(0),
        x.amin(0),
        x.amax(0),
    )
