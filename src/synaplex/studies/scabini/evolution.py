"""How measures and neuron types move while the networks learn: the future work of the paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from sklearn.metrics import adjusted_rand_score

from synaplex.studies.prediction import score
from synaplex.studies.scabini.labels import PAPER_ORDER
from synaplex.studies.scabini.layer_averages import LayerAverages, layer_averages, neuron_values
from synaplex.studies.scabini.published import HIGH_SUBGRAPH_CENTRALITY, KEPT
from synaplex.studies.scabini.recipe import Analysis
from synaplex.studies.scabini.relations import correlations
from synaplex.studies.scabini.separability import separated
from synaplex.studies.scabini.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Evolution:
    """A population over its snapshots.

    Attributes
    ----------
    averages
        A row an epoch, measure, layer and group of networks: `mean` and `standard_deviation` of the layer averages.
    relations
        A row an epoch, measure and layer: Spearman's correlation of the layer average with the accuracy `at_the_end`
        and with the accuracy `at_that_epoch`.
    shares
        A row an epoch, type and group: the mean `share`, in the words of the final vocabulary.
    types
        A row an epoch: `settled`, the share of neurons that are already of the type they will have at the end;
        `agreement`, the adjusted Rand index, on that epoch's neurons, between the final vocabulary and one found at
        that epoch; `centroid_distance` between the two (root mean square, types in order of strength); `r2_types` and
        `r2_averages`, how well final accuracy is predicted from that epoch's neuron types and from its layer averages
        of the paper's three measures; `high_worst` and `high_best`, the share of neurons of high subgraph centrality
        in the groups, on the scale of the last snapshot.
    separability
        A row an epoch and measure: the share of the worst and the best networks that a line tells `rightly`.
    """

    averages: pl.DataFrame
    relations: pl.DataFrame
    shares: pl.DataFrame
    types: pl.DataFrame
    separability: pl.DataFrame


def evolution(
    snapshots: Iterator[tuple[int, pl.DataFrame]],
    accuracy: Mapping[int, Float[np.ndarray, " networks"]],
    scale: Mapping[int, float],
    final: pl.DataFrame,
    vocabulary: Vocabulary,
    groups: Mapping[str, Int[np.ndarray, " n"]],
    settings: Analysis,
    tick: Callable[[], None] = lambda: None,
) -> Evolution:
    """Follow measures and types through the snapshots.

    Parameters
    ----------
    snapshots
        Epoch and neuron table of each, in ascending order; networks in ascending order of seeds.
    accuracy
        Of all networks after each epoch.
    scale
        Unit of subgraph centrality, the final snapshot's.
    final
        The neuron table of the last snapshot.
    vocabulary
        Found on the last snapshot.
    groups
        Positions of networks by name of the group.
    settings
        Of the analysis.
    tick
        Called after each snapshot.
    """
    last = accuracy[max(accuracy)]
    final_labels = vocabulary.labels(final)
    averages, relations, shares, told = [], [], [], []
    types: list[dict[str, float | None]] = []
    worst, best = groups["worst"], groups["best"]
    for epoch, frame in snapshots:
        means = layer_averages(frame, scale)
        spoken = vocabulary.shares(frame)
        averages.append(_group_means(means, groups).with_columns(epoch=pl.lit(epoch, pl.Int32)))
        relations.append(
            pl.DataFrame(
                {
                    "measure": [measure for measure, _ in means.features],
                    "layer": pl.Series([layer for _, layer in means.features], dtype=pl.Int32),
                    "at_the_end": correlations(means, last, "spearman"),
                    "at_that_epoch": correlations(means, accuracy[epoch], "spearman"),
                }
            ).with_columns(epoch=pl.lit(epoch, pl.Int32))
        )
        shares.append(_group_shares(spoken, groups).with_columns(epoch=pl.lit(epoch, pl.Int32)))
        types.append(
            {
                "epoch": epoch,
                **_types_then(frame, vocabulary, final_labels, settings),
                "r2_types": _r2(spoken, last, settings),
                "r2_averages": _r2(means.of(KEPT).complete, last, settings),
                **_high(frame, scale, worst, best),
            }
        )
        for measure in PAPER_ORDER:
            axes = means.of([measure]).complete
            right = separated(axes, worst, best, repeats=settings.separations, seed=settings.seed)
            told.append((epoch, measure, float(right.mean())))
        tick()
    return Evolution(
        averages=_stacked(averages),
        relations=_stacked(relations),
        shares=_stacked(shares),
        types=pl.DataFrame(types, schema_overrides={"epoch": pl.Int32}),
        separability=pl.DataFrame(
            told, schema={"epoch": pl.Int32, "measure": pl.String, "rightly": pl.Float64}, orient="row"
        ),
    )


def _stacked(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).select("epoch", pl.exclude("epoch"))


def _group_means(means: LayerAverages, groups: Mapping[str, Int[np.ndarray, " n"]]) -> pl.DataFrame:
    rows = []
    for (measure, layer), column in zip(means.features, means.values.T, strict=True):
        for group, members in groups.items():
            values = column[members][np.isfinite(column[members])]
            mean, deviation = (float(values.mean()), float(values.std())) if len(values) else (None, None)
            rows.append((measure, layer, group, mean, deviation))
    schema = {"measure": pl.String, "layer": pl.Int32, "group": pl.String}
    return pl.DataFrame(rows, schema=schema | dict.fromkeys(("mean", "standard_deviation"), pl.Float64), orient="row")


def _group_shares(
    shares: Float[np.ndarray, "networks types"], groups: Mapping[str, Int[np.ndarray, " n"]]
) -> pl.DataFrame:
    rows = [
        (index + 1, group, float(share))
        for group, members in groups.items()
        for index, share in enumerate(shares[members].mean(axis=0))
    ]
    schema = {"type": pl.Int32, "group": pl.String, "share": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("type", maintain_order=True)


def _types_then(
    frame: pl.DataFrame, vocabulary: Vocabulary, final_labels: Int[np.ndarray, " neurons"], settings: Analysis
) -> dict[str, float | None]:
    """The types of a snapshot beside those of the last one."""
    labels = vocabulary.labels(frame)
    own = Vocabulary.find(frame, settings.types, settings.epoch_starts, settings.seed)
    apart = own.bag.cluster_centers_ - vocabulary.bag.cluster_centers_
    # A neuron without a descriptor at one of the two moments leaves the others unmatched; then nothing is said.
    settled = float((labels == final_labels).mean()) if len(labels) == len(final_labels) else None
    return {
        "settled": settled,
        "agreement": float(adjusted_rand_score(labels, own.labels(frame))),
        "centroid_distance": float(np.sqrt((apart**2).mean())),
    }


def _high(
    frame: pl.DataFrame,
    scale: Mapping[int, float],
    worst: Int[np.ndarray, " n"],
    best: Int[np.ndarray, " n"],
) -> dict[str, float]:
    _, values = neuron_values(frame, scale)
    high = (values["subgraph_centrality"] > HIGH_SUBGRAPH_CENTRALITY).mean(axis=1)
    return {"high_worst": float(high[worst].mean()), "high_best": float(high[best].mean())}


def _r2(
    features: Float[np.ndarray, "networks _"], accuracy: Float[np.ndarray, " networks"], settings: Analysis
) -> float:
    r2, _ = score(features, accuracy, folds=settings.folds, repeats=2, seed=settings.seed)
    return r2


def snapshots_of(
    neurons: pl.LazyFrame, seeds: Sequence[int], epochs: Sequence[int]
) -> Iterator[tuple[int, pl.DataFrame]]:
    """The neuron table of each epoch, of some networks, read one at a time."""
    for epoch in epochs:
        frame = neurons.filter(pl.col("epoch") == epoch, pl.col("seed").is_in(seeds)).collect()
        yield epoch, frame.drop("epoch").sort("seed", "layer", "neuron")
