"""The paper's claims, and the doubts about them, as tested statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from synaplex.studies.finding import Finding
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.findings import averages, controls, initialization, released, robustness, training, types

__all__ = ["Finding", "findings", "findings_table"]

CLAIMS: tuple[Callable[[Results], Finding], ...] = (
    averages.spread,
    averages.separable,
    averages.related,
    averages.same_in_both_layers,
    averages.unrelated,
    averages.poorer_have_more,
    averages.redundant,
    averages.selected,
    types.six_types,
    types.published_types,
    types.fourth_stands_out,
    types.third_most_common,
    types.third_differs_most,
    types.poor_have_fourth,
    controls.beyond_shuffled,
    controls.beyond_statistics,
    controls.adds_to_statistics,
    controls.types_emerge,
    controls.foretold,
    training.types_form_early,
    training.third_over_training,
    training.poor_from_the_start,
)
"""Each makes one finding from the results: the paper's claims in its order, then the controls."""

WHERE_MEASURED: Mapping[str, tuple[Callable[[Results], Finding], ...]] = {
    "types_beside_released": (
        released.centroids_agree,
        released.elbow_on_released_scale,
        released.third_on_released_scale,
    ),
    "robustness_prediction": (robustness.types_tell_robustness, robustness.types_add_to_accuracy),
}
"""Claims that need a table which not every run of the study has."""


def findings(results: Results) -> tuple[Finding, ...]:
    """Every claim, tested on these results."""
    more = [claim for table, claims in WHERE_MEASURED.items() if table in results.tables for claim in claims]
    return tuple(claim(results) for claim in (*CLAIMS, *more, *initialization.claims(results)))


def findings_table(found: tuple[Finding, ...]) -> pl.DataFrame:
    """The claims as a table: `topic`, `statement`, `verdict`, `evidence`."""
    rows = [(one.topic, one.statement, one.verdict, one.evidence) for one in found]
    return pl.DataFrame(rows, schema=["topic", "statement", "verdict", "evidence"], orient="row")
