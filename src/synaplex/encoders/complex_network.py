"""Complex-network features of networks: layer averages of measures, and the share of each neuron type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from synaplex.encoders.baselines import NETWORKS_AT_ONCE, NetworkFeatures
from synaplex.encoders.graph_set import GraphSet
from synaplex.errors import SpecificationError
from synaplex.measures import measure
from synaplex.neurons import INDEX_COLUMNS, BagOfNeurons, Descriptors, Normalization, descriptors

CHEAP_MEASURES = ("strength", "neighbor_strength", "disparity", "laplacian_centrality")
"""Measures that one pass over the weights gives, at any size."""


class ComplexNetworkFeatures(NetworkFeatures):
    """Averages of measures over each hidden layer, and the histogram of neuron types.

    Neuron types are k-means clusters of the neurons of training networks (see `BagOfNeurons`), found on measures scaled
    by the largest values there.

    Parameters
    ----------
    measures
        Names of measures, measures with options as `synaplex.measures.measure` takes them, or ``"scabini"`` for the
        eight of that preset (slow on large networks).
    types
        Number of neuron types; 0 for averages alone.
    averages
        Whether averages are among the features.
    n_init
        Starts of k-means.
    random_state
        The seed of k-means.

    Attributes
    ----------
    bag_ : BagOfNeurons or None
        The neuron types.
    normalization_
        Of the descriptors, fitted on training networks.

    Notes
    -----
    Source: Scabini and Bruno (2021), eqs. 11 to 13. An undefined value takes no part in an average; a neuron with one
    has no type.
    """

    def __init__(
        self,
        measures: tuple[str, ...] | str | Mapping[str, Mapping[str, Any]] = CHEAP_MEASURES,
        *,
        types: int = 6,
        averages: bool = True,
        n_init: int = 10,
        random_state: int = 0,
    ) -> None:
        self.measures = measures
        self.types = types
        self.averages = averages
        self.n_init = n_init
        self.random_state = random_state

    def _prepare(self, networks: GraphSet) -> None:
        if not (self.averages or self.types):
            raise SpecificationError("neither averages nor neuron types are asked for: there would be no feature")
        self.bag_: BagOfNeurons | None = None
        if self.types:
            raw = self._descriptors(self._table(networks))
            found = raw.normalized("largest")
            self.normalization_: Normalization | None = found.normalization
            self.bag_ = BagOfNeurons(self.types, n_init=self.n_init, random_state=self.random_state).fit(found.values)

    def _rows(self, networks: GraphSet) -> list[Mapping[str, float]]:
        if not len(networks):
            return []
        table = self._table(networks)
        rows: list[dict[str, float]] = [{} for _ in range(len(networks))]
        if self.averages:
            names = self._columns(table)
            means = table.group_by("network", "layer").agg(pl.col(name).cast(pl.Float64).mean() for name in names)
            for entry in means.sort("network", "layer").iter_rows(named=True):
                for name in names:
                    value = entry[name]
                    rows[entry["network"]][f"{name}, layer {entry['layer']}"] = np.nan if value is None else value
        if self.bag_ is not None and self.normalization_ is not None:
            found = self._descriptors(table).normalized(self.normalization_)
            codes, groups = found.groups("network")
            shares = self.bag_.histogram(found.values, codes)
            for network, share in zip(groups["network"].to_list(), shares, strict=True):
                rows[network] |= {f"type {t + 1}": float(value) for t, value in enumerate(share)}
        return list(rows)

    def _table(self, networks: GraphSet) -> pl.DataFrame:
        """The measures of hidden neurons; `network` counts through the set."""
        asked: dict[str, Any] = {"preset": "scabini"} if self.measures == "scabini" else {"measures": self.measures}
        frames, first = [], 0
        for part in networks.pieces(NETWORKS_AT_ONCE):
            frame = measure(part, layers="hidden", undefined="null", **asked)
            if part.networks is None:
                frame = frame.with_columns(network=pl.lit(0, pl.Int32))
            start = first - (part.first_network if part.networks is not None else 0)
            frames.append(frame.with_columns(pl.col("network").cast(pl.Int64) + start))
            first += part.networks or 1
        return pl.concat(frames, how="diagonal_relaxed")

    def _columns(self, table: pl.DataFrame) -> list[str]:
        return [name for name in table.columns if name not in (*INDEX_COLUMNS, "reason")]

    def _descriptors(self, table: pl.DataFrame) -> Descriptors:
        return descriptors(table, self._columns(table))
