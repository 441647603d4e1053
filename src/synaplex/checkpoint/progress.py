"""A progress bar over the bytes of a checkpoint, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn


@contextmanager
def bytes_bar(total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """A function that moves the bar on by a number of bytes.

    Parameters
    ----------
    total
        Bytes in all.
    shown
        Whether to draw; it is drawn on standard error, and only if that is a terminal.
    """
    console = Console(stderr=True)
    columns = (TextColumn("measuring"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task("", total=total)
        yield lambda steps: progress.advance(task, steps)
