"""The distribution of a stream in bounded memory: counts in bins whose width grows with the value."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

EXPONENT = 40
"""Magnitudes from 2^-40 to 2^40 are told apart; smaller ones count as zero, larger ones as the largest."""

STEPS = 32
"""Bins in each octave."""

_SIDE = 2 * EXPONENT * STEPS


class Sketch:
    """Counts of values in bins that are narrow in proportion: each octave of either sign is cut into 32 equal bins.

    A quantile is right within 1/64 of its magnitude. Counts only add up, so the sketch of a stream does not depend on
    how it was cut into batches, and two sketches are merged by adding them.
    """

    def __init__(self) -> None:
        self._counts = torch.zeros(2 * _SIDE + 1, dtype=torch.int64)

    def add(self, values: Float[Tensor, "*shape"]) -> None:
        """Count values, all of them finite."""
        flat = values.flatten().float() if values.dtype in (torch.float16, torch.bfloat16) else values.flatten()
        mantissa, exponent = torch.frexp(flat.abs())
        place = (exponent.long() + EXPONENT - 1) * STEPS + (mantissa * (2 * STEPS)).long() - STEPS
        place = torch.where(place < 0, -1, place.clamp(max=_SIDE - 1))
        place = torch.where(flat == 0, -1, place)
        index = _SIDE + torch.where(flat < 0, -1 - place, 1 + place)
        index = torch.where(place < 0, _SIDE, index)
        self._counts += torch.bincount(index, minlength=len(self._counts)).cpu()

    @property
    def counts(self) -> Int[Tensor, " bins"]:
        """Number of values in each bin, from the lowest to the highest."""
        return self._counts

    @property
    def edges(self) -> Float[np.ndarray, " edges"]:
        """Where bins begin and end."""
        octaves = 2.0 ** np.arange(-EXPONENT, EXPONENT)
        upper = np.append((octaves[:, None] * (1 + np.arange(STEPS) / STEPS)).ravel(), 2.0**EXPONENT)
        return np.concatenate([-upper[::-1], upper])

    def quantiles(self, shares: Float[np.ndarray, " shares"], low: float, high: float) -> Float[np.ndarray, " shares"]:
        """Values below which these shares of the stream lie.

        Parameters
        ----------
        shares
            From 0 to 1.
        low, high
            Smallest and largest value of the stream.
        """
        counts = self._counts.numpy()
        edges = np.clip(self.edges, low, high)
        middle = (edges[:-1] + edges[1:]) / 2
        middle[_SIDE] = min(max(0.0, low), high)
        reached = np.cumsum(counts)
        where = np.searchsorted(reached, np.asarray(shares) * (reached[-1] - 1) + 0.5)
        values: Float[np.ndarray, " shares"] = middle[np.minimum(where, len(middle) - 1)]
        return np.where(np.asarray(shares) <= 0, low, np.where(np.asarray(shares) >= 1, high, values))

    def histogram(self, edges: Float[np.ndarray, " edges"], low: float, high: float) -> Float[np.ndarray, " bins"]:
        """Number of values between given edges, with values spread evenly within the bins of the sketch.

        Parameters
        ----------
        edges
            Increasing; the last one belongs to the last bin.
        low, high
            Smallest and largest value of the stream.
        """
        counts = self._counts.numpy()
        held = np.flatnonzero(counts)
        own = np.clip(self.edges, low, high)
        left, right, weight = own[:-1][held], own[1:][held], counts[held].astype(np.float64)
        if counts[_SIDE]:  # zeros are a point, not an interval
            left[held == _SIDE] = right[held == _SIDE] = min(max(0.0, low), high)
        asked = np.asarray(edges, dtype=np.float64)
        width = np.where(right > left, right - left, 1.0)
        below = np.clip((asked[:, None] - left) / width, 0.0, 1.0)
        below = np.where(right > left, below, asked[:, None] > left)
        below[-1] = np.where(right <= left, asked[-1] >= left, below[-1])
        counted: Float[np.ndarray, " bins"] = np.diff(below @ weight)
        return counted
