"""The report: the question, the answer from the numbers, then the paper's sections in its order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from matplotlib.figure import Figure

from synaplex.report import Page
from synaplex.studies.la_malfa_2024 import captions
from synaplex.studies.la_malfa_2024.findings import claims_table
from synaplex.studies.la_malfa_2024.reading import reading
from synaplex.studies.la_malfa_2024.recipe import NAMES
from synaplex.studies.la_malfa_2024.results import Results
from synaplex.studies.machine import Origin

QUESTION = "What do neurons receive and send, beyond what their weights say?"


def page(results: Results, drawn: Mapping[str, Figure], origin: Origin) -> Page:
    """Put the report together."""
    report = Page(QUESTION, answer(results), facts(results, origin))
    report.section("What holds", captions.VERDICTS)
    report.text(reading(results))
    report.table(claims_table(results.tests), captions.CLAIMS_TABLE)
    for topic, title in captions.TOPICS.items():
        report.section(title, captions.TOPIC_TEXTS[topic])
        if topic == "performance":
            report.table(results.performance, captions.TABLE_1)
        for name, figure in drawn.items():
            if captions.topic_of(name) == topic:
                report.figure(figure, captions.caption(name), name)
        if topic == "performance":
            for name, table in results.scalings.items():
                report.table(table, f"{name}: {captions.SCALINGS}")
        if topic == "control":
            report.table(results.differentiation, captions.DIFFERENTIATION)
        for one in results.found:
            if one.topic == topic:
                report.finding(one.statement, one.verdict, one.evidence)
    report.section("Every cell and test")
    report.table(results.cells, captions.CELLS)
    report.table(results.tests, captions.TESTS, note=captions.TESTS_NOTE)
    report.section("How it was done", captions.method(results.settings, results.datasets))
    return report


def answer(results: Results) -> str:
    """The answer in a few sentences, from the numbers."""
    counts = Counter(one.verdict for one in results.found)
    tests = results.tests
    verdicts = {row["claim"]: row["verdict"] for row in claims_table(tests).iter_rows(named=True)}
    words = {"holds": "holds", "fails": "does not hold", "undecided": "holds in some cells only"}
    apart = words[verdicts["Nodes Strength does not correlate with Neurons Strength."]]
    matched = words[
        verdicts["FCs: Neurons Strengths of layers 4 and 7 of seven match those of layers 2 and 3 of three."]
    ]
    return (
        f"**That Nodes Strength does not correlate with what neurons receive {apart}; that deep dense networks repeat "
        f"the layers of shallow ones {matched}.** La Malfa et al. (2024) extend strength by the data: Neurons Strength "
        "and Neurons Activation are what neurons receive and send for inputs of the training set. Here "
        f"{sum(one.networks for one in results.field.values())} networks in {len(results.field)} cells are trained, "
        f"observed on {results.settings.sample} inputs each, and every claim is tested beside null models.\n\n"
        f"Of {len(results.found)} claims, {counts['holds']} hold, {counts['fails']} fail and {counts['undecided']} "
        f"come out mixed, from {len(tests):,} tests of single cells and layers."
    )


def facts(results: Results, origin: Origin) -> dict[str, str]:
    """The table under the title."""
    networks = ", ".join(f"{count} {NAMES[kind]}" for kind, count in results.settings.networks)
    return {
        "datasets": "; ".join(results.descriptions),
        "scale": f"{results.scale}: networks a cell {networks} (the paper: 30), {results.settings.sample} inputs each",
        "cells": str(len(results.field))
        + (f"; all networks diverged in {', '.join(results.lost)}" if results.lost else ""),
        "seed": str(results.seed),
        "wall time": f"{origin.seconds:.0f} s, that of earlier runs included for networks that were there",
        **origin.machine,
        "command": origin.command,
    }
