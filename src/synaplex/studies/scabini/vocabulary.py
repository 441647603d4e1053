"""The vocabulary of neuron types of a population, and how often each network speaks which word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.errors import SpecificationError
from synaplex.neurons import (
    RELEASED,
    BagOfNeurons,
    Descriptors,
    Elbow,
    Normalization,
    Stability,
    descriptors,
    elbow,
    elbow_by_layer,
    stability,
    type_frequencies,
)
from synaplex.studies.scabini.published import KEPT
from synaplex.studies.scabini.recipe import Analysis


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Neuron types with the scale on which they were found.

    The scale is that of the released data: each hidden layer by itself, strength and subgraph centrality by the
    largest value, bipartite clustering from the smallest to the largest.

    Attributes
    ----------
    bag
        The types, fitted.
    scale
        The normalization, with its constants.
    """

    bag: BagOfNeurons
    scale: Normalization

    @classmethod
    def find(cls, frame: pl.DataFrame, types: int, starts: int, seed: int) -> Vocabulary:
        """The types of the neurons in a table."""
        found = descriptors(frame, KEPT, RELEASED)
        assert found.normalization is not None
        return cls(BagOfNeurons(types, n_init=starts, random_state=seed).fit(found.values), found.normalization)

    def describe(self, frame: pl.DataFrame) -> Descriptors:
        """The neurons of a table on this vocabulary's scale."""
        return descriptors(frame, KEPT, self.scale)

    def labels(self, frame: pl.DataFrame) -> Int[np.ndarray, " neurons"]:
        """The type of each neuron that has a descriptor, from 0."""
        return self.bag.predict(self.describe(frame).values)

    def shares(self, frame: pl.DataFrame) -> Float[np.ndarray, "networks types"]:
        """The share of each type in each network, in ascending order of seeds.

        Raises
        ------
        SpecificationError
            If a network has no neuron with a descriptor.
        """
        found = self.describe(frame)
        codes, networks = found.groups("seed")
        if networks.height < frame["seed"].n_unique():
            missing = sorted(set(frame["seed"].to_list()) - set(networks["seed"].to_list()))
            raise SpecificationError(f"no neuron of the networks {missing} has a descriptor")
        return type_frequencies(self.bag.predict(found.values), codes, len(self.bag.cluster_centers_))

    def layer_shares(self, frame: pl.DataFrame) -> Float[np.ndarray, "networks layers_and_types"]:
        """The share of each type in each hidden layer of each network; 0 where no neuron of it has a descriptor."""
        found = self.describe(frame)
        types = len(self.bag.cluster_centers_)
        networks = np.unique(frame["seed"].to_numpy())
        layers = np.unique(frame["layer"].to_numpy())
        row = np.searchsorted(networks, found.index["seed"].to_numpy())
        column = np.searchsorted(layers, found.layers) * types + self.bag.predict(found.values)
        counts = np.zeros((len(networks), len(layers) * types))
        np.add.at(counts, (row, column), 1)
        total = counts.reshape(len(networks), len(layers), types).sum(axis=2).repeat(types, axis=1)
        return np.asarray(counts / np.maximum(total, 1))

    def table(self) -> pl.DataFrame:
        """The types as the paper's table 1, with the share of each."""
        return self.bag.table(KEPT)


def elbows(frame: pl.DataFrame, settings: Analysis) -> tuple[Elbow, ...]:
    """The elbow in each hidden layer and in all together (fig. 6)."""
    found = descriptors(frame, KEPT, RELEASED)
    return elbow_by_layer(found.values, found.layers, n_init=settings.elbow_starts, seed=settings.seed)


def control_elbow(frame: pl.DataFrame, name: str, settings: Analysis) -> Elbow:
    """The elbow of other neurons, all layers together, for comparison."""
    found = descriptors(frame, KEPT, RELEASED)
    return elbow(found.values, n_init=settings.elbow_starts, seed=settings.seed, rows=name)


def vocabulary_stability(vocabulary: Vocabulary, frame: pl.DataFrame, settings: Analysis) -> Stability:
    """Whether other networks of the population would have given the same types."""
    found = vocabulary.describe(frame)
    codes, _ = found.groups("seed")
    return stability(
        vocabulary.bag,
        found.values,
        codes,
        resamples=settings.vocabulary_resamples,
        n_init=settings.elbow_starts,
        confidence=settings.confidence,
        seed=settings.seed,
    )


def share_differences(
    shares: Float[np.ndarray, "networks types"],
    worst: Int[np.ndarray, " n"],
    best: Int[np.ndarray, " n"],
    settings: Analysis,
) -> pl.DataFrame:
    """How much more often each type occurs in the best than in the worst networks.

    Returns
    -------
    polars.DataFrame
        A row a type: `type` (from 1), `difference` (best minus worst, mean shares), `low`, `high` (bootstrap over the
        networks of each group), `top_in_best` (the share of bootstrap samples in which the type is the most frequent
        among the best networks).
    """
    generator = np.random.default_rng(settings.seed)
    low_groups, high_groups = (_resampled(shares[group], settings.resamples, generator) for group in (worst, best))
    differences = high_groups - low_groups
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail], axis=0)
    top = np.bincount(high_groups.argmax(axis=1), minlength=shares.shape[1]) / settings.resamples
    return pl.DataFrame(
        {
            "type": pl.Series(range(1, shares.shape[1] + 1), dtype=pl.Int32),
            "difference": shares[best].mean(axis=0) - shares[worst].mean(axis=0),
            "low": low,
            "high": high,
            "top_in_best": top,
        }
    )


def _resampled(
    shares: Float[np.ndarray, "n types"], resamples: int, generator: np.random.Generator
) -> Float[np.ndarray, "resamples types"]:
    """Mean shares of networks drawn with replacement."""
    draws = generator.multinomial(len(shares), np.full(len(shares), 1 / len(shares)), size=resamples)
    return np.asarray(draws @ shares / len(shares))


def beside_published(types: pl.DataFrame, published: pl.DataFrame, measures: Sequence[str] = KEPT) -> pl.DataFrame:
    """Our centroids and the published ones in one table, types matched by their order in strength.

    Returns
    -------
    polars.DataFrame
        `measure`, `type`, `here`, then a column a benchmark.
    """
    long = published.unpivot(measures, index=["benchmark", "type"], variable_name="measure")
    theirs = long.pivot("benchmark", index=["measure", "type"], values="value", maintain_order=True)
    ours = types.unpivot(measures, index="type", variable_name="measure", value_name="here")
    order = pl.Enum(list(measures))
    joined = ours.join(theirs, on=["measure", "type"], how="left", maintain_order="left")
    return joined.select("measure", pl.exclude("measure")).sort(pl.col("measure").cast(order), "type")


def centroid_distance(beside: pl.DataFrame) -> pl.DataFrame:
    """Root mean squared differences between centroids: ours and the published, and the published among themselves.

    Returns
    -------
    polars.DataFrame
        `first`, `second`, `distance`, over all numbers of table 1 both have.
    """
    names = [name for name in beside.columns if name not in ("measure", "type")]
    rows = []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            difference = (beside[first] - beside[second]).drop_nulls().to_numpy()
            rows.append((first, second, float(np.sqrt((difference**2).mean()))))
    return pl.DataFrame(rows, schema=["first", "second", "distance"], orient="row")
