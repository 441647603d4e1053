"""The run of the study: train, analyse, write."""

from __future__ import annotations

import time
from pathlib import Path

from synaplex.datasets import load
from synaplex.population import train_specification
from synaplex.report import save_figure
from synaplex.studies.files import clear_leftovers, write_tables
from synaplex.studies.machine import Origin, machine
from synaplex.studies.scabini import recipe
from synaplex.studies.scabini.analysis import analyse
from synaplex.studies.scabini.drawings import drawings
from synaplex.studies.scabini.findings import findings, findings_table
from synaplex.studies.scabini.page import page
from synaplex.studies.stages import stages


def run(
    out: Path,
    *,
    dataset: str,
    networks: int,
    seed: int,
    epochs: int,
    data_dir: Path | None,
    chunk_size: int | None,
    progress: bool,
    settings: recipe.Analysis | None = None,
) -> Path:
    """See `synaplex.studies.scabini.run`; `settings` are those of the analysis, by default the study's own."""
    started = time.perf_counter()
    stage = stages(progress)
    data = load(dataset, data_dir)
    recipe.check(networks, epochs, seed, data)
    seeds = recipe.network_seeds(networks, seed)
    with stage(f"{networks} networks on {dataset}, {epochs} epochs"):
        population = train_specification(
            recipe.specification(data, epochs, seed),
            seeds=seeds,
            dataset=data,
            store=out / "population",
            chunk_size=chunk_size,
            progress=progress,
        )
    results = analyse(population, data, seeds, settings or recipe.Analysis(seed=seed), stage)
    found = findings(results)
    results.tables["findings"] = findings_table(found)
    with stage("tables, figures and the report"):
        clear_leftovers(out)
        write_tables(results.tables, out / "tables")
        drawn = drawings(results, population)
        for name, figure in drawn.items():
            save_figure(figure, out / "figures", name)
        options = {"dataset": dataset, "networks": networks, "seed": seed, "epochs": epochs, "out": out}
        command = " ".join(["synaplex study scabini", *(f"--{name} {value}" for name, value in options.items())])
        origin = Origin(command, machine(), time.perf_counter() - started)
        return page(results, found, drawn, origin).save(out / "report.html")
