"""Study: a published paper as something that can be rerun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Study:
    """A published paper whose results one call makes again.

    Attributes
    ----------
    name
        What it is called on the command line.
    title
        The question, in one line.
    paper
        The reference.
    run
        ``run(out, *, ...)`` reruns it: trains what is missing, then writes tables, figures and ``report.html`` into a
        folder.
    """

    name: str
    title: str
    paper: str
    run: Callable[..., Path]
