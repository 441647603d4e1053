"""Results: what there is of the plan, as tables to compare."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy.stats import t as student

from synaplex.studies.finding import Finding
from synaplex.studies.heath.pieces import Piece
from synaplex.studies.heath.plan import Group, Settings

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Results:
    """Everything there is.

    Attributes
    ----------
    dataset, description
        Its name, and what it holds.
    settings, scale, seed
        Of the plan.
    plan
        All groups.
    pieces
        What there is of them by name, finished or not.
    """

    dataset: str
    description: str
    settings: Settings
    scale: str
    seed: int
    plan: tuple[Group, ...]
    pieces: Mapping[str, Piece]

    @property
    def stages(self) -> frozenset[str]:
        """The experiments that are planned."""
        return frozenset(group.stage for group in self.plan)

    @cached_property
    def epochs(self) -> pl.DataFrame:
        """A row a network and epoch: `stage`, `recipe`, `seed`, `planned`, `finished`, and the columns of `EPOCHS`."""
        return self._gathered("epochs")

    @cached_property
    def hubs(self) -> pl.DataFrame:
        """Statistics of centralities beside null models, of the final comparison."""
        return self._gathered("hubs").filter(pl.col("stage") == "final")

    def _gathered(self, what: str) -> pl.DataFrame:
        parts = []
        for piece in self.pieces.values():
            group = piece.group
            head = (group.stage, group.recipe.name, group.seed, group.epochs, piece.finished)
            names = ("stage", "recipe", "seed", "planned", "finished")
            table: pl.DataFrame = getattr(piece, what)
            parts.append(table.select(*(pl.lit(value).alias(name) for name, value in zip(names, head, strict=True)),
                                      pl.all()))  # fmt: skip
        return pl.concat(parts) if parts else _nothing(what)

    def final(self, recipe: str) -> pl.DataFrame:
        """Rows of the final comparison by a recipe."""
        return self.epochs.filter((pl.col("stage") == "final") & (pl.col("recipe") == recipe))

    def last(self, rows: pl.DataFrame, column: str = "test_accuracy") -> pl.DataFrame:
        """A column's mean over the last epochs of each network: `method`, `seed`, `reached`, `planned`, `value`."""
        ends = pl.col("epoch").max().over("method", "seed")
        kept = rows.filter(pl.col("epoch") > ends - self.settings.last)
        return (
            kept.group_by("method", "seed", maintain_order=True)
            .agg(
                pl.col("epoch").max().alias("reached"), pl.col("planned").first(), pl.col(column).mean().alias("value")
            )
            .sort("seed", maintain_order=True)
        )

    @property
    def earlier(self) -> float:
        """Seconds of training behind all of it."""
        return sum(piece.seconds for piece in self.pieces.values())


def complete(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of networks that were trained to the end: neither under way nor diverged."""
    return rows.filter(pl.col("epoch").max().over("stage", "recipe", "method", "seed") == pl.col("planned"))


@dataclass(frozen=True)
class Analysis:
    """Everything that was made of the results.

    Attributes
    ----------
    standing
        How far each group is.
    final, differences, thresholds, centralities, hubs, grid, effects, by_growth, contradictions
        Tables, by what they tell.
    found
        Each claim and what became of it.
    """

    standing: pl.DataFrame
    final: pl.DataFrame
    differences: pl.DataFrame
    thresholds: pl.DataFrame
    centralities: pl.DataFrame
    hubs: pl.DataFrame
    grid: pl.DataFrame
    effects: pl.DataFrame
    by_growth: pl.DataFrame
    contradictions: pl.DataFrame
    found: tuple[Finding, ...]


def _nothing(what: str) -> pl.DataFrame:
    from synaplex.studies.heath.observing import EPOCHS, HUBS

    head = {"stage": pl.String, "recipe": pl.String, "seed": pl.Int32, "planned": pl.Int32, "finished": pl.Boolean}
    return pl.DataFrame(schema={**head, **(EPOCHS if what == "epochs" else HUBS)})


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95% interval by Student's t; an interval without ends where there is one value."""
    known = np.asarray(values, dtype=np.float64)
    mean, count = float(known.mean()), len(known)
    if count < 2:
        return mean, -math.inf, math.inf
    reach = float(student.ppf((1 + CONFIDENCE) / 2, count - 1)) * float(known.std(ddof=1)) / math.sqrt(count)
    return mean, mean - reach, mean + reach


def paired(values: pl.DataFrame, one: str, other: str) -> pl.DataFrame:
    """Differences between two methods of the same seed that have come as far, of a table of `Results.last`.

    Returns
    -------
    DataFrame
        `seed`, `reached`, `planned`, `difference`.
    """
    first, second = (values.filter(pl.col("method") == name) for name in (one, other))
    joined = first.join(second.select("seed", "reached", "value"), on=["seed", "reached"], suffix="_other")
    return joined.select("seed", "reached", "planned", (pl.col("value") - pl.col("value_other")).alias("difference"))


def standing(results: Results) -> pl.DataFrame:
    """How far each group of the plan is."""
    rows = []
    for group in results.plan:
        piece = results.pieces.get(group.name)
        done = piece.done if piece else 0
        state = "finished" if piece and piece.finished else f"stands at epoch {done}" if done else "not begun"
        row = {"run": group.name, "networks": len(group.methods), "epochs": group.epochs, "done": done, "state": state}
        lost = ", ".join(f"{name} in epoch {epoch}" for name, epoch in piece.lost.items()) if piece else ""
        hours = None if piece is None else piece.seconds / 3600
        rows.append({**row, "diverged": lost, "hours": hours})
    return pl.DataFrame(
        rows,
        schema={
            "run": pl.String,
            "networks": pl.Int64,
            "epochs": pl.Int64,
            "done": pl.Int64,
            "state": pl.String,
            "diverged": pl.String,
            "hours": pl.Float64,
        },
    )
