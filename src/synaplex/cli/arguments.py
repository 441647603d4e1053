"""Arguments that several commands share, and how their values are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from synaplex.errors import InvalidGraphError

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


def load_model(path: Path, chain: str | None = None) -> Any:
    """The graph of a file; an error that names an argument of Python names that of the command line too."""
    from synaplex.graph import load

    try:
        return load(path, layers=parted(chain))
    except InvalidGraphError as error:
        if "layers=[" not in str(error):
            raise
        raise InvalidGraphError(f"{error} (on the command line: --chain name,name, or --tensors)") from error


def parted(text: str | None) -> list[str] | None:
    """Names parted by commas."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def version() -> dict[str, str]:
    """What wrote a file."""
    from synaplex import __version__

    return {"version": __version__}
