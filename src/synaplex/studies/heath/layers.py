"""A hidden layer of sparse networks in one differentiable step: product, bias, ReLU and dropout.

Each is done in place on what the product wrote: in wide layers, passes over activations cost as much as the product.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from synaplex.sparse.pattern import Pattern
from synaplex.sparse.products import compute_product, compute_sampled


def rectified(
    pattern: Pattern,
    weight: Float[Tensor, " connections"],
    bias: Float[Tensor, " target"],
    x: Float[Tensor, "source batch"],
    mask: Float[Tensor, "size batch"] | None = None,
) -> Float[Tensor, "target batch"]:
    """``relu(W x + bias)`` of some networks; where there is a mask, each network's neurons times it.

    Differentiable once.
    """
    made: Tensor = _Rectified.apply(weight, bias, x, mask, pattern)  # type: ignore[no-untyped-call]
    return made


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor, x: Tensor, mask: Tensor | None, pattern: Pattern) -> Tensor:
        out = compute_product(pattern, weight, x, False).add_(bias[:, None]).relu_()
        _times(out, mask)
        ctx.save_for_backward(weight, x, mask, out)
        ctx.pattern = pattern
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        weight, x, mask, out = ctx.saved_tensors
        # Where the mask is 0, so is what came out.
        grad = torch.ops.aten.threshold_backward(grads[0], out, 0)
        _times(grad, mask)
        by_x = compute_product(ctx.pattern, weight, grad, True) if ctx.needs_input_grad[2] else None
        return compute_sampled(ctx.pattern, x, grad), grad.sum(1), by_x, None, None


def _times(x: Tensor, mask: Tensor | None) -> None:
    if mask is not None:
        x.view(-1, *mask.shape).mul_(mask)
