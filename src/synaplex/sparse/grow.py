"""Grow rules that draw connections at random, evenly or by the centrality of the neurons at their ends."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.rule import Rule
from synaplex.sparse.view import View, absent

_DRAWS = 64


class Grow(Rule):
    """A rule that chooses the connections to grow."""

    values: ClassVar[str] = "zero"
    """Weights of grown connections where the caller names none."""

    needs_gradients: ClassVar[bool] = False
    """Whether it reads what the layers saw in the batches of the last step."""

    @abstractmethod
    def choose(self, view: View, name: str, kept: Int[Tensor, " kept"], count: int) -> Int[Tensor, " count"]:
        """Connections to grow in a layer.

        Parameters
        ----------
        name
            The layer.
        kept
            The connections it has after the drop, ascending.
        count
            How many to grow; no more than are absent.

        Returns
        -------
        Tensor
            Their ascending numbers, none among `kept`.
        """


class RandomGrowth(Grow):
    """Any absent connections, each set of them with the same probability; those just dropped may come again."""

    name = "random"
    values = "normal:0.1"

    def choose(self, view: View, name: str, kept: Tensor, count: int) -> Tensor:
        layer = view.layers[name]
        return drawn_evenly(layer.in_features * layer.out_features, kept, count, view.generator)


class TowardsCentral(Grow):
    """Absent connections, more probably between neurons of high centrality.

    A connection is drawn with a probability in proportion to the product of its ends' ranks within their layers (1 for
    the least central): ranks, because centralities span orders of magnitude and may be negative.

    Parameters
    ----------
    measure
        The centrality's name.
    edges
        Its edge rule; ``""`` for its own.
    """

    name = "central"
    away = False

    def __init__(self, measure: str = "laplacian_centrality", edges: str = "absolute") -> None:
        self.measure, self.edges = str(measure), edges

    def choose(self, view: View, name: str, kept: Tensor, count: int) -> Tensor:
        values = view.scores(self.measure, **({"edges": self.edges} if self.edges else {}))
        out, into = (self.preference(end) for end in view.at_ends(name, values))
        return drawn(view.layers[name], kept, count, out, into, view.generator)

    def preference(self, values: Float[Tensor, " neurons"]) -> Float[Tensor, " neurons"]:
        """The mean rank of each neuron in a layer, from the other end where the rule shuns central ones."""
        ordered = values.cpu().nan_to_num(nan=-torch.inf)
        low = torch.searchsorted(ordered.sort().values, ordered)
        high = torch.searchsorted(ordered.sort().values, ordered, right=True)
        rank = (low + 1 + high).double() / 2
        return len(rank) + 1 - rank if self.away else rank


class AwayFromCentral(TowardsCentral):
    """Absent connections, more probably between neurons of low centrality: the mirror image of `TowardsCentral`."""

    name = "away"
    away = True


def drawn_evenly(
    possible: int, kept: Int[Tensor, " kept"], count: int, generator: torch.Generator
) -> Int[Tensor, " count"]:
    """Absent connections, every set of `count` with the same probability, ascending.

    Cost: a few draws a connection; where few are absent, one pass over all possible ones.
    """
    existing = kept.cpu()
    if 4 * (len(existing) + count) > 3 * possible:
        everything = torch.arange(possible)
        found = everything[absent(existing, everything)]
    else:
        found = existing[:0]
        while len(found) < count:
            chance = 1 - (len(existing) + count) / possible
            more = int(1.1 * (count - len(found)) / chance) + 16
            found = torch.unique(torch.cat([found, torch.randint(possible, (more,), generator=generator)]))
            found = found[absent(existing, found)]
    keep = torch.zeros(len(found), dtype=torch.bool)
    keep[torch.randperm(len(found), generator=generator)[:count]] = True
    return found[keep].to(kept.device)


def drawn(
    layer: SparseLinear,
    kept: Int[Tensor, " kept"],
    count: int,
    out: Float[Tensor, " out"],
    into: Float[Tensor, " in"],
    generator: torch.Generator,
) -> Int[Tensor, " count"]:
    """Absent connections drawn one after another, each with probability in proportion to ``out[row] * into[column]``.

    Cost: a few draws a connection; where few are absent, one pass over the full matrix.
    """
    if not count:
        return kept[:0]
    found, existing = torch.empty(0, dtype=torch.long), kept.cpu()
    for _ in range(_DRAWS):
        more = 2 * (count - len(found)) + 16
        row, column = (_places(one, more, generator) for one in (out, into))
        keys = row * layer.in_features + column
        found = _first_of_each(torch.cat([found, keys[absent(existing, keys)]]))
        if len(found) >= count:
            return found[:count].sort().values.to(kept.device)
    everything = torch.arange(layer.in_features * layer.out_features)
    free = everything[absent(existing, everything)]
    chance = out[free // layer.in_features] * into[free % layer.in_features]
    clock = -torch.rand(len(free), generator=generator, dtype=torch.float64).log() / chance
    return free[clock.topk(count, largest=False).indices].sort().values.to(kept.device)


def _places(chance: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Places drawn in proportion to `chance`, by bisection."""
    ends = chance.double().cpu().cumsum(0)
    at = torch.rand(count, generator=generator, dtype=torch.float64) * ends[-1]
    return torch.searchsorted(ends, at, right=True).clamp(max=len(ends) - 1)


def _first_of_each(keys: Tensor) -> Tensor:
    """The different numbers of a list in the order in which they come first."""
    ordered, place = keys.sort(stable=True)
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return keys[place[first].sort().values]
