"""Tables and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from synaplex.report.cells import cell, is_numeric

_WIDE = 140
"""Columns of a terminal that is none: a file or a pipe."""


def console() -> Console:
    """Where results go. Nothing in a text is taken for markup; a pipe gets lines long enough for any table."""
    made = Console(markup=False, highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(markup=False, highlight=False, width=_WIDE)


def print_table(
    frame: pl.DataFrame, title: str, *, digits: int = 4, groups: str | None = None, hide: Sequence[str] = ()
) -> None:
    """Print a table.

    Parameters
    ----------
    frame
        Each row is printed.
    title
        A line above it.
    digits
        Significant digits of numbers that are not whole.
    groups
        A column: where its value changes, the table gets a line.
    hide
        Columns to leave out.
    """
    table = Table(title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    shown = [column for column in frame if column.name not in hide]
    for column in shown:
        table.add_column(
            column.name.replace("_", " "), justify="right" if is_numeric(column) else "left", overflow="fold"
        )
    keys = frame[groups].to_list() if groups else [None] * len(frame)
    for index, values in enumerate(zip(*(column.to_list() for column in shown), strict=True)):
        ends = index + 1 < len(keys) and keys[index + 1] != keys[index]
        table.add_row(*(Text(cell(value, digits).text) for value in values), end_section=ends)
    console().print(table)


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values, one a line."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        console().print(f"{name:<{width}}  {value}")


def say(text: str) -> None:
    """Print a line."""
    console().print(text, soft_wrap=True)


@contextmanager
def working(text: str) -> Iterator[Any]:
    """A sign of life on a terminal's standard error while something takes time; `update` changes its text."""
    with Console(stderr=True, markup=False).status(Text(text)) as status:
        yield status
