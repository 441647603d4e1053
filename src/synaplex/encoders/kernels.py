"""One number of features for all edges: footprints brought to one size, stated and without parameters."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad


def axis_map(size: int, kernel: int) -> Float[Tensor, "kernel size"]:
    """The matrix that brings an axis of a footprint to `kernel` entries.

    A shorter axis is padded with zeros on both sides, so that a dense weight sits where the middle of a kernel does. A
    longer one is averaged: entry a is the mean of the entries from floor(a size / kernel) to ceil((a + 1) size /
    kernel), as adaptive average pooling takes it.

    Examples
    --------
    >>> axis_map(1, 3).T.tolist(), axis_map(4, 2).tolist()
    ([[0.0, 1.0, 0.0]], [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]])
    """
    matrix = torch.zeros(kernel, size)
    if size <= kernel:
        start = (kernel - size) // 2
        matrix[start : start + size] = torch.eye(size)
        return matrix
    for entry in range(kernel):
        first, last = entry * size // kernel, -(-(entry + 1) * size // kernel)
        matrix[entry, first:last] = 1 / (last - first)
    return matrix


def edge_features(
    weight: Float[Tensor, "*edges height width"], kernel: int, scale: float
) -> Float[Tensor, "*edges features"]:
    """The features of edges: footprints brought to kernel x kernel (see `axis_map`), divided by `scale`, in float32.

    Cost: a view and one product where footprints are 1 x 1 and `kernel` is 1.
    """
    values = weight.float()
    high, wide = weight.shape[-2:]
    if high > kernel:
        values = axis_map(high, kernel).to(values.device) @ values
    if wide > kernel:
        values = values @ axis_map(wide, kernel).to(values.device).T
    up, left = max(kernel - high, 0) // 2, max(kernel - wide, 0) // 2
    around = (left, max(kernel - wide, 0) - left, up, max(kernel - high, 0) - up)
    return (pad(values, around) if any(around) else values).flatten(-2) / scale
