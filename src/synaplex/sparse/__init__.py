"""Truly sparse networks whose connections evolve while they train."""

from synaplex.sparse.checkpoint import save_model
from synaplex.sparse.drop import Drop
from synaplex.sparse.evolution import Evolution, inference_flops
from synaplex.sparse.grow import Grow
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.presets import SET, CenSET
from synaplex.sparse.schedule import Schedule
from synaplex.sparse.sparsify import DenseLayerWarning, sparsify, to_dense

__all__ = [
    "SET",
    "CenSET",
    "DenseLayerWarning",
    "Drop",
    "Evolution",
    "Grow",
    "Schedule",
    "SparseLinear",
    "inference_flops",
    "save_model",
    "sparsify",
    "to_dense",
]
