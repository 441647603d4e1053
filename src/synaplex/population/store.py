"""The store: a population as a folder.

population.json             the specification, versions and the seeds of each chunk
chunks/00000/
    weights.safetensors     after the last epoch
    networks.parquet        a row a network and epoch
    neurons.parquet         a row a neuron and snapshot
.lock                       held by the process that trains
"""

from __future__ import annotations

from typing import ClassVar

from synaplex.errors import UnreadableFileError
from synaplex.population.chunk import Chunk, ChunkResult
from synaplex.population.folder import ChunkFolder
from synaplex.population.record import StoreRecord
from synaplex.population.tables import parquet_bytes, read_rows, read_seeds, weights_bytes

WEIGHTS, NETWORKS, NEURONS = "weights.safetensors", "networks.parquet", "neurons.parquet"


class Store(ChunkFolder[StoreRecord]):
    """A population's folder.

    Parameters
    ----------
    folder
        Where; made by the first write.
    """

    record_name: ClassVar[str] = "population.json"
    record_class = StoreRecord

    def commit(self, chunk: Chunk, result: ChunkResult) -> None:
        """Write a chunk: whole, or not at all; errors as `ChunkFolder.write_chunk` raises them."""
        files = {
            WEIGHTS: weights_bytes(result.seeds, result.weights, result.biases),
            NETWORKS: parquet_bytes(result.networks),
            NEURONS: parquet_bytes(result.neurons),
        }
        self.write_chunk(chunk, files)

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
