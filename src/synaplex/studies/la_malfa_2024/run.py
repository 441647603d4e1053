"""The run of the study: train, observe, analyse, write."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from synaplex.datasets import Dataset, load
from synaplex.errors import UnknownNameError
from synaplex.report import save_figure
from synaplex.studies.files import clear_leftovers, write_tables
from synaplex.studies.la_malfa_2024 import recipe
from synaplex.studies.la_malfa_2024.control import control_finding, differentiation
from synaplex.studies.la_malfa_2024.data import OTHER, factor, scaled, scaling_of, trivial
from synaplex.studies.la_malfa_2024.drawings import drawings
from synaplex.studies.la_malfa_2024.findings import claims_table, every_test, findings, findings_table
from synaplex.studies.la_malfa_2024.page import page
from synaplex.studies.la_malfa_2024.performance import cells_table, performance_table, scalings_table
from synaplex.studies.la_malfa_2024.population import Observed, observe_cell, piece, train
from synaplex.studies.la_malfa_2024.results import Results
from synaplex.studies.la_malfa_2024.results_page import write_results_page
from synaplex.studies.machine import Origin, command, machine
from synaplex.studies.stages import Stage, stages

FORMAT = 1
"""Of the pieces: a change of what is observed makes old ones useless."""

_SCALING_NETWORKS, _SCALING_DEPTHS = 2, (3, 9)
"""Autoencoders trained on the other scaling of the images."""


@dataclass(frozen=True)
class Job:
    """What a run is about.

    Attributes
    ----------
    datasets
        Images in [0, 1].
    settings, scale
        How much of it, and the name of that.
    seed
        Of every random draw.
    """

    datasets: tuple[Dataset, ...]
    settings: recipe.Settings
    scale: str
    seed: int

    def identity(self, cell: recipe.Cell, data: Dataset) -> str:
        """What the piece of a cell depends on; the analysis may change without it."""
        kept = self.settings
        steps, networks = recipe.steps_of(cell, kept), dict(kept.networks)[cell.kind]
        parts = (FORMAT, cell.name, data.digest(), self.seed, networks, steps, kept.batch_size, kept.parameters)
        return repr((*parts, kept.sample, kept.kept_values, kept.kept_neurons, recipe.LEARNING_RATES))


def run(
    out: Path,
    *,
    scale: str,
    dataset: str,
    seed: int,
    data_dir: Path | None,
    results_page: Path | None,
    progress: bool,
    settings: recipe.Settings | None = None,
) -> Path:
    """See `synaplex.studies.la_malfa_2024.run`; `settings` take the place of the scale's."""
    started = time.perf_counter()
    if scale not in recipe.SETTINGS:
        raise UnknownNameError("scale", scale, recipe.SETTINGS)
    chosen = settings or recipe.SETTINGS[scale]
    names = [name.strip() for name in dataset.split(",")]
    whole = [load(name, data_dir) for name in dict.fromkeys(names)]
    recipe.check(whole, chosen, seed)
    data = tuple(_subset(one, chosen) for one in whole)
    stage = stages(progress)
    results = compute(out, Job(data, chosen, scale, seed), stage)
    with stage("tables, figures and the report"):
        clear_leftovers(out)
        write_tables(tables(results), out / "tables")
        drawn = drawings(results)
        for name, figure in drawn.items():
            save_figure(figure, out / "figures", name)
        asked = command("la-malfa-2024", scale=scale, dataset=dataset, seed=seed, out=out)
        origin = Origin(asked, machine(), time.perf_counter() - started + results.earlier)
        if results_page is not None:
            write_results_page(results, drawn, origin, Path(results_page))
        return page(results, drawn, origin).save(out / "report.html")


def compute(out: Path, job: Job, stage: Stage) -> Results:
    """Train and observe what is not among the pieces yet, and analyse everything."""
    names = tuple(one.name for one in job.datasets)
    images = {one.name: scaled(one, scaling_of(one.name)) for one in job.datasets}
    seen: dict[recipe.Cell, Observed] = {}
    started = time.perf_counter()
    cells = list(recipe.cells(names, job.settings))
    for number, cell in enumerate(cells):
        seeds = recipe.network_seeds(number, cell, job.settings, job.seed)
        with stage(f"{number + 1} of {len(cells)}: {len(seeds)} networks, {cell.title}"):
            seen[cell] = _cell(cell, seeds, images[cell.dataset], job, out)
    found = {cell: one for cell, one in seen.items() if one.networks}
    earlier = sum(float(one.arrays["seconds"]) for one in seen.values()) - (time.perf_counter() - started)
    scalings = {}
    for one in job.datasets:
        with stage(f"autoencoders on {one.name}, scaled otherwise"):
            scalings[one.name] = _scalings(one, found, job, out)
    with stage("claims and their null models"):
        tests = every_test(found, names)
        told = differentiation(found, job.settings.folds, job.seed)
    return Results(
        datasets=names,
        descriptions=tuple(repr(one).removeprefix("Dataset(").removesuffix(")") for one in job.datasets),
        settings=job.settings,
        scale=job.scale,
        earlier=max(0.0, earlier),
        lost=tuple(cell.title for cell in seen if cell not in found),
        seed=job.seed,
        field=found,
        tests=tests,
        found=(*findings(tests), control_finding(told)),
        performance=performance_table(found),
        cells=cells_table(found),
        scalings=scalings,
        differentiation=told,
    )


def tables(results: Results) -> dict[str, pl.DataFrame]:
    """Everything in tables, by name."""
    return {
        "findings": findings_table(results.found),
        "claims": claims_table(results.tests),
        "tests": results.tests,
        "performance": results.performance,
        "cells": results.cells,
        "differentiation": results.differentiation,
        **{f"scalings-{name}": table for name, table in results.scalings.items()},
    }


def _subset(data: Dataset, settings: recipe.Settings) -> Dataset:
    train = min(len(data.x_train), settings.train_size or len(data.x_train))
    return data.subset(train, min(len(data.x_test), settings.test_size or len(data.x_test)))


def _cell(cell: recipe.Cell, seeds: list[int], data: Dataset, job: Job, out: Path) -> Observed:
    def make() -> Observed:
        population = train(cell, data, job.settings, seeds, out / "populations" / cell.name)
        return observe_cell(cell, population, data, job.settings, job.seed)

    return piece(out / "pieces" / cell.name, job.identity(cell, data), cell, make)


def _scalings(unit: Dataset, found: dict[recipe.Cell, Observed], job: Job, out: Path) -> pl.DataFrame:
    """Errors by the scaling of the images; autoencoders with sigmoid outputs are trained on the other one too."""
    mine = scaling_of(unit.name)
    other = OTHER[mine]
    data = scaled(unit, other)
    few = replace(job.settings, networks=(("autoencoder", _SCALING_NETWORKS),))
    errors = []
    for depth in _SCALING_DEPTHS:
        cell = recipe.Cell(unit.name, "autoencoder", depth, "sigmoid")
        if cell not in found:
            continue
        seeds = recipe.network_seeds(len(found) + depth, cell, few, job.seed)
        train_one = partial(train, cell, data, few, seeds)
        scores = train_one(out / "populations" / f"{cell.name}-{other}").networks()
        errors.append(scores.filter(pl.col("step") == scores["step"].max())["test_loss"].drop_nulls().to_numpy())
    squashed = {factor(unit, other): np.concatenate(errors)} if errors else {}
    return scalings_table(found, unit.name, trivial(unit), factor(unit, mine), squashed)
