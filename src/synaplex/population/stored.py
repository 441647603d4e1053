"""What every population in a folder has in common: seeds, chunks, tables."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl

from synaplex.errors import SpecificationError, UnreadableFileError
from synaplex.population.chunk import Chunk
from synaplex.population.folder import ChunkFolder
from synaplex.population.record import Record

R = TypeVar("R", bound=Record)


class StoredPopulation(Generic[R]):
    """The finished chunks of a folder.

    Parameters
    ----------
    store
        Where they lie.
    check
        Raises `UnreadableFileError` for a chunk that is damaged.
    """

    def __init__(self, store: ChunkFolder[R], check: Callable[[Chunk, R], None]) -> None:
        self._folder = store
        self._temporary = False
        self._record = store.read_record()
        plan = self._record.plan()
        self._chunks = [chunk for chunk in plan if store.is_finished(chunk)]
        self._planned = sum(len(chunk.seeds) for chunk in plan)
        for chunk in self._chunks:
            check(chunk, self._record)

    def remove_with_me(self) -> None:
        """Delete the folder when this object is no longer used: what it returns does not need its files."""
        self._temporary = True
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where the population lies."""
        return self._folder.folder

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the networks that are there."""
        return tuple(seed for chunk in self._chunks for seed in chunk.seeds)

    @property
    def missing(self) -> int:
        """Number of networks that were planned but are not there yet."""
        return self._planned - len(self)

    def _scan(self, name: str) -> pl.LazyFrame:
        if not self._chunks:
            raise UnreadableFileError(f"no network of the population in {self.folder} is finished yet")
        return self._lazy([self._folder.chunk_folder(chunk) / name for chunk in self._chunks])

    def _lazy(self, paths: Sequence[Path]) -> pl.LazyFrame:
        """A table of several files, read when it is collected; where they may be gone by then, read now."""
        table = pl.scan_parquet(list(paths))
        return table.collect().lazy() if self._temporary else table

    def _rows(self, seeds: Sequence[int]) -> tuple[list[tuple[Path, list[int]]], list[int]]:
        """Where networks lie: folders with rows in them, and the place of each seed among all these rows."""
        where = {seed: (chunk, row) for chunk in self._chunks for row, seed in enumerate(chunk.seeds)}
        unknown = [seed for seed in seeds if seed not in where]
        if unknown or not seeds:
            raise SpecificationError(f"{self!r} has no network of seeds {unknown}")
        wanted: dict[int, list[int]] = {}
        for seed in seeds:
            wanted.setdefault(where[seed][0].index, []).append(seed)
        place = {seed: i for i, seed in enumerate(seed for some in wanted.values() for seed in some)}
        found = [
            (self._folder.chunk_folder(where[some[0]][0]), [where[seed][1] for seed in some])
            for some in wanted.values()
        ]
        return found, [place[seed] for seed in seeds]

    def __len__(self) -> int:
        return len(self.seeds)

    def _gap(self) -> str:
        return f", {self.missing} more planned" if self.missing else ""
