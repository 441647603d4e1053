"""The multilayer perceptron: dense layers one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.networks.initializers import InitializerBase, Uniform, initial_weights
from synaplex.networks.specification import Specification

Activation = Literal["relu", "tanh", "sigmoid", "linear"]

_MODULES: dict[Activation, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}


class MLP(Specification):
    """A multilayer perceptron, as a description from which plain PyTorch modules are made.

    Attributes
    ----------
    widths
        Number of neurons of each layer, input and output included.
    activation
        Of the hidden layers. The output layer has none: a softmax belongs to the loss.
    bias
        Whether neurons have biases, which start at zero.
    """

    kind: Literal["mlp"] = "mlp"
    widths: Annotated[tuple[PositiveInt, ...], Field(min_length=2)]
    activation: Activation = "relu"
    bias: bool = False

    @property
    def inputs(self) -> int:
        """Number of input neurons."""
        return self.widths[0]

    @property
    def outputs(self) -> int:
        """Number of output neurons."""
        return self.widths[-1]

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        edges = sum(before * after for before, after in pairwise(self.widths))
        return edges + (sum(self.widths[1:]) if self.bias else 0)

    def build(
        self, seed: int = 0, initializer: InitializerBase | None = None, *, shared_stream: bool = False
    ) -> nn.Sequential:
        """The untrained network of a seed, as the population trainer starts it.

        Parameters
        ----------
        seed
            From 0 to 2^32 - 1.
        initializer
            The distribution of the weights; uniform on [-0.9, 0.9) by default.
        shared_stream
            Whether all layers hold the same random sequence; see `synaplex.networks.initial_weights`.
        """
        drawn = initial_weights(self.widths, [seed], initializer or Uniform(), shared_stream=shared_stream)
        return self.to_module([weight[0] for weight in drawn])

    def to_module(
        self,
        weights: Sequence[Float[Tensor, "_out _in"]],
        biases: Sequence[Float[Tensor, " _out"]] | None = None,
    ) -> nn.Sequential:
        """A module of ``nn.Linear`` and activations with the given weights, copied.

        Parameters
        ----------
        weights
            One ``(out, in)`` matrix a link.
        biases
            One ``(out,)`` vector a link, zero by default; only for a specification with ``bias=True``.

        Raises
        ------
        SpecificationError
            If the matrices or vectors do not have the shapes of this specification.
        """
        if biases is not None and not self.bias:
            raise SpecificationError(f"{self!r} has no biases, but some were given")
        vectors = [weight.new_zeros(len(weight)) for weight in weights] if biases is None else list(biases)
        given = [tuple(weight.shape) for weight in weights]
        expected = [(after, before) for before, after in pairwise(self.widths)]
        if given != expected or [len(vector) for vector in vectors] != list(self.widths[1:]):
            raise SpecificationError(f"{self!r} takes weights (and biases) of shapes {expected}, got {given}")
        modules: list[nn.Module] = []
        for i, (weight, vector) in enumerate(zip(weights, vectors, strict=True)):
            # Made on the meta device, so that nothing is drawn from the global random state.
            linear = nn.Linear(weight.shape[1], weight.shape[0], bias=self.bias, device="meta")
            linear.weight = nn.Parameter(weight.clone())
            if self.bias:
                linear.bias = nn.Parameter(vector.clone())
            modules.append(linear)
            if i < len(weights) - 1:
                modules.append(_MODULES[self.activation]())
        return nn.Sequential(*modules)

    def __str__(self) -> str:
        return "-".join(map(str, self.widths))


def mlp(*widths: int, activation: Activation = "relu", bias: bool = False) -> MLP:
    """Describe a multilayer perceptron.

    Parameters
    ----------
    *widths
        Number of neurons of each layer, input and output included.
    activation
        ``"relu"``, ``"tanh"``, ``"sigmoid"`` or ``"linear"``, of the hidden layers.
    bias
        Whether neurons have biases.

    Raises
    ------
    SpecificationError
        For fewer than two layers, a width below 1 or an unknown activation.

    Examples
    --------
    >>> network = mlp(64, 32, 16, 10)
    >>> network.parameters
    2720
    >>> network.build(seed=7)
    Sequential(
      (0): Linear(in_features=64, out_features=32, bias=False)
      (1): ReLU()
      (2): Linear(in_features=32, out_features=16, bias=False)
      (3): ReLU()
      (4): Linear(in_features=16, out_features=10, bias=False)
    )
    """
    return MLP(widths=widths, activation=activation, bias=bias)
