"""The control: what plain statistics of the weights tell of a network, beside the data-dependent metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler

from synaplex.studies.finding import Finding, decide
from synaplex.studies.la_malfa_2024.comparisons import Observations
from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import Cell

TARGETS: dict[str, Callable[[Cell], str]] = {
    "architecture": lambda cell: cell.kind,
    "activation": lambda cell: cell.activation,
    "depth": lambda cell: str(cell.depth),
}

MARGIN = 0.05
"""Difference of accuracies below which two are called equal."""

_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def features(one: Observed, name: str) -> Float[np.ndarray, "networks features"]:
    """Mean, variance and five quantiles of two layers of each network: the first hidden one and the output layer.

    ``"Neurons Strength"``, ``"shuffled"`` and ``"untrained"`` (the same of null models), ``"Nodes Strength"``, or
    ``"weight statistics"``.
    """
    parts = []
    for layer in (1, one.layers[-1]):
        if name == "weight statistics":
            parts.append(one.arrays[f"trained/weights/{layer}"])
        elif name == "Nodes Strength":
            parts.append(_summary(one.neurons("node", layer)))
        else:
            parts.append(_summary(one.values(layer, "trained" if name == "Neurons Strength" else name)))
    return np.concatenate(parts, axis=1)


FEATURES = ("Neurons Strength", "shuffled", "untrained", "Nodes Strength", "weight statistics")


def differentiation(field: Observations, folds: int, seed: int) -> pl.DataFrame:
    """Cross-validated accuracy with which features tell networks apart, a row a dataset and target.

    Logistic regression on features divided by their interquartile range and cut off where they are extreme, the same
    folds for all.
    """
    rows = []
    for dataset in dict.fromkeys(cell.dataset for cell in field):
        own = {cell: one for cell, one in field.items() if cell.dataset == dataset}
        for target, label in TARGETS.items():
            labels = np.array([label(cell) for cell, one in own.items() for _ in range(one.networks)])
            _, counts = np.unique(labels, return_counts=True)
            if len(counts) < 2 or counts.min() < folds:
                continue
            row: dict[str, object] = {"dataset": dataset, "tells": target, "most frequent": counts.max() / len(labels)}
            for name in FEATURES:
                values = np.concatenate([features(one, name) for one in own.values()])
                row[name] = _score(values, labels, folds, seed)
            rows.append(row)
    schema = {"dataset": pl.String, "tells": pl.String, **dict.fromkeys(("most frequent", *FEATURES), pl.Float64)}
    return pl.DataFrame(rows, schema=schema)


def control_finding(table: pl.DataFrame) -> Finding:
    """Whether Neurons Strength tells networks apart better than weights do."""
    statement = (
        "Neurons Strength tells architecture, activation and depth of a network better than plain statistics of its "
        "link weights do. (abstract; the control is ours)"
    )
    if not len(table):
        return Finding("control", statement, "undecided", "Too few networks.")
    gains = (table["Neurons Strength"] - table["weight statistics"]).to_list()
    lines = [
        f"- {row['tells']}, {row['dataset']}: "
        + ", ".join(f"{name} {row[name]:.2f}" for name in (*FEATURES, "most frequent"))
        for row in table.iter_rows(named=True)
    ]
    better, no_better = sum(gain > MARGIN for gain in gains), sum(gain <= MARGIN for gain in gains)
    most = 0.8 * len(gains)
    return Finding(
        "control",
        statement,
        decide(better >= most, no_better >= most),
        f"Better by more than {MARGIN:g} in {better} of {len(gains)} (cross-validated accuracy).\n\n"
        + "\n".join(lines),
    )


def _summary(values: Float[np.ndarray, "networks n"]) -> Float[np.ndarray, "networks features"]:
    quantiles = np.quantile(values, _SHARES, axis=1)
    return np.stack([values.mean(1), values.var(1), *quantiles], axis=1)


def _score(values: np.ndarray, labels: np.ndarray, folds: int, seed: int) -> float:
    # Magnitudes range over many orders: read their logarithm, with the sign.
    signed_log = np.sign(values) * np.log1p(np.abs(values) * 100)
    model = make_pipeline(RobustScaler(), LogisticRegression(C=10.0, max_iter=5000))
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return float(cross_val_score(model, signed_log, labels, cv=split).mean())
