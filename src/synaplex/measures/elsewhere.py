"""Quantities that are asked for by name, but computed elsewhere or under another name."""

from __future__ import annotations

from synaplex.errors import nearest

CENTRALITIES = {
    "authority": "authority",
    "betweenness": "betweenness",
    "betweenness_centrality": "betweenness",
    "burt_constraint": "burt_constraint",
    "closeness": "closeness",
    "closeness_centrality": "closeness",
    "constraint": "burt_constraint",
    "core_number": "coreness",
    "coreness": "coreness",
    "degree": "degree",
    "degree_centrality": "degree",
    "eccentricity": "eccentricity",
    "eigenvector": "eigenvector",
    "eigenvector_centrality": "eigenvector",
    "hub": "hub",
    "k_core": "coreness",
    "katz": "katz",
    "katz_centrality": "katz",
    "local_clustering": "local_clustering",
    "page_rank": "pagerank",
    "pagerank": "pagerank",
}
"""Names of NetworkX and igraph, and what `synaplex.graph.centrality` calls the same."""

_ANOTHER = {
    "average_neighbor_degree": "NetworkX's average_neighbor_degree(weight='weight') is neighbor_strength with "
    "form='degree'",
    "clustering": "NetworkX's clustering is sx.graph.centrality(graph, 'local_clustering'); the measure "
    "bipartite_clustering is that of graphs with two sides, which have no triangles",
}


def advice(name: str, known: list[str]) -> str:
    """Where a quantity is to be had that is no measure of that name; empty where nothing is known of it."""
    if not isinstance(name, str):
        return ""
    if name in _ANOTHER:
        return _ANOTHER[name]
    near = name if name in CENTRALITIES else next(iter(nearest(name, [*known, *CENTRALITIES])), "")
    if near not in CENTRALITIES or near in known:
        return ""
    asked = "" if near == name else f"did you mean {near!r}? "
    return f"{asked}sx.graph.centrality(graph, {CENTRALITIES[near]!r}) computes it, with the extra 'interop'"
