"""Where chunks run. Nothing else in the package knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from synaplex.population.chunk import Chunk

Report = Callable[[int], None]
"""Told how many networks have got one epoch further."""

Task = Callable[[Chunk, Report], None]
"""Trains a chunk and puts it where it belongs. Can be pickled."""


@runtime_checkable
class Engine(Protocol):
    """Runs a task on chunks, in any order and place, each as if alone."""

    def run(self, task: Task, chunks: Sequence[Chunk], report: Report) -> None:
        """Run the task on every chunk, and return when all are done.

        Parameters
        ----------
        task
            What to do with a chunk.
        chunks
            On which.
        report
            To be called as networks get on.
        """


class InProcess:
    """One chunk after the other, in this process."""

    def run(self, task: Task, chunks: Sequence[Chunk], report: Report) -> None:
        for chunk in chunks:
            task(chunk, report)
