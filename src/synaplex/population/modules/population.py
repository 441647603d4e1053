"""ModulePopulation: what a store of modules holds."""

from __future__ import annotations

import os
from collections.abc import Sequence

import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn

from synaplex.errors import SpecificationError, UnreadableFileError
from synaplex.population.modules.snapshot import filled
from synaplex.population.modules.specification import TrainingSpec
from synaplex.population.modules.store import (
    MEASURES,
    NETWORKS,
    WEIGHTS,
    ModuleRecord,
    ModuleStore,
    read_parameters,
)
from synaplex.population.stored import StoredPopulation


class ModulePopulation(StoredPopulation[ModuleRecord]):
    """Trained networks of any architecture, with what was measured of them while they learned, read from a store.

    Networks come in the order in which their seeds were first asked for. Chunks that are finished after a population
    was opened are not part of it: open it again.

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

    def __init__(self, store: ModuleStore) -> None:
        super().__init__(store, store.check)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> ModulePopulation:
        """Open the population in a folder, finished or not; see the class for errors.

        A URL raises `SpecificationError`: populations of modules lie in folders.
        """
        return cls(ModuleStore(folder))

    @property
    def spec(self) -> TrainingSpec:
        """What the networks are."""
        return self._record.specification

    def networks(self) -> pl.DataFrame:
        """How each network did at each snapshot.

        Returns
        -------
        polars.DataFrame
            A row a network and snapshot: ``seed``, ``step`` (batches trained on), ``train_loss``, ``train_accuracy``
            (means over the batches since the snapshot before, each scored just before its step; null at step 0),
            ``test_loss``, ``test_accuracy`` (on the test set), ``reason`` (why values are null: the network has
            diverged). Accuracies of networks that do not classify are null without a reason.
        """
        return self._scan(NETWORKS).collect()

    def measures(self) -> pl.DataFrame:
        """What was measured at the snapshots: ``seed``, ``step`` and the columns of the measuring function.

        Raises
        ------
        SpecificationError
            If nothing was measured.
        """
        return self.scan_measures().collect()

    def scan_measures(self) -> pl.LazyFrame:
        """The table of `measures`, to be filtered before it is read; of a population without a store, in memory."""
        paths = [self._folder.chunk_folder(chunk) / MEASURES for chunk in self._chunks]
        there = [path for path in paths if path.exists()]
        if not there:
            raise SpecificationError(f"nothing was measured in {self.folder}; pass measure= when training")
        return self._lazy(there)

    def parameters(
        self, seeds: Sequence[int] | None = None, step: int | None = None
    ) -> dict[str, Float[Tensor, "networks ..."]]:
        """The parameters of networks by name, as one batch.

        Parameters
        ----------
        seeds
            Which networks, in this order; all by default.
        step
            One of the snapshots that are kept; the last by default.

        Raises
        ------
        SpecificationError
            If a seed is not in the population, or the weights of that step were not kept.
        """
        at = self.spec.kept[-1] if step is None else step
        if at not in self.spec.kept:
            raise SpecificationError(f"the weights after step {at} were not kept, only after {self.spec.kept}")
        folders, places = self._rows(self.seeds if seeds is None else seeds)
        parts = [read_parameters(folder / WEIGHTS, at, rows) for folder, rows in folders]
        if not all(part for part in parts):
            raise UnreadableFileError(f"{self.folder} is damaged: there are no weights of step {at}")
        order = torch.tensor(places)
        return {name: torch.cat([part[name] for part in parts])[order] for name in self._names()}

    def module(self, seed: int, step: int | None = None) -> nn.Module:
        """One network as a PyTorch module, as it was after a step that is kept; the last by default."""
        return filled(self.spec.network, {name: value[0] for name, value in self.parameters([seed], step).items()})

    def _names(self) -> list[str]:
        return [name for name, _ in self.spec.network.skeleton().named_parameters()]

    def __repr__(self) -> str:
        return (
            f"ModulePopulation({len(self)} networks {self.spec.network} on {self.spec.dataset!r}, "
            f"{self.spec.steps} steps{self._gap()}, in {self.folder})"
        )
