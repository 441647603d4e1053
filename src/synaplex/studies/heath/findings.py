"""The paper's claims, each tested on what there is; and whether centrality helps, which the paper leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from jaxtyping import Float
from scipy.stats import f as f_distribution

from synaplex.report.cells import count
from synaplex.report.page import Verdict
from synaplex.studies.finding import Finding, decide, signed
from synaplex.studies.heath.centrality_findings import (
    among_cells,
    growing,
    having_hubs,
    printed,
    ranged,
    verdict_of,
    with_accuracy,
)
from synaplex.studies.heath.comparison import full_name
from synaplex.studies.heath.published import family
from synaplex.studies.heath.recipe import RELEASED
from synaplex.studies.heath.results import Results, complete
from synaplex.studies.heath.searches import searched

SAFE = 2.0
"""Threshold from which accuracies are compared with each other: the narrow searches begin there."""

CLOSE = 0.5
"""Points of accuracy below which thresholds are called equal."""

SMALL = 5.0
"""Points of accuracy below which the paper calls the decrease by CenSET not dramatic."""


def findings(
    results: Results,
    *,
    differences: pl.DataFrame,
    thresholds: pl.DataFrame,
    centralities: pl.DataFrame,
    hubs: pl.DataFrame,
    effects: pl.DataFrame,
) -> list[Finding]:
    """Every claim that the plan tests, with its verdict, from the tables of these names."""
    return [
        printed(centralities),
        *growing(results),
        *having_hubs(hubs, results.settings.draws),
        *with_accuracy(results),
        *([among_cells(results)] if "grid" in results.stages else []),
        *_comparison(differences),
        _stalls(results),
        *_thresholds(results, thresholds),
        *(_help(effects) if "grid" in results.stages else []),
    ]


def _comparison(differences: pl.DataFrame) -> Iterator[Finding]:
    asked: tuple[tuple[str, str, str, float], ...] = (
        ("CenSET is less accurate than SET. (section 6.3)", "CenSET − SET", "below", 0.0),
        ("CenSET costs less than five points against SET. (section 7.2)", "CenSET − SET", "above", -SMALL),
        ("CenSET costs less than five points against the MLP. (abstract)", "CenSET − MLP", "above", -SMALL),
        ("CenSET is more accurate than a sparse network that does not evolve. (ours)", "CenSET − static", "above", 0.0),
        ("SET is more accurate than a sparse network that does not evolve. (ours)", "SET − static", "above", 0.0),
    )
    for statement, name, side, limit in asked:
        own = differences.filter(
            (pl.col("difference") == name)
            & (pl.col("recipe") == RELEASED.name)
            & (pl.col("epochs") == pl.col("planned"))
        )
        verdict, lines = _of_interval(own, side, limit)
        yield Finding("comparison", statement, verdict, lines)


def _of_interval(rows: pl.DataFrame, side: str, limit: float) -> tuple[Verdict, str]:
    if not len(rows):
        return "undecided", "Nothing to test it on yet."
    row = rows.row(0, named=True)
    low, high = (-np.inf, np.inf) if row["low"] is None else (row["low"], row["high"])
    above, below = low > limit, high < limit
    said = "" if row["table 4"] is None else f" Table 4: {signed(row['table 4'])}."
    text = f"{ranged(row['points'], low, high)} points, {count(row['seeds'], 'seed')}.{said}"
    return (decide(above, below) if side == "above" else decide(below, above)), text


def _stalls(results: Results) -> Finding:
    own = results.final(RELEASED.name).filter(pl.col("finished"))
    name = full_name("CenSET", own["method"].unique(maintain_order=True).to_list())
    rounds = own.filter((pl.col("method") == name) & (pl.col("epoch") < pl.col("planned"))).sort("epoch")
    statement = "CenSET drops ever fewer neurons, so that in the end it hardly evolves. (section 7.2)"
    if family(name) == name and name not in own["method"]:
        return Finding("comparison", statement, "undecided", "Nothing to test it on yet.")
    lines, less, more = [], [], []
    for (seed,), rows in rounds.group_by("seed", maintain_order=True):
        part = max(1, len(rows) // 10)
        share = (rows["dropped"] / rows["connections"]).to_numpy() * 100
        first, last = float(share[:part].mean()), float(share[-part:].mean())
        less.append(last < 0.5 * first)
        more.append(last >= 0.5 * first)
        lines.append(
            f"- seed {seed}: {first:.3f}% of connections a round in the first tenth of training, {last:.3f}% in the "
            "last"
        )
    said = "It holds where less than half as many go at the end. SET drops 5% in every round.\n\n" + "\n".join(lines)
    return verdict_of("comparison", statement, less, more, said)


def _thresholds(results: Results, table: pl.DataFrame) -> Iterator[Finding]:
    search = next((name for name in ("narrow", "wide") if name in table["search"]), "wide")
    statement = (
        "From 2 sigma on, the choice of the threshold makes no difference beyond chance. (sections 6.2.1 and 6.2.2, "
        "which then choose the best)"
    )
    values = results.last(complete(searched(results, search)))
    values = values.with_columns(pl.col("method").str.split(" ").list.last().cast(pl.Float64).alias("k"))
    table_of_seeds = values.filter(pl.col("k") >= SAFE).pivot("k", index="seed", values="value").drop_nulls()
    seeds = table_of_seeds.drop("seed").to_numpy().T * 100
    means = seeds.mean(axis=1) if seeds.size else np.zeros(1)
    reach = float(np.ptp(means))
    if len(seeds) < 2 or not seeds.size:
        yield Finding("thresholds", statement, "undecided", "Nothing to test it on yet.")
    elif seeds.shape[1] < 2:
        said = (
            f"One seed: {len(seeds)} thresholds differ by at most {reach:.2f} points, with nothing to hold it against."
        )
        yield Finding("thresholds", statement, "undecided", said)
    else:
        p = equal_treatments(seeds)
        yield Finding(
            "thresholds",
            statement,
            decide(p >= 0.05 and reach < CLOSE, p < 0.05),
            f"{search.capitalize()} search, {len(seeds)} thresholds: means differ by at most {reach:.2f} points; "
            f"analysis of variance with seeds as blocks gives p {p:.2g}. It holds for p from 0.05 up and less than "
            f"{CLOSE:g} points.",
        )
    rows = table.filter((pl.col("search") == search) & (pl.col("k") >= SAFE) & (pl.col("epochs") == pl.col("planned")))
    idle = rows["rounds that drop nothing %"].to_list()
    yield verdict_of(
        "thresholds",
        "From 2 sigma on, CenSET is a static sparse network in most rounds: nothing lies below the threshold. (ours)",
        [share > 50 for share in idle],
        [share <= 50 for share in idle],
        ", ".join(
            f"k {row['k']:g}: {row['rounds that drop nothing %']:.0f}% of the rounds drop nothing, "
            f"{row['connections a round %']:.3g}% of the connections go in the mean round"
            for row in rows.iter_rows(named=True)
        )
        + ".",
    )


def equal_treatments(values: Float[np.ndarray, "treatments blocks"]) -> float:
    """The p-value of a two-way analysis of variance for equal treatments, each tried once in every block."""
    treatments, blocks = values.shape
    apart = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    between = blocks * float(((values.mean(axis=1) - values.mean()) ** 2).sum())
    rest = float((apart**2).sum())
    if between <= 1e-12 * float((values**2).sum()):
        return 1.0
    if not rest:
        return 0.0
    freedom = (treatments - 1, (treatments - 1) * (blocks - 1))
    return float(f_distribution.sf(between / freedom[0] / (rest / freedom[1]), *freedom))


def _help(effects: pl.DataFrame) -> Iterator[Finding]:
    asked = (
        ("drop", "least Laplacian − random", "Dropping where neurons are least central beats dropping at random."),
        ("drop", "least Laplacian − SET", "Dropping by centrality beats dropping the smallest weights, as SET does."),
        ("drop", "least Laplacian − least strength", "Laplacian centrality is worth more than plain strength."),
        ("grow", "central − random", "Growing towards central neurons beats growing at random."),
        ("grow", "central − away", "Growing towards central neurons beats growing away from them."),
        ("all", "SET − static", "Evolution as SET does it beats a sparse network that does not evolve."),
    )  # fmt: skip
    for rule, name, statement in asked:
        own = effects.filter((pl.col("rule") == rule) & (pl.col("difference") == name))
        claim = f"{statement} (ours: the paper's section 9 asks)"
        if not len(own) or own["low"][0] is None:
            yield Finding("help", claim, "undecided", "Nothing to test it on yet.")
            continue
        row = own.row(0, named=True)
        verdict = decide(row["low"] > 0, row["high"] < 0)
        text = (
            f"{ranged(row['points'], row['low'], row['high'])} points over {row['networks']} paired seeds"
            f"{', averaged over the other rule' if rule != 'all' else ''}; p {row['p']:.2g}, corrected for all "
            f"comparisons {row['p, corrected']:.2g}."
        )
        yield Finding("help", claim, verdict, text)


def findings_table(found: Sequence[Finding]) -> pl.DataFrame:
    """The claims as a table: `topic`, `statement`, `verdict`, `evidence`."""
    rows = [(one.topic, one.statement, one.verdict, one.evidence) for one in found]
    return pl.DataFrame(rows, schema=["topic", "statement", "verdict", "evidence"], orient="row")
