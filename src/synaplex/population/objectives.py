"""What a network is trained for: cross-entropy over classes, or the mean squared error of a regression."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jaxtyping import Float, Int
from torch import Tensor, threshold_


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


IMPOSSIBLE = -80.0
"""Log probability below which a class is given probability 0, less by 2e-35: beyond about -87 probabilities are
subnormal numbers, which add nothing to any weight but make processors slow."""

Objective = Callable[[Tensor, Tensor], Score]
"""Compares the outputs of all networks with the targets that they share."""


def cross_entropy(outputs: Float[Tensor, "networks out samples"], targets: Int[Tensor, " samples"]) -> Score:
    """``-log softmax(outputs)[target]``, natural logarithm; targets are class indices."""
    networks, classes, samples = outputs.shape
    hits = (outputs.max(1).indices == targets).sum(1)
    log_probability = outputs.log_softmax(1)
    loss = -log_probability.gather(1, targets.expand(networks, 1, samples)).sum((1, 2))
    certain = outputs.new_zeros(classes, samples).scatter_(0, targets[None], 1.0)
    probability = threshold_(log_probability, IMPOSSIBLE, -math.inf).exp_()
    return Score(loss, hits, probability.sub_(certain))


def clipped_cross_entropy(outputs: Float[Tensor, "networks out samples"], targets: Int[Tensor, " samples"]) -> Score:
    """``-log clip(softmax(outputs)[target], 1e-7, 1 - 1e-7)``, as Keras 2.2 computes it after a softmax layer.

    A sample whose target has a probability outside these bounds is clipped, and the derivative of what is clipped is
    zero: it teaches nothing. With wide initial weights that is true of most samples that are told wrongly.
    """
    score = cross_entropy(outputs, targets)
    chosen = outputs.log_softmax(1).gather(1, targets.expand(len(outputs), 1, len(targets)))
    low, high = math.log(CLIPPED), math.log1p(-CLIPPED)
    within = (chosen >= low) & (chosen <= high)
    loss = -chosen.clamp_(low, high).sum((1, 2))
    return Score(loss, score.hits, score.delta.mul_(within))


def mean_squared_error(outputs: Float[Tensor, "networks out samples"], targets: Float[Tensor, "samples out"]) -> Score:
    """``mean((outputs - target)^2)`` over the outputs."""
    error = outputs - targets.T
    return Score(error.square().mean(1).sum(1), None, error.mul_(2 / error.shape[1]))


CLIPPED = 1e-7
"""Keras's epsilon: probabilities are clipped so far from 0 and 1."""

OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {"cross_entropy": cross_entropy, "clipped_cross_entropy": clipped_cross_entropy}
)
"""Objectives over classes by name."""
