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
from synaplex.population import Population
from synaplex.population.store import Store
from synaplex.report import console
from synaplex.report.cells import count
from synaplex.report.contents import tensors
from synaplex.report.measuring import readings

_WEIGHTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".h5", ".hdf5", ".onnx")
"""How the names of files of weights end."""


def print_model(path: Path) -> None:
    """Print what a file of weights or edges holds, and what each tensor became in the graph.

    A file that makes no graph is listed all the same, with the reason. Raises `UnreadableFileError`.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            graph = load(path)
            text, coverage = repr(graph), graph.coverage().select("parameter", "outcome", "detail")
        except InvalidGraphError as error:
            typed = f" (on the command line: synaplex measure {path} --tensors)" if "measure_file" in str(error) else ""
            text, coverage = f"No graph: {error}{typed}", None
    console.say(f"{path}: {path.stat().st_size:,} bytes")
    for one in told:
        console.say(f"Warning: {one.message}")
    console.say(text)
    held = tensors(path)
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
    try:
        population = Population.open(folder)
    except UnreadableFileError as error:
        held = [file for file in folder.iterdir() if file.name.endswith(_WEIGHTS)] if folder.is_dir() else []
        if not held or (folder / Store.record_name).exists():
            raise
        first = min(held, key=lambda file: (not file.name.startswith("model"), file.name))
        raise UnreadableFileError(
            f"{error}. It holds files of weights: synaplex info {first} says what is in one, and synaplex measure "
            f"{folder} measures their tensors"
        ) from error
    console.say(repr(population))
    spec: dict[str, Any] = population.spec.model_dump(mode="json")
    measures: Mapping[str, Mapping[str, Any]] = spec.pop("measures")
    console.print_facts(
        {key: value if isinstance(value, str | int) else json.dumps(value) for key, value in spec.items()}
    )
    if measures:
        console.print_table(readings(measures), "Measures at each snapshot")
    if not len(population):
        return
    networks = population.networks()
    last = networks.filter(pl.col("epoch") == networks["epoch"].max())
    scores = [name for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy") if last[name].count()]
    rows = [
        {"score": name, **{how: getattr(last[name], how)() for how in ("mean", "std", "min", "max")}} for name in scores
    ]
    if rows:
        console.print_table(pl.DataFrame(rows), f"{len(population):,} networks after the last epoch")
    lost = networks.filter(pl.col("reason").is_not_null())["seed"].n_unique()
    undefined = population.scan_neurons().filter(pl.col("reason").is_not_null()).select(pl.len()).collect().item()
    console.say(f"{lost:,} networks have diverged; {undefined:,} rows of neurons hold an undefined value")
