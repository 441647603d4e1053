"""The results as a page of the documentation: the paper's claims beside ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product

import polars as pl

from synaplex.studies.finding import signed
from synaplex.studies.la_malfa_2021.claims import CLAIMS, Claim
from synaplex.studies.la_malfa_2021.findings import NAMES, verdict_on
from synaplex.studies.la_malfa_2021.page import Results, facts
from synaplex.studies.la_malfa_2021.recipe import KINDS, SCALES, power
from synaplex.studies.machine import Origin

PUBLISHED = (
    ("best accuracy of the populations", "0.98"),
    ("networks a bin", "at least 50"),
    ("bins of test accuracy", "10, from 0.1 to 1"),
    ("orders of parameters", "10⁴, 10⁵"),
    ("best accuracy of the single network, CIFAR-10", "about 0.7"),
)
"""Numbers that the paper gives; its other results are figures and sentences."""

GROUPS = tuple(product(KINDS, SCALES))
"""Kinds of networks and scales of initial weights, a column each."""


def results_markdown(results: Results, origin: Origin) -> str:
    """The page: provenance, numbers beside the paper's, every claim with its verdict, and what that says."""
    lines = [
        "# La Malfa et al. 2021: learning dynamics by strength and fluctuation",
        "",
        "E. La Malfa, G. La Malfa, G. Nicosia & V. Latora, *Characterizing learning dynamics of deep neural networks "
        "via complex networks*, ICTAI 2021, arXiv:2110.02628. Printed by",
        "",
        f"    {origin.command}",
        "",
        *(f"- {name}: {value}" for name, value in facts(results, origin).items() if name != "command"),
        "",
        "| number | published | here |",
        "| --- | --- | --- |",
        *(f"| {name} | {said} | {own} |" for (name, said), own in zip(PUBLISHED, _ours(results), strict=True)),
        "",
        "## What holds and what does not",
        "",
        *_summary(results),
        "",
        "## Claims about populations",
        "",
        "The paper states its results in words and figures. Here each is a test, with an interval, of every population "
        "and layer to which it applies; a claim holds or fails where at least 80% of its tests do. A cell gives the "
        "verdict, how many tests hold of how many, the median of the deciding number, and the same with the weights "
        "shuffled within each layer.",
        "",
        "| claim | on the whole | " + " | ".join(f"{NAMES[kind]} {scale:g}" for kind, scale in GROUPS) + " |",
        "| --- " * (2 + len(GROUPS)) + "|",
        *(_row(claim, results.tests.filter(pl.col("claim") == claim.key)) for claim in CLAIMS),
        "",
        "The deciding numbers:",
        "",
        *(f"- {claim.statement} *{claim.quantity}*: {claim.criterion}. ({claim.source})" for claim in CLAIMS),
        "",
        "## Other claims",
        "",
        *(line for one in results.found[len(CLAIMS) :] for line in _finding(one.statement, one.verdict, one.evidence)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _ours(results: Results) -> tuple[str, ...]:
    best = max(float(one.bins_table["highest"].max()) for one in results.cells)  # type: ignore[arg-type]
    single = float(results.individual_table["accuracy"].max())  # type: ignore[arg-type]
    return (
        f"{best:.2f}",
        str(results.settings.per_bin),
        "10, from 0 to 1",
        ", ".join(f"{power(order).split()[0]} ({initializer})" for initializer, order in results.settings.populations),
        f"{single:.2f} on {results.individual_dataset.name}",
    )


def _row(claim: Claim, tests: pl.DataFrame) -> str:
    cells = [claim.statement, f"**{verdict_on(claim, tests['verdict'].to_list())}**" if len(tests) else ""]
    for kind, scale in GROUPS:
        own = tests.filter((pl.col("kind") == kind) & (pl.col("scale") == scale))
        if not len(own):
            cells.append("")
            continue
        each = own["verdict"].to_list()
        cell = f"{verdict_on(claim, each)}, {each.count('holds')}/{len(own)}: {_median(own, 'value')}"
        if own["shuffled_mean"].is_not_null().any():
            cell += f", shuffled {_median(own, 'shuffled_mean')}"
        cells.append(cell)
    return f"| {' | '.join(cells)} |"


def _median(tests: pl.DataFrame, column: str) -> str:
    known = tests[column].drop_nulls().drop_nans()
    return signed(float(known.median())) if len(known) else "unknown"  # type: ignore[arg-type]


def _finding(statement: str, verdict: str, evidence: str) -> Iterator[str]:
    first, *rest = evidence.split("\n\n")
    yield f"**{statement}** {verdict.capitalize()}. {first}"
    yield ""
    for part in rest:
        yield part
        yield ""


def _summary(results: Results) -> Iterator[str]:
    """What holds and what does not, in words, from the verdicts."""
    words = {"holds": "On the whole these hold", "fails": "these fail", "undecided": "these come out mixed"}
    parts = []
    for verdict, begin in words.items():
        said = [one.statement.rsplit(" (", 1)[0].rstrip(".") for one in results.found if one.verdict == verdict]
        if said:
            parts.append(f"- **{begin[0].upper() + begin[1:]}.** {'; '.join(said)}.")
    tests = Counter(results.tests["verdict"].to_list())
    yield (
        f"Of {len(results.tests)} single tests {tests['holds']} hold, {tests['fails']} fail and {tests['undecided']} "
        f"stay undecided; with {results.settings.per_bin} networks a bin many intervals are wide."
    )
    yield ""
    yield from parts
    yield ""
    yield reading(results)


def reading(results: Results) -> str:
    """The numbers that matter most, read in a paragraph."""
    tests = results.tests.filter(pl.col("claim") == "beyond shuffled")
    weights = results.tests.filter(pl.col("claim") == "weights alike")
    if not len(tests):
        return "No population has enough filled bins to compare low with high accuracy."
    parts = []
    for scale in SCALES:
        own = tests.filter(pl.col("scale") == scale)
        apart = _median(weights.filter(pl.col("scale") == scale), "value") if len(weights) else "unknown"
        parts.append(
            f"From initial weights of scale {scale:g} the lowest and the highest bin lie {apart} standard deviations "
            f"apart in link weights and {_median(own, 'value')} in strengths (medians over layers), "
            f"{_median(own, 'shuffled_mean')} with the weights of each layer shuffled and "
            f"{_median(own, 'flipped_mean')} with signs flipped."
        )
    value, shuffled, flipped = (float(tests[c].median()) for c in ("value", "shuffled_mean", "flipped_mean"))  # type: ignore[arg-type]
    if shuffled > 2 / 3 * value > 2 * flipped:
        parts.append(
            "Most of what strength shows survives the shuffling and goes with the signs: a sum over many weights makes "
            "a small shift of their mean visible, wherever they are placed."
        )
    strength, again, statistics = (
        float(pl.Series([_r2(one.prediction, name) for one in results.cells if one.enough]).median())  # type: ignore[arg-type]
        for name in ("strength", "strength, weights shuffled", "weight statistics")
    )
    parts.append(
        f"Accuracy is predicted from strengths with an R² of {strength:.2f}, from strengths of shuffled weights with "
        f"{again:.2f}, from plain weight statistics with {statistics:.2f} (medians over populations)."
    )
    return " ".join(parts)


def _r2(prediction: pl.DataFrame, features: str) -> float:
    return float(prediction.filter(pl.col("features") == features)["r2"].item())
