"""Results: everything that was found, for figures, page and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from synaplex.studies.finding import Finding
from synaplex.studies.structurereps.population import Population, Prediction
from synaplex.studies.structurereps.recipe import Settings, Task
from synaplex.studies.structurereps.shapes import ShapeSpace


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that was found.

    Attributes
    ----------
    tasks, settings, scale, seed
        Of the run.
    seconds
        That its pieces took, in this run or an earlier one.
    curves
        By task and target, the performance of the networks of tables 1 and 2 at every epoch, ``(networks, epochs)``.
    fits
        As `every_fit`.
    trajectories, networks, ablation
        As `trajectory_table` and `network_table`; the ablation is empty where none of its tasks was chosen.
    space, shapes
        Figure 2, and its numbers; None where its task was not chosen.
    population, prediction, saved
        The population, how well it is predicted, and the regression of the encoder that was saved.
    found
        Each claim with its verdict.
    """

    tasks: tuple[Task, ...]
    settings: Settings
    scale: str
    seed: int
    seconds: float
    curves: Mapping[tuple[str, str], np.ndarray]
    fits: pl.DataFrame
    trajectories: pl.DataFrame
    networks: pl.DataFrame
    ablation: pl.DataFrame | None
    space: ShapeSpace | None
    shapes: pl.DataFrame | None
    population: Population
    prediction: Prediction
    saved: str
    found: tuple[Finding, ...]
