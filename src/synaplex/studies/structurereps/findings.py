"""The claims, tested: what the paper says, what its splits hide, and what holds on networks that were held out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from synaplex.report.page import Verdict
from synaplex.studies.finding import Finding, decide, signed
from synaplex.studies.structurereps.methods import (
    BLIND,
    COMPLEX,
    EIGHT,
    ENCODERS,
    EPOCH,
    FLAT,
    OWN,
    STATISTICS,
    UNTRAINED,
)
from synaplex.studies.structurereps.population import SHUFFLED, Prediction
from synaplex.studies.structurereps.recipe import TARGETS
from synaplex.studies.structurereps.splits import EPOCHS, HALF

CONFIDENCE = 0.95
NEAR = 0.1
"""How far below the published correlation ours still reaches it."""

LITTLE = 0.5
"""A Pearson below which time alone would tell little."""

NOTHING = 0.2
"""A Pearson below which an encoder decodes nothing."""

MOST, FEW = 0.8, 0.2
"""A claim about many tests holds where at least so many do, and fails where at most so few do."""

COVERED = (0.85, 0.95)
"""Share of held-out networks that intervals of 90% should cover."""


def paper_findings(fits: pl.DataFrame, table: pl.DataFrame) -> Iterator[Finding]:
    """The claims of tables 1 and 2, and how much the paper's split proves."""
    yield _best(table)
    yield _reproduced(table)
    yield _nothing(table)
    yield _above(fits, STATISTICS, "a handful of weight statistics")
    yield _above(fits, UNTRAINED, "the encoder before any training")
    yield _above(fits, f"{OWN}{BLIND}", "it does where weights enter through edge attention alone")
    yield _time(table)


def _best(table: pl.DataFrame) -> Finding:
    cells = []
    for target in TARGETS:
        for task in table["task"].unique(maintain_order=True):
            own = _cells(table, EPOCHS, target, task)
            best = max(ENCODERS, key=lambda name: _or_lowest(own.get(name)))
            cells.append((target, task, best, own))
    share = float(np.mean([best == OWN for _, _, best, _ in cells]))
    lines = [
        f"- {task}, {target}: " + ", ".join(f"{name} {_number(own.get(name))}" for name in ENCODERS)
        for target, task, _, own in cells
    ]
    return Finding(
        "paper",
        "Of the four encoders EA+TC+LF decodes performance best, on every task (tables 1 and 2).",
        _by_share(share),
        f"Highest mean Pearson in {sum(best == OWN for _, _, best, _ in cells)} of {len(cells)} cells.\n\n"
        + "\n".join(lines),
    )


def _reproduced(table: pl.DataFrame) -> Finding:
    own = table.filter((pl.col("method") == OWN) & (pl.col("split") == EPOCHS)).drop_nulls("published")
    reached = [row["pearson"] is not None and row["pearson"] >= row["published"] - NEAR for row in own.to_dicts()]
    said = ", ".join(
        f"{row['task']} {row['target']} {_number(row['pearson'])} (published {row['published']:.2f})"
        for row in own.iter_rows(named=True)
    )
    return Finding(
        "paper",
        f"EA+TC+LF reaches the published correlation on the paper's split (no more than {NEAR} below).",
        _by_share(float(np.mean(reached))) if reached else "undecided",
        f"In {sum(reached)} of {len(reached)} cells: {said}.",
    )


def _nothing(table: pl.DataFrame) -> Finding:
    def values(suffix: str) -> list[float | None]:
        names = [f"{name}{suffix}" for name in ENCODERS[2:]]
        own = table.filter(
            pl.col("method").is_in(names)
            & (pl.col("split") == EPOCHS)
            & ~pl.col("task").is_in(["cifar10", "imagenette"])
        )
        return own["pearson"].to_list()

    seen, blind = values(""), values(BLIND)
    small = [value is None or value < NOTHING for value in seen]
    known = [value for value in seen if value is not None]
    constant = sum(value is None for value in blind)
    verdict = _by_share(float(np.mean(small))) if seen else "undecided"
    return Finding(
        "paper",
        f"Without edge attention (GC+LF, GC+RF) nothing of dense networks is decoded (Pearson below {NOTHING}).",
        verdict,
        f"Ours, which see weights in their convolutions and in the Laplacian: {_range(known)} (published −0.06 to "
        "0.10). Where convolutions see no weights and the Laplacian is that of the unweighted graph, embeddings are "
        f"the same at every epoch and the prediction is constant in {constant} of {len(blind)} cells: rows near 0, as "
        "published, are what encoders look like that are given no weights.",
    )


def _above(fits: pl.DataFrame, other: str, words: str) -> Finding:
    parts, verdicts = [], []
    for split in (EPOCHS, HALF):
        for target in TARGETS:
            found = difference(fits, split, target, other)
            if split == HALF and not found.tasks:
                continue
            verdicts.append(decide(found.low > 0, found.high < 0))
            parts.append(f"- {split}, {target} performance: {found}, {found.tasks} tasks, {found.fits} fits")
    return Finding(
        "paper",
        f"On the paper's split EA+TC+LF decodes performance better than {words}.",
        decide(all(one == "holds" for one in verdicts[:2]), all(one == "fails" for one in verdicts[:2])),
        "Mean difference of Pearson with its 95% interval, Student's t over tasks: seeds of one task share its data, "
        "and count as one, by their mean.\n\n" + "\n".join(parts),
    )


@dataclass(frozen=True)
class Difference:
    """A mean difference of Pearson with its 95% interval.

    Attributes
    ----------
    mean, low, high
        NaN where there are too few tasks: the interval of fewer than two, the mean of none.
    tasks, fits
        Of how many.
    """

    mean: float
    low: float
    high: float
    tasks: int
    fits: int

    def __str__(self) -> str:
        if not self.tasks:
            return "undefined"
        interval = f"{signed(self.low)} to {signed(self.high)}" if self.tasks > 1 else "one task has no interval"
        return f"{signed(self.mean)} ({interval})"


def difference(fits: pl.DataFrame, split: str, target: str, other: str) -> Difference:
    """How far EA+TC+LF is above another method in Pearson; Student's t over tasks, each the mean of its seeds.

    Networks of one task learn the same samples with the same architecture: they vary less than tasks do, and a task of
    which more seeds have a correlation says no more of other tasks.
    """
    own = fits.filter((pl.col("decoder") == "linear") & (pl.col("split") == split) & (pl.col("target") == target))
    wide = own.filter(pl.col("method").is_in([OWN, other])).pivot("method", index=["task", "fold"], values="pearson")
    if other not in wide.columns or OWN not in wide.columns:
        return Difference(math.nan, math.nan, math.nan, 0, 0)
    known = wide.select("task", gap=pl.col(OWN) - pl.col(other)).drop_nulls()
    gaps = known.group_by("task", maintain_order=True).agg(pl.col("gap").mean())["gap"].to_numpy()
    count = len(gaps)
    mean = float(gaps.mean()) if count else math.nan
    reach = math.nan
    if count > 1:
        reach = float(student.ppf((1 + CONFIDENCE) / 2, count - 1) * gaps.std(ddof=1) / math.sqrt(count))
    return Difference(mean, mean - reach, mean + reach, count, len(known))


def _time(table: pl.DataFrame) -> Finding:
    def values(method: str, split: str) -> list[float]:
        own = table.filter((pl.col("method") == method) & (pl.col("split") == split))
        return own["pearson"].drop_nulls().to_list()

    first = values(EPOCH, EPOCHS)
    small = [value < LITTLE for value in first]
    return Finding(
        "paper",
        f"The number of the epoch alone tells little of performance (Pearson below {LITTLE}).",
        _by_share(float(np.mean(small))) if small else "undecided",
        f"On the paper's split {_range(first)}, on the second half of training {_range(values(EPOCH, HALF))}; weight "
        f"statistics {_range(values(STATISTICS, EPOCHS))} and {_range(values(STATISTICS, HALF))}; EA+TC+LF "
        f"{_range(values(OWN, EPOCHS))} and {_range(values(OWN, HALF))}. A high correlation on this split needs "
        "nothing of structure.",
    )


def network_findings(table: pl.DataFrame) -> Iterator[Finding]:
    """What holds where whole networks are held out."""
    words = {
        STATISTICS: "plain weight statistics",
        COMPLEX: "complex-network features",
        UNTRAINED: "itself untrained",
        EPOCH: "the number of the epoch",
    }
    for other, said in words.items():
        own = table.filter(pl.col("method") == OWN)
        low, high = own[f"above {other}_low"], own[f"above {other}_high"]
        better, worse = int((low > 0).sum()), int((high < 0).sum())
        lines = []
        for task in own["task"].unique(maintain_order=True):
            some = own.filter(pl.col("task") == task)
            cells = ", ".join(
                f"{row['unseen']} {row['target']} {_gap(row, f'above {other}')}" for row in some.iter_rows(named=True)
            )
            lines.append(f"- {task}: {cells}")
        yield Finding(
            "networks",
            f"With whole networks held out, EA+TC+LF ranks them better than {said}.",
            _by_share(better / max(1, len(own))),
            f"Its tau is above in {better} of {len(own)} tests, below in {worse}, and in the others the 95% interval "
            "of the difference holds 0. Differences by what was unseen:\n\n" + "\n".join(lines),
        )


def ablation_findings(table: pl.DataFrame) -> Iterator[Finding]:
    """Which part of the encoder earns its place: without it networks are ranked worse."""
    parts = {
        "no edge attention": "Edge attention",
        "no edge features in the convolutions": "Seeing edge features in the convolutions",
        "no positional features": "The Laplacian positional encoding",
        "no noise": "The noise of edge attention",
        "untrained": "Training the autoencoder",
    }
    for name, words in parts.items():
        own = table.filter(pl.col("method") == name)
        high, low = own["above everything_high"], own["above everything_low"]
        worse, better = int((high < 0).sum()), int((low > 0).sum())
        cells = ", ".join(
            f"{row['task']} {row['target']} {_gap(row, 'above everything')}" for row in own.iter_rows(named=True)
        )
        yield Finding(
            "ablation",
            f"{words} earns its place: without it unseen networks are ranked worse.",
            _by_share(worse / max(1, len(own))),
            f"Worse in {worse} of {len(own)} tests, better in {better}. Change of tau: {cells}.",
        )


def shape_findings(table: pl.DataFrame) -> Iterator[Finding]:
    """Figure 2."""
    rows = {row["method"]: row for row in table.iter_rows(named=True)}
    own = rows[OWN]
    told = ", ".join(
        f"{name} {row['told apart']:.0%} (silhouette {signed(row['silhouette'])})"
        for name, row in rows.items()
        if row["told apart"] is not None
    )
    yield Finding(
        "shapes",
        "Regular, deeper and wider networks form clusters in the embedding (figure 2a: at least 95% of unseen networks "
        "are nearest to the centre of their own kind).",
        decide(own["told apart"] >= 0.95, own["told apart"] < 0.95),
        f"Nearest centre right: {told}. Their numbers of layers and neurons alone tell these shapes apart, so that the "
        "clusters say nothing of learning.",
    )
    key = "one shape, two networks"
    said = ", ".join(f"{name} {signed(row[key])}" for name, row in rows.items())
    yield Finding(
        "shapes",
        "Networks that are near in the embedding perform alike (figure 2c: Spearman's correlation of distance and "
        "difference of accuracy at least 0.3, between two networks of one shape).",
        decide(own[key] >= 0.3, own[key] < 0.3),
        f"{said}; over all pairs: "
        + ", ".join(f"{name} {signed(row['all pairs'])}" for name, row in rows.items())
        + ".",
    )


def population_findings(prediction: Prediction) -> Iterator[Finding]:
    """Prediction across a population."""
    words = {
        STATISTICS: "plain weight statistics",
        COMPLEX: "complex-network features",
        FLAT: "flat weights",
        f"{OWN}{SHUFFLED}": "the same encoder does where weights are shuffled within layers",
    }
    for other, said in words.items():
        own = prediction.scores.filter(pl.col("method") == OWN)
        rows = own.to_dicts()
        holds = all((row[f"above {other}_low"] or 0.0) > 0 for row in rows)
        fails = all((row[f"above {other}_high"] or 0.0) < 0 for row in rows)
        taus = {
            row["decoder"]: row["kendall"]
            for row in prediction.scores.filter(pl.col("method") == other).iter_rows(named=True)
        }
        cells = "; ".join(
            f"{row['decoder']}: tau {_number(row['kendall'])} beside {_number(taus[row['decoder']])}, difference "
            f"{_gap(row, f'above {other}')}"
            for row in rows
        )
        more = ""
        if other == COMPLEX:
            eight = "; ".join(f"{row['decoder']} {_gap(row, f'above {EIGHT}')}" for row in rows)
            more = f" Beside all eight centralities, which cost more, the difference is: {eight}."
        yield Finding(
            "population",
            f"Across a population EA+TC+LF ranks held-out networks better than {said}.",
            decide(holds, fails),
            f"{cells}. In brackets 95% intervals over {len(prediction.actual)} held-out networks.{more}",
        )
    own = prediction.coverage.filter(pl.col("method") == OWN)
    inside = [COVERED[0] <= row["covered"] <= COVERED[1] for row in own.iter_rows(named=True)]
    said = "; ".join(
        f"{row['decoder']}: {row['covered']:.1%} (over new partings {row['mean']:.1%}, 90% of them {row['low']:.1%} to "
        f"{row['high']:.1%}), width {row['width']:.3f}"
        for row in own.iter_rows(named=True)
    )
    yield Finding(
        "population",
        "Intervals of 90% cover 85 to 95% of held-out networks.",
        decide(all(inside), not any(inside)),
        f"{said}.",
    )


def findings_table(found: tuple[Finding, ...]) -> pl.DataFrame:
    """The claims as a table: `topic`, `statement`, `verdict`, `evidence`."""
    rows = [(one.topic, one.statement, one.verdict, one.evidence) for one in found]
    return pl.DataFrame(rows, schema=["topic", "statement", "verdict", "evidence"], orient="row")


def _cells(table: pl.DataFrame, split: str, target: str, task: str) -> dict[str, float | None]:
    own = table.filter((pl.col("split") == split) & (pl.col("target") == target) & (pl.col("task") == task))
    return dict(zip(own["method"], own["pearson"], strict=True))


def _or_lowest(value: float | None) -> float:
    return -2.0 if value is None else value


def _by_share(share: float) -> Verdict:
    return decide(share >= MOST, share <= FEW)


def _number(value: float | None) -> str:
    return "constant" if value is None else f"{value:.2f}".replace("-", "−")


def _range(values: list[float]) -> str:
    return f"{_number(min(values))} to {_number(max(values))}" if values else "unknown"


def _gap(row: dict[str, Any], key: str) -> str:
    value, low, high = row[key], row[f"{key}_low"], row[f"{key}_high"]
    if value is None or low is None or high is None:
        return "undefined"
    return f"{signed(value)} ({signed(low)} to {signed(high)})"
