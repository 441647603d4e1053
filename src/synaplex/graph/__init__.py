"""The graph of a neural network: layers of neurons joined by links."""

from synaplex._callable_module import make_callable
from synaplex.graph.adjacency import Adjacency, Sides
from synaplex.graph.attention import AttentionLink, repeated_heads, split_projections
from synaplex.graph.attention_graph import attention_graph
from synaplex.graph.build import graph
from synaplex.graph.centralities import CENTRALITIES, centrality
from synaplex.graph.conv import ConvLink, conv_link
from synaplex.graph.conv_transpose import ConvTransposeLink, conv_transpose_link
from synaplex.graph.coverage import Coverage
from synaplex.graph.dense import DenseLink
from synaplex.graph.diagonal import DiagonalLink
from synaplex.graph.edgelist import from_edgelist, write_edgelist
from synaplex.graph.edges import EdgeRule
from synaplex.graph.embedding import embedding_link
from synaplex.graph.fold import FoldLink, mean_link, spread_link, sum_link
from synaplex.graph.gain import GainLink
from synaplex.graph.identity import IdentityLink
from synaplex.graph.interop import from_networkx, from_scipy, to_igraph, to_networkx, to_scipy, write_graphml
from synaplex.graph.layer import Layer
from synaplex.graph.link import Link
from synaplex.graph.load import load
from synaplex.graph.network import NeuralGraph
from synaplex.graph.norm import batch_norm, group_norm, layer_norm, rms_norm
from synaplex.graph.nulls import flipped, shuffled
from synaplex.graph.pool import PoolLink, adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
from synaplex.graph.recurrence import Recurrence, recurrence
from synaplex.graph.repeated import RepeatedLink
from synaplex.graph.rewired import rewired
from synaplex.graph.select import SelectLink, select_link
from synaplex.graph.sparse import SparseLink
from synaplex.graph.sum import SumLink
from synaplex.graph.trace import trace
from synaplex.graph.transposed import TransposedLink

__all__ = [
    "CENTRALITIES",
    "Adjacency",
    "AttentionLink",
    "ConvLink",
    "ConvTransposeLink",
    "Coverage",
    "DenseLink",
    "DiagonalLink",
    "EdgeRule",
    "FoldLink",
    "GainLink",
    "IdentityLink",
    "Layer",
    "Link",
    "NeuralGraph",
    "PoolLink",
    "Recurrence",
    "RepeatedLink",
    "SelectLink",
    "Sides",
    "SparseLink",
    "SumLink",
    "TransposedLink",
    "adaptive_average_pool",
    "adaptive_max_pool",
    "attention_graph",
    "average_pool",
    "batch_norm",
    "centrality",
    "conv_link",
    "conv_transpose_link",
    "embedding_link",
    "flipped",
    "from_edgelist",
    "from_networkx",
    "from_scipy",
    "graph",
    "group_norm",
    "layer_norm",
    "load",
    "max_pool",
    "mean_link",
    "recurrence",
    "repeated_heads",
    "rewired",
    "rms_norm",
    "select_link",
    "shuffled",
    "split_projections",
    "spread_link",
    "sum_link",
    "to_igraph",
    "to_networkx",
    "to_scipy",
    "trace",
    "write_edgelist",
    "write_graphml",
]

make_callable(__name__, graph)
