"""The multilayer perceptron: dense layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.networks.activations import MODULES, Activation
from synaplex.networks.architecture import Architecture, Biases
from synaplex.networks.initializers import InitializerBase, Uniform, initial_weights


class MLP(Architecture):
    """A multilayer perceptron, as a description from which plain PyTorch modules are made.

    Attributes
    ----------
    widths
        Number of neurons of each layer, input and output included.
    activation
        Of the hidden layers. The output layer has none: a softmax belongs to the loss.
    bias
        Whether neurons have biases.
    """

    kind: Literal["mlp"] = "mlp"
    widths: Annotated[tuple[PositiveInt, ...], Field(min_length=2)]
    activation: Activation = "relu"
    bias: bool = False

    @property
    def input_shape(self) -> tuple[int]:
        """Number of input neurons: samples are flat."""
        return (self.widths[0],)

    @property
    def outputs(self) -> int:
        """Number of output neurons."""
        return self.widths[-1]

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        edges = sum(before * after for before, after in pairwise(self.widths))
        return edges + (sum(self.widths[1:]) if self.bias else 0)

    def skeleton(self) -> nn.Sequential:
        return dense_layers(self.widths, self.activation, bias=self.bias)

    def build(
        self,
        seed: int = 0,
        initializer: InitializerBase | None = None,
        *,
        biases: Biases = "zero",
        shared_stream: bool = False,
    ) -> nn.Sequential:
        """The untrained network of a seed, as the population trainer starts it.

        Parameters
        ----------
        seed
            From 0 to 2^32 - 1.
        initializer
            The distribution of the weights; uniform on [-0.9, 0.9) by default.
        biases
            ``"zero"``, or ``"weights"``: drawn like the weights of their layer.
        shared_stream
            Whether all layers hold the same random sequence; see `synaplex.networks.initial_weights`. Only with biases
            that start at zero.

        Raises
        ------
        SpecificationError
            If the seed is not one, or a stream is to be shared with biases.
        """
        if not shared_stream:
            module = super().build(seed, initializer, biases=biases)
            assert isinstance(module, nn.Sequential)
            return module
        if biases != "zero":
            raise SpecificationError("with shared_stream, biases start at zero")
        drawn = initial_weights(self.widths, [seed], initializer or Uniform(), shared_stream=True)
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
        module = self.skeleton()
        layers = [layer for layer in module if isinstance(layer, nn.Linear)]
        for layer, weight, vector in zip(layers, weights, vectors, strict=True):
            layer.weight = nn.Parameter(weight.clone())
            if self.bias:
                layer.bias = nn.Parameter(vector.clone())
        return module

    def __str__(self) -> str:
        return "-".join(map(str, self.widths))


def dense_layers(
    widths: Sequence[int], activation: Activation, *, bias: bool, last: Activation | None = None
) -> nn.Sequential:
    """Dense layers with an activation between them, on the meta device so that nothing is drawn.

    Parameters
    ----------
    widths
        Number of neurons of each layer, input and output included.
    activation
        Of the hidden layers.
    bias
        Whether neurons have biases.
    last
        Activation of the output layer, as a module of its own; none by default.
    """
    modules: list[nn.Module] = []
    for before, after in pairwise(widths):
        modules += [nn.Linear(before, after, bias=bias, device="meta"), MODULES[activation]()]
    return nn.Sequential(*modules[:-1], *([] if last is None else [MODULES[last]()]))


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
