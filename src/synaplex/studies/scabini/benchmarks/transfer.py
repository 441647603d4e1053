"""Whether what types say about accuracy on one benchmark holds on another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Float
from sklearn.linear_model import RidgeCV

from synaplex.studies.prediction import PENALTIES, predicted, scores
from synaplex.studies.scabini.analysis import STATNN
from synaplex.studies.scabini.benchmarks.benchmark import Benchmark
from synaplex.studies.scabini.benchmarks.divergence import foreign_shares
from synaplex.studies.scabini.recipe import Analysis
from synaplex.studies.scabini.weight_statistics import weight_statistics
from synaplex.studies.scaling import robustly_scaled

TYPES = "neuron types"


def transfers(benchmarks: Sequence[Benchmark], settings: Analysis) -> pl.DataFrame:
    """Regressions from neuron types, and from weight statistics, fitted on one benchmark and applied to another.

    Only the order of the networks is scored, since accuracies of two benchmarks have different ranges. Within one
    benchmark the prediction is cross-validated.

    Returns
    -------
    polars.DataFrame
        A row for each `features`, `fitted_on` and `applied_to`: `tau` (Kendall's) with its bootstrap interval over the
        networks.
    """
    statistics = {one.dataset: weight_statistics(one.population.weights, one.seeds) for one in benchmarks}
    rows = []
    for source in benchmarks:
        own = {TYPES: source.vocabulary.shares(source.final), STATNN: statistics[source.dataset]}
        for target in benchmarks:
            types = own[TYPES] if target is source else foreign_shares(source, target, "target")
            theirs = {TYPES: types, STATNN: statistics[target.dataset]}
            for name, features in own.items():
                if target is source:
                    guess = predicted(
                        features, source.accuracy, folds=settings.folds, repeats=settings.repeats, seed=settings.seed
                    )
                else:
                    guess = applied(features, source.accuracy, theirs[name])[None]
                rows.append((name, source.paper, target.paper, *_tau(guess, target.accuracy, settings)))
    schema = dict.fromkeys(("features", "fitted_on", "applied_to"), pl.String)
    return pl.DataFrame(
        rows, schema=schema | dict.fromkeys(("tau", "tau_low", "tau_high"), pl.Float64), orient="row"
    ).sort("features", maintain_order=True)


def applied(
    known: Float[np.ndarray, "known features"],
    accuracy: Float[np.ndarray, " known"],
    unseen: Float[np.ndarray, "unseen features"],
) -> Float[np.ndarray, " unseen"]:
    """The accuracy a ridge regression fitted to some networks gives others; each set of features on its own scale."""
    scaled, _ = robustly_scaled(known, known)
    others, _ = robustly_scaled(unseen, unseen)
    return np.asarray(RidgeCV(PENALTIES).fit(scaled, accuracy).predict(others))


def _tau(
    guess: Float[np.ndarray, "repeats networks"], accuracy: Float[np.ndarray, " networks"], settings: Analysis
) -> tuple[float, float, float]:
    """Kendall's tau with its interval."""
    generator = np.random.default_rng(settings.seed)
    networks = len(accuracy)
    counts = generator.multinomial(networks, np.full(networks, 1 / networks), size=settings.resamples)
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(scores(guess, accuracy, counts.astype(np.float64)).tau, [tail, 1 - tail])
    return float(scores(guess, accuracy, np.ones((1, networks))).tau[0]), float(low), float(high)
