"""Figure 2: regular, deeper and wider networks of equal parameter count in the space of embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from scipy.stats import spearmanr
from sklearn.metrics import silhouette_score

from synaplex.datasets import Dataset
from synaplex.encoders import GraphSet
from synaplex.studies.structurereps.graphs import graph_of
from synaplex.studies.structurereps.methods import COMPLEX, OWN, STATISTICS, UNTRAINED, method
from synaplex.studies.structurereps.pieces import Arrays, Pieces
from synaplex.studies.structurereps.recipe import TARGETS, Member, Settings, Task, network_seed
from synaplex.studies.structurereps.trajectories import trained

METHODS = (OWN, UNTRAINED, STATISTICS, COMPLEX)

_NUMBER = 9
"""The seeds of these networks are none of those of a layout."""


@dataclass(frozen=True, eq=False)
class ShapeSpace:
    """Networks of several shapes, embedded by methods that were fitted on other seeds.

    Attributes
    ----------
    names, parameters
        Of the shapes, and how many parameters each has.
    shape, network, epoch
        Of each row: an index of `names`, which network, at which epoch.
    performance
        On the test set.
    embedded
        By method, columns standardised by the networks fitted.
    nearest
        By method, the shape whose centroid among the networks fitted is nearest.
    """

    names: tuple[str, ...]
    parameters: tuple[int, ...]
    shape: Int[np.ndarray, " rows"]
    network: Int[np.ndarray, " rows"]
    epoch: Int[np.ndarray, " rows"]
    performance: Float[np.ndarray, " rows"]
    embedded: Mapping[str, Float[np.ndarray, "rows _"]]
    nearest: Mapping[str, Int[np.ndarray, " rows"]]


def shape_space(task: Task, settings: Settings, seed: int, data: Dataset, pieces: Pieces) -> ShapeSpace:
    """Train the networks of all shapes, fit each method on some seeds and embed the others."""
    recipe = settings.shapes
    kept = tuple(range(recipe.every, settings.epochs + 1, recipe.every))
    graphs, rows, parameters = [], [], []
    for place, (_, hidden) in enumerate(recipe.hidden):
        seeds = [network_seed(settings.number(task), Member(_NUMBER, place, one), seed) for one in range(recipe.seeds)]
        rates = [task.rates[task.middle[1]]] * recipe.seeds
        arrays = trained(task, hidden, seeds, rates, settings, kept, (), data, pieces)
        network = task.network(hidden, *(int(size) for size in arrays["ends"]))
        parameters.append(network.parameters)
        count = sum(name.startswith("some/") for name in arrays)
        for one in range(recipe.seeds):
            graphs.append(graph_of(network, [arrays[f"some/{i}"][one] for i in range(count)]))
            scores = [arrays[target][one][list(kept)] for target in TARGETS]
            rows.append(np.stack([np.full(len(kept), place), np.full(len(kept), one), kept, *scores], 1))
    table = np.concatenate(rows)
    everything = GraphSet.of(graphs, epochs=table[:, 2])
    fitted = table[:, 1] < recipe.fitted
    identity = (task, recipe, settings.epochs, settings.network_epochs, settings.encoder, seed)
    embedded: dict[str, np.ndarray] = {}
    nearest: dict[str, np.ndarray] = {}
    for name in METHODS:

        def make(name: str = name) -> Arrays:
            made = method(name, epochs=settings.network_epochs, seed=seed, options=settings.encoder).fit(
                everything[fitted]
            )
            return {"embedded": made.transform(everything)}

        found = pieces.get(f"shapes/{name.replace(' ', '-')}", (identity, name), make)["embedded"]
        center, spread = found[fitted].mean(0), found[fitted].std(0)
        scaled = (found - center) / np.where(spread > 1e-9, spread, 1.0)
        centroids = np.stack([scaled[fitted & (table[:, 0] == i)].mean(0) for i in range(len(recipe.hidden))])
        away = ((scaled[~fitted][:, None] - centroids) ** 2).sum(-1)
        embedded[name], nearest[name] = scaled[~fitted], away.argmin(1)
    unseen = table[~fitted]
    return ShapeSpace(
        tuple(name for name, _ in recipe.hidden),
        tuple(parameters),
        unseen[:, 0].astype(np.int64),
        (unseen[:, 0] * recipe.seeds + unseen[:, 1]).astype(np.int64),
        unseen[:, 2].astype(np.int64),
        unseen[:, 4],
        embedded,
        nearest,
    )


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of rows of a `ShapeSpace`.

    Attributes
    ----------
    first, second
        Their rows.
    distance
        Between their embeddings.
    difference
        Of their performance.
    """

    first: Int[np.ndarray, " pairs"]
    second: Int[np.ndarray, " pairs"]
    distance: Float[np.ndarray, " pairs"]
    difference: Float[np.ndarray, " pairs"]


def pairs(space: ShapeSpace, name: str) -> Pairs:
    """The pairs of networks in the space of a method."""
    first, second = np.triu_indices(len(space.shape), 1)
    points = space.embedded[name]
    distance = np.sqrt(((points[first] - points[second]) ** 2).mean(1))
    return Pairs(first, second, distance, np.abs(space.performance[first] - space.performance[second]))


def shapes_table(space: ShapeSpace) -> pl.DataFrame:
    """What is to be seen in figure 2, in numbers, of networks that no method was fitted on.

    Returns
    -------
    polars.DataFrame
        A row a method, and one for the number of the epoch: ``silhouette`` of the shapes, ``told apart`` (share whose
        nearest centroid is that of their shape), and Spearman's correlation of distance and difference of performance
        over ``all pairs``, pairs of ``one shape``, and pairs of ``one shape, two networks``.
    """
    rows = []
    for name in space.embedded:
        own = pairs(space, name)
        rows.append(
            {
                "method": name,
                "silhouette": float(silhouette_score(space.embedded[name], space.shape)),
                "told apart": float((space.nearest[name] == space.shape).mean()),
                **_correlations(space, own, own.distance),
            }
        )
    known = pairs(space, next(iter(space.embedded)))
    apart = np.abs(np.log(space.epoch[known.first] / space.epoch[known.second]))
    rows.append(
        {"method": "epoch number", "silhouette": None, "told apart": None, **_correlations(space, known, apart)}
    )
    return pl.DataFrame(rows)


def _correlations(space: ShapeSpace, own: Pairs, distance: Float[np.ndarray, " pairs"]) -> dict[str, float]:
    alike = space.shape[own.first] == space.shape[own.second]
    other = space.network[own.first] != space.network[own.second]
    chosen = {"all pairs": alike | True, "one shape": alike, "one shape, two networks": alike & other}
    return {key: float(spearmanr(distance[where], own.difference[where]).statistic) for key, where in chosen.items()}
