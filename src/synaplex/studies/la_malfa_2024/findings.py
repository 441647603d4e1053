"""Each claim tested on every cell and layer to which it applies, beside the null models, and what that makes of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import polars as pl
from scipy.stats import t as student

from synaplex.measures.nulls import against_null
from synaplex.report.page import Verdict
from synaplex.studies.finding import Finding, decide, signed
from synaplex.studies.la_malfa_2024.claim import Claim
from synaplex.studies.la_malfa_2024.claims import CLAIMS
from synaplex.studies.la_malfa_2024.comparisons import Observations
from synaplex.studies.la_malfa_2024.recipe import KINDS, NAMES, Cell
from synaplex.studies.la_malfa_2024.versions import NULL_VERSIONS, VERSIONS

MOST = 0.8
"""Share of tests that must agree for a verdict on the whole claim."""

CONFIDENCE = 0.95
VERDICTS: tuple[Verdict, ...] = ("holds", "fails", "undecided")

TESTS = pl.Schema(
    {
        "claim": pl.String,
        "dataset": pl.String,
        "kind": pl.String,
        "depth": pl.Int32,
        "activation": pl.String,
        "layer": pl.Int32,
        "published": pl.Boolean,
        "networks": pl.Int32,
        "quantity": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "verdict": pl.String,
        **{
            f"{name}{part}": dtype
            for name in NULL_VERSIONS
            for part, dtype in (("", pl.Float64), ("_z", pl.Float64), ("_verdict", pl.String))
        },
    }
)
"""Columns of the table of tests; ``layer`` counts from 1 as the paper does, so that the first hidden one is 2."""


def every_test(field: Observations, datasets: tuple[str, ...], claims: Sequence[Claim] = CLAIMS) -> pl.DataFrame:
    """A row a claim, cell and layer: the number with its interval and verdict, and those of the null models."""
    rows = [row for claim in claims for cell in field if claim.applies(cell) for row in _tests(claim, field, cell)]
    frame = pl.DataFrame(rows, schema={name: TESTS[name] for name in TESTS if name != "published"})
    spoken = [_claim(row["claim"], claims).published(_cell(row), datasets) for row in rows]
    return frame.with_columns(pl.Series("published", spoken, dtype=pl.Boolean)).select(TESTS.names())


def _tests(claim: Claim, field: Observations, cell: Cell) -> Iterator[dict[str, Any]]:
    for layer in field[cell].layers:
        if not claim.layers(cell, layer):
            continue
        values = {name: _known(claim.numbers(field, cell, layer, name)) for name in VERSIONS}
        if len(values["trained"]) < 2:
            continue
        mean, low, high = interval(values["trained"])
        row: dict[str, Any] = {
            "claim": claim.key,
            "dataset": cell.dataset,
            "kind": cell.kind,
            "depth": cell.depth,
            "activation": cell.activation,
            "layer": layer + 1,
            "networks": len(values["trained"]),
            "quantity": claim.quantity,
            "value": mean,
            "low": low,
            "high": high,
            "verdict": verdict(claim, low, high),
        }
        for name in NULL_VERSIONS:
            draws = values[name]
            tested = claim.nulls and len(draws) > 1
            row[name], row[f"{name}_z"] = _mean_and_z(mean, draws) if tested else (None, None)
            row[f"{name}_verdict"] = verdict(claim, *interval(draws)[1:]) if tested else None
        yield row


def _mean_and_z(mean: float, draws: np.ndarray) -> tuple[float | None, float | None]:
    """The mean of null networks, one a trained network, and how many of its standard errors another mean lies off."""
    beside = against_null(mean, draws)
    z = beside["z"]
    return cast("float", beside["null_mean"]), None if z is None else cast("float", z) * math.sqrt(len(draws))


def verdict(claim: Claim, low: float, high: float) -> Verdict:
    """Of an interval."""
    return decide(claim.criterion.holds(low, high), claim.criterion.fails(low, high))


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of some networks and its 95% interval by Student's t."""
    mean, count = float(values.mean()), len(values)
    reach = float(student.ppf((1 + CONFIDENCE) / 2, count - 1)) * float(values.std(ddof=1)) / math.sqrt(count)
    return mean, mean - reach, mean + reach


def overall_verdict(verdicts: Sequence[str]) -> Verdict:
    """Holds or fails where at least `MOST` of the tests do, otherwise undecided."""
    share = {name: verdicts.count(name) / max(1, len(verdicts)) for name in VERDICTS}
    return decide(share["holds"] >= MOST, share["fails"] >= MOST)


def findings(tests: pl.DataFrame, claims: Sequence[Claim] = CLAIMS) -> tuple[Finding, ...]:
    """Every claim on the whole: the verdict is that of the cells the paper speaks of."""
    return tuple(_finding(claim, tests.filter(pl.col("claim") == claim.key)) for claim in claims)


def _finding(claim: Claim, tests: pl.DataFrame) -> Finding:
    statement = f"{claim.statement} ({claim.source})"
    own = tests.filter(pl.col("published"))
    if not len(own):
        return Finding(claim.topic, statement, "undecided", "No cell to test it on.")
    parts = [f"Holds in {count(own)} where the paper says it"]
    if len(own) < len(tests):
        parts[0] += f", in {count(tests.filter(~pl.col('published')))} elsewhere"
    parts[0] += f". The number: {claim.quantity}; it holds {claim.criterion}."
    if claim.nulls:
        said = ", ".join(f"{name} {count(own, f'{name}_verdict')}" for name in NULL_VERSIONS)
        parts[0] += f" The same test of null models: {said}."
    lines = []
    for kind in KINDS:
        some = own.filter(pl.col("kind") == kind)
        if len(some):
            said = f"- {NAMES[kind]}: {count(some)}, median {median(some, 'value')}"
            if claim.nulls:
                said += "".join(f", {name} {median(some, name)}" for name in NULL_VERSIONS)
            lines.append(said)
    return Finding(
        claim.topic, statement, overall_verdict(own["verdict"].to_list()), parts[0] + "\n\n" + "\n".join(lines)
    )


def count(tests: pl.DataFrame, column: str = "verdict") -> str:
    """In how many of how many tests it holds."""
    known = tests[column].drop_nulls()
    return f"{int((known == 'holds').sum())} of {len(known)}"


def median(tests: pl.DataFrame, column: str) -> str:
    """The median of a column of numbers."""
    value = tests[column].median()
    return signed(float(value)) if isinstance(value, float) else "unknown"


def claims_table(tests: pl.DataFrame, claims: Sequence[Claim] = CLAIMS) -> pl.DataFrame:
    """The claims with their verdict, and in how many tests each holds: trained, and null models."""
    rows = []
    for claim in claims:
        own = tests.filter((pl.col("claim") == claim.key) & pl.col("published"))
        other = tests.filter((pl.col("claim") == claim.key) & ~pl.col("published"))
        row = {
            "claim": claim.statement,
            "verdict": overall_verdict(own["verdict"].to_list()),
            "holds": count(own),
            "median": median(own, "value"),
            "criterion": str(claim.criterion),
        }
        row |= {name: count(own, f"{name}_verdict") if claim.nulls else "" for name in NULL_VERSIONS}
        rows.append(row | {"elsewhere": count(other) if len(other) else ""})
    return pl.DataFrame(rows)


def findings_table(found: Sequence[Finding]) -> pl.DataFrame:
    """The claims as a table: `topic`, `statement`, `verdict`, `evidence`."""
    rows = [(one.topic, one.statement, one.verdict, one.evidence) for one in found]
    return pl.DataFrame(rows, schema=["topic", "statement", "verdict", "evidence"], orient="row")


def _known(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.isfinite(values)])


def _claim(key: str, claims: Sequence[Claim]) -> Claim:
    return next(claim for claim in claims if claim.key == key)


def _cell(row: dict[str, Any]) -> Cell:
    return Cell(row["dataset"], row["kind"], row["depth"], row["activation"])
