"""How images are scaled before networks see them, and what that does to a reconstruction error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from synaplex.datasets import Dataset

Scaling = Literal["unit", "standard"]

OTHER: dict[Scaling, Scaling] = {"unit": "standard", "standard": "unit"}

SCALINGS: dict[str, Scaling] = {"cifar10": "standard", "cifar10-grey": "standard"}
"""CIFAR-10 has mean 0 and variance 1; other images lie in [0, 1].

The paper does not say. Its errors of autoencoders speak for it: 0.058 to 0.067 on MNIST lies just below the error of
the mean image in [0, 1], and 0.83 to 0.93 on CIFAR-10 just below that of the mean of standardised images, far above
anything that images in [0, 1] allow.
"""


def scaling_of(dataset: str) -> Scaling:
    """How images of a dataset are scaled in this study."""
    return SCALINGS.get(dataset, "unit")


def scaled(dataset: Dataset, scaling: Scaling) -> Dataset:
    """Images in [0, 1], scaled."""
    return standardised(dataset) if scaling == "standard" else dataset


def factor(dataset: Dataset, scaling: Scaling) -> float:
    """By which squared errors of images in [0, 1] grow."""
    return 1 / deviation(dataset) ** 2 if scaling == "standard" else 1.0


def standardised(dataset: Dataset) -> Dataset:
    """With mean 0 and variance 1 over all pixels of the training set."""
    mean = float(dataset.x_train.mean(dtype=torch.float64))
    spread = deviation(dataset)
    return replace(dataset, x_train=(dataset.x_train - mean) / spread, x_test=(dataset.x_test - mean) / spread)


def deviation(dataset: Dataset) -> float:
    """Standard deviation of all pixels of the training set together."""
    x = dataset.x_train
    mean, square = x.mean(dtype=torch.float64), (x * x).mean(dtype=torch.float64)
    return float((square - mean**2).sqrt())


@dataclass(frozen=True)
class Trivial:
    """What predictors that know nothing of a test image achieve, by a way of scaling images.

    Attributes
    ----------
    scaling
        In words.
    factor
        By which errors of images in [0, 1] grow.
    zero, grey, mean
        Mean squared error of predicting 0, the mean brightness, and the mean image.
    clipped
        Of predicting each pixel as well as an output in [0, 1], such as a sigmoid's, can: 0 where pixels are there.
    """

    scaling: str
    factor: float
    zero: float
    grey: float
    mean: float
    clipped: float


def trivial(unit: Dataset) -> list[Trivial]:
    """Such errors of images in [0, 1], [-1, 1], standardised, and in bytes.

    Parameters
    ----------
    unit
        The dataset with pixels in [0, 1].
    """
    test = unit.x_test.double().numpy()
    image = unit.x_train.mean(0, dtype=torch.float64).numpy()
    spread, centre = deviation(unit), float(image.mean())
    rows = []
    for name, slope, shift in (
        ("[0, 1]", 1.0, 0.0),
        ("[-1, 1]", 2.0, -1.0),
        ("mean 0, variance 1", 1 / spread, -centre / spread),
        ("0 to 255", 255.0, 0.0),
    ):
        x = slope * test + shift
        rows.append(
            Trivial(
                name,
                slope**2,
                float((x**2).mean()),
                float(((x - (slope * centre + shift)) ** 2).mean()),
                float(((x - (slope * image + shift)) ** 2).mean()),
                float(((x - np.clip(x, 0, 1)) ** 2).mean()),
            )
        )
    return rows
