"""Complex-network features whose measures are taken once, however many splits read them."""

from __future__ import annotations

import polars as pl

from synaplex.encoders import ComplexNetworkFeatures, GraphSet


class MeasuredOnce(ComplexNetworkFeatures):
    """`ComplexNetworkFeatures` that look up what was measured of a graph before.

    Nothing of a measure is fitted: those of a network are the same in every split. Averages and neuron types are
    fitted to training networks as ever.
    """

    _known: dict[int, pl.DataFrame]

    def share(self, known: dict[int, pl.DataFrame]) -> MeasuredOnce:
        """Look up and keep measures in a table for each graph of a `GraphSet`, by its index."""
        self._known = known
        return self

    def _table(self, networks: GraphSet) -> pl.DataFrame:
        known = getattr(self, "_known", {})
        wanted = dict.fromkeys(graph for graph, _ in networks.rows)
        for graph in wanted:
            if graph not in known:
                known[graph] = super()._table(GraphSet.of(networks.graphs[graph]))
        place = pl.DataFrame(
            {
                "graph": [graph for graph, _ in networks.rows],
                "network": [row for _, row in networks.rows],
                "position": range(len(networks)),
            },
            schema=dict.fromkeys(("graph", "network", "position"), pl.Int64),
        )
        parts = [known[graph].with_columns(graph=pl.lit(graph, pl.Int64)) for graph in wanted]
        joined: pl.DataFrame = pl.concat(parts, how="diagonal_relaxed").join(
            place, on=["graph", "network"], maintain_order="left"
        )
        placed: pl.DataFrame = joined.drop("graph", "network").rename({"position": "network"})
        return placed.sort("network", maintain_order=True)
