"""What the paper and the data released with it say, as data."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

TYPES = 6
"""Neuron types, at the elbow of every curve (figure 6)."""

KEPT = ("strength", "bipartite_clustering", "subgraph_centrality")
"""Measures left after both selection steps (section 4)."""

UNRELATED = ("neighbor_strength", "current_flow_closeness", "harmonic_centrality")
"""Measures said not to express performance (figure 4)."""

REDUNDANT = ("second_order_centrality", "maximal_cliques")
"""Measures removed because they correlate with strength (figure 5)."""

SEPARABLE = ("strength", "bipartite_clustering", "second_order_centrality", "maximal_cliques")
"""Measures whose layer averages tell the best from the worst networks by a straight line, "practically" (figure 4)."""

REDUNDANCY = 0.8
"""Two measures are redundant if Pearson's correlation exceeds this in absolute value."""

HIGH_SUBGRAPH_CENTRALITY = 0.3
"""Poor networks are said to have more neurons above this share of the largest value."""

_TABLE_1: Mapping[str, tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]] = {
    "mnist": (
        (-0.40, -0.21, -0.05, 0.05, 0.12, 0.32),
        (0.57, 0.73, 0.82, 0.87, 0.86, 0.89),
        (0.11, 0.13, 0.13, 0.36, 0.13, 0.17),
    ),
    "fashion-mnist": (
        (-0.42, -0.24, -0.08, 0.04, 0.10, 0.31),
        (0.56, 0.72, 0.81, 0.86, 0.85, 0.88),
        (0.07, 0.08, 0.08, 0.35, 0.09, 0.13),
    ),
    "cifar10": (
        (-0.43, -0.26, -0.11, -0.06, 0.05, 0.27),
        (0.57, 0.73, 0.82, 0.85, 0.85, 0.89),
        (0.16, 0.17, 0.16, 0.40, 0.17, 0.24),
    ),
    "kth-tips": (
        (-0.42, -0.25, -0.11, -0.04, 0.04, 0.26),
        (0.56, 0.73, 0.82, 0.87, 0.86, 0.89),
        (0.13, 0.14, 0.13, 0.33, 0.14, 0.19),
    ),
}


def table_1() -> pl.DataFrame:
    """Table 1, the centroids of the neuron types: `benchmark`, `type` (from 1), and the three measures."""
    frames = [
        pl.DataFrame(
            {
                "benchmark": [benchmark] * TYPES,
                "type": pl.Series(range(1, TYPES + 1), dtype=pl.Int32),
                **dict(zip(KEPT, columns, strict=True)),
            }
        )
        for benchmark, columns in _TABLE_1.items()
    ]
    return pl.concat(frames)


_TABLE_2 = (
    ("mnist", "fashion-mnist", 0.21, 0.16),
    ("mnist", "cifar10", 0.32, 0.17),
    ("mnist", "kth-tips", 0.27, 0.14),
    ("fashion-mnist", "mnist", 0.24, 0.17),
    ("fashion-mnist", "cifar10", 0.33, 0.20),
    ("fashion-mnist", "kth-tips", 0.28, 0.17),
    ("cifar10", "mnist", 0.29, 0.16),
    ("cifar10", "fashion-mnist", 0.25, 0.18),
    ("cifar10", "kth-tips", 0.24, 0.19),
    ("kth-tips", "mnist", 0.27, 0.15),
    ("kth-tips", "fashion-mnist", 0.24, 0.16),
    ("kth-tips", "cifar10", 0.28, 0.19),
)


def table_2() -> pl.DataFrame:
    """Table 2, the Jensen-Shannon divergence between vocabularies.

    A row a pair: `vocabulary` (a row there), `target`, `mean` and `standard_deviation` over 1,000 networks.
    """
    return pl.DataFrame(_TABLE_2, schema=["vocabulary", "target", "mean", "standard_deviation"], orient="row")


_RELEASED = (
    (1, -0.3969, 0.5685, 0.1118, 0.0794),
    (2, -0.2142, 0.7298, 0.1267, 0.2056),
    (3, -0.0527, 0.8154, 0.1259, 0.2783),
    (4, 0.0478, 0.8713, 0.3746, 0.0697),
    (5, 0.1188, 0.8637, 0.1300, 0.2457),
    (6, 0.3236, 0.8920, 0.1723, 0.1214),
)


def released_types() -> pl.DataFrame:
    """The MNIST types to four digits, with each type's share of 300,000 neurons, from the released data."""
    schema = {"type": pl.Int32, **dict.fromkeys(KEPT, pl.Float64), "share": pl.Float64}
    return pl.DataFrame(_RELEASED, schema=schema, orient="row")


_RELEASED_LAYERS = {
    "layer 1": (
        (-0.3819, -0.2004, -0.0439, 0.0452, 0.1232, 0.3247),
        (0.5809, 0.7398, 0.8298, 0.8810, 0.8811, 0.9134),
        (0.1238, 0.1359, 0.1309, 0.3874, 0.1353, 0.1772),
    ),
    "layer 2": (
        (-0.4180, -0.2368, -0.0668, 0.0644, 0.1119, 0.3225),
        (0.5486, 0.7178, 0.7915, 0.8417, 0.8279, 0.8456),
        (0.0932, 0.1114, 0.1159, 0.3469, 0.1186, 0.1614),
    ),
}


def released_centroids() -> pl.DataFrame:
    """The MNIST centroids of the released data, both layers together and each alone: `rows`, `type`, the measures."""
    whole = released_types().drop("share").insert_column(0, pl.lit("all layers").alias("rows"))
    layers = [
        pl.DataFrame(
            {
                "rows": [rows] * TYPES,
                "type": pl.Series(range(1, TYPES + 1), dtype=pl.Int32),
                **dict(zip(KEPT, columns, strict=True)),
            }
        )
        for rows, columns in _RELEASED_LAYERS.items()
    ]
    return pl.concat([whole, *layers])
