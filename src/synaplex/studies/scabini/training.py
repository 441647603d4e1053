"""How populations of the study come about: trained here or elsewhere, in whole or in part, or opened as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synaplex.datasets import Dataset, load
from synaplex.errors import SpecificationError, UnreadableFileError
from synaplex.population import Engine, InProcess, Population, PopulationSpec, train_specification
from synaplex.studies.scabini.recipe import FEWEST_NETWORKS, check, network_seeds, specification
from synaplex.studies.stages import stages

STORE = "population"
"""Name of the store in the folder of a study."""


@dataclass(frozen=True)
class Training:
    """Where and how networks are trained; the results do not depend on it.

    Attributes
    ----------
    chunk_size
        Networks trained at a time; chosen from memory by default.
    engine
        Where chunks run.
    device
        Where a chunk is trained, as torch names it.
    enabled
        Whether to train what is missing. If not, the networks that are there count, if they are enough.
    progress
        Whether to say on standard error what is being done.
    """

    chunk_size: int | None = None
    engine: Engine = field(default_factory=InProcess)
    device: str = "cpu"
    enabled: bool = True
    progress: bool = True

    def population(
        self, spec: PopulationSpec, data: Dataset, seeds: Sequence[int], store: Path
    ) -> tuple[Population, tuple[int, ...]]:
        """The population, and which of the seeds it has.

        Raises
        ------
        SpecificationError
            If nothing may be trained and the store holds other networks.
        UnreadableFileError
            If nothing may be trained and too few networks are there.
        """
        if self.enabled:
            return self.train(spec, data, seeds, store), tuple(seeds)
        population = Population.open(store)
        if population.spec != spec:
            raise SpecificationError(f"{store} holds {population!r}, other networks than those asked for")
        there = tuple(sorted(set(seeds) & set(population.seeds)))
        if len(there) < min(len(seeds), FEWEST_NETWORKS):
            raise UnreadableFileError(f"{store} has {len(there)} of the networks so far: too few to analyse")
        return population, there

    def train(
        self,
        spec: PopulationSpec,
        data: Dataset,
        seeds: Sequence[int],
        store: Path,
        chunks: Sequence[int] | None = None,
    ) -> Population:
        """Train what is missing, or what is missing of some chunks; see `synaplex.train_population`."""
        return train_specification(
            spec,
            seeds=seeds,
            dataset=data,
            store=store,
            chunk_size=self.chunk_size,
            chunks=chunks,
            device=self.device,
            engine=self.engine,
            progress=self.progress,
        )


def train_chunks(
    folders: dict[str, Path],
    chunks: Sequence[int],
    training: Training,
    *,
    networks: int,
    seed: int,
    epochs: int,
    data_dir: Path | None,
    recipe: str,
) -> Path:
    """One job of many: train these chunks of the population of each dataset, and analyse nothing.

    Parameters
    ----------
    folders
        Of the study, by dataset.
    chunks
        Their numbers.
    training
        Where and how.
    networks, seed, epochs, data_dir, recipe
        See `synaplex.studies.scabini.run`.

    Returns
    -------
    Path
        The last store.
    """
    stage = stages(training.progress)
    for dataset, folder in folders.items():
        data = load(dataset, data_dir)
        check(networks, epochs, seed, data)
        spec, store = specification(data, epochs, seed, recipe), folder / STORE
        with stage(f"{len(chunks)} chunks of {networks} networks on {dataset}, {epochs} epochs"):
            training.train(spec, data, network_seeds(networks, seed), store, chunks)
    return store
