"""Runs that are stopped go on where they stopped, and end as if nothing had happened."""

import json
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time

import pytest

import synaplex as sx
from tests.population.conftest import RECIPE, files

SCRIPT = """
import json, sys
import synaplex as sx
recipe = json.loads(sys.argv[1])
sx.train_population(sx.networks.mlp(64, 12, 8, 10), "digits", seeds=range(12), store=sys.argv[2], **recipe)
"""
LONGER = {"epochs": 4, "measures": "scabini", "chunk_size": 2}


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(LONGER), str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(folder):
    sx.train_population(RECIPE["network"], seeds=range(12), store=folder, **LONGER)
    return files(folder)


def stop_after(folder, chunks, how):
    """Start training, and send a signal once so many chunks are there; returns what the process wrote."""
    process = start(folder)
    while len(list(folder.glob("chunks/?????"))) < chunks and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0, "the run was over before it could be stopped"
    return said


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("undisturbed") / "store")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "ctrl-c"])
def test_a_stopped_run_ends_like_an_undisturbed_one(undisturbed, tmp_path, how):
    folder = tmp_path / "store"
    said = stop_after(folder, 2, how)
    opened = sx.Population.open(folder)
    assert 4 <= len(opened) < 12
    assert len(opened.neurons()) == len(opened) * 5 * 20
    if how == signal.SIGINT:
        assert "chunks are kept in" in said
        assert "the same run goes on" in said
    assert finish(folder) == undisturbed


@pytest.mark.slow
def test_killed_at_random_moments(undisturbed, tmp_path):
    folder = tmp_path / "store"
    moments = random.Random(0)
    for _ in range(20):
        process = start(folder)
        while not (folder / "population.json").exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 1))
        process.kill()
        process.communicate(timeout=60)
    assert finish(folder) == undisturbed


class Backwards:
    """Runs the last chunk first, each task sent as bytes, as to another machine."""

    def run(self, task, chunks, report):
        for chunk in reversed(chunks):
            pickle.loads(pickle.dumps(task))(pickle.loads(pickle.dumps(chunk)), report)


class Interrupted:
    """Is stopped by the user after a number of chunks."""

    def __init__(self, after):
        self.after = after

    def run(self, task, chunks, report):
        for chunk in chunks[: self.after]:
            task(chunk, report)
        raise KeyboardInterrupt


def test_the_order_and_place_of_chunks_do_not_matter(population, tmp_path):
    folder = tmp_path / "store"
    sx.train_population(**RECIPE, seeds=range(7), store=folder, chunk_size=3, engine=Backwards())
    assert files(folder) == files(population.folder)


def test_ctrl_c_without_a_store_says_that_nothing_is_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt, match="nothing is kept"):
        sx.train_population(**RECIPE, seeds=range(7), chunk_size=3, engine=Interrupted(1))
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_says_what_is_kept(population, tmp_path):
    folder = tmp_path / "store"
    with pytest.raises(KeyboardInterrupt, match=r"2 of 3 chunks are kept in .*store; the same run goes on"):
        sx.train_population(**RECIPE, seeds=range(7), store=folder, chunk_size=3, engine=Interrupted(2))
    assert sx.Population.open(folder).missing == 1
    sx.train_population(**RECIPE, seeds=range(7), store=folder)
    assert files(folder) == files(population.folder)
