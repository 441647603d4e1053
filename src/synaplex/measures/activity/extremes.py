"""Neurons that stand out of their layer: peaks over a threshold, and robust z-scores where neurons are few."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.errors import UnknownNameError

FEWEST = 8
"""Neurons below which a layer has no extremes."""

PEAKS = 10
"""Values over the threshold that a tail is fitted to, at least."""

TAIL = 0.1
"""Share of a layer's neurons over the threshold."""

EXPECTED = 0.01
"""A peak is extreme if fewer neurons than this are expected to reach it in a layer of that size."""

ROBUST_Z = 6.0
"""The same for a layer with too few neurons to fit a tail."""

_SCHEMA = {
    "layer": pl.Int32,
    "layer_name": pl.String,
    "step": pl.Int32,
    "neuron": pl.Int32,
    "value": pl.Float64,
    "tail": pl.String,
    "robust_z": pl.Float64,
    "expected": pl.Float64,
}


def extremes(neurons: pl.DataFrame, column: str = "strength_mean") -> pl.DataFrame:
    """Neurons with a value that is too far out for the tail of their layer.

    La Malfa et al. (2021, section IV.B) propose extreme value theory to tell whether an anomalously strong neuron is
    one. For each layer and step, above (and below) the threshold that a tenth of the neurons reach, the excesses are
    fitted with a generalised Pareto distribution by probability-weighted moments (Hosking & Wallis 1987). From the
    outermost neuron inwards, each is compared with the tail of the others, without those already found: it is extreme
    if fewer than 0.01 neurons are expected as far out. Layers too small for ten excesses in a tenth are judged by the
    robust z, (x - median) / (1.4826 MAD), beyond 6; below eight neurons, or where more than half of them are equal, not
    at all.

    Parameters
    ----------
    neurons
        From `Activity.neurons`.
    column
        The value that is judged: a column of that table.

    Returns
    -------
    polars.DataFrame
        ``layer``, ``layer_name``, ``step``, ``neuron``, ``value``, ``tail`` (``"high"`` or ``"low"``), ``robust_z``
        (null where more than half of the layer is equal), ``expected`` (number of neurons expected as far out; null for
        small layers); layer by layer, the farthest first.

    Raises
    ------
    UnknownNameError
        If there is no such column.

    Notes
    -----
    Found by chance in a tail of 100 to 1,000 neurons, by simulation: 0.01 to 0.03 neurons if it is exponential, fewer
    if lighter, 0.1 under Student's t with three degrees of freedom. Cost: a sort of each layer.
    """
    numbers = [name for name, dtype in neurons.schema.items() if dtype.is_float()]
    if column not in numbers:
        raise UnknownNameError("column of numbers", column, numbers)
    found = []
    for frame in neurons.partition_by("layer", "layer_name", "step", maintain_order=True):
        known = frame.filter(pl.col(column).is_not_null())
        rows = _of_layer(known[column].to_numpy())
        picked = known[[row for row, *_ in rows]].select(
            "layer", "layer_name", "step", "neuron", value=pl.col(column).cast(pl.Float64)
        )
        judged = {name: [row[place] for row in rows] for place, name in enumerate(("tail", "robust_z", "expected"), 1)}
        found.append(picked.with_columns(pl.Series(name, value, dtype=_SCHEMA[name]) for name, value in judged.items()))
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *found])


def _of_layer(values: Float[np.ndarray, " neurons"]) -> list[tuple[int, str, float | None, float | None]]:
    """Position, tail, robust z and expected number of each extreme, the farthest first."""
    if len(values) < FEWEST:
        return []
    median = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - median)))
    z = (values - median) / spread if spread > 0 else None
    rows: list[tuple[int, str, float | None, float | None]] = []
    if int(TAIL * len(values)) >= PEAKS:
        for tail, signed in (("high", values), ("low", -values)):
            rows += [
                (place, tail, None if z is None else float(z[place]), expected) for place, expected in _peaks(signed)
            ]
    elif z is not None:
        far = np.flatnonzero(np.abs(z) > ROBUST_Z)
        rows = [(int(place), "high" if z[place] > 0 else "low", float(z[place]), None) for place in far]
    return sorted(rows, key=lambda row: -abs(values[row[0]] - median))


def _peaks(values: Float[np.ndarray, " neurons"]) -> list[tuple[int, float]]:
    """Positions of extremes of the upper tail, and how many values are expected as far out."""
    over = int(TAIL * len(values))
    order = np.argsort(values, kind="stable")[::-1]
    excess = values[order[:over]] - values[order[over]]
    found: list[tuple[int, float]] = []
    for rank in range(over - PEAKS + 1):
        rest = excess[rank + 1 :]
        if excess[rank] <= 0 or len(rest) < PEAKS - 1:
            break
        expected = len(rest) * pareto_survival(float(excess[rank]), *fit_pareto(rest))
        if not expected < EXPECTED:
            break
        found.append((int(order[rank]), expected))
    return found


def fit_pareto(excess: Float[np.ndarray, " peaks"]) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution, by probability-weighted moments.

    With a0 the mean of the excesses and a1 the mean weighted by the share of larger ones, the scale is
    2 a0 a1 / (a0 - 2 a1) and the shape 2 - a0 / (a0 - 2 a1) (Hosking & Wallis 1987, sign of the shape reversed). A
    negative shape would end the tail somewhere, which so few values cannot tell: the exponential, of shape 0 and scale
    a0, stands for it.
    """
    ordered = np.sort(excess)
    n = len(ordered)
    a0 = float(ordered.mean())
    a1 = float((ordered * (n - 1 - np.arange(n))).mean()) / (n - 1)
    shape = 2 - a0 / (a0 - 2 * a1) if a0 > 2 * a1 else 0.0
    return (shape, 2 * a0 * a1 / (a0 - 2 * a1)) if shape > 0 else (0.0, a0)


def pareto_survival(excess: float, shape: float, scale: float) -> float:
    """Probability of an excess as large as this, (1 + shape excess / scale)^(-1 / shape)."""
    if scale <= 0:
        return 0.0
    if abs(shape) < 1e-9:
        return math.exp(-excess / scale)
    base = 1 + shape * excess / scale
    return float(base ** (-1 / shape)) if base > 0 else 0.0
