"""Matrix products in the (min, +) semiring: shortest paths as algebra, on any device."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

_BLOCK = 20_000_000


def minplus(
    left: Float[Tensor, "networks rows inner"], right: Float[Tensor, "networks inner columns"]
) -> Float[Tensor, "networks rows columns"]:
    """C_ij = min_k (A_ik + B_kj), infinity standing for no path; a bounded block of sums at a time.

    Cost: rows x inner x columns operations a network.
    """
    networks, rows, inner = left.shape
    if not inner or not rows:
        return left.new_full((networks, rows, right.shape[2]), torch.inf)
    step = max(1, _BLOCK // max(1, networks * inner * right.shape[2]))
    blocks = [(part[..., None] + right[:, None]).amin(-2) for part in torch.split(left, step, dim=1)]
    return torch.cat(blocks, dim=1)


def close_paths(distances: Float[Tensor, "networks size size2"]) -> Float[Tensor, "networks size size2"]:
    """All-pairs shortest distances from direct ones (Floyd-Warshall). Cost: size^3 operations a network."""
    out = distances.clone()
    for k in range(out.shape[-1]):
        torch.minimum(out, out[:, :, k, None] + out[:, None, k], out=out)
    return out
