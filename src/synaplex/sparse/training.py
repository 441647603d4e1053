"""Training a sparse network on a named dataset: checkpointed at every epoch, resumed where it stopped."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn

from synaplex.datasets import Dataset, load
from synaplex.errors import SpecificationError, TrainingError, UnwritableFileError
from synaplex.sparse.checkpoint import load_checkpoint, save_checkpoint, save_model, told_by
from synaplex.sparse.epochs import by_epoch
from synaplex.sparse.evolution import Evolution
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.rules import drop_rule, grow_rule
from synaplex.sparse.rules import schedule as schedule_rule
from synaplex.sparse.sparsify import DenseLayerWarning, densities, sparsify
from synaplex.sparse.values import values_rule

WIDTHS = {"cifar10": (4000, 1000, 4000)}
"""Hidden layers where none are given, by dataset; else those of Heath 2021 for Fashion-MNIST."""

METHODS = {
    "static": ("random:0.3", "random", "never"),
    "rigl": ("magnitude:0.3", "gradient", ""),
    "cht": ("magnitude:0.3", "ch2-l3n", ""),
}
"""Short names of methods: drop rule, grow rule and schedule."""

CHECKPOINT, MODEL, LOG = "checkpoint.safetensors", "model.safetensors", "epochs.parquet"

SEED_LIMIT = 2**64
"""Seeds of PyTorch's generators lie below."""


@dataclass(frozen=True)
class SparseTraining:
    """What a training is made of.

    Attributes
    ----------
    dataset
        Its name.
    sparse
        The rules: a drop rule, ``"set:0.05"`` or ``"censet:2.6"``; with a grow rule, ``"magnitude:0.3/gradient"``; or
        ``"static"``, ``"rigl"``, ``"cht"``.
    hidden
        Neurons of each hidden layer; empty for those of the paper.
    epsilon
        Of the Erdos-Renyi topology; without effect where a density is given.
    topology, density
        In the place of epsilon; as for `sparsify`. ``""`` for its own choice, None for epsilon.
    schedule
        ``""`` for a round at the end of every epoch but the last.
    values
        Weights of grown connections; ``""`` for the grow rule's own.
    epochs, batch_size, learning_rate, momentum, dropout, seed
        Of training by stochastic gradient descent; the papers' settings.

    Raises
    ------
    SpecificationError
        If a value makes no sense; names it.
    UnknownNameError
        If there is no rule of a name.
    """

    dataset: str = "digits"
    sparse: str = "set:0.05"
    hidden: tuple[int, ...] = ()
    epsilon: int | float = 20.0
    schedule: str = ""
    values: str = ""
    epochs: int = 50
    batch_size: int = 100
    learning_rate: int | float = 0.01
    momentum: int | float = 0.9
    dropout: int | float = 0.3
    seed: int = 0
    topology: str = ""
    density: int | float | None = None

    def __post_init__(self) -> None:
        given: dict[str, Any] = vars(self)
        for name in ("epochs", "batch_size"):
            if not _whole(given[name]) or given[name] < 1:
                raise SpecificationError(f"{name}={given[name]!r} is no number of them: it is at least 1")
        hidden = given["hidden"]
        if not isinstance(hidden, tuple | list) or not all(_whole(one) and one >= 1 for one in hidden):
            raise SpecificationError(f"hidden={hidden!r} is no row of widths above 0, such as (256, 128)")
        if not _whole(self.seed) or not 0 <= self.seed < SEED_LIMIT:
            raise SpecificationError(f"seed={self.seed!r} is no whole number from 0 to {SEED_LIMIT - 1}")
        for name in ("dropout", "momentum"):
            if not isinstance(given[name], int | float) or not 0 <= given[name] < 1:
                raise SpecificationError(f"{name}={given[name]!r} is out of range: from 0 up to, not including, 1")
        rate = given["learning_rate"]
        if not isinstance(rate, int | float) or not 0 < rate < math.inf:
            raise SpecificationError(f"learning_rate={rate!r} is no number above 0")
        densities([], *self._topology())
        drop, grow, schedule = self._rules()
        drop_rule(drop)
        grow_rule(grow)
        schedule_rule(schedule)
        if self.values:
            values_rule(self.values)

    def _topology(self) -> tuple[int | float | None, str | None, int | float | None]:
        """Epsilon, topology and density as `sparsify` takes them."""
        return None if self.density is not None else self.epsilon, self.topology or None, self.density

    def _rules(self) -> tuple[str, str, str]:
        """The texts of the drop rule, the grow rule and the schedule."""
        drop, grow, schedule = METHODS.get(self.sparse, ("", "", ""))
        if not drop:
            drop, _, grow = self.sparse.partition("/")
        return drop, grow or "random", self.schedule or schedule or f"epoch+until:{self.epochs}"

    def build(self, data: Dataset) -> nn.Sequential:
        """The network: linear layers with ReLU and dropout between, all but the last one sparse."""
        if not data.classes:
            raise SpecificationError(f"dataset {data.name!r} has no classes: sparse training is for classification")
        hidden = self.hidden or WIDTHS.get(self.dataset, (256, 128, 100))
        parts: list[nn.Module] = []
        for before, after in pairwise((data.features, *hidden)):
            parts += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(self.dropout)]
        last = nn.Linear(hidden[-1], data.outputs)
        nn.init.xavier_uniform_(last.weight)
        model = nn.Sequential(*parts, last)
        for part in model:
            if isinstance(part, nn.Linear):
                nn.init.zeros_(part.bias)
        epsilon, topology, density = self._topology()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", DenseLayerWarning)
            sparsify(model, epsilon, topology=topology, density=density, seed=self.seed)
        if not any(isinstance(one, SparseLinear) for one in model.modules()):
            raise SpecificationError(str(told[-1].message))
        for one in told:
            warnings.warn(one.message, stacklevel=2)
        return model

    def evolution(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> Evolution:
        """The rules on a model; `Evolution.epoch` is to be called at the end of each epoch."""
        drop, grow, schedule = self._rules()
        evolution = Evolution(
            model,
            optimizer,
            drop=drop,
            grow=grow,
            schedule=schedule,
            values=self.values or None,
            seed=self.seed,
        )
        evolution.waits_for_epochs = False  # they may be of any length here: each is ended
        return evolution


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained sparse network.

    Attributes
    ----------
    model, evolution
        The network and how it came about.
    epochs
        A row an epoch: ``epoch, train_loss, train_accuracy, test_accuracy``, and the columns of the evolution's log.
    """

    model: nn.Sequential
    evolution: Evolution
    epochs: pl.DataFrame


def train(
    specification: SparseTraining,
    out: str | os.PathLike[str],
    *,
    data: Dataset | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Trained:
    """Train a sparse network whose connections evolve.

    Inputs are standardised feature by feature. After every epoch ``checkpoint.safetensors`` (all that a run needs to go
    on), ``model.safetensors`` (the state dict of the model alone) and ``epochs.parquet`` are written to the folder; a
    second call with the same specification and data goes on after the last whole epoch, with the same result as if
    nothing had happened. A folder takes one run at a time.

    Parameters
    ----------
    out
        The folder.
    data
        The dataset itself, in the place of the one that the specification names.
    data_dir
        Where datasets lie; see `synaplex.datasets.load`.
    progress
        Whether to show a bar, on a terminal.

    Raises
    ------
    SpecificationError
        If the folder holds a training of another specification, and names the difference, or on other data.
    StoreBusyError
        If another process is training into the folder.
    UnwritableFileError
        If the folder cannot be made or written.
    TrainingError
        If the loss is no longer a number; names the epoch. The checkpoint before it is kept.

    Examples
    --------
    >>> import tempfile
    >>> trained = train(SparseTraining(sparse="censet:1.0", hidden=(64, 32), epsilon=5, epochs=2), tempfile.mkdtemp())
    >>> trained.epochs["epoch"].to_list()
    [1, 2]
    """
    from synaplex.population.locks import FolderLocks
    from synaplex.population.progress import progress_bar
    from synaplex.report.files import check_writable

    folder = Path(out)
    check_writable(folder / CHECKPOINT)
    data = data or load(specification.dataset, data_dir)
    samples, digest = _standardized(data), data.digest()
    with ExitStack() as held, torch.random.fork_rng(devices=[]):
        torch.manual_seed(specification.seed)
        model = specification.build(data)
        optimizer = torch.optim.SGD(model.parameters(), lr=specification.learning_rate, momentum=specification.momentum)
        evolution = specification.evolution(model, optimizer)
        _make(folder)
        held.enter_context(FolderLocks(folder).whole())
        _clear(folder)
        rows = _resumed(specification, digest, folder, model, optimizer, evolution)
        if rows:
            _publish(folder, model, rows, evolution)  # the run may have stopped just before it did
        batches = -(-len(data.x_train) // specification.batch_size)
        name = f"{specification.sparse} on {data.name}"
        with progress_bar(name, specification.epochs * batches, shown=progress) as report:
            report(len(rows) * batches)
            for epoch in range(len(rows) + 1, specification.epochs + 1):
                found = _epoch(specification, data, samples[0], model, optimizer, evolution, epoch, report)
                if not np.isfinite(found["train_loss"]):
                    raise _diverged(folder, epoch)
                evolution.epoch(accuracy=found["train_accuracy"], loss=found["train_loss"])
                rows.append({"epoch": epoch, **found, "test_accuracy": _accuracy(model, samples[1], data.y_test)})
                told = {"specification": _plain(specification), "data": digest, "rows": rows}
                tensors = {"random": torch.get_rng_state()}
                save_checkpoint(folder / CHECKPOINT, model, optimizer, evolution, tensors=tensors, told=told)
                _publish(folder, model, rows, evolution)
    return Trained(model, evolution, by_epoch(rows, evolution))


def _resumed(
    specification: SparseTraining,
    digest: str,
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    evolution: Evolution,
) -> list[dict[str, Any]]:
    """Take up the checkpoint of a folder; returns the rows of the epochs that are done."""
    path = folder / CHECKPOINT
    if not path.exists():
        return []
    told = told_by(path)
    # What earlier releases did not know was as it is by default; they did not keep what the data were.
    now, before = _plain(specification), {**_plain(SparseTraining()), **told["specification"]}
    changed = [
        f"{name} {before.get(name)!r}, not {value!r}" for name, value in now.items() if before.get(name) != value
    ]
    if changed:
        raise SpecificationError(f"{folder} holds another training: {'; '.join(changed)}. Choose another folder")
    if told.get("data", digest) != digest:
        raise SpecificationError(
            f"{folder} holds a training on other data of {specification.dataset!r}: give the data that it began with, "
            "or choose another folder"
        )
    given = load_checkpoint(path, model, optimizer, evolution)
    torch.set_rng_state(given["random"])
    rows: list[dict[str, Any]] = told["rows"]
    return rows


def _epoch(
    specification: SparseTraining,
    data: Dataset,
    x: Tensor,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    evolution: Evolution,
    epoch: int,
    report: Any,
) -> dict[str, float]:
    """One pass over the training samples in an order of the seed's and the epoch's own."""
    order = torch.from_numpy(np.random.default_rng([specification.seed, epoch]).permutation(len(x)))
    total, right = torch.zeros((), dtype=torch.float64), 0
    model.train()
    for batch in torch.split(order, specification.batch_size):
        optimizer.zero_grad()
        made = model(x[batch])
        loss = nn.functional.cross_entropy(made, data.y_train[batch])
        if not bool(loss.detach().isfinite()):
            return {"train_loss": float("nan"), "train_accuracy": float("nan")}
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        evolution.step()
        total += loss.detach() * len(batch)
        right += int((made.detach().argmax(1) == data.y_train[batch]).sum())
        report(1)
    return {"train_loss": float(total) / len(x), "train_accuracy": right / len(x)}


def _accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    model.eval()
    with torch.no_grad():
        found = torch.cat([model(part).argmax(1) for part in torch.split(x, 1000)])
    return float((found == y).double().mean())


def _standardized(data: Dataset) -> tuple[Float[Tensor, "train features"], Float[Tensor, "test features"]]:
    mean, spread = data.x_train.mean(0), data.x_train.std(0)
    spread = torch.where(spread > 0, spread, torch.ones_like(spread))
    return (data.x_train - mean) / spread, (data.x_test - mean) / spread


def _diverged(folder: Path, epoch: int) -> TrainingError:
    kept = f"; {folder / CHECKPOINT} is of epoch {epoch - 1}" if epoch > 1 else ""
    return TrainingError(f"the loss is not a number in epoch {epoch}: lower the learning rate{kept}")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(specification: SparseTraining) -> dict[str, Any]:
    return {**asdict(specification), "hidden": list(specification.hidden)}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFileError(f"{folder} cannot be written to: {error}") from error


def _clear(folder: Path) -> None:
    """Remove what a killed run left half-written."""
    for name in (CHECKPOINT, MODEL, LOG):
        for part in (*folder.glob(f".{name}.*.part"), *folder.glob(f"{name}.*.part")):
            part.unlink(missing_ok=True)


def _publish(folder: Path, model: nn.Module, rows: Sequence[dict[str, Any]], evolution: Evolution) -> None:
    """Write what others read, as it stands after the last whole epoch: the model and the table of epochs."""
    from synaplex.report.files import replacing

    save_model(model, folder / MODEL)
    with replacing(folder / LOG) as part:
        by_epoch(rows, evolution).write_parquet(part)
