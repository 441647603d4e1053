"""The networks that are timed."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import torch

import synaplex as sx
from synaplex.graph import NeuralGraph

WIDTHS = (784, 200, 100, 10)


def released() -> tuple[NeuralGraph, str]:
    """The released MNIST network where its folder is known (SYNAPLEX_GOLDEN), else an untrained one of its shape."""
    folder = os.environ.get("SYNAPLEX_GOLDEN")
    file = Path(folder or ".") / "mlp-mnist-network1.h5"
    if folder and file.is_file():
        return sx.load(file), "the released network 1 (784-200-100-10, trained on MNIST)"
    return uniform(), "an untrained 784-200-100-10 network, uniform [-0.9, 0.9], seed 0 (SYNAPLEX_GOLDEN is not set)"


def uniform(factor: int = 1, networks: int | None = None) -> NeuralGraph:
    """An untrained network of the paper's shape with all widths times a factor; or a batch of them."""
    generator = torch.Generator().manual_seed(0)
    lead = () if networks is None else (networks,)
    pairs = itertools.pairwise(WIDTHS)
    return NeuralGraph.from_weights(
        [torch.empty(*lead, b * factor, a * factor).uniform_(-0.9, 0.9, generator=generator) for a, b in pairs]
    )
