"""The command about published papers: study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from synaplex.cli.app import app
from synaplex.errors import SpecificationError, UnknownNameError


class _StudyCommand(TyperCommand):
    """The command, with the options of a study in its help where one is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and {"-h", "--help"} & {*args}:
            _print_study(args[0])
            ctx.exit()
        return super().parse_args(ctx, args)


def _print_study(name: str) -> None:
    """Print what a study is and takes."""
    from synaplex.cli.study_options import option_lines
    from synaplex.report import console
    from synaplex.studies import studies

    known = studies()
    if name not in known:
        raise UnknownNameError("study", name, known)
    console.say(f"{name}: {known[name].title}\n  {known[name].paper}")
    console.say(f"  --out FOLDER  [default: results/{name}]")
    for line in option_lines(known[name]):
        console.say(line)


@app.command(cls=_StudyCommand, context_settings={"ignore_unknown_options": True})
def study(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which study.", show_default=False)] = None,
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="OPTIONS OF THE STUDY", help="See NAME --help, or --list.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to. [default: results/NAME]", show_default=False)
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the studies and what each takes.")] = False,
) -> None:
    """Rerun a published study: tables, figures and a page, each result beside its null model.

    Stopped in the middle, it goes on where it was when it is started again. A study has options of its own.

        synaplex study --list

        synaplex study scabini --help

        synaplex study scabini

        synaplex study scabini --dataset digits --networks 300 --out results/scabini
    """
    from synaplex.cli.study_options import parse_options
    from synaplex.report import console
    from synaplex.studies import studies

    known = studies()
    if show:
        for one in known:
            _print_study(one)
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
