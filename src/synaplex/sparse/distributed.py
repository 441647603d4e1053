"""One topology on every rank of distributed training: the first rank's choice counts."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn

from synaplex.errors import TrainingError
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.rewiring import Rewiring


def agreed(model: nn.Module, layers: Mapping[str, SparseLinear], made: Mapping[str, Rewiring]) -> dict[str, Rewiring]:
    """The first rank's rewirings, on all ranks; the given ones where training is not distributed.

    Raises
    ------
    TrainingError
        If the number of connections would change inside DistributedDataParallel, which has fixed its buckets by then.
    """
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return dict(made)
    found = {name: _from_first(one) for name, one in made.items()}
    if isinstance(model, nn.parallel.DistributedDataParallel):
        changed = [name for name, one in found.items() if len(one.keys) != layers[name].connections]
        if changed:
            raise TrainingError(
                f"the number of connections of layer {changed[0]!r} would change under DistributedDataParallel, which "
                "cannot follow: use a schedule that keeps it, or wrap the model anew after each round"
            )
    return found


def _from_first(made: Rewiring) -> Rewiring:
    count = torch.tensor([len(made.keys)], device=made.keys.device)
    dist.broadcast(count, 0)
    size = int(count)

    def sent(own: Tensor) -> Tensor:
        tensor = own.contiguous() if dist.get_rank() == 0 else own.new_empty(size)
        dist.broadcast(tensor, 0)
        return tensor

    return Rewiring(sent(made.keys), sent(made.place), sent(made.weight))
