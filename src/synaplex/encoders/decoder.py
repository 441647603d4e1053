"""Performance from features of networks, with intervals from networks that the regression had not seen."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GroupKFold, KFold
from sklearn.utils.validation import check_is_fitted, validate_data

from synaplex.encoders.regressors import Regressor, fit_boosting, fit_linear, fit_ridge
from synaplex.errors import SpecificationError, UnknownNameError

REGRESSORS = ("linear", "ridge", "boosting")


class PerformanceDecoder(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Performance read off an embedding (or any features), each column standardised by the networks fitted.

    `predict_interval` gives intervals from calibration residuals: those of networks on which the regression was not
    fitted. `fit` takes them from cross-validation over its own networks; `calibrate` replaces them by those of other
    networks, which neither decoder nor encoder has seen: then an interval of 90% covers a new network of the same
    population with a probability of at least 90% (split conformal prediction).

    Parameters
    ----------
    regressor
        ``"linear"`` (least squares, the paper's), ``"ridge"`` (its penalty chosen by the training networks) or
        ``"boosting"`` (gradient boosting of trees).
    coverage
        Of the intervals.
    folds
        Of the cross-validation that calibrates; fewer where there are fewer networks.
    random_state
        The seed of folds and trees.
    larger_is_better
        Whether a larger performance is the better one, as an accuracy is; False for an error or a loss. Changes no
        prediction: it is what `rank` orders networks by.

    Attributes
    ----------
    center_, scale_ : Float[np.ndarray, "features"]
        What columns are standardised by.
    regressor_ : Linear or Trees
        The fitted regression, as plain numbers.
    residuals_ : Float[np.ndarray, "networks"]
        Absolute calibration residuals in ascending order; empty if there was one network or group only.
    calibration_ : str
        ``"cross-validation"`` or ``"held-out networks"``.
    range_ : tuple of float
        The smallest and largest performance fitted.
    n_features_in_ : int
        Number of columns.

    Notes
    -----
    Cost of fitting: ``folds + 1`` regressions. Source of the intervals: Lei et al. (2018), split conformal prediction.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> x = generator.normal(size=(50, 3))
    >>> decoder = PerformanceDecoder().fit(x, x @ [1.0, 2.0, 0.0])
    >>> decoder.predict([[1.0, 1.0, 5.0]]).round(6)
    array([3.])
    """

    def __init__(
        self,
        regressor: str = "linear",
        *,
        coverage: float = 0.9,
        folds: int = 5,
        random_state: int = 0,
        larger_is_better: bool = True,
    ) -> None:
        self.regressor = regressor
        self.coverage = coverage
        self.folds = folds
        self.random_state = random_state
        self.larger_is_better = larger_is_better

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the regression and its calibration residuals.

        Parameters
        ----------
        X
            ``(networks, features)``, of training networks only.
        y
            ``(networks,)``: their performance. All the same is no error: then so is every prediction.
        groups
            The trajectory (or family) of each network; networks of one group share a fold, because snapshots of one
            training are no independent networks.
        """
        self._check()
        x, target = self._validated(X, y)
        self.center_ = x.mean(0)
        spread = x.std(0)
        self.scale_ = np.where(spread > 1e-12 * np.maximum(np.abs(self.center_), 1.0), spread, 1.0)
        scaled = self._scaled(x)
        self.regressor_ = self._regression(scaled, target)
        self.residuals_ = self._left_out(scaled, target, None if groups is None else np.asarray(groups))
        self.calibration_ = "cross-validation"
        self.range_ = float(target.min()), float(target.max())
        return self

    def calibrate(self, X: Any, y: Any) -> Self:
        """Take the calibration residuals from networks that were held out; the regression stays as it is."""
        check_is_fitted(self)
        x, target = self._validated(X, y, reset=False)
        self.residuals_ = np.sort(np.abs(target - self.regressor_.predict(self._scaled(x))))
        self.calibration_ = "held-out networks"
        return self

    def predict(self, X: Any) -> Float[np.ndarray, " networks"]:
        """The performance of each network."""
        check_is_fitted(self)
        return self.regressor_.predict(self._scaled(self._validated(X, reset=False)))

    def predict_interval(
        self, X: Any, coverage: float | None = None
    ) -> tuple[Float[np.ndarray, " networks"], Float[np.ndarray, " networks"]]:
        """Lower and upper end of an interval for the performance of each network.

        The prediction, less and more the ceil((n + 1) coverage)-th smallest of n calibration residuals.

        Raises
        ------
        SpecificationError
            If there are too few calibration residuals for that coverage.
        """
        center = self.predict(X)
        half = self.half_width(self.coverage if coverage is None else coverage)
        return center - half, center + half

    def half_width(self, coverage: float) -> float:
        """Half the width of the intervals of that coverage; see `predict_interval`."""
        check_is_fitted(self)
        if not 0 < coverage < 1:
            raise SpecificationError(f"coverage must lie between 0 and 1, got {coverage!r}")
        count = len(self.residuals_)
        place = int(np.ceil((count + 1) * coverage - 1e-9))
        if place > count:
            raise SpecificationError(
                f"an interval of {coverage:.0%} needs {int(np.ceil(coverage / (1 - coverage) - 1e-9))} calibration "
                f"residuals, and there are {count}: fit or calibrate on more networks"
            )
        return float(self.residuals_[place - 1])

    def _regression(self, x: Float[np.ndarray, "rows features"], y: Float[np.ndarray, " rows"]) -> Regressor:
        if self.regressor == "linear" or len(x) < 3:
            return fit_linear(x, y)
        return fit_ridge(x, y) if self.regressor == "ridge" else fit_boosting(x, y, int(self.random_state))

    def _left_out(
        self, x: Float[np.ndarray, "rows features"], y: Float[np.ndarray, " rows"], groups: np.ndarray | None
    ) -> Float[np.ndarray, " residuals"]:
        folds = min(self.folds, len(x) if groups is None else len(np.unique(groups)))
        if folds < 2:
            return np.empty(0)
        seed = int(self.random_state)
        kind: Any = KFold if groups is None else GroupKFold
        splits = kind(folds, shuffle=True, random_state=seed).split(x, y, groups)
        return np.sort(np.concatenate([np.abs(y[b] - self._regression(x[a], y[a]).predict(x[b])) for a, b in splits]))

    def _scaled(self, x: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows features"]:
        return np.asarray((x - self.center_) / self.scale_)

    def _validated(self, X: Any, y: Any = None, *, reset: bool = True) -> Any:
        try:
            if y is None and not reset:
                return validate_data(self, X, reset=False, dtype=np.float64)
            x, target = validate_data(self, X, y, reset=reset, dtype=np.float64, y_numeric=True)
            return x, np.asarray(target, dtype=np.float64)
        except ValueError as error:
            raise SpecificationError(str(error)) from error

    def _check(self) -> None:
        if self.regressor not in REGRESSORS:
            raise UnknownNameError("regressor", self.regressor, REGRESSORS)
        if not isinstance(self.folds, Integral) or self.folds < 2:
            raise SpecificationError(f"folds must be an integer of at least 2, got {self.folds!r}")
        if not 0 < self.coverage < 1:
            raise SpecificationError(f"coverage must lie between 0 and 1, got {self.coverage!r}")
