"""A folder of chunks: each is whole, or absent.

    NAME.json       what the folder holds: specification, versions and the seeds of each chunk
    chunks/00000/   the files of a chunk
    .lock, .locks/  held by the processes that work on it; see `synaplex.population.locks`

A chunk is written under another name and renamed: whatever kills the process, a finished chunk is whole and
an unfinished one is absent.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar

from synaplex.errors import SpecificationError, StoreError, SynaplexError, UnwritableFileError
from synaplex.population.chunk import Chunk
from synaplex.population.locks import FolderLocks
from synaplex.population.record import Record

R = TypeVar("R", bound=Record)
_PARTIAL = ".partial"


class ChunkFolder(Generic[R]):
    """Where chunks and the record of what they are lie.

    Parameters
    ----------
    folder
        Where; made by the first write.

    Raises
    ------
    SpecificationError
        If it is a URL.
    """

    record_name: ClassVar[str]
    record_class: type[R]

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = as_folder(folder)

    @property
    def _record_path(self) -> Path:
        return self.folder / self.record_name

    @property
    def _chunks_path(self) -> Path:
        return self.folder / "chunks"

    def absolute(self) -> Self:
        """The same folder for a process that works elsewhere."""
        return type(self)(self.folder.absolute())

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
            _write(partial, record.as_bytes())
            os.replace(partial, self._record_path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training into this store, and remove what a dead one left unfinished.

        Raises
        ------
        StoreBusyError
            If another process is at it, or at some of its chunks.
        UnwritableFileError
            If the folder cannot be made or written.
        """
        with self._locks().whole():
            with _writing(self.folder):
                self._record_path.with_name(self._record_path.name + _PARTIAL).unlink(missing_ok=True)
                self._remove_leftovers(f"*{_PARTIAL}")
            yield

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Keep other processes from changing the record meanwhile; waits for those that do the same.

        Raises
        ------
        StoreBusyError
            If another process works on the whole store.
        UnwritableFileError
            If the folder cannot be made or written.
        """
        with self._locks().planning():
            yield

    @contextmanager
    def claimed(self, chunks: Sequence[Chunk]) -> Iterator[None]:
        """Keep other processes from these chunks, and remove what a dead one left of them. Begin it while `planning`.

        Raises
        ------
        StoreBusyError
            If another process is at one of them.
        UnwritableFileError
            If the folder cannot be written.
        """
        with self._locks().claimed([chunk.index for chunk in chunks]):
            with _writing(self.folder):
                for chunk in chunks:
                    self._remove_leftovers(f"{chunk.index:05d}.*{_PARTIAL}")
            yield

    def _locks(self) -> FolderLocks:
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        return FolderLocks(self.folder)

    def _remove_leftovers(self, pattern: str) -> None:
        for path in self._chunks_path.glob(pattern):
            shutil.rmtree(path)

    def is_finished(self, chunk: Chunk) -> bool:
        """Whether the chunk has been written."""
        return self.chunk_folder(chunk).exists()

    def write_chunk(self, chunk: Chunk, files: Mapping[str, bytes]) -> None:
        """Write the files of a chunk: all of them whole, or none at all.

        Where the chunk is there already, nothing is written: a task that was given up for lost and done again
        may still come to its end, with the same chunk.

        Raises
        ------
        UnwritableFileError
            If the disk is full or the folder cannot be written.
        """
        final = self.chunk_folder(chunk)
        with _writing(self.folder):
            self._chunks_path.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=f"{final.name}.", suffix=_PARTIAL, dir=self._chunks_path))
            try:
                partial.chmod(self._chunks_path.stat().st_mode)  # mkdtemp hides the folder from everyone else
                for name, content in files.items():
                    _write(partial / name, content)
                os.rename(partial, final)
            except BaseException as error:
                shutil.rmtree(partial, ignore_errors=True)
                if not (isinstance(error, OSError) and final.exists()):
                    raise


def is_url(place: str | os.PathLike[str]) -> bool:
    """Whether a place is a URL, and no folder."""
    return isinstance(place, str) and "://" in place


def as_folder(place: str | os.PathLike[str]) -> Path:
    """A folder as it was named; raises `SpecificationError` for a URL, which would become a folder of that name."""
    if is_url(place):
        raise SpecificationError(
            f"{place!r} is a URL, and a folder is needed: train_modules keeps populations in folders; URLs are for "
            "train_population and Population.open"
        )
    return Path(place)


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
