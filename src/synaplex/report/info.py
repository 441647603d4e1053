"""What is in a file or a store, printed."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from synaplex.errors import InvalidGraphError, UnreadableFileError
from synaplex.graph import load
from synaplex.graph.load import file_kind
from synaplex.population import ModulePopulation, Population
from synaplex.population.modules import ModuleStore
from synaplex.population.store import Store
from synaplex.report import console
from synaplex.report.cells import count
from synaplex.report.contents import tensors
from synaplex.report.measuring import readings

_WEIGHTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".h5", ".hdf5", ".onnx")
"""How the names of files of weights end."""

_IN_FOLDERS = (".safetensors", ".bin")
"""And of those that `synaplex measure FOLDER` finds in a folder."""


def print_model(path: Path) -> None:
    """Print what a file of weights or edges holds, and what each tensor became in the graph.

    A file that makes no graph is listed all the same, with the reason.

    Raises
    ------
    UnreadableFileError
        If it is missing, damaged or of an unknown kind.
    MissingExtraError
        If it takes a package that is not installed.
    """
    kind = file_kind(path)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            graph = load(path)
            text, coverage = repr(graph), graph.coverage().select("parameter", "outcome", "detail")
        except (InvalidGraphError, UnreadableFileError) as error:
            if isinstance(error, UnreadableFileError) and kind != "onnx":  # of which no computation is read
                raise
            typed = f" (on the command line: synaplex measure {path} --tensors)" if "measure_file" in str(error) else ""
            text, coverage = f"No graph: {error}{typed}", None
    held = tensors(path)
    console.say(f"{path}: {path.stat().st_size:,} bytes")
    for one in told:
        console.say(f"Warning: {one.message}")
    console.say(text)
    if coverage is not None:
        held = held.join(coverage, on="parameter", how="left", maintain_order="left") if len(held) else coverage
    if len(held):
        hide = [name for name in ("zeros", "not_finite") if name in held.columns and not held[name].sum()]
        values = f", {held['values'].sum():,} values" if "values" in held.columns else ""
        console.print_table(held, f"{count(len(held), 'tensor')}{values}", hide=hide)


def print_store(folder: Path) -> None:
    """Print what the store of a population holds.

    Raises
    ------
    UnreadableFileError
        If there is none; where there are files of weights instead, says how to read them.
    """
    if (folder / ModuleStore.record_name).is_file():
        _print_modules(ModulePopulation.open(folder))
        return
    try:
        population = Population.open(folder)
    except UnreadableFileError as error:
        held = [file for file in folder.iterdir() if file.name.endswith(_WEIGHTS)] if folder.is_dir() else []
        if not held or (folder / Store.record_name).exists():
            raise
        first = min(held, key=lambda file: (not file.name.startswith("model"), file.name))
        together = any(file.name.endswith(_IN_FOLDERS) for file in held)
        raise UnreadableFileError(
            f"{error}. It holds files of weights: synaplex info {first} says what is in one"
            + (f", and synaplex measure {folder} measures their tensors" if together else "")
        ) from error
    _print_population(population)


def _print_population(population: Population) -> None:
    console.say(repr(population))
    spec: dict[str, Any] = population.spec.model_dump(mode="json")
    measures: Mapping[str, Mapping[str, Any]] = spec.pop("measures")
    _print_specification(spec)
    if measures:
        console.print_table(readings(measures), "Measures at each snapshot")
    if not len(population):
        return
    lost = _print_scores(population.networks(), "epoch")
    undefined = population.scan_neurons().filter(pl.col("reason").is_not_null()).select(pl.len()).collect().item()
    console.say(f"{lost:,} networks have diverged; {undefined:,} rows of neurons hold an undefined value")


def _print_modules(population: ModulePopulation) -> None:
    console.say(repr(population))
    _print_specification(population.spec.model_dump(mode="json"))
    if not len(population):
        return
    lost = _print_scores(population.networks(), "step")
    console.say(f"{lost:,} networks have diverged")
    if population.spec.measured:
        console.say(f"Columns of the measures: {', '.join(population.scan_measures().collect_schema())}")


def _print_specification(spec: Mapping[str, Any]) -> None:
    console.print_facts(
        {key: value if isinstance(value, str | int) else json.dumps(value) for key, value in spec.items()}
    )


def _print_scores(networks: pl.DataFrame, time: str) -> int:
    """Print how networks did after the last epoch or step, and return how many have diverged."""
    last = networks.filter(pl.col(time) == networks[time].max())
    scores = [name for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy") if last[name].count()]
    rows = [
        {"score": name, **{how: getattr(last[name], how)() for how in ("mean", "std", "min", "max")}} for name in scores
    ]
    if rows:
        console.print_table(pl.DataFrame(rows), f"{len(last):,} networks after the last {time}")
    return networks.filter(pl.col("reason").is_not_null())["seed"].n_unique()
