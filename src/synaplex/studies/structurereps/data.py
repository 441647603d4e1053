"""What networks learn: a random part of a dataset, brought to one scale; the same data as an earlier run's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.datasets import Dataset, load
from synaplex.studies.structurereps.pieces import Pieces
from synaplex.studies.structurereps.recipe import Task, image_shape


def known_data(name: str, data_dir: Path | None, pieces: Pieces) -> Dataset:
    """A whole dataset, of which the pieces are made.

    Raises
    ------
    StoreMismatchError
        If an earlier run made them of other data of that name.
    """
    whole = load(name, data_dir)
    pieces.rest_on(f"dataset {name}", f"SHA-256 {whole.digest()}\n")
    return whole


def task_data(task: Task, data_dir: Path | None, seed: int, pieces: Pieces) -> Dataset:
    """The samples of a task.

    Images have mean 0 and variance 1 in each colour, the targets of a regression mean 0 and variance 1, over the
    training set; R2 does not depend on the latter. Raises as `known_data`.
    """
    part = sampled(known_data(task.dataset, data_dir, pieces), task.train_size, task.test_size, seed)
    if task.images:
        channels = image_shape(part.features)[0]
        x_train, x_test = _scaled(part.x_train, part.x_test, channels)
        part = replace(part, x_train=x_train, x_test=x_test)
    if not part.classes:
        y_train, y_test = _scaled(part.y_train, part.y_test, part.outputs)
        part = replace(part, y_train=y_train, y_test=y_test)
    return part


def sampled(data: Dataset, train: int | None, test: int | None, seed: int) -> Dataset:
    """At most so many samples, drawn at random without replacement."""
    generator = np.random.default_rng((seed, 3))
    rows = [
        torch.from_numpy(np.sort(generator.permutation(count)[: wanted or count]))
        for count, wanted in ((len(data.x_train), train), (len(data.x_test), test))
    ]
    return replace(
        data,
        x_train=data.x_train[rows[0]],
        y_train=data.y_train[rows[0]],
        x_test=data.x_test[rows[1]],
        y_test=data.y_test[rows[1]],
    )


def _scaled(
    train: Float[Tensor, "known features"], test: Float[Tensor, "unseen features"], channels: int
) -> tuple[Float[Tensor, "known features"], Float[Tensor, "unseen features"]]:
    values = train.double().view(len(train), channels, -1)
    mean = values.mean((0, 2), keepdim=True)
    spread = values.std((0, 2), correction=0, keepdim=True).clamp(min=1e-12)
    first, second = (
        ((part.double().view(len(part), channels, -1) - mean) / spread).flatten(1) for part in (train, test)
    )
    return first.float(), second.float()
