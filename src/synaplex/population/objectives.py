"""What a network is trained for: cross-entropy over classes, or the mean squared error of a regression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Score:
    """How all networks did on one batch.

    Attributes
    ----------
    loss
        Sum over the samples.
    hits
        Number of samples classified rightly (the largest output is the target's; of equal ones, the first);
        None for a regression.
    delta
        Derivative of each sample's loss by each output.
    """

    loss: Float[Tensor, " networks"]
    hits: Int[Tensor, " networks"] | None
    delta: Float[Tensor, "networks out samples"]


Objective = Callable[[Tensor, Tensor], Score]
"""Compares the outputs of all networks with the targets that they share."""


def cross_entropy(outputs: Float[Tensor, "networks out samples"], targets: Int[Tensor, " samples"]) -> Score:
    """``-log softmax(outputs)[target]``, natural logarithm; targets are class indices."""
    networks, classes, samples = outputs.shape
    hits = (outputs.max(1).indices == targets).sum(1)
    log_probability = outputs.log_softmax(1)
    loss = -log_probability.gather(1, targets.expand(networks, 1, samples)).sum((1, 2))
    certain = outputs.new_zeros(classes, samples).scatter_(0, targets[None], 1.0)
    return Score(loss, hits, log_probability.exp_().sub_(certain))


def mean_squared_error(outputs: Float[Tensor, "networks out samples"], targets: Float[Tensor, "samples out"]) -> Score:
    """``mean((outputs - target)^2)`` over the outputs."""
    error = outputs - targets.T
    return Score(error.square().mean(1).sum(1), None, error.mul_(2 / error.shape[1]))
