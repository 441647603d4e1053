"""A measure beside null models: what of it the weights' distribution alone brings about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.graph import NeuralGraph, flipped, rewired, shuffled
from synaplex.measures.input import check_graph
from synaplex.measures.layers import Layers
from synaplex.measures.table import Selection, measure, plan

NULLS: Mapping[str, Callable[[NeuralGraph, int], NeuralGraph]] = {
    "shuffled": shuffled,
    "flipped": flipped,
    "rewired": rewired,
}
"""Null models by name: weights of each link in random order, with random signs, or at other connections."""

STATISTICS: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "mean": lambda values: values.mean(),
    "deviation": lambda values: values.std(ddof=0),
    "largest": lambda values: values.max(),
}
"""Of a measure over the neurons of a layer, by name."""

FIXED = "fixed by the weight distribution alone"
FIXED_BY = {"rewired": "fixed by the numbers of connections and the weight distribution alone"}
"""What is said instead of `FIXED`, by null model."""

_NO_SPREAD = 1e-9
"""Deviation, as a share of the largest draw, up to which draws differ by rounding alone."""


def against_null(
    observed: float, draws: Float[np.ndarray, " draws"], fixed: str = FIXED
) -> dict[str, float | str | None]:
    """An observed quantity beside the same quantity in draws of a null model.

    Returns
    -------
    dict
        `observed`, `null_mean`, `null_deviation` (of a sample), `z` = (observed - mean) / deviation, and `remark`.
        Draws that are no numbers are left out, and the remark says how many. Where the null has no spread, the
        deviation is 0, z is null and the remark says so; of less than two numbers all three are NaN, NaN and null.
    """
    known = draws[np.isfinite(draws)]
    lost = len(draws) - len(known)
    remark = f"undefined in {lost} of {len(draws)} draws" if lost else ""
    if len(known) < 2:
        mean = deviation = float("nan")
        return {"observed": observed, "null_mean": mean, "null_deviation": deviation, "z": None, "remark": remark}
    mean, deviation = float(known.mean()), float(known.std(ddof=1))
    spreads = deviation > _NO_SPREAD * float(np.abs(known).max())
    return {
        "observed": observed,
        "null_mean": mean,
        "null_deviation": deviation if spreads else 0.0,
        "z": (observed - mean) / deviation if spreads else None,
        "remark": remark if spreads else "; ".join(filter(None, (fixed, remark))),
    }


def beside_null(
    graph: NeuralGraph,
    measures: Selection | None = None,
    *,
    preset: str | None = None,
    null: str = "shuffled",
    draws: int = 100,
    null_seed: int = 0,
    layers: Layers | None = None,
    undefined: Literal["raise", "null"] = "raise",
    **options: Any,
) -> pl.DataFrame:
    """Measures of each layer beside the same measures in draws of a null model.

    A value says something of a network's structure only as far as the same weights in other places do not give it too.

    Parameters
    ----------
    graph, measures, preset, layers, undefined, **options
        As for `synaplex.measure`.
    null
        ``"shuffled"``: the weights of each link in random order (`synaplex.graph.shuffled`); ``"flipped"``: each under
        a random sign (`synaplex.graph.flipped`); ``"rewired"``: at random connections that leave each neuron as many
        as it has, for sparse networks (`synaplex.graph.rewired`).
    draws
        Networks drawn from the null model; 19 are the fewest for a p of 0.05.
    null_seed
        Of the first draw; the others follow.

    Returns
    -------
    polars.DataFrame
        A row for each layer, measure and statistic (``"mean"``, ``"deviation"`` and ``"largest"`` of the layer's
        neurons), with `network` where there are several: `observed`, `null_mean`, `null_deviation`, `z` =
        (observed - mean) / deviation, `p` = (1 + draws that lie as far from the mean of all) / (1 + draws), two-sided,
        and `remark`. Where the null model has no spread, z and p are null and the remark says so: the mean strength
        of an output layer, say, is fixed by its weights, wherever they are. Draws in which the number is undefined are
        left out, and the remark counts them.

    Raises
    ------
    UnknownNameError
        For another null model, measure or preset.
    SpecificationError
        For less than two draws, and as `synaplex.measure`.

    Notes
    -----
    Cost: one measurement a draw. p is that of a test by chance alone, and not corrected for the number of rows.

    Examples
    --------
    >>> import torch
    >>> graph = NeuralGraph.from_weights([torch.eye(4).double(), torch.ones(1, 4).double()])
    >>> beside_null(graph, "in_strength", draws=19, layers="hidden").columns[-7:]
    ['statistic', 'observed', 'null_mean', 'null_deviation', 'z', 'p', 'remark']
    """
    if null not in NULLS:
        raise UnknownNameError("null model", null, list(NULLS))
    if draws < 2:
        raise SpecificationError(f"a null model needs two draws at least, got draws={draws}")
    check_graph(graph)
    chosen = plan(measures, preset, **options)
    names = [known.column for known in chosen]

    def statistics(one: NeuralGraph) -> pl.DataFrame:
        frame = measure(one, measures, preset=preset, layers=layers, undefined=undefined, **options)
        index = [name for name in ("network", "layer", "layer_name") if name in frame.columns]
        wanted = [make(pl.col(name)).alias(f"{name}\n{kind}") for name in names for kind, make in STATISTICS.items()]
        return frame.group_by(index, maintain_order=True).agg(wanted)

    observed = statistics(graph)
    drawn = [statistics(NULLS[null](graph, null_seed + draw)) for draw in range(draws)]
    index = [name for name in observed.columns if "\n" not in name]
    rows = []
    for place, row in enumerate(observed.iter_rows(named=True)):
        for column in observed.columns[len(index) :]:
            others = np.array([one[column][place] for one in drawn], dtype=np.float64)
            rows.append(
                {name: row[name] for name in index} | _row(column, row[column], others, FIXED_BY.get(null, FIXED))
            )
    schema = {name: observed.schema[name] for name in index} | _SCHEMA
    return pl.DataFrame(rows, schema=schema)


_SCHEMA = {
    "measure": pl.String,
    "statistic": pl.String,
    "observed": pl.Float64,
    "null_mean": pl.Float64,
    "null_deviation": pl.Float64,
    "z": pl.Float64,
    "p": pl.Float64,
    "remark": pl.String,
}


def _row(column: str, observed: float | None, draws: Float[np.ndarray, " draws"], fixed: str) -> dict[str, Any]:
    name, _, statistic = column.partition("\n")
    value = float("nan") if observed is None else float(observed)
    found = against_null(value, draws, fixed)
    p = None
    if found["z"] is not None and np.isfinite(value):
        known = draws[np.isfinite(draws)]
        mean = np.mean([value, *known])
        beyond = np.abs(known - mean) >= abs(value - mean) * (1 - 1e-12)
        p = (1 + int(beyond.sum())) / (1 + len(known))
    return {"measure": name, "statistic": statistic, **found, "p": p}
