"""Products with a sparse matrix, each differentiable by the others.

Three products close the circle: W x, W^T y, and the product y x^T sampled at the connections. The gradient of each is
made of the other two, so that gradients of gradients exist as well.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.sparse.pattern import Pattern

_FEW = 2
"""Registers of samples below which PyTorch's own compressed rows are faster than our products on the CPU."""

_EXACT = (torch.float32, torch.float64)


def product(
    pattern: Pattern, weight: Float[Tensor, " connections"], x: Float[Tensor, "source batch"], *, turned: bool = False
) -> Float[Tensor, "target batch"]:
    """W x, or W^T x where `turned`; differentiable, any number of times.

    Cost: one multiplication a connection and sample. Float16 and bfloat16 are summed in float32.
    """
    made: Tensor = _Product.apply(weight, x, pattern, turned)  # type: ignore[no-untyped-call]
    return made


def sampled_product(
    pattern: Pattern, x: Float[Tensor, "source batch"], y: Float[Tensor, "target batch"]
) -> Float[Tensor, " connections"]:
    """The product y x^T where there are connections: sum_j y[row, j] x[column, j]; differentiable."""
    made: Tensor = _Sampled.apply(x, y, pattern)  # type: ignore[no-untyped-call]
    return made


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(weight: Tensor, x: Tensor, pattern: Pattern, turned: bool) -> Tensor:
        return compute_product(pattern, weight, x, turned)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        weight, x, ctx.pattern, ctx.turned = inputs
        ctx.save_for_backward(weight, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        weight, x = ctx.saved_tensors
        by_weight = by_x = None
        if ctx.needs_input_grad[0]:
            ends = (grads[0], x) if ctx.turned else (x, grads[0])
            by_weight = sampled_product(ctx.pattern, *ends)
        if ctx.needs_input_grad[1]:
            by_x = product(ctx.pattern, weight, grads[0], turned=not ctx.turned)
        return by_weight, by_x, None, None


class _Sampled(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, y: Tensor, pattern: Pattern) -> Tensor:
        return compute_sampled(pattern, x, y)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, y, ctx.pattern = inputs
        ctx.save_for_backward(x, y)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, y = ctx.saved_tensors
        by_x = product(ctx.pattern, grads[0], y, turned=True) if ctx.needs_input_grad[0] else None
        by_y = product(ctx.pattern, grads[0], x) if ctx.needs_input_grad[1] else None
        return by_x, by_y, None


def compute_product(pattern: Pattern, weight: Tensor, x: Tensor, turned: bool) -> Tensor:
    """W x or W^T x by the fastest way there is for where the numbers lie; not differentiable.

    Raises
    ------
    SpecificationError
        If the connections, the weights and x do not fit each other in number, kind or device.
    """
    _check(pattern, ("weights", weight, len(pattern.column)), ("lines of x", x, pattern.shape[0 if turned else 1]))
    if weight.dtype not in _EXACT:
        return compute_product(pattern, weight.float(), x.float(), turned).to(weight.dtype)
    x, weight = x.to(weight.dtype), weight.contiguous()
    if x.device.type == "cuda" or _leave_to_mkl(x):
        with torch.autocast(x.device.type, enabled=False):
            return torch.mm(_compressed(pattern, weight, turned), x)
    if x.device.type != "cpu":
        return plain_product(pattern, weight, x, turned)
    from synaplex.sparse.kernels import along_rows

    start, column, values = _rows(pattern, weight, turned)
    lines = _lines(x)
    out = lines.new_empty(len(start) - 1, lines.shape[1])
    _in_pieces(along_rows, start, column, values, lines, out)
    return out if out.shape[1] == x.shape[1] else out[:, : x.shape[1]].clone()


def compute_sampled(pattern: Pattern, x: Tensor, y: Tensor) -> Tensor:
    """The sampled product by the fastest way there is; not differentiable.

    Raises
    ------
    SpecificationError
        If the connections, x and y do not fit each other in number, kind or device.
    """
    _check(pattern, ("lines of x", x, pattern.shape[1]), ("lines of y", y, pattern.shape[0]))
    if x.shape[1] != y.shape[1]:
        raise SpecificationError(f"x has {x.shape[1]} samples and y {y.shape[1]}: they must be the same")
    if x.dtype not in _EXACT:
        return compute_sampled(pattern, x.float(), y.float()).to(x.dtype)
    y = y.to(x.dtype)
    if x.device.type == "cuda":
        _quiet()
        none = x.new_zeros(()).expand(len(pattern.column))
        made: Tensor = torch.sparse.sampled_addmm(_compressed(pattern, none, False), y, x.T, beta=0.0)
        return made.values()
    if x.device.type != "cpu":
        return plain_sampled(pattern, x, y)
    from synaplex.sparse.kernels import at_connections

    lines, out = _lines(x), x.new_empty(len(pattern.column))
    _in_pieces(at_connections, pattern.row_start, pattern.column, _lines(y), lines, out)
    return out


def _check(pattern: Pattern, *given: tuple[str, Tensor, int]) -> None:
    """Refuse what does not fit: the kernels read memory by address, and would read beyond it."""
    lists = (pattern.row_start, pattern.column, pattern.column_start, pattern.row, pattern.order)
    if other := {one.dtype for one in lists} - {torch.int32}:
        raise SpecificationError(f"connections are listed in torch.int32, not {other.pop()}: convert layers by .to()")
    place = pattern.column.device
    for name, one, size in given:
        if len(one) != size:
            raise SpecificationError(f"{len(one)} {name} do not fit these connections, which need {size}")
        if not one.is_floating_point():
            raise SpecificationError(f"sparse layers compute with real floating-point numbers, not {one.dtype} {name}")
        if one.device != place:
            raise SpecificationError(f"{name} lie on {one.device}, the connections on {place}: move one to the other")


def _leave_to_mkl(x: Tensor) -> bool:
    """Whether PyTorch's compressed rows are faster on the CPU, where they rest on Intel's library."""
    if x.device.type != "cpu" or not torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]
        return False
    from synaplex.sparse.kernels import lanes

    return 0 < x.shape[1] < _FEW * lanes(x.itemsize)


def _lines(x: Tensor) -> Tensor:
    """Activations as the kernels read them: one after the other in memory, at least so many as one register holds."""
    from synaplex.sparse.kernels import lanes

    missing = lanes(x.itemsize) - x.shape[1]
    return (torch.nn.functional.pad(x, (0, missing)) if missing > 0 else x).contiguous()


def _in_pieces(kernel: Any, start: Tensor, column: Tensor, values: Tensor, x: Tensor, out: Tensor) -> None:
    """Run a kernel on the samples piece by piece."""
    from synaplex.sparse.kernels import pieces
    from synaplex.sparse.registers import BYTES
    from synaplex.sparse.threads import in_parts

    arrays = start.contiguous(), column.contiguous(), values, x, out
    for registers, *where in pieces(x.shape[1], x.itemsize):
        work = len(column) * registers * BYTES
        in_parts(kernel(x.itemsize, registers), start, work, [x.shape[1], *where], arrays)


def plain_product(pattern: Pattern, weight: Tensor, x: Tensor, turned: bool) -> Tensor:
    """W x or W^T x by gathering and adding, for devices without sparse kernels; memory: one number an edge."""
    read, write = (pattern.rows, pattern.column.long()) if turned else (pattern.column.long(), pattern.rows)
    out = x.new_zeros(x.shape[1], pattern.shape[1 if turned else 0])
    for sample, line in enumerate(x.T):
        out[sample].index_add_(0, write, line[read] * weight)
    return out.T.clone()  # no view, so that a layer may add its bias in place


def plain_sampled(pattern: Pattern, x: Tensor, y: Tensor) -> Tensor:
    """The sampled product by gathering and adding."""
    read, write, out = pattern.column.long(), pattern.rows, x.new_zeros(len(pattern.column))
    for source, target in zip(x.T, y.T, strict=True):
        out += source[read] * target[write]
    return out


def _rows(pattern: Pattern, weight: Tensor, turned: bool) -> tuple[Tensor, Tensor, Tensor]:
    """W or W^T in compressed sparse rows."""
    if turned:
        return pattern.column_start, pattern.row, weight.index_select(0, pattern.order)
    return pattern.row_start, pattern.column, weight


def _compressed(pattern: Pattern, weight: Tensor, turned: bool) -> Tensor:
    _quiet()
    shape = pattern.shape[::-1] if turned else pattern.shape
    return torch.sparse_csr_tensor(*_rows(pattern, weight, turned), shape)


@cache
def _quiet() -> None:
    """Have PyTorch say once, and unheard, that its compressed rows are new."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.sparse_csr_tensor([0, 0], torch.empty(0, dtype=torch.long), torch.empty(0), (1, 1))
