"""What every architecture has in common: a description from which untrained modules are built."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synaplex.networks.initializers import InitializerBase, Uniform, check_seeds
from synaplex.networks.specification import Specification

Biases = Literal["zero", "weights"]
"""Where biases start: at zero, or drawn like the weights of their layer."""


class Architecture(Specification):
    """A network without its weights."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample as the module takes it."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Number of output neurons."""

    @abstractmethod
    def skeleton(self) -> nn.Module:
        """The module with its parameters on the meta device: shapes without values."""

    @property
    def inputs(self) -> int:
        """Number of input neurons: the features of a sample."""
        return math.prod(self.input_shape)

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.skeleton().parameters())

    def arrange(self, x: Float[Tensor, "samples features"]) -> Float[Tensor, "samples ..."]:
        """Samples of a dataset, which are flat, in the shape that the module takes."""
        return x.view(len(x), *self.input_shape)

    def build(self, seed: int = 0, initializer: InitializerBase | None = None, *, biases: Biases = "zero") -> nn.Module:
        """The untrained network of a seed, as the trainers start it.

        Parameters
        ----------
        seed
            From 0 to 2^32 - 1.
        initializer
            The distribution of the weights; uniform on [-0.9, 0.9) by default.
        biases
            ``"zero"``, or ``"weights"``: drawn like the weights of their layer, from the same stream.
        """
        module = self.skeleton()
        draw_parameters(module, seed, initializer or Uniform(), biases=biases)
        return module


def draw_parameters(module: nn.Module, seed: int, initializer: InitializerBase, *, biases: Biases = "zero") -> None:
    """Give a skeleton its parameters, in place and in their order, from the one stream of a seed.

    A parameter with two axes or more is a weight ``(out, in, *kernel)``. It is filled input by input, each kernel
    position being an input of its own: the matrix ``(in * kernel, out)`` that `InitializerBase.draw` gives. A vector is
    a bias, of the layer whose weights come before it.

    Raises
    ------
    SpecificationError
        If the seed is not an integer from 0 to 2^32 - 1.
    """
    (checked,) = check_seeds([seed])
    generator = torch.Generator().manual_seed(checked)
    fans = (1, 1)
    for owner in module.modules():
        for name, parameter in list(owner.named_parameters(recurse=False)):
            if parameter.ndim >= 2:
                out, *into = parameter.shape
                fans = math.prod(into), out * math.prod(into[1:])
                drawn = initializer.sample((math.prod(into), out), fans, generator).T
                value = drawn.reshape(parameter.shape).contiguous()
            elif biases == "weights":
                value = initializer.sample((len(parameter), 1), fans, generator)[:, 0]
            else:
                value = torch.zeros(parameter.shape)
            setattr(owner, name, nn.Parameter(value))
