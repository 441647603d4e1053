"""The analysis: from a trained population to the tables of the study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.datasets import Dataset
from synaplex.errors import TrainingError
from synaplex.neurons import Stability, accuracy_groups, occurrence
from synaplex.population import Population, PopulationSpec
from synaplex.studies.prediction import compare_features, sampling_noise
from synaplex.studies.scabini import published, released
from synaplex.studies.scabini.controls import Relations, null_table
from synaplex.studies.scabini.evolution import Evolution, evolution, snapshots_of
from synaplex.studies.scabini.initialization import OTHERS, OWN, compare_initializations
from synaplex.studies.scabini.labels import PAPER_ORDER
from synaplex.studies.scabini.layer_averages import LayerAverages, layer_averages, neuron_values, subgraph_scale
from synaplex.studies.scabini.nulls import null_draws
from synaplex.studies.scabini.recipe import FEWEST_NETWORKS, Analysis
from synaplex.studies.scabini.relations import relations
from synaplex.studies.scabini.robustness import KNOWN, feature_sets, robustness
from synaplex.studies.scabini.selection import Selection, pair_correlations, select
from synaplex.studies.scabini.separability import separability
from synaplex.studies.scabini.vocabulary import (
    Vocabulary,
    beside_published,
    centroid_distance,
    control_elbow,
    elbows,
    share_differences,
    vocabulary_stability,
)
from synaplex.studies.scabini.weight_statistics import untrained, weight_statistics
from synaplex.studies.stages import Stage

STATNN = "weight statistics (StatNN)"
"""The baseline that every relation is held against."""


@dataclass(frozen=True, eq=False)
class Results:
    """What was found out.

    Attributes
    ----------
    spec
        What the networks are.
    dataset
        What they were trained on.
    settings
        Of the analysis.
    seeds
        Of the networks analysed, ascending; all arrays are in this order.
    diverged
        Number of networks left out because their training diverged.
    accuracy
        On the test set, after the last epoch.
    groups
        Positions of the worst, median and best networks.
    noise, ceiling
        What a finite test set adds to the spread of accuracies, and the R2 it leaves; see `sampling_noise`.
    averages
        Layer averages at the end.
    layers, neurons
        Layer of each hidden neuron, and each measure of each at the end; see `neuron_values`.
    vocabulary
        Of neuron types.
    selection
        The two selection steps.
    stability
        Of the vocabulary.
    evolution
        Over the epochs.
    tables
        Every table of the study, by file name.
    """

    spec: PopulationSpec
    dataset: Dataset
    settings: Analysis
    seeds: tuple[int, ...]
    diverged: int
    accuracy: Float[np.ndarray, " networks"]
    groups: Mapping[str, Int[np.ndarray, " n"]]
    noise: float
    ceiling: float
    averages: LayerAverages
    layers: Int[np.ndarray, " neurons"]
    neurons: Mapping[str, Float[np.ndarray, "networks neurons"]]
    vocabulary: Vocabulary
    selection: Selection
    stability: Stability
    evolution: Evolution
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)


def analyse(
    population: Population,
    dataset: Dataset,
    wanted: Sequence[int],
    settings: Analysis,
    stage: Stage,
    variants: Mapping[str, Population] = MappingProxyType({}),
) -> Results:
    """Analyse the networks of some seeds of a population, beside some with other initial weights.

    Raises
    ------
    TrainingError
        If so many networks diverged that too few are left.
    """
    spec = population.spec
    epochs = population.networks().filter(pl.col("seed").is_in(list(wanted))).sort("seed", "epoch")
    seeds, accuracy = _finished(epochs, spec.epochs, len(wanted))
    last = accuracy[spec.epochs]
    groups = {str(name): members for name, members in accuracy_groups(last, _group_size(len(last))).items()}
    worst, best = groups["worst"], groups["best"]
    noise, ceiling = sampling_noise(last, len(dataset.subset(None, spec.test_size).x_test))
    intervals: Any = {"resamples": settings.resamples, "confidence": settings.confidence, "seed": settings.seed}

    with stage("layer averages, their relation to accuracy, and the selection of measures"):
        final = _snapshot(population, seeds, spec.epochs)
        scale = subgraph_scale(final)
        averages = layer_averages(final, scale)
        layers, neurons = neuron_values(final, scale)
        related = relations(averages, last, **intervals)
        pairs = pair_correlations(layers, neurons)
        selection = select(related, pairs, published.REDUNDANCY)
    with stage("weight statistics, and how well the best and the worst networks separate"):
        statistics = weight_statistics(population.weights, seeds)
        axes = {measure: averages.of([measure]).complete for measure in PAPER_ORDER} | {STATNN: statistics}
        separable = separability(axes, worst, best, repeats=settings.separations, **intervals)
    with stage("the same networks under attack"):
        unit = bool(dataset.x_test.min() >= 0) and bool(dataset.x_test.max() <= 1)
        tough = robustness(population.weights, seeds, dataset, settings.attacked) if unit else None
    with stage("neuron types: elbow, vocabulary, occurrence, stability"):
        vocabulary = Vocabulary.find(final, settings.types, settings.starts, settings.seed)
        shares = vocabulary.shares(final)
        curves = elbows(final, settings)
        steady = vocabulary_stability(vocabulary, final, settings)
        beside = beside_published(vocabulary.table(), published.table_1())
    with stage(f"null models: {settings.draws} draws each, measured and related like the trained networks"):
        retained = None if tough is None else tough.retained
        relate = Relations(last, worst, best, scale, vocabulary, settings, retained)
        controls: list[pl.DataFrame] = []

        def drawn() -> Iterator[tuple[str, Mapping[tuple[str, str, int | None], float]]]:
            for null, draw, frame in null_draws(
                population.weights, seeds, spec.measures, draws=settings.draws, seed=settings.seed
            ):
                if draw == 0:
                    controls.append(control_elbow(frame, null, settings).table)
                yield null, relate(frame)

        nulls = null_table(relate(final), drawn())
    first = _snapshot(population, seeds, 0)
    with stage("prediction of accuracy from measures, types and weight statistics"):
        before = layer_averages(first, scale)
        sets = {
            STATNN: statistics,
            "layer averages, all eight measures": averages.complete,
            "layer averages of s, bc, sg": averages.of(published.KEPT).complete,
            "neuron types": shares,
            "neuron types by layer": vocabulary.layer_shares(final),
            "StatNN and layer averages": np.hstack([statistics, averages.complete]),
            "StatNN and neuron types": np.hstack([statistics, shares]),
            "untrained: StatNN": weight_statistics(untrained(spec), seeds),
            "untrained: layer averages": before.complete,
            "untrained: neuron types": vocabulary.shares(first),
            **{f"layer averages of {measure}": averages.of([measure]).complete for measure in PAPER_ORDER},
        }
        folds: Any = {"folds": settings.folds, "repeats": settings.repeats}
        prediction = compare_features(sets, last, STATNN, **folds, **intervals)
        extra = {}
        if tough is not None:
            some = {name: sets[name] for name in (STATNN, "layer averages, all eight measures", "neuron types")}
            extra["robustness"] = tough.table()
            extra["robustness_prediction"] = compare_features(
                feature_sets(tough.accuracy, some, STATNN), tough.retained, KNOWN, **folds, **intervals
            )
    with stage(f"measures and types over {spec.epochs} epochs"):
        controls.append(control_elbow(first, "untrained", settings).table)
        moved = evolution(
            snapshots_of(population.scan_neurons(), seeds, spec.snapshots),
            accuracy,
            scale,
            final,
            vocabulary,
            {**groups, "all": np.arange(len(seeds))},
            settings,
        )
    others: dict[str, pl.DataFrame] = {}
    if variants:
        with stage("networks that differ in one thing"):
            others, compared = _variants(variants, final, seeds, last, settings)
            extra |= compared
    if released.applies(spec):
        with stage("types on the scale of the released data"):
            frames = {"trained": final, "untrained": first}
            frames |= {name: others[name] for name in ("shared", "streams", "clipped", "exact") if name in others}
            extra["types_beside_released"] = released.beside_released(frames, settings)
            extra["largest_values"] = released.largest_values(vocabulary.scale.table())
            controls.append(released.elbow_on_released_scale(final, settings))
    tables = {
        "accuracy": _accuracy_by_epoch(epochs, seeds),
        "networks": _networks(epochs, spec.epochs, seeds, groups, averages, shares),
        "relations": related,
        "separability": separable,
        "measure_pairs": pairs,
        "selection": selection.table,
        "elbow": pl.concat([*(curve.table for curve in curves), *controls]),
        "types": vocabulary.table(),
        "types_beside_published": beside,
        "type_distances": centroid_distance(beside),
        "type_scale": vocabulary.scale.table(),
        "occurrence": occurrence(shares, last, len(best), **intervals),
        "occurrence_difference": share_differences(shares, worst, best, settings),
        "high_subgraph_centrality": _high_subgraph_centrality(neurons, worst, best, settings),
        "type_stability": pl.DataFrame({"resample": range(len(steady.scores)), "adjusted_rand": steady.scores}),
        "nulls": nulls,
        "prediction": prediction,
        "epochs_averages": moved.averages,
        "epochs_relations": moved.relations,
        "epochs_shares": moved.shares,
        "epochs_types": moved.types,
        "epochs_separability": moved.separability,
        "undefined": _undefined(population, seeds),
        **extra,
    }
    return Results(
        spec=spec,
        dataset=dataset,
        settings=settings,
        seeds=seeds,
        diverged=len(wanted) - len(seeds),
        accuracy=last,
        groups=groups,
        noise=noise,
        ceiling=ceiling,
        averages=averages,
        layers=layers,
        neurons=neurons,
        vocabulary=vocabulary,
        selection=selection,
        stability=steady,
        evolution=moved,
        tables=tables,
    )


def _variants(
    variants: Mapping[str, Population],
    final: pl.DataFrame,
    seeds: tuple[int, ...],
    accuracy: Float[np.ndarray, " networks"],
    settings: Analysis,
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """The final neurons of networks with other initial weights, and the tables that compare them with the study's."""
    shared = sorted(set(seeds).intersection(*(population.seeds for population in variants.values())))
    own = dict(zip(seeds, accuracy.tolist(), strict=True))
    frames = {OWN: final.filter(pl.col("seed").is_in(shared))}
    accuracies = {OWN: np.array([own[seed] for seed in shared])}
    spare = [seed for seed in seeds if seed not in set(shared)][: len(shared)]
    if len(spare) == len(shared):
        frames[OTHERS] = final.filter(pl.col("seed").is_in(spare))
        accuracies[OTHERS] = np.array([own[seed] for seed in spare])
    for name, population in variants.items():
        last = population.networks().filter(pl.col("epoch") == population.spec.epochs, pl.col("seed").is_in(shared))
        accuracies[name] = last.sort("seed")["test_accuracy"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        frames[name] = _snapshot(population, tuple(shared), population.spec.epochs)
    rows, types = compare_initializations(frames, accuracies, settings)
    return frames, {"initializations": rows, "initialization_types": types}


def _finished(
    epochs: pl.DataFrame, last: int, wanted: int
) -> tuple[tuple[int, ...], dict[int, Float[np.ndarray, " networks"]]]:
    """The seeds of the networks that did not diverge, ascending, and their accuracies after each epoch."""
    sound = epochs.filter((pl.col("epoch") == last) & pl.col("test_accuracy").is_not_null())["seed"].to_list()
    if len(sound) < FEWEST_NETWORKS:
        raise TrainingError(
            f"{wanted - len(sound)} of {wanted} networks diverged, and {len(sound)} are too few to compare"
        )
    kept = epochs.filter(pl.col("seed").is_in(sound))
    matrix = kept["test_accuracy"].cast(pl.Float64).to_numpy().reshape(len(sound), -1)
    return tuple(sound), {epoch: np.ascontiguousarray(matrix[:, epoch]) for epoch in range(last + 1)}


def _group_size(networks: int) -> int:
    """A tenth, the paper's 100 of 1,000, but no fewer than five."""
    return max(networks // 10, 5)


def _snapshot(population: Population, seeds: tuple[int, ...], epoch: int) -> pl.DataFrame:
    return next(snapshots_of(population.scan_neurons(), seeds, [epoch]))[1]


def _accuracy_by_epoch(epochs: pl.DataFrame, seeds: tuple[int, ...]) -> pl.DataFrame:
    """A row an epoch and set: mean, deviation and quantiles of accuracy over the networks."""
    rows = []
    for name in ("test", "train"):
        kept = epochs.filter(pl.col("seed").is_in(seeds))[f"{name}_accuracy"].cast(pl.Float64)
        for epoch, values in enumerate(kept.to_numpy().reshape(len(seeds), -1).T):
            quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
            rows.append((epoch, name, float(values.mean()), float(values.std()), *quantiles))
    names = ("mean", "standard_deviation", "lowest", "quarter", "median", "three_quarters", "highest")
    schema = {"epoch": pl.Int32, "set": pl.String} | dict.fromkeys(names, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _networks(
    epochs: pl.DataFrame,
    last: int,
    seeds: tuple[int, ...],
    groups: Mapping[str, Int[np.ndarray, " n"]],
    averages: LayerAverages,
    shares: Float[np.ndarray, "networks types"],
) -> pl.DataFrame:
    """A row a network: scores, group, layer averages, shares of types."""
    group = np.full(len(seeds), "", dtype=object)
    for name, members in groups.items():
        group[members] = name
    final = epochs.filter((pl.col("epoch") == last) & pl.col("seed").is_in(seeds)).drop("epoch", "reason")
    columns = {
        f"{measure}_layer_{layer}": averages.values[:, i] for i, (measure, layer) in enumerate(averages.features)
    }
    columns |= {f"type_{index + 1}": share for index, share in enumerate(shares.T)}
    return final.with_columns(
        pl.Series("group", [name or None for name in group], dtype=pl.String),
        *(pl.Series(name, np.ascontiguousarray(values)) for name, values in columns.items()),
    )


def _high_subgraph_centrality(
    neurons: Mapping[str, Float[np.ndarray, "networks neurons"]],
    worst: Int[np.ndarray, " n"],
    best: Int[np.ndarray, " n"],
    settings: Analysis,
) -> pl.DataFrame:
    """The share of neurons of high subgraph centrality in either group, and the difference with its interval."""
    high = (neurons["subgraph_centrality"] > published.HIGH_SUBGRAPH_CENTRALITY).mean(axis=1, keepdims=True)
    difference = share_differences(high, worst, best, settings).drop("type", "top_in_best")
    shares = {"above": published.HIGH_SUBGRAPH_CENTRALITY, "worst": high[worst].mean(), "best": high[best].mean()}
    return pl.concat([pl.DataFrame(shares), difference], how="horizontal")


def _undefined(population: Population, seeds: tuple[int, ...]) -> pl.DataFrame:
    """How often a neuron has no value for a measure in a snapshot, by `layer` and `reason`."""
    lazy = population.scan_neurons().filter(pl.col("seed").is_in(seeds), pl.col("reason").is_not_null())
    found = lazy.group_by("layer", "reason").agg(pl.len().cast(pl.Int32).alias("neurons_and_snapshots")).collect()
    return found.sort("layer", "reason")
