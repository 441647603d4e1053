"""The recurrent network: one recurrent layer reads an image row by row, a dense layer classifies what it remembers."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from synaplex.networks.activations import MODULES, Activation
from synaplex.networks.architecture import Architecture, Biases
from synaplex.networks.initializers import InitializerBase


class RecurrentCell(nn.Module):
    """One step of a recurrent layer before its activation function, z(t) = W x(t) + U h(t - 1) + b.

    Unlike ``torch.nn.RNNCell`` it leaves the activation function to a module of its own, which may be any, and has one
    bias. Its output is the Neurons Strength of La Malfa et al. (2024), eq. 9.

    Parameters
    ----------
    features
        Inputs of a step.
    hidden
        Number of neurons.
    bias
        Whether neurons have biases.
    """

    def __init__(
        self, features: int, hidden: int, *, bias: bool = True, device: torch.device | str | None = None
    ) -> None:
        super().__init__()
        self.weight_ih = nn.Parameter(torch.zeros(hidden, features, device=device))
        self.weight_hh = nn.Parameter(torch.zeros(hidden, hidden, device=device))
        self.bias = nn.Parameter(torch.zeros(hidden, device=device)) if bias else None

    def forward(
        self, x: Float[Tensor, "samples features"], state: Float[Tensor, "samples hidden"]
    ) -> Float[Tensor, "samples hidden"]:
        """The pre-activations of a step, from its input and the activations of the step before."""
        return functional.linear(x, self.weight_ih, self.bias) + functional.linear(state, self.weight_hh)


class RecurrentNetwork(nn.Module):
    """A recurrent layer over the steps of a sequence, then a dense layer on its last state; the first state is zero.

    Parameters
    ----------
    features
        Inputs of a step.
    hidden
        Neurons of the recurrent layer.
    outputs
        Neurons of the dense layer.
    activation
        Of the recurrent layer.
    bias
        Whether neurons have biases.
    """

    def __init__(
        self,
        features: int,
        hidden: int,
        outputs: int,
        *,
        activation: Activation = "tanh",
        bias: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.cell = RecurrentCell(features, hidden, bias=bias, device=device)
        self.activation = MODULES[activation]()
        self.output = nn.Linear(hidden, outputs, bias=bias, device=device)

    def forward(self, x: Float[Tensor, "samples steps features"]) -> Float[Tensor, "samples outputs"]:
        """The outputs after the last step."""
        state = x.new_zeros(len(x), self.cell.weight_hh.shape[0])
        for segment in x.unbind(1):
            state = self.activation(self.cell(segment, state))
        scores: Tensor = self.output(state)
        return scores


class RNN(Architecture):
    """A recurrent network that reads images from top to bottom.

    The step t reads row t of the image, all its pixels at once; of a coloured image the rows of the channels side by
    side. La Malfa et al. (2024) say only that their networks process "a segment of the input" at a time.

    Attributes
    ----------
    image
        Channels, height and width of a sample; the height is the number of steps.
    hidden
        Neurons of the recurrent layer.
    classes
        Number of output neurons.
    activation
        Of the recurrent layer.
    bias
        Whether neurons have biases.
    recurrence
        How the recurrent weights U start: ``"drawn"``, like all others; ``"orthogonal"``, as the orthogonal factor of
        the matrix that is drawn, so that no state grows or vanishes by U alone (Saxe et al. 2014).
    """

    kind: Literal["rnn"] = "rnn"
    image: tuple[PositiveInt, PositiveInt, PositiveInt]
    hidden: PositiveInt
    classes: PositiveInt
    activation: Activation = "tanh"
    bias: bool = False
    recurrence: Literal["drawn", "orthogonal"] = "drawn"

    @property
    def input_shape(self) -> tuple[int, int]:
        """Steps, and features of each."""
        channels, height, width = self.image
        return height, channels * width

    @property
    def outputs(self) -> int:
        """Number of output neurons."""
        return self.classes

    def arrange(self, x: Float[Tensor, "samples features"]) -> Float[Tensor, "samples ..."]:
        """Samples of a dataset, channel after channel, as sequences of rows."""
        return x.view(len(x), *self.image).transpose(1, 2).flatten(2)

    def skeleton(self) -> RecurrentNetwork:
        return RecurrentNetwork(
            self.input_shape[1], self.hidden, self.classes, activation=self.activation, bias=self.bias, device="meta"
        )

    def build(
        self, seed: int = 0, initializer: InitializerBase | None = None, *, biases: Biases = "zero"
    ) -> RecurrentNetwork:
        module = super().build(seed, initializer, biases=biases)
        assert isinstance(module, RecurrentNetwork)
        if self.recurrence == "orthogonal":
            module.cell.weight_hh = nn.Parameter(orthogonal_factor(module.cell.weight_hh.detach()))
        return module

    def __str__(self) -> str:
        steps, features = self.input_shape
        return f"{steps}x{features}-{self.hidden}r-{self.classes}"


def orthogonal_factor(matrix: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    """Q of the factorisation Q R with a positive diagonal of R: uniform over rotations where a Gaussian is drawn."""
    q, r = torch.linalg.qr(matrix.double())
    signs = torch.where(r.diagonal() < 0, -1.0, 1.0).to(q.dtype)
    turned: Tensor = (q * signs).to(matrix.dtype)
    return turned


def rnn(
    image: tuple[int, int, int],
    hidden: int,
    outputs: int,
    *,
    activation: Activation = "tanh",
    bias: bool = False,
    recurrence: Literal["drawn", "orthogonal"] = "drawn",
) -> RNN:
    """Describe a recurrent network that reads images row by row.

    Parameters
    ----------
    image
        Channels, height and width of a sample.
    hidden
        Neurons of the recurrent layer.
    outputs
        Number of output neurons.
    activation
        ``"tanh"``, ``"relu"``, ``"sigmoid"`` or ``"linear"``, of the recurrent layer.
    bias
        Whether neurons have biases.
    recurrence
        How the recurrent weights start; see `RNN`.

    Raises
    ------
    SpecificationError
        For a size below 1 or an unknown activation.

    Examples
    --------
    >>> network = rnn((1, 8, 8), 32, 10)
    >>> print(network, network.parameters)
    8x8-32r-10 1600
    """
    return RNN(image=image, hidden=hidden, classes=outputs, activation=activation, bias=bias, recurrence=recurrence)
