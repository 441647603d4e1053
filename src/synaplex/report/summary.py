"""A table of neurons in few lines: each measure within each layer."""

from __future__ import annotations

import polars as pl

INDEX = ("network", "layer", "layer_name", "neuron", "name", "reason")
"""Columns of a table by `synaplex.measure` that are no measures."""


def measure_columns(frame: pl.DataFrame) -> list[str]:
    """The measures among the columns of a table by `synaplex.measure`."""
    return [name for name in frame.columns if name not in INDEX]


def neuron_columns(frame: pl.DataFrame) -> list[str]:
    """The columns that say which neuron of a network a row is about."""
    return [name for name in ("layer", "layer_name", "neuron", "name") if name in frame.columns]


def layer_summary(frame: pl.DataFrame) -> pl.DataFrame:
    """Mean, spread and range of each measure within each layer.

    Parameters
    ----------
    frame
        A row a neuron, from `synaplex.measure`; networks of a batch are taken together.

    Returns
    -------
    polars.DataFrame
        A row a layer and measure: ``layer``, ``layer_name``, ``measure``, ``neurons``, ``undefined`` (how many of
        them have no value), ``mean``, ``std`` (over the neurons that there are: divided by their number), ``min``,
        ``max``.
    """
    parts = []
    for name in measure_columns(frame):
        values = pl.col("value")
        # A value of 1e200 has no square in float64: the spread is taken of values of size 1 at most.
        size = values.abs().max()
        scaled = values / pl.when(size > 0).then(size).otherwise(1.0)
        parts.append(
            frame.select("layer", "layer_name", value=pl.col(name).cast(pl.Float64))
            .group_by("layer", "layer_name")
            .agg(
                measure=pl.lit(name),
                neurons=pl.len(),
                undefined=values.null_count(),
                mean=scaled.mean() * pl.when(size > 0).then(size).otherwise(1.0),
                std=scaled.std(ddof=0) * size,
                min=values.min(),
                max=values.max(),
            )
        )
    schema = {"layer": pl.Int32, "layer_name": pl.String, "measure": pl.String}
    order = pl.Enum(list(dict.fromkeys(measure_columns(frame))) or ["none"])
    if not parts:
        return pl.DataFrame(schema=schema)
    return pl.concat(parts).sort("layer", pl.col("measure").cast(order), maintain_order=True)
