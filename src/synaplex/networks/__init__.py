"""Architectures, described as data and built as plain PyTorch modules, and how their weights are drawn."""

from typing import Annotated

from pydantic import Field

from synaplex.networks.activations import Activation
from synaplex.networks.architecture import Architecture, Biases, draw_parameters
from synaplex.networks.autoencoder import Autoencoder, autoencoder
from synaplex.networks.cnn import CNN, cnn
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
from synaplex.networks.la_malfa import (
    la_malfa_2021,
    la_malfa_2021_initializer,
    la_malfa_2024,
    la_malfa_2024_initializer,
)
from synaplex.networks.mlp import MLP, mlp
from synaplex.networks.rnn import RNN, RecurrentCell, RecurrentNetwork, rnn
from synaplex.networks.specification import Specification, named

Network = Annotated[MLP | CNN | RNN | Autoencoder, Field(discriminator="kind")]
"""Any architecture, as a field of a specification."""

__all__ = [
    "CNN",
    "MLP",
    "RNN",
    "Activation",
    "Architecture",
    "Autoencoder",
    "Biases",
    "GlorotNormal",
    "GlorotUniform",
    "Initializer",
    "InitializerBase",
    "Kaiming",
    "Network",
    "Normal",
    "RecurrentCell",
    "RecurrentNetwork",
    "Specification",
    "Uniform",
    "autoencoder",
    "check_seeds",
    "cnn",
    "draw_parameters",
    "initial_weights",
    "la_malfa_2021",
    "la_malfa_2021_initializer",
    "la_malfa_2024",
    "la_malfa_2024_initializer",
    "mlp",
    "named",
    "rnn",
]
