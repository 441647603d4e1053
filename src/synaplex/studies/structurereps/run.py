"""The run of the study: train, fit, judge, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.datasets import Dataset
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.report import save_figure
from synaplex.studies.files import clear_leftovers, write_tables
from synaplex.studies.machine import Origin, command, machine
from synaplex.studies.stages import Stage, stages
from synaplex.studies.structurereps import population as crowd
from synaplex.studies.structurereps import recipe
from synaplex.studies.structurereps.data import known_data, sampled, task_data
from synaplex.studies.structurereps.drawings import drawings
from synaplex.studies.structurereps.findings import (
    ablation_findings,
    findings_table,
    network_findings,
    paper_findings,
    population_findings,
    shape_findings,
)
from synaplex.studies.structurereps.fits import Bench, Decoded
from synaplex.studies.structurereps.methods import ESTIMATORS, defaults
from synaplex.studies.structurereps.page import page
from synaplex.studies.structurereps.pieces import Pieces
from synaplex.studies.structurereps.results import Results
from synaplex.studies.structurereps.results_page import write_results_page
from synaplex.studies.structurereps.shapes import shape_space, shapes_table
from synaplex.studies.structurereps.splits import EPOCHS, HALF
from synaplex.studies.structurereps.tables import BESIDE, every_fit, network_table, trajectory_table
from synaplex.studies.structurereps.trajectories import Trajectories, trajectories


@dataclass(frozen=True)
class Job:
    """What a run is about.

    Attributes
    ----------
    tasks
        That were chosen.
    population
        Name of the dataset of the population.
    settings, scale
        How much of it, and the name of that.
    seed
        Of every random draw.
    data_dir
        Where datasets lie.
    """

    tasks: tuple[recipe.Task, ...]
    population: str
    settings: recipe.Settings
    scale: str
    seed: int
    data_dir: Path | None


def run(
    out: Path,
    *,
    scale: str,
    tasks: str,
    population: str,
    seed: int,
    data_dir: Path | None,
    results_page: Path | None,
    progress: bool,
    settings: recipe.Settings | None = None,
) -> Path:
    """See `synaplex.studies.structurereps.run`; `settings` take the place of the scale's."""
    if scale not in recipe.SETTINGS:
        raise UnknownNameError("scale", scale, recipe.SETTINGS)
    chosen = settings or recipe.SETTINGS[scale]
    recipe.check(chosen, seed)
    job = Job(chosen.chosen(tasks), population, chosen, scale, seed, data_dir)
    stage = stages(progress)
    results = compute(out, job, stage)
    with stage("tables, figures and the report"):
        clear_leftovers(out)
        write_tables(tables(results), out / "tables")
        drawn = drawings(results)
        for name, figure in drawn.items():
            save_figure(figure, out / "figures", name)
        asked = command("structurereps", scale=scale, tasks=tasks, population=population, seed=seed, out=out)
        origin = Origin(asked, machine(), results.seconds)
        if results_page is not None:
            write_results_page(results, drawn, origin, Path(results_page))
        return page(results, drawn, origin).save(out / "report.html")


def compute(out: Path, job: Job, stage: Stage) -> Results:
    """Train and fit what is not among the pieces yet, and judge everything."""
    settings, seed, pieces = job.settings, job.seed, Pieces(out)
    for kind in ESTIMATORS:
        pieces.rest_on(f"set of defaults of {kind.__name__}", defaults(kind))
    by_epoch: list[Decoded] = []
    by_network: list[Decoded] = []
    without: list[Decoded] = []
    curves: dict[tuple[str, str], np.ndarray] = {}
    space = None
    people, prediction, saved = _population(out, job, pieces, stage)
    for task in job.tasks:
        with stage(f"{task.title}: networks of {len(task.layouts)} widths and {len(task.rates)} learning rates"):
            data = task_data(task, job.data_dir, seed, pieces)
            known = trajectories(task, settings, seed, data, pieces)
        bench = Bench(task, known, settings, seed, pieces)
        curves |= {(task.name, target): _curves(task, known, target, settings) for target in recipe.TARGETS}
        with stage(f"{task.title}: epochs of single networks held out"):
            by_epoch += bench.trajectory_fits()
        with stage(f"{task.title}: whole networks held out"):
            by_network += bench.network_fits()
        if task.name in settings.ablated:
            with stage(f"{task.title}: parts of the encoder taken away"):
                without += bench.ablation_fits()
        if task.name == settings.shapes.task:
            with stage(f"{task.title}: regular, deeper and wider networks"):
                space = shape_space(task, settings, seed, data, pieces)
    with stage("claims and their intervals"):
        fits = every_fit([*by_epoch, *by_network])
        table = trajectory_table(fits.filter(pl.col("split").is_in([EPOCHS, HALF])))
        networks = network_table(by_network, beside=BESIDE, resamples=settings.resamples, seed=seed)
        ablation = None
        if without:
            ablation = network_table(without, beside=("everything",), resamples=settings.resamples, seed=seed)
        shapes = None if space is None else shapes_table(space)
        found = (
            *paper_findings(fits, table),
            *network_findings(networks),
            *population_findings(prediction),
            *(ablation_findings(ablation) if ablation is not None else ()),
            *(shape_findings(shapes) if shapes is not None else ()),
        )
    return Results(
        tasks=job.tasks,
        settings=settings,
        scale=job.scale,
        seed=seed,
        seconds=pieces.seconds,
        curves=curves,
        fits=fits,
        trajectories=table,
        networks=networks,
        ablation=ablation,
        space=space,
        shapes=shapes,
        population=people,
        prediction=prediction,
        saved=saved,
        found=found,
    )


def tables(results: Results) -> dict[str, pl.DataFrame]:
    """Everything in tables, by name."""
    optional = {"ablation": results.ablation, "shapes": results.shapes}
    return {
        "findings": findings_table(results.found),
        "fits": results.fits,
        "trajectories": results.trajectories,
        "networks": results.networks,
        "population": crowd.with_scores(results.population),
        "prediction": results.prediction.scores,
        "coverage": results.prediction.coverage,
        **{name: table for name, table in optional.items() if table is not None},
    }


def _population(out: Path, job: Job, pieces: Pieces, stage: Stage) -> tuple[crowd.Population, crowd.Prediction, str]:
    wanted = job.settings.crowd
    with stage(f"{wanted.networks} networks on {job.population}"):
        data = _population_data(job, pieces)
        people = crowd.train_population(job.population, job.settings, job.seed, data, pieces)
    with stage("features of the population"):
        found = crowd.features(people, job.settings, pieces)
    with stage("prediction across the population"):
        prediction = crowd.predict(people, found, job.settings)
        saved = crowd.write_encoder(people, found, job.settings, pieces, out / "encoder")
    return people, prediction, saved


def _population_data(job: Job, pieces: Pieces) -> Dataset:
    whole = known_data(job.population, job.data_dir, pieces)
    if not whole.classes:
        raise SpecificationError(f"the population classifies, and {whole!r} has no classes")
    return sampled(whole, job.settings.crowd.train_size, job.settings.crowd.test_size, job.seed)


def _curves(
    task: recipe.Task, known: tuple[Trajectories, ...], target: str, settings: recipe.Settings
) -> Float[np.ndarray, "networks epochs"]:
    middle = known[task.middle[0]]
    own = [member for member in middle.networks if recipe.traced(task, member, settings)]
    return np.stack([middle.performance(target, member) for member in own])
