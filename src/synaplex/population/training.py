"""train_population: from a description to a population in a store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from synaplex.datasets import Dataset, load
from synaplex.errors import SpecificationError
from synaplex.networks import MLP, InitializerBase, check_seeds
from synaplex.population.chunk import Chunk, train_chunk
from synaplex.population.engine import Engine, InProcess, Report
from synaplex.population.filling import fill, prepare, temporary
from synaplex.population.memory import default_chunk_size
from synaplex.population.optimizers import SGD, Adam
from synaplex.population.population import Population
from synaplex.population.specification import PopulationSpec
from synaplex.population.store import Store
from synaplex.population.trainer import check_fit


def train_population(
    network: MLP,
    dataset: str | Dataset = "digits",
    *,
    seeds: Iterable[int],
    measures: str | Sequence[str] | Mapping[str, Mapping[str, Any]] | None = None,
    store: str | os.PathLike[str] | None = None,
    initializer: InitializerBase | str = "uniform",
    shared_stream: bool = False,
    optimizer: SGD | Adam | str = "sgd",
    epochs: int = 30,
    batch_size: int = 100,
    data_seed: int = 0,
    snapshots: Sequence[int] | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    dtype: Literal["float32", "float64"] = "float32",
    data_dir: str | os.PathLike[str] | None = None,
    chunk_size: int | None = None,
    device: torch.device | str = "cpu",
    engine: Engine | None = None,
    progress: bool = True,
) -> Population:
    """Train networks that differ by their seed, many at a time, and measure their neurons while they learn.

    All see the same batches in the same order. The defaults are the recipe of Scabini & Bruno (2021),
    section 3.1.

    Parameters
    ----------
    network
        The architecture, such as ``synaplex.networks.mlp(64, 32, 16, 10)``.
    dataset
        A name that `synaplex.datasets.load` knows, or a `Dataset`.
    seeds
        One network each, from 0 to 2^32 - 1. A network is a function of its seed, whatever it is trained
        beside.
    measures
        What to measure of hidden neurons at each snapshot: a preset such as ``"scabini"``, a measure or
        several, or measures with options; nothing by default.
    store
        Folder that keeps the population. Where it holds one of the same specification, only missing
        networks are trained. None: a temporary folder, removed with the returned object.
    initializer, shared_stream, optimizer, epochs, batch_size, data_seed, snapshots, train_size, test_size,
    dtype
        See `PopulationSpec`.
    data_dir
        Where datasets lie; see `synaplex.datasets.load`.
    chunk_size
        Networks trained at a time; chosen from memory by default, and fixed by the first run of a store.
    device
        Where to train, as torch names it.
    engine
        Where chunks run; in this process by default.
    progress
        Whether to show the time left on a terminal.

    Returns
    -------
    Population
        With at least the networks asked for.

    Raises
    ------
    SpecificationError
        If a value makes no sense, or network and dataset do not fit.
    UnknownNameError
        For a dataset, measure, initializer or optimizer that does not exist; suggests the nearest.
    StoreMismatchError, StoreBusyError
        If the folder holds a population of another specification, or another process works on it.
    UnreadableFileError, UnwritableFileError
        If data or a finished chunk are damaged, or a chunk cannot be written. Nothing finished is lost.
    KeyboardInterrupt
        On Ctrl-C. The same call goes on where it stopped; only the chunk in work is lost.

    Examples
    --------
    >>> from synaplex.networks import mlp
    >>> population = train_population(mlp(64, 8, 10), seeds=range(3), epochs=2, measures="strength")
    >>> population.neurons().columns
    ['seed', 'epoch', 'layer', 'neuron', 'strength', 'reason']
    >>> population.weights(seeds=[2]).sizes
    (64, 8, 10)
    """
    spec = PopulationSpec(
        dataset=dataset.name if isinstance(dataset, Dataset) else dataset,
        network=network,
        initializer=initializer,
        shared_stream=shared_stream,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        data_seed=data_seed,
        train_size=train_size,
        test_size=test_size,
        measures=measures,
        snapshots=snapshots,
        dtype=dtype,
    )
    return train_specification(
        spec,
        seeds=seeds,
        dataset=dataset if isinstance(dataset, Dataset) else None,
        store=store,
        data_dir=data_dir,
        chunk_size=chunk_size,
        device=device,
        engine=engine,
        progress=progress,
    )


def train_specification(
    spec: PopulationSpec,
    *,
    seeds: Iterable[int],
    dataset: Dataset | None = None,
    store: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    chunk_size: int | None = None,
    device: torch.device | str = "cpu",
    engine: Engine | None = None,
    progress: bool = True,
) -> Population:
    """Train the population of a specification; `train_population` describes parameters, result and errors."""
    wanted = check_seeds(list(seeds))
    if chunk_size is not None and chunk_size < 1:
        raise SpecificationError(f"chunk_size must be at least 1, got {chunk_size}")
    data = load(spec.dataset, data_dir) if dataset is None else dataset
    check_fit(spec, data.subset(spec.train_size, spec.test_size))
    if store is not None:
        return _train(spec, wanted, data, Store(store), chunk_size, device, engine or InProcess(), progress)
    with temporary() as folder:
        population = _train(spec, wanted, data, Store(folder), chunk_size, device, engine or InProcess(), progress)
    population.remove_with_me()
    return population


@dataclass(frozen=True)
class _TrainAndKeep:
    """The task of an engine: a chunk is trained, measured and written."""

    spec: PopulationSpec
    dataset: Dataset
    store: Store
    device: torch.device | str

    def __call__(self, chunk: Chunk, report: Report) -> None:
        result = train_chunk(self.spec, self.dataset, chunk.seeds, device=self.device, on_epoch=report)
        self.store.commit(chunk, result)


def _train(
    spec: PopulationSpec,
    seeds: tuple[int, ...],
    dataset: Dataset,
    store: Store,
    chunk_size: int | None,
    device: torch.device | str,
    engine: Engine,
    progress: bool,
) -> Population:
    with store.locked():
        record = prepare(store, spec, seeds, dataset.digest(), chunk_size, default_chunk_size(spec))
        # The recorded specification may name the same measures in another order, which is that of the columns.
        task = _TrainAndKeep(record.specification, dataset, store, device)
        title = f"networks {spec.network} on {spec.dataset}"
        fill(store, record, seeds, task, engine, store.check, title, spec.epochs + 1, shown=progress)
        return Population(store)
