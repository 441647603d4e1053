"""The store of a population of modules: a folder as `synaplex.population.folder` describes it.

modules.json                the specification, versions and the seeds of each chunk
chunks/00000/
weights.safetensors     at the snapshots that are kept
networks.parquet        a row a network and snapshot
measures.parquet        what was measured, if anything was
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from synaplex.errors import UnreadableFileError
from synaplex.population.chunk import Chunk
from synaplex.population.folder import ChunkFolder
from synaplex.population.modules.chunk import ModuleChunk
from synaplex.population.modules.specification import TrainingSpec
from synaplex.population.record import Record
from synaplex.population.tables import parquet_bytes, read_rows

WEIGHTS, NETWORKS, MEASURES = "weights.safetensors", "networks.parquet", "measures.parquet"


class ModuleRecord(Record):
    """What ``modules.json`` says: the `Record` of a `TrainingSpec`."""

    specification: TrainingSpec


class ModuleStore(ChunkFolder[ModuleRecord]):
    """The folder of a population of modules.

    Parameters
    ----------
    folder
        Where; made by the first write.
    """

    record_name: ClassVar[str] = "modules.json"
    record_class = ModuleRecord

    def commit(self, chunk: Chunk, result: ModuleChunk) -> None:
        """Write a chunk: whole, or not at all; errors as `ChunkFolder.write_chunk` raises them."""
        tensors = {
            f"{step}/{name}": value.contiguous()
            for step, values in result.weights.items()
            for name, value in values.items()
        }
        files = {
            WEIGHTS: save({"seeds": torch.tensor(result.seeds, dtype=torch.int64), **tensors}),
            NETWORKS: parquet_bytes(result.networks),
        }
        if result.measures is not None:
            files[MEASURES] = parquet_bytes(result.measures)
        self.write_chunk(chunk, files)

    def check(self, chunk: Chunk, record: ModuleRecord) -> None:
        """Check, from headers and sizes, that a finished chunk is what the record says.

        Raises
        ------
        UnreadableFileError
            If a file is missing, truncated, or holds other networks; names it.
        """
        folder, spec = self.chunk_folder(chunk), record.specification
        expected = len(spec.snapshots) * len(chunk.seeds)
        try:
            found = read_rows(folder / NETWORKS)
            if found != expected:
                raise UnreadableFileError(f"{folder / NETWORKS} is damaged: {found} rows, {expected} expected")
            if (folder / MEASURES).exists():
                read_rows(folder / MEASURES)
            with opened(folder / WEIGHTS) as file:
                if tuple(file.get_tensor("seeds").tolist()) != chunk.seeds:
                    raise UnreadableFileError(f"{folder / WEIGHTS} is damaged: it holds other networks")
        except UnreadableFileError as error:
            raise UnreadableFileError(f"{error}. Remove {folder} and train again: only it is made anew") from error


def read_parameters(path: Path, step: int, rows: Sequence[int]) -> dict[str, Float[Tensor, "networks ..."]]:
    """The parameters of some networks at a step, by name.

    Raises
    ------
    UnreadableFileError
        If the file is missing, truncated or of another layout.
    """
    prefix = f"{step}/"
    with opened(path) as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
        return {name.removeprefix(prefix): file.get_slice(name)[list(rows)] for name in names}


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A file of weights, opened for reading."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise UnreadableFileError(f"{path} is damaged: {error}") from error
