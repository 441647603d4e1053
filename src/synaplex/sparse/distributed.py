"""One topology on every rank of distributed training: the first rank's choice counts, gradients are those of all."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn

from synaplex.errors import TrainingError
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.rewiring import Rewiring


def agreed(
    model: nn.Module,
    layers: Mapping[str, SparseLinear],
    made: Mapping[str, Rewiring],
    counts_may_change: bool | None = None,
) -> dict[str, Rewiring]:
    """The first rank's rewirings, on all ranks; the given ones where training is not distributed.

    Parameters
    ----------
    counts_may_change
        Whether layers may get another number of connections; None for: unless training is distributed. Inside
        DistributedDataParallel they never may, since it has fixed its buckets by then.

    Raises
    ------
    TrainingError
        If the number of connections would change and may not.
    """
    several = _several()
    found = {name: _from_first(one) for name, one in made.items()} if several else dict(made)
    wrapped = isinstance(model, nn.parallel.DistributedDataParallel)
    if not wrapped and (not several if counts_may_change is None else counts_may_change):
        return found
    changed = [name for name, one in found.items() if len(one.keys) != layers[name].connections]
    if changed:
        raise TrainingError(f"the number of connections of layer {changed[0]!r} would change {_why(wrapped, several)}")
    return found


def summed(own: Tensor) -> Tensor:
    """The sum over all ranks of something that each has its own part of; what was given where there is one rank."""
    if _several():
        dist.all_reduce(own)
    return own


def _several() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _why(wrapped: bool, several: bool) -> str:
    if wrapped:
        return (
            "inside DistributedDataParallel, which cannot follow: use a schedule that keeps it; or give the inner "
            "model and counts_may_change=True, and wrap it anew after each round"
        )
    if several:
        return (
            "in distributed training, and DistributedDataParallel cannot follow: use a schedule that keeps it; or pass "
            "counts_may_change=True, if no such wrapper is in use or you wrap the model anew after each round"
        )
    return "with counts_may_change=False: use a schedule that keeps it"


def _from_first(made: Rewiring) -> Rewiring:
    count = torch.tensor([len(made.keys)], device=made.keys.device)
    dist.broadcast(count, 0)
    size = int(count)

    def sent(own: Tensor) -> Tensor:
        tensor = own.contiguous() if dist.get_rank() == 0 else own.new_empty(size)
        dist.broadcast(tensor, 0)
        return tensor

    return Rewiring(sent(made.keys), sent(made.place), sent(made.weight))
