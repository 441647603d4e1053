"""Drop rules by the centrality of neurons: all connections of the chosen ones go."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.sparse.drop import Drop, how_many
from synaplex.sparse.rule import check_share
from synaplex.sparse.view import View


class DropNeurons(Drop):
    """A rule that chooses neurons, and drops the connections of the sparse layers at either side of them."""

    @abstractmethod
    def neurons(self, view: View) -> Bool[Tensor, " neurons"]:
        """The chosen neurons of the graph."""

    @abstractmethod
    def scores(self, view: View) -> Tensor:
        """What it judges the neurons of the graph by."""

    def choose(self, view: View) -> dict[str, Tensor]:
        chosen = self.neurons(view)
        return {name: view.touching(name, chosen) for name in view.layers}

    def mean(self, view: View) -> float | None:
        return float(self.scores(view)[view.evolving].nanmean())


class BelowThreshold(DropNeurons):
    """CenSET: the neurons with Laplacian centrality below mean - k sigma.

    Mean and standard deviation (over the number of neurons) are of the input and hidden neurons that sparse layers
    join. How many connections go is no setting: it follows from the spread. Of the exact centrality with
    ``edges="absolute"`` no neuron ever falls below mean - k sigma where that is negative, as it soon is for k > 1.

    Parameters
    ----------
    k
        Of the threshold; the paper chose 2.6 for Fashion-MNIST and 3.2 for CIFAR-10.
    variant
        ``"exact"``, or ``"censet"`` for what the released notebook computed; see `laplacian_centrality`.
    edges
        Edge rule of the centrality.

    Notes
    -----
    Source: Heath 2021, algorithm 1.
    """

    name = "censet"

    def __init__(self, k: Any = 2.6, variant: str = "exact", edges: str = "signed") -> None:
        if not isinstance(k, int | float) or not math.isfinite(k):
            raise SpecificationError(f"k={k!r} is no number of standard deviations")
        if variant not in ("exact", "censet"):
            raise SpecificationError(f"variant={variant!r} is neither 'exact' nor 'censet'")
        self.k, self.variant, self.edges = k, variant, edges

    def scores(self, view: View) -> Tensor:
        return view.scores("laplacian_centrality", variant=self.variant, edges=self.edges)

    def neurons(self, view: View) -> Bool[Tensor, " neurons"]:
        values = self.scores(view)
        judged = values[view.evolving]
        return (values < judged.mean() - self.k * judged.std(correction=0)) & view.evolving


class LowestShare(DropNeurons):
    """Within each hidden layer, the share q of neurons that are lowest by a measure: an equal budget for any measure.

    The share is of all neurons of the layer, rounded down; they are taken from those that have a connection to lose.
    Neurons whose value is undefined count as lowest; of equal ones, the first go.

    Parameters
    ----------
    measure
        Its name, as `synaplex.measure` or `synaplex.graph.centrality` knows it: ``"laplacian_centrality"``,
        ``"strength"``, ``"katz"``, ...
    share
        The share q.
    edges
        Edge rule of the measure; ``""`` for its own.
    """

    name = "lowest"

    def __init__(
        self, measure: str = "laplacian_centrality", share: int | float = 0.1, edges: str = "absolute"
    ) -> None:
        check_share("share", share)
        self.measure, self.share, self.edges = str(measure), share, edges

    def scores(self, view: View) -> Tensor:
        return view.scores(self.measure, **({"edges": self.edges} if self.edges else {}))

    def neurons(self, view: View) -> Bool[Tensor, " neurons"]:
        values = self.scores(view).nan_to_num(nan=-math.inf)
        chosen, connected = torch.zeros_like(view.evolving), view.connected
        for index, layer in enumerate(view.graph.layers):
            place = view.graph.layer_slice(index)
            if layer.role != "hidden" or not bool(view.evolving[place].all()):
                continue
            count = how_many(self.share * view.share, layer.size)
            ascending = values[place].argsort(stable=True)
            lowest = ascending[connected[place][ascending]][:count]
            chosen[lowest + view.graph.offsets[index]] = True
        return chosen


class WhileNotRising(Drop):
    """Another rule by centrality, applied only in rounds whose mean centrality is not above that of the round before.

    Source: Heath 2021, section 7.2, which proposes it.

    Parameters
    ----------
    rule
        The other rule.
    """

    name = "while-not-rising"

    def __init__(self, rule: DropNeurons) -> None:
        if not isinstance(rule, DropNeurons):
            raise SpecificationError(f"{self.name!r} goes with a rule by centrality, such as 'censet', not {rule!r}")
        self.rule = rule
        self._before: float | None = None

    def choose(self, view: View) -> dict[str, Tensor]:
        mean = self.mean(view)
        rising = self._before is not None and mean is not None and mean > self._before
        self._before = mean
        return {name: view.empty(name) for name in view.layers} if rising else self.rule.choose(view)

    def mean(self, view: View) -> float | None:
        return self.rule.mean(view)

    def memory(self) -> dict[str, Any]:
        return {"before": self._before, "rule": self.rule.memory()}

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._before = memory["before"]
        self.rule.recall(memory["rule"])
