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
from synaplex.population.devices import check_device
from synaplex.population.engine import Engine, InProcess, Report
from synaplex.population.filling import fill, reserved, temporary
from synaplex.population.memory import default_chunk_size
from synaplex.population.optimizers import SGD, Adam
from synaplex.population.population import Population
from synaplex.population.specification import PopulationSpec
from synaplex.population.store import Store
from synaplex.population.trainer import check_fit
from synaplex.population.url_store import open_store


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
    loss: Literal["cross_entropy", "clipped_cross_entropy"] = "cross_entropy",
    epochs: int = 30,
    batch_size: int = 100,
    data_seed: int = 0,
    snapshots: Sequence[int] | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    dtype: Literal["float32", "float64"] = "float32",
    data_dir: str | os.PathLike[str] | None = None,
    chunk_size: int | None = None,
    chunks: Iterable[int] | None = None,
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
        The architecture, such as ``synaplex.networks.mlp(64, 32, 16, 10)``. For others, see
        `synaplex.population.train_modules`.
    dataset
        A name that `synaplex.datasets.load` knows, or a `Dataset`.
    seeds
        One network each, from 0 to 2^32 - 1. A network is a function of its seed, whatever it is trained
        beside.
    measures
        What to measure of hidden neurons at each snapshot: a preset such as ``"scabini"``, a measure or
        several, or measures with options; nothing by default.
    store
        Folder that keeps the population, or a URL that fsspec understands. Where it holds one of the same
        specification, only missing networks are trained. None: a temporary folder, removed with the returned object.
    initializer, shared_stream, optimizer, loss, epochs, batch_size, data_seed, snapshots, train_size,
    test_size, dtype
        See `PopulationSpec`.
    data_dir
        Where datasets lie; see `synaplex.datasets.load`.
    chunk_size
        Networks trained at a time; chosen from memory by default, and fixed by the first run of a store.
    chunks
        Numbers of the chunks to train in this call, where several jobs share one store: chunk 0 holds the first
        `chunk_size` seeds, and so on. All by default. Needs a store.
    device
        Where to train, as torch names it.
    engine
        Where chunks run; in this process by default. See `RayEngine` for several machines.
    progress
        Whether to show the time left on a terminal.

    Returns
    -------
    Population
        With at least the networks asked for, or those of the chunks.

    Raises
    ------
    SpecificationError
        If a value makes no sense, or network and dataset do not fit.
    UnknownNameError
        For a dataset, measure, initializer or optimizer that does not exist; suggests the nearest.
    StoreMismatchError, StoreBusyError
        If the folder holds a population of another specification, or another process works on it or on one of
        the chunks.
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
        loss=loss,
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
        chunks=chunks,
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
    chunks: Iterable[int] | None = None,
    device: torch.device | str = "cpu",
    engine: Engine | None = None,
    progress: bool = True,
) -> Population:
    """Train the population of a specification; `train_population` describes parameters, result and errors."""
    wanted = check_seeds(seeds)
    if chunk_size is not None and chunk_size < 1:
        raise SpecificationError(f"chunk_size must be at least 1, got {chunk_size}")
    numbers: Any = chunks
    if not isinstance(numbers, Iterable | None):
        raise SpecificationError(f"chunks are several numbers, such as [0, 1], not {numbers!r}")
    if chunks is not None and store is None:
        raise SpecificationError("chunks are numbered within a store: name its folder with store=")
    check_device(device, engine)
    data = load(spec.dataset, data_dir) if dataset is None else dataset
    check_fit(spec, data.subset(spec.train_size, spec.test_size))
    run = _Run(spec, wanted, data, chunk_size, None if chunks is None else tuple(chunks), device, engine, progress)
    if store is not None:
        return run(open_store(store))
    with temporary() as folder:
        population = run(Store(folder))
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


@dataclass(frozen=True, eq=False)
class _Run:
    """What `train_specification` was asked for, once it is known to make sense."""

    spec: PopulationSpec
    seeds: tuple[int, ...]
    dataset: Dataset
    chunk_size: int | None
    chunks: tuple[int, ...] | None
    device: torch.device | str
    engine: Engine | None
    progress: bool

    def __call__(self, store: Store) -> Population:
        digest, default = self.dataset.digest(), default_chunk_size(self.spec)
        with reserved(store, self.spec, self.seeds, digest, self.chunk_size, default, self.chunks) as record:
            # The recorded specification may name the same measures in another order, which is that of the columns.
            task = _TrainAndKeep(record.specification, self.dataset, store.absolute(), self.device)
            fill(
                store,
                record,
                self.seeds,
                task,
                self.engine or InProcess(),
                store.check,
                f"networks {self.spec.network} on {self.spec.dataset}",
                self.spec.epochs + 1,
                shown=self.progress,
                chunks=self.chunks,
            )
            return Population(store)
