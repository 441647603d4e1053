"""`sx.measure`: measures as a table, a row a neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from jaxtyping import Int
from torch import Tensor

from synaplex.errors import (
    DisconnectedGraphError,
    GraphTooLargeError,
    IncompleteGraphError,
    MeasureOverflowError,
    SingularLaplacianError,
    SpecificationError,
    SynaplexError,
    ToleranceError,
    UndefinedMeasureError,
    suggestion,
)
from synaplex.graph import NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.bounds import Bounds
from synaplex.measures.input import check_graph
from synaplex.measures.layers import Layers, neurons_of
from synaplex.measures.parts import in_parts
from synaplex.measures.presets import find_preset
from synaplex.measures.registry import CONTROLS, Measure, find
from synaplex.measures.undefined import Undefined

Selection = str | Sequence[str] | Mapping[str, Mapping[str, Any]]

_UNDEFINED = (
    DisconnectedGraphError,
    IncompleteGraphError,
    MeasureOverflowError,
    SingularLaplacianError,
    ToleranceError,
    UndefinedMeasureError,
)
"""What ``undefined="null"`` turns into empty values."""

DEFAULT = (
    "strength",
    "neighbor_strength",
    "current_flow_closeness",
    "bipartite_clustering",
    "subgraph_centrality",
    "harmonic_centrality",
    "second_order_centrality",
    "maximal_cliques",
    "laplacian_centrality",
    "in_strength",
    "out_strength",
    "disparity",
)


def plan(measures: Selection | None = None, preset: str | None = None, **options: Any) -> dict[Measure, dict[str, Any]]:
    """Which measures with which options a call asks for: every option that says what is measured spelled out.

    Those that say how (``method``, ``tolerance``, ``seed``, ``sources``) are there where they were given.

    Parameters are those of `measure`. Raises `UnknownNameError` for a name that is none, and `SpecificationError` for
    an option that no chosen measure takes and where no measure is named; an empty mapping alone asks for none.
    """
    if measures is not None and preset is not None:
        raise SpecificationError("give measures or a preset, not both")
    wanted: Mapping[str, Mapping[str, Any]]
    if preset is not None:
        wanted = find_preset(preset).measures
    elif isinstance(measures, Mapping):
        wanted = measures
    else:
        wanted = {name: {} for name in _names(measures)}
    chosen = {}
    for name, own in wanted.items():
        known = find(name)
        if name != known.name:
            known = replace(known, asked=name)
        if not isinstance(own, Mapping):
            raise SpecificationError(f"the options of {name} must be a mapping of names to values, not {own!r}")
        defaults = known.defaults
        takes = {*defaults, *known.controls}
        unknown = set(own) - takes
        if unknown:
            raise SpecificationError(
                f"{known.name} has no option {', '.join(sorted(unknown))}; "
                f"it takes {', '.join(sorted(takes)) or 'none'}"
            )
        chosen[known] = {
            **defaults,
            **{key: value for key, value in options.items() if key in takes},
            **own,
        }
    for key in options:
        if key not in CONTROLS and not any(key in measure.defaults for measure in chosen):
            takes = {name for known in chosen for name in (*known.defaults, *known.controls)}
            hint = suggestion(key, {*takes, "layers", "preset", "undefined"})
            raise SpecificationError(f"none of the measures asked for has an option {key!r}; {hint}")
    return chosen


def _names(measures: str | Sequence[str] | None) -> Sequence[str]:
    """The names that a selection without options means."""
    if measures is None:
        return DEFAULT
    try:
        names = [measures] if isinstance(measures, str) else list(measures)
    except TypeError as error:
        raise SpecificationError(
            f"measures={measures!r} is neither the name of a measure nor a list of them"
        ) from error
    if not names:
        raise SpecificationError(f"no measure is named: name some, or leave them out for {len(DEFAULT)} measures")
    for name in names:
        find(name)
    return names


def measure(
    graph: NeuralGraph,
    measures: Selection | None = None,
    *,
    preset: str | None = None,
    layers: Layers | None = None,
    undefined: Literal["raise", "null"] = "raise",
    **options: Any,
) -> pl.DataFrame:
    """Measure the neurons of a network, or of a batch of networks, as a table.

    Parameters
    ----------
    graph
        From `synaplex.load`, `synaplex.graph` or `NeuralGraph.from_weights`.
    measures
        A name, names, or a mapping of names to options, such as ``{"harmonic_centrality": {"distance": "inverse"}}``.
        Those names of NetworkX are understood that mean the same quantity; each column has the name that was given. By
        default the twelve measures of `DEFAULT`.
    preset
        Instead of `measures`: ``"scabini"``, the eight centralities of hidden neurons as the released data of Scabini &
        Bruno 2021 defines them.
    layers
        ``"all"``, ``"hidden"``, a layer's name or index (0 is the input), or a list of these; rows are in the order of
        the graph. A preset has its own.
    undefined
        ``"raise"``, or ``"null"``: values without a definition, those whose tolerance is not reached, and the plain
        subgraph centralities of a network that has one beyond float64 become null, and a column ``reason`` says why.
    **options
        Options for every measure that has them: ``edges=``, ``on_disconnected=``, ``bias=``, ...; and how it is
        computed where dense algebra does not fit: ``method="auto"``, ``"exact"`` or ``"iterative"``, ``tolerance=``,
        ``seed=``, ``sources=``. Measures that are exact at any size take no notice of these.

    Returns
    -------
    polars.DataFrame
        A row a neuron (of each network): ``network`` (batches only, Int32), ``layer`` (Int32, 0 is the input),
        ``layer_name``, ``neuron`` (Int32, within its layer), ``name`` (only where neurons have names), one column a
        measure (Float64, counts Int64), after each that was computed iteratively a column ``<measure>_error`` (how far
        the value may be off, in its own units), and with ``undefined="null"`` a column ``reason`` (null where all is
        defined).

    Raises
    ------
    UnknownNameError, SpecificationError
        For names, options and layers that do not exist, and for what is no graph.
    DisconnectedGraphError, UndefinedMeasureError, SingularLaplacianError
        Where a value is undefined and ``undefined="raise"``.
    GraphTooLargeError
        Where no algorithm fits, or with ``method="exact"`` the exact one does not.
    MeasureOverflowError
        Where a value exceeds float64 and ``undefined="raise"``.
    ToleranceError
        Where an iterative form did not come as close as ``tolerance=`` asks and ``undefined="raise"``.

    Examples
    --------
    >>> import torch
    >>> graph = NeuralGraph.from_weights([torch.ones(3, 2), torch.ones(1, 3)])
    >>> measure(graph, ["strength", "disparity"], layers="hidden")["strength"].to_list()
    [3.0, 3.0, 3.0]
    """
    if undefined not in ("raise", "null"):
        raise SpecificationError(f"undefined={undefined!r} is neither 'raise' nor 'null'")
    check_graph(graph)
    chosen = plan(measures, preset, **options)
    if layers is None:
        layers = find_preset(preset).layers if preset is not None else "all"
    where = neurons_of(graph, layers)
    return pl.concat([_measure(part, chosen, where, undefined) for part in in_parts(graph)])


def _measure(
    graph: NeuralGraph,
    chosen: Mapping[Measure, Mapping[str, Any]],
    where: Neurons,
    undefined: Literal["raise", "null"],
) -> pl.DataFrame:
    frame = neuron_index(graph, graph.select(where))
    reasons: Reasons = []
    read = graph.memoized()
    with torch.no_grad():
        for known, own in chosen.items():
            notes = Undefined(overflow=True) if undefined == "null" else None
            bounds = Bounds()
            extra = {"bounds": bounds} if known.bounded else {}
            try:
                values = known.function(read, neurons=where, undefined=notes, **extra, **own)
            except (*_UNDEFINED, GraphTooLargeError) as error:
                raise _explained(error, known) from error
            column = _column(known, values)
            for mask, reason in notes.notes if notes is not None else ():
                flat = mask.reshape(-1).cpu().numpy()
                column = pl.select(pl.when(pl.Series(~flat)).then(column)).to_series().alias(known.column)
                reasons.append((flat, f"{known.column}: {reason}"))
            frame = frame.with_columns(column, *_error_column(known, bounds))
    return frame.with_columns(_reasons(reasons, len(frame))) if undefined == "null" else frame


def _explained(error: SynaplexError, known: Measure) -> SynaplexError:
    """The error with the measure's name, and the way to go on without the values that it is about."""
    text = str(error)
    if known.name not in text:
        text = f"{known.name}: {text}"
    if isinstance(error, _UNDEFINED) and "undefined=" not in text:
        text += ". Or pass undefined='null', which leaves such values empty, with the reason in a column of that name"
    return type(error)(text)


Reasons = list[tuple[np.ndarray[Any, np.dtype[np.bool_]], str]]


def _reasons(reasons: Reasons, count: int) -> pl.Series:
    """Per neuron everything that is said against its values, or null."""
    given = [pl.select(pl.when(pl.Series(where)).then(pl.lit(text))).to_series() for where, text in reasons]
    if not given:
        return pl.Series("reason", [None], dtype=pl.String).new_from_index(0, count)
    joined = pl.DataFrame({str(i): series for i, series in enumerate(given)}).select(
        pl.concat_str(pl.all(), separator="; ", ignore_nulls=True).alias("reason")
    )["reason"]
    return pl.select(pl.when(joined != "").then(joined)).to_series().alias("reason")


def neuron_index(graph: NeuralGraph, index: Int[Tensor, " chosen"]) -> pl.DataFrame:
    """Which neurons these are, by their places among all: `layer`, `layer_name`, `neuron`, and `name` if there is any.

    Of a batch, `network` comes first and the rows of each network follow one another.
    """
    starts = np.asarray(graph.offsets)
    flat = index.cpu().numpy()
    layer = np.searchsorted(starts, flat, side="right") - 1
    while (empty := starts[layer] == starts[layer + 1]).any():
        layer[empty] -= 1
    names = pl.Series([one.name for one in graph.layers], dtype=pl.String)
    repeat = graph.networks or 1
    columns = {
        "layer": np.tile(layer, repeat).astype(np.int32),
        "layer_name": names.gather(np.tile(layer, repeat)),
        "neuron": np.tile(flat - starts[layer], repeat).astype(np.int32),
    }
    if any(one.names for one in graph.layers):
        named = pl.Series([name for one in graph.layers for name in one.names or [None] * one.size], dtype=pl.String)
        columns["name"] = named.gather(np.tile(flat, repeat))
    if graph.networks is not None:
        first = graph.first_network
        networks = np.arange(first, first + repeat, dtype=np.int32)
        columns = {"network": np.repeat(networks, len(flat)), **columns}
    return pl.DataFrame(columns)


def _error_column(known: Measure, bounds: Bounds) -> list[pl.Series]:
    name = f"{known.column}_error"
    return [pl.Series(name, note.error.reshape(-1).cpu().numpy(), nan_to_null=True) for note in bounds.notes]


def _column(known: Measure, values: Tensor) -> pl.Series:
    flat = values.reshape(-1).cpu().numpy()
    return pl.Series(known.column, np.nan_to_num(flat).astype(np.int64) if known.counts else flat)


def describe(chosen: Mapping[Measure, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each measure read, as plain data: option names to values, for a file's metadata."""
    return {known.name: dict(own) for known, own in chosen.items()}
