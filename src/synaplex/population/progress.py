"""A progress bar with the time left, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from synaplex.population.engine import Report


@contextmanager
def progress_bar(description: str, total: int, *, shown: bool) -> Iterator[Report]:
    """A function that moves the bar on by a number of steps.

    Parameters
    ----------
    description
        What is being done.
    total
        Number of steps in all.
    shown
        Whether to draw; it is drawn on standard error, and only if that is a terminal.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task(description, total=total)
        yield lambda steps: progress.advance(task, steps)
