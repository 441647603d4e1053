"""What stands out in a network: hubs, weak and dead neurons, outliers."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import torch
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph
from synaplex.graph.link import Link
from synaplex.measures.table import neuron_index
from synaplex.report.summary import measure_columns, neuron_columns

HUB = 2.0
"""A neuron is a hub whose summed |w| is above this multiple of its layer's median."""

WEAK = 0.01
"""A neuron is weak whose summed |w| is below this share of its layer's median."""

EXTREME = 6.0
"""A value is an outlier whose robust z is beyond this; of a Gaussian's values, two in a thousand million are."""

FEWEST = 8
"""Neurons below which a layer has no outliers: its median and spread say too little."""


def connections(graph: NeuralGraph) -> pl.DataFrame:
    """Edges and summed weights of each neuron, by direction.

    Returns
    -------
    polars.DataFrame
        A row a neuron: ``layer``, ``layer_name``, ``neuron``, ``name`` where neurons have names, ``role``,
        ``in_edges``, ``out_edges``, ``in_weight`` and ``out_weight`` (sums of |w|), ``in_positive`` (sum of the
        positive incoming weights), ``bias`` (null for a layer without).

    Notes
    -----
    Cost: a few passes over the weights.
    """
    _require_single(graph)
    links = graph.directed()
    columns = {
        "in_edges": _sums(graph, [link.map(_one) for link in links]),
        "out_edges": _sums(graph, [link.map(_one).transpose() for link in links]),
        "in_weight": _sums(graph, [link.map(torch.abs) for link in links]),
        "out_weight": _sums(graph, [link.map(torch.abs).transpose() for link in links]),
        "in_positive": _sums(graph, [link.map(torch.relu) for link in links]),
    }
    bias = [
        graph.biases[i].double().tolist() if i in graph.biases else [None] * size for i, size in enumerate(graph.sizes)
    ]
    roles = pl.Series([layer.role for layer in graph.layers], dtype=pl.String)
    frame = neuron_index(graph, torch.arange(graph.neurons))
    return frame.with_columns(
        role=roles.gather(frame["layer"]),
        **{name: pl.Series(values.cpu().numpy()) for name, values in columns.items()},
        bias=pl.Series([value for values in bias for value in values], dtype=pl.Float64),
    ).with_columns(pl.col("in_edges", "out_edges").cast(pl.Int64))


def hubs(graph: NeuralGraph, most: int = 5) -> pl.DataFrame:
    """The neurons of each layer with the largest summed |w|.

    Returns
    -------
    polars.DataFrame
        At most `most` rows a layer, the largest ratio first: ``layer``, ``layer_name``, ``neuron`` (and ``name``),
        ``edges``, ``weight`` (the sum of |w| over all its edges), ``of_median`` (that as a multiple of the layer's
        median), ``share`` (of the layer's sum).
    """
    total = (pl.col("in_weight") + pl.col("out_weight")).alias("weight")
    frame = connections(graph).with_columns(total, edges=pl.col("in_edges") + pl.col("out_edges"))
    within = frame.filter(pl.len().over("layer") >= FEWEST).with_columns(
        of_median=pl.col("weight") / pl.col("weight").median().over("layer"),
        share=pl.col("weight") / pl.col("weight").sum().over("layer"),
    )
    columns = (*neuron_columns(within), "edges", "weight", "of_median", "share")
    return (
        within.filter(pl.col("of_median").is_finite())
        .sort("of_median", "layer", "neuron", descending=[True, False, False])
        .filter(pl.int_range(pl.len()).over("layer") < most)
        .select(columns)
    )


def weak_neurons(graph: NeuralGraph) -> pl.DataFrame:
    """Neurons that carry little or nothing.

    A neuron is listed that lacks incoming edges (unless an input), lacks outgoing edges (unless an output), has a
    summed |w| below `WEAK` of its layer's median, or is a hidden neuron with no positive incoming weight and no
    positive bias: under a ReLU and inputs that are not negative, it never fires.

    Returns
    -------
    polars.DataFrame
        A row such a neuron: ``layer``, ``layer_name``, ``neuron`` (and ``name``), ``in_edges``, ``out_edges``,
        ``weight`` (sum of |w|), ``of_median``, ``why``.
    """
    total = pl.col("in_weight") + pl.col("out_weight")
    median = pl.col("weight").median().over("layer")
    frame = (
        connections(graph)
        .with_columns(total.alias("weight"))
        .with_columns(of_median=pl.when(median > 0).then(pl.col("weight") / median))
    )
    silent = (pl.col("role") == "hidden") & (pl.col("in_positive") == 0) & (pl.col("bias").fill_null(0.0) <= 0)
    reasons = {
        "no incoming edge": (pl.col("role") != "input") & (pl.col("in_edges") == 0),
        "no outgoing edge": (pl.col("role") != "output") & (pl.col("out_edges") == 0),
        "weak": (pl.col("weight") > 0) & (pl.col("of_median") < WEAK),
        "never fires under a ReLU": silent & (pl.col("in_edges") > 0),
    }
    why = pl.concat_str(
        [pl.when(test).then(pl.lit(reason)) for reason, test in reasons.items()], separator="; ", ignore_nulls=True
    )
    columns = (*neuron_columns(frame), "in_edges", "out_edges", "weight", "of_median", "why")
    return frame.with_columns(why=why).filter(pl.col("why") != "").select(columns)


def outliers(frame: pl.DataFrame) -> pl.DataFrame:
    """Neurons whose measure lies far from the others of their layer.

    How far is the robust z, (x - median) / (1.4826 MAD) within the layer, with MAD the median absolute deviation. A
    layer of fewer than `FEWEST` neurons, or of which more than half have one and the same value, has none.

    Parameters
    ----------
    frame
        A row a neuron of one network, from `synaplex.measure`.

    Returns
    -------
    polars.DataFrame
        Farthest first: ``layer``, ``layer_name``, ``neuron`` (and ``name``), ``measure``, ``value``, ``median`` (of
        the layer), ``robust_z``.
    """
    parts = []
    for name in measure_columns(frame):
        value = pl.col(name).cast(pl.Float64)
        median = value.median().over("layer")
        spread = 1.4826 * (value - median).abs().median().over("layer")
        part = frame.filter(pl.len().over("layer") >= FEWEST).select(
            *neuron_columns(frame),
            measure=pl.lit(name),
            value=value,
            median=median,
            robust_z=pl.when(spread > 0).then((value - median) / spread),
        )
        parts.append(part.filter(pl.col("robust_z").abs() > EXTREME))
    if not parts:
        return pl.DataFrame(schema={"layer": pl.Int32, "layer_name": pl.String, "neuron": pl.Int32})
    return pl.concat(parts).sort(pl.col("robust_z").abs(), descending=True, maintain_order=True)


def _require_single(graph: NeuralGraph) -> None:
    if graph.networks is not None:
        raise SpecificationError(
            f"this is a batch of {graph.networks} networks, and the question is about one: pass graph.network(k)"
        )


def _one(weight: Tensor) -> Tensor:
    return (weight != 0).to(weight.dtype)


def _sums(graph: NeuralGraph, links: Sequence[Link]) -> Tensor:
    """What all links bring to each neuron when every neuron sends 1."""
    sums = [torch.zeros(size, dtype=torch.float64, device=graph.device) for size in graph.sizes]
    for link in links:
        sums[link.target] += link.forward(torch.ones(link.in_size, dtype=torch.float64, device=graph.device))
    return torch.cat(sums)
