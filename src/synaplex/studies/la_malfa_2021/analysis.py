"""The analysis of one population: moments, the numbers behind the claims beside null models, prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import t as student_t

from synaplex.measures.nulls import against_null
from synaplex.studies.la_malfa_2021.bins import Composition, compositions, filled, resampled
from synaplex.studies.la_malfa_2021.observation import null_kinds
from synaplex.studies.la_malfa_2021.population import Moments
from synaplex.studies.la_malfa_2021.recipe import BINS, Cell, Settings
from synaplex.studies.la_malfa_2021.statistics import ON_WEIGHTS, Key, Statistics
from synaplex.studies.nulls import NULLS
from synaplex.studies.prediction import score
from synaplex.studies.shape import kurtosis, skewness, two_humps

FEWEST_BINS = 3
"""Filled bins below which a population says nothing about low and high accuracy."""

BIMODAL_SAMPLES = 40
"""Resamples in each of which bimodality is tested."""

FEWEST_VALUES = 20
"""Fluctuations, one a network, below which nothing is said about their humps."""


@dataclass(frozen=True, eq=False)
class CellResults:
    """One population and what was found.

    Attributes
    ----------
    cell, moments
        The population.
    drawn
        Compositions of the bins.
    bins
        Filled bins, ascending.
    numbers
        A row a quantity and layer: `value` with `low`, `high`, and mean, deviation and z of each null model.
    moments_table
        Skewness and kurtosis a bin, layer and measure.
    bins_table
        Networks a bin, and their accuracies.
    prediction
        How well features of a network tell its accuracy.
    """

    cell: Cell
    moments: Moments
    drawn: tuple[Composition, ...]
    bins: tuple[int, ...]
    numbers: pl.DataFrame
    moments_table: pl.DataFrame
    bins_table: pl.DataFrame
    prediction: pl.DataFrame

    @property
    def enough(self) -> bool:
        """Whether enough bins are filled to compare low with high accuracy."""
        return len(self.bins) >= FEWEST_BINS


def analyse(cell: Cell, moments: Moments, settings: Settings, seed: int) -> CellResults:
    """Analyse one population.

    Numbers are means over the compositions, with bootstrap intervals over networks; null models are compared with the
    first composition, on which they are read.
    """
    network, bins = moments.arrays["network"], moments.arrays["bin"]
    drawn = compositions(network, bins, settings.per_bin, settings.compositions, seed)
    full = filled(drawn)
    samples = list(_samples(drawn, settings.resamples, seed))
    enough = len(full) >= FEWEST_BINS
    return CellResults(
        cell,
        moments,
        tuple(drawn),
        tuple(full),
        _numbers(moments, full, drawn, samples, settings) if enough else pl.DataFrame(),
        _moments_table(moments, full, drawn, samples, settings),
        _bins_table(moments, drawn),
        _prediction(moments, drawn[0], seed) if enough else pl.DataFrame(),
    )


def _samples(drawn: list[Composition], count: int, seed: int) -> Iterator[Composition]:
    for draw in range(count):
        yield resampled(drawn[draw % len(drawn)], np.random.default_rng((seed, 1, draw)))


def _numbers(
    moments: Moments, bins: list[int], drawn: list[Composition], samples: list[Composition], settings: Settings
) -> pl.DataFrame:
    statistics = Statistics(moments, bins)
    dealt = [statistics(one) for one in drawn]
    observed = _mean(dealt)
    spread = [statistics(one) for one in samples]
    nulls = {kind: statistics(drawn[0], kind) for kind in null_kinds(settings.null_draws)}
    bimodal = _bimodal(moments, bins[-1], drawn, samples)
    tail = (1 - settings.confidence) / 2
    rows: list[dict[str, object]] = []
    for key, value in observed.items():
        low, high = _interval([one[key] for one in spread], tail)
        row: dict[str, object] = {"quantity": key[0], "layer": key[1], "value": value, "low": low, "high": high}
        if key[0] not in ON_WEIGHTS:
            row |= _nulls(dealt[0][key], key, nulls)
        rows.append(row)
    for quantity, layers in (("bimodal", bimodal), ("fluctuation bimodal", _fluctuation_bimodal(moments, bins[-1]))):
        for layer, by_kind in enumerate(layers):
            share = by_kind.get("trained")
            row = {"quantity": quantity, "layer": layer, "value": share, "low": share, "high": share}
            for null in NULLS:
                drawn_so = [value for kind, value in by_kind.items() if kind.startswith(null)]
                row |= {f"{null}_mean": float(np.mean(drawn_so)) if drawn_so else None}
            rows.append(row)
    columns = [f"{null}_{part}" for null in NULLS for part in ("mean", "deviation", "z", "p")]
    return pl.DataFrame(
        rows,
        schema={
            "quantity": pl.String,
            "layer": pl.Int32,
            **dict.fromkeys(("value", "low", "high", *columns), pl.Float64),
        },
    )


def _mean(numbers: list[dict[Key, float]]) -> dict[Key, float]:
    return {key: float(np.mean(_known([one[key] for one in numbers]))) for key in numbers[0]}


def _interval(values: list[float], tail: float) -> tuple[float, float]:
    low, high = np.quantile(_known(values), [tail, 1 - tail])
    return float(low), float(high)


def _known(values: list[float]) -> np.ndarray:
    """Those that are numbers; NaN alone where none is."""
    known = np.array([value for value in values if np.isfinite(value)])
    return known if len(known) else np.array([np.nan])


def _nulls(value: float, key: Key, nulls: Mapping[str, Mapping[Key, float]]) -> dict[str, object]:
    row: dict[str, object] = {}
    for null in NULLS:
        sample = np.array([numbers[key] for kind, numbers in nulls.items() if kind.startswith(null)])
        found = against_null(value, sample)
        row |= {f"{null}_{part}": found[name] for part, name in _NULL_COLUMNS.items()}
        row[f"{null}_p"] = chance_above(found["z"], len(sample))  # type: ignore[arg-type]
    return row


def chance_above(z: float | None, draws: int) -> float | None:
    """How probable it is that one more draw of a null model lies as high, by Student's prediction interval.

    Parameters
    ----------
    z
        Of the observed number among the draws; None, and so the result, where they have no spread.
    draws
        Of the null model. Of few, z must be large: of 3, 5 for a probability of 0.025.
    """
    return None if z is None else float(student_t.sf(z / np.sqrt(1 + 1 / draws), draws - 1))


_NULL_COLUMNS = {"mean": "null_mean", "deviation": "null_deviation", "z": "z"}


def _bimodal(
    moments: Moments, highest: int, drawn: list[Composition], samples: list[Composition]
) -> list[dict[str, float]]:
    """For each layer the share of resamples in which the highest bin's strengths have two humps, by kind."""
    rows = np.stack([one[highest] for one in samples[:BIMODAL_SAMPLES] if len(one[highest]) == len(drawn[0][highest])])
    result = []
    for layer in range(len(moments.layers)):
        shares = {}
        for kind in _kinds(moments):
            some = rows if kind == "trained" else rows[:10]
            values = moments.strength(layer, kind)[some].reshape(len(some), -1)
            shares[kind] = float(two_humps(values).mean())
        result.append(shares)
    return result


def _fluctuation_bimodal(moments: Moments, highest: int) -> list[dict[str, float]]:
    """For each layer whether the fluctuations of all networks that reached the highest bin have two humps, by kind.

    Nothing where they are fewer than `FEWEST_VALUES`.
    """
    rows = np.flatnonzero(moments.arrays["bin"] == highest)
    if len(rows) < FEWEST_VALUES:
        return [{} for _ in moments.layers]
    return [
        {kind: float(two_humps(moments.fluctuation(layer, kind)[rows][None])[0]) for kind in _kinds(moments)}
        for layer in range(len(moments.layers))
    ]


def _kinds(moments: Moments) -> list[str]:
    """The trained networks and each draw of each null model."""
    return sorted(name.split("/")[1] for name in moments.arrays if name.startswith("fluctuation/"))


def _moments_table(
    moments: Moments, bins: list[int], drawn: list[Composition], samples: list[Composition], settings: Settings
) -> pl.DataFrame:
    tail = (1 - settings.confidence) / 2
    rows = []
    for layer, name in enumerate(moments.layers):
        for measure, values in (("strength", moments.strength(layer)), ("fluctuation", moments.fluctuation(layer))):
            for b in bins:
                if measure == "strength":
                    dealt, spread = [one[b] for one in drawn], [one[b] for one in samples]
                else:
                    dealt, spread = _candidates(moments, b, len(samples))
                row: dict[str, object] = {"measure": measure, "layer": layer, "name": name, "bin": b}
                row["mean"] = float(np.mean([values[one].mean() for one in dealt]))
                row["deviation"] = float(np.mean([values[one].std() for one in dealt]))
                for moment in (skewness, kurtosis):
                    low, high = np.quantile([moment(values[one].ravel()) for one in spread], [tail, 1 - tail])
                    row |= {
                        moment.__name__: float(np.mean([moment(values[one].ravel()) for one in dealt])),
                        f"{moment.__name__}_low": low,
                        f"{moment.__name__}_high": high,
                    }
                rows.append(row)
    numbers = ("mean", "deviation", *(f"{m}{end}" for m in ("skewness", "kurtosis") for end in ("", "_low", "_high")))
    index = {"measure": pl.String, "layer": pl.Int32, "name": pl.String, "bin": pl.Int32}
    return pl.DataFrame(rows, schema={**index, **dict.fromkeys(numbers, pl.Float64)})


def _candidates(moments: Moments, b: int, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """All networks that have been in a bin, and bootstrap samples of them.

    Fluctuation is one number a network: the few that a composition puts into a bin have no shape to speak of.
    """
    rows = np.flatnonzero(moments.arrays["bin"] == b)
    generators = (np.random.default_rng((b, draw)) for draw in range(count))
    return [rows], [rows[generator.integers(0, len(rows), len(rows))] for generator in generators]


def _bins_table(moments: Moments, drawn: list[Composition]) -> pl.DataFrame:
    accuracy, bins = moments.arrays["accuracy"], moments.arrays["bin"]
    rows = []
    for b in range(BINS):
        inside = accuracy[bins == b]
        rows.append(
            {
                "bin": b,
                "candidates": len(inside),
                "networks": min(len(one[b]) for one in drawn),
                "lowest": float(inside.min()) if len(inside) else None,
                "highest": float(inside.max()) if len(inside) else None,
            }
        )
    schema = dict.fromkeys(("bin", "candidates", "networks"), pl.Int32) | {"lowest": pl.Float64, "highest": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def _prediction(moments: Moments, one: Composition, seed: int) -> pl.DataFrame:
    """R2 of a network's accuracy, cross-validated, from plain weight statistics and from strengths."""
    rows = np.concatenate([part for part in one if len(part)])
    accuracy = moments.arrays["accuracy"][rows]
    layers = range(len(moments.layers))
    sets = {
        "weight statistics": moments.arrays["statistics"][rows],
        "strength": np.concatenate([_summary(moments.strength(i)[rows]) for i in layers], axis=1),
        "fluctuation": moments.arrays["fluctuation/trained"][rows],
        "strength, weights shuffled": np.concatenate(
            [_summary(moments.strength(i, "shuffled 0")[rows]) for i in layers], axis=1
        ),
    }
    found = [
        (name, values.shape[1], *score(values.astype(np.float64), accuracy, folds=5, repeats=3, seed=seed))
        for name, values in sets.items()
    ]
    schema = {"features": pl.String, "columns": pl.Int32, "r2": pl.Float64, "tau": pl.Float64}
    return pl.DataFrame(found, schema=schema, orient="row")


def _summary(values: np.ndarray) -> np.ndarray:
    """Mean, variance and five quantiles of each row."""
    quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1], axis=1).T
    return np.concatenate([values.mean(axis=1)[:, None], values.var(axis=1)[:, None], quantiles], axis=1)
