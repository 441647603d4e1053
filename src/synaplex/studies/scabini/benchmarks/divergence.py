"""Table 2: how differently the vocabularies of two benchmarks describe the networks of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.neurons import RELEASED, BagOfNeurons, descriptors, jensen_shannon, type_frequencies
from synaplex.studies.scabini import published
from synaplex.studies.scabini.benchmarks.benchmark import TITLES, Benchmark
from synaplex.studies.scabini.recipe import Analysis
from synaplex.studies.scabini.vocabulary import Vocabulary

Scale = Literal["target", "vocabulary"]

SCALES: tuple[Scale, ...] = ("target", "vocabulary")
"""Whose extremes the networks' neurons are scaled by: their own benchmark's, or that of the foreign vocabulary."""

HALF = "another half"
"""A vocabulary found on half of the networks, held against one of the other half: what chance does."""

UNTRAINED = "untrained"
"""A vocabulary found on the same networks before training."""

READINGS: tuple[tuple[int | str, bool], ...] = ((2, False), ("e", False), (2, True), ("e", True))
"""Base of the logarithm, and whether the square root is taken: the paper says neither."""


def divergences(benchmarks: Sequence[Benchmark], settings: Analysis) -> pl.DataFrame:
    """The divergence of type frequencies under the target's own and under another vocabulary, in every reading.

    Parameters
    ----------
    benchmarks
        At least one.
    settings
        Of the analysis.

    Returns
    -------
    polars.DataFrame
        A row for each `vocabulary` (a benchmark, `HALF` or `UNTRAINED`), `target` (whose networks), `scale`, `base` and
        `root`: `networks`, `mean` and `standard_deviation` over them, and the published two where the paper has them.

    Notes
    -----
    Types are matched by their order in strength. It is directed: a row of the paper's table is a vocabulary, a column
    the networks it is applied to. Source: Scabini and Bruno (2021), table 2.
    """
    theirs = {(row[0], row[1]): row[2:] for row in published.table_2().iter_rows()}
    rows = []
    for target in benchmarks:
        own = target.vocabulary.shares(target.final)
        pairs: list[tuple[str, Scale, np.ndarray, np.ndarray]] = []
        for other in benchmarks:
            if other is not target:
                pairs += [(other.paper, scale, own, foreign_shares(other, target, scale)) for scale in SCALES]
        pairs.append((HALF, "target", *_halves(target, settings)))
        pairs.append((UNTRAINED, "target", own, _untrained(target, settings)))
        for vocabulary, scale, first, second in pairs:
            mean, deviation = theirs.get((vocabulary, target.paper), (None, None))
            for base, root in READINGS:
                values = jensen_shannon(first, second, base=base, root=root)  # type: ignore[arg-type]
                index = (vocabulary, target.paper, scale, str(base), root, len(values))
                rows.append((*index, float(values.mean()), float(values.std()), mean, deviation))
    schema = {
        **dict.fromkeys(("vocabulary", "target", "scale", "base"), pl.String),
        "root": pl.Boolean,
        "networks": pl.Int32,
        **dict.fromkeys(("mean", "standard_deviation", "published_mean", "published_deviation"), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def foreign_shares(other: Benchmark, target: Benchmark, scale: Scale) -> Float[np.ndarray, "networks types"]:
    """The type frequencies of the target's networks in another benchmark's words, on one of the two scales."""
    chosen = target if scale == "target" else other
    return Vocabulary(other.vocabulary.bag, chosen.vocabulary.scale).shares(target.final)


def _halves(
    target: Benchmark, settings: Analysis
) -> tuple[Float[np.ndarray, "networks types"], Float[np.ndarray, "networks types"]]:
    """Frequencies of all networks in the words of either half of them."""
    order = np.random.default_rng(settings.seed).permutation(target.seeds)
    scale = target.vocabulary.scale
    found = target.vocabulary.describe(target.final)
    codes, _ = found.groups("seed")
    seeds = found.index["seed"].to_numpy()
    both = []
    for half in np.array_split(order, 2):
        bag = BagOfNeurons(settings.types, n_init=settings.epoch_starts, random_state=settings.seed)
        bag.fit(found.values[np.isin(seeds, half)])
        both.append(Vocabulary(bag, scale))
    first, second = (type_frequencies(one.bag.predict(found.values), codes, settings.types) for one in both)
    return first, second


def _untrained(target: Benchmark, settings: Analysis) -> Float[np.ndarray, "networks types"]:
    """Frequencies in the words of the same networks before training, each state on its own scale."""
    before = descriptors(target.first, published.KEPT, RELEASED)
    bag = BagOfNeurons(settings.types, n_init=settings.epoch_starts, random_state=settings.seed).fit(before.values)
    return Vocabulary(bag, target.vocabulary.scale).shares(target.final)


def readings(table: pl.DataFrame) -> pl.DataFrame:
    """How well each reading fits the paper.

    Parameters
    ----------
    table
        From `divergences`.

    Returns
    -------
    polars.DataFrame
        A row a reading, the best first: `scale`, `base`, `root`, `pairs` (that the paper has as well), `here` and
        `published` (means over them), `apart` (root mean squared difference of the means) and `deviations_apart` (of
        the standard deviations). Empty where no pair is the paper's.
    """
    pairs = table.filter(pl.col("published_mean").is_not_null())
    mean, deviation = (
        ((pl.col(ours) - pl.col(theirs)) ** 2).mean().sqrt()
        for ours, theirs in (("mean", "published_mean"), ("standard_deviation", "published_deviation"))
    )
    grouped = pairs.group_by("scale", "base", "root").agg(
        pl.len().cast(pl.Int32).alias("pairs"),
        pl.col("mean").mean().alias("here"),
        pl.col("published_mean").mean().alias("published"),
        mean.alias("apart"),
        deviation.alias("deviations_apart"),
    )
    return grouped.sort("apart", "scale", "base", "root")


def missing(benchmarks: Sequence[Benchmark]) -> tuple[str, ...]:
    """The paper's benchmarks that are not there."""
    there = {one.paper for one in benchmarks}
    return tuple(title for name, title in TITLES.items() if name not in there)
