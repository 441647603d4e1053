"""Networks that differ in one thing: the range of their initial weights, the random stream, the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.neurons import RELEASED, descriptors, elbow
from synaplex.studies.scabini.published import KEPT
from synaplex.studies.scabini.recipe import Analysis
from synaplex.studies.scabini.vocabulary import Vocabulary

OWN = "own"
"""The study's own networks, of the same seeds: weights in [-0.9, 0.9]."""

OTHERS = "own, other seeds"
"""The study's own networks with other seeds: what chance alone does, if there are as many."""


def compare_initializations(
    frames: Mapping[str, pl.DataFrame], accuracies: Mapping[str, Float[np.ndarray, " networks"]], settings: Analysis
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Accuracies and types of networks with other initial weights beside those with the study's own.

    Parameters
    ----------
    frames
        The final neuron table by name; `OWN` first, all with as many networks in the order of their seeds.
    accuracies
        Their accuracies, not a number where a network diverged.
    settings
        Of the analysis.

    Returns
    -------
    initializations
        A row each: `networks` that did not diverge, `diverged`, `mean`, `standard_deviation`, `lowest`, `highest`;
        `difference`, the mean accuracy minus that of `OWN`, and `ratio`, the standard deviation divided by that of
        `OWN`, both with bootstrap intervals (networks drawn with replacement, the same seeds of both); `elbow`, the
        number of types there; `distance`, the root mean squared difference of its centroids from those of `OWN`, each
        on its own scale; `largest_strength` and `largest_log_subgraph`, the ends of those scales, means over layers.
    types
        The centroids of each: `initialization`, `type`, the measures, `share`.
    """
    found = {
        name: Vocabulary.find(frame, settings.types, settings.starts, settings.seed) for name, frame in frames.items()
    }
    centers = found[OWN].bag.cluster_centers_
    rows = []
    for name, frame in frames.items():
        accuracy = accuracies[name]
        sound = accuracy[np.isfinite(accuracy)]
        apart = found[name].bag.cluster_centers_ - centers
        row: dict[str, object] = {
            "initialization": name,
            "networks": len(sound),
            "diverged": len(accuracy) - len(sound),
            "mean": float(sound.mean()),
            "standard_deviation": float(sound.std()),
            "lowest": float(sound.min()),
            "highest": float(sound.max()),
            **_against(accuracy, accuracies[OWN], settings),
            "elbow": elbow(descriptors(frame, KEPT, RELEASED).values, n_init=settings.elbow_starts).n_types,
            "distance": float(np.sqrt((apart**2).mean())),
            "largest_strength": _largest(frame, "strength"),
            "largest_log_subgraph": _largest(frame, "log_subgraph_centrality"),
        }
        rows.append(row)
    types = [one.table().insert_column(0, pl.lit(name).alias("initialization")) for name, one in found.items()]
    return pl.DataFrame(rows), pl.concat(types)


def _against(
    accuracy: Float[np.ndarray, " networks"], own: Float[np.ndarray, " networks"], settings: Analysis
) -> dict[str, float]:
    """Difference of means and ratio of deviations, with intervals."""
    known = np.isfinite(accuracy) & np.isfinite(own)
    pairs = np.stack([accuracy[known], own[known]])
    generator = np.random.default_rng(settings.seed)
    drawn = pairs[:, generator.integers(known.sum(), size=(settings.resamples, known.sum()))]
    result: dict[str, float] = {}
    for name, value, sample in (
        ("difference", _difference(pairs), _difference(drawn)),
        ("ratio", _ratio(pairs), _ratio(drawn)),
    ):
        tail = (1 - settings.confidence) / 2
        low, high = np.quantile(sample, [tail, 1 - tail])
        result |= {name: float(value), f"{name}_low": float(low), f"{name}_high": float(high)}
    return result


def _difference(pairs: Float[np.ndarray, "two *draws networks"]) -> Float[np.ndarray, "*draws"]:
    return np.asarray((pairs[0] - pairs[1]).mean(axis=-1))


def _ratio(pairs: Float[np.ndarray, "two *draws networks"]) -> Float[np.ndarray, "*draws"]:
    own = pairs[1].std(axis=-1)
    return np.asarray(pairs[0].std(axis=-1) / np.where(own > 0, own, np.nan))


def _largest(frame: pl.DataFrame, column: str) -> float:
    top: Sequence[float] = frame.group_by("layer").agg(pl.col(column).max()).sort("layer")[column].to_list()
    return float(np.mean(top))
