"""Training a sparse network on a named dataset: checkpointed at every epoch, resumed where it stopped."""

from __future__ import annotations

import os
from collections.abc import Sequence
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
from synaplex.sparse.checkpoint import load_checkpoint, save_checkpoint, told_by
from synaplex.sparse.evolution import Evolution
from synaplex.sparse.log import table
from synaplex.sparse.sparsify import sparsify

WIDTHS = {"cifar10": (4000, 1000, 4000)}
"""Hidden layers where none are given, by dataset; else those of Heath 2021 for Fashion-MNIST."""

METHODS = {
    "static": ("random:0.3", "random", "never"),
    "rigl": ("magnitude:0.3", "gradient", ""),
    "cht": ("magnitude:0.3", "ch2-l3n", ""),
}
"""Short names of methods: drop rule, grow rule and schedule."""

CHECKPOINT, LOG = "checkpoint.safetensors", "epochs.parquet"


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
        Of the Erdos-Renyi topology.
    schedule
        ``""`` for a round at the end of every epoch but the last.
    values
        Weights of grown connections; ``""`` for the grow rule's own.
    epochs, batch_size, learning_rate, momentum, dropout, seed
        Of training by stochastic gradient descent; the papers' settings.
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

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise SpecificationError(f"{self.epochs} epochs of batches of {self.batch_size}: both are at least 1")
        if not 0 <= self.dropout < 1:
            raise SpecificationError(f"dropout={self.dropout} is no share of neurons: from 0 up to, not including, 1")
        if not self.learning_rate > 0:
            raise SpecificationError(f"learning_rate={self.learning_rate} is not above 0")

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
        return sparsify(model, self.epsilon, seed=self.seed)

    def evolution(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> Evolution:
        """The rules on a model."""
        drop, grow, schedule = METHODS.get(self.sparse, ("", "", ""))
        if not drop:
            drop, _, grow = self.sparse.partition("/")
        return Evolution(
            model,
            optimizer,
            drop=drop,
            grow=grow or "random",
            schedule=self.schedule or schedule or f"epoch+until:{self.epochs}",
            values=self.values or None,
            seed=self.seed,
        )


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

    Inputs are standardised feature by feature. After every epoch ``checkpoint.safetensors`` and ``epochs.parquet`` are
    written to the folder; a second call with the same specification goes on after the last whole epoch, with the same
    result as if nothing had happened.

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
        If the folder holds a training of another specification; names the difference.
    TrainingError
        If the loss is no longer a number; names the epoch. The checkpoint before it is kept.

    Examples
    --------
    >>> import tempfile
    >>> trained = train(SparseTraining(sparse="censet:1.0", hidden=(64, 32), epsilon=5, epochs=2), tempfile.mkdtemp())
    >>> trained.epochs["epoch"].to_list()
    [1, 2]
    """
    from synaplex.population.progress import progress_bar

    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFileError(f"{folder} cannot be written to: {error}") from error
    data = data or load(specification.dataset, data_dir)
    samples = _standardized(data)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(specification.seed)
        model = specification.build(data)
        optimizer = torch.optim.SGD(model.parameters(), lr=specification.learning_rate, momentum=specification.momentum)
        evolution = specification.evolution(model, optimizer)
        rows = _resumed(specification, folder, model, optimizer, evolution)
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
                told = {"specification": _plain(specification), "rows": rows}
                tensors = {"random": torch.get_rng_state()}
                save_checkpoint(folder / CHECKPOINT, model, optimizer, evolution, tensors=tensors, told=told)
                _write(_joined(rows, evolution), folder / LOG)
    return Trained(model, evolution, _joined(rows, evolution))


def _resumed(
    specification: SparseTraining,
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
    now, before = _plain(specification), told["specification"]
    changed = [
        f"{name} {before.get(name)!r}, not {value!r}" for name, value in now.items() if before.get(name) != value
    ]
    if changed:
        raise SpecificationError(f"{folder} holds another training: {'; '.join(changed)}. Choose another folder")
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


def _plain(specification: SparseTraining) -> dict[str, Any]:
    return {**asdict(specification), "hidden": list(specification.hidden)}


def _joined(rows: Sequence[dict[str, Any]], evolution: Evolution) -> pl.DataFrame:
    """A row an epoch; counts of several rounds in one epoch are summed."""
    log = evolution.log if len(evolution.log) else table([])
    log = log.drop("accuracy", "loss").with_columns(epoch=_epoch_of(evolution, log))
    summed = ("dropped", "grown", "neurons_dropped", "neurons_grown", "neurons_chosen")
    each = log.group_by("epoch", maintain_order=True).agg(
        [pl.col(name).sum() if name in summed else pl.col(name).last() for name in log.columns if name != "epoch"]
    )
    return pl.DataFrame(list(rows)).with_columns(pl.col("epoch").cast(pl.Int64)).join(each, on="epoch", how="left")


def _epoch_of(evolution: Evolution, log: pl.DataFrame) -> pl.Expr:
    """The epoch in which a round took place: rounds between epochs belong to the one that is under way."""
    steps = evolution.steps // max(evolution.epochs, 1)
    return (pl.col("step") + steps - 1) // max(steps, 1)


def _write(frame: pl.DataFrame, path: Path) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    frame.write_parquet(beside)
    beside.replace(path)
