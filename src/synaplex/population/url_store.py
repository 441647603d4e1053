"""A store at a URL: in an object store such as S3, or anything else that fsspec reaches.

population.json, chunks/00000/... as in a folder
chunks/00000/complete       written last: without it, a chunk does not count

Object stores know neither locks nor folders that are renamed. Chunks need none: a chunk is a function of the record and
of its seeds, so two jobs that make the same chunk write the same bytes, and waste their time only.

The record, which is the plan of all chunks, is read, extended and written. Processes of one machine take turns, by
locks in the cache; machines do not. So the plan is read again before it is written, after it was, and before each chunk
counts: a job whose plan another has replaced stops with `StoreBusyError`, and its chunk does not count. What that takes
for granted: what is written is there for all readers at once, as in S3, Google Cloud Storage and Azure; and no machine
stands still between its last look at the plan and writing it (two requests) for as long as another plans, trains and
sends a chunk. Jobs that name the same seeds and chunk size write the same plan, whichever comes last.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synaplex.datasets.sources import cache_folder
from synaplex.errors import (
    SpecificationError,
    StoreBusyError,
    StoreError,
    StoreMismatchError,
    UnreadableFileError,
    UnwritableFileError,
)
from synaplex.population.chunk import Chunk
from synaplex.population.folder import is_url
from synaplex.population.record import StoreRecord
from synaplex.population.store import NETWORKS, NEURONS, WEIGHTS, Store

MARK = "complete"


def open_store(place: str | os.PathLike[str]) -> Store:
    """The store in a folder, or at a URL such as ``s3://bucket/populations/mnist``."""
    return UrlStore(str(place)) if is_url(place) else Store(place)


class UrlStore(Store):
    """A population's store at a URL.

    Chunks that this machine made or read are kept in the cache, where they are read from: in a folder for each URL in
    ``stores`` of `synaplex.datasets.sources.cache_folder`. Opening a population fetches what is missing there, weights
    included. The cache grows with every population that is opened, without a limit; any folder in it may be deleted
    while no process uses its population, and is fetched again when that is opened.

    Parameters
    ----------
    url
        As fsspec understands it; ``s3://``, ``gs://`` and others need their own packages.
    plan
        The record that chunks are written for, where another process has made it.

    Raises
    ------
    SpecificationError
        If fsspec does not know the protocol, or lacks a package for it.
    """

    def __init__(self, url: str, plan: StoreRecord | None = None) -> None:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        self.url = url.rstrip("/")
        super().__init__(cache_folder() / "stores" / hashlib.sha256(self.url.encode()).hexdigest()[:16])
        try:
            self._system, self._root = url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise SpecificationError(f"store {url!r} cannot be reached: {error}") from error
        self._known: set[int] = set()
        self._plan = plan

    def __reduce__(self) -> tuple[Any, ...]:  # on another machine the cache is elsewhere
        return UrlStore, (self.url, self._plan)

    def absolute(self) -> UrlStore:
        """The same store for a process that works elsewhere."""
        return UrlStore(self.url, self._plan)

    def exists(self) -> bool:
        """Whether there is something already."""
        with self._reading():
            return bool(self._system.exists(self._at(self.record_name)))

    def read_record(self) -> StoreRecord:
        """What the store holds; see `Record.read` for errors."""
        if not self.exists():
            raise UnreadableFileError(f"{self.url} holds no population: there is no {self.record_name}")
        self._plan = self._fetch_record()
        return self._plan

    def write_record(self, record: StoreRecord) -> None:
        """Replace the record, in one step.

        Raises
        ------
        StoreBusyError
            If another machine changes the record at the same time.
        UnwritableFileError
            If the store cannot be written.
        """
        if self.exists() and not _goes_on(self._fetch_record(), record):
            raise self._replanned()
        self._send(self.record_name, record.as_bytes())
        if not _goes_on(record, self._fetch_record()):
            raise self._replanned()
        self._plan = record

    def is_finished(self, chunk: Chunk) -> bool:
        """Whether the chunk has been written."""
        if chunk.index not in self._known:
            with self._reading():
                if self._system.exists(self._at(f"{self._place(chunk)}/{MARK}")):
                    self._known.add(chunk.index)
        return chunk.index in self._known

    def write_chunk(self, chunk: Chunk, files: Mapping[str, bytes]) -> None:
        """Write the files of a chunk: all of them whole, or none that counts.

        Raises
        ------
        StoreBusyError
            If another machine has given the chunk to other networks meanwhile.
        StoreMismatchError
            If the URL holds a population of another specification by now.
        UnreadableFileError
            If the record is gone.
        UnwritableFileError
            If the disk of the cache is full, or the store cannot be written.
        """
        self._check_plan(chunk)
        super().write_chunk(chunk, files)
        for name, content in files.items():
            self._send(f"{self._place(chunk)}/{name}", content)
        self._check_plan(chunk)  # sending takes a while
        self._send(f"{self._place(chunk)}/{MARK}", b"")

    def check(self, chunk: Chunk, record: StoreRecord) -> None:
        """Fetch a finished chunk, if it is not in the cache; then as `Store.check`."""
        if not self.chunk_folder(chunk).exists():
            with self._reading():
                content = {
                    name: self._system.cat_file(self._at(f"{self._place(chunk)}/{name}"))
                    for name in (NETWORKS, NEURONS, WEIGHTS)
                }
            super().write_chunk(chunk, content)
        super().check(chunk, record)

    def _check_plan(self, chunk: Chunk) -> None:
        """Raise an error unless the record still says that these networks make the chunk."""
        there = self._fetch_record()
        if self._plan is not None:
            try:
                there.require(self._plan.specification, self._plan.dataset_digest, None)
            except StoreMismatchError as error:
                raise StoreMismatchError(
                    f"{self.url} has become another population meanwhile: {error}. Choose another URL"
                ) from None
        if there.chunks[chunk.index : chunk.index + 1] != (chunk.seeds,):
            raise self._replanned(f", and chunk {chunk.index} is to hold others than were trained: it does not count")

    def _replanned(self, lost: str = "") -> StoreBusyError:
        return StoreBusyError(
            f"another machine planned the networks of {self.url} at the same time{lost}. Run this again: what is "
            "missing is planned anew. Jobs that name the same seeds and chunk_size do not disturb each other"
        )

    def _fetch_record(self) -> StoreRecord:
        """The record as it is now, which goes into the cache."""
        with self._reading():
            content = self._system.cat_file(self._at(self.record_name))
        record = self.record_class.parse(content, f"{self.url}/{self.record_name}")
        self._forget_others(record)
        with self._reading():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Others may fetch it at the same time: each into a file of its own.
            partial = self._record_path.with_name(f"{self.record_name}.{secrets.token_hex(8)}.fetched")
            try:
                partial.write_bytes(content)
                os.replace(partial, self._record_path)
            finally:
                partial.unlink(missing_ok=True)
        return record

    def _forget_others(self, now: StoreRecord) -> None:
        """Remove from the cache what is of another population or plan that was at this URL before."""
        if not self._record_path.exists():
            return
        try:
            before = super().read_record()
        except (UnreadableFileError, StoreError):  # whatever the chunks are
            before = None
        if before is None or not (_goes_on(before, now) or _goes_on(now, before)):
            shutil.rmtree(self._chunks_path, ignore_errors=True)
            return
        for chunk in before.plan()[len(now.chunks) :]:
            shutil.rmtree(self.chunk_folder(chunk), ignore_errors=True)

    def _place(self, chunk: Chunk) -> str:
        return self.chunk_folder(chunk).relative_to(self.folder).as_posix()

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _send(self, name: str, content: bytes) -> None:
        with self._writing():
            self._system.makedirs(Path(self._at(name)).parent.as_posix(), exist_ok=True)
            self._system.pipe_file(self._at(name), content)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnreadableFileError(f"{self.url} cannot be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnwritableFileError(
                f"{self.url} cannot be written: {error}. Finished chunks are whole; the same run goes on"
            ) from error


def _goes_on(before: StoreRecord, now: StoreRecord) -> bool:
    """Whether a record is the one before, with chunks added or none."""
    left_out = {"chunks", "versions"}
    same = before.model_dump(exclude=left_out) == now.model_dump(exclude=left_out)
    return same and now.chunks[: len(before.chunks)] == before.chunks
