"""What every published population can tell, whatever its layout."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import torch
from torch import Tensor

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import NeuralGraph


class ForeignPopulation(ABC):
    """Networks that were trained elsewhere, by number; see `Population` for those trained here.

    Parameters
    ----------
    folder
        Where the population lies.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    @property
    @abstractmethod
    def seeds(self) -> tuple[int, ...]:
        """The networks' numbers, in order."""

    @abstractmethod
    def networks(self) -> pl.DataFrame:
        """What is known of each network, by its number ``seed`` and, where it was followed, its ``epoch``."""

    @abstractmethod
    def epochs(self, seed: int) -> tuple[int, ...]:
        """After which epochs (or steps, where the population counts these) the weights of a network were kept."""

    @abstractmethod
    def _read(self, seed: int, epoch: int) -> dict[str, Tensor]:
        """Tensors of a network that is there, after an epoch that is there."""

    def tensors(self, seed: int, epoch: int | None = None) -> dict[str, Tensor]:
        """The parameters of one network by name, as PyTorch lays them out: ``(out, in)``, ``(out, in, height, width)``.

        Parameters
        ----------
        seed
            Its number.
        epoch
            After which epoch, out of `epochs`; the last by default.

        Raises
        ------
        SpecificationError
            If there is no such network or epoch.
        UnreadableFileError
            If its file is missing or damaged.
        """
        if seed not in self.seeds:
            raise SpecificationError(f"{self!r} has no network {seed}")
        kept = self.epochs(seed)
        if not kept or (epoch is not None and epoch not in kept):
            there = ", ".join(map(str, kept)) or "none"
            raise SpecificationError(
                f"{self!r} has no weights of network {seed} after epoch {epoch}; there are: {there}"
            )
        return self._read(seed, kept[-1] if epoch is None else epoch)

    def weights(self, seeds: Sequence[int] | None = None, epoch: int | None = None) -> NeuralGraph:
        """Networks of dense layers as one batch.

        Parameters
        ----------
        seeds
            Which networks, in this order; all by default.
        epoch
            After which epoch; the last of each by default.

        Raises
        ------
        SpecificationError
            If there is no such network or epoch.
        InvalidGraphError
            If networks are no chains of dense layers of the same sizes: use `tensors` for others.
        """
        wanted = self.seeds if seeds is None else tuple(seeds)
        networks = [self.tensors(seed, epoch) for seed in wanted]
        if not networks:
            raise SpecificationError(f"{self!r}: no networks were asked for")
        shapes = [{name: tuple(value.shape) for name, value in tensors.items()} for tensors in networks]
        others = [seed for seed, shape in zip(wanted, shapes, strict=True) if shape != shapes[0]]
        deep = [name for name, shape in shapes[0].items() if len(shape) > 2]
        if others or deep:
            fault = (
                f"network {others[0]} has other layers than {wanted[0]}" if others else f"{deep[0]} is no dense layer"
            )
            raise InvalidGraphError(f"{self!r} cannot be one batch of dense layers: {fault}. Use tensors() instead")
        stacked = [torch.stack([tensors[name] for tensors in networks]) for name in shapes[0]]
        biases = [value for value in stacked if value.ndim == 2]
        return NeuralGraph.from_weights([value for value in stacked if value.ndim == 3], biases or None)

    def __len__(self) -> int:
        return len(self.seeds)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} networks in {self.folder})"
