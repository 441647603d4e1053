"""Records of layers as tables: a row a neuron and step, a row a layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.measures.activity.functions import BOUNDS, RECTIFIERS
from synaplex.measures.activity.moments import Moments
from synaplex.measures.activity.record import Record, Stream, Tally

MOMENTS = ("mean", "variance", "skewness", "kurtosis", "min", "max")
QUANTITIES = ("strength", "activation")

REASON = "a value is not a finite number"
"""Why the moments of a neuron are null."""

SATURATED = 0.95
"""A unit is saturated that is near an end of its activation function for at least this share of the sample."""

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}

LAYER_SCHEMA = pl.Schema(
    {
        "layer": pl.Int32,
        "layer_name": pl.String,
        "kind": pl.String,
        "shape": pl.String,
        "neurons": pl.Int64,
        "steps": pl.Int32,
        "function": pl.String,
        **{f"{quantity}_{name}": pl.Float64 for quantity in QUANTITIES for name in (*MOMENTS, *QUANTILES)},
        "zeros": pl.Float64,
        "dead": pl.Int64,
        "saturated": pl.Int64,
        "dimension": pl.Float64,
        "reason": pl.String,
    }
)
"""Columns of the table of layers."""


def steps_of(stream: Stream) -> list[int | None]:
    """The steps of a layer in their order."""
    return sorted(stream.tallies, key=lambda step: -1 if step is None else step)


def has_steps(record: Record) -> bool:
    """Whether a layer was called more than once in a pass."""
    return len(record.strength.tallies) > 1


def moments_of(moments: Moments) -> dict[str, Float[Tensor, " cells"]]:
    """The moments by name."""
    values = (moments.mean, moments.variance, moments.skewness, moments.kurtosis, moments.low, moments.high)
    return dict(zip(MOMENTS, values, strict=True))


def range_of(stream: Stream) -> tuple[float, float]:
    """Smallest and largest value of a layer."""
    lows = [float(tally.moments.low.min()) for tally in stream.tallies.values()]
    highs = [float(tally.moments.high.max()) for tally in stream.tallies.values()]
    return min(lows), max(highs)


def neuron_table(record: Record, number: int) -> pl.DataFrame:
    """A row a neuron and step; columns as `Activity.neurons` describes them."""
    return pl.concat([_step_table(record, number, step) for step in steps_of(record.strength)])


def _step_table(record: Record, number: int, step: int | None) -> pl.DataFrame:
    before, after = record.strength.tallies[step], record.final.tallies[step]
    undefined = (before.undefined | after.undefined).cpu().numpy()
    neurons = len(undefined)
    columns: dict[str, Any] = {
        "layer": pl.Series([number], dtype=pl.Int32),
        "layer_name": pl.Series([record.name]),
        "step": pl.Series([step if has_steps(record) else None], dtype=pl.Int32),
        "neuron": pl.int_range(neurons, dtype=pl.Int32, eager=True),
        "samples": pl.Series([before.moments.count], dtype=pl.Int64),
    }
    defined = pl.Series(~undefined) if undefined.any() else None
    for quantity, tally in zip(QUANTITIES, (before, after), strict=True):
        for name, values in moments_of(tally.moments).items():
            column = pl.Series(values.cpu().numpy(), nan_to_null=True)
            columns[f"{quantity}_{name}"] = _where(defined, column)
    for name, share in _shares(record, after, step).items():
        columns[name] = _where(defined, share)
    reason = pl.repeat(None if defined is None else REASON, neurons, dtype=pl.String, eager=True)
    columns["reason"] = _where(None if defined is None else ~defined, reason)
    return pl.DataFrame(
        {name: column if len(column) == neurons else pl.repeat(column[0], neurons, dtype=column.dtype, eager=True)
         for name, column in columns.items()}
    )  # fmt: skip


def _shares(record: Record, tally: Tally, step: int | None) -> dict[str, pl.Series]:
    """Zeros, ends and what follows from them; null where the activation function has none."""
    count, neurons = tally.moments.count, len(tally.zeros)
    low, high = (pl.Series(ends.cpu().numpy() / count) for ends in (tally.near_low, tally.near_high))
    nothing = pl.repeat(None, neurons, eager=True)
    bounded, rectifies = record.bounds_at(step) is not None, record.function_at(step) in RECTIFIERS
    return {
        "zeros": pl.Series(tally.zeros.cpu().numpy() / count),
        "low": low if bounded else nothing.cast(pl.Float64),
        "high": high if bounded else nothing.cast(pl.Float64),
        "dead": pl.Series((tally.moments.high <= 0).cpu().numpy()) if rectifies else nothing.cast(pl.Boolean),
        "saturated": low + high >= SATURATED if bounded else nothing.cast(pl.Boolean),
    }


def _where(mask: pl.Series | None, values: pl.Series) -> pl.Series:
    """The values where the mask holds, else null; all values where there is none."""
    return values if mask is None else pl.select(pl.when(mask).then(values)).to_series()


def layer_row(record: Record, number: int) -> dict[str, Any]:
    """All of a layer together; columns as `Activity.layers` describes them."""
    streams = (record.strength, record.final)
    last = list(record.final.tallies.values())
    row: dict[str, Any] = {
        "layer": number,
        "layer_name": record.name,
        "kind": record.kind,
        "shape": "x".join(map(str, record.shape)),
        "neurons": math.prod(record.shape),
        "steps": len(last) if has_steps(record) else None,
        "function": record.function,
    }
    lost = sum(int(tally.undefined.sum()) for stream in streams for tally in stream.tallies.values())
    if lost:
        return {**row, "reason": "there are values that are not finite numbers"}
    for quantity, stream in zip(QUANTITIES, streams, strict=True):
        pooled = reduce(Moments.merge, (tally.moments.pool() for tally in stream.tallies.values()))
        row |= {f"{quantity}_{name}": _number(value) for name, value in moments_of(pooled).items()}
        quantiles = stream.sketch.quantiles(np.array(list(QUANTILES.values())), *range_of(stream))
        row |= {f"{quantity}_{name}": float(value) for name, value in zip(QUANTILES, quantiles, strict=True)}
    row["zeros"] = sum(int(tally.zeros.sum()) for tally in last) / sum(
        tally.moments.count * len(tally.zeros) for tally in last
    )
    if len({len(tally.zeros) for tally in last}) == 1:
        row |= _whole(record, last)
    return row


def _whole(record: Record, tallies: list[Tally]) -> Mapping[str, float | int | None]:
    """What is told of neurons over all steps."""
    result: dict[str, float | int | None] = {}
    if record.function in RECTIFIERS:
        result["dead"] = int(torch.stack([tally.moments.high <= 0 for tally in tallies]).all(0).sum())
    if record.function in BOUNDS:
        near = [(tally.near_low + tally.near_high) / tally.moments.count >= SATURATED for tally in tallies]
        result["saturated"] = int(torch.stack(near).all(0).sum())
    if record.dimension is not None:
        over_steps = reduce(Moments.merge, (tally.moments for tally in tallies))
        result["dimension"] = record.dimension.ratio(over_steps.variance)
    return result


def _number(value: Tensor) -> float | None:
    return None if bool(torch.isnan(value)) else float(value)
