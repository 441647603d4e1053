"""A store at a URL: in an object store such as S3, or anything else that fsspec reaches.

population.json, chunks/00000/... as in a folder
chunks/00000/complete       written last: without it, a chunk does not count

Object stores know neither locks nor folders that are renamed. They need none: a chunk is a function of the record and
of its seeds, so two jobs that make the same chunk write the same bytes. Jobs on the same chunks waste their time only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synaplex.datasets.sources import cache_folder
from synaplex.errors import SpecificationError, UnreadableFileError, UnwritableFileError, require
from synaplex.population.chunk import Chunk
from synaplex.population.record import StoreRecord
from synaplex.population.store import NETWORKS, NEURONS, WEIGHTS, Store

MARK = "complete"


def open_store(place: str | os.PathLike[str]) -> Store:
    """The store in a folder, or at a URL such as ``s3://bucket/populations/mnist``."""
    return UrlStore(place) if isinstance(place, str) and "://" in place else Store(place)


class UrlStore(Store):
    """A population's store at a URL.

    Chunks that this machine made or read are kept in the cache (`synaplex.datasets.sources.cache_folder`), where they
    are read from. Opening a population fetches what is missing there, weights included.

    Parameters
    ----------
    url
        As fsspec understands it; ``s3://``, ``gs://`` and others need their own packages.

    Raises
    ------
    SpecificationError
        If fsspec does not know the protocol, or lacks a package for it.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        super().__init__(cache_folder() / "stores" / hashlib.sha256(self.url.encode()).hexdigest()[:16])
        try:
            self._system, self._root = require("fsspec.core", "ray").url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise SpecificationError(f"store {url!r} cannot be reached: {error}") from error
        self._known: set[int] = set()

    def __reduce__(self) -> tuple[Any, ...]:  # on another machine the cache is elsewhere
        return UrlStore, (self.url,)

    def absolute(self) -> UrlStore:
        """The same store for a process that works elsewhere."""
        return UrlStore(self.url)

    def exists(self) -> bool:
        """Whether there is something already."""
        with self._reading():
            return bool(self._system.exists(self._at(self.record_name)))

    def read_record(self) -> StoreRecord:
        """What the store holds; see `Record.read` for errors."""
        if not self.exists():
            raise UnreadableFileError(f"{self.url} holds no population: there is no {self.record_name}")
        before = self._cached_record()
        with self._reading():
            self._fetch(self.record_name)
        record = super().read_record()
        self._forget_others(before, record)
        return record

    def write_record(self, record: StoreRecord) -> None:
        """Replace the record, in one step."""
        self._forget_others(self._cached_record(), record)
        super().write_record(record)
        self._send(self.record_name)

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
        UnwritableFileError
            If the disk of the cache is full, or the store cannot be written.
        """
        super().write_chunk(chunk, files)
        for name in files:
            self._send(f"{self._place(chunk)}/{name}")
        with self._writing():
            self._system.pipe_file(self._at(f"{self._place(chunk)}/{MARK}"), b"")

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

    def _cached_record(self) -> StoreRecord | None:
        return super().read_record() if super().exists() else None

    def _forget_others(self, before: StoreRecord | None, now: StoreRecord) -> None:
        """Empty the cache, if it is of another population that was at this URL before."""
        if before is not None and (
            before.model_dump(exclude={"chunks", "versions"}) != now.model_dump(exclude={"chunks", "versions"})
            or any(a != b for a, b in zip(before.chunks, now.chunks, strict=False))
        ):
            shutil.rmtree(self._chunks_path, ignore_errors=True)

    def _place(self, chunk: Chunk) -> str:
        return self.chunk_folder(chunk).relative_to(self.folder).as_posix()

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _fetch(self, name: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.fetched")
        partial.write_bytes(self._system.cat_file(self._at(name)))
        os.replace(partial, path)

    def _send(self, name: str) -> None:
        with self._writing():
            content = (self.folder / name).read_bytes()
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
