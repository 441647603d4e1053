"""The report: the question, the answer from the numbers, then the paper's figures and tables in its order."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import Page
from synaplex.studies.machine import Origin
from synaplex.studies.scabini import captions, published
from synaplex.studies.scabini.analysis import STATNN, Results
from synaplex.studies.scabini.figures.relations import layer_averages_interactive
from synaplex.studies.scabini.findings import Finding
from synaplex.studies.scabini.findings.claim import interval, null_of, row_of
from synaplex.studies.scabini.labels import MEASURES
from synaplex.studies.scabini.recipe import INITIALIZER
from synaplex.studies.scabini.selection import RULE

QUESTION = "Does the structure of a network tell how well it performs?"


def page(results: Results, found: tuple[Finding, ...], drawn: Mapping[str, Figure], origin: Origin) -> Page:
    """Put the report together."""
    report = Page(QUESTION, answer(results, found), _facts(results, origin))
    sections = _Sections(report, results, found, drawn)
    sections.verdicts()
    sections.population()
    sections.averages()
    sections.selection()
    sections.types()
    sections.occurrence()
    sections.released()
    sections.controls()
    sections.training()
    sections.robustness()
    sections.initialization()
    sections.method()
    return report


def answer(results: Results, found: tuple[Finding, ...]) -> str:
    """The answer in a few sentences, from the numbers."""
    averages = row_of(results, "prediction", features="layer averages, all eight measures")
    types = row_of(results, "prediction", features="neuron types")
    baseline = row_of(results, "prediction", features=STATNN)
    shuffled = null_of(results, "r2", "layer averages", "shuffled")
    tells = averages["r2_low"] > 0 or types["r2_low"] > 0
    verdicts = {one.statement: one.verdict for one in found if one.topic == "controls"}
    more = "holds" in verdicts.values()
    if not tells:
        short = "No: neither measures nor neuron types predict which networks do well."
    elif more:
        short = "Yes, and more than the mere distribution of its weights does."
    else:
        short = "Somewhat, but no more than the mere distribution of its weights does."
    counts = [sum(one.verdict == verdict for one in found) for verdict in ("holds", "fails", "undecided")]
    return (
        f"**On {results.spec.dataset}: {short}** Scabini and Bruno (2021) trained thousands of networks that differ in "
        "their random initial weights, took each as a weighted graph of neurons, and found that centralities of hidden "
        f"neurons tell good networks from poor ones. Here the same is done with {len(results.seeds)} networks "
        f"{results.spec.network}, and held against null models and plain weight statistics.\n\n"
        f"Layer averages of the eight centralities explain R² = {interval(averages, 'r2')} of the accuracy of unseen "
        f"networks, neuron types {interval(types, 'r2')}. With the weights of each layer shuffled the averages explain "
        f"{shuffled['null_mean']:.2f}; seven statistics of each layer's weights explain {interval(baseline, 'r2')}. "
        f"Of {len(found)} claims tested, {counts[0]} hold, {counts[1]} fail and {counts[2]} stay undecided."
    )


def _facts(results: Results, origin: Origin) -> dict[str, str]:
    spec = results.spec
    left_out = f" ({results.diverged} more diverged and are left out)" if results.diverged else ""
    return {
        "dataset": repr(results.dataset).removeprefix("Dataset(").removesuffix(")").replace("'", ""),
        "networks": f"{len(results.seeds)} of {spec.network}, {spec.network.activation}{left_out}",
        "training": (
            f"uniform weights in [{INITIALIZER.low}, {INITIALIZER.high}], no "
            "bias, SGD "
            f"{spec.optimizer.learning_rate}, batch {spec.batch_size}, {spec.epochs} epochs, "
            f"{spec.loss.replace('_', ' ')}"
            f"{', one random stream for all layers' if spec.shared_stream else ''}"
        ),
        "snapshots": f"{len(spec.snapshots)}, of {len(results.layers)} hidden neurons a network",
        "seed": str(results.settings.seed),
        "wall time": f"{origin.seconds:.0f} s, training included where it was not there yet",
        **origin.machine,
        "command": origin.command,
    }


class _Sections:
    """The sections of the report, one method each."""

    def __init__(self, report: Page, results: Results, found: tuple[Finding, ...], drawn: Mapping[str, Figure]) -> None:
        self._page = report
        self._results = results
        self._found = found
        self._drawn = drawn
        self._tables = results.tables

    def verdicts(self) -> None:
        self._page.section("What holds", captions.VERDICTS)
        table = pl.DataFrame(
            {
                "claim": [one.statement for one in self._found],
                "verdict": [one.verdict for one in self._found],
            }
        )
        self._page.table(table, "Every claim of this page, with what became of it; the evidence is in its section.")

    def population(self) -> None:
        self._page.section("The population", captions.population(self._results))
        self._figure("fig1-network", captions.NETWORK)
        self._figure("fig3-accuracy", captions.accuracy(self._results))
        self._findings("population")

    def averages(self) -> None:
        self._page.section("Layer averages of good and poor networks", captions.AVERAGES)
        self._figure("fig4-layer-averages", captions.PLANES)
        self._page.figure(layer_averages_interactive(self._results), captions.INTERACTIVE, "fig4-all-networks")
        self._figure("fig4-correlations", captions.CORRELATIONS)
        relations = self._tables["relations"].select(
            "measure", "layer", "spearman", "spearman_low", "spearman_high", "p_adjusted", "pearson"
        )
        self._page.table(relations, captions.RELATIONS_TABLE, note=captions.RELATIONS_NOTE)
        self._figure("fig4-separability", captions.SEPARABILITY)
        self._findings("averages")

    def selection(self) -> None:
        rule = RULE.format(redundancy=published.REDUNDANCY)
        self._page.section("Selecting measures", f"{captions.SELECTION}\n\n{rule}")
        costs = pl.DataFrame({"measure": list(MEASURES), "cost": [label.cost for label in MEASURES.values()]})
        steps = costs.join(self._tables["selection"], on="measure", maintain_order="left")
        self._page.table(steps, captions.SELECTION_TABLE)
        self._figure("fig5-correlations", captions.PAIR_TABLE)
        for layer in self._results.averages.layers:
            self._figure(f"fig5-pairs-layer-{layer}", captions.pairs(layer))
        self._findings("selection")

    def types(self) -> None:
        self._page.section("Neuron types", captions.types(self._results))
        self._figure("fig6-elbow", captions.elbow(self._results))
        types = self._tables["types"].with_columns(pl.format("ψ{}", "type").alias("type"))
        self._page.table(types, captions.TYPES_TABLE, note=captions.stability(self._results))
        self._figure("table1-types", captions.centroids(self._results))
        self._page.table(self._tables["types_beside_published"], captions.PUBLISHED_TABLE, digits=2)
        self._findings("types")

    def occurrence(self) -> None:
        self._page.section("Types in good and poor networks", captions.OCCURRENCE)
        self._figure("fig7-occurrence", captions.occurrence(self._results))
        self._page.table(self._tables["occurrence_difference"], captions.DIFFERENCE_TABLE, digits=2)
        self._findings("occurrence")

    def controls(self) -> None:
        self._page.section("Null models and the baseline", captions.controls(self._results))
        self._figure("prediction", captions.prediction(self._results))
        prediction = self._tables["prediction"].select(
            "features", "columns", "r2", "r2_low", "r2_high", "tau", "tau_low", "tau_high", "r2_above_baseline"
        )
        self._page.table(prediction, captions.PREDICTION_TABLE, digits=2)
        self._page.table(_side_by_side(self._tables["nulls"]), captions.NULLS_TABLE, note=captions.NULLS_NOTE)
        self._findings("controls")

    def training(self) -> None:
        self._page.section("While the networks learn", captions.TRAINING)
        self._figure("epochs-correlations", captions.EPOCHS_CORRELATIONS)
        self._figure("epochs-averages", captions.EPOCHS_AVERAGES)
        self._figure("epochs-types", captions.EPOCHS_TYPES)
        self._figure("epochs-groups", captions.EPOCHS_GROUPS)
        self._findings("training")

    def released(self) -> None:
        if "types_beside_released" not in self._tables:
            return
        self._page.section("On the scale of the released data", captions.RELEASED)
        self._figure("table1-released", captions.RELEASED_FIGURE)
        self._page.table(self._tables["types_beside_released"], captions.RELEASED_TABLE)
        self._page.table(self._tables["largest_values"], captions.LARGEST_TABLE)
        self._findings("released")

    def robustness(self) -> None:
        if "robustness" not in self._tables:
            return
        self._page.section("Under attack", captions.robustness(self._results))
        self._figure("robustness", captions.ROBUSTNESS_FIGURE)
        self._findings("robustness")

    def initialization(self) -> None:
        if "initializations" not in self._tables:
            return
        self._page.section("Other initial weights, another loss", captions.INITIALIZATION)
        self._figure("initializations", captions.INITIALIZATION_FIGURE)
        self._page.table(self._tables["initializations"], captions.INITIALIZATION_TABLE)
        self._findings("initialization")

    def method(self) -> None:
        self._page.section("How it was done", captions.method(self._results))
        undefined = self._tables["undefined"]
        if len(undefined):
            self._page.table(undefined, captions.UNDEFINED_TABLE)

    def _figure(self, name: str, caption: str) -> None:
        self._page.figure(self._drawn[name], caption, name)

    def _findings(self, topic: str) -> None:
        for one in self._found:
            if one.topic == topic:
                self._page.finding(one.statement, one.verdict, one.evidence)


def _side_by_side(nulls: pl.DataFrame) -> pl.DataFrame:
    """Both null models in one row, as text."""
    index = ["quantity", "subject", "layer"]
    mean, deviation = pl.col("null_mean").round(3), pl.col("null_deviation").round(3)
    texts = nulls.select(
        *index,
        "observed",
        "null",
        pl.format("{} ± {}", mean, deviation).alias("text"),
        pl.col("z").round(1).cast(pl.String).fill_null("fixed").alias("z"),
    )
    shuffled, flipped = (
        texts.filter(pl.col("null") == name).drop("null").rename({"text": name, "z": f"z_{name}"})
        for name in ("shuffled", "flipped")
    )
    return shuffled.join(flipped.drop("observed"), on=index, nulls_equal=True, maintain_order="left")
