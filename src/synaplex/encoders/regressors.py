"""Fitted regressors as plain numbers: coefficients, or trees as arrays; no pickle to save, no code to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import RidgeCV

PENALTIES = tuple(10.0**power for power in range(-3, 5))
"""Of ridge regression; the training networks choose among them by leave-one-out error."""


@dataclass(frozen=True, eq=False)
class Linear:
    """offset + x · coefficients.

    Attributes
    ----------
    coefficients, offset
        Of the fitted line.
    penalty
        Of ridge regression, 0 for least squares.
    """

    coefficients: Float[np.ndarray, " features"]
    offset: float
    penalty: float = 0.0

    def predict(self, x: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, " rows"]:
        """The prediction of each row."""
        return np.asarray(x @ self.coefficients + self.offset)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` makes it from."""
        return {"coefficients": self.coefficients, "offset": np.array([self.offset, self.penalty])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Linear:
        """The line that `arrays` came from."""
        offset, penalty = arrays["offset"].tolist()
        return cls(arrays["coefficients"], offset, penalty)


@dataclass(frozen=True, eq=False)
class Trees:
    """offset + the sum of one value from each of many regression trees.

    Attributes
    ----------
    left, right
        ``(trees, nodes)``: where to go from a node if its feature is at most its threshold, and if not; -1 at a leaf.
    feature, threshold
        What a node asks.
    value
        Of a leaf, learning rate included.
    offset
        The mean of what was fitted.
    """

    left: Int[np.ndarray, "trees nodes"]
    right: Int[np.ndarray, "trees nodes"]
    feature: Int[np.ndarray, "trees nodes"]
    threshold: Float[np.ndarray, "trees nodes"]
    value: Float[np.ndarray, "trees nodes"]
    offset: float

    def predict(self, x: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, " rows"]:
        """The prediction of each row; features are compared in float32, as they were fitted."""
        asked = x.astype(np.float32)
        total = np.full(len(x), self.offset)
        rows = np.arange(len(x))
        for tree in range(len(self.left)):
            node = np.zeros(len(x), dtype=np.int64)
            while True:
                inner = self.left[tree, node] >= 0
                if not inner.any():
                    break
                below = asked[rows, np.maximum(self.feature[tree, node], 0)] <= self.threshold[tree, node]
                node = np.where(inner, np.where(below, self.left[tree, node], self.right[tree, node]), node)
            total += self.value[tree, node]
        return total

    def arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` makes it from."""
        return {
            "left": self.left,
            "right": self.right,
            "feature": self.feature,
            "threshold": self.threshold,
            "value": self.value,
            "offset": np.array([self.offset]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Trees:
        """The trees that `arrays` came from.

        Raises
        ------
        ValueError
            If a node does not lead to later nodes of its tree, so that a walk might never end.
        """
        left, right, feature = arrays["left"], arrays["right"], arrays["feature"]
        node = np.arange(left.shape[1])
        for child in (left, right):
            if not ((child == -1) | ((child > node) & (child < len(node)))).all():
                raise ValueError("a tree leads nowhere")
        return cls(left, right, feature, arrays["threshold"], arrays["value"], float(arrays["offset"][0]))


Regressor = Linear | Trees


def fit_linear(x: Float[np.ndarray, "rows features"], y: Float[np.ndarray, " rows"]) -> Linear:
    """Least squares; of many solutions the one with the least coefficients."""
    center, mean = x.mean(0), float(y.mean())
    coefficients = np.linalg.lstsq(x - center, y - mean, rcond=None)[0]
    return Linear(coefficients, mean - float(center @ coefficients))


def fit_ridge(x: Float[np.ndarray, "rows features"], y: Float[np.ndarray, " rows"]) -> Linear:
    """Least squares with a penalty on the coefficients, one of `PENALTIES`."""
    model = RidgeCV(PENALTIES).fit(x, y)
    return Linear(np.asarray(model.coef_, dtype=np.float64), float(model.intercept_), float(model.alpha_))


def fit_boosting(x: Float[np.ndarray, "rows features"], y: Float[np.ndarray, " rows"], seed: int) -> Trees:
    """Gradient boosting of 200 trees of depth 3, each on half of the rows, learning rate 0.05."""
    model = GradientBoostingRegressor(n_estimators=200, learning_rate=0.05, subsample=0.5, random_state=seed).fit(x, y)
    trees: list[Any] = [estimator.tree_ for estimator in model.estimators_[:, 0]]
    nodes = max(tree.node_count for tree in trees)

    def column(name: str, filling: float) -> np.ndarray:
        parts = [np.asarray(getattr(tree, name)).reshape(-1) for tree in trees]
        return np.stack([np.pad(part, (0, nodes - len(part)), constant_values=filling) for part in parts])

    return Trees(
        left=column("children_left", -1.0).astype(np.int64),
        right=column("children_right", -1.0).astype(np.int64),
        feature=column("feature", -2.0).astype(np.int64),
        threshold=column("threshold", 0.0).astype(np.float64),
        value=column("value", 0.0).astype(np.float64) * model.learning_rate,
        offset=float(np.asarray(model.init_.constant_).reshape(-1)[0]),
    )
