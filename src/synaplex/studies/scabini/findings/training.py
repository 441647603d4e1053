"""Claims about the course of training: when the types are there (the paper's future work)."""

from __future__ import annotations

import polars as pl

from synaplex.studies.finding import Finding, decide
from synaplex.studies.scabini.analysis import Results

EARLY = 0.1
"""Types form early if they are there after this share of the epochs."""


def formed(table: pl.DataFrame, least: float) -> int:
    """The first epoch from which on the agreement with the final vocabulary is never below `least`.

    Examples
    --------
    >>> formed(pl.DataFrame({"epoch": [0, 1, 2, 3], "agreement": [0.9, 0.5, 0.8, 1.0]}), 0.7)
    2
    """
    below: list[int] = table.filter(pl.col("agreement") < least)["epoch"].to_list()
    first = int(table["epoch"][0])
    return max(below, default=first - 1) + 1


def types_form_early(results: Results) -> Finding:
    """When types are as they will be, measured by how much vocabularies of one epoch differ by chance."""
    table, steady = results.evolution.types, results.stability
    epoch = formed(table, steady.low)
    limit = max(1, round(EARLY * results.spec.epochs))
    half = table.filter(pl.col("settled") >= 0.5)["epoch"].to_list()
    settled = f"Half of the neurons have their final type from epoch {half[0]} on." if half else ""
    return Finding(
        "training",
        f"The types form early: after a tenth of the epochs ({limit}) a vocabulary agrees with the final one as "
        "vocabularies of resampled populations do.",
        decide(epoch <= limit, epoch > limit),
        f"From epoch {epoch} on the agreement (adjusted Rand index) is at least {steady.low:.2f}, the lower end for "
        f"resampled populations; at epoch 0 it is {table['agreement'][0]:.2f}. {settled}",
    )


def third_over_training(results: Results) -> Finding:
    """The paper's most frequent type, followed through training."""
    shares = results.evolution.shares.filter(pl.col("group") == "best")
    top = shares.sort("share", descending=True).group_by("epoch", maintain_order=True).first().sort("epoch")
    first = [epoch for epoch, kind in top.select("epoch", "type").iter_rows() if kind == 3]
    share = {row["epoch"]: row["share"] for row in shares.filter(pl.col("type") == 3).iter_rows(named=True)}
    always = len(first) == top.height
    last = results.spec.epochs
    return Finding(
        "training",
        "Type ψ3 is the most frequent among the best networks after every epoch, untrained ones included.",
        decide(always, not always),
        f"In {len(first)} of {top.height} snapshots; its share goes from {share[0]:.1%} before training to "
        f"{share[last]:.1%} (in the words of the final vocabulary).",
    )


def poor_from_the_start(results: Results) -> Finding:
    """Neurons of high subgraph centrality in poor networks, followed through training."""
    table = results.evolution.types
    first, last = table.row(0, named=True), table.row(-1, named=True)
    more = int((table["high_worst"] > table["high_best"]).sum())
    return Finding(
        "training",
        "The networks that will be the worst have more neurons of high subgraph centrality in every snapshot.",
        decide(more == table.height, more < table.height),
        f"In {more} of {table.height}. Worst against best: {first['high_worst']:.1%} against {first['high_best']:.1%} "
        f"before training, {last['high_worst']:.1%} against {last['high_best']:.1%} after it.",
    )
