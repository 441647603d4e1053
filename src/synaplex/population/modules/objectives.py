"""Objectives that know the activation function of the output layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from synaplex.networks import Activation
from synaplex.population.objectives import Objective, Score, cross_entropy, mean_squared_error

ObjectiveName = Literal["cross_entropy", "mean_squared_error", "binary_cross_entropy"]

_VALUE: dict[Activation, Callable[[Tensor], Tensor]] = {
    "linear": lambda z: z,
    "relu": lambda z: z.relu(),
    "sigmoid": lambda z: z.sigmoid(),
    "tanh": lambda z: z.tanh(),
}
_SLOPE: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": lambda value: (value > 0).to(value.dtype),
    "sigmoid": lambda value: value * (1 - value),
    "tanh": lambda value: 1 - value * value,
}


def objective(name: ObjectiveName, output: Activation = "linear") -> Objective:
    """An objective of outputs before their activation function.

    Parameters
    ----------
    name
        ``"cross_entropy"`` over classes; ``"mean_squared_error"``, the mean over the outputs;
        ``"binary_cross_entropy"`` of sigmoid outputs with targets from 0 to 1, the mean over the outputs.
    output
        The activation function of the output layer.
    """
    if name == "cross_entropy":
        return cross_entropy
    if name == "binary_cross_entropy":
        return binary_cross_entropy
    if output == "linear":
        return mean_squared_error

    def bent(outputs: Float[Tensor, "networks out samples"], targets: Float[Tensor, "samples out"]) -> Score:
        value = _VALUE[output](outputs)
        score = mean_squared_error(value.clone(), targets)
        return Score(score.loss, None, score.delta * _SLOPE[output](value))

    return bent


def binary_cross_entropy(
    outputs: Float[Tensor, "networks out samples"], targets: Float[Tensor, "samples out"]
) -> Score:
    """``-mean(t log p + (1 - t) log(1 - p))`` over the outputs, with ``p = sigmoid(output)``."""
    wanted = targets.T
    loss = (functional.softplus(outputs) - wanted * outputs).mean(1).sum(1)
    return Score(loss, None, (outputs.sigmoid() - wanted) / outputs.shape[1])
