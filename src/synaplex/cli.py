"""The command line: a thin face over the library."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from synaplex.errors import InvalidGraphError, SpecificationError, SynaplexError, UnknownNameError

# On a machine that is busy otherwise, threads that wait by spinning take the cores from those that work. Read when
# torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Everything else is imported inside the commands, so that help appears at once.

_RESUMES = "Stopped. What was finished is kept: the same command goes on from there."
_STARTS_OVER = "Stopped. Nothing was written."


class _Group(TyperGroup):
    """Commands whose errors are one line each."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SynaplexError as error:
            if ctx.params.get("debug"):
                raise
            _complain(f"Error: {' '.join(str(error).split())}")
            raise typer.Exit(2 if isinstance(error, SpecificationError | UnknownNameError) else 1) from error
        except MemoryError as error:
            if ctx.params.get("debug"):
                raise
            _complain("Error: there is not enough memory for this. Ask for fewer measures or a smaller network")
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            _complain(_RESUMES if ctx.invoked_subcommand == "study" else _STARTS_OVER)
            raise typer.Exit(130) from error


def _complain(text: str) -> None:
    print(text, file=sys.stderr)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[
    Path,
    typer.Argument(metavar="MODEL", help="A file of weights (.safetensors, .pt, .h5) or of edges.", show_default=False),
]
Chain = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="The weight matrices that make the network, in order, parted by commas: where the file does not tell.",
    ),
]
Measures = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Measures, parted by commas, such as `strength,disparity`. [default: twelve]"),
]


def _print_version(asked: bool) -> bool:
    if asked:
        from synaplex import __version__

        print(f"synaplex {__version__}")
        raise typer.Exit
    return asked


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="SYNAPLEX_DEBUG", help="Show where in the code an error comes from.")
    ] = False,
) -> None:
    """Complex-network theory for neural networks: every neuron of a trained model, measured.

    A **model** is a file of weights (.safetensors, .pt, .pth, .bin, .h5) or of edges (.graphml, .csv).

    Start with one of

        synaplex info model.safetensors

        synaplex measure model.safetensors --out neurons.parquet

        synaplex report model.safetensors --out report.html

        synaplex study --list
    """


@app.command()
def measure(
    model: Model,
    measures: Measures = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Measures and options of a paper: `scabini`. Instead of --measures."),
    ] = None,
    layers: Annotated[
        str | None, typer.Option(metavar="hidden|all", help="Which neurons. [default: all, or the preset's]")
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
        str,
        typer.Option(
            metavar="raise|null", help="Where a value is undefined: stop, or leave it empty and give the reason."
        ),
    ] = "raise",
    chain: Chain = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one row a neuron: .parquet or .csv.", show_default=False),
    ] = None,
) -> None:
    """Measure the neurons of a model.

    Prints a summary by layer; with --out, writes a row a neuron with the columns layer (0 is the input), layer_name,
    neuron, and one a measure. How each measure read the graph is kept in the file (.parquet) or beside it (.csv.json).

        synaplex measure model.safetensors

        synaplex measure model.safetensors --measures strength,subgraph_centrality --layers hidden

        synaplex measure model.h5 --preset scabini --out neurons.parquet

        synaplex measure pruned.pt --edges positive --on-disconnected component --undefined null
    """
    from synaplex.measures import describe, plan
    from synaplex.measures import measure as measure_neurons
    from synaplex.report import console, export
    from synaplex.report.files import check_writable
    from synaplex.report.measuring import readings
    from synaplex.report.summary import layer_summary

    if preset is not None and edges is not None:
        raise SpecificationError(
            f"the preset {preset!r} says which edges each measure reads: leave out --edges or --preset"
        )
    if layers not in (None, "hidden", "all"):
        raise SpecificationError(f"--layers {layers} is neither hidden nor all")
    if undefined not in ("raise", "null"):
        raise SpecificationError(f"--undefined {undefined} is neither raise nor null")
    given = {"edges": edges, "on_disconnected": on_disconnected}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    names = _names(measures)
    read = describe(plan(names, preset, **options))
    options |= {"preset": preset, "layers": layers, "undefined": undefined}
    if out is not None:
        export.check_table_name(out)
        check_writable(out)
    with console.working(f"reading {model}") as status:
        graph = _load(model, chain)
        status.update(f"measuring {graph.neurons:,} neurons")
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
        for file in export.write_table(frame, out, {**_version(), **record}):
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

    names = _names(measures)
    plan(names)
    check_writable(out)
    with console.working(f"reading {model}") as status:
        graph = _load(model, chain)
        command = f"synaplex report {model}" + (f" --measures {measures}" if measures else "")
        write_report(
            graph,
            out,
            title=model.name,
            measures=names,
            facts={"file": str(model), "command": command},
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

    names = _names(measures) or list(COMPARED)
    plan(names)
    if out is not None:
        if out.suffix.lower() not in (*export.SUFFIXES, ".html"):
            raise SpecificationError(f"{out} names no kind of result: end it in .html, {' or '.join(export.SUFFIXES)}")
        check_writable(out)
    with console.working(f"reading {a} and {b}"):
        found = compare_graphs(_load(a), _load(b), measures=names)
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
        for file in export.write_table(found.neurons, out, {**_version(), "a": str(a), "b": str(b)}):
            console.say(f"Wrote {file}")


@app.command(context_settings={"ignore_unknown_options": True})
def study(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which study.", show_default=False)] = None,
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="OPTIONS OF THE STUDY", help="See --list.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to. [default: results/NAME]", show_default=False)
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the studies and the options of each.")] = False,
) -> None:
    """Rerun a published study: tables, figures and a page, each result beside its null model.

    Stopped in the middle, it goes on where it was when it is started again. A study has options of its own.

        synaplex study --list

        synaplex study scabini

        synaplex study scabini --dataset digits --networks 300 --out results/scabini
    """
    from synaplex.report import console
    from synaplex.studies import studies
    from synaplex.study_options import option_defaults, parse_options, spell

    known = studies()
    if show:
        for one in known.values():
            console.say(f"{one.name}: {one.title}\n  {one.paper}")
            for option, default in option_defaults(one).items():
                console.say(f"  {spell(option)}  [default: {'none' if default is None else default}]")
        return
    if name is None or name.startswith("-"):
        raise SpecificationError(
            f"name a study, such as: synaplex study {next(iter(known), 'NAME')}; --list shows them all"
        )
    if name not in known:
        raise UnknownNameError("study", name, known)
    chosen = parse_options(known[name], options or [])
    page = known[name].run(out or Path("results") / name, **chosen)
    console.say(f"Wrote {page}")


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


def _load(path: Path, chain: str | None = None) -> Any:
    from synaplex.graph import load

    try:
        return load(path, layers=_names(chain))
    except InvalidGraphError as error:
        if "layers=[" not in str(error):
            raise
        raise InvalidGraphError(f"{error} (on the command line: --chain name,name)") from error


def _names(text: str | None) -> list[str] | None:
    """Names parted by commas."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _version() -> dict[str, str]:
    from synaplex import __version__

    return {"version": __version__}
