"""What an encoder has to beat: plain features of networks, with the same interface.

The untrained encoder, ``StructureEncoder(epochs=0)``, is one more.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from synaplex.encoders.graph_set import GraphSet
from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph
from synaplex.measures import weight_features

NETWORKS_AT_ONCE = 64


class NetworkFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Named features of networks, of which different networks may have different ones.

    The columns are those of the networks fitted. Of another network, a column that it lacks, or whose value is
    undefined, gets the median of the networks fitted; what it has beyond them is left out.

    Attributes
    ----------
    columns_ : tuple of str
        Names of the columns.
    medians_ : Float[np.ndarray, "features"]
        What missing values become.
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn columns and medians from training networks; `y` is ignored."""
        networks = GraphSet.of(X)
        if not len(networks):
            raise SpecificationError("features need networks to be fitted on, and the population is empty")
        self._prepare(networks)
        rows = self._rows(networks)
        self.columns_ = tuple(dict.fromkeys(name for row in rows for name in row))
        values = _matrix(rows, self.columns_)
        known = np.isfinite(values)
        self.medians_ = np.array(
            [np.median(column[there]) if there.any() else 0.0 for column, there in zip(values.T, known.T, strict=True)]
        )
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "networks features"]:
        """The features of each network, one a row, float64."""
        check_is_fitted(self)
        values = _matrix(self._rows(GraphSet.of(X)), self.columns_)
        return np.where(np.isfinite(values), values, self.medians_)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the columns of `transform`."""
        check_is_fitted(self)
        return np.array(self.columns_, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "medians_")

    def _prepare(self, networks: GraphSet) -> None:
        """Learn what the features themselves need."""

    @abstractmethod
    def _rows(self, networks: GraphSet) -> list[Mapping[str, float]]:
        """The features of each network by name."""


class WeightStatistics(NetworkFeatures):
    """Mean, variance and five quantiles of the weights of each link ("StatNN"); see `weight_features`.

    Notes
    -----
    Source: Unterthiner et al. (2020). Cost: a sort of the weights.
    """

    def _rows(self, networks: GraphSet) -> list[Mapping[str, float]]:
        rows: list[Mapping[str, float]] = []
        for part in networks.pieces(NETWORKS_AT_ONCE):
            frame = weight_features(part)
            rows += [{k: np.nan if v is None else v for k, v in row.items()} for row in frame.to_dicts()]
        return rows


class EpochIndex(NetworkFeatures):
    """The epoch of each network and nothing else: what time alone says about performance along a training.

    It needs a `GraphSet` with epochs.
    """

    def _rows(self, networks: GraphSet) -> list[Mapping[str, float]]:
        if networks.epochs is None:
            raise SpecificationError("these networks carry no epochs: use GraphSet.of(graphs, epochs=...)")
        return [{"epoch": float(epoch)} for epoch in networks.epochs]


class FlatWeights(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """All weights of a network in a row, reduced to principal components; for networks of one architecture.

    Parameters
    ----------
    components
        How many; fewer where there are fewer networks or weights.
    random_state
        The seed of the randomised solver, which large matrices get.

    Attributes
    ----------
    pca_ : sklearn.decomposition.PCA
        Fitted on training networks.
    layout_ : tuple
        Layer sizes and number of weights of each link, which other networks must share.

    Notes
    -----
    Neurons may be renumbered without changing a network, and these features change: the control for that.
    Memory: all weights of the networks fitted.
    """

    def __init__(self, components: int = 32, *, random_state: int = 0) -> None:
        self.components = components
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the components of training networks; `y` is ignored."""
        networks = GraphSet.of(X)
        if not len(networks):
            raise SpecificationError("features need networks to be fitted on, and the population is empty")
        self.layout_ = _weight_layout(next(networks.parts()))
        values = self._flat(networks)
        count = min(self.components, *values.shape)
        self.pca_ = PCA(count, random_state=self.random_state).fit(values)
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "networks components"]:
        """The components of each network, one a row."""
        check_is_fitted(self)
        networks = GraphSet.of(X)
        if not len(networks):
            return np.empty((0, self.pca_.n_components_))
        return np.asarray(self.pca_.transform(self._flat(networks)), dtype=np.float64)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "pca_")

    def _flat(self, networks: GraphSet) -> Float[np.ndarray, "networks weights"]:
        parts = []
        for part in networks.parts():
            layout = _weight_layout(part)
            if layout != self.layout_:
                raise SpecificationError(
                    f"flat weights compare networks of one architecture: {layout[0]} is not {self.layout_[0]}"
                )
            weights = [link.weights if part.networks is not None else link.weights[None] for link in part.links]
            parts.append(torch.cat([weight.detach().double().cpu() for weight in weights], 1).numpy())
        return np.concatenate(parts)


def _weight_layout(graph: NeuralGraph) -> tuple[Any, ...]:
    return graph.sizes, tuple(link.weights.shape[-1] for link in graph.links)


def _matrix(rows: Sequence[Mapping[str, float]], columns: Sequence[str]) -> Float[np.ndarray, "networks features"]:
    values = [[row.get(name, np.nan) for name in columns] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), len(columns))
