"""A chunk of a population of modules, from a specification and seeds alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from synaplex.datasets import Dataset
from synaplex.errors import SpecificationError
from synaplex.population.modules.snapshot import Measuring, Snapshot
from synaplex.population.modules.specification import TrainingSpec
from synaplex.population.modules.trainers import ModuleTrainer, trainer
from synaplex.population.objectives import Score
from synaplex.population.snapshots import DIVERGED
from synaplex.population.trainer import EVALUATION_BATCH, batch_order

SCHEMA = pl.Schema(
    {
        "seed": pl.Int64,
        "step": pl.Int32,
        "train_loss": pl.Float32,
        "train_accuracy": pl.Float32,
        "test_loss": pl.Float32,
        "test_accuracy": pl.Float32,
        "reason": pl.String,
    }
)
"""Columns of the table of networks, a row a network and snapshot."""


@dataclass(frozen=True, eq=False)
class ModuleChunk:
    """What becomes of a chunk.

    Attributes
    ----------
    seeds
        One network each.
    weights
        By step and name of the parameter, ``(networks, ...)``.
    networks
        With the columns of `SCHEMA`, in the order of seeds and steps.
    measures
        What was measured, in the order of seeds and steps; None where nothing was.
    """

    seeds: tuple[int, ...]
    weights: Mapping[int, Mapping[str, Float[Tensor, "networks ..."]]]
    networks: pl.DataFrame
    measures: pl.DataFrame | None


def train_module_chunk(
    spec: TrainingSpec,
    dataset: Dataset,
    seeds: Sequence[int],
    *,
    measure: Measuring | None = None,
    device: torch.device | str = "cpu",
    on_snapshot: Callable[[int], None] = lambda networks: None,
) -> ModuleChunk:
    """Train the networks of a chunk, and test and measure them at its snapshots.

    Parameters
    ----------
    spec
        What to train.
    dataset
        The data that `spec` names, whole.
    seeds
        One network each.
    measure
        Called at each snapshot, if any network is sound.
    device
        Where to train.
    on_snapshot
        Called after each snapshot with the number of networks in the chunk.

    Raises
    ------
    SpecificationError
        If network and data do not fit, or `measure` gives no table with a column ``seed``.
    """
    data = dataset.subset(spec.train_size, spec.test_size)
    check_module_fit(spec, data)
    train, test = (_placed(spec, x, y, device) for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)))
    runner = trainer(spec, seeds, device)
    batches = _batches(len(train[0]), spec)
    sound = torch.ones(len(seeds), dtype=torch.bool, device=device)
    seen = _Running(len(seeds), device)
    tables, measured, weights = [], [], {}
    for step in range(spec.steps + 1):
        if step:
            batch = torch.as_tensor(next(batches), device=device)
            seen.add(runner.step(train[0][batch], train[1][batch]), len(batch))
        if step not in spec.snapshots:
            continue
        scores = _Running(len(seeds), device)
        for inputs, targets in zip(*(torch.split(part, EVALUATION_BATCH) for part in test), strict=True):
            scores.add(runner.score(inputs, targets), len(inputs))
        sound = sound & runner.finite() & torch.isfinite(scores.loss) & torch.isfinite(seen.loss)
        tables.append(_rows(seeds, step, seen, scores, sound))
        seen = _Running(len(seeds), device)
        if step in spec.kept:
            weights[step] = {name: value.cpu() for name, value in runner.parameters.items()}
        if measure is not None and bool(sound.any()):
            measured.append(_measured(measure, runner, seeds, step, sound, tables[-1]))
        on_snapshot(len(seeds))
    return ModuleChunk(
        tuple(seeds),
        weights,
        _by_seed(pl.concat(tables), seeds),
        _by_seed(pl.concat(measured), seeds) if measured else None,
    )


def check_module_fit(spec: TrainingSpec, dataset: Dataset) -> None:
    """Raise `SpecificationError` where network, objective and dataset do not fit."""
    network = spec.network
    outputs = dataset.features if spec.reconstructs else dataset.outputs
    if (network.inputs, network.outputs) != (dataset.features, outputs):
        raise SpecificationError(
            f"the network {network} does not fit {dataset!r}: it needs {dataset.features} inputs and {outputs} outputs"
        )
    if (spec.objective == "cross_entropy") != bool(dataset.classes) and not spec.reconstructs:
        raise SpecificationError(f"the objective {spec.objective!r} does not fit the targets of {dataset!r}")
    if spec.objective == "binary_cross_entropy":
        low, high = float(dataset.x_train.min()), float(dataset.x_train.max())
        if low < 0 or high > 1:
            raise SpecificationError(f"binary_cross_entropy needs inputs from 0 to 1, these go from {low} to {high}")


def _placed(spec: TrainingSpec, x: Tensor, y: Tensor, device: torch.device | str) -> tuple[Tensor, Tensor]:
    inputs = x.to(device, spec.torch_dtype)
    if spec.reconstructs:
        return inputs, inputs
    return inputs, y.to(device, spec.torch_dtype if y.is_floating_point() else None)


def _batches(samples: int, spec: TrainingSpec) -> Iterator[np.ndarray]:
    """The samples of each step, epoch after epoch, in the order of `batch_order`."""
    epoch = 0
    while True:
        epoch += 1
        order = batch_order(samples, spec.data_seed, epoch)
        for start in range(0, samples, spec.batch_size):
            yield order[start : start + spec.batch_size]


class _Running:
    """Losses and hits of all networks over some batches."""

    def __init__(self, networks: int, device: torch.device | str) -> None:
        self._loss = torch.zeros(networks, dtype=torch.float64, device=device)
        self._hits: Tensor | None = None
        self.samples = 0

    def add(self, score: Score, samples: int) -> None:
        self._loss += score.loss
        if score.hits is not None:
            self._hits = score.hits if self._hits is None else self._hits + score.hits
        self.samples += samples

    @property
    def loss(self) -> Float[Tensor, " networks"]:
        return self._loss / max(1, self.samples)

    def columns(self, part: str) -> dict[str, np.ndarray | None]:
        loss = self.loss.cpu().numpy() if self.samples else None
        accuracy = None if self._hits is None else (self._hits / self.samples).cpu().numpy()
        return {f"{part}_loss": loss, f"{part}_accuracy": accuracy}


def _rows(
    seeds: Sequence[int], step: int, seen: _Running, scores: _Running, sound: Bool[Tensor, " networks"]
) -> pl.DataFrame:
    """A row a network; null, with the reason, where the network has diverged."""
    known = pl.Series(sound.cpu().numpy())
    values = {**seen.columns("train"), **scores.columns("test")}
    frame = pl.DataFrame({"seed": list(seeds), "step": step, **values, "reason": DIVERGED})
    return frame.select(
        pl.col("seed").cast(pl.Int64),
        pl.col("step").cast(pl.Int32),
        *(pl.when(known).then(pl.col(name)).cast(pl.Float32).alias(name) for name in values),
        pl.when(~known).then(pl.col("reason")).alias("reason"),
    )


def _measured(
    measure: Measuring,
    runner: ModuleTrainer,
    seeds: Sequence[int],
    step: int,
    sound: Bool[Tensor, " networks"],
    scores: pl.DataFrame,
) -> pl.DataFrame:
    chosen = sound.nonzero()[:, 0]
    places = chosen.tolist()
    parameters = {name: value[chosen] for name, value in runner.parameters.items()}
    snapshot = Snapshot(runner.spec, step, tuple(seeds[place] for place in places), scores[places], parameters)
    frame = measure(snapshot)
    if "seed" not in frame.columns or "step" in frame.columns or not frame["seed"].is_in(snapshot.seeds).all():
        raise SpecificationError(
            f"what is measured of a snapshot is a table with a column 'seed' of its seeds, and none 'step'; "
            f"it has {frame.columns}"
        )
    others = [name for name in frame.columns if name != "seed"]
    return frame.select(pl.col("seed").cast(pl.Int64), pl.lit(step, pl.Int32).alias("step"), *others)


def _by_seed(frame: pl.DataFrame, seeds: Sequence[int]) -> pl.DataFrame:
    place = pl.col("seed").replace_strict(list(seeds), list(range(len(seeds))), return_dtype=pl.Int64)
    return frame.sort(place, "step", maintain_order=True)
