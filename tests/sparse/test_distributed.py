"""Distributed training: one topology on every rank, whatever each of them would have chosen."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from synaplex.errors import TrainingError
from synaplex.sparse import Evolution
from tests.sparse.networks import batch, small

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (dist.is_available() and dist.is_gloo_available()), reason="needs gloo"),
]


def work(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    model = nn.parallel.DistributedDataParallel(small())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    # Rules of other seeds, and gradients of other batches: the ranks would not agree by themselves.
    evolution = Evolution(model, optimizer, drop="random:0.3", grow="gradient", schedule="steps:1", seed=rank)
    for step in range(4):
        x, y = batch(10 * step + rank)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        evolution.step()
    momentum = [optimizer.state[layer.weight]["momentum_buffer"] for layer in evolution.layers.values()]
    refused = False
    try:
        evolution.schedule.grown = lambda moment, kept, dropped, possible: 0
        model(x).sum().backward()
        evolution.step()
    except TrainingError:
        refused = True
    torch.save(
        {**model.module.state_dict(), "momentum": torch.cat(momentum), "refused": refused}, f"{folder}/{rank}.pt"
    )
    dist.destroy_process_group()


def test_one_topology_on_every_rank(tmp_path: Path):
    torch.multiprocessing.spawn(work, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first.pop("refused")
    assert second.pop("refused")
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    start = small().state_dict()
    assert not torch.equal(first["0.column"], start["0.column"])
