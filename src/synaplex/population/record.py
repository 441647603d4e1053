"""The record of a store: what it holds, and which networks go into which chunk."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from pydantic import PositiveInt

import synaplex
from synaplex.errors import SpecificationError, StoreError, StoreMismatchError, UnreadableFileError
from synaplex.networks import Specification
from synaplex.population.chunk import Chunk
from synaplex.population.specification import PopulationSpec

FORMAT = 1
"""Version of the layout of a store."""


class Record(Specification):
    """What a store says of itself.

    Chunks are planned before they are trained, and never change afterwards: seeds that the store does not
    know yet go, in the order given, into new chunks at the end, `chunk_size` to each and the rest into a
    last smaller one. A last chunk that is not full stays as it is when a store is extended.

    Attributes
    ----------
    format
        Version of the layout.
    specification
        What the networks are.
    dataset_digest
        `Dataset.digest` of the data they were trained on.
    chunk_size
        Networks a chunk, fixed by the first run.
    chunks
        Seeds of each chunk planned so far, finished or not.
    versions
        Of the packages that the store was begun with.
    """

    format: PositiveInt = FORMAT
    specification: Specification
    dataset_digest: str
    chunk_size: PositiveInt
    chunks: tuple[tuple[int, ...], ...] = ()
    versions: dict[str, str]

    @classmethod
    def begin(cls, specification: Specification, dataset_digest: str, chunk_size: int) -> Self:
        """The record of a new store without networks."""
        return cls(
            specification=specification,
            dataset_digest=dataset_digest,
            chunk_size=chunk_size,
            versions=current_versions(),
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a record.

        Raises
        ------
        UnreadableFileError
            If the file is missing or is no record.
        StoreError
            If it was written in another format.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise UnreadableFileError(f"{path.parent} holds no population: there is no {path.name}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableFileError(f"{path} cannot be read: {error}") from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str | bytes, place: str) -> Self:
        """The record that a file holds; `place` names the file in errors, which are those of `read`."""
        try:
            fields: Any = json.loads(text)
        except ValueError as error:
            raise UnreadableFileError(f"{place} is damaged: {error}") from error
        found = fields.get("format") if isinstance(fields, dict) else None
        if found != FORMAT:
            raise StoreError(f"{place} is of format {found!r}; Synaplex {synaplex.__version__} reads {FORMAT}")
        try:
            return cls(**fields)
        except SpecificationError as error:
            raise UnreadableFileError(f"{place} is damaged: {error}") from error

    def as_bytes(self) -> bytes:
        """The file that `read` reads."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    def require(self, specification: Specification, dataset_digest: str, chunk_size: int | None) -> None:
        """Raise `StoreMismatchError`, naming what differs, unless specification and data are the same."""
        faults = [
            f"{field} is {_brief(mine)} there, {_brief(theirs)} here"
            for field, (mine, theirs) in self.specification.differences(specification).items()
        ]
        if self.dataset_digest != dataset_digest and "dataset" not in self.specification.differences(specification):
            faults.append("the data of the dataset of that name are not those it was trained on")
        if chunk_size not in (None, self.chunk_size):
            faults.append(f"chunk_size is {self.chunk_size} there, {chunk_size} here (leave it out to go on)")
        if faults:
            raise StoreMismatchError("; ".join(faults))

    def extend(self, seeds: Iterable[int]) -> Self:
        """The record with new chunks for the seeds it does not hold yet."""
        known = {seed for chunk in self.chunks for seed in chunk}
        new = [seed for seed in seeds if seed not in known]
        size = self.chunk_size
        added = tuple(tuple(new[start : start + size]) for start in range(0, len(new), size))
        return self.model_copy(update={"chunks": self.chunks + added})

    def plan(self, seeds: Iterable[int] | None = None) -> list[Chunk]:
        """The chunks that hold any of the seeds; all by default."""
        wanted = None if seeds is None else set(seeds)
        chunks = [Chunk(index, chunk) for index, chunk in enumerate(self.chunks)]
        return [chunk for chunk in chunks if wanted is None or not wanted.isdisjoint(chunk.seeds)]


class StoreRecord(Record):
    """What ``population.json`` says: the `Record` of a `PopulationSpec`."""

    specification: PopulationSpec


def _brief(value: Any) -> str:
    """A value of a specification for an error message."""
    if value is None:
        return "absent"
    if isinstance(value, list) and len(value) > 6:
        return f"{len(value)} values up to {value[-1]}"
    return ", ".join(f"{k}={v!r}" for k, v in value.items()) if isinstance(value, dict) else repr(value)


def current_versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    packages = {name: version(name) for name in ("numpy", "polars", "pyarrow", "torch")}
    return {"synaplex": synaplex.__version__, "python": platform.python_version(), **packages}
