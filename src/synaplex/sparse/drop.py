"""Drop rules by the size of weights: which connections go in a round."""

from __future__ import annotations

from abc import abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from synaplex.sparse.rule import Rule, check_share
from synaplex.sparse.view import View


class Drop(Rule):
    """A rule that chooses the connections to drop."""

    @abstractmethod
    def choose(self, view: View) -> dict[str, Tensor]:
        """A mask over the connections of each sparse layer, True for those that go."""

    def mean(self, view: View) -> float | None:
        """Mean centrality of the neurons it judges by; None for a rule that does not."""
        return None


class SmallestBySign(Drop):
    """SET: in each layer, the share zeta of positive weights nearest to zero, and the same of negative ones.

    Weights that are exactly zero go as well. Numbers are rounded down. Source: Mocanu et al. 2018; Heath 2021,
    section 3.2.
    """

    name = "set"

    def __init__(self, zeta: int | float = 0.3) -> None:
        check_share("zeta", zeta)
        self.zeta = zeta

    def choose(self, view: View) -> dict[str, Tensor]:
        return {name: self._of(layer.weight.detach(), view.share) for name, layer in view.layers.items()}

    def _of(self, weight: Float[Tensor, " connections"], share: int | float) -> Bool[Tensor, " connections"]:
        mask = weight == 0
        for side in (weight > 0, weight < 0):
            place = side.nonzero()[:, 0]
            mask[place[nearest_zero(weight[place], self.zeta * share)]] = True
        return mask


class Smallest(Drop):
    """In each layer, the share zeta of weights nearest to zero."""

    name = "magnitude"

    def __init__(self, zeta: int | float = 0.3) -> None:
        check_share("zeta", zeta)
        self.zeta = zeta

    def choose(self, view: View) -> dict[str, Tensor]:
        masks = {}
        for name, layer in view.layers.items():
            masks[name] = view.empty(name)
            masks[name][nearest_zero(layer.weight.detach(), self.zeta * view.share)] = True
        return masks


class Random(Drop):
    """In each layer, a random share zeta of connections."""

    name = "random"

    def __init__(self, zeta: int | float = 0.3) -> None:
        check_share("zeta", zeta)
        self.zeta = zeta

    def choose(self, view: View) -> dict[str, Tensor]:
        masks = {}
        for name, keys in view.keys.items():
            order = torch.randperm(len(keys), generator=view.generator).to(keys.device)
            masks[name] = view.empty(name)
            masks[name][order[: how_many(self.zeta * view.share, len(keys))]] = True
        return masks


def nearest_zero(weight: Float[Tensor, " connections"], share: int | float) -> Tensor:
    """The places of a share of weights, those nearest to zero; of equal ones the first."""
    count = how_many(share, len(weight))
    size = weight.abs()
    if not 0 < count < len(size):
        return torch.arange(count, device=weight.device)
    limit = size.kthvalue(count).values
    below, level = (size < limit).nonzero()[:, 0], (size == limit).nonzero()[:, 0]
    return torch.cat([below, level[: count - len(below)]])


def how_many(share: int | float, count: int) -> int:
    """A share of a number, rounded down; just below a whole number counts as that number."""
    return int(share * count + 1e-9)
