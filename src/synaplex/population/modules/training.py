"""train_modules: populations of any architecture, tested and measured by step."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch

from synaplex.datasets import Dataset, load
from synaplex.errors import SpecificationError
from synaplex.networks import MLP, Architecture, Autoencoder, InitializerBase, check_seeds
from synaplex.population.chunk import Chunk
from synaplex.population.devices import check_device
from synaplex.population.engine import Engine, InProcess, Report
from synaplex.population.filling import fill, prepare, temporary
from synaplex.population.memory import BUDGET, LARGEST
from synaplex.population.modules.chunk import check_module_fit, train_module_chunk
from synaplex.population.modules.objectives import ObjectiveName
from synaplex.population.modules.population import ModulePopulation
from synaplex.population.modules.snapshot import Measuring
from synaplex.population.modules.specification import TrainingSpec, as_steps
from synaplex.population.modules.store import ModuleStore
from synaplex.population.optimizers import SGD, Adam
from synaplex.population.trainer import EVALUATION_BATCH

IN_A_LOOP = 16
"""Networks a chunk that are trained one after the other: more would only be lost together when a run is killed."""


def train_modules(
    network: Architecture,
    dataset: str | Dataset = "digits",
    *,
    seeds: Iterable[int],
    steps: int,
    snapshots: Iterable[int] | None = None,
    kept: Iterable[int] | Literal["all"] | None = None,
    measure: Measuring | None = None,
    measured: str | None = None,
    store: str | os.PathLike[str] | None = None,
    initializer: InitializerBase | str = "uniform",
    biases: Literal["zero", "weights"] = "zero",
    objective: ObjectiveName | None = None,
    optimizer: SGD | Adam | str = "sgd",
    batch_size: int = 100,
    data_seed: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
    dtype: Literal["float32", "float64"] = "float32",
    data_dir: str | os.PathLike[str] | None = None,
    chunk_size: int | None = None,
    device: torch.device | str = "cpu",
    engine: Engine | None = None,
    progress: bool = True,
) -> ModulePopulation:
    """Train networks of any architecture that differ by their seed, and test and measure them at chosen steps.

    All see the same batches in the same order. A network is a function of the specification and its seed; of dense ones
    the rounding may depend on the chunk too, which a store fixes. Dense networks and autoencoders are trained as one
    batch, others one after the other; see `synaplex.population.modules.trainers` for the measurements behind that.

    Parameters
    ----------
    network
        Such as ``synaplex.networks.cnn((1, 8, 8), 8, dense=(10,))`` or ``synaplex.networks.la_malfa_2021("cnn")``.
    dataset
        A name that `synaplex.datasets.load` knows, or a `Dataset`. Its samples are arranged as the network takes them.
    seeds
        One network each, from 0 to 2^32 - 1.
    steps
        Batches to train on.
    snapshots
        The steps after which networks are tested and measured; by default 0 and the last. `geometric_steps` gives steps
        at growing distances.
    kept
        The snapshots whose weights are kept, or ``"all"``; by default the last.
    measure
        Called at each snapshot with a `Snapshot` of the networks of a chunk, returns a table with a column ``seed``;
        its other columns and its rows are its own.
    measured
        Its name, which is part of the identity of a store: two functions that measure different things need two names.
        By default its module and name.
    store
        Folder that keeps the population; no URL. Where it holds one of the same specification, only missing networks
        are trained. None: a temporary folder, removed with the returned object.
    initializer, biases, objective, optimizer, batch_size, data_seed, train_size, test_size, dtype
        See `TrainingSpec`.
    data_dir
        Where datasets lie; see `synaplex.datasets.load`.
    chunk_size
        Networks that are kept together; by default 16 that are trained one after the other, and as many dense ones as
        fit 1 GB, up to 64. Fixed by the first run of a store.
    device
        Where to train, as torch names it.
    engine
        Where chunks run; in this process by default.
    progress
        Whether to show the time left on a terminal.

    Returns
    -------
    ModulePopulation
        With at least the networks asked for.

    Raises
    ------
    SpecificationError
        If a value makes no sense, network, objective and dataset do not fit, or the store is a URL.
    UnknownNameError
        For a dataset, initializer or optimizer that does not exist; suggests the nearest.
    StoreMismatchError, StoreBusyError
        If the folder holds a population of another specification, or another process works on it.
    UnreadableFileError, UnwritableFileError
        If data or a finished chunk are damaged, or a chunk cannot be written. Nothing finished is lost.
    KeyboardInterrupt
        On Ctrl-C. The same call goes on where it stopped; only the chunk in work is lost.

    Examples
    --------
    >>> from synaplex.networks import cnn
    >>> network = cnn((1, 8, 8), 4, dense=(10,), stride=2, bias=True)
    >>> population = train_modules(network, seeds=range(2), steps=20, snapshots=[0, 5, 20], initializer="kaiming")
    >>> population.networks().columns
    ['seed', 'step', 'train_loss', 'train_accuracy', 'test_loss', 'test_accuracy', 'reason']
    >>> population.module(1)
    Sequential(
      (0): Conv2d(1, 4, kernel_size=(3, 3), stride=(2, 2))
      (1): ReLU()
      (2): Flatten(start_dim=1, end_dim=-1)
      (3): Linear(in_features=36, out_features=10, bias=True)
    )
    """
    spec = TrainingSpec(
        dataset=dataset.name if isinstance(dataset, Dataset) else dataset,
        network=network,
        initializer=initializer,
        biases=biases,
        objective=objective,
        optimizer=optimizer,
        steps=steps,
        batch_size=batch_size,
        data_seed=data_seed,
        train_size=train_size,
        test_size=test_size,
        snapshots=as_steps(snapshots),
        kept=as_steps(kept),
        measured=_name(measure, measured),
        dtype=dtype,
    )
    wanted = check_seeds(seeds)
    if chunk_size is not None and chunk_size < 1:
        raise SpecificationError(f"chunk_size must be at least 1, got {chunk_size}")
    kept_in = None if store is None else ModuleStore(store)
    check_device(device, engine)
    data = load(spec.dataset, data_dir) if isinstance(dataset, str) else dataset
    check_module_fit(spec, data.subset(spec.train_size, spec.test_size))

    def run(place: ModuleStore) -> ModulePopulation:
        return _train(spec, wanted, data, place, measure, chunk_size, device, engine, progress)

    if kept_in is not None:
        return run(kept_in)
    with temporary() as folder:
        population = run(ModuleStore(folder))
    population.remove_with_me()
    return population


def _name(measure: Measuring | None, name: str | None) -> str:
    if measure is None:
        if name:
            raise SpecificationError(f"measured={name!r} names a measuring function, but there is none")
        return ""
    if name is None:
        name = f"{getattr(measure, '__module__', '')}.{getattr(measure, '__qualname__', '')}".strip(".")
    if not name or "<" in name:
        raise SpecificationError("give the measuring function a name with measured=; it is part of what a store holds")
    return name


@dataclass(frozen=True)
class _TrainAndKeep:
    """The task of an engine: a chunk is trained, measured and written."""

    spec: TrainingSpec
    dataset: Dataset
    store: ModuleStore
    measure: Measuring | None
    device: torch.device | str

    def __call__(self, chunk: Chunk, report: Report) -> None:
        result = train_module_chunk(
            self.spec, self.dataset, chunk.seeds, measure=self.measure, device=self.device, on_snapshot=report
        )
        self.store.commit(chunk, result)


def _train(
    spec: TrainingSpec,
    seeds: tuple[int, ...],
    dataset: Dataset,
    store: ModuleStore,
    measure: Measuring | None,
    chunk_size: int | None,
    device: torch.device | str,
    engine: Engine | None,
    progress: bool,
) -> ModulePopulation:
    with store.locked():
        record = prepare(store, spec, seeds, dataset.digest(), chunk_size, _chunk_size(spec))
        task = _TrainAndKeep(spec, dataset, store, measure, device)
        title = f"networks {spec.network} on {spec.dataset}"
        fill(store, record, seeds, task, engine or InProcess(), store.check, title, len(spec.snapshots), shown=progress)
        return ModulePopulation(store)


def _chunk_size(spec: TrainingSpec) -> int:
    network = spec.network
    if not isinstance(network, MLP | Autoencoder):
        return IN_A_LOOP
    values = network.parameters * (2 + spec.optimizer.buffers + len(spec.kept))
    values += 3 * sum(network.widths[1:]) * max(spec.batch_size, EVALUATION_BATCH)
    return max(1, min(LARGEST, BUDGET // (values * spec.torch_dtype.itemsize)))
