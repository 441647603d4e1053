"""What a population takes does not grow with its size."""

import gc
import os
from pathlib import Path

import pytest
import torch

import synaplex as sx
from synaplex.population import InProcess, PopulationSpec, train_chunk
from tests.population.conftest import RECIPE

SPECIFICATION = {name: value for name, value in RECIPE.items() if name != "progress"}

STATM = Path("/proc/self/statm")


class Watched(InProcess):
    """Notes the memory of this process after each chunk."""

    def __init__(self):
        self.held = []

    def run(self, task, chunks, report):
        for chunk in chunks:
            task(chunk, report)
            self.held.append(int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))


def test_a_chunk_leaves_no_tensors_to_the_garbage_collector():
    """What holds itself is freed late: over many chunks, memory would grow."""
    spec, data = PopulationSpec(**SPECIFICATION), sx.datasets.load("digits")
    train_chunk(spec, data, range(3))
    gc.collect()
    gc.disable()
    try:
        train_chunk(spec, data, range(3))
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [type(found).__name__ for found in gc.garbage if isinstance(found, torch.Tensor)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []


@pytest.mark.slow
@pytest.mark.skipif(not STATM.exists(), reason="reads the memory of this process under /proc")
def test_memory_stays_flat_over_ten_thousand_networks(tmp_path):
    watched = Watched()
    recipe = {**RECIPE, "network": sx.networks.mlp(64, 32, 16, 10), "epochs": 1}
    population = sx.train_population(**recipe, seeds=range(10_000), store=tmp_path / "store", engine=watched)
    assert len(population) == 10_000
    early, late = max(watched.held[:20]), max(watched.held[-20:])
    print(f"{early / 2**20:.0f} MB after 20 of {len(watched.held)} chunks, {late / 2**20:.0f} MB after all")
    assert late < 1.05 * early


@pytest.mark.slow
def test_a_thousand_mnist_networks_take_less_than_300_mb(data_dir, tmp_path):
    """All measures at 31 snapshots, without weights; what training does to the numbers hardly matters to their size."""
    population = sx.train_population(
        sx.networks.mlp(784, 200, 100, 10),
        "mnist",
        seeds=range(2),
        measures="scabini",
        train_size=300,
        test_size=100,
        data_dir=data_dir,
        store=tmp_path / "store",
        progress=False,
    )
    assert len(population.neurons()) == 2 * 31 * 300
    tables = sum(path.stat().st_size for path in population.folder.glob("chunks/*/*.parquet"))
    print(f"{1000 * tables / 2 / 1e6:.0f} MB for 1,000 networks")
    assert 1000 * tables / 2 < 300e6
