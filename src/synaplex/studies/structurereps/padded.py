"""Flat weights of networks of different widths: matrices padded with zeros to one size, then principal components."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from synaplex.encoders import GraphSet
from synaplex.errors import SpecificationError
from synaplex.graph import ConvLink, DenseLink, NeuralGraph


class PaddedWeights(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """All weights in a row, reduced to principal components, for networks of one depth.

    The weights of each link are brought to the largest shape among the networks fitted: smaller ones are padded with
    zeros behind, of larger ones the rest is cut off. Networks of one shape get what `FlatWeights` gives them.

    Parameters
    ----------
    components
        How many; fewer where there are fewer networks or weights.
    random_state
        The seed of the randomised solver, which large matrices get.

    Attributes
    ----------
    shapes_ : tuple
        What the weights of each link are brought to.
    pca_ : sklearn.decomposition.PCA
        Fitted on training networks.

    Notes
    -----
    Memory: all weights of the networks fitted.
    """

    def __init__(self, components: int = 32, *, random_state: int = 0) -> None:
        self.components = components
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find shapes and components of training networks; `y` is ignored."""
        parts = [_weights(part) for part in GraphSet.of(X).parts()]
        if not parts:
            raise SpecificationError("features need networks to be fitted on, and the population is empty")
        shapes = zip(*([weight.shape[1:] for weight in part] for part in parts), strict=True)
        self.shapes_ = tuple(tuple(max(sizes) for sizes in zip(*one, strict=True)) for one in shapes)
        rows = np.concatenate([self._rows(part) for part in parts])
        self.pca_ = PCA(min(self.components, *rows.shape), random_state=self.random_state).fit(rows)
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "networks components"]:
        """The components of each network, one a row."""
        check_is_fitted(self)
        rows = [self._rows(_weights(part)) for part in GraphSet.of(X).parts()]
        if not rows:
            return np.empty((0, self.pca_.n_components_))
        return np.asarray(self.pca_.transform(np.concatenate(rows)), dtype=np.float64)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "pca_")

    def _rows(self, part: list[np.ndarray]) -> Float[np.ndarray, "networks weights"]:
        flat = []
        for weight, shape in zip(part, self.shapes_, strict=True):
            whole = np.zeros((len(weight), *shape))
            inside = tuple(slice(min(have, want)) for have, want in zip(weight.shape[1:], shape, strict=True))
            whole[(slice(None), *inside)] = weight[(slice(None), *inside)]
            flat.append(whole.reshape(len(weight), -1))
        return np.concatenate(flat, 1)


def _weights(graph: NeuralGraph) -> list[np.ndarray]:
    """The weights of each link, ``(networks, ...)``."""
    found = []
    for link in graph.links:
        if not isinstance(link, ConvLink | DenseLink):
            raise SpecificationError(f"flat weights are those of convolutions and dense layers, not of {link!r}")
        weight = link.weight.detach().double().cpu().numpy()
        found.append(weight if graph.networks is not None else weight[None])
    return found
