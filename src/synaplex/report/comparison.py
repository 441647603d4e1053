"""`sx.compare`: which layers and neurons moved between two models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import Layer, NeuralGraph
from synaplex.graph.link import Link
from synaplex.measures.table import Selection
from synaplex.report.difference import Difference, difference, total
from synaplex.report.measuring import chosen, measure_each
from synaplex.report.network import check_network
from synaplex.report.page import Page
from synaplex.report.summary import measure_columns, neuron_columns

COMPARED = ("strength", "in_strength", "out_strength", "disparity", "laplacian_centrality")
"""Measures compared by default: each costs a pass or two over the weights."""


@dataclass(frozen=True)
class Comparison:
    """What changed between two models, a and b.

    Attributes
    ----------
    links
        A row a link that both have: ``link``, ``source``, ``target`` (layers of a), ``edges_a``, ``edges_b``,
        ``gained`` and ``lost`` (edges in b or in a alone), ``norm_a``, ``norm_b`` (Frobenius), ``distance`` (the norm
        of the difference), ``relative_distance`` (that over ``norm_a``), ``cosine`` (between all weights of a and of
        b), ``changed`` (the share of all their edges whose weight differs), ``sign_flips`` (the share of common
        edges).
    layers
        A row a layer and measure: ``layer`` (of a), ``layer_name``, ``neurons``, ``measure``, ``mean_a``, ``mean_b``,
        ``mean_change`` (the mean of |b - a| over neurons), ``rank_correlation`` (Spearman's, between the neurons'
        values in a and in b; null where one of them is constant).
    neurons
        A row a neuron: ``layer``, ``layer_name``, ``neuron``, ``incoming_distance``, ``incoming_relative`` and
        ``incoming_cosine`` of its incoming weights, the same three for ``outgoing``, then ``MEASURE_a`` and
        ``MEASURE_b`` for each measure. Null where there are no such weights or the value is undefined.
    unmatched
        What one of the models has and the other lacks, as text.
    notes
        Why a measure has no value, wholly or for some neurons, by measure and model.
    """

    links: pl.DataFrame
    layers: pl.DataFrame
    neurons: pl.DataFrame
    unmatched: tuple[str, ...]
    notes: Mapping[str, str]

    def moved(self, most: int = 10) -> pl.DataFrame:
        """The neurons whose incoming weights changed most, relative to what they were."""
        columns = ("layer", "layer_name", "neuron", "incoming_distance", "incoming_relative", "incoming_cosine")
        ordered = self.neurons.filter(pl.col("incoming_relative").is_not_null())
        return ordered.sort("incoming_relative", descending=True, maintain_order=True).head(most).select(columns)

    def report(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str = "Two models compared",
        facts: Mapping[str, str] | None = None,
    ) -> Page:
        """A page on the comparison, written to `path` if there is one; `UnwritableFileError` if it cannot be."""
        from synaplex.report.comparison_page import comparison_page

        page = comparison_page(self, title, facts or {})
        if path is not None:
            page.save(path)
        return page

    def __repr__(self) -> str:
        rows = [
            f"  {row['link']}: relative distance {_number(row['relative_distance'])}, cosine {_number(row['cosine'])}"
            for row in self.links.iter_rows(named=True)
        ]
        missing = f", {len(self.unmatched)} unmatched" if self.unmatched else ""
        return "\n".join([f"Comparison({len(self.links)} links, {len(self.neurons)} neurons{missing})", *rows])


def compare(a: NeuralGraph, b: NeuralGraph, *, measures: Selection | None = None) -> Comparison:
    """Which layers and neurons moved between two models: before and after training, pruning, fine-tuning.

    Models of one architecture are compared layer by layer. Of different architectures those layers are compared that
    have the same name and shape, and the links between them; the rest is listed as unmatched. Neurons are compared by
    their place in the layer: two models trained from different seeds have no neurons in common, and look unrelated
    (cosine and rank correlation near 0) even where they compute the same.

    Parameters
    ----------
    a, b
        Single networks.
    measures
        A measure's name, names, or a mapping of names to options, to compare as well; by default `COMPARED`. An empty
        list compares the weights alone.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidGraphError
        If no link of one has a counterpart in the other, or weights have no values, as on the meta device.
    SpecificationError
        If one is no graph, or a batch.
    UnknownNameError
        If a measure does not exist.

    Notes
    -----
    Cost: a pass over the weights of both, and the measures.

    Examples
    --------
    >>> import torch
    >>> a = NeuralGraph.from_weights([torch.ones(2, 2), torch.ones(1, 2)])
    >>> b = NeuralGraph.from_weights([torch.ones(2, 2), torch.tensor([[1.0, -1.0]])])
    >>> compare(a, b)
    Comparison(2 links, 5 neurons)
      layer 1: relative distance 0.000, cosine 1.000
      layer 2: relative distance 1.414, cosine 0.000
    """
    wanted = COMPARED if measures is None else measures
    chosen(wanted)  # refuses a name that is none before any work
    for name, graph in (("first", a), ("second", b)):
        check_network(graph, f"the {name} model")
        if graph.networks is not None:
            raise SpecificationError(
                f"the {name} model is a batch of {graph.networks} networks: choose one with graph.network(k)"
            )
    layers = _layer_pairs(a, b)
    pairs, unmatched = _link_pairs(a, b, layers)
    if not pairs:
        raise InvalidGraphError(
            f"the two models have no link in common, so there is nothing to compare: {_widths(a)} and {_widths(b)}. "
            "Links are matched where both of their layers have the same name and shape"
        )
    differences = [difference(first, second) for first, second in pairs]
    neurons, notes = _neurons(a, b, layers, pairs, differences, wanted)
    names = [name.removesuffix("_a") for name in neurons.columns if name.endswith("_a")]
    links = _links([first for first, _ in pairs], differences)
    return Comparison(links, _layers(neurons, names), neurons, tuple(unmatched), notes)


def _layer_pairs(a: NeuralGraph, b: NeuralGraph) -> dict[int, int]:
    """Layers of a with their counterparts in b."""
    joined = [sorted((link.source, link.target) for link in graph.links) for graph in (a, b)]
    if a.sizes == b.sizes and joined[0] == joined[1]:
        return {i: i for i in range(len(a.layers))}
    named = {_key(layer): i for i, layer in enumerate(b.layers)}
    return {i: named[_key(layer)] for i, layer in enumerate(a.layers) if _key(layer) in named}


def _key(layer: Layer) -> tuple[str, tuple[int, ...]]:
    return layer.name, layer.shape


def _link_pairs(a: NeuralGraph, b: NeuralGraph, layers: Mapping[int, int]) -> tuple[list[tuple[Link, Link]], list[str]]:
    """Links of a with their counterparts in b, and what has none."""
    rest = list(b.links)
    pairs, unmatched = [], []
    for link in a.links:
        ends = (layers.get(link.source), layers.get(link.target))
        candidates = [other for other in rest if (other.source, other.target) == ends]
        candidates.sort(key=lambda other: other.name != link.name)
        if candidates:
            pairs.append((link, candidates[0]))
            rest.remove(candidates[0])
        else:
            unmatched.append(f"only in a: {link!r}")
    return pairs, unmatched + [f"only in b: {link!r}" for link in rest]


def _links(links: Sequence[Link], differences: Sequence[Difference]) -> pl.DataFrame:
    rows = []
    for link, found in zip(links, differences, strict=True):
        either, both = found.edges_a + found.gained, found.edges_a - found.lost
        rows.append(
            {
                "link": link.name or f"{link.source} -> {link.target}",
                "source": link.source,
                "target": link.target,
                "edges_a": found.edges_a,
                "edges_b": found.edges_b,
                "gained": found.gained,
                "lost": found.lost,
                "norm_a": found.rows.norm_a,
                "norm_b": found.rows.norm_b,
                **{name: found.rows.whole[name] for name in ("distance", "relative_distance", "cosine")},
                "changed": found.changed / either if either else None,
                "sign_flips": found.sign_flips / both if both else None,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _neurons(
    a: NeuralGraph,
    b: NeuralGraph,
    layers: Mapping[int, int],
    pairs: Sequence[tuple[Link, Link]],
    differences: Sequence[Difference],
    measures: Selection,
) -> tuple[pl.DataFrame, dict[str, str]]:
    values: list[pl.DataFrame] = []
    notes: dict[str, str] = {}
    for letter, graph in (("a", a), ("b", b)):
        frame, why, _ = measure_each(graph, measures)
        values.append(frame)
        notes |= {f"{name} ({letter})": reason for name, reason in why.items()}
    names = [name for name in measure_columns(values[0]) if name in measure_columns(values[1])]
    parts = []
    for layer, other in layers.items():
        into = [found.rows for (link, _), found in zip(pairs, differences, strict=True) if link.target == layer]
        out = [found.columns for (link, _), found in zip(pairs, differences, strict=True) if link.source == layer]
        first, second = (
            values[k].filter(pl.col("layer") == place).rename({name: f"{name}_{letter}" for name in names})
            for k, place, letter in ((0, layer, "a"), (1, other, "b"))
        )
        size = a.layers[layer].size
        part = pl.concat(
            [
                first.select(neuron_columns(first)),
                total(into, size).frame("incoming"),
                total(out, size).frame("outgoing"),
                first.select(pl.col(f"{name}_a").cast(pl.Float64) for name in names),
                second.select(pl.col(f"{name}_b").cast(pl.Float64) for name in names),
            ],
            how="horizontal",
        )
        parts.append(part)
    order = [f"{name}_{letter}" for name in names for letter in "ab"]
    frame = pl.concat(parts)
    return frame.select(*[name for name in frame.columns if name not in order], *order), notes


def _layers(neurons: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    parts = []
    for name in names:
        known = neurons.filter(pl.col(f"{name}_a").is_not_null() & pl.col(f"{name}_b").is_not_null())
        first, second = pl.col(f"{name}_a"), pl.col(f"{name}_b")
        parts.append(
            known.group_by("layer", "layer_name", maintain_order=True).agg(
                neurons=pl.len(),
                measure=pl.lit(name),
                mean_a=first.mean(),
                mean_b=second.mean(),
                mean_change=(second - first).abs().mean(),
                rank_correlation=pl.corr(first, second, method="spearman").fill_nan(None),
            )
        )
    if not parts:
        return pl.DataFrame(schema={"layer": pl.Int32, "layer_name": pl.String, "neurons": pl.UInt32})
    return pl.concat(parts).sort("layer", maintain_order=True)


def _widths(graph: NeuralGraph) -> str:
    return " - ".join(f"{layer.name} {layer.shape}" for layer in graph.layers[:8]) + (
        " - ..." if len(graph.layers) > 8 else ""
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
