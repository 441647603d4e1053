"""`sx.report`: a page on one model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import polars as pl

from synaplex import __version__
from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph
from synaplex.measures import link_weights
from synaplex.measures.table import Selection
from synaplex.report import bottlenecks, diagnosis, model_figures, style
from synaplex.report.cells import count
from synaplex.report.files import check_writable
from synaplex.report.measuring import chosen, measure_each, readings
from synaplex.report.network import check_network
from synaplex.report.page import Page
from synaplex.report.summary import layer_summary, measure_columns

MEASURES = (
    "strength",
    "in_strength",
    "out_strength",
    "neighbor_strength",
    "disparity",
    "bipartite_clustering",
    "maximal_cliques",
    "current_flow_closeness",
    "second_order_centrality",
    "harmonic_centrality",
    "laplacian_centrality",
    "log_subgraph_centrality",
)
"""What a page shows by default; of subgraph centrality the logarithm, which no network overflows."""

MOST_OUTLIERS = 50
"""Rows of the table of outliers."""


def report(
    graph: NeuralGraph,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "A network and its neurons",
    measures: Selection | None = None,
    facts: Mapping[str, str] | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Page:
    """A page on one model: layers, weights, measures, hubs, weak and dead neurons, outliers, bottlenecks.

    Nothing stops the page: a measure that is undefined, or too large to compute, stands on it as a note with the
    reason. Large networks are thinned in figures, and the captions say so.

    Parameters
    ----------
    graph
        A single network; of a batch, pass ``graph.network(k)``.
    path
        Where to write the page; by default it is only returned.
    title
        The heading.
    measures
        A measure's name, names, or a mapping of names to options, as in `synaplex.measure`; by default `MEASURES`.
        Measures that ask for a connected graph are computed within each
        component.
    facts
        More rows for the small table under the title.
    seed
        Of the random order that effective ranks are compared with.
    progress
        Called with what is being computed.

    Returns
    -------
    Page
        To which more sections can be added before `Page.save`.

    Raises
    ------
    SpecificationError
        If it is no graph, or a batch.
    InvalidGraphError
        If its weights have no values, as on the meta device.
    UnknownNameError
        If a measure does not exist.
    UnwritableFileError
        If the page cannot be written, before anything is computed where that can be told.

    Notes
    -----
    Cost: that of the measures, and two singular value problems a link.
    """
    check_network(graph, "this network")
    if graph.networks is not None:
        raise SpecificationError(
            f"a page is about one network, and this is a batch of {graph.networks}: pass graph.network(k)"
        )
    wanted = MEASURES if measures is None else measures
    chosen(wanted)  # refuses a name that is none before any work
    if path is not None:
        check_writable(path)
    tell = progress or (lambda _: None)
    edges = sum(link.edge_count for link in graph.links)
    known = {
        "layers": "-".join(map(str, graph.sizes)) if len(graph.layers) <= 12 else f"{len(graph.layers)}",
        "neurons": f"{graph.neurons:,}",
        "edges": f"{edges:,}",
        "weights": ", ".join(sorted({str(link.dtype).removeprefix("torch.") for link in graph.links})) or "none",
        "version": f"Synaplex {__version__}",
    }
    page = Page(title, _lead(graph, edges), {**known, **(facts or {})})
    tell("the network")
    _network(page, graph)
    _weights(page, graph)
    frame = _measures(page, graph, wanted, tell)
    tell("hubs, weak neurons, outliers")
    _hubs(page, graph)
    _weak(page, graph)
    _outliers(page, frame)
    tell("bottlenecks")
    _bottlenecks(page, graph, seed)
    if path is not None:
        page.save(path)
    return page


def _lead(graph: NeuralGraph, edges: int) -> str:
    counts = f"**{count(graph.neurons, 'neuron')}** in {count(len(graph.layers), 'layer')}, **{count(edges, 'edge')}**"
    return f"{counts}: what the weights alone say about each neuron, read as a weighted graph."


def _network(page: Page, graph: NeuralGraph) -> None:
    page.section("The network")
    page.figure(
        style.adopt(graph.draw()),
        "**The network drawn.** Blue edges have positive, vermilion ones negative weights; the larger |w|, the "
        "wider. A large network is thinned: evenly spaced neurons of each layer, and the edges with the largest |w| "
        "between them.",
        "network",
    )
    incoming: dict[int, list[str]] = {}
    for link in graph.links:
        incoming.setdefault(link.target, []).append(f"{graph.layers[link.source].name} ({type(link).__name__})")
    into = [sum(link.edge_count for link in graph.links if link.target == i) for i in range(len(graph.layers))]
    space = [
        sum(link.in_size * link.out_size for link in graph.links if link.target == i) for i in range(len(graph.layers))
    ]
    layers = pl.DataFrame(
        {
            "layer": list(range(len(graph.layers))),
            "name": [layer.name for layer in graph.layers],
            "role": [layer.role for layer in graph.layers],
            "shape": [list(layer.shape) for layer in graph.layers],
            "neurons": list(graph.sizes),
            "fed by": [", ".join(incoming.get(i, [])) for i in range(len(graph.layers))],
            "incoming edges": into,
            "density": [edges / pairs if pairs else None for edges, pairs in zip(into, space, strict=True)],
        }
    )
    page.table(layers, "**Layers.** Density is the share of pairs of neurons that an edge joins.")
    coverage = graph.coverage()
    left = coverage.filter(pl.col("outcome") == "left out").height
    note = f"{count(left, 'tensor')} left out of the graph." if left else "No tensor is left out of the graph."
    page.table(coverage, "**Coverage.** What became of each parameter tensor of the model.", note=note)


def _weights(page: Page, graph: NeuralGraph) -> None:
    page.section("Weights")
    if not graph.links:
        page.text("This graph has no links.")
        return
    page.figure(
        model_figures.weights_figure(graph),
        f"**Distribution of the weights of each link**, as shares of its edges.{_thinning(graph)}",
        "weights",
    )
    statistics = link_weights(graph).drop("source", "target", "quantile_25", "quantile_75")
    note = "Kurtosis is 3 for a Gaussian; positive is the share of edges with a positive weight."
    page.table(statistics, "**Weights of each link.** Every edge counted; an exact zero is no edge.", note=note)


def _thinning(graph: NeuralGraph) -> str:
    notes = []
    if len(graph.links) > model_figures.MOST_PANELS:
        notes.append(f" The first {model_figures.MOST_PANELS} of {len(graph.links):,} links.")
    if any(link.weights.numel() > model_figures.MOST_WEIGHTS for link in graph.links):
        notes.append(
            f" Of links with more than {model_figures.MOST_WEIGHTS:,} weights, evenly spaced ones are counted."
        )
    return "".join(notes)


def _measures(page: Page, graph: NeuralGraph, names: Selection, tell: Callable[[str], None]) -> pl.DataFrame:
    page.section(
        "Measures of neurons",
        "Each measure describes a neuron by its place in the weighted graph. Values say how a neuron is wired, not "
        "what it does.",
    )
    frame, notes, read = measure_each(graph, names, tell)
    layers = len(graph.layers)
    few = f" The first {model_figures.MOST_PANELS} of {layers} layers." if layers > model_figures.MOST_PANELS else ""
    if measure_columns(frame):
        page.figure(
            model_figures.measures_figure(frame),
            "**Distribution of each measure within each layer** (0 is the input). Points are neurons, at most 150 "
            "evenly spaced ones of a layer; the bar spans the middle half, with the median in it. Scales are "
            f"logarithmic where values spread far.{few}",
            "measures",
        )
        choice = model_figures.neurons_figure(frame)
        if choice is not None:
            thinned = (
                f" {model_figures.MOST_POINTS:,} of {len(frame):,} neurons."
                if len(frame) > model_figures.MOST_POINTS
                else ""
            )
            page.figure(
                choice,
                "**Each neuron by two measures.** Choose them above the figure; click a layer in the legend to hide "
                f"it; point at a neuron to see which it is.{thinned}",
                "neurons",
            )
    page.table(layer_summary(frame), "**Measures by layer.** Undefined values are counted, and left out of the rest.")
    page.table(readings(read), "**How each measure read the graph.**")
    if notes:
        rows = [{"measure": name, "why": why} for name, why in notes.items()]
        page.table(pl.DataFrame(rows), "**Measures without a value**, for the whole network or for some neurons.")
    return frame


def _hubs(page: Page, graph: NeuralGraph) -> None:
    found = diagnosis.hubs(graph)
    strong = len(diagnosis.hubs(graph, graph.neurons).filter(pl.col("of_median") > diagnosis.HUB))
    page.section(
        "Hubs",
        f"**{count(strong, 'neuron') if strong else 'No neuron'}** with more than {diagnosis.HUB:g} times the median "
        f"of the layer, counting the sum of |w| over all edges. Layers of fewer than {diagnosis.FEWEST} neurons are "
        "left out.",
    )
    page.figure(
        model_figures.strength_figure(diagnosis.connections(graph)),
        "**Sum of |w| of the neurons of each layer**, in falling order. A steep left end shows hubs, a drop at the "
        "right end weak neurons.",
        "strengths",
    )
    page.table(found, "**The strongest neurons of each layer**, as multiples of their layer's median.")


def _weak(page: Page, graph: NeuralGraph) -> None:
    weak = diagnosis.weak_neurons(graph)
    page.section("Weak and dead neurons", _weak_text(weak, graph.neurons))
    if len(weak):
        page.table(weak, "**Weak and dead neurons.**")


def _weak_text(weak: pl.DataFrame, neurons: int) -> str:
    explained = (
        "Listed are neurons without incoming or outgoing edges, those whose sum of |w| is below "
        f"{100 * diagnosis.WEAK:g} % of their layer's median, and hidden neurons without a positive incoming weight "
        "or a positive bias, which never fire under a ReLU when its inputs are not negative."
    )
    found = f"**{count(len(weak), 'neuron')} of {neurons:,}**" if len(weak) else "**None found.**"
    return f"{found} {explained}"


def _outliers(page: Page, frame: pl.DataFrame) -> None:
    far = diagnosis.outliers(frame)
    page.section(
        "Outliers",
        f"**{count(len(far), 'value') if len(far) else 'No value'}** more than {diagnosis.EXTREME:g} robust standard "
        "deviations (1.4826 times the median absolute deviation) from the median of the layer. Heavy-tailed "
        "measures, such as the neighbour strength with signed weights, have some by nature.",
    )
    if len(far):
        counts = far.group_by("measure", maintain_order=True).agg(outliers=pl.len()).sort("outliers", descending=True)
        page.table(counts, "**Outliers of each measure.**")
        page.table(far.head(MOST_OUTLIERS), f"**Outliers**, the farthest first{_at_most(len(far))}.")


def _at_most(found: int) -> str:
    return f": {MOST_OUTLIERS} of {found:,}" if found > MOST_OUTLIERS else ""


def _bottlenecks(page: Page, graph: NeuralGraph, seed: int) -> None:
    page.section("Bottlenecks", _narrowest(graph))
    ranks = bottlenecks.link_ranks(graph, seed=seed)
    figure = model_figures.spectrum_figure(graph)
    if figure is not None:
        page.figure(
            figure,
            "**Singular values of each link**, as shares of its largest. A curve that falls early passes on few "
            "directions.",
            "spectra",
        )
    too_large = ranks["effective_rank"].null_count()
    note = "Shuffled: the effective rank of the same weights in random order: what their distribution alone gives."
    if too_large:
        note += (
            f" {count(too_large, 'link')} with more than {bottlenecks.LARGEST_SIDE:,} neurons on the narrower side, "
            f"or {bottlenecks.LARGEST_MATRIX:,} pairs of neurons, not computed."
        )
    page.table(ranks, "**Directions that each link passes on**, of the full number that its width allows.", note=note)


def _narrowest(graph: NeuralGraph) -> str:
    """Which hidden layers hold fewer neurons than both the widest before and the widest after them."""
    sizes = graph.sizes
    narrow = [
        i for i in graph.hidden if sizes[i] < max(sizes[:i], default=0) and sizes[i] < max(sizes[i + 1 :], default=0)
    ]
    if not graph.hidden:
        return "This network has no hidden layer."
    if not narrow:
        return "No hidden layer is narrower than layers on both sides of it."
    least = min(narrow, key=lambda i: sizes[i])
    return (
        f"The narrowest hidden layer between wider ones is **{graph.layers[least].name}**, with "
        f"{count(sizes[least], 'neuron')}: nothing of higher rank gets past it."
    )
