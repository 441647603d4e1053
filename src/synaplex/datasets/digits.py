"""The handwritten digits that scikit-learn embeds: small images, no file and no network needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from synaplex.datasets.dataset import Dataset
from synaplex.datasets.registry import register

SPLIT_SEED = 0
TEST_SHARE = 0.2


@register("digits")
def digits(data_dir: Path | None = None) -> Dataset:
    """1,797 images of 8 x 8 pixels divided by 16, split 80 to 20 within each class with seed 0.

    The test set of the UCI "Optical recognition of handwritten digits" data (Alpaydin & Kaynak 1998), as
    scikit-learn embeds it. Both parts are in random order.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    train, test = train_test_split(
        np.arange(len(bunch.target)), test_size=TEST_SHARE, stratify=bunch.target, random_state=SPLIT_SEED
    )
    x = torch.as_tensor(bunch.data / 16, dtype=torch.float32)
    y = torch.as_tensor(bunch.target, dtype=torch.int64)
    return Dataset(
        name="digits",
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        classes=tuple(map(str, range(10))),
        description=(
            "UCI optical digits as embedded in scikit-learn: 8 x 8 pixels divided by 16; "
            f"stratified split, {TEST_SHARE:.0%} for the test, seed {SPLIT_SEED}"
        ),
    )
