"""The measures as the paper writes them, from the cheapest to the dearest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """How a measure is written.

    Attributes
    ----------
    symbol
        The paper's, as matplotlib typesets it.
    plain
        The paper's, as plain text.
    title
        In words.
    short
        In fewer words.
    cost
        Of our algorithm for one network with E edges, whose two sides have N >= m neurons.
    """

    symbol: str
    plain: str
    title: str
    short: str
    cost: str


MEASURES: Mapping[str, Label] = {
    "strength": Label("$s$", "s", "strength", "strength", "E"),
    "maximal_cliques": Label("$mc$", "mc", "number of maximal cliques", "maximal cliques", "E"),
    "neighbor_strength": Label("$s_{nn}$", "s_nn", "average neighbor strength", "neighbor strength", "2 E"),
    "bipartite_clustering": Label("$bc$", "bc", "bipartite clustering", "clustering", "N m²"),
    "current_flow_closeness": Label("$cf_c$", "cf_c", "current-flow closeness", "current flow", "N m² + m³ (inverse)"),
    "second_order_centrality": Label("$so$", "so", "second-order centrality", "second-order", "N m² + m³ (inverse)"),
    "subgraph_centrality": Label("$sg$", "sg", "subgraph centrality", "subgraph", "N m² + 9 m³ (spectrum)"),
    "harmonic_centrality": Label("$hc$", "hc", "harmonic centrality", "harmonic", "N m² + m³ (shortest paths)"),
}
"""The eight measures, ordered by cost: of two redundant ones, the first is kept."""

PAPER_ORDER = (
    "strength",
    "neighbor_strength",
    "second_order_centrality",
    "subgraph_centrality",
    "maximal_cliques",
    "bipartite_clustering",
    "harmonic_centrality",
    "current_flow_closeness",
)
"""The order in which the paper introduces them."""

GROUPS = ("worst", "median", "best")
"""Groups of networks by accuracy: the paper's red, blue and green."""


def symbol(measure: str) -> str:
    """The paper's symbol, as matplotlib typesets it."""
    return MEASURES[measure].symbol


def titled(measure: str) -> str:
    """Symbol and words, as matplotlib typesets them."""
    return f"{MEASURES[measure].symbol}  {MEASURES[measure].title}"
