"""Claim: a statement of the paper with the number that decides it, and where it applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synaplex.studies.la_malfa_2024.comparisons import Numbers
from synaplex.studies.la_malfa_2024.recipe import Cell


@dataclass(frozen=True)
class Criterion:
    """When the interval of a mean makes a claim hold, and when it makes it fail.

    Attributes
    ----------
    low, high
        It holds if the whole interval lies between, and fails if none of it does.
    """

    low: float = -np.inf
    high: float = np.inf

    def holds(self, low: float, high: float) -> bool:
        """Whether the interval lies within."""
        return self.low < low and high < self.high

    def fails(self, low: float, high: float) -> bool:
        """Whether the interval lies without."""
        return high <= self.low or low >= self.high

    def __str__(self) -> str:
        if np.isinf(self.high):
            return f"above {self.low:g}"
        return f"below {self.high:g}" if np.isinf(self.low) else f"between {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class Claim:
    """A claim about each cell and layer to which it applies.

    Attributes
    ----------
    key, topic
        For tables, and the part of the report.
    statement
        So that it can be false.
    source
        Where the paper says so.
    quantity
        What the number is.
    numbers
        Computes it.
    criterion
        For the 95% interval of its mean over networks.
    applies
        To which cells.
    layers
        To which layers: cell, number of the layer (1 is the first hidden one).
    where
        The dataset of which the paper says it: ``"first"`` (MNIST), ``"last"`` (CIFAR-10) or ``"both"``.
    depths
        The depths of which it says so; all where None.
    nulls
        Whether null models are tested as well.
    """

    key: str
    topic: str
    statement: str
    source: str
    quantity: str
    numbers: Numbers
    criterion: Criterion
    applies: Callable[[Cell], bool] = lambda cell: True
    layers: Callable[[Cell, int], bool] = lambda cell, layer: layer < cell.depth - 1
    where: Literal["first", "last", "both"] = "both"
    depths: tuple[int, ...] | None = None
    nulls: bool = True

    def published(self, cell: Cell, datasets: tuple[str, ...]) -> bool:
        """Whether the paper speaks of this cell."""
        named = {"first": datasets[:1], "last": datasets[-1:], "both": datasets}[self.where]
        return cell.dataset in named and (self.depths is None or cell.depth in self.depths)
