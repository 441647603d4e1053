"""Distributed training: one topology on every rank, whatever each of them would have chosen."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from synaplex.errors import TrainingError
from synaplex.sparse import Evolution
from tests.sparse.networks import batch, small

gloo = pytest.mark.skipif(not (dist.is_available() and dist.is_gloo_available()), reason="needs gloo")


def work(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    model = nn.parallel.DistributedDataParallel(small(dtype=torch.float64))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    # Rules of other seeds, and gradients of other batches: the ranks would not agree by themselves.
    evolution = Evolution(model, optimizer, drop="random:0.3", grow="gradient", schedule="steps:1", seed=rank)
    for step in range(4):
        x, y = batch(10 * step + rank)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x.double()), y).backward()
        optimizer.step()
        evolution.step()
    momentum = [optimizer.state[layer.weight]["momentum_buffer"] for layer in evolution.layers.values()]
    refused = False
    try:
        evolution.schedule.grown = lambda moment, kept, dropped, possible: 0
        model(x.double()).sum().backward()
        evolution.step()
    except TrainingError:
        refused = True
    torch.save(
        {**model.module.state_dict(), "momentum": torch.cat(momentum), "refused": refused}, f"{folder}/{rank}.pt"
    )
    dist.destroy_process_group()


@pytest.mark.slow
@gloo
def test_one_topology_on_every_rank(tmp_path: Path):
    torch.multiprocessing.spawn(work, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first.pop("refused")
    assert second.pop("refused")
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    start = small().state_dict()
    assert not torch.equal(first["0.column"], start["0.column"])
    alone = small(dtype=torch.float64)
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.1, momentum=0.9)
    evolution = Evolution(alone, optimizer, drop="random:0.3", grow="gradient", schedule="steps:1", seed=0)
    for step in range(4):  # what one process does with the batches of both: gradients of all ranks count
        optimizer.zero_grad()
        for x, y in (batch(10 * step), batch(10 * step + 1)):
            (nn.functional.cross_entropy(alone(x.double()), y) / 2).backward()
        optimizer.step()
        evolution.step()
    for name in ("0.row_start", "0.column", "2.row_start", "2.column"):
        assert torch.equal(first[name], alone.state_dict()[name]), name
    torch.testing.assert_close(first["0.weight"], alone.state_dict()["0.weight"])


@pytest.fixture
def group(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def thinning(model: nn.Module, **options: object) -> Evolution:
    evolution = Evolution(model, drop="random:0.3", schedule="accset", **options)
    assert evolution.layers.keys() == {"0", "2"}
    return evolution


@gloo
def test_inside_its_wrapper_counts_do_not_change(group):
    for options in ({}, {"counts_may_change": True}):
        evolution = thinning(nn.parallel.DistributedDataParallel(small()), **options)
        before = evolution.connections
        with pytest.raises(TrainingError, match=r"layer '0' would change.*DistributedDataParallel"):
            evolution.epoch(accuracy=0.5)
        assert evolution.connections == before


def test_of_a_bare_model_among_several_ranks_counts_change_only_where_one_says_so(monkeypatch):
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(dist, "get_rank", lambda: 0)
    monkeypatch.setattr(dist, "broadcast", lambda tensor, source: None)
    evolution = thinning(small())
    before = evolution.connections
    with pytest.raises(TrainingError, match="counts_may_change=True"):
        evolution.epoch(accuracy=0.5)
    assert evolution.connections == before
    Evolution(small(), drop="random:0.3", schedule="epoch").epoch()  # the counts stay
    allowed = thinning(small(), counts_may_change=True)
    allowed.epoch(accuracy=0.5)
    assert allowed.connections < before


def test_of_one_process_counts_change_unless_one_says_no():
    evolution = thinning(small())
    before = evolution.connections
    evolution.epoch(accuracy=0.5)
    assert evolution.connections < before
    with pytest.raises(TrainingError, match="counts_may_change=False"):
        thinning(small(), counts_may_change=False).epoch(accuracy=0.5)
