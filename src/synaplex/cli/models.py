"""Commands about one model or two: measure, report, compare, info."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from synaplex.cli.app import app
from synaplex.cli.arguments import Chain, Measures, Model, load_model, parted, version
from synaplex.cli.as_typed import typed
from synaplex.cli.checkpoints import holds_several_files, measure_tensors
from synaplex.errors import SpecificationError


@app.command()
def measure(
    model: Model,
    measures: Measures = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Measures and options of a paper: `scabini`. Instead of --measures."),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="all|hidden|NAMES",
            help="Which neurons: `all`, `hidden`, or names or indices of layers, parted by commas. "
            "[default: all, or the preset's]",
        ),
    ] = None,
    edges: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="Which edges all measures read: `signed`, `positive`, `absolute`, `top:0.1` (the tenth "
            "with the largest weights), `top:0.1/layer`. [default: each measure's own]",
        ),
    ] = None,
    on_disconnected: Annotated[
        str | None,
        typer.Option(
            metavar="raise|component", help="Where the graph falls apart: stop, or measure each component by itself."
        ),
    ] = None,
    undefined: Annotated[
        str | None,
        typer.Option(
            metavar="raise|null",
            help="Where a value is undefined: stop, or leave it empty and give the reason. [default: raise]",
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="auto|exact|iterative",
            help="Dense algebra, or iterations and samples with an error bound where that doesn't fit. [default: auto]",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="How far iterative values may be off, as a share. [default: each measure's own]"
        ),
    ] = None,
    chain: Chain = None,
    tensors: Annotated[
        bool,
        typer.Option(
            "--tensors",
            help="Measure each tensor by itself, whatever the architecture; always so for a folder or an index.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one row a neuron: .parquet or .csv.", show_default=False),
    ] = None,
) -> None:
    """Measure the neurons of a model, or the tensors of a checkpoint of any size.

    Prints a summary by layer; with --out, writes a row a neuron with the columns layer (0 is the input), layer_name,
    neuron, and one a measure. How each measure read the graph is kept in the file (.parquet) or beside it (.csv.json).

        synaplex measure model.safetensors

        synaplex measure model.safetensors --measures strength,subgraph_centrality --layers hidden

        synaplex measure model.h5 --preset scabini --out neurons.parquet

        synaplex measure model.pt --layers fc1,fc2 --measures disparity

        synaplex measure pruned.pt --edges positive --on-disconnected component --undefined null

        synaplex measure resnet.pth --tensors

        synaplex measure folder/model.safetensors.index.json --out tensors.parquet
    """
    if tensors or holds_several_files(model):
        about_neurons = {
            "measures": measures,
            "preset": preset,
            "layers": layers,
            "edges": edges,
            "on-disconnected": on_disconnected,
            "undefined": undefined,
            "method": method,
            "tolerance": tolerance,
            "chain": chain,
        }
        if given := [f"--{name}" for name, value in about_neurons.items() if value is not None]:
            raise SpecificationError(
                f"{model} is measured tensor by tensor: leave out {', '.join(given)}, about the neurons of a graph"
            )
        measure_tensors(model, out)
        return
    from synaplex.measures import measure as measure_neurons
    from synaplex.measures import plan
    from synaplex.report import console, export
    from synaplex.report.files import check_writable
    from synaplex.report.measuring import readings
    from synaplex.report.summary import layer_summary

    if preset is not None and edges is not None:
        raise SpecificationError(
            f"the preset {preset!r} says which edges each measure reads: leave out --edges or --preset"
        )
    if undefined not in (None, "raise", "null"):
        raise SpecificationError(f"--undefined {undefined} is neither raise nor null")
    if method not in (None, "auto", "exact", "iterative"):
        raise SpecificationError(f"--method {method} is neither auto nor exact nor iterative")
    choices = {"edges": edges, "on_disconnected": on_disconnected, "method": method, "tolerance": tolerance}
    options: dict[str, Any] = {name: value for name, value in choices.items() if value is not None}
    names = parted(measures)
    read = {known.column: dict(own) for known, own in plan(names, preset, **options).items()}
    options |= {"preset": preset, "layers": parted(layers), "undefined": undefined or "raise"}
    if out is not None:
        export.check_table_name(out)
        check_writable(out)
    with console.working(f"reading {model}") as status:
        graph = load_model(model, chain)
        status.update(f"measuring {graph.neurons:,} neurons")
        with typed():
            frame = measure_neurons(graph, names, **options)
    console.say(f"{model}: {repr(graph).partition(chr(10))[0]}")
    summary = layer_summary(frame)
    hide = [] if summary["undefined"].sum() else ["undefined"]
    console.print_table(summary, "Measures by layer", groups="layer", hide=hide)
    console.print_table(readings(read), "How each measure read the graph")
    if out is not None:
        record = {
            "model": str(model),
            "layers": {layer.name: layer.size for layer in graph.layers},
            "preset": preset,
            "measures": read,
        }
        for file in export.write_table(frame, out, {**version(), **record}):
            console.say(f"Wrote {file}" + (f": {len(frame):,} rows" if file == out else ""))


@app.command()
def report(
    model: Model,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page.")] = Path("report.html"),
    measures: Measures = None,
    chain: Chain = None,
    seed: Annotated[int, typer.Option(help="Of the shuffled weights that effective ranks are compared with.")] = 0,
) -> None:
    """Write a page on a model: one file that opens offline.

    Layers and weights, the distribution of each measure, hubs, weak and dead neurons, outliers, bottlenecks, and the
    network drawn.

        synaplex report model.safetensors

        synaplex report model.h5 --measures strength,harmonic_centrality --out model.html
    """
    from synaplex.measures import plan
    from synaplex.report import console
    from synaplex.report import report as write_report
    from synaplex.report.files import check_writable

    names = parted(measures)
    plan(names)
    check_writable(out)
    with console.working(f"reading {model}") as status:
        graph = load_model(model, chain)
        given = {"--measures": measures, "--chain": chain, "--seed": seed or None, "--out": out}
        words = [word for name, value in given.items() if value is not None for word in (name, str(value))]
        write_report(
            graph,
            out,
            title=model.name,
            measures=names,
            facts={"file": str(model), "command": shlex.join(["synaplex", "report", str(model), *words])},
            seed=seed,
            progress=status.update,
        )
    console.say(f"Wrote {out}")


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A model.", show_default=False)],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="Another, such as the same after more training.", show_default=False)
    ],
    measures: Annotated[str | None, typer.Option(metavar="NAMES", help="Measures to compare as well.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A page (.html), or one row a neuron (.parquet, .csv).", show_default=False),
    ] = None,
) -> None:
    """Say which layers and neurons moved between two models.

    Models of one architecture are compared layer by layer; of others, the layers that have the same name and shape.

        synaplex compare before.safetensors after.safetensors

        synaplex compare before.pt after.pt --out moved.html
    """
    from synaplex.measures import plan
    from synaplex.report import compare as compare_graphs
    from synaplex.report import console, export
    from synaplex.report.comparison import COMPARED
    from synaplex.report.files import check_writable

    names = parted(measures) or list(COMPARED)
    plan(names)
    if out is not None:
        if out.suffix.lower() not in (*export.SUFFIXES, ".html"):
            raise SpecificationError(f"{out} names no kind of result: end it in .html, {' or '.join(export.SUFFIXES)}")
        check_writable(out)
    with console.working(f"reading {a} and {b}"):
        found = compare_graphs(load_model(a), load_model(b), measures=names)
    console.print_table(found.links, f"Links of {a} (a) and {b} (b)", hide=("source", "target"))
    console.print_table(found.layers, "Measures by layer", groups="layer")
    console.print_table(found.moved(10), "The neurons whose incoming weights moved most")
    for text in found.unmatched:
        console.say(f"Not compared, {text}")
    for name, why in found.notes.items():
        console.say(f"{name}: {why}")
    if out is not None and out.suffix.lower() == ".html":
        found.report(out, title=f"{a.name} and {b.name}", facts={"a": str(a), "b": str(b)})
        console.say(f"Wrote {out}")
    elif out is not None:
        for file in export.write_table(found.neurons, out, {**version(), "a": str(a), "b": str(b)}):
            console.say(f"Wrote {file}")


@app.command()
def info(
    path: Annotated[
        Path,
        typer.Argument(metavar="MODEL|STORE", help="A model file, or the folder of a population.", show_default=False),
    ],
) -> None:
    """Say what is in a model file or in the store of a population.

    Of a model: its tensors, and what each became in the graph. A file that makes no graph is listed all the same, with
    the reason.

        synaplex info model.safetensors

        synaplex info results/scabini/population
    """
    from synaplex.report.info import print_model, print_store

    if path.is_dir():
        print_store(path)
    else:
        print_model(path)
