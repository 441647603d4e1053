"""The application: its options, and its errors as one line each."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from synaplex.errors import SpecificationError, SynaplexError, UnknownNameError

# On a machine that is busy otherwise, threads that wait by spinning take the cores from those that work. Read when
# torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Everything else is imported inside the commands, so that help appears at once.

RESUMING = frozenset({"study", "train"})
"""Commands that go on where they stopped."""

_RESUMES = "Stopped. What was finished is kept: the same command goes on from there."
_STARTS_OVER = "Stopped. Files are written whole or not at all."


class _Group(TyperGroup):
    """Commands whose errors are one line each."""

    def invoke(self, ctx: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a minus sign that a code page lacks must not end the command
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
            _complain(str(error) or (_RESUMES if ctx.invoked_subcommand in RESUMING else _STARTS_OVER))
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
