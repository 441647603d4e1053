"""Architectures, described as data and built as plain PyTorch modules, and how their weights are drawn."""

from synaplex.networks.initializers import (
    GlorotNormal,
    GlorotUniform,
    Initializer,
    InitializerBase,
    Kaiming,
    Normal,
    Uniform,
    check_seeds,
    initial_weights,
)
from synaplex.networks.mlp import MLP, Activation, mlp
from synaplex.networks.specification import Specification, named

__all__ = [
    "MLP",
    "Activation",
    "GlorotNormal",
    "GlorotUniform",
    "Initializer",
    "InitializerBase",
    "Kaiming",
    "Normal",
    "Specification",
    "Uniform",
    "check_seeds",
    "initial_weights",
    "mlp",
    "named",
]
