"""The command that sets a model beside null models of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synaplex.cli.app import app
from synaplex.cli.arguments import Chain, Measures, Model, load_model, parted, version
from synaplex.cli.as_typed import typed


@app.command()
def nulls(
    model: Model,
    measures: Measures = None,
    null: Annotated[
        str,
        typer.Option(
            metavar="shuffled|flipped|rewired",
            help="Weights of each link in random order, under random signs, or with the connections of a sparse link "
            "at random places that keep every neuron's number of them.",
        ),
    ] = "shuffled",
    draws: Annotated[int, typer.Option(metavar="N", help="Networks drawn from the null model.")] = 100,
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="all|hidden|NAMES", help="Which layers: `all`, `hidden`, or names or indices, parted by commas."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the first draw.")] = 0,
    chain: Chain = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write one row a layer, measure and statistic: .parquet or .csv.", show_default=False
        ),
    ] = None,
) -> None:
    """Set the measures of a model beside those of the same weights in other places.

    A measure says something of a network's structure only as far as a null model does not give it too. Prints the mean,
    the deviation and the largest value of each measure in each layer, with z and a two-sided p over the draws.

        synaplex nulls model.safetensors --measures strength,subgraph_centrality --layers hidden

        synaplex nulls pruned.pt --null rewired --draws 199 --out nulls.csv
    """
    from synaplex.measures import beside_null, plan
    from synaplex.report import console, export
    from synaplex.report.files import check_writable

    names = parted(measures)
    plan(names)
    if out is not None:
        export.check_table_name(out)
        check_writable(out)
    with console.working(f"reading {model}") as status:
        graph = load_model(model, chain)
        status.update(f"measuring {draws:,} draws")
        with typed():
            table = beside_null(graph, names, null=null, draws=draws, null_seed=seed, layers=parted(layers))
    console.say(f"{model}: {repr(graph).partition(chr(10))[0]}")
    hide = [] if (table["remark"] != "").any() else ["remark"]
    console.print_table(table, f"Beside {draws:,} draws of {null} weights", groups="layer", hide=hide)
    if out is not None:
        record = {"model": str(model), "null": null, "draws": draws, "seed": seed}
        for file in export.write_table(table, out, {**version(), **record}):
            console.say(f"Wrote {file}")
