"""A folder of chunks: each is whole, or absent.

    NAME.json       what the folder holds: specification, versions and the seeds of each chunk
    chunks/00000/   the files of a chunk
    .lock           held by the process that works on it

A chunk is written under another name and renamed: whatever kills the process, a finished chunk is whole and
an unfinished one is absent.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from filelock import FileLock, Timeout

from synaplex.errors import StoreBusyError, StoreError, SynaplexError, UnwritableFileError
from synaplex.population.chunk import Chunk
from synaplex.population.record import Record

R = TypeVar("R", bound=Record)
_PARTIAL = ".partial"


class ChunkFolder(Generic[R]):
    """Where chunks and the record of what they are lie.

    Parameters
    ----------
    folder
        Where; made by the first write.
    """

    record_name: ClassVar[str]
    record_class: type[R]

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    @property
    def _record_path(self) -> Path:
        return self.folder / self.record_name

    @property
    def _chunks_path(self) -> Path:
        return self.folder / "chunks"

    def chunk_folder(self, chunk: Chunk) -> Path:
        """Where a finished chunk lies."""
        return self._chunks_path / f"{chunk.index:05d}"

    def exists(self) -> bool:
        """Whether there is something already.

        Raises
        ------
        StoreError
            If there are chunks but no record of what they are.
        """
        if self._record_path.exists():
            return True
        if self._chunks_path.exists():
            raise StoreError(f"{self.folder} holds chunks but no {self._record_path.name}; choose another folder")
        return False

    def read_record(self) -> R:
        """What the folder holds; see `Record.read` for errors."""
        return self.record_class.read(self._record_path)

    def write_record(self, record: R) -> None:
        """Replace the record, in one step."""
        with _writing(self.folder):
            partial = self._record_path.with_name(self._record_path.name + _PARTIAL)
            _write(partial, (record.model_dump_json(indent=1) + "\n").encode())
            os.replace(partial, self._record_path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training into this store, and remove what a dead one left unfinished.

        Raises
        ------
        StoreBusyError
            If another process is at it.
        UnwritableFileError
            If the folder cannot be made or written.
        """
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise StoreBusyError(
                    f"another process is training into {self.folder}; wait for it, or choose another folder"
                ) from None
        try:
            with _writing(self.folder):
                self._remove_leftovers()
            yield
        finally:
            lock.release()

    def _remove_leftovers(self) -> None:
        self._record_path.with_name(self._record_path.name + _PARTIAL).unlink(missing_ok=True)
        for path in self._chunks_path.glob(f"*{_PARTIAL}"):
            shutil.rmtree(path)

    def is_finished(self, chunk: Chunk) -> bool:
        """Whether the chunk has been written."""
        return self.chunk_folder(chunk).exists()

    def write_chunk(self, chunk: Chunk, files: Mapping[str, bytes]) -> None:
        """Write the files of a chunk: all of them whole, or none at all.

        Raises
        ------
        UnwritableFileError
            If the disk is full or the folder cannot be written.
        """
        final = self.chunk_folder(chunk)
        partial = final.with_name(final.name + _PARTIAL)
        with _writing(self.folder):
            try:
                partial.mkdir(parents=True)
                for name, content in files.items():
                    _write(partial / name, content)
                os.rename(partial, final)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn the system's errors into `UnwritableFileError`."""
    try:
        yield
    except SynaplexError:
        raise
    except OSError as error:
        raise UnwritableFileError(
            f"cannot write to {folder}: {error}. Finished chunks are whole; once this is mended, the same run goes on"
        ) from error
