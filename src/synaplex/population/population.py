"""Population: what a store holds, as tables, batches and modules."""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import torch
from torch import Tensor, nn

from synaplex.errors import SpecificationError, UnreadableFileError
from synaplex.graph import NeuralGraph
from synaplex.population.specification import PopulationSpec
from synaplex.population.store import NETWORKS, NEURONS, WEIGHTS, Store
from synaplex.population.tables import read_weights


class Population:
    """Trained networks of one architecture and their measures, read from a store.

    Networks come in the order in which their seeds were first asked for. Chunks that are finished after a
    population was opened are not part of it: open it again.

    Parameters
    ----------
    store
        Where it lies.

    Raises
    ------
    UnreadableFileError
        If there is no population, or a file of it is damaged; names the file.
    StoreError
        If the store is of another format.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        record = store.read_record()
        self._spec = record.specification
        plan = record.plan()
        self._chunks = [chunk for chunk in plan if store.is_finished(chunk)]
        self._planned = sum(len(chunk.seeds) for chunk in plan)
        for chunk in self._chunks:
            store.check(chunk, record)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Population:
        """Open the population in a folder, finished or not; see the class for errors."""
        return cls(Store(folder))

    def remove_with_me(self) -> None:
        """Delete the folder when this object is no longer used."""
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where the population lies."""
        return self._store.folder

    @property
    def spec(self) -> PopulationSpec:
        """What the networks are."""
        return self._spec

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the networks that are there."""
        return tuple(seed for chunk in self._chunks for seed in chunk.seeds)

    @property
    def missing(self) -> int:
        """Number of networks that were planned but are not there yet."""
        return self._planned - len(self)

    def networks(self) -> pl.DataFrame:
        """How each network did in each epoch.

        Returns
        -------
        polars.DataFrame
            A row a network and epoch, 0 being the untrained network: ``seed``, ``epoch``, ``train_loss``,
            ``train_accuracy`` (means over the epoch, each sample scored just before the step that its batch
            makes; at epoch 0 over the training set), ``test_loss``, ``test_accuracy`` (after the epoch),
            ``reason`` (why values are null: the network has diverged). Accuracies of a regression are null
            without a reason.
        """
        return self._scan(NETWORKS).collect()

    def neurons(self) -> pl.DataFrame:
        """Measures of each hidden neuron at each snapshot.

        Returns
        -------
        polars.DataFrame
            A row a neuron and snapshot: ``seed``, ``epoch``, ``layer`` (0 is the input), ``neuron`` (within
            its layer), one column a measure (Float32; counts Int32; ``log_subgraph_centrality`` Float64),
            ``reason`` (why values are null).
        """
        return self.scan_neurons().collect()

    def scan_neurons(self) -> pl.LazyFrame:
        """The table of `neurons`, to be filtered before it is read."""
        return self._scan(NEURONS)

    def _scan(self, name: str) -> pl.LazyFrame:
        if not self._chunks:
            raise UnreadableFileError(f"no network of the population in {self.folder} is finished yet")
        return pl.scan_parquet([self._store.chunk_folder(chunk) / name for chunk in self._chunks])

    def weights(self, seeds: Sequence[int] | None = None) -> NeuralGraph:
        """The trained networks as one batch.

        Parameters
        ----------
        seeds
            Which networks, in this order; all by default.

        Raises
        ------
        SpecificationError
            If a seed is not in the population.
        InvalidGraphError
            If one of the networks has diverged.
        """
        matrices, biases = self._parameters(self.seeds if seeds is None else seeds)
        return NeuralGraph.from_weights(matrices, biases or None)

    def module(self, seed: int) -> nn.Sequential:
        """One trained network as a PyTorch module."""
        matrices, biases = self._parameters([seed])
        return self.spec.network.to_module([m[0] for m in matrices], [b[0] for b in biases] or None)

    def _parameters(self, seeds: Sequence[int]) -> tuple[list[Tensor], list[Tensor]]:
        where = {seed: (chunk, row) for chunk in self._chunks for row, seed in enumerate(chunk.seeds)}
        unknown = [seed for seed in seeds if seed not in where]
        if unknown or not seeds:
            raise SpecificationError(f"{self!r} has no network of seeds {unknown}")
        wanted: dict[int, list[int]] = {}
        for seed in seeds:
            wanted.setdefault(where[seed][0].index, []).append(seed)
        weights, biases = [], []
        for some in wanted.values():
            chunk, rows = where[some[0]][0], [where[seed][1] for seed in some]
            part = read_weights(self._store.chunk_folder(chunk) / WEIGHTS, rows)
            weights.append(part[0])
            biases.append(part[1])
        place = {seed: i for i, seed in enumerate(seed for some in wanted.values() for seed in some)}
        order = torch.tensor([place[seed] for seed in seeds])
        return _joined(weights, order), _joined(biases, order)

    def __len__(self) -> int:
        return len(self.seeds)

    def __repr__(self) -> str:
        missing = f", {self.missing} more planned" if self.missing else ""
        return (
            f"Population({len(self)} networks {self.spec.network} on {self.spec.dataset!r}, "
            f"{self.spec.epochs} epochs{missing}, in {self.folder})"
        )


def _joined(parts: list[list[Tensor]], order: Tensor) -> list[Tensor]:
    """Tensors of several chunks one after the other, then in the given order."""
    return [torch.cat(tensors)[order] for tensors in zip(*parts, strict=True)]
