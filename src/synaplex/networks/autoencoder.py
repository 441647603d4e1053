"""The autoencoder: dense layers down to a bottleneck and back, trained to return their input."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt
from torch import nn

from synaplex.networks.activations import Activation
from synaplex.networks.architecture import Architecture
from synaplex.networks.mlp import dense_layers


class Autoencoder(Architecture):
    """A dense autoencoder: the decoder mirrors the encoder, with weights of its own.

    Attributes
    ----------
    encoder
        Number of neurons of each layer from the input to the bottleneck, both included.
    activation
        Of the hidden layers.
    output_activation
        Of the output layer, as a module of its own: ``"sigmoid"`` suits data in [0, 1].
    bias
        Whether neurons have biases.
    """

    kind: Literal["autoencoder"] = "autoencoder"
    encoder: Annotated[tuple[PositiveInt, ...], Field(min_length=2)]
    activation: Activation = "relu"
    output_activation: Activation = "linear"
    bias: bool = False

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of neurons of each layer, input and output included."""
        return self.encoder + self.encoder[-2::-1]

    @property
    def input_shape(self) -> tuple[int]:
        """Number of input neurons: samples are flat."""
        return (self.encoder[0],)

    @property
    def outputs(self) -> int:
        """Number of output neurons, that of the inputs."""
        return self.encoder[0]

    def skeleton(self) -> nn.Sequential:
        last = None if self.output_activation == "linear" else self.output_activation
        return dense_layers(self.widths, self.activation, bias=self.bias, last=last)

    def __str__(self) -> str:
        return "-".join(map(str, self.widths))


def autoencoder(
    *encoder: int, activation: Activation = "relu", output_activation: Activation = "linear", bias: bool = False
) -> Autoencoder:
    """Describe a dense autoencoder by its encoder.

    Parameters
    ----------
    *encoder
        Number of neurons of each layer from the input to the bottleneck, both included.
    activation
        ``"relu"``, ``"tanh"``, ``"sigmoid"`` or ``"linear"``, of the hidden layers.
    output_activation
        Of the output layer.
    bias
        Whether neurons have biases.

    Raises
    ------
    SpecificationError
        For fewer than two layers, a width below 1 or an unknown activation.

    Examples
    --------
    >>> network = autoencoder(64, 32, 8)
    >>> network.widths
    (64, 32, 8, 32, 64)
    """
    return Autoencoder(encoder=encoder, activation=activation, output_activation=output_activation, bias=bias)
