"""Stages: saying what a study is at, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console

Stage = Callable[[str], AbstractContextManager[object]]
"""Wraps a stage of the work, given what it does, to say so and time it."""


def stages(shown: bool) -> Stage:
    """What tells on standard error what is being done, and when it is done how long it took."""
    console = Console(stderr=True, highlight=False, quiet=not shown)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.perf_counter()
        console.print(f"[dim]…[/] {name}", end="\r" if console.is_terminal else "\n")
        yield
        console.print(f"[green]✓[/] {name} [dim]{time.perf_counter() - started:.1f} s[/]")

    return stage
