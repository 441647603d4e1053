"""Results: everything that was found, for figures, page and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from synaplex.studies.finding import Finding
from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import Cell, Settings


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that was found.

    Attributes
    ----------
    datasets
        Names: that of MNIST's place first, that of CIFAR-10's last.
    descriptions
        What each holds, for readers.
    settings, scale, seed
        Of the run.
    earlier
        Seconds that earlier runs took for what this one found there.
    lost
        Cells whose networks have all diverged.
    field
        What was seen of each other cell.
    tests
        Each claim on each cell and layer.
    found
        Each claim on the whole.
    performance, cells, scalings, differentiation
        Tables: table 1, all cells, errors by scaling of the images (by dataset), and the control.
    """

    datasets: tuple[str, ...]
    descriptions: tuple[str, ...]
    settings: Settings
    scale: str
    seed: int
    earlier: float
    lost: tuple[str, ...]
    field: Mapping[Cell, Observed]
    tests: pl.DataFrame
    found: tuple[Finding, ...]
    performance: pl.DataFrame
    cells: pl.DataFrame
    scalings: Mapping[str, pl.DataFrame]
    differentiation: pl.DataFrame
