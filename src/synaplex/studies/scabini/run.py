"""The run of the study: train, analyse, write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from rich.console import Console

from synaplex.datasets import load
from synaplex.population import train_specification
from synaplex.report import save_figure
from synaplex.report.files import replacing
from synaplex.studies.scabini import recipe
from synaplex.studies.scabini.analysis import Stage, analyse
from synaplex.studies.scabini.drawings import drawings
from synaplex.studies.scabini.findings import findings, findings_table
from synaplex.studies.scabini.machine import machine
from synaplex.studies.scabini.page import Origin, page


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
        _clear_leftovers(out)
        write_tables(results.tables, out / "tables")
        drawn = drawings(results, population)
        for name, figure in drawn.items():
            save_figure(figure, out / "figures", name)
        options = {"dataset": dataset, "networks": networks, "seed": seed, "epochs": epochs, "out": out}
        command = " ".join(["synaplex study scabini", *(f"--{name} {value}" for name, value in options.items())])
        origin = Origin(command, machine(), time.perf_counter() - started)
        return page(results, found, drawn, origin).save(out / "report.html")


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> None:
    """Each table as ``name.parquet`` and ``name.csv``, whole or not at all; equal tables give equal files."""
    for name, table in tables.items():
        with replacing(folder / f"{name}.parquet") as part:
            table.write_parquet(part)
        with replacing(folder / f"{name}.csv") as part:
            table.write_csv(part)


def _clear_leftovers(out: Path) -> None:
    """Remove what a run that was killed while it wrote has left: files that did not get their name yet."""
    for part in (found for folder in (out, out / "tables", out / "figures") for found in folder.glob(".*.part")):
        part.unlink(missing_ok=True)


def stages(shown: bool) -> Stage:
    """What tells on standard error what is being done, and when it is done how long it took."""
    console = Console(stderr=True, highlight=False, quiet=not shown)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.perf_counter()
        console.print(f"[dim]…[/] {name}", end="\r" if console.is_terminal else "\n")
        yield
        console.print(f"[green]✓[/] {name} [dim]{time.perf_counter() - started:.1f} s[/]")

    return stage
