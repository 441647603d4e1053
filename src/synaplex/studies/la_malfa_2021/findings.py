"""Each claim tested on every population and layer to which it applies, and what that makes of the claim."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import polars as pl

from synaplex.report.page import Verdict
from synaplex.studies.finding import Finding, decide, signed
from synaplex.studies.la_malfa_2021.analysis import CellResults
from synaplex.studies.la_malfa_2021.claims import CLAIMS, Claim
from synaplex.studies.la_malfa_2021.individual_findings import individual_findings
from synaplex.studies.la_malfa_2021.recipe import KINDS, SCALES, power

MOST = 0.8
"""Share of tests that must agree for a verdict on the whole claim."""

VERDICTS = ("holds", "fails", "undecided")
NAMES = {"dense": "dense", "cnn": "CNN"}

MARGIN = 0.05
"""Difference of shares, or of R2, below which two are called equal."""

TESTS = {
    "claim": pl.String,
    "kind": pl.String,
    "initializer": pl.String,
    "scale": pl.Float64,
    "order": pl.Int32,
    "layer": pl.Int32,
    "name": pl.String,
    "quantity": pl.String,
    **dict.fromkeys(
        ("value", "low", "high", "shuffled_mean", "shuffled_z", "shuffled_p", "flipped_mean", "flipped_z"), pl.Float64
    ),
    "verdict": pl.String,
}


def tests_table(results: Sequence[CellResults]) -> pl.DataFrame:
    """A row a claim, population and layer: the number with its interval, its null models, and the verdict."""
    rows = [row for claim in CLAIMS for one in results if one.enough for row in _tests(claim, one)]
    return pl.DataFrame(rows, schema=TESTS)


def _tests(claim: Claim, one: CellResults) -> list[dict[str, Any]]:
    cell, names = one.cell, one.moments.layers
    if not claim.applies(cell):
        return []
    rows = []
    for row in one.numbers.filter(pl.col("quantity") == claim.quantity).iter_rows(named=True):
        if claim.layers(cell, row["layer"], len(names)):
            index = {"claim": claim.key, "kind": cell.kind, "initializer": cell.initializer, "scale": cell.scale}
            index |= {"order": cell.order, "name": names[row["layer"]]}
            verdict = decide(claim.holds(row), claim.fails(row))
            rows.append({key: {**row, **index, "verdict": verdict}[key] for key in TESTS})
    return rows


def findings(results: Sequence[CellResults], tests: pl.DataFrame, individual: pl.DataFrame) -> tuple[Finding, ...]:
    """Every claim on the whole, from its tests."""
    found = [_overall(claim, tests.filter(pl.col("claim") == claim.key)) for claim in CLAIMS]
    return (*found, _less_in_cnns(tests), _beyond_statistics(results), *individual_findings(individual))


def _overall(claim: Claim, tests: pl.DataFrame) -> Finding:
    statement = f"{claim.statement} ({claim.source})"
    if not len(tests):
        return Finding(claim.topic, statement, "undecided", "No population with enough filled bins to test it on.")
    verdict = verdict_on(claim, tests["verdict"].to_list())
    counts = {v: int((tests["verdict"] == v).sum()) for v in VERDICTS}
    parts = [
        f"Holds in {counts['holds']}, fails in {counts['fails']}, undecided in {counts['undecided']} of {len(tests)} "
        f"populations and layers. Criterion: {claim.criterion}."
    ]
    for (kind, scale), group in tests.group_by("kind", "scale", maintain_order=True):
        held = int((group["verdict"] == "holds").sum())
        value = _signed(group["value"].median())
        text = f"- {NAMES[kind]}, scale {scale:g}: holds in {held} of {len(group)}; "
        text += f"median {claim.quantity} {value}"
        if group["shuffled_mean"].is_not_null().any():
            text += f", weights shuffled {_signed(group['shuffled_mean'].median())}"
        if group["flipped_mean"].is_not_null().any():
            text += f", signs flipped {_signed(group['flipped_mean'].median())}"
        parts.append(text)
    return Finding(claim.topic, statement, verdict, parts[0] + "\n\n" + "\n".join(parts[1:]))


def groups_table(tests: pl.DataFrame) -> pl.DataFrame:
    """The claims by kind of network and scale: in how many populations and layers each holds, of how many."""
    rows = []
    for claim in CLAIMS:
        row: dict[str, str] = {"claim": claim.statement}
        for kind, scale in product(KINDS, SCALES):
            own = tests.filter((pl.col("claim") == claim.key) & (pl.col("kind") == kind) & (pl.col("scale") == scale))[
                "verdict"
            ].to_list()
            cell = f"{verdict_on(claim, own)}, {own.count('holds')}/{len(own)}"
            row[f"{NAMES[kind]} {scale:g}"] = cell if own else ""
        rows.append(row)
    return pl.DataFrame(rows)


def verdict_on(claim: Claim, verdicts: Sequence[str]) -> Verdict:
    """What the tests of a claim, at least one, make of it."""
    counts = {v: list(verdicts).count(v) for v in VERDICTS}
    if claim.somewhere:
        return decide(counts["holds"] > 0, counts["fails"] == len(verdicts))
    return overall_verdict(counts)


def overall_verdict(counts: dict[str, int]) -> Verdict:
    """Holds or fails where at least `MOST` of the tests do, otherwise undecided."""
    total = sum(counts.values())
    return decide(counts["holds"] >= MOST * total, counts["fails"] >= MOST * total)


def _signed(value: Any) -> str:
    return signed(float(value)) if value is not None else "unknown"


def _less_in_cnns(tests: pl.DataFrame) -> Finding:
    """Each CNN population beside the dense one of the same initial weights and order: medians over layers."""
    keys = ["initializer", "scale", "order"]
    apart = tests.filter(pl.col("claim") == "weights alike").group_by("kind", *keys).agg(pl.col("value").median())
    pairs = (
        apart.filter(pl.col("kind") == "dense")
        .join(apart.filter(pl.col("kind") == "cnn"), on=keys, suffix="_cnn")
        .sort(keys)
    )
    less = [row["value_cnn"] < row["value"] for row in pairs.iter_rows(named=True)]
    counts = {"holds": sum(less), "fails": len(less) - sum(less), "undecided": 0}
    lines = [
        f"- {row['initializer']} {row['scale']:g}, {power(row['order'])}: dense {signed(row['value'])}, "
        f"CNN {signed(row['value_cnn'])}"
        for row in pairs.iter_rows(named=True)
    ]
    return Finding(
        "weights",
        "Link weights tell low- from high-performing CNNs even less than they do dense networks. (section V.B.1, "
        "figure 2)",
        overall_verdict(counts) if less else "undecided",
        f"The median distance over layers is smaller in {sum(less)} of {len(less)} pairs of populations.\n\n"
        + "\n".join(lines),
    )


def _beyond_statistics(results: Sequence[CellResults]) -> Finding:
    """The baseline of plain weight statistics, with the same regressor and split."""
    gains, lines = [], []
    for one in results:
        if one.enough:
            r2 = dict(zip(one.prediction["features"], one.prediction["r2"], strict=True))
            gains.append(r2["strength"] - r2["weight statistics"])
            lines.append(
                f"- {one.cell.title}: strength {r2['strength']:.2f}, weight statistics {r2['weight statistics']:.2f}, "
                f"fluctuation {r2['fluctuation']:.2f}, strength with weights shuffled "
                f"{r2['strength, weights shuffled']:.2f}"
            )
    counts = {"holds": sum(g > MARGIN for g in gains), "fails": sum(g <= MARGIN for g in gains)}
    counts["undecided"] = len(gains) - sum(counts.values())
    verdict = overall_verdict(counts) if gains else "undecided"
    return Finding(
        "controls",
        "Strength tells the accuracy of a network better than plain statistics of its link weights do. (control)",
        verdict,
        f"Better by more than {MARGIN} in R2 in {counts['holds']} of {len(gains)} populations.\n\n" + "\n".join(lines),
    )


def findings_table(found: Sequence[Finding]) -> pl.DataFrame:
    """The claims as a table: `topic`, `statement`, `verdict`, `evidence`."""
    rows = [(one.topic, one.statement, one.verdict, one.evidence) for one in found]
    return pl.DataFrame(rows, schema=["topic", "statement", "verdict", "evidence"], orient="row")
