"""Whether neuron types tell how a network bears adversarial samples: the paper's future work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.datasets import Dataset
from synaplex.graph import NeuralGraph
from synaplex.population.chain import DenseChain
from synaplex.population.objectives import cross_entropy

SIZES = (0.01, 0.02, 0.05, 0.1)
"""By how much each input is changed; inputs lie between 0 and 1."""

_SAMPLES_AT_ONCE = 250
_NETWORKS_AT_ONCE = 10


@dataclass(frozen=True, eq=False)
class Robustness:
    """How networks bear an attack.

    Attributes
    ----------
    accuracy
        Without attack, on the samples attacked.
    attacked
        The accuracy at each of `SIZES`.
    retained
        The share of the samples told rightly that still are under attack, mean over the sizes. Unlike the accuracy
        under attack it does not grow with the accuracy as such.
    """

    accuracy: Float[np.ndarray, " networks"]
    attacked: Float[np.ndarray, "networks sizes"]
    retained: Float[np.ndarray, " networks"]

    def table(self) -> pl.DataFrame:
        """A row a size, 0 included: `size`, `mean`, `standard_deviation`, `lowest` and `highest` accuracy."""
        columns = {0.0: self.accuracy} | dict(zip(SIZES, self.attacked.T, strict=True))
        rows = [(size, v.mean(), v.std(), v.min(), v.max()) for size, v in columns.items()]
        names = ("size", "mean", "standard_deviation", "lowest", "highest")
        return pl.DataFrame([tuple(map(float, row)) for row in rows], schema=names, orient="row")


def input_gradient(
    weights: Sequence[Float[Tensor, "networks _out _in"]],
    x: Float[Tensor, "samples features"],
    y: Int[Tensor, " samples"],
) -> Float[Tensor, "networks features samples"]:
    """The derivative of each sample's cross-entropy by its inputs, for each ReLU network without biases."""
    chain = DenseChain(tuple(weights), (), "relu")
    layers = chain.forward(x)
    delta = cross_entropy(layers[-1], y).delta
    for weight, below in zip(reversed(weights), [*reversed(layers[:-1]), None], strict=True):
        delta = torch.bmm(weight.mT, delta)
        if below is not None:
            delta = delta * (below > 0)
    return delta


def attacked(
    x: Float[Tensor, "samples features"], gradient: Float[Tensor, "networks features samples"], size: float
) -> Float[Tensor, "networks features samples"]:
    """The fast gradient sign attack: ``clip(x + size sign(gradient), 0, 1)`` (Goodfellow et al. 2015, section 4)."""
    return (x.T + size * gradient.sign()).clamp_(0.0, 1.0)


def robustness(
    weights_of: Callable[[Sequence[int]], NeuralGraph], seeds: Sequence[int], dataset: Dataset, samples: int
) -> Robustness:
    """Attack the networks of some seeds, each with its own gradients, on the first test samples.

    Parameters
    ----------
    weights_of
        Gives the trained networks of some seeds.
    seeds
        Of all networks.
    dataset
        Whose test samples are attacked.
    samples
        How many at most.

    Notes
    -----
    Cost: 2 + the number of sizes passes over the samples for each network.
    """
    x, y = dataset.x_test[:samples], dataset.y_test[:samples]
    clean, under = [], []
    for start in range(0, len(seeds), _NETWORKS_AT_ONCE):
        graph = weights_of(seeds[start : start + _NETWORKS_AT_ONCE])
        weights = [link.to_dense() for link in graph.links]
        parts = [
            _hits(weights, *batch)
            for batch in zip(torch.split(x, _SAMPLES_AT_ONCE), torch.split(y, _SAMPLES_AT_ONCE), strict=True)
        ]
        right = torch.cat(parts, dim=2).numpy()
        clean.append(right[0])
        under.append(right[1:])
    before, after = np.concatenate(clean), np.concatenate(under, axis=1)
    kept = (after & before).sum(axis=2) / np.maximum(before.sum(axis=1), 1)
    return Robustness(before.mean(axis=1), np.ascontiguousarray(after.mean(axis=2).T), kept.mean(axis=0))


def _hits(weights: Sequence[Tensor], x: Tensor, y: Tensor) -> Bool[Tensor, "sizes_and_none networks samples"]:
    """Which samples are told rightly, without attack and at each size."""
    gradient = input_gradient(weights, x, y)
    rows = [_right(weights, x.T.expand_as(gradient), y)]
    rows += [_right(weights, attacked(x, gradient, size), y) for size in SIZES]
    return torch.stack(rows)


def _right(weights: Sequence[Tensor], inputs: Tensor, y: Tensor) -> Bool[Tensor, "networks samples"]:
    out = inputs
    for link, weight in enumerate(weights):
        out = torch.bmm(weight, out)
        if link < len(weights) - 1:
            out.relu_()
    return out.argmax(1) == y


def feature_sets(
    clean: Float[np.ndarray, " networks"], sets: Mapping[str, Float[np.ndarray, "networks _"]], baseline: str
) -> dict[str, Float[np.ndarray, "networks _"]]:
    """What robustness is predicted from: each set alone, then beside accuracy and the baseline together."""
    accuracy = clean[:, None]
    known = np.hstack([accuracy, sets[baseline]])
    together = {f"{KNOWN} and {name}": np.hstack([known, one]) for name, one in sets.items() if name != baseline}
    return {"accuracy": accuracy, **sets, KNOWN: known, **together}


KNOWN = "accuracy and StatNN"
"""What types must add to: the accuracy without attack, and plain weight statistics."""
