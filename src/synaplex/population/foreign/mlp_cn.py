"""The MLP-CN dataset of Scabini & Bruno (2021): Keras files of weights, MATLAB files of measures."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError, UnreadableFileError
from synaplex.graph.keras import read_keras
from synaplex.population.foreign.base import ForeignPopulation

MEASURES = (
    "strength",
    "neighbor_strength",
    "current_flow_closeness",
    "bipartite_clustering",
    "log_subgraph_centrality",
    "harmonic_centrality",
    "second_order_centrality",
    "maximal_cliques",
)
"""Of the columns, in their order. The second is the average degree of the neighbours, not their strength."""
NINTH = "unnamed"
"""Some files have a ninth column, of which their authors do not say what it is."""
_NUMBER = re.compile(r"network(\d+)")


class MlpCn(ForeignPopulation):
    """The networks of one benchmark of the MLP-CN dataset, with their measures.

    Files are found by the number in their names, in any subfolder: ``network17.h5`` holds the weights after the last
    epoch, ``network17_9measures.mat`` the measures of all epochs. Losses and accuracies are in pickle files, which are
    not read: they can run any code.

    Parameters
    ----------
    folder
        Such as ``MNIST_deepFeedForward``.

    Raises
    ------
    UnreadableFileError
        If there is no network, or there are two of one number.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__(folder)
        self._weights = _by_number(self.folder, "*.h5")
        self._measures = _by_number(self.folder, "*.mat")
        if not self._weights and not self._measures:
            raise UnreadableFileError(f"{self.folder} holds no file such as network1.h5 or network1_9measures.mat")

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted({*self._weights, *self._measures}))

    def networks(self) -> pl.DataFrame:
        """A row a network, with columns ``seed``, ``weights`` and ``measures``: the files, null where there is none."""
        return pl.DataFrame(
            [
                (seed, *(str(files[seed]) if seed in files else None for files in (self._weights, self._measures)))
                for seed in self.seeds
            ],
            schema={"seed": pl.Int64, "weights": pl.String, "measures": pl.String},
            orient="row",
        )

    def epochs(self, seed: int) -> tuple[int, ...]:
        """The last one, as the measures count them (30 where there are none)."""
        if seed not in self._weights:
            return ()
        return (len(self._read_measures(seed)[0]) - 1,) if seed in self._measures else (30,)

    def neurons(self, seeds: Sequence[int] | None = None) -> pl.DataFrame:
        """The published measures of hidden neurons.

        Parameters
        ----------
        seeds
            Of which networks; all that have any by default. A network has 9,300 rows.

        Returns
        -------
        polars.DataFrame
            A row a neuron and epoch, as `Population.neurons` has them: ``seed``, ``epoch``, ``layer``, ``neuron`` and
            the measures, Float64; subgraph centrality as its natural logarithm. A ninth column is called ``unnamed``.

        Raises
        ------
        SpecificationError
            If a network is not there, or has no measures.
        UnreadableFileError
            If a file is damaged.
        """
        wanted = sorted(self._measures) if seeds is None else list(seeds)
        unknown = [seed for seed in wanted if seed not in self._measures]
        if unknown or not wanted:
            raise SpecificationError(f"{self!r} has no measures of networks {unknown}")
        frames = [
            _frame(seed, layer, values)
            for seed in wanted
            for layer, values in enumerate(self._read_measures(seed), start=1)
        ]
        return pl.concat(frames, how="diagonal").sort("seed", "epoch", "layer", "neuron")

    def _read(self, seed: int, epoch: int) -> dict[str, Tensor]:
        return {tensor.name: tensor.read() for tensor in read_keras(self._weights[seed])}

    def _read_measures(self, seed: int) -> list[Float[np.ndarray, "epochs _ measures"]]:
        from scipy.io import loadmat

        path = self._measures[seed]
        try:
            found = loadmat(path, variable_names=["fmap_h1", "fmap_h2"])
            layers = [np.asarray(found[name], dtype=np.float64) for name in ("fmap_h1", "fmap_h2")]
        except (OSError, KeyError, ValueError, TypeError, NotImplementedError) as error:
            raise UnreadableFileError(f"{path} is damaged, or holds no fmap_h1 and fmap_h2: {error}") from error
        shapes = [layer.shape for layer in layers]
        if any(len(shape) != 3 or shape[2] not in (8, 9) for shape in shapes) or shapes[0][::2] != shapes[1][::2]:
            raise UnreadableFileError(f"{path}: arrays of shapes {shapes}; epochs x neurons x 8 or 9 are expected")
        return layers


def _by_number(folder: Path, pattern: str) -> dict[int, Path]:
    found: dict[int, Path] = {}
    for path in sorted(folder.rglob(pattern)):
        match = _NUMBER.search(path.name)
        other = found.setdefault(int(match[1]), path) if match else path
        if other != path:
            raise UnreadableFileError(f"{other} and {path} have the same number: open one benchmark at a time")
    return found


def _frame(seed: int, layer: int, values: Float[np.ndarray, "epochs neurons measures"]) -> pl.DataFrame:
    epochs, neurons, measures = values.shape
    columns = dict(zip((*MEASURES, NINTH), values.reshape(-1, measures).T, strict=False))
    columns["log_subgraph_centrality"] = np.log(columns["log_subgraph_centrality"])
    index = {
        "seed": pl.Series([seed], dtype=pl.Int64).new_from_index(0, epochs * neurons),
        "epoch": pl.Series(np.repeat(np.arange(epochs, dtype=np.int32), neurons)),
        "layer": pl.Series([layer], dtype=pl.Int32).new_from_index(0, epochs * neurons),
        "neuron": pl.Series(np.tile(np.arange(neurons, dtype=np.int32), epochs)),
    }
    return pl.DataFrame({**index, **{name: np.ascontiguousarray(column) for name, column in columns.items()}})
