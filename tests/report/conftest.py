"""Networks that the report tests share."""

from pathlib import Path

import pytest
import torch

from synaplex.graph import NeuralGraph


@pytest.fixture
def network() -> NeuralGraph:
    """12-20-10-3, dense."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(20, 12), (10, 20), (3, 10)]
    return NeuralGraph.from_weights([torch.randn(shape, generator=generator) for shape in shapes])


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write to a file fails as it does when no space is left."""

    def refuse(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
