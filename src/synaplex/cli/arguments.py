"""Arguments that several commands share, and how their values are read."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from synaplex.errors import InvalidGraphError, UnreadableFileError

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


def load_model(path: Path, chain: str | Literal[False] | None = False) -> Any:
    """The graph of a file.

    An error that names an argument of Python names that of the command line too, and a warning is one line on standard
    error.

    Parameters
    ----------
    chain
        What was given for `Chain`; False for a command that has no such option.
    """
    from synaplex.graph import load

    has_chain = chain is not False
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            graph = load(path, layers=None if chain is False else parted(chain))
        except (InvalidGraphError, UnreadableFileError) as error:
            raise type(error)(_as_typed(str(error), has_chain)) from error
    for one in told:
        print(f"Warning: {_as_typed(str(one.message), has_chain)}", file=sys.stderr)
    return graph


def _as_typed(text: str, has_chain: bool) -> str:
    """The text, with what is to be typed for the arguments of Python that it names."""
    options = ["--chain name,name"] if has_chain and "layers=[" in text else []
    options += ["synaplex measure FILE --tensors"] if "sx.measure_file" in text else []
    return f"{text} (on the command line: {', or '.join(options)})" if options else text


def parted(text: str | None) -> list[str] | None:
    """Names parted by commas."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def version() -> dict[str, str]:
    """What wrote a file."""
    from synaplex import __version__

    return {"version": __version__}
