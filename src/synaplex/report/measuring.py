"""Measures one by one, each for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from synaplex.errors import SynaplexError
from synaplex.graph import NeuralGraph
from synaplex.measures import Measure, describe, measure, plan
from synaplex.measures.table import Selection
from synaplex.report.cells import count
from synaplex.report.summary import neuron_columns

_COMPONENT = {"on_disconnected": "component"}


def chosen(names: Selection) -> dict[Measure, dict[str, Any]]:
    """The measures of a page with their options; none for an empty list. Raises as `plan` does."""
    return {} if isinstance(names, list | tuple | Mapping) and not names else plan(names)


def measure_each(
    graph: NeuralGraph, names: Selection, tell: Callable[[str], None] = lambda _: None
) -> tuple[pl.DataFrame, dict[str, str], dict[str, dict[str, Any]]]:
    """Measure all neurons, measure by measure, so that one that refuses doesn't take the others with it.

    Returns
    -------
    tuple
        The table, as from `synaplex.measure`, of the measures that have values; why others have none, wholly or for
        some neurons, by measure; and with which options each was computed.
    """
    frame = measure(graph, {})
    frame = frame.select(neuron_columns(frame))
    notes: dict[str, str] = {}
    read: dict[str, dict[str, Any]] = {}
    for known, options in chosen(names).items():
        tell(known.name)
        own = {**options, **{key: value for key, value in _COMPONENT.items() if key in options}}
        read |= describe({known: own})
        try:
            exact = {"method": "exact"} if "method" in known.controls else {}  # a page does not wait for iterations
            part = measure(graph, {known.name: {**own, **exact}}, undefined="null")
        except SynaplexError as error:
            notes[known.name] = str(error)
            continue
        frame = frame.with_columns(part[known.name])
        lost = part.filter(pl.col("reason").is_not_null())
        if len(lost):
            reasons = lost["reason"].str.strip_prefix(f"{known.name}: ").unique(maintain_order=True).to_list()
            notes[known.name] = f"{count(len(lost), 'neuron')} of {len(part):,}: {'; '.join(reasons)}"
    return frame, notes, read


def readings(read: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """How measures read the graph: a row a measure with columns ``measure``, ``edges`` (the rule) and ``options``."""
    rows = [
        {
            "measure": name,
            "edges": str(options.get("edges", "–")),
            "options": ", ".join(f"{key}={value}" for key, value in options.items() if key != "edges") or "–",
        }
        for name, options in read.items()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("measure", "edges", "options"), pl.String))
