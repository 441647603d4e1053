"""Claims about adversarial samples (the paper's future work)."""

from __future__ import annotations

from synaplex.studies.finding import Finding, decide
from synaplex.studies.scabini.analysis import STATNN, Results
from synaplex.studies.scabini.findings.claim import interval, null_of, null_text, row_of
from synaplex.studies.scabini.robustness import KNOWN

AVERAGES = "layer averages, all eight measures"


def types_tell_robustness(results: Results) -> Finding:
    """Neuron types alone, beside their null model and the baseline."""
    rows = {name: row_of(results, "robustness_prediction", features=name) for name in ("neuron types", AVERAGES)}
    others = {name: row_of(results, "robustness_prediction", features=name) for name in ("accuracy", STATNN)}
    types = rows["neuron types"]
    parts = [f"{name} {interval(row, 'r2')}" for name, row in (rows | others).items()]
    shuffled = null_of(results, "r2", "robustness from neuron types", "shuffled")
    return Finding(
        "robustness",
        "Neuron types tell how well a network bears adversarial samples.",
        decide(types["r2_low"] > 0, types["r2_high"] <= 0),
        f"R² for the share of rightly told samples that stay so under attack: {'; '.join(parts)}. "
        f"Types of shuffled networks: {null_text(shuffled)}.",
    )


def types_add_to_accuracy(results: Results) -> Finding:
    """Neuron types beside what accuracy and weight statistics tell already."""
    names = [f"{KNOWN} and {name}" for name in ("neuron types", AVERAGES)]
    rows = [row_of(results, "robustness_prediction", features=name) for name in names]
    known = row_of(results, "robustness_prediction", features=KNOWN)
    parts = [f"{row['features']} {interval(row, 'r2_above_baseline', 3)}" for row in rows]
    types = rows[0]
    return Finding(
        "robustness",
        "Neuron types say something about robustness that accuracy and weight statistics do not.",
        decide(types["r2_above_baseline_low"] > 0, types["r2_above_baseline_high"] < 0),
        f"R² of {KNOWN}: {interval(known, 'r2')}. Gained: {'; '.join(parts)}.",
    )
