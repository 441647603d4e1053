"""Measures of neurons and links, each written once against the algebra of links."""

from synaplex.measures.bounds import Bound, Bounds
from synaplex.measures.cliques import maximal_cliques
from synaplex.measures.clustering import bipartite_clustering
from synaplex.measures.flow import current_flow_closeness, second_order_centrality
from synaplex.measures.laplacian import laplacian_centrality
from synaplex.measures.nulls import beside_null
from synaplex.measures.paths import harmonic_centrality
from synaplex.measures.presets import PRESETS, Preset
from synaplex.measures.registry import Measure, find, measures, register
from synaplex.measures.spectral import log_subgraph_centrality, subgraph_centrality
from synaplex.measures.strength import disparity, in_strength, neighbor_strength, out_strength, strength
from synaplex.measures.table import DEFAULT, describe, measure, plan
from synaplex.measures.undefined import Undefined
from synaplex.measures.weights import layer_fluctuation, link_weights, weight_features

__all__ = [
    "DEFAULT",
    "PRESETS",
    "Bound",
    "Bounds",
    "Measure",
    "Preset",
    "Undefined",
    "beside_null",
    "bipartite_clustering",
    "current_flow_closeness",
    "describe",
    "disparity",
    "find",
    "harmonic_centrality",
    "in_strength",
    "laplacian_centrality",
    "layer_fluctuation",
    "link_weights",
    "log_subgraph_centrality",
    "maximal_cliques",
    "measure",
    "measures",
    "neighbor_strength",
    "out_strength",
    "plan",
    "register",
    "second_order_centrality",
    "strength",
    "subgraph_centrality",
    "weight_features",
]
