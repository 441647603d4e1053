"""The run of the study: train, analyse, write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from synaplex.datasets import Dataset, load
from synaplex.errors import UnknownNameError, UnreadableFileError
from synaplex.report import save_figure
from synaplex.report.files import write_text
from synaplex.studies.files import clear_leftovers, write_tables
from synaplex.studies.la_malfa_2021 import recipe
from synaplex.studies.la_malfa_2021.analysis import CellResults, analyse
from synaplex.studies.la_malfa_2021.drawings import drawings
from synaplex.studies.la_malfa_2021.findings import findings, findings_table, tests_table
from synaplex.studies.la_malfa_2021.individual import individual_table, train_individual
from synaplex.studies.la_malfa_2021.page import Results, page
from synaplex.studies.la_malfa_2021.population import piece, train_cell
from synaplex.studies.la_malfa_2021.results_page import results_markdown
from synaplex.studies.machine import Origin, command, machine
from synaplex.studies.stages import Stage, stages

FORMAT = 2
"""Of the pieces: a change of what is kept makes old ones useless."""


@dataclass(frozen=True)
class Job:
    """What a run is about.

    Attributes
    ----------
    dataset, individual
        Of the populations, and of the single network.
    settings, scale
        How much of it, and the name of that.
    seed
        Of every random draw.
    """

    dataset: Dataset
    individual: Dataset
    settings: recipe.Settings
    scale: str
    seed: int

    def identity(self, what: str, data: Dataset) -> str:
        """What a piece depends on; the analysis may change without it."""
        kept = self.settings
        parts = (FORMAT, what, data.digest(), self.seed, kept.networks, kept.steps, kept.batch_size, kept.evaluated)
        more = (kept.kept_neurons, kept.kept_weights, kept.null_draws, recipe.LEARNING_RATES, recipe.WIDE_RATE)
        single = (kept.individual_steps, kept.individual_batch, kept.individual_networks)
        return repr((*parts, *more, single if what == "individual" else ()))


def run(
    out: Path,
    *,
    dataset: str | None,
    scale: str,
    seed: int,
    data_dir: Path | None,
    results_page: Path | None,
    progress: bool,
    settings: recipe.Settings | None = None,
) -> Path:
    """See `synaplex.studies.la_malfa_2021.run`; `settings` take the place of the scale's."""
    started = time.perf_counter()
    if scale not in recipe.SETTINGS:
        raise UnknownNameError("scale", scale, recipe.SETTINGS)
    chosen = settings or recipe.SETTINGS[scale]
    data = populations_dataset(dataset, data_dir)
    recipe.check(data, chosen, seed)
    stage = stages(progress)
    job = Job(data, individual_dataset(data, data_dir), chosen, scale, seed)
    results = compute(out / "pieces", job, stage)
    with stage("tables, figures and the report"):
        clear_leftovers(out)
        write_tables(tables(results), out / "tables")
        drawn = drawings(results)
        for name, figure in drawn.items():
            save_figure(figure, out / "figures", name)
        asked = command("la-malfa-2021", dataset=data.name, scale=scale, seed=seed, out=out)
        origin = Origin(asked, machine(), time.perf_counter() - started)
        if results_page is not None:
            write_text(results_page, results_markdown(results, origin))
        return page(results, drawn, origin).save(out / "report.html")


def compute(pieces: Path, job: Job, stage: Stage) -> Results:
    """Train what is not among the pieces yet, and analyse everything."""
    found: list[CellResults] = []
    cells = list(recipe.cells(job.settings))
    for at, (number, cell) in enumerate(cells, start=1):
        with stage(f"{at} of {len(cells)}: {job.settings.networks} networks, {cell.title}"):
            found.append(_cell(cell, number, job, pieces))
    with stage(f"one network on {job.individual.name}"):
        single = piece(
            pieces / "individual",
            job.identity("individual", job.individual),
            lambda: train_individual(job.individual, job.settings, job.seed),
            recipe.individual_plan(job.individual),
        )
        followed = individual_table(single, job.settings)
    tests = tests_table(found)
    return Results(
        dataset=job.dataset,
        individual_dataset=job.individual,
        settings=job.settings,
        scale=job.scale,
        seed=job.seed,
        cells=tuple(found),
        individual=single,
        individual_table=followed,
        tests=tests,
        found=findings(found, tests, followed),
    )


def tables(results: Results) -> dict[str, pl.DataFrame]:
    """Everything in tables, by name."""
    return {
        "findings": findings_table(results.found),
        "tests": results.tests,
        "individual": results.individual_table,
        **_gathered(results.cells),
    }


def _cell(cell: recipe.Cell, number: int, job: Job, folder: Path) -> CellResults:
    make = partial(train_cell, cell, number, job.dataset, job.settings, job.seed)
    network = recipe.plan(cell.kind, cell.order, job.dataset)
    moments = piece(folder / cell.name, job.identity(cell.name, job.dataset), make, network)
    return analyse(cell, moments, job.settings, job.seed)


def populations_dataset(name: str | None, data_dir: Path | None) -> Dataset:
    """The dataset of that name; without a name MNIST, or digits where nobody says where MNIST is."""
    if name is not None:
        return load(name, data_dir)
    try:
        return load("mnist", data_dir)
    except UnreadableFileError:
        if data_dir is not None:
            raise
        return load("digits")


def individual_dataset(data: Dataset, data_dir: Path | None) -> Dataset:
    """CIFAR-10 where its files are there; the dataset of the populations where not, or where that is digits."""
    if data.name == "digits":
        return data
    try:
        return load("cifar10", data_dir)
    except UnreadableFileError:
        return data


def _gathered(found: Sequence[CellResults]) -> dict[str, pl.DataFrame]:
    """The tables of all populations, one under the other."""
    result = {}
    for name in ("bins", "moments", "numbers", "prediction"):
        attribute = name if name in ("numbers", "prediction") else f"{name}_table"
        parts = []
        for one in found:
            table: pl.DataFrame = getattr(one, attribute)
            if len(table):
                cell = one.cell
                index = {"kind": cell.kind, "initializer": cell.initializer, "scale": cell.scale}
                parts.append(table.select(*(pl.lit(v).alias(k) for k, v in index.items()), _order(cell), pl.all()))
        if parts:
            result[name] = pl.concat(parts)
    return result


def _order(cell: recipe.Cell) -> pl.Expr:
    return pl.lit(cell.order, dtype=pl.Int32).alias("order")
