"""The commands about saved encoders: embed and rank."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synaplex.cli.app import app
from synaplex.cli.arguments import Chain, parted, version
from synaplex.errors import InvalidGraphError, SpecificationError

if TYPE_CHECKING:
    from synaplex.encoders import SavedEncoder

Models = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="MODEL...",
        help="Files of weights (.safetensors, .pt, .h5), folders of such files, stores of populations.",
        show_default=False,
    ),
]
Encoder = Annotated[
    Path, typer.Option(metavar="FOLDER", help="A saved encoder, such as a study has written.", show_default=False)
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write one row a network: .parquet or .csv.", show_default=False),
]

_MOST_ROWS = 40
"""Networks that are printed; all are written."""
_SHORT_FOLDER = 10
"""Characters up to which the folder of a model is repeated in each row."""


@app.command()
def embed(
    encoder: Encoder,
    models: Models = None,
    nearest: Annotated[
        int, typer.Option(metavar="K", help="Also name the K nearest networks of each in the embedding.")
    ] = 0,
    among: Annotated[
        str,
        typer.Option(
            metavar="fitted|given",
            help="Nearest among which: those that the encoder was fitted on, or the other models given.",
        ),
    ] = "fitted",
    chain: Chain = None,
    out: Out = None,
) -> None:
    """Embed models by a saved encoder: a vector of one length for each, whatever its size.

    Prints how far each lies from the networks that the encoder was fitted on: above 1, it is unlike 99% of them. Warns
    of models that lie outside of these, by their distance or because none of them has their layout.
    With --out, writes a row a network with the columns model, layout, distance, outside, fitted (whether the encoder
    has seen it), same_as (an earlier model with the same weights), embedding_0 and so on. With --nearest, the
    neighbours are written beside it, a row a pair: FILE-nearest.

        synaplex embed model.safetensors --encoder results/structurereps/encoder

        synaplex embed checkpoints/ --encoder my-encoder --nearest 5 --out embedded.parquet

        synaplex embed a.pt b.pt c.pt --encoder my-encoder --nearest 2 --among given
    """
    from synaplex.encoders import embed as embed_models
    from synaplex.encoders import load_encoder
    from synaplex.encoders.embedding import AMONG
    from synaplex.report import console, export

    if among not in AMONG:
        raise SpecificationError(f"--among {among} is neither fitted nor given")
    if nearest < 0:
        raise SpecificationError(f"--nearest {nearest} is negative")
    _check_out(out)
    beside = None if out is None else out.with_name(f"{out.stem}-nearest{out.suffix}")
    _check_out(beside if nearest else None)
    saved = load_encoder(encoder)
    with console.working("reading") as status, _naming_chain():
        found = embed_models(models or [], saved, layers=parted(chain), progress=status.update)
    neighbours = found.nearest(nearest, among=among) if nearest else None
    _say_encoder(encoder, saved)
    table = found.table()
    shared = _say_folder(found.names)
    shown = table.select("model", "layout", "distance", "outside", "fitted", "same_as").with_columns(layout=_short())
    shown = _inside(shown, shared, "model", "same_as")
    flags: dict[str, Any] = {"outside": found.outside, "fitted": found.fitted, "same_as": found.same_as}
    hide = [name for name, values in flags.items() if not any(values)]
    _print(shown, f"{len(found):,} models in {found.values.shape[1]} dimensions", hide)
    if neighbours is not None:
        known = [] if neighbours["performance"].count() else ["performance"]
        near = _inside(neighbours, shared, "model", *(["neighbour"] if among == "given" else []))
        _print(near, f"Nearest among the networks {among}, in standard deviations", known, groups="model")
    for text in found.warnings:
        typer.echo(f"Warning: {text}", err=True)
    if found.left_out:
        typer.echo(f"Warning: left out, because they have diverged: {', '.join(found.left_out)}", err=True)
    if out is None:
        return
    record = {**version(), "encoder": str(encoder), "card": saved.card["about"], "warnings": list(found.warnings)}
    for file in export.write_table(table, out, record):
        console.say(f"Wrote {file}" + (f": {len(table):,} rows" if file == out else ""))
    if neighbours is not None and beside is not None:
        for file in export.write_table(neighbours, beside, {**record, "among": among}):
            console.say(f"Wrote {file}" + (f": {len(neighbours):,} rows" if file == beside else ""))


@app.command()
def rank(
    encoder: Encoder,
    models: Models = None,
    coverage: Annotated[float, typer.Option(metavar="SHARE", help="Of the intervals.")] = 0.9,
    larger_is_better: Annotated[
        bool | None,
        typer.Option(
            "--larger-is-better/--smaller-is-better",
            help="Of the performance: an accuracy, or an error or loss. [default: as the encoder's decoder was made]",
            show_default=False,
        ),
    ] = None,
    chain: Chain = None,
    out: Out = None,
) -> None:
    """Rank checkpoints by the performance that a saved encoder reads off their weights, without data.

    Prints the predicted performance of each with an interval, the best first; says which models lie outside the
    population that the encoder was fitted on, and between which the intervals do not decide.

        synaplex rank a.safetensors b.safetensors --encoder results/structurereps/encoder

        synaplex rank checkpoints/ --encoder my-encoder --out ranked.csv

        synaplex rank results/digits/population --encoder my-encoder --coverage 0.5

        synaplex rank checkpoints/ --encoder errors-of-regressions --smaller-is-better
    """
    from synaplex.encoders import load_encoder
    from synaplex.encoders import rank as rank_models
    from synaplex.report import console, export

    _check_out(out)
    saved = load_encoder(encoder)
    with console.working("reading") as status, _naming_chain():
        found = rank_models(
            models or [],
            saved,
            coverage=coverage,
            larger_is_better=larger_is_better,
            layers=parted(chain),
            progress=status.update,
        )
    _say_encoder(encoder, saved)
    table = found.table
    hide = [name for name in ("fitted", "outside") if not table[name].any()]
    hide += [name for name in ("same_as", "low") if not table[name].count()]
    hide += ["high"] if "low" in hide else []
    shown = _inside(table.drop("layout"), _say_folder(found.embedding.names), "model", "same_as")
    order = "larger" if found.larger_is_better else "smaller"
    _print(shown, f"Predicted performance, {order} is better, with intervals that cover {coverage:.0%}", hide)
    if len(found.undecided) > 1:
        console.say(
            f"The intervals of {len(found.undecided)} of {len(table)} models meet that of the first: between these, "
            "the encoder does not decide"
        )
    for text in found.warnings:
        typer.echo(f"Warning: {text}", err=True)
    if out is not None:
        record = {**version(), "encoder": str(encoder), "card": saved.card["about"], "coverage": coverage}
        record |= {"larger_is_better": found.larger_is_better, "warnings": list(found.warnings)}
        for file in export.write_table(table, out, record):
            console.say(f"Wrote {file}" + (f": {len(table):,} rows" if file == out else ""))


def _check_out(*files: Path | None) -> None:
    """Refuse before any work what could not be written after it."""
    from synaplex.report import export
    from synaplex.report.files import check_writable

    for file in files:
        if file is not None:
            export.check_table_name(file)
            check_writable(file)


@contextmanager
def _naming_chain() -> Iterator[None]:
    """An error that names an argument of Python names that of the command line too."""
    try:
        yield
    except InvalidGraphError as error:
        if "layers=[" not in str(error):
            raise
        raise InvalidGraphError(f"{error} (on the command line: --chain name,name)") from error


def _say_encoder(folder: Path, saved: SavedEncoder) -> None:
    from synaplex.report import console

    told = "".join(f", {name} {value}" for name, value in saved.card["about"].items() if isinstance(value, str | int))
    decoder = "no decoder" if saved.decoder is None else f"decoder: {saved.decoder.regressor}"
    console.say(
        f"{folder}: {saved.encoder.architecture} fitted on {saved.encoder.networks_:,} networks, {decoder}{told}"
    )


def _say_folder(names: Sequence[str]) -> str:
    """The folder that all models are in, where there are several and it is worth a line of its own; then said."""
    from synaplex.report import console

    try:
        shared = os.path.join(os.path.commonpath([os.path.dirname(name) for name in names]), "")
    except ValueError:  # some are absolute, some are not
        return ""
    if len(names) < 2 or len(shared) < _SHORT_FOLDER:
        return ""
    console.say(f"Models are in {shared}")
    return shared


def _inside(frame: Any, shared: str, *columns: str) -> Any:
    """Names without the folder that all share."""
    import polars as pl

    return frame.with_columns(pl.col(*columns).str.strip_prefix(shared)) if shared else frame


def _short(width: int = 40) -> Any:
    """Layouts short enough for a terminal."""
    import polars as pl

    long = pl.col("layout").str.len_chars() > width
    return pl.when(long).then(pl.col("layout").str.head(width - 1) + "…").otherwise(pl.col("layout"))


def _print(frame: Any, title: str, hide: list[str], *, groups: str | None = None) -> None:
    """The first rows of a table; says how many are not shown."""
    from synaplex.report import console

    console.print_table(frame.head(_MOST_ROWS), title, hide=hide, groups=groups)
    if len(frame) > _MOST_ROWS:
        console.say(f"and {len(frame) - _MOST_ROWS:,} rows more: --out writes all")
