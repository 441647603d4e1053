"""SReLU: the S-shaped rectified linear unit, whose thresholds and slopes are learned neuron by neuron."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

LEFT, LEFT_SLOPE, RIGHT, RIGHT_SLOPE = range(4)
"""Rows of the parameters: thresholds (the right one as a distance from the left) and slopes beyond them."""


def srelu(x: Float[Tensor, "neurons batch"], slopes: Float[Tensor, "4 neurons"]) -> Float[Tensor, "neurons batch"]:
    """X between two thresholds, and straight lines of other slopes beyond them.

    With thresholds l = `slopes[0]` and r = l + |`slopes[2]`|:
    y = x + (`slopes[1]` - 1) min(x - l, 0) + (`slopes[3]` - 1) max(x - r, 0).

    Notes
    -----
    Source: Jin et al. 2016.

    Examples
    --------
    >>> srelu(torch.tensor([[-1.0, 0.5, 3.0]]), torch.tensor([[0.0], [0.1], [1.0], [2.0]]))
    tensor([[-0.1000,  0.5000,  5.0000]])
    """
    left = slopes[LEFT]
    made: Tensor = _SReLU.apply(x, left, slopes[LEFT_SLOPE], left + slopes[RIGHT].abs(), slopes[RIGHT_SLOPE])  # type: ignore[no-untyped-call]
    return made


def first_slopes(neurons: int, generator: torch.Generator) -> Float[Tensor, "4 neurons"]:
    """Parameters before training: left threshold 0, right slope 1, the others by Glorot's uniform rule.

    As the Keras layer draws them that the original code of SET uses.
    """
    limit = math.sqrt(3 / neurons)
    drawn = (2 * torch.rand(2, neurons, generator=generator, dtype=torch.float64) - 1) * limit
    rows = (torch.zeros(neurons), drawn[0], drawn[1], torch.ones(neurons))
    return torch.stack([row.to(torch.float32) for row in rows])


class _SReLU(torch.autograd.Function):
    """Two passes over the activations forward, few backward: training with it would else be mostly this."""

    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> Tensor:
        x, left, left_slope, right, right_slope = given
        below, above = (x - left[:, None]).clamp_(max=0), (x - right[:, None]).clamp_(min=0)
        ctx.save_for_backward(below, above, left_slope, right_slope)
        return x + (left_slope - 1)[:, None] * below + (right_slope - 1)[:, None] * above

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        below, above, left_slope, right_slope = ctx.saved_tensors
        grad = grads[0]
        under, over = grad * (below < 0), grad * (above > 0)
        by_x = grad + (left_slope - 1)[:, None] * under + (right_slope - 1)[:, None] * over
        return (
            by_x,
            (1 - left_slope) * under.sum(1),
            (grad * below).sum(1),
            (1 - right_slope) * over.sum(1),
            (grad * above).sum(1),
        )
