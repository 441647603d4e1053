"""Optimisers of a whole population: as specifications, and as rules that form no gradient without need.

A `Gradient` is a recipe that adds the gradient to a tensor. For a weight matrix that is one matrix product,
so plain gradient descent adds it to the weights themselves, and momentum to its running average, without a
buffer in between. The rules are those of `torch.optim.SGD` and `torch.optim.Adam`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat
from torch import Tensor

from synaplex.networks import Specification, named


class Gradient(ABC):
    """The gradient of one parameter tensor of all networks."""

    @abstractmethod
    def add_to(self, target: Tensor, beta: float, alpha: float) -> None:
        """``target = beta * target + alpha * gradient``, in place."""


@dataclass(frozen=True)
class WeightGradient(Gradient):
    """Of a weight matrix: the mean over the batch of ``delta input^T``.

    Attributes
    ----------
    delta
        Derivative of each sample's loss by the input of the target's neurons.
    inputs
        Output of the source's neurons: ``(samples, in)`` where all networks share it, else one a network.
    """

    delta: Float[Tensor, "networks out samples"]
    inputs: Float[Tensor, "samples in"] | Float[Tensor, "networks source samples"]

    def add_to(self, target: Float[Tensor, "networks out in"], beta: float, alpha: float) -> None:
        alpha /= self.delta.shape[2]
        if self.inputs.ndim == 2:
            target.flatten(0, 1).addmm_(self.delta.flatten(0, 1), self.inputs, beta=beta, alpha=alpha)
        else:
            target.baddbmm_(self.delta, self.inputs.mT, beta=beta, alpha=alpha)


@dataclass(frozen=True)
class BiasGradient(Gradient):
    """Of biases: the mean of `delta` over the batch."""

    delta: Float[Tensor, "networks out samples"]

    def add_to(self, target: Float[Tensor, "networks out 1"], beta: float, alpha: float) -> None:
        target.mul_(beta).add_(self.delta.mean(2, keepdim=True), alpha=alpha)


class UpdateRule(ABC):
    """Changes parameters by their gradients, keeping what it needs from step to step."""

    @abstractmethod
    def update(self, index: int, parameter: Tensor, gradient: Gradient) -> None:
        """Update parameter number `index` in place."""


class _Descent(UpdateRule):
    def __init__(self, learning_rate: float) -> None:
        self._learning_rate = learning_rate

    def update(self, index: int, parameter: Tensor, gradient: Gradient) -> None:
        gradient.add_to(parameter, 1.0, -self._learning_rate)


class _MomentumDescent(UpdateRule):
    def __init__(self, learning_rate: float, momentum: float, parameters: Sequence[Tensor]) -> None:
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._velocities = [torch.zeros_like(parameter) for parameter in parameters]

    def update(self, index: int, parameter: Tensor, gradient: Gradient) -> None:
        velocity = self._velocities[index]
        gradient.add_to(velocity, self._momentum, 1.0)
        parameter.add_(velocity, alpha=-self._learning_rate)


class _AdamRule(UpdateRule):
    def __init__(self, spec: Adam, parameters: Sequence[Tensor]) -> None:
        self._spec = spec
        self._steps = [0] * len(parameters)
        self._gradients = [torch.zeros_like(parameter) for parameter in parameters]
        self._means = [torch.zeros_like(parameter) for parameter in parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in parameters]

    def update(self, index: int, parameter: Tensor, gradient: Gradient) -> None:
        self._steps[index] += 1
        spec, step, value = self._spec, self._steps[index], self._gradients[index]
        gradient.add_to(value, 0.0, 1.0)
        mean = self._means[index].lerp_(value, 1 - spec.beta1)
        square = self._squares[index].mul_(spec.beta2).addcmul_(value, value, value=1 - spec.beta2)
        root = torch.sqrt(square, out=value)
        root.div_(math.sqrt(1 - spec.beta2**step)).add_(spec.epsilon)
        parameter.addcdiv_(mean, root, value=-spec.learning_rate / (1 - spec.beta1**step))


class SGD(Specification):
    """Stochastic gradient descent, ``v = momentum v + g; w = w - learning_rate v``.

    The default is that of Scabini & Bruno (2021), section 3.1.
    """

    kind: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def rule(self, parameters: Sequence[Tensor]) -> UpdateRule:
        """The update rule for these parameters, at its start."""
        if self.momentum == 0:
            return _Descent(self.learning_rate)
        return _MomentumDescent(self.learning_rate, self.momentum, parameters)

    @property
    def buffers(self) -> int:
        """Number of tensors kept for each parameter."""
        return int(self.momentum > 0)


class Adam(Specification):
    """Adam (Kingma & Ba 2015, algorithm 1)."""

    kind: Literal["adam"] = "adam"
    learning_rate: PositiveFloat = 0.001
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: PositiveFloat = 1e-8

    def rule(self, parameters: Sequence[Tensor]) -> UpdateRule:
        """The update rule for these parameters, at its start."""
        return _AdamRule(self, parameters)

    @property
    def buffers(self) -> int:
        """Number of tensors kept for each parameter."""
        return 3


Optimizer = Annotated[
    SGD | Adam,
    Field(discriminator="kind"),
    named("optimizer", SGD, Adam),
]
"""Any optimiser, in a specification also by its name."""
