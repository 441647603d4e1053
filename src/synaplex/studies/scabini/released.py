"""The types on the scale of the released data, whose constants are known for MNIST, beside the released centroids."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

from synaplex.neurons import RELEASED_MNIST, BagOfNeurons, descriptors, elbow
from synaplex.population import PopulationSpec
from synaplex.studies.scabini import published
from synaplex.studies.scabini.recipe import Analysis

ALL = "all layers"


def applies(spec: PopulationSpec) -> bool:
    """Whether the constants are for these networks: the paper's, on MNIST."""
    return spec.dataset == "mnist" and spec.network.widths == (784, 200, 100, 10)


def beside_released(frames: Mapping[str, pl.DataFrame], settings: Analysis) -> pl.DataFrame:
    """The centroids found on the released scale beside those of the released data, types matched by strength.

    Parameters
    ----------
    frames
        Neuron tables of one snapshot, by what networks they are of.
    settings
        Of the analysis.

    Returns
    -------
    polars.DataFrame
        A row for each kind of networks, `rows` (all layers, or one alone), type and measure: `here`, `released`, their
        `difference`, and the `share` of the type here.

    Notes
    -----
    The scale of the released data divides by the largest values among its 1,000 networks; those of fewer networks are
    smaller, so that only on a common scale centroids can agree to the second digit.
    """
    theirs = published.released_centroids().unpivot(
        published.KEPT, index=["rows", "type"], variable_name="measure", value_name="released"
    )
    parts = []
    for networks, frame in frames.items():
        found = descriptors(frame, published.KEPT, RELEASED_MNIST)
        chosen = {ALL: found.layers > 0} | {f"layer {layer}": found.layers == layer for layer in (1, 2)}
        for rows, members in chosen.items():
            bag = BagOfNeurons(settings.types, n_init=settings.starts, random_state=settings.seed)
            types = bag.fit(found.values[members]).table(published.KEPT)
            ours = types.unpivot(
                published.KEPT, index=["type", "share"], variable_name="measure", value_name="here"
            ).with_columns(networks=pl.lit(networks), rows=pl.lit(rows))
            parts.append(ours.join(theirs, on=["rows", "type", "measure"], maintain_order="left"))
    table = pl.concat(parts).with_columns(difference=pl.col("here") - pl.col("released"))
    return table.select("networks", "rows", "type", "measure", "here", "released", "difference", "share")


def elbow_on_released_scale(frame: pl.DataFrame, settings: Analysis) -> pl.DataFrame:
    """The elbow of all neurons on the released scale, as a part of the table of elbows."""
    found = descriptors(frame, published.KEPT, RELEASED_MNIST)
    return elbow(found.values, n_init=settings.elbow_starts, seed=settings.seed, rows="released scale").table


def largest_values(scale: pl.DataFrame) -> pl.DataFrame:
    """The constants of this population beside the released ones: `measure`, `layer`, `bound`, `here`, `released`.

    Those of subgraph centrality are natural logarithms.
    """
    rows = []
    ours = {(row["measure"], row["layer"]): row for row in scale.iter_rows(named=True)}
    for constant in RELEASED_MNIST.constants:
        row = ours[constant.measure, constant.layer]
        logarithmic = constant.measure == "subgraph_centrality"
        for bound in ("low", "high"):
            here, there = row[bound], getattr(constant, bound)
            if bound == "low" and constant.measure != "bipartite_clustering":
                continue
            if logarithmic:
                there = math.log(there)
                here = here if row["logarithmic"] else math.log(here)
            rows.append((constant.measure, constant.layer, bound, here, there))
    schema = {"measure": pl.String, "layer": pl.Int32, "bound": pl.String, "here": pl.Float64, "released": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
