import errno
import json
import shutil
import sys

import polars as pl
import pytest

import synaplex as sx
from synaplex.errors import (
    SpecificationError,
    StoreBusyError,
    StoreError,
    StoreMismatchError,
    UnreadableFileError,
    UnwritableFileError,
)
from synaplex.population import SGD, Store, export_population, locks
from synaplex.population import folder as folder_module
from tests.population.conftest import RECIPE, SEEDS, files


@pytest.fixture
def folder(population, tmp_path):
    """A copy of the population, to be damaged."""
    return shutil.copytree(population.folder, tmp_path / "store")


def train(folder, seeds=SEEDS, **change):
    return sx.train_population(**{**RECIPE, **change}, seeds=seeds, store=folder)


def test_the_layout_is_the_documented_one(population):
    assert set(files(population.folder)) == {
        f"chunks/0000{i}/{name}"
        for i in range(3)
        for name in ("weights.safetensors", "networks.parquet", "neurons.parquet")
    }
    record = json.loads((population.folder / "population.json").read_text())
    assert record["format"] == 1
    assert record["chunks"] == [[0, 1, 2], [3, 4, 5], [6]]
    assert record["chunk_size"] == 3
    assert record["versions"]["synaplex"] == sx.__version__
    assert record["specification"]["optimizer"] == {"kind": "sgd", "learning_rate": 0.01, "momentum": 0.0}


def test_a_second_run_trains_nothing(folder, monkeypatch):
    before = files(folder)
    monkeypatch.setattr(Store, "commit", lambda *args: pytest.fail("a chunk was trained"))
    assert train(folder).seeds == tuple(SEEDS)
    assert train(folder, seeds=[5]).seeds == tuple(SEEDS)
    assert files(folder) == before


def test_more_seeds_go_into_new_chunks_and_the_old_stay(folder):
    before = files(folder)
    extended = train(folder, seeds=[2, 20, 21, 6, 22, 23])
    after = files(folder)
    assert extended.seeds == (*SEEDS, 20, 21, 22, 23)
    assert json.loads((folder / "population.json").read_text())["chunks"][2:] == [[6], [20, 21, 22], [23]]
    assert {name: after[name] for name in before} == before


def test_measures_in_another_order_are_the_same(tmp_path):
    def grown(names, seeds):
        return train(tmp_path / "store", seeds=seeds, measures=names)

    first = grown(["strength", "maximal_cliques"], [1, 2]).neurons()
    both = grown(["maximal_cliques", "strength"], [1, 2, 3]).neurons()
    assert both.columns == first.columns
    assert both.filter(pl.col("seed") < 3).equals(first)


def test_a_missing_chunk_is_made_anew(folder):
    before = files(folder)
    shutil.rmtree(folder / "chunks" / "00001")
    opened = sx.Population.open(folder)
    assert opened.seeds == (0, 1, 2, 6)
    assert opened.missing == 3
    assert "3 more planned" in repr(opened)
    train(folder, seeds=[0, 6])
    assert sx.Population.open(folder).missing == 3
    train(folder, seeds=[4])
    assert files(folder) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 4, "snapshots": range(4)}, "epochs is 3 there, 4 here"),
        ({"optimizer": SGD(momentum=0.5)}, r"optimizer\.momentum is 0\.0 there, 0\.5 here"),
        ({"measures": "strength"}, r"measures\.harmonic_centrality is .* there, absent here"),
        ({"network": sx.networks.mlp(64, 12, 9, 10)}, r"network\.widths is \[64, 12, 8, 10\] there"),
        ({"chunk_size": 4}, "chunk_size is 3 there, 4 here"),
    ],
)
def test_another_specification_is_refused_by_name(folder, change, message):
    before = files(folder)
    with pytest.raises(StoreMismatchError, match=message) as caught:
        train(folder, seeds=[99], **change)
    assert str(folder) in str(caught.value)
    assert files(folder) == before


def test_other_data_of_the_same_name_are_refused(folder):
    data = sx.datasets.load("digits")
    other = sx.datasets.Dataset("digits", data.x_train * 0.5, data.y_train, data.x_test, data.y_test, data.classes)
    with pytest.raises(StoreMismatchError, match="not those it was trained on"):
        train(folder, dataset=other)


def test_two_runs_do_not_mix(folder):
    with Store(folder).locked(), pytest.raises(StoreBusyError, match="another process"):
        train(folder)
    assert train(folder).missing == 0


def test_what_a_dead_run_left_is_removed(folder):
    before = files(folder)
    (folder / "chunks" / "00007.partial").mkdir()
    (folder / "chunks" / "00007.partial" / "networks.parquet").write_bytes(b"half")
    (folder / "population.json.partial").write_bytes(b"half")
    assert sx.Population.open(folder).seeds == tuple(SEEDS)
    train(folder)
    assert files(folder) == before
    assert not (folder / "population.json.partial").exists()


@pytest.mark.parametrize("write", [1, 2, 4, 6])
def test_a_full_disk_loses_nothing_finished(population, tmp_path, monkeypatch, write):
    whole, calls = folder_module._write, []

    def on_a_full_disk(path, content):
        calls.append(path)
        if len(calls) == write:
            whole(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        whole(path, content)

    monkeypatch.setattr(folder_module, "_write", on_a_full_disk)
    folder = tmp_path / "store"
    with pytest.raises(UnwritableFileError, match=r"No space left on device.*the same run goes on"):
        train(folder, chunk_size=3)
    finished = max(0, (write - 2) // 3)
    if write > 1:
        assert sx.Population.open(folder).seeds == tuple(SEEDS)[: 3 * finished]
    monkeypatch.undo()
    train(folder, chunk_size=3)
    assert files(folder) == files(population.folder)


def test_a_url_is_no_folder(tmp_path, monkeypatch, population):
    monkeypatch.chdir(tmp_path)
    for use in (Store, lambda place: export_population(population, place, title="x", license="cc0-1.0")):
        with pytest.raises(SpecificationError, match="'s3://bucket/pop' is a URL"):
            use("s3://bucket/pop")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no flock")
@pytest.mark.filterwarnings("ignore:flock not supported")
@pytest.mark.parametrize("options", [{}, locks._NATIVE], ids=["early releases", "this release"])
def test_a_file_system_without_locks_is_refused(folder, monkeypatch, options):
    """A lock that is a file which exists would stay when its process dies."""

    def missing(*arguments):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", missing)
    monkeypatch.setattr(locks, "_NATIVE", options)
    for _ in range(2):
        with pytest.raises(UnwritableFileError, match=r"\.lock cannot be locked: .*file system that has locks"):
            train(folder)
    monkeypatch.undo()
    assert train(folder).missing == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnwritableFileError, match="file/store"):
        train(tmp_path / "file" / "store")


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("networks.parquet", lambda path: path.write_bytes(path.read_bytes()[:-20]), "is damaged"),
        ("neurons.parquet", lambda path: path.unlink(), "is damaged"),
        ("weights.safetensors", lambda path: path.write_bytes(path.read_bytes()[:-20]), "is damaged"),
        ("weights.safetensors", lambda path: path.write_bytes(b""), "is damaged"),
        (
            "networks.parquet",
            lambda path: shutil.copy(path.parents[1] / "00002" / path.name, path),
            "4 rows, 12 expected",
        ),
        (
            "weights.safetensors",
            lambda path: shutil.copy(path.parents[1] / "00001" / path.name, path),
            "other networks",
        ),
    ],
)
@pytest.mark.parametrize("use", [sx.Population.open, train], ids=["open", "train"])
def test_a_damaged_chunk_is_named(folder, name, damage, message, use):
    path = folder / "chunks" / "00000" / name
    damage(path)
    with pytest.raises(UnreadableFileError, match=message) as caught:
        use(folder)
    assert str(path) in str(caught.value)
    assert f"Remove {path.parent}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('{"format": 1', UnreadableFileError, "is damaged"),
        ('{"format": 1}', UnreadableFileError, "'specification' is missing"),
        ('{"format": 2}', StoreError, "format 2; Synaplex .* reads 1"),
        ("[]", StoreError, "format None"),
    ],
)
def test_a_damaged_record_is_named(folder, text, error, message):
    (folder / "population.json").write_text(text)
    with pytest.raises(error, match=message) as caught:
        sx.Population.open(folder)
    assert "population.json" in str(caught.value)


def test_chunks_without_a_record_are_left_alone(folder):
    (folder / "population.json").unlink()
    before = files(folder)
    with pytest.raises(StoreError, match=r"holds chunks but no population\.json"):
        train(folder)
    assert files(folder) == before
