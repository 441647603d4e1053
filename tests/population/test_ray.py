"""Ray runs chunks elsewhere and changes nothing else."""

import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

import synaplex as sx
from synaplex.errors import MissingExtraError, SpecificationError, TrainingError, UnknownNameError, UnwritableFileError
from synaplex.population import InProcess, RayEngine, find_engine
from tests.population.conftest import RECIPE, SEEDS, files

LOCAL = RayEngine(workers=2)


@pytest.mark.parametrize(
    "options", [{"retries": -1}, {"num_gpus": -1}, {"workers": 0}, {"workers": 2, "address": "auto"}]
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(SpecificationError, match="RayEngine"):
        RayEngine(**options)


def test_engines_have_names():
    assert isinstance(find_engine("local"), InProcess)
    assert find_engine("ray", address="auto", num_gpus=0.5) == RayEngine("auto", num_gpus=0.5)
    with pytest.raises(UnknownNameError, match="did you mean 'ray'"):
        find_engine("rays")
    with pytest.raises(SpecificationError, match="options of the engine 'ray'"):
        find_engine("local", workers=2)


def test_without_ray_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"synaplex\[ray\]"):
        sx.train_population(**RECIPE, seeds=SEEDS, store=tmp_path / "store", engine=LOCAL)


def test_nothing_to_do_needs_no_ray(population, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert len(sx.train_population(**RECIPE, seeds=SEEDS, store=population.folder, engine=LOCAL)) == 7


@pytest.fixture(scope="module")
def cluster():
    """Ray in this process with two workers: one start for all tests."""
    ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


@pytest.mark.slow
def test_ray_gives_the_same_files(population, cluster, tmp_path):
    engine = RayEngine()
    trained = sx.train_population(**RECIPE, seeds=SEEDS, store=tmp_path / "store", chunk_size=3, engine=engine)
    assert files(trained.folder) == files(population.folder)


@pytest.mark.slow
def test_a_task_that_fails_says_why(cluster, tmp_path):
    folder = tmp_path / "store"
    sx.train_population(**RECIPE, seeds=[0], store=folder)
    shutil.rmtree(folder / "chunks")
    (folder / "chunks").write_text("in the way")
    with pytest.raises(UnwritableFileError, match="cannot write to"):
        sx.train_population(**RECIPE, seeds=[0], store=folder, engine=LOCAL)


@pytest.mark.slow
def test_more_than_there_is_is_refused(cluster, tmp_path):
    with pytest.raises(TrainingError, match="takes 3 GPUs, and Ray has 0"):
        sx.train_population(**RECIPE, seeds=SEEDS, store=tmp_path / "store", engine=RayEngine(num_gpus=3))


def workers_at_work():
    """Process numbers of workers of this process's own Ray that are running a task."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            title = (status.parent / "cmdline").read_bytes()
            if title.startswith(b"ray::_run") and _parent(_parent(int(status.parent.name))) == os.getpid():
                found.append(int(status.parent.name))
        except (OSError, StopIteration):  # it has ended meanwhile
            continue
    return found


def _parent(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("PPid:")).split()[1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="finds workers under /proc")
def test_a_killed_worker_loses_its_chunk_only(cluster, tmp_path):
    recipe = {**RECIPE, "epochs": 60, "snapshots": (0, 60), "train_size": None}
    alone = sx.train_population(**recipe, seeds=range(12), store=tmp_path / "alone", chunk_size=3)
    folder, killed = tmp_path / "ray", []

    def kill():
        deadline = time.monotonic() + 60
        while len(killed) < 2 and time.monotonic() < deadline:
            for pid in workers_at_work()[:1]:
                time.sleep(0.3)
                os.kill(pid, signal.SIGKILL)
                killed.append((pid, len(list(folder.glob("chunks/?????")))))
            time.sleep(0.2)

    killer = threading.Thread(target=kill)
    killer.start()
    trained = sx.train_population(**recipe, seeds=range(12), store=folder, chunk_size=3, engine=LOCAL)
    killer.join()
    assert len(killed) == 2
    assert all(finished < 4 for _, finished in killed)
    assert files(trained.folder) == files(alone.folder)


@pytest.mark.slow
def test_five_thousand_networks_on_two_workers(cluster, tmp_path):
    """Among them networks that have fallen apart: without its negative edges, a neuron has none left."""
    recipe = {**RECIPE, "network": sx.networks.mlp(64, 32, 8, 10), "epochs": 1}
    alone = sx.train_population(**recipe, seeds=range(5000), store=tmp_path / "alone")
    ray = sx.train_population(**recipe, seeds=range(5000), store=tmp_path / "ray", engine=LOCAL)
    assert alone.neurons()["reason"].drop_nulls().len() > 0
    assert alone.neurons().equals(ray.neurons())
    assert alone.networks().equals(ray.networks())
    assert files(alone.folder) == files(ray.folder)
