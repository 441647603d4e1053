"""The command about sparse training: train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synaplex.cli.app import app
from synaplex.errors import SpecificationError


@app.command()
def train(
    sparse: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="Which connections are dropped, and after a slash which are grown: `set:0.05`, `censet:2.6`, "
            "`magnitude:0.3/gradient`, `lowest:katz:0.1/central`; or `static`, `rigl`, `cht`.",
        ),
    ] = "set:0.05",
    dataset: Annotated[str, typer.Option(metavar="NAME", help="Which data.")] = "digits",
    hidden: Annotated[
        str | None, typer.Option(metavar="WIDTHS", help="Hidden layers, parted by commas. [default: the paper's]")
    ] = None,
    epsilon: Annotated[float | None, typer.Option(help="Of the Erdos-Renyi topology. [default: 20]")] = None,
    density: Annotated[
        float | None,
        typer.Option(help="Share of connections that exist, in place of epsilon; 1 for a dense start."),
    ] = None,
    topology: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="With a density, `uniform` or `erk`. [default: erdos-renyi; with a density, uniform]"
        ),
    ] = "",
    schedule: Annotated[
        str, typer.Option(metavar="TEXT", help="When rounds take place. [default: every epoch but the last]")
    ] = "",
    values: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="First weights of grown connections: `zero`, `normal:0.1`, `glorot`. [default: the grow rule's own]",
        ),
    ] = "",
    epochs: Annotated[int, typer.Option(help="How long.")] = 50,
    batch_size: Annotated[int, typer.Option(help="Samples of a step.")] = 100,
    learning_rate: Annotated[float, typer.Option(help="Of stochastic gradient descent.")] = 0.01,
    momentum: Annotated[float, typer.Option(help="Of stochastic gradient descent.")] = 0.9,
    dropout: Annotated[float, typer.Option(help="After each hidden layer.")] = 0.3,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where datasets lie.", envvar="SYNAPLEX_DATA")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to. [default: results/sparse-DATASET]")
    ] = None,
) -> None:
    """Train a truly sparse network whose connections evolve.

    Every epoch is kept in FOLDER: checkpoint.safetensors, from which the same command goes on where it was stopped,
    epochs.parquet, and model.safetensors, the network alone, for other commands:

        synaplex train --sparse set:0.05 --dataset digits

        synaplex train --sparse censet:2.6 --dataset fashion-mnist --epochs 200 --out results/censet

        synaplex measure results/censet/model.safetensors
    """
    from synaplex.report import console
    from synaplex.sparse.sparsify import EPSILON
    from synaplex.sparse.training import CHECKPOINT, LOG, MODEL, SparseTraining
    from synaplex.sparse.training import train as run

    try:
        widths = tuple(int(one) for one in (hidden or "").split(",") if one.strip())
    except ValueError as error:
        raise SpecificationError(f"--hidden {hidden} is no list of widths such as 256,128,100") from error
    if epsilon is not None and density is not None:
        raise SpecificationError("--epsilon and --density both say how dense: give one of them")
    specification = SparseTraining(
        dataset=dataset,
        sparse=sparse,
        hidden=widths,
        epsilon=EPSILON if epsilon is None else epsilon,
        topology=topology,
        density=density,
        schedule=schedule,
        values=values,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        momentum=momentum,
        dropout=dropout,
        seed=seed,
    )
    folder = out or Path("results") / f"sparse-{dataset}"
    trained = run(specification, folder, data_dir=data_dir)
    last = trained.epochs.tail(5).select(
        "epoch", "train_loss", "train_accuracy", "test_accuracy", "connections", "dropped", "explored"
    )
    console.print_table(last, f"{sparse} on {dataset}: the last epochs")
    console.say(f"Wrote {folder / MODEL}, {folder / CHECKPOINT} and {folder / LOG}")
