"""The graph of a neural network: layers of neurons joined by links."""

from synaplex._callable_module import make_callable
from synaplex.graph.adjacency import Adjacency, Sides
from synaplex.graph.build import graph
from synaplex.graph.centralities import CENTRALITIES, centrality
from synaplex.graph.coverage import Coverage
from synaplex.graph.dense import DenseLink
from synaplex.graph.diagonal import DiagonalLink
from synaplex.graph.edgelist import from_edgelist, write_edgelist
from synaplex.graph.edges import EdgeRule
from synaplex.graph.identity import IdentityLink
from synaplex.graph.interop import from_networkx, from_scipy, to_igraph, to_networkx, to_scipy, write_graphml
from synaplex.graph.layer import Layer
from synaplex.graph.link import Link
from synaplex.graph.load import load
from synaplex.graph.network import NeuralGraph
from synaplex.graph.sparse import SparseLink
from synaplex.graph.trace import trace

__all__ = [
    "CENTRALITIES",
    "Adjacency",
    "Coverage",
    "DenseLink",
    "DiagonalLink",
    "EdgeRule",
    "IdentityLink",
    "Layer",
    "Link",
    "NeuralGraph",
    "Sides",
    "SparseLink",
    "centrality",
    "from_edgelist",
    "from_networkx",
    "from_scipy",
    "graph",
    "load",
    "to_igraph",
    "to_networkx",
    "to_scipy",
    "trace",
    "write_edgelist",
    "write_graphml",
]

make_callable(__name__, graph)
