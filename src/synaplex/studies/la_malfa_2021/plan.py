"""Plan: the layers and links of a network that is to be trained in a crowd."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from torch import nn

from synaplex.errors import SpecificationError
from synaplex.networks import CNN, MLP


@dataclass(frozen=True)
class Stride:
    """How a convolution moves over an image, the same along both axes.

    Attributes
    ----------
    stride, padding
        As torch takes them.
    """

    stride: int
    padding: int


@dataclass(frozen=True, eq=False)
class Plan:
    """The layers and links of an architecture: convolutions, then dense layers, all with biases and ReLU.

    Attributes
    ----------
    specification
        The architecture.

    Raises
    ------
    SpecificationError
        If it has no biases, or another activation than ReLU.
    """

    specification: MLP | CNN

    def __post_init__(self) -> None:
        if not self.specification.bias or self.specification.activation != "relu":
            raise SpecificationError(f"the study's networks have biases and ReLU, {self.specification!r} has not")

    @cached_property
    def convolutions(self) -> tuple[Stride, ...]:
        """Of each convolution, in order."""
        if isinstance(self.specification, MLP):
            return ()
        return tuple(Stride(stride, self.specification.padding) for stride in self.specification.strides)

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of each layer, the input first."""
        if isinstance(self.specification, MLP):
            return tuple((width,) for width in self.specification.widths)
        return (*self.specification.images, *((width,) for width in self.specification.dense))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of neurons of each layer."""
        return tuple(math.prod(shape) for shape in self.shapes)

    @cached_property
    def weight_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of each link's weights, as torch stores them."""
        modules = self.specification.skeleton()
        return tuple(tuple(one.weight.shape) for one in modules if isinstance(one, nn.Linear | nn.Conv2d))

    @property
    def layer_names(self) -> tuple[str, ...]:
        """A name for each layer, the input first."""
        dense = len(self.shapes) - 2 - len(self.convolutions)
        return (
            "input",
            *(f"convolution {i}" for i in range(1, len(self.convolutions) + 1)),
            *(f"dense {i}" for i in range(1, dense + 1)),
            "output",
        )

    def __str__(self) -> str:
        return str(self.specification)
