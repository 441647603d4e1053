"""Matrix products in the (min, +) semiring: shortest paths as algebra."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_BLOCK = 20_000_000
_compiled: tuple[Any, Any] | None = None


def minplus(
    left: Float[Tensor, "networks rows inner"], right: Float[Tensor, "networks inner columns"]
) -> Float[Tensor, "networks rows columns"]:
    """C_ij = min_k (A_ik + B_kj), infinity standing for no path.

    Compiled by numba on the CPU, in blocks of plain torch elsewhere. Cost: rows x inner x columns per network at
    worst; rows of A are read in ascending order and left as soon as nothing in them can lower C any more.
    """
    if left.device.type != "cpu":
        return minplus_torch(left, right)
    product, _ = _kernels()
    order = left.argsort(dim=-1)
    ascending = left.gather(-1, order)
    lowest = right.amin(-1) if right.shape[-1] else right.new_zeros(right.shape[:-1])
    floor = lowest.amin(-1) if right.shape[-2] else right.new_zeros(right.shape[0])
    out = np.empty((left.shape[0], left.shape[1], right.shape[2]))
    product(ascending.numpy(), order.numpy(), right.contiguous().numpy(), floor.numpy(), out)
    return torch.from_numpy(out)


def minplus_torch(
    left: Float[Tensor, "networks rows inner"], right: Float[Tensor, "networks inner columns"]
) -> Float[Tensor, "networks rows columns"]:
    """The same product in plain torch, a bounded block of sums at a time; the reference, and the way on a GPU."""
    networks, rows, inner = left.shape
    if not inner or not rows:
        return left.new_full((networks, rows, right.shape[2]), torch.inf)
    step = max(1, _BLOCK // max(1, networks * inner * right.shape[2]))
    blocks = [(part[..., None] + right[:, None]).amin(-2) for part in left.split(step, dim=1)]
    return torch.cat(blocks, dim=1)


def close_paths(distances: Float[Tensor, "networks size size2"]) -> Float[Tensor, "networks size size2"]:
    """All-pairs shortest distances from direct ones (Floyd-Warshall). Cost: size^3 per network."""
    if distances.device.type != "cpu":
        return close_paths_torch(distances)
    _, close = _kernels()
    out = distances.contiguous().clone()
    close(out.numpy())
    return out


def close_paths_torch(distances: Float[Tensor, "networks size size2"]) -> Float[Tensor, "networks size size2"]:
    """The same in plain torch; the reference, and the way on a GPU."""
    out = distances.clone()
    for k in range(out.shape[-1]):
        torch.minimum(out, out[:, :, k, None] + out[:, None, k], out=out)
    return out


def _kernels() -> tuple[Any, Any]:
    """Compile (or take from numba's cache) the two kernels, once."""
    global _compiled
    if _compiled is None:
        from synaplex.measures import minplus_kernels

        _compiled = (minplus_kernels.product, minplus_kernels.close)
    return _compiled
