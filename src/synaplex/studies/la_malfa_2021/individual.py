"""The individual analysis: one network of six layers, looked at whenever its accuracy has risen by a tenth."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import torch

from synaplex.datasets import Dataset
from synaplex.networks import Normal
from synaplex.studies.la_malfa_2021.crowd import Crowd
from synaplex.studies.la_malfa_2021.observation import Arrays, Kept, null_kinds, observe
from synaplex.studies.la_malfa_2021.population import Moments, bin_of, joined
from synaplex.studies.la_malfa_2021.recipe import (
    BINS,
    Settings,
    evaluation_steps,
    individual_plan,
    network_seeds,
)
from synaplex.studies.shape import kurtosis

CELL = 90
"""Number of the individual analysis among the cells, for its seeds."""

SCALE = 0.05
LEARNING_RATE = 0.001
EVALUATED = 2
"""Times as many test samples as in a population."""


def train_individual(dataset: Dataset, settings: Settings, seed: int) -> Moments:
    """Train the single network (or several), keeping it at the start and whenever it first reaches another tenth."""
    plan = individual_plan(dataset)
    seeds = network_seeds(CELL, settings.individual_networks, seed)
    crowd = Crowd(plan, seeds, Normal(std=SCALE), LEARNING_RATE)
    sizes = plan.sizes, [math.prod(shape) for shape in plan.weight_shapes]
    most = 4 * settings.kept_neurons, 2 * settings.kept_weights
    kept = Kept.of(*sizes, most, settings.null_draws, seed)
    test = tuple(part[: EVALUATED * settings.evaluated] for part in (dataset.x_test, dataset.y_test))
    best = np.full(settings.individual_networks, -1)
    parts: list[Arrays] = []
    due = set(evaluation_steps(settings.individual_steps))
    generator = np.random.default_rng((seed, CELL))
    for step in range(settings.individual_steps + 1):
        if step in due:
            accuracy = crowd.accuracy(*test).numpy()
            bins = bin_of(accuracy)
            chosen = np.flatnonzero(bins > best)
            if len(chosen):
                best[chosen] = bins[chosen]
                keys = [CELL * 10**9 + int(network) * BINS + int(bins[network]) for network in chosen]
                parts.append(
                    {
                        "network": chosen.astype(np.int32),
                        "step": np.full(len(chosen), step, dtype=np.int32),
                        "accuracy": accuracy[chosen],
                        "bin": bins[chosen].astype(np.int32),
                        **observe(crowd.graph(chosen.tolist()), keys, kept),
                    }
                )
        if step < settings.individual_steps:
            batch = torch.from_numpy(generator.integers(0, len(dataset.x_train), settings.individual_batch))
            crowd.step(dataset.x_train[batch], dataset.y_train[batch])
    return Moments(plan, joined(parts))


def individual_table(moments: Moments, settings: Settings) -> pl.DataFrame:
    """A row a network, moment and layer.

    Returns
    -------
    polars.DataFrame
        `network`, `step`, `accuracy`, `layer`, `name`; `mean` and `kurtosis` of strengths; `fluctuation`; `repeated`,
        the share of neurons that have their strength in common with another; and the last two with weights shuffled.
    """
    kinds = [kind for kind in null_kinds(settings.null_draws) if kind.startswith("shuffled")]
    rows = []
    for at in range(len(moments.arrays["step"])):
        for layer, name in enumerate(moments.layers):
            values = moments.strength(layer)[at]
            shuffled = [moments.strength(layer, kind)[at] for kind in kinds]
            rows.append(
                {
                    "network": int(moments.arrays["network"][at]),
                    "step": int(moments.arrays["step"][at]),
                    "accuracy": float(moments.arrays["accuracy"][at]),
                    "layer": layer,
                    "name": name,
                    "mean": float(values.mean()),
                    "kurtosis": kurtosis(values),
                    "fluctuation": float(moments.fluctuation(layer)[at]),
                    "repeated": repeated(values),
                    "shuffled_fluctuation": float(np.mean([moments.fluctuation(layer, k)[at] for k in kinds])),
                    "shuffled_repeated": float(np.mean([repeated(one) for one in shuffled])),
                }
            )
    schema = {"network": pl.Int32, "step": pl.Int32, "accuracy": pl.Float64, "layer": pl.Int32, "name": pl.String}
    return pl.DataFrame(rows, schema_overrides=schema)


def repeated(values: np.ndarray) -> float:
    """Share of values that another one equals, to a hundred-thousandth of their range."""
    reach = float(np.ptp(values))
    if not reach:
        return 1.0
    _, counts = np.unique(np.round((values - values.min()) / reach, 5), return_counts=True)
    return float(counts[counts > 1].sum() / len(values))
