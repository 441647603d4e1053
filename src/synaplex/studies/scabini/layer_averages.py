"""Layer averages: each network as the mean of each measure over each hidden layer (eq. 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.errors import SpecificationError
from synaplex.studies.scabini.labels import PAPER_ORDER

LOGARITHM = "log_subgraph_centrality"


@dataclass(frozen=True, eq=False)
class LayerAverages:
    """The layer averages of a population at one moment.

    Attributes
    ----------
    features
        Measure and hidden layer of each column.
    values
        One row a network, in ascending order of seeds. Not a number where no neuron of a layer has a value.
    """

    features: tuple[tuple[str, int], ...]
    values: Float[np.ndarray, "networks features"]

    def of(self, measures: Sequence[str]) -> LayerAverages:
        """The columns of some measures, in all layers."""
        chosen = [i for i, (measure, _) in enumerate(self.features) if measure in measures]
        return LayerAverages(tuple(self.features[i] for i in chosen), self.values[:, chosen])

    @property
    def complete(self) -> Float[np.ndarray, "networks features"]:
        """The values with what is missing filled in by the median of the other networks, for a regression."""
        whole = self.values.copy()
        for column in whole.T:
            known = np.isfinite(column)
            column[~known] = np.median(column[known]) if known.any() else 0.0
        return whole

    @property
    def layers(self) -> tuple[int, ...]:
        """The hidden layers."""
        return tuple(sorted({layer for _, layer in self.features}))


def subgraph_scale(frame: pl.DataFrame) -> dict[int, float]:
    """The largest logarithm of subgraph centrality in each hidden layer, the unit in which it is reported.

    The measure itself overflows in wide networks. As a share of the largest value it does not, and correlations,
    which know no unit, are those of the measure itself.
    """
    top = frame.group_by("layer").agg(pl.col(LOGARITHM).max()).sort("layer")
    return {int(layer): float(value) for layer, value in top.iter_rows()}


def neuron_values(
    frame: pl.DataFrame, scale: Mapping[int, float]
) -> tuple[Int[np.ndarray, " neurons"], dict[str, Float[np.ndarray, "networks neurons"]]]:
    """The measures of a neuron table as matrices.

    Parameters
    ----------
    frame
        Columns `seed`, `layer`, `neuron` and the measures; the same neurons of every network.
    scale
        From `subgraph_scale`.

    Returns
    -------
    layers
        The layer of each neuron.
    values
        By measure, float64, not a number where undefined; networks in ascending order of seeds.
    """
    ordered = frame.sort("seed", "layer", "neuron")
    networks = ordered["seed"].n_unique()
    if ordered.height % networks:
        raise SpecificationError(f"{ordered.height} neurons of {networks} networks: some networks lack neurons")
    layers = ordered["layer"].to_numpy().reshape(networks, -1)[0].astype(np.int64)
    values = {}
    for measure in PAPER_ORDER:
        column = LOGARITHM if measure == "subgraph_centrality" else measure
        matrix = ordered[column].cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(networks, -1)
        if column == LOGARITHM:
            matrix = np.exp(matrix - np.array([scale[layer] for layer in layers.tolist()]))
        values[measure] = matrix
    return layers, values


def layer_averages(frame: pl.DataFrame, scale: Mapping[int, float]) -> LayerAverages:
    """The mean of each measure over the neurons of each hidden layer that have a value; arguments as `neuron_values`.

    Cost: linear in the table. Source: Scabini and Bruno (2021), eq. 11.
    """
    layers, values = neuron_values(frame, scale)
    features, columns = [], []
    for measure, matrix in values.items():
        for layer in np.unique(layers).tolist():
            part = matrix[:, layers == layer]
            known = np.isfinite(part)
            count = known.sum(axis=1)
            total = np.where(known, part, 0.0).sum(axis=1)
            columns.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
            features.append((measure, layer))
    return LayerAverages(tuple(features), np.column_stack(columns))
