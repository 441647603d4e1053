"""The store: a population as a folder.

    population.json             the specification, versions and the seeds of each chunk
    chunks/00000/
        weights.safetensors     after the last epoch
        networks.parquet        a row a network and epoch
        neurons.parquet         a row a neuron and snapshot
    .lock                       held by the process that trains

A chunk is written under another name and renamed: whatever kills the process, a finished chunk is whole and
an unfinished one is absent.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from synaplex.errors import (
    StoreBusyError,
    StoreError,
    SynaplexError,
    UnreadableFileError,
    UnwritableFileError,
)
from synaplex.population.chunk import Chunk, ChunkResult
from synaplex.population.record import StoreRecord
from synaplex.population.tables import parquet_bytes, read_rows, read_seeds, weights_bytes

WEIGHTS, NETWORKS, NEURONS = "weights.safetensors", "networks.parquet", "neurons.parquet"
_PARTIAL = ".partial"


class Store:
    """A population's folder.

    Parameters
    ----------
    folder
        Where; made by the first write.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    @property
    def _record_path(self) -> Path:
        return self.folder / "population.json"

    @property
    def _chunks_path(self) -> Path:
        return self.folder / "chunks"

    def chunk_folder(self, chunk: Chunk) -> Path:
        """Where a finished chunk lies."""
        return self._chunks_path / f"{chunk.index:05d}"

    def exists(self) -> bool:
        """Whether there is a population already.

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

    def read_record(self) -> StoreRecord:
        """What the store holds; see `StoreRecord.read` for errors."""
        return StoreRecord.read(self._record_path)

    def write_record(self, record: StoreRecord) -> None:
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

    def commit(self, chunk: Chunk, result: ChunkResult) -> None:
        """Write a chunk: whole, or not at all.

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
                _write(partial / WEIGHTS, weights_bytes(result.seeds, result.weights, result.biases))
                _write(partial / NETWORKS, parquet_bytes(result.networks))
                _write(partial / NEURONS, parquet_bytes(result.neurons))
                os.rename(partial, final)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise

    def check(self, chunk: Chunk, record: StoreRecord) -> None:
        """Check, from headers and sizes, that a finished chunk is what the record says.

        Raises
        ------
        UnreadableFileError
            If a file is missing, truncated, or holds other networks; names it.
        """
        folder, spec = self.chunk_folder(chunk), record.specification
        hidden = sum(spec.network.widths[1:-1])
        rows = {NETWORKS: spec.epochs + 1, NEURONS: len(spec.snapshots) * hidden}
        try:
            for name, expected in rows.items():
                found = read_rows(folder / name)
                if found != expected * len(chunk.seeds):
                    raise UnreadableFileError(
                        f"{folder / name} is damaged: {found} rows, {expected * len(chunk.seeds)} expected"
                    )
            if tuple(read_seeds(folder / WEIGHTS)) != chunk.seeds:
                raise UnreadableFileError(f"{folder / WEIGHTS} is damaged: it holds other networks")
        except UnreadableFileError as error:
            raise UnreadableFileError(f"{error}. Remove {folder} and train again: only it is made anew") from error


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
