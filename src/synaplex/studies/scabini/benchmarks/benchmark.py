"""Benchmark: what the study of one dataset found, read from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.errors import UnreadableFileError
from synaplex.neurons import RELEASED, BagOfNeurons, Constant, Normalization
from synaplex.population import Population
from synaplex.studies.scabini.evolution import snapshots_of
from synaplex.studies.scabini.published import KEPT
from synaplex.studies.scabini.vocabulary import Vocabulary

PAPER: Mapping[str, str] = MappingProxyType(
    {"mnist": "mnist", "fashion-mnist": "fashion-mnist", "cifar10-grey-28": "cifar10", "kth-tips": "kth-tips"}
)
"""The paper's benchmark that a dataset stands for."""

TITLES: Mapping[str, str] = MappingProxyType(
    {"mnist": "MNIST", "fashion-mnist": "Fashion MNIST", "cifar10": "CIFAR-10", "kth-tips": "KTH-TIPS"}
)
"""The paper's benchmarks, in its order, as it writes them."""


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A dataset whose networks were analysed.

    Attributes
    ----------
    dataset
        Its name.
    population
        The trained networks.
    seeds
        Of the networks analysed, ascending.
    accuracy
        Of each, on the test set.
    first, final
        Their neurons before and after training.
    vocabulary
        Of neuron types, found on `final`.
    tables
        Of the analysis, by name.
    """

    dataset: str
    population: Population
    seeds: tuple[int, ...]
    accuracy: Float[np.ndarray, " networks"]
    first: pl.DataFrame
    final: pl.DataFrame
    vocabulary: Vocabulary
    tables: Mapping[str, pl.DataFrame]

    @property
    def paper(self) -> str:
        """The paper's name for it, or its own."""
        return PAPER.get(self.dataset, self.dataset)

    @property
    def title(self) -> str:
        """As headings write it."""
        return TITLES.get(self.paper, self.dataset)


def read_benchmark(folder: Path, dataset: str) -> Benchmark:
    """What a finished study of one dataset holds.

    Raises
    ------
    UnreadableFileError
        If the folder has no finished study.
    """
    try:
        tables = {path.stem: pl.read_parquet(path) for path in sorted((folder / "tables").glob("*.parquet"))}
        networks = tables["networks"].sort("seed")
        vocabulary = _vocabulary(tables["types"], tables["type_scale"])
    except (OSError, KeyError, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(f"{folder} holds no finished study of {dataset}: {error}") from error
    population = Population.open(folder / "population")
    seeds = tuple(networks["seed"].to_list())
    epochs = [0, population.spec.epochs]
    first, final = (frame for _, frame in snapshots_of(population.scan_neurons(), seeds, epochs))
    accuracy = networks["test_accuracy"].cast(pl.Float64).to_numpy()
    return Benchmark(dataset, population, seeds, accuracy, first, final, vocabulary, tables)


def _vocabulary(types: pl.DataFrame, scale: pl.DataFrame) -> Vocabulary:
    """The vocabulary that two tables describe."""
    constants = tuple(
        Constant(row["measure"], row["low"], row["high"], row["layer"], row["logarithmic"])
        for row in scale.iter_rows(named=True)
    )
    normalization: Normalization = replace(RELEASED, constants=constants)
    return Vocabulary(BagOfNeurons.from_centers(types.select(KEPT).to_numpy()), normalization)
