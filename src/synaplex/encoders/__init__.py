"""StructureReps: networks as graphs, embedded by a graph autoencoder, and their performance read off the embedding.

From a population to a prediction for a new network::

    encoder = StructureEncoder().fit(train)                        # training networks only
    decoder = PerformanceDecoder("ridge").fit(encoder.transform(train), accuracy)
    predicted = decoder.predict(encoder.transform(new))
    save_encoder("my-encoder", encoder, decoder)

and, with the folder alone::

    rank(["a.safetensors", "b.safetensors"], "my-encoder").table   # which is best, with intervals
    embed("checkpoints/", "my-encoder").nearest(5)

PyTorch Geometric is not needed, except for `to_pyg`.
"""

from __future__ import annotations

from synaplex.encoders.adjacency import ADJACENCIES
from synaplex.encoders.baselines import EpochIndex, FlatWeights, NetworkFeatures, WeightStatistics
from synaplex.encoders.candidates import Candidates
from synaplex.encoders.checkpoints import load_checkpoint
from synaplex.encoders.comparison import compare_encoders
from synaplex.encoders.complex_network import CHEAP_MEASURES, ComplexNetworkFeatures
from synaplex.encoders.convolutions import GATConv, TransformerConv
from synaplex.encoders.decoder import REGRESSORS, PerformanceDecoder
from synaplex.encoders.edge_attention import EdgeAttention
from synaplex.encoders.embedding import Embedding, embed
from synaplex.encoders.encoder import StructureEncoder
from synaplex.encoders.graph_set import GraphSet
from synaplex.encoders.messages import MessageGraph, message_graph
from synaplex.encoders.objective import Objective
from synaplex.encoders.pooling import POOLINGS, pooled
from synaplex.encoders.positional import PositionalEncoding, positional_encoding
from synaplex.encoders.pyg import to_pyg
from synaplex.encoders.ranking import Ranking, rank
from synaplex.encoders.reading import structure_graph
from synaplex.encoders.saving import SavedEncoder, load_encoder, save_encoder
from synaplex.encoders.scores import Score, decoding_scores
from synaplex.encoders.structure import Block, StructureGraph
from synaplex.encoders.vgae import ARCHITECTURES, EncoderPlan, StructureVGAE

__all__ = [
    "ADJACENCIES",
    "ARCHITECTURES",
    "CHEAP_MEASURES",
    "POOLINGS",
    "REGRESSORS",
    "Block",
    "Candidates",
    "ComplexNetworkFeatures",
    "EdgeAttention",
    "Embedding",
    "EncoderPlan",
    "EpochIndex",
    "FlatWeights",
    "GATConv",
    "GraphSet",
    "MessageGraph",
    "NetworkFeatures",
    "Objective",
    "PerformanceDecoder",
    "PositionalEncoding",
    "Ranking",
    "SavedEncoder",
    "Score",
    "StructureEncoder",
    "StructureGraph",
    "StructureVGAE",
    "TransformerConv",
    "WeightStatistics",
    "compare_encoders",
    "decoding_scores",
    "embed",
    "load_checkpoint",
    "load_encoder",
    "message_graph",
    "pooled",
    "positional_encoding",
    "rank",
    "save_encoder",
    "structure_graph",
    "to_pyg",
]
