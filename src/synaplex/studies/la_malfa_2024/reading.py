"""The numbers that matter most, read in words."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from synaplex.studies.la_malfa_2024.claims import CLAIMS
from synaplex.studies.la_malfa_2024.findings import count, median, overall_verdict
from synaplex.studies.la_malfa_2024.results import Results
from synaplex.studies.la_malfa_2024.versions import NULL_VERSIONS


def reading(results: Results) -> str:
    """What holds, what fails, and which of it null models meet as well, as a list."""
    return "\n".join(f"- {line}" for line in (*_verdicts(results), *_numbers(results)))


def _verdicts(results: Results) -> Iterator[str]:
    """Claims by what became of them; of those that hold, which null models meet too."""
    named: dict[str, list[str]] = {"holds": [], "trivial": [], "fails": [], "undecided": []}
    for claim in CLAIMS:
        own = results.tests.filter((pl.col("claim") == claim.key) & pl.col("published"))
        verdict = overall_verdict(own["verdict"].to_list())
        met = [
            name for name in NULL_VERSIONS if overall_verdict(own[f"{name}_verdict"].drop_nulls().to_list()) == "holds"
        ]
        text = claim.statement.rstrip(".")
        if verdict == "holds" and met:
            named["trivial"].append(f"{text} ({', '.join(met)})")
        else:
            named[verdict].append(text)
    words = {
        "holds": "These hold, and no null model meets them",
        "trivial": "These hold, but of null models as well (in brackets), so that they say nothing of learning",
        "fails": "These fail",
        "undecided": "These come out mixed",
    }
    for outcome, begin in words.items():
        if named[outcome]:
            yield f"**{begin}.** {'; '.join(named[outcome])}."


def _numbers(results: Results) -> Iterator[str]:
    tests = results.tests
    nodes = tests.filter(pl.col("claim") == "node-strength")
    if len(nodes):
        first, later = nodes.filter(pl.col("layer") == 2), nodes.filter(pl.col("layer") > 2)
        yield (
            f"**Nodes Strength and Neurons Strength.** Their correlation has a median of {median(first, 'value')} in "
            f"first hidden layers and {median(later, 'value')} in later ones; untrained {median(first, 'untrained')} "
            f"and {median(later, 'untrained')}, weights shuffled {median(first, 'shuffled')} and "
            f"{median(later, 'shuffled')}. It stays within 0.3 in {count(nodes)} cells and layers. Inputs whose mean "
            "is not zero bring each neuron its Nodes Strength times that mean."
        )
    humps, node = (tests.filter(pl.col("claim") == key) for key in ("CNN humps", "CNN node humps"))
    if len(humps):
        yield (
            f"**Spikes of CNNs.** Nodes Strength of convolutional layers has two humps in {count(node)} cells, "
            f"untrained in {count(node, 'untrained_verdict')}: all neurons of a channel share a kernel, so their Nodes "
            "Strength takes as many values as there are channels, whatever was learned. Neurons Strength: in "
            f"{count(humps)}, untrained {count(humps, 'untrained_verdict')}."
        )
    for name, table in results.scalings.items():
        rows = {row["images"]: row for row in table.iter_rows(named=True)}
        published = next(
            (row["published"] for row in results.performance.iter_rows(named=True)
             if row["dataset"] == name and row["network"] == "AE"), ""
        )  # fmt: skip
        if published:
            unit, standard = rows["[0, 1]"], rows["mean 0, variance 1"]
            yield (
                f"**Errors of autoencoders on {name}.** Published: {published}. The mean image alone has "
                f"{unit['mean image']:.3f} for images in [0, 1] and {standard['mean image']:.3f} for standardised "
                f"ones, where no output in [0, 1] comes below {standard['best output in [0, 1]']:.2f}. Ours with "
                f"sigmoid outputs: {unit['sigmoid outputs, here']} and {standard['sigmoid outputs, here']}; with "
                f"linear outputs {unit['linear outputs, here']} and {standard['linear outputs, here']}."
            )
    table = results.differentiation
    if len(table):
        means = {name: float(table[name].mean()) for name in table.columns[2:]}  # type: ignore[arg-type]
        said = ", ".join(f"{name} {value:.2f}" for name, value in means.items())
        yield f"**Telling networks apart** (mean accuracy over architecture, activation and depth): {said}."
