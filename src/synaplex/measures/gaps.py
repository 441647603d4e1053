"""Gaps: measures are refused where they would need edges that are not known."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool
from torch import Tensor

from synaplex.errors import IncompleteGraphError
from synaplex.graph import NeuralGraph
from synaplex.measures.input import check_graph

if TYPE_CHECKING:
    from synaplex.measures.registry import MeasureFunction


def guarded(function: MeasureFunction, reach: int | None) -> MeasureFunction:
    """A measure that refuses neurons whose value needs edges across a gap of the graph.

    Parameters
    ----------
    function
        A measure of neurons.
    reach
        How far from a neuron it reads: 1 for its own edges, 2 for its neighbours' as well, None for the whole graph.
    """

    @wraps(function)
    def measure(graph: NeuralGraph, *args: Any, neurons: Any = "all", undefined: Any = None, **options: Any) -> Tensor:
        check_graph(graph)
        if not graph.gaps:
            return function(graph, *args, neurons=neurons, undefined=undefined, **options)
        blocked = _blocked(graph, None if _reads_all(options) else reach)[graph.select(neurons)]
        if bool(blocked.any()) and undefined is None:
            raise IncompleteGraphError(_message(graph, function.__name__, int(blocked.sum()), len(blocked)))
        if undefined is not None and bool(blocked.all()):
            shape = blocked.shape if graph.networks is None else (graph.networks, *blocked.shape)
            values = torch.full(shape, torch.nan, dtype=torch.float64, device=graph.device)
        else:
            values = function(graph, *args, neurons=neurons, undefined=undefined, **options)
        if undefined is not None and bool(blocked.any()):
            names = ", ".join(sorted({gap.module for gap in graph.gaps}))
            undefined.notes.append((blocked.expand(values.shape), f"needs edges across {names}, not understood"))
            values = values.masked_fill(blocked, torch.nan)
        return values

    return measure


def _reads_all(options: dict[str, Any]) -> bool:
    """Whether an option makes a measure read the whole graph: a share of all its edges, or its energy."""
    edges = str(options.get("edges", ""))
    return (edges.startswith("top") and not edges.endswith("/layer")) or bool(options.get("normalized"))


def _blocked(graph: NeuralGraph, reach: int | None) -> Bool[Tensor, " neurons"]:
    mask = torch.zeros(graph.neurons, dtype=torch.bool, device=graph.device)
    for layer in graph.incomplete(reach):
        mask[graph.layer_slice(layer)] = True
    return mask


def _message(graph: NeuralGraph, name: str, count: int, total: int) -> str:
    gaps = "; ".join(f"{gap.module} ({gap.reason})" for gap in graph.gaps[:5])
    more = f" and {len(graph.gaps) - 5} more" if len(graph.gaps) > 5 else ""
    return (
        f"{name} of {count:,} of {total:,} neurons needs edges across a part of the model that was not understood: "
        f"{gaps}{more}. Measure other neurons (graph.incomplete() lists the layers next to it), or pass "
        "undefined='null' to sx.measure, which leaves these empty"
    )
