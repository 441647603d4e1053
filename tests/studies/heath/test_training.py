"""Training groups: killed and resumed, they come to the same end; finished, they are not trained again."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from synaplex.errors import UnreadableFileError
from synaplex.studies.heath import training
from synaplex.studies.heath.observing import EPOCHS, HUBS
from synaplex.studies.heath.pieces import CHECKPOINT, FINISHED, read_piece
from synaplex.studies.heath.recipe import STATIC, set_method
from synaplex.studies.heath.training import train_group
from tests.studies.heath.networks import HYPER, course, dense, grid, released, stated

COURSE = course()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder in which the first group is trained."""
    folder = tmp_path_factory.mktemp("heath")
    assert train_group(folder, released(), COURSE)
    return folder


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".parquet", ".safetensors")}


GROUPS = [
    released(),
    dense(),
    pytest.param(stated(), marks=pytest.mark.slow),
    pytest.param(grid(), marks=pytest.mark.slow),
]


@pytest.mark.parametrize("group", GROUPS, ids=["released", "dense", "stated", "grid"])
def test_a_killed_group_goes_on_as_if_nothing_had_happened(whole, tmp_path, monkeypatch, group):
    assert train_group(whole, group, COURSE)
    undisturbed = files(COURSE.folder(whole, group))
    step, calls = training.Lockstep.step, []

    def killed(*arguments):
        calls.append(None)
        if len(calls) == 16:  # in the third epoch of six steps
            raise KeyboardInterrupt
        return step(*arguments)

    folder = COURSE.folder(tmp_path / "killed", group)
    monkeypatch.setattr(training.Lockstep, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        train_group(tmp_path / "killed", group, COURSE)
    standing = read_piece(folder, group)
    assert (standing.done, standing.finished) == (2, False)
    assert standing.epochs["epoch"].to_list() == [1, 2] * len(group.methods)
    assert set(files(folder)) == {CHECKPOINT}
    assert train_group(tmp_path / "killed", group, COURSE)
    assert len(calls) == 16 + 12
    assert files(folder) == undisturbed  # byte by byte
    assert {"epochs.parquet", "hubs.parquet", "neurons.safetensors", "networks.safetensors"} == set(undisturbed)
    # Finished, it is left alone.
    train_group(tmp_path / "killed", group, COURSE)
    assert len(calls) == 16 + 12


@pytest.mark.slow
def test_a_process_that_is_killed_loses_at_most_an_epoch(tmp_path):
    """Killed by the system wherever it is, several times, until it is done; beside one that nobody killed."""
    group = stated(epochs=8)
    train_group(tmp_path / "whole", group, COURSE)
    folder = COURSE.folder(tmp_path / "killed", group)
    program = (
        "import sys; from pathlib import Path; from tests.studies.heath.networks import course, stated\n"
        "from synaplex.studies.heath.training import train_group\n"
        "train_group(Path(sys.argv[1]), stated(epochs=8), course())"
    )
    root = Path(__file__).parents[3]
    for kill in (1, 4, None):
        process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "killed")], cwd=root)
        while kill is not None and process.poll() is None:
            standing = read_piece(folder, group) if folder.is_dir() else None
            if standing is not None and standing.done >= kill:
                process.kill()
            time.sleep(0.01)
        assert (process.wait() == 0) == (kill is None)
    assert files(folder) == files(COURSE.folder(tmp_path / "whole", group))


def test_what_is_written_down(whole):
    group = released()
    piece = read_piece(COURSE.folder(whole, group), group)
    assert piece.finished
    assert piece.epochs.schema == EPOCHS
    assert piece.hubs.schema == HUBS
    static, evolving, pruned = (piece.epochs.filter(pl.col("method") == one.name) for one in group.methods)
    assert static["dropped"].to_list() == [0] * 4
    assert static["explored"].n_unique() == 1
    assert evolving["dropped"][-1] == 0 < evolving["dropped"][0] == evolving["grown"][0]
    assert evolving["explored"].is_sorted()
    assert pruned["neurons_chosen"][0] > 0
    for table in (static, evolving, pruned):
        assert table["connections"].n_unique() == 1
        assert table["test_accuracy"].is_between(0, 1).all()
        assert table["flops"].n_unique() == 1
    assert pruned["released_sigma"].equals(pruned["variant_sigma"], check_names=False)
    assert not evolving["released_sigma"].equals(evolving["variant_sigma"], check_names=False)
    # Snapshots: the first epoch, every second after it, and the last.
    assert {key.rsplit("/", 1)[1] for key in piece.neurons} == {"1", "3", "4"}
    for method in group.methods:
        row = piece.epochs.filter((pl.col("method") == method.name) & (pl.col("epoch") == 3))
        for name in ("exact", "variant", "released"):
            values = piece.neurons[f"{method.name}/{name}/3"].astype("float64")
            assert values.std() == pytest.approx(row[f"{name}_sigma"].item(), rel=1e-4)
    networks = load_file(COURSE.folder(whole, group) / "networks.safetensors")
    assert networks["SET/0.weight"].shape == networks["SET/0.column"].shape


def test_momentum_of_connections_survives(tmp_path):
    """The recipes differ in nothing but what they should: with momentum restarted, networks come out otherwise."""
    group = replace(grid(), methods=(STATIC,))
    ends = []
    for restart in (False, True):
        own = replace(group, recipe=replace(group.recipe, restart=restart))
        train_group(tmp_path, own, COURSE)
        ends.append(read_piece(COURSE.folder(tmp_path, own), own).epochs)
    first, last = pl.col("epoch") == 1, pl.col("epoch") == 4
    assert ends[0].filter(first).equals(ends[1].filter(first))
    assert not ends[0].filter(last)["train_loss"].equals(ends[1].filter(last)["train_loss"])


def test_a_network_that_diverges_is_left_out(tmp_path, monkeypatch):
    group = replace(released(), methods=(STATIC, set_method(HYPER)))
    step, calls = training.Lockstep.step, []

    def poisoned(self, batch):
        calls.append(None)
        if len(calls) == 8:  # in the second epoch
            with torch.no_grad():
                self.values["bias.1"][1] = float("nan")
        return step(self, batch)

    train_group(tmp_path / "sound", group, COURSE)
    monkeypatch.setattr(training.Lockstep, "step", poisoned)
    train_group(tmp_path / "ill", group, COURSE)
    found = read_piece(COURSE.folder(tmp_path / "ill", group), group)
    sound = read_piece(COURSE.folder(tmp_path / "sound", group), group)
    assert found.lost == {"SET": 2}
    assert found.epochs.filter(pl.col("method") == "SET")["epoch"].to_list() == [1]
    networks = load_file(COURSE.folder(tmp_path / "ill", group) / "networks.safetensors")
    assert all(bool(one.isfinite().all()) for name, one in networks.items() if name.startswith("SET/"))
    both = [one.epochs.filter(pl.col("method") == "static")["test_loss"] for one in (found, sound)]
    assert both[0].to_list() == pytest.approx(both[1].to_list(), rel=1e-3)


def test_another_recipe_has_another_folder(tmp_path):
    group = dense(1)
    folders = {COURSE.folder(tmp_path, replace(group, **change)) for change in ({}, {"epochs": 2}, {"seed": 1})}
    other = course(train=250)
    assert len(folders | {other.folder(tmp_path, group)}) == 4


def test_a_group_is_trained_by_one_process_at_a_time(tmp_path):
    from filelock import FileLock

    group = dense(1)
    folder = COURSE.folder(tmp_path, group)
    folder.mkdir()
    with FileLock(folder / ".lock"):
        assert not train_group(tmp_path, group, COURSE)
    assert read_piece(folder, group) is None
    assert train_group(tmp_path, group, COURSE)
    assert json.loads((folder / FINISHED).read_text())["epochs"] == 1


def test_a_damaged_checkpoint_is_named(tmp_path):
    group = dense(1)
    folder = COURSE.folder(tmp_path, group)
    folder.mkdir()
    (folder / CHECKPOINT).write_bytes(b"not tensors")
    with pytest.raises(UnreadableFileError, match="checkpoint"):
        train_group(tmp_path, group, COURSE)
