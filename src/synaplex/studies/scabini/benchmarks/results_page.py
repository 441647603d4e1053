"""The results as a page of the documentation: every number of tables 1 and 2 beside ours, every claim tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from synaplex.studies.finding import Finding, minus
from synaplex.studies.machine import Origin
from synaplex.studies.scabini import published
from synaplex.studies.scabini.benchmarks.benchmark import TITLES, Benchmark
from synaplex.studies.scabini.benchmarks.claims import reading
from synaplex.studies.scabini.benchmarks.divergence import HALF, UNTRAINED, readings
from synaplex.studies.scabini.labels import MEASURES
from synaplex.studies.scabini.recipe import INITIALIZER

IMAGES = "scabini"
"""Folder of the images, beside the page."""

TOPICS = {
    "population": "The population (figure 3)",
    "averages": "Layer averages (figure 4)",
    "selection": "Selecting measures (figure 5)",
    "types": "Neuron types (figure 6, table 1)",
    "occurrence": "Types in good and poor networks (figure 7)",
    "controls": "Null models and the baseline",
    "training": "While the networks learn",
    "robustness": "Under attack",
    "released": "On the scale of the released data",
    "initialization": "Other initial weights, another loss",
}
"""Topics of claims about one benchmark, in the order of the page."""


@dataclass(frozen=True, eq=False)
class Combined:
    """Everything the page tells.

    Attributes
    ----------
    benchmarks
        Whose networks were analysed, in the order asked for.
    missing
        Benchmarks of the paper that were not, with the reason.
    divergences, transfers
        See `divergence` and `transfer`.
    found
        Claims about several benchmarks.
    shown
        The benchmark that figures of one benchmark are of.
    """

    benchmarks: Sequence[Benchmark]
    missing: Mapping[str, str]
    divergences: pl.DataFrame
    transfers: pl.DataFrame
    found: tuple[Finding, ...]
    shown: str


def results_markdown(results: Combined, origin: Origin, drawn: Sequence[str]) -> str:
    """The page, with an image for each name drawn."""
    parts = [
        _head(results, origin),
        _image(drawn, "fig2-samples", "Figure 2: test images of each class."),
        _image(drawn, "fig3-accuracy", "Figure 3: test accuracy."),
        _table_1(results.benchmarks),
        _image(drawn, "table1-types", "Table 1: centroids here (solid) and published (dotted)."),
        _image(drawn, "fig6-elbow", "Figure 6: inertia over the number of types."),
        _image(drawn, "fig7-occurrence", "Figure 7: types in the worst, median and best networks."),
        _released(results.benchmarks),
        _table_2(results),
        _image(drawn, "table2-divergence", "Table 2: divergences here and published."),
        _image(drawn, "fig4-layer-averages", f"Figure 4 on {results.shown}: the best and the worst networks."),
        _image(drawn, "fig5-correlations", f"Figure 5 on {results.shown}: correlations between measures."),
        _together(results),
        _matrix(results.benchmarks),
        *(
            _image(drawn, name, text.format(results.shown, results.benchmarks[0].title))
            for name, text in (
                ("prediction", "Prediction of accuracy from structure and from weight statistics ({0})."),
                ("epochs-types", "When types form ({0})."),
                ("epochs-groups", "The later groups over the epochs ({0})."),
                ("robustness", "Networks under attack ({0})."),
                ("initializations", "Other initial weights, another loss ({1})."),
            )
        ),
        _evidence(results.benchmarks),
    ]
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head(results: Combined, origin: Origin) -> Iterator[str]:
    yield "# Scabini & Bruno 2021: structure and performance"
    yield ""
    yield (
        "L. F. S. Scabini & O. M. Bruno, *Structure and performance of fully connected neural networks: Emerging "
        "complex network properties*, arXiv:2107.14062. Printed by"
    )
    yield ""
    yield f"    {origin.command}"
    yield ""
    yield from (f"- {name}: {value}" for name, value in origin.machine.items())
    spec = results.benchmarks[0].population.spec
    stream = "all layers of a network drawn from one stream" if spec.shared_stream else "a stream for each layer"
    yield (
        f"- networks: {spec.network}, uniform weights from {INITIALIZER.low} to {INITIALIZER.high} ({stream}), no "
        f"bias, SGD {spec.optimizer.learning_rate}, batch {spec.batch_size}, {spec.loss.replace('_', ' ')}"
    )
    yield ""
    yield "| benchmark | dataset | networks | diverged | epochs | seed | test accuracy | lowest to highest |"
    yield "| --- " * 8 + "|"
    for one in results.benchmarks:
        spec, values = one.population.spec, one.accuracy
        diverged = one.population.networks().filter(pl.col("epoch") == spec.epochs, pl.col("test_accuracy").is_null())
        yield (
            f"| {one.title} | `{one.dataset}` | {len(one.seeds)} | {diverged.height} | {spec.epochs} | "
            f"{spec.data_seed} | {values.mean():.2%} ± {values.std():.2%} | {values.min():.2%} to {values.max():.2%} |"
        )
    yield ""
    size = max(len(one.seeds) for one in results.benchmarks)
    yield (
        f"The paper trains 1,000 networks a benchmark and compares the best and worst 100. With {size} networks the "
        f"groups are the best and worst {max(size // 10, 5)}: intervals are wider, and what is said of a hundred is "
        "said of those."
    )
    yield ""
    for title, reason in results.missing.items():
        yield f"- **{title} is missing**: {reason}. Its rows and columns below are left out, not guessed."
    yield ""


def _table_1(benchmarks: Sequence[Benchmark]) -> Iterator[str]:
    yield "## Table 1: the six neuron types"
    yield ""
    yield (
        "Centroids found here, the published ones in brackets; types in order of strength, each population on its own "
        "scale (the largest values of its networks), as in the paper. The last row is the share of each type."
    )
    yield ""
    for one in benchmarks:
        theirs = published.table_1().filter(pl.col("benchmark") == one.paper)
        yield f"| {one.title} | " + " | ".join(f"ψ{t}" for t in range(1, published.TYPES + 1)) + " |"
        yield "| --- " * (published.TYPES + 1) + "|"
        for measure in published.KEPT:
            ours = one.tables["types"][measure].to_list()
            there = theirs[measure].to_list() if theirs.height else [None] * len(ours)
            cells = [_both(a, b) for a, b in zip(ours, there, strict=True)]
            yield f"| {MEASURES[measure].plain} | " + " | ".join(cells) + " |"
        yield "| share | " + " | ".join(f"{share:.1%}" for share in one.tables["types"]["share"]) + " |"
        yield ""
    yield "Root mean squared difference of all 18 numbers:"
    yield ""
    for one in benchmarks:
        distances = one.tables["type_distances"].filter(pl.col("first") == "here")
        parts = [f"{TITLES[row['second']]} {row['distance']:.3f}" for row in distances.iter_rows(named=True)]
        yield f"- {one.title} here to published {', '.join(parts)}"
    among = benchmarks[0].tables["type_distances"].filter(pl.col("first") != "here")["distance"].to_list()
    yield f"- the published among themselves {min(among):.3f} to {max(among):.3f}"
    yield ""


def _released(benchmarks: Sequence[Benchmark]) -> Iterator[str]:
    tables = [one.tables["types_beside_released"] for one in benchmarks if "types_beside_released" in one.tables]
    if not tables:
        return
    table = tables[0]
    yield "### MNIST on the scale of the released data"
    yield ""
    yield (
        "The released data tell the constants its neurons were divided by, and the centroids to four digits (in "
        "brackets). “Shared” are networks whose layers all start from one random sequence, as the released ones do."
    )
    yield ""
    for (networks, rows), part in table.group_by("networks", "rows", maintain_order=True):
        yield f"| {networks}, {rows} | " + " | ".join(f"ψ{t}" for t in range(1, published.TYPES + 1)) + " |"
        yield "| --- " * (published.TYPES + 1) + "|"
        for measure in published.KEPT:
            chosen = part.filter(pl.col("measure") == measure).sort("type")
            pairs = zip(chosen["here"], chosen["released"], strict=True)
            yield f"| {MEASURES[measure].plain} | " + " | ".join(_both(a, b, 3) for a, b in pairs) + " |"
        shares = part.filter(pl.col("measure") == published.KEPT[0]).sort("type")["share"]
        yield "| share | " + " | ".join(f"{share:.1%}" for share in shares) + " |"
        yield ""


def _table_2(results: Combined) -> Iterator[str]:
    targets = [one.paper for one in results.benchmarks]
    yield "## Table 2: divergences between vocabularies"
    yield ""
    yield (
        "The Jensen-Shannon divergence between the frequencies of a network's neuron types in the words of its own "
        "benchmark and in those of another: mean ± standard deviation over the networks of the column; rows are "
        f"vocabularies. “{HALF.capitalize()}”: the own vocabulary found twice, on halves of the networks, which is "
        f"chance; “{UNTRAINED}”: found on the same networks before training. The paper says neither the base of the "
        "logarithm nor whether it took the square root, nor on whose scale neurons are; all are printed."
    )
    yield ""
    index = ["scale", "base", "root"]
    for key, part in results.divergences.group_by(index, maintain_order=True):
        scale, base, root = key
        what = reading({"scale": scale, "base": base, "root": root})
        yield f"| {what} | " + " | ".join(TITLES.get(name, name) for name in targets) + " |"
        yield "| --- " * (len(targets) + 1) + "|"
        known = {(row["vocabulary"], row["target"]): row for row in part.iter_rows(named=True)}
        for vocabulary in [*targets, HALF, UNTRAINED]:
            cells = ["0" if vocabulary == target else _cell(known.get((vocabulary, target))) for target in targets]
            if any(cells):
                yield f"| {TITLES.get(vocabulary, vocabulary)} | " + " | ".join(cells) + " |"
        yield ""
    fits = readings(results.divergences)
    if fits.height:
        yield "Which reading fits the paper: root mean squared differences over the pairs both have, the best first."
        yield ""
        yield "| reading | pairs | mean here | mean published | means apart | deviations apart |"
        yield "| --- " * 6 + "|"
        for row in fits.iter_rows(named=True):
            yield (
                f"| {reading(row)} | {row['pairs']} | {row['here']:.3f} | {row['published']:.3f} | "
                f"{row['apart']:.3f} | "
                f"{row['deviations_apart']:.3f} |"
            )
        yield ""


def _together(results: Combined) -> Iterator[str]:
    if not results.found:
        return
    yield "## All benchmarks together"
    yield ""
    for one in results.found:
        yield from _finding(one.statement, one.verdict, one.evidence)


def _matrix(benchmarks: Sequence[Benchmark]) -> Iterator[str]:
    yield "## Claims"
    yield ""
    yield (
        "Every claim is a test that can fail, the same for all benchmarks; the evidence, with null models and the "
        "baseline of weight statistics, follows below."
    )
    yield ""
    yield "| claim | " + " | ".join(one.title for one in benchmarks) + " |"
    yield "| --- " * (len(benchmarks) + 1) + "|"
    verdicts = [dict(one.tables["findings"].select("statement", "verdict").iter_rows()) for one in benchmarks]
    for statement in _statements(benchmarks):
        yield f"| {statement} | " + " | ".join(each.get(statement, "") for each in verdicts) + " |"
    counts = [Counter(each.values()) for each in verdicts]
    total = [f"{c['holds']} hold, {c['fails']} fail, {c['undecided']} undecided" for c in counts]
    yield "| **total** | " + " | ".join(total) + " |"
    yield ""


def _evidence(benchmarks: Sequence[Benchmark]) -> Iterator[str]:
    tables = {one.title: one.tables["findings"] for one in benchmarks}
    topics = {topic for table in tables.values() for topic in table["topic"]}
    for topic, heading in TOPICS.items():
        if topic not in topics:
            continue
        yield f"## {heading}"
        yield ""
        for statement in _statements(benchmarks, topic):
            yield f"**{statement}**"
            yield ""
            for title, table in tables.items():
                for row in table.filter(pl.col("statement") == statement).iter_rows(named=True):
                    yield f"- {title}: *{row['verdict']}*. {row['evidence']}"
            yield ""


def _statements(benchmarks: Iterable[Benchmark], topic: str | None = None) -> list[str]:
    """The claims in the order of the page, each once."""
    rows = pl.concat([one.tables["findings"].select("topic", "statement") for one in benchmarks])
    chosen = rows if topic is None else rows.filter(pl.col("topic") == topic)
    return list(dict.fromkeys(chosen["statement"].to_list()))


def _finding(statement: str, verdict: str, evidence: str) -> Iterator[str]:
    yield f"**{statement}** {verdict.capitalize()}. {evidence}"
    yield ""


def _image(drawn: Sequence[str], name: str, text: str) -> Iterator[str]:
    if name in drawn:
        yield f"![{text}]({IMAGES}/{name}.png)"
        yield ""


def _both(ours: float, theirs: float | None, decimals: int = 2) -> str:
    """A number with the published one in brackets."""
    text = f"{ours:.{decimals}f}" + ("" if theirs is None else f" ({theirs:.{decimals}f})")
    return minus(text)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    text = f"{row['mean']:.2f} ± {row['standard_deviation']:.2f}"
    if row["published_mean"] is not None:
        text += f" ({row['published_mean']:.2f} ± {row['published_deviation']:.2f})"
    return text
