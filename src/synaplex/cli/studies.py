"""The command about published papers: study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synaplex.cli.app import app
from synaplex.errors import SpecificationError, UnknownNameError


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
    from synaplex.cli.study_options import option_defaults, parse_options, spell
    from synaplex.report import console
    from synaplex.studies import studies

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
