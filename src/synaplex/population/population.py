"""Population: what a store holds, as tables, batches and modules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import torch
from torch import Tensor, nn

from synaplex.graph import NeuralGraph
from synaplex.population.record import StoreRecord
from synaplex.population.specification import PopulationSpec
from synaplex.population.store import NETWORKS, NEURONS, WEIGHTS, Store
from synaplex.population.stored import StoredPopulation
from synaplex.population.tables import read_weights
from synaplex.population.url_store import open_store


class Population(StoredPopulation[StoreRecord]):
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
        super().__init__(store, store.check)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Population:
        """Open the population in a folder or at a URL, finished or not; see the class for errors."""
        return cls(open_store(folder))

    @property
    def spec(self) -> PopulationSpec:
        """What the networks are."""
        return self._record.specification

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
        """The table of `neurons`, to be filtered before it is read; of a population without a store, in memory."""
        return self._scan(NEURONS)

    def chunk_folders(self) -> list[Path]:
        """Where the files of each finished chunk lie."""
        return [self._folder.chunk_folder(chunk) for chunk in self._chunks]

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
        folders, places = self._rows(seeds)
        parts = [read_weights(folder / WEIGHTS, rows) for folder, rows in folders]
        order = torch.tensor(places)
        return _joined([weights for weights, _ in parts], order), _joined([biases for _, biases in parts], order)

    def __repr__(self) -> str:
        return (
            f"Population({len(self)} networks {self.spec.network} on {self.spec.dataset!r}, "
            f"{self.spec.epochs} epochs{self._gap()}, in {self.folder})"
        )


def _joined(parts: list[list[Tensor]], order: Tensor) -> list[Tensor]:
    """Tensors of several chunks one after the other, then in the given order."""
    return [torch.cat(tensors)[order] for tensors in zip(*parts, strict=True)]
