"""The run of the study on one dataset: train, analyse, write."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from synaplex.datasets import load
from synaplex.errors import UnreadableFileError
from synaplex.report import save_figure
from synaplex.report.files import replacing
from synaplex.studies.files import clear_leftovers, write_tables
from synaplex.studies.machine import Origin, command, machine
from synaplex.studies.scabini.analysis import analyse
from synaplex.studies.scabini.drawings import drawings
from synaplex.studies.scabini.findings import findings, findings_table
from synaplex.studies.scabini.page import page
from synaplex.studies.scabini.recipe import (
    Analysis,
    check,
    network_seeds,
    specification,
    variant_specification,
    variants,
)
from synaplex.studies.scabini.training import STORE, Training
from synaplex.studies.stages import stages

RECORD = "analysis.json"
"""Written last: which networks were analysed, and how."""


def run(
    out: Path,
    *,
    dataset: str,
    networks: int,
    seed: int,
    epochs: int,
    data_dir: Path | None,
    training: Training,
    recipe: str = "paper",
    initializations: int = 0,
    settings: Analysis | None = None,
    again: bool = True,
) -> Path:
    """See `synaplex.studies.scabini.run`.

    `settings` are those of the analysis, by default the study's own; without `again`, an analysis of the same networks
    with the same settings that is there already is left as it is.
    """
    started = time.perf_counter()
    stage = stages(training.progress)
    data = load(dataset, data_dir)
    check(networks, epochs, seed, data)
    seeds = network_seeds(networks, seed)
    spec = specification(data, epochs, seed, recipe)
    chosen = settings or Analysis(seed=seed)
    with stage(f"{networks} networks on {dataset}, {epochs} epochs"):
        population, analysed = training.population(spec, data, seeds, out / STORE)
    others = {}
    if initializations:
        for variant in variants(spec):
            changed = variant_specification(spec, variant)
            with stage(f"{initializations} networks with {variant.title}"):
                try:
                    others[variant.name], _ = training.population(
                        changed, data, seeds[:initializations], out / "initializations" / variant.name / STORE
                    )
                except UnreadableFileError:
                    if training.enabled:
                        raise
    record = {
        "specification": spec.model_dump(mode="json"),
        "dataset": data.digest(),
        "seeds": list(analysed),
        "initializations": {name: sorted(one.seeds) for name, one in others.items()},
        "settings": asdict(chosen),
        "version": machine()["versions"],
    }
    if not again and analysis_record(out) == record:
        return out / "report.html"
    (out / RECORD).unlink(missing_ok=True)
    results = analyse(population, data, analysed, chosen, stage, others)
    found = findings(results)
    results.tables["findings"] = findings_table(found)
    with stage("tables, figures and the report"):
        clear_leftovers(out)
        write_tables(results.tables, out / "tables")
        drawn = drawings(results, population)
        for name, figure in drawn.items():
            save_figure(figure, out / "figures", name)
        options: dict[str, object] = {"dataset": dataset, "networks": networks, "seed": seed, "epochs": epochs}
        options |= {"recipe": recipe} if recipe != "paper" else {}
        options |= {"initializations": initializations} if initializations else {}
        origin = Origin(command("scabini", **options, out=out), machine(), time.perf_counter() - started)
        report = page(results, found, drawn, origin).save(out / "report.html")
        with replacing(out / RECORD) as part:
            part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return report


def analysis_record(folder: Path) -> dict[str, object] | None:
    """What the finished analysis in a folder is of; None where there is none."""
    try:
        return dict(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
