"""Measures of the neurons of many networks at one moment of their training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from jaxtyping import Bool, Float
from torch import Tensor

from synaplex.errors import UnknownNameError
from synaplex.graph import NeuralGraph
from synaplex.measures import PRESETS, describe, find, measure, measures, plan

Option = bool | int | float | str | None
"""Value of an option of a measure."""

INDEX = pl.Schema({"network": pl.Int32, "epoch": pl.Int32, "layer": pl.Int32, "neuron": pl.Int32})


def spell_out(selection: Any) -> dict[str, dict[str, Option]]:
    """Measures with every option spelled out.

    Parameters
    ----------
    selection
        The name of a preset, a measure or several, measures with options, or nothing.

    Returns
    -------
    dict
        Option values by measure and option, in the order given. In place of subgraph centrality, which grows
        beyond any float, stands `log_subgraph_centrality`.

    Raises
    ------
    UnknownNameError, SpecificationError
        For names and options that do not exist.
    """
    if not selection:
        return {}
    if not isinstance(selection, str):
        chosen = plan(selection)
    elif selection in PRESETS:
        chosen = plan(preset=selection)
    else:
        try:
            chosen = plan(selection)
        except UnknownNameError:
            raise UnknownNameError("measure or preset", selection, [*PRESETS, *measures()]) from None
    spelled = {}
    for name, options in describe(chosen).items():
        if name == "subgraph_centrality":
            del options["log"]
            name = "log_subgraph_centrality"
        spelled[name] = options
    return spelled


def empty_snapshot(chosen: Mapping[str, Mapping[str, Option]]) -> pl.DataFrame:
    """A snapshot without rows: the columns of its index, of the measures, and the reason where a value is null.

    Counts are Int32, the logarithm of subgraph centrality is Float64, all else Float32. A measure whose options say
    ``method="iterative"`` has a column ``<measure>_error`` beside it.
    """
    schema = pl.Schema(INDEX)
    for name, options in chosen.items():
        if name == "log_subgraph_centrality":
            schema[name] = pl.Float64()
        else:
            schema[name] = pl.Int32() if find(name).counts else pl.Float32()
        if options.get("method") == "iterative":
            schema[f"{name}_error"] = pl.Float32()
    schema["reason"] = pl.String()
    return pl.DataFrame(schema=schema)


def take_snapshot(
    weights: Sequence[Float[Tensor, "networks _out _in"]],
    biases: Sequence[Float[Tensor, "networks _out"]],
    finite: Bool[Tensor, " networks"],
    epoch: int,
    chosen: Mapping[str, Mapping[str, Option]],
) -> pl.DataFrame:
    """Measure the hidden neurons of all networks.

    Parameters
    ----------
    weights, biases
        Of a chunk of networks, as they are now; `biases` may be empty.
    finite
        Which networks have not diverged. The others are not measured: their values are null.
    epoch
        Number of epochs trained.
    chosen
        Measures with options, as `spell_out` returns them.

    Returns
    -------
    polars.DataFrame
        With the columns of `empty_snapshot`, a row a neuron, in the order of networks, layers and neurons.

    Raises
    ------
    GraphTooLargeError
        If a network is too large for the exact form of a measure whose options do not say ``method="iterative"``.
    """
    schema = empty_snapshot(chosen).schema
    sound = finite.nonzero()[:, 0].cpu()
    lost = (~finite).nonzero()[:, 0].tolist()
    parts = []
    if len(sound):
        # A batch without gaps is read as it is; only one with gaps is copied.
        cut = slice(None) if not lost else sound.to(finite.device)
        graph = NeuralGraph.from_weights([w[cut] for w in weights], [b[cut] for b in biases] or None)
        # Exact unless another method is chosen: the columns of a table do not hang on the size of its networks.
        frame = measure(graph, chosen, layers="hidden", undefined="null", method="exact")
        place = pl.Series("network", sound.numpy(), dtype=pl.Int32)
        parts.append(frame.with_columns(place.gather(frame["network"]), epoch=pl.lit(epoch, pl.Int32)))
    if lost:
        hidden = [weight.shape[1] for weight in weights[:-1]]
        index = [(k, epoch, i, n) for k in lost for i, size in enumerate(hidden, 1) for n in range(size)]
        missing = pl.DataFrame(index, schema=INDEX, orient="row")
        empty = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in (*INDEX, "reason")]
        parts.append(missing.with_columns(*empty, reason=pl.lit(DIVERGED)))
    columns = [part.select(pl.col(name).cast(dtype) for name, dtype in schema.items()) for part in parts]
    return pl.concat(columns).sort("network", maintain_order=True)


DIVERGED = "the network has diverged: a loss or a weight is not a finite number"
"""Why nothing is known of a network any more."""
