"""The report: the question, the answer from the numbers, then each part with its tables, figures and claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import Page
from synaplex.studies.machine import Origin
from synaplex.studies.structurereps import captions
from synaplex.studies.structurereps.reading import ablation_readable, answer, prediction_readable
from synaplex.studies.structurereps.recipe import TARGETS
from synaplex.studies.structurereps.results import Results
from synaplex.studies.structurereps.splits import EPOCHS, HALF
from synaplex.studies.structurereps.tables import mean_scores, paper_table, readable_networks

QUESTION = "Can a network's performance be read off its graph, and does a learned embedding read it best?"


def page(results: Results, drawn: Mapping[str, Figure], origin: Origin) -> Page:
    """Put the report together."""
    report = Page(QUESTION, answer(results), facts(results, origin))
    for topic, title in captions.TOPICS.items():
        claims = [one for one in results.found if one.topic == topic]
        if not claims:
            continue
        report.section(title, captions.TOPIC_TEXTS[topic])
        for table, caption in sections(results)[topic]:
            report.table(table, caption)
        for name, figure in drawn.items():
            if captions.topic_of(name) == topic:
                report.figure(figure, captions.FIGURES[name], name)
        for one in claims:
            report.finding(one.statement, one.verdict, one.evidence)
    report.section("Every score")
    report.table(results.trajectories, captions.SECONDARY)
    report.table(results.networks, captions.ALL_NETWORKS)
    report.section("How it was done", captions.VERDICTS)
    report.text(captions.method(results.settings, results.tasks, results.population.dataset))
    return report


def sections(results: Results) -> Mapping[str, list[tuple[pl.DataFrame, str]]]:
    """The tables of each section, with their captions."""
    paper = []
    for split in (EPOCHS, HALF):
        for target in TARGETS:
            own = results.trajectories.filter((pl.col("split") == split) & (pl.col("target") == target))
            caption = captions.paper_caption(target, split == HALF, bool((own["undefined"] > 0).any()))
            paper.append((paper_table(own, target, split), caption))
    paper.append((mean_scores(results.trajectories, "split", ("pearson", "kendall", "r2")), captions.MEANS))
    networks = [
        (readable_networks(results.networks, target), captions.NETWORKS.format(target=target)) for target in TARGETS
    ]
    scores = ("pearson", "kendall", "r2", "last")
    networks.append((mean_scores(results.networks, "unseen", scores), captions.NETWORK_MEANS))
    prediction = [
        (prediction_readable(results.prediction), captions.PREDICTION),
        (results.prediction.coverage, captions.COVERAGE),
    ]
    found = {"paper": paper, "networks": networks, "population": prediction, "ablation": [], "shapes": []}
    if results.ablation is not None:
        found["ablation"] = [(ablation_readable(results.ablation), captions.ABLATION)]
    if results.shapes is not None:
        found["shapes"] = [(results.shapes, captions.SHAPES)]
    return found


def facts(results: Results, origin: Origin) -> dict[str, str]:
    """The table under the title."""
    counts = Counter(one.verdict for one in results.found)
    settings = results.settings
    return {
        "tasks": ", ".join(task.title for task in results.tasks),
        "scale": f"{results.scale}: {settings.epochs} epochs, {settings.seeds} seeds, subsampled data, small networks"
        if results.scale == "small"
        else f"{results.scale}: {settings.epochs} epochs, {settings.seeds} seeds",
        "population": f"{results.population.recipe.networks:,} networks {results.population.network} on "
        f"{results.population.dataset}",
        "claims": f"{counts['holds']} hold, {counts['fails']} fail, {counts['undecided']} undecided",
        "seed": str(results.seed),
        "time": f"{origin.seconds / 60:.0f} minutes for all pieces, in this run or an earlier one",
        **origin.machine,
        "command": origin.command,
    }
