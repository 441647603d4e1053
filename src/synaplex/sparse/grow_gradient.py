"""Growth where the loss would fall fastest: the gradient of weights that do not exist."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import TrainingError
from synaplex.sparse import distributed
from synaplex.sparse.grow import Grow
from synaplex.sparse.view import View

_ENTRIES = 2**22
"""Entries of the dense gradient that are held at a time: 16 MB in float32."""


class GradientGrowth(Grow):
    """RigL: the absent connections with the largest gradients of the last step; their weights start at 0.

    The dense gradient is never held whole: it is computed block by block from what the layer read and the gradient by
    what it gave, summed over all calls of the layer, all batches of the step and, in distributed training, all ranks.
    Connections just dropped may come again. Source: Evci et al. 2020.
    """

    name = "gradient"
    needs_gradients = True

    def choose(self, view: View, name: str, kept: Tensor, count: int) -> Tensor:
        if name not in view.gradients:
            raise TrainingError(
                f"the rule 'gradient' reads the last batch, and no gradient came through layer {name!r} since the last "
                "round: call evolution.step() after loss.backward() and optimizer.step()"
            )
        return largest_gradients(view.inputs[name], view.gradients[name], kept, count)


def largest_gradients(
    x: Float[Tensor, "samples in"], grad: Float[Tensor, "samples out"], kept: Int[Tensor, " kept"], count: int
) -> Int[Tensor, " count"]:
    """The absent connections with the largest entries of |grad^T x|; of equal ones those with lower numbers.

    Cost: the dense product, in blocks of rows, each summed over all ranks. Memory: one block.
    """
    in_size, out_size = x.shape[1], grad.shape[1]
    best, keys = grad.new_empty(0), kept.new_empty(0)
    rows = max(1, _ENTRIES // in_size)
    for first in range(0, out_size, rows):
        last = min(out_size, first + rows)
        block = distributed.summed(grad[:, first:last].T @ x).abs().reshape(-1)
        start, stop = torch.searchsorted(kept, kept.new_tensor([first * in_size, last * in_size])).tolist()
        block[kept[start:stop] - first * in_size] = -1
        top = _largest(block, count)
        best = torch.cat([best, block[top]])
        keys = torch.cat([keys, top + first * in_size])
        merged = _largest(best, count)
        best, keys = best[merged], keys[merged]
    return keys.sort().values


def _largest(values: Tensor, count: int) -> Tensor:
    """The places of the largest values, ascending; of equal ones the first."""
    if count >= len(values):
        return torch.arange(len(values), device=values.device)
    if not count:
        return torch.empty(0, dtype=torch.long, device=values.device)
    limit = values.kthvalue(len(values) - count + 1).values
    above, level = (values > limit).nonzero()[:, 0], (values == limit).nonzero()[:, 0]
    return torch.cat([above, level[: count - len(above)]]).sort().values
