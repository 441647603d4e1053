"""Each relation between structure and accuracy as a number, in the trained networks and under the null models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.measures.nulls import against_null
from synaplex.studies.prediction import score
from synaplex.studies.scabini.labels import PAPER_ORDER
from synaplex.studies.scabini.layer_averages import layer_averages
from synaplex.studies.scabini.recipe import Analysis
from synaplex.studies.scabini.relations import correlations
from synaplex.studies.scabini.separability import separated
from synaplex.studies.scabini.vocabulary import Vocabulary

Key = tuple[str, str, int | None]
"""Which number: the quantity, what it is of (a measure, a type, a set of features), and the layer if it has one."""


@dataclass(frozen=True, eq=False)
class Relations:
    """Computes the numbers of one state of all networks.

    Attributes
    ----------
    accuracy
        Of the trained networks, in ascending order of seeds: the null models keep it.
    worst, best
        Positions of the networks of either group.
    scale
        Unit of subgraph centrality.
    vocabulary
        Found on the trained networks.
    settings
        Of the analysis.
    robustness
        Of the trained networks, where it was measured.
    """

    accuracy: Float[np.ndarray, " networks"]
    worst: Int[np.ndarray, " n"]
    best: Int[np.ndarray, " n"]
    scale: Mapping[int, float]
    vocabulary: Vocabulary
    settings: Analysis
    robustness: Float[np.ndarray, " networks"] | None = None

    def __call__(self, frame: pl.DataFrame) -> dict[Key, float]:
        """The numbers.

        Returns
        -------
        dict
            ``("spearman" | "pearson", measure, layer)``, ``("separability", measure, None)``,
            ``("share difference", "type 3", None)`` (best minus worst) and ``("r2" | "tau", features, None)``.
        """
        chosen = self.settings
        means = layer_averages(frame, self.scale)
        numbers: dict[Key, float] = {}
        for kind in ("spearman", "pearson"):
            for (measure, layer), value in zip(means.features, correlations(means, self.accuracy, kind), strict=True):
                numbers[kind, measure, layer] = float(value)
        for measure in PAPER_ORDER:
            axes = means.of([measure]).complete
            right = separated(axes, self.worst, self.best, repeats=chosen.separations, seed=chosen.seed)
            numbers["separability", measure, None] = float(right.mean())
        shares = self.vocabulary.shares(frame)
        for index, share in enumerate(shares[self.best].mean(axis=0) - shares[self.worst].mean(axis=0)):
            numbers["share difference", f"type {index + 1}", None] = float(share)
        for name, features in (("layer averages", means.complete), ("neuron types", shares)):
            r2, tau = score(features, self.accuracy, folds=chosen.folds, repeats=chosen.repeats, seed=chosen.seed)
            numbers["r2", name, None], numbers["tau", name, None] = r2, tau
            if self.robustness is not None:
                r2, tau = score(features, self.robustness, folds=chosen.folds, repeats=chosen.repeats, seed=chosen.seed)
                numbers["r2", f"robustness from {name}", None] = r2
                numbers["tau", f"robustness from {name}", None] = tau
        return numbers


def null_table(observed: Mapping[Key, float], draws: Iterator[tuple[str, Mapping[Key, float]]]) -> pl.DataFrame:
    """Each number beside its null models.

    Parameters
    ----------
    observed
        In the trained networks.
    draws
        Name of a null model and the numbers in one draw of it.

    Returns
    -------
    polars.DataFrame
        A row a number and null model: `quantity`, `subject`, `layer`, `null`, `draws`, and what `against_null` says.
    """
    collected: dict[str, list[Mapping[Key, float]]] = {}
    for null, numbers in draws:
        collected.setdefault(null, []).append(numbers)
    rows: list[dict[str, object]] = []
    for key, value in observed.items():
        for null, drawn in collected.items():
            sample = np.array([numbers[key] for numbers in drawn])
            quantity, subject, layer = key
            rows.append(
                {"quantity": quantity, "subject": subject, "layer": layer, "null": null, "draws": len(drawn)}
                | dict(against_null(value, sample))
            )
    floats = dict.fromkeys(("observed", "null_mean", "null_deviation", "z"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides={**floats, "layer": pl.Int32, "draws": pl.Int32})
