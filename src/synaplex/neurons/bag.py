"""The bag of neurons: a vocabulary of neuron types, and how often each type occurs in a network."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral
from typing import Any, Self

import numpy as np
import polars as pl
from jaxtyping import Float, Int, Shaped
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from synaplex.errors import SpecificationError

_ROWS_AT_ONCE = 65_536


class BagOfNeurons(ClusterMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Neuron types, found as k-means clusters of neuron descriptors.

    The centroids minimize the inertia, the sum of squared distances from each neuron to the nearest of them::

        inertia = sum_v min_t |psi(v) - c_t|^2

    They start by k-means++, `n_init` times; the best result counts. Types are sorted by the first measure:
    with strength there, the first type is the most inhibitory. Labels count from 0, so the paper's type
    psi_1 has label 0.

    Parameters
    ----------
    n_types
        The number of types k. The paper: 6.
    n_init
        How often k-means starts anew. The paper: 100. Results of fewer starts are the first of those of
        more, so the inertia never grows with it.
    tol
        Relative tolerance on the movement of the centroids (Frobenius norm) that counts as converged. The
        paper: 1e-3.
    max_iter
        The most iterations of one start.
    random_state
        The seed, an integer: nothing reads the global random state.
    n_jobs
        How many starts run at once, as threads; None for as many as there are cores. The result is the
        same, to the last bit, whatever it is.

    Attributes
    ----------
    cluster_centers_ : Float[np.ndarray, "types measures"]
        The centroids, sorted.
    labels_ : Int[np.ndarray, "neurons"]
        The type of each neuron fitted, from 0.
    inertia_ : float
        The inertia of the neurons fitted.
    shares_ : Float[np.ndarray, "types"]
        The share of each type among the neurons fitted.
    n_iter_ : int
        The iterations of the start that gave the result.
    n_features_in_ : int
        The number of measures.

    Raises
    ------
    SpecificationError
        On fitting: if a parameter makes no sense, a value is not finite, or there are fewer distinct
        descriptors than types.

    Notes
    -----
    Scabini and Bruno (2021), sections 3.2 and 4.1. Normalize the descriptors first (see `descriptors`): the
    Euclidean distance weighs measures by their range.

    Cost of fitting: O(n_init * iterations * neurons * types * measures). 100 starts on the paper's 300,000
    neurons and 3 measures take some ten seconds on two cores, on 8,000 neurons half a second; 10 starts take
    a tenth of that.

    Examples
    --------
    >>> import numpy as np
    >>> neurons = np.array([[0.9, 1.0], [-0.5, 0.0], [1.0, 1.0], [-0.6, 0.0]])
    >>> bag = BagOfNeurons(n_types=2, n_init=5).fit(neurons)
    >>> bag.cluster_centers_.round(2).tolist(), bag.labels_.tolist()
    ([[-0.55, 0.0], [0.95, 1.0]], [1, 0, 1, 0])
    >>> bag.histogram(neurons, groups=np.array([0, 0, 1, 1]))
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """

    def __init__(
        self,
        n_types: int = 6,
        *,
        n_init: int = 100,
        tol: float = 1e-3,
        max_iter: int = 300,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_types = n_types
        self.n_init = n_init
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs

    @classmethod
    def from_centers(cls, cluster_centers: Float[np.ndarray, "types measures"]) -> Self:
        """A bag whose vocabulary is given, such as a published one, ready to predict.

        Parameters
        ----------
        cluster_centers
            The centroids; they are sorted as fitted ones are.

        Returns
        -------
        BagOfNeurons
            Without `labels_`, `inertia_`, `shares_` and `n_iter_`, which belong to neurons fitted.

        Raises
        ------
        SpecificationError
            If there is no centroid or one is not finite.
        """
        if cluster_centers.size == 0 or not np.isfinite(cluster_centers).all():
            raise SpecificationError("a vocabulary needs at least one centroid, with finite values")
        bag = cls(n_types=len(cluster_centers))
        bag.cluster_centers_ = _sorted_rows(np.asarray(cluster_centers, dtype=np.float64))
        bag.n_features_in_ = cluster_centers.shape[1]
        return bag

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the types.

        Parameters
        ----------
        X
            Array-like of shape (neurons, measures): descriptors, normalized.
        y
            Ignored; there for scikit-learn's conventions.

        Returns
        -------
        BagOfNeurons
            Itself.

        Raises
        ------
        SpecificationError
            See the class.
        """
        self._check_parameters()
        values = self._validated(X, reset=True)
        distinct = _count_distinct(values, enough=self.n_types)
        if distinct < self.n_types:
            raise SpecificationError(
                f"n_types={self.n_types}, but there are only {distinct} distinct descriptors "
                f"(n_samples={len(values)}): ask for fewer types or give more neurons"
            )
        centers, self.n_iter_ = self._best_start(values)
        self.cluster_centers_ = _sorted_rows(centers)
        self.labels_, squares = _nearest(values, self.cluster_centers_)
        self.inertia_ = float(squares.sum())
        self.shares_ = np.bincount(self.labels_, minlength=self.n_types) / len(values)
        return self

    def predict(self, X: Any) -> Int[np.ndarray, " neurons"]:
        """The type of each neuron: the label, from 0, of the nearest centroid.

        Parameters
        ----------
        X
            Array-like of shape (neurons, measures), normalized as the neurons fitted were.

        Returns
        -------
        Int[np.ndarray, "neurons"]
            The labels. A neuron as near to two centroids is of the first type.
        """
        check_is_fitted(self)
        labels, _ = _nearest(self._validated(X, reset=False), self.cluster_centers_)
        return labels

    def transform(self, X: Any) -> Float[np.ndarray, "neurons types"]:
        """The Euclidean distance of each neuron to each centroid.

        Parameters
        ----------
        X
            Array-like of shape (neurons, measures), normalized as the neurons fitted were.

        Returns
        -------
        Float[np.ndarray, "neurons types"]
            The distances.
        """
        check_is_fitted(self)
        return np.asarray(np.sqrt(_squared_distances(self._validated(X, reset=False), self.cluster_centers_)))

    def histogram(self, X: Any, groups: Shaped[np.ndarray, " neurons"]) -> Float[np.ndarray, "networks types"]:
        """How often each type occurs in each network.

        Parameters
        ----------
        X
            Array-like of shape (neurons, measures), normalized as the neurons fitted were.
        groups
            The network of each neuron.

        Returns
        -------
        Float[np.ndarray, "networks types"]
            Shares of types, each row summing to 1; rows in the order of the sorted groups
            (``np.unique(groups)``).

        Raises
        ------
        SpecificationError
            If there are not as many groups as neurons.
        """
        return type_frequencies(self.predict(X), groups, len(self.cluster_centers_))

    def table(self, measures: Sequence[str]) -> pl.DataFrame:
        """The types as the paper's table 1: `type` (from 1), the measures, `share` (where fitted)."""
        check_is_fitted(self)
        if len(measures) != self.n_features_in_:
            raise SpecificationError(f"{len(measures)} names for {self.n_features_in_} measures")
        types = pl.Series("type", range(1, len(self.cluster_centers_) + 1), dtype=pl.Int32)
        columns = [pl.Series(name, self.cluster_centers_[:, i]) for i, name in enumerate(measures)]
        shares = [pl.Series("share", self.shares_)] if hasattr(self, "shares_") else []
        return pl.DataFrame([types, *columns, *shares])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the columns of `transform`: type_1, type_2, ..."""
        check_is_fitted(self)
        return np.array([f"type_{t + 1}" for t in range(len(self.cluster_centers_))], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "cluster_centers_")

    def _check_parameters(self) -> None:
        for name in ("n_types", "n_init", "max_iter"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise SpecificationError(f"{name} must be a positive integer, got {value!r}")
        if not isinstance(self.random_state, Integral) or self.random_state < 0:
            raise SpecificationError(
                f"random_state must be a non-negative integer, got {self.random_state!r}: "
                "a vocabulary is a function of its seed"
            )
        if not self.tol >= 0:
            raise SpecificationError(f"tol must be zero or positive, got {self.tol!r}")
        if self.n_jobs is not None and self.n_jobs < 1:
            raise SpecificationError(f"n_jobs must be None or positive, got {self.n_jobs!r}")

    def _validated(self, X: Any, *, reset: bool) -> Float[np.ndarray, "neurons measures"]:
        try:
            values: np.ndarray = validate_data(self, X, reset=reset, dtype=np.float64, order="C")
        except ValueError as error:
            raise SpecificationError(str(error)) from error
        return values

    def _best_start(
        self, values: Float[np.ndarray, "neurons measures"]
    ) -> tuple[Float[np.ndarray, "types measures"], int]:
        """The centroids and iterations of the start with the least inertia, the first of equals."""
        seeds = np.random.SeedSequence(int(self.random_state)).generate_state(self.n_init)

        def start(seed: int) -> tuple[float, np.ndarray, int]:
            means = KMeans(
                self.n_types,
                init="k-means++",
                n_init=1,
                tol=self.tol,
                max_iter=self.max_iter,
                random_state=seed,
            ).fit(values)
            return float(means.inertia_), means.cluster_centers_, int(means.n_iter_)

        # One OpenMP thread a start, because the sums of several threads are added up in the order in which
        # they finish, and then the last bits differ from run to run. The setting is each worker's own.
        threads = ThreadpoolController()
        workers = min(self.n_init, self.n_jobs or _available_cores())
        with warnings.catch_warnings(), threads.limit(limits=1, user_api="blas"):
            warnings.simplefilter("error", ConvergenceWarning)
            with ThreadPoolExecutor(
                workers, initializer=lambda: threads.limit(limits=1, user_api="openmp").__enter__()
            ) as pool:
                try:
                    results = list(pool.map(start, seeds.tolist()))
                except ConvergenceWarning as warning:
                    raise SpecificationError(
                        f"k-means found fewer clusters than n_types={self.n_types}: ask for fewer types"
                    ) from warning
        _, centers, iterations = min(results, key=lambda result: result[0])
        return centers, iterations


def type_frequencies(
    labels: Int[np.ndarray, " neurons"], groups: Shaped[np.ndarray, " neurons"], n_types: int
) -> Float[np.ndarray, "networks types"]:
    """The share of each type among the neurons of each network.

    Parameters
    ----------
    labels
        The type of each neuron, from 0.
    groups
        The network of each neuron.
    n_types
        The number of types.

    Returns
    -------
    Float[np.ndarray, "networks types"]
        Rows sum to 1, in the order of ``np.unique(groups)``.

    Raises
    ------
    SpecificationError
        If the lengths differ or a label is not below `n_types`.

    Examples
    --------
    >>> type_frequencies(np.array([0, 1, 1, 1]), np.array([7, 7, 7, 3]), n_types=2).round(2)
    array([[0.  , 1.  ],
           [0.33, 0.67]])
    """
    if len(labels) != len(groups):
        raise SpecificationError(f"{len(labels)} neurons, but the networks of {len(groups)}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < n_types:
        raise SpecificationError(f"labels from {labels.min()} to {labels.max()} for {n_types} types")
    networks, codes = np.unique(groups, return_inverse=True)
    counts = np.bincount(codes * n_types + labels, minlength=len(networks) * n_types).reshape(-1, n_types)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _available_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sorted_rows(values: Float[np.ndarray, "types measures"]) -> Float[np.ndarray, "types measures"]:
    """The rows sorted by the first column, ties by the next."""
    return values[np.lexsort(values.T[::-1])]


def _count_distinct(values: Float[np.ndarray, "neurons measures"], enough: int) -> int:
    """How many rows are distinct, looking no further than where `enough` are."""
    size = 16 * enough
    while True:
        distinct = len(np.unique(values[:size], axis=0))
        if distinct >= enough or size >= len(values):
            return distinct
        size *= 2


def _squared_distances(
    values: Float[np.ndarray, "neurons measures"], centers: Float[np.ndarray, "types measures"]
) -> Float[np.ndarray, "neurons types"]:
    """Squared Euclidean distances, from differences: no digits cancel."""
    squares = np.empty((len(values), len(centers)))
    for t, center in enumerate(centers):
        difference = values - center
        squares[:, t] = np.einsum("ij,ij->i", difference, difference)
    return squares


def _nearest(
    values: Float[np.ndarray, "neurons measures"], centers: Float[np.ndarray, "types measures"]
) -> tuple[Int[np.ndarray, " neurons"], Float[np.ndarray, " neurons"]]:
    """The nearest centroid of each row and its squared distance, in blocks so that memory stays bounded."""
    labels = np.empty(len(values), dtype=np.int64)
    squares = np.empty(len(values))
    for first in range(0, len(values), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        block = _squared_distances(values[rows], centers)
        labels[rows] = block.argmin(axis=1)
        squares[rows] = block.min(axis=1)
    return labels, squares
