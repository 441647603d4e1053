"""The report: the question, the answer from the numbers, then the paper's figures in its order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from matplotlib.figure import Figure

from synaplex.datasets import Dataset
from synaplex.report import Page
from synaplex.studies.finding import Finding
from synaplex.studies.la_malfa_2021 import captions
from synaplex.studies.la_malfa_2021.analysis import CellResults
from synaplex.studies.la_malfa_2021.findings import groups_table
from synaplex.studies.la_malfa_2021.population import Moments
from synaplex.studies.la_malfa_2021.recipe import Settings
from synaplex.studies.machine import Origin

QUESTION = "Do strength and fluctuation show what link weights hide of learning?"


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that was found.

    Attributes
    ----------
    dataset, individual_dataset
        Of the populations, and of the single network.
    settings, scale, seed
        Of the run.
    cells
        The populations.
    individual, individual_table
        The single network.
    tests
        Each claim on each population and layer.
    found
        Each claim on the whole.
    """

    dataset: Dataset
    individual_dataset: Dataset
    settings: Settings
    scale: str
    seed: int
    cells: tuple[CellResults, ...]
    individual: Moments
    individual_table: pl.DataFrame
    tests: pl.DataFrame
    found: tuple[Finding, ...]


def page(results: Results, drawn: Mapping[str, Figure], origin: Origin) -> Page:
    """Put the report together."""
    report = Page(QUESTION, answer(results), facts(results, origin))
    report.section("What holds", captions.VERDICTS)
    report.table(
        pl.DataFrame(
            {"claim": [one.statement for one in results.found], "verdict": [one.verdict for one in results.found]}
        ),
        "Every claim, with what became of it; the evidence is in its section.",
    )
    report.table(groups_table(results.tests), captions.GROUPS_TABLE)
    report.section("The populations", captions.populations(results.settings, results.dataset.name))
    report.table(bins_table(results), captions.BINS_TABLE)
    report.section("What tells low from high accuracy", captions.DISTANCES_TEXT)
    report.figure(drawn["distances"], captions.DISTANCES, "distances")
    for topic, title in captions.TOPICS.items():
        report.section(title, captions.TOPIC_TEXTS[topic])
        for name, figure in drawn.items():
            if captions.belongs(name, topic):
                report.figure(figure, captions.caption(name), name)
        for one in results.found:
            if one.topic == topic:
                report.finding(one.statement, one.verdict, one.evidence)
        if topic == "individual":
            report.table(results.individual_table, captions.INDIVIDUAL_TABLE)
    report.section("Every test", captions.TESTS_TEXT)
    report.table(results.tests, captions.TESTS_TABLE, note=captions.TESTS_NOTE)
    report.section("How it was done", captions.method(results.settings, results.individual_dataset.name))
    return report


def answer(results: Results) -> str:
    """The answer in a few sentences, from the numbers."""
    counts = Counter(one.verdict for one in results.found)
    verdicts = {one.statement.split(" (")[0]: one.verdict for one in results.found}
    alike = verdicts["Link weights hardly tell low- from high-performing networks."]
    more = next(v for s, v in verdicts.items() if s.startswith("Nodes Strength tells low-"))
    control = next(v for s, v in verdicts.items() if s.startswith("Strength tells the accuracy"))
    words = {"holds": "holds", "fails": "does not hold", "undecided": "holds in some populations and layers only"}
    return (
        f"**On {results.dataset.name}: that link weights look alike at low and high accuracy {words[alike]}; that "
        f"strength tells more than the weights {words[more]}; that it tells more than plain weight statistics "
        f"{words[control]}.** La Malfa et al. (2021) trained populations of dense and convolutional networks, sorted "
        "them by test accuracy, and read link weights, the strength of neurons and its fluctuation within layers. Here "
        f"{len(results.cells)} populations of {results.settings.networks} networks are dealt out to ten bins, "
        f"{results.settings.per_bin} a bin (the paper: at least 50), and every claim is tested beside null models.\n\n"
        f"Of {len(results.found)} claims, {counts['holds']} hold, {counts['fails']} fail and {counts['undecided']} "
        f"stay undecided, from {len(results.tests)} tests of single populations and layers."
    )


def facts(results: Results, origin: Origin) -> dict[str, str]:
    """The table under the title."""
    chosen = results.settings
    return {
        "dataset": repr(results.dataset).removeprefix("Dataset(").removesuffix(")"),
        "single network on": results.individual_dataset.name,
        "scale": f"{results.scale}: {chosen.per_bin} networks a bin, {chosen.compositions} compositions of the bins",
        "networks": f"{len(results.cells)} populations of {chosen.networks}",
        "seed": str(results.seed),
        "wall time": f"{origin.seconds:.0f} s, training included where it was not there yet",
        **origin.machine,
        "command": origin.command,
    }


def bins_table(results: Results) -> pl.DataFrame:
    """A row a population: its network, and how many networks each bin holds in every composition."""
    rows = []
    for one in results.cells:
        row: dict[str, object] = {"population": one.cell.title, "network": str(one.moments.plan)}
        row["parameters"] = one.moments.plan.specification.parameters
        row |= {f"{b / 10:.1f}": n for b, n in zip(one.bins_table["bin"], one.bins_table["networks"], strict=True)}
        rows.append(row | {"best": one.bins_table["highest"].max()})
    return pl.DataFrame(rows)
