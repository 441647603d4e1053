"""The sparse layer's product as an operator that PyTorch's compiler and exporter see as one step."""

from __future__ import annotations

from typing import Any, no_type_check

import torch
from torch import Tensor

from synaplex.sparse.pattern import Pattern
from synaplex.sparse.products import compute_product, compute_sampled


@no_type_check
def _forward(
    x: torch.Tensor,
    weight: torch.Tensor,
    row_start: torch.Tensor,
    column: torch.Tensor,
    column_start: torch.Tensor,
    row: torch.Tensor,
    order: torch.Tensor,
    in_features: int,
) -> torch.Tensor:
    pattern = _pattern(row_start, column, column_start, row, order, in_features)
    flat = compute_product(pattern, weight, x.reshape(-1, in_features).T, False)
    return flat.T.contiguous().reshape(*x.shape[:-1], pattern.shape[0])


@no_type_check
def _backward(
    grad: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    row_start: torch.Tensor,
    column: torch.Tensor,
    column_start: torch.Tensor,
    row: torch.Tensor,
    order: torch.Tensor,
    in_features: int,
) -> list[torch.Tensor]:
    pattern = _pattern(row_start, column, column_start, row, order, in_features)
    flat_x, flat_grad = x.reshape(-1, in_features).T, grad.reshape(-1, pattern.shape[0]).T
    by_x = compute_product(pattern, weight, flat_grad, True).T.contiguous().reshape(x.shape)
    return [by_x, compute_sampled(pattern, flat_x, flat_grad)]


def _pattern(
    row_start: Tensor, column: Tensor, column_start: Tensor, row: Tensor, order: Tensor, in_features: int
) -> Pattern:
    return Pattern(row_start, column, column_start, row, order, (len(row_start) - 1, in_features))


sparse_linear: Any = torch.library.custom_op("synaplex::sparse_linear", _forward, mutates_args=())
"""``sparse_linear(x, weight, row_start, column, column_start, row, order, in_features)``: x W^T."""

_gradients: Any = torch.library.custom_op("synaplex::sparse_linear_backward", _backward, mutates_args=())


@sparse_linear.register_fake
@no_type_check
def _shape(x, weight, row_start, *rest):
    return x.new_empty(*x.shape[:-1], row_start.shape[0] - 1)


@_gradients.register_fake
@no_type_check
def _shapes(grad, x, weight, *rest):
    return [torch.empty_like(x, memory_format=torch.contiguous_format), torch.empty_like(weight)]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.in_features = inputs
    ctx.save_for_backward(*tensors)


def _differentiate(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    by_x, by_weight = _gradients(grad.contiguous(), *ctx.saved_tensors, ctx.in_features)
    return by_x, by_weight, None, None, None, None, None, None


sparse_linear.register_autograd(_differentiate, setup_context=_keep)
