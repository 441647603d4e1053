"""Two moons: two half circles in the plane that reach into each other, drawn at random."""

from __future__ import annotations

from pathlib import Path

import torch

from synaplex.datasets.dataset import Dataset
from synaplex.datasets.registry import register

TRAIN, TEST = 1000, 500
NOISE = 0.1
SEED = 0


@register("two-moons")
def two_moons(data_dir: Path | None = None) -> Dataset:
    """1,000 training and 500 test points of two half circles of radius 1, with normal noise of 0.1.

    Drawn by scikit-learn's ``make_moons`` with seed 0 for the training and 1 for the test points.
    """
    from sklearn.datasets import make_moons

    (x_train, y_train), (x_test, y_test) = (
        make_moons(count, noise=NOISE, random_state=seed) for count, seed in ((TRAIN, SEED), (TEST, SEED + 1))
    )
    return Dataset(
        name="two-moons",
        x_train=torch.as_tensor(x_train, dtype=torch.float32),
        y_train=torch.as_tensor(y_train, dtype=torch.int64),
        x_test=torch.as_tensor(x_test, dtype=torch.float32),
        y_test=torch.as_tensor(y_test, dtype=torch.int64),
        classes=("upper", "lower"),
        description=f"scikit-learn's make_moons, noise {NOISE}, seeds {SEED} (training) and {SEED + 1} (test)",
    )
