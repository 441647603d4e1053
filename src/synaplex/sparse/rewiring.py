"""Exchanging a layer's connections while what belongs to the others stays with them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.sparse.layer import SparseLinear


@dataclass(frozen=True, eq=False)
class Rewiring:
    """The connections of one layer after a round.

    Attributes
    ----------
    keys
        Ascending numbers ``row * in + column``.
    place
        Where each was before, -1 for one that was grown.
    weight
        Weight of each.
    """

    keys: Int[Tensor, " connections"]
    place: Int[Tensor, " connections"]
    weight: Float[Tensor, " connections"]

    @classmethod
    def of(
        cls,
        layer: SparseLinear,
        keys: Int[Tensor, " before"],
        dropped: Bool[Tensor, " before"],
        grown: Int[Tensor, " grown"],
        values: Float[Tensor, " grown"],
    ) -> Rewiring:
        """Drop some of a layer's connections `keys` and grow others, given by ascending numbers and weights."""
        kept_place = (~dropped).nonzero()[:, 0]
        kept = keys[kept_place]
        slot = torch.searchsorted(kept, grown) + torch.arange(len(grown), device=keys.device)
        old = torch.ones(len(kept) + len(grown), dtype=torch.bool, device=keys.device)
        old[slot] = False
        after, place = keys.new_empty(len(old)), keys.new_full((len(old),), -1)
        after[slot], after[old], place[old] = grown, kept, kept_place
        weight = layer.weight.detach().new_empty(len(old))
        weight[slot], weight[old] = values.to(weight.dtype), layer.weight.detach()[kept_place]
        return cls(after, place, weight)

    def apply(self, layer: SparseLinear, optimizer: torch.optim.Optimizer | None) -> None:
        """Give the layer these connections, and the optimiser's state of each to where it is now.

        What the optimiser knew of a dropped connection goes with it; that of a grown one starts at 0.
        """
        before, count = layer.weight, len(layer.weight)
        replaced = layer.set_connections(self.keys, self.weight)
        layer.weight.grad = None
        if optimizer is None:
            return
        if replaced is not None:
            exchange(optimizer, before, layer.weight)
        state = optimizer.state.get(layer.weight, {})
        for name, value in state.items():
            if not isinstance(value, Tensor) or value.ndim == 0:
                continue
            if value.shape != (count,):
                raise SpecificationError(
                    f"{type(optimizer).__name__} keeps {name!r} of shape {tuple(value.shape)} for {count} connections: "
                    "only state with one number a connection can be carried along"
                )
            place = self.place.to(value.device)
            state[name] = torch.where(place >= 0, value[place.clamp(min=0)], torch.zeros_like(value[:1]))


def exchange(optimizer: torch.optim.Optimizer, before: nn.Parameter, after: nn.Parameter) -> None:
    """Put one parameter in the place of another in an optimiser, with its state."""
    for group in optimizer.param_groups:
        group["params"] = [after if one is before else one for one in group["params"]]
    if before in optimizer.state:
        optimizer.state[after] = optimizer.state.pop(before)
