"""A drop rule by centrality with the very budget of SET: a fixed share of each layer's connections."""

from __future__ import annotations

import torch
from torch import Tensor

from synaplex.sparse import Drop
from synaplex.sparse.drop import how_many
from synaplex.sparse.rule import check_share
from synaplex.sparse.view import View

BUDGETED = "least"
"""Its name in the text of a rule: ``"least:MEASURE:SHARE"``."""


class LeastCentral(Drop):
    """In each layer, the share of connections whose less central hidden end is lowest by a measure.

    Neurons are ranked within their layer; a connection is as central as the less central of its ends that are hidden
    neurons; of equally central ones the smaller weight goes first. The rules of CenSET's kind drop all connections of
    some neurons, whatever their number: to compare rules, the number has to be the same.

    Parameters
    ----------
    measure
        As `synaplex.sparse.drop_neurons.LowestShare` takes it; of absolute weights.
    share
        Of each layer's connections, rounded down.
    """

    name = BUDGETED

    def __init__(self, measure: str = "laplacian_centrality", share: int | float = 0.05) -> None:
        check_share("share", share)
        self.measure, self.share = measure, share

    @classmethod
    def from_text(cls, text: str) -> LeastCentral:
        """The rule of a text ``"MEASURE:SHARE"``."""
        measure, _, share = text.partition(":")
        return cls(measure, float(share))

    def choose(self, view: View) -> dict[str, Tensor]:
        values = view.scores(self.measure, edges="absolute").nan_to_num(nan=-torch.inf)
        rank = torch.full_like(values, torch.inf)
        for index, neurons in enumerate(view.graph.layers):
            if neurons.role == "hidden":
                place = view.graph.layer_slice(index)
                rank[place] = _ranks(values[place]) / neurons.size
        masks = {}
        for name, layer in view.layers.items():
            target, source = view.at_ends(name, rank)
            least = torch.minimum(target[layer.pattern.rows], source[layer.column.long()])
            smaller = layer.weight.detach().abs().argsort(stable=True)
            order = smaller[least[smaller].argsort(stable=True)]
            masks[name] = view.empty(name)
            masks[name][order[: how_many(self.share * view.share, len(order))]] = True
        return masks


def _ranks(values: Tensor) -> Tensor:
    """The place of each value among the sorted ones; equal values have the same."""
    return torch.searchsorted(values.sort().values, values).to(values.dtype)
