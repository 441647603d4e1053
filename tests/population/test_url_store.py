"""A store behind a URL holds the same chunks as a folder, and what is not complete there does not count."""

import os
import pickle
import sys

import fsspec
import pytest

import synaplex as sx
from synaplex.errors import (
    SpecificationError,
    StoreBusyError,
    StoreMismatchError,
    UnreadableFileError,
    UnwritableFileError,
)
from synaplex.population import Chunk, InProcess, StoreRecord
from synaplex.population.url_store import UrlStore
from tests.population.conftest import RECIPE, SEEDS, files


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def url():
    system = fsspec.filesystem("memory")
    system.mkdirs("/bucket", exist_ok=True)
    yield "memory://bucket/seven"
    system.rm("/bucket", recursive=True)


def train(url, **change):
    return sx.train_population(**{**RECIPE, "seeds": SEEDS, "chunk_size": 3, **change}, store=url)


def quick(url, **change):
    return train(url, **{"measures": None, "epochs": 1, **change})


def stored(url):
    system, root = fsspec.core.url_to_fs(url)
    return {path.removeprefix(f"{root}/"): system.cat_file(path) for path in system.find(root)}


def test_it_holds_what_a_folder_holds(population, url):
    trained = train(url)
    assert files(trained.folder) == files(population.folder)
    there = stored(url)
    chunks = {name: content for name, content in there.items() if not name.endswith("complete")}
    record = chunks.pop("population.json")
    assert chunks == files(population.folder)
    assert record == (population.folder / "population.json").read_bytes()


def test_another_machine_reads_it(population, url, monkeypatch, tmp_path):
    train(url)
    monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path / "another"))
    opened = sx.Population.open(url)
    assert opened.folder.is_relative_to(tmp_path / "another")
    assert opened.neurons().equals(population.neurons())
    assert opened.module(3)[0].weight.equal(population.module(3)[0].weight)


def test_jobs_on_parts_make_the_whole(population, url, monkeypatch, tmp_path):
    for job in range(3):
        monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path / f"machine{job}"))
        train(url, chunks=[job])
    assert files(sx.Population.open(url).folder) == files(population.folder)


def test_what_is_not_complete_is_made_anew(population, url, monkeypatch, tmp_path):
    train(url)
    system, root = fsspec.core.url_to_fs(url)
    system.rm(f"{root}/chunks/00001/complete")
    system.pipe_file(f"{root}/chunks/00001/networks.parquet", b"half")
    monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path / "another"))
    assert sx.Population.open(url).missing == 3
    trained = []

    class Counting(InProcess):
        def run(self, task, chunks, report):
            trained.extend(chunk.index for chunk in chunks)
            super().run(pickle.loads(pickle.dumps(task)), chunks, report)

    assert files(train(url, engine=Counting()).folder) == files(population.folder)
    assert trained == [1]


def test_another_specification_is_refused(url):
    train(url)
    with pytest.raises(StoreMismatchError, match="epochs is 3 there, 4 here"):
        train(url, epochs=4, snapshots=range(4))


def test_what_was_there_before_is_forgotten(url, tmp_path):
    train(url, data_seed=5)
    fsspec.filesystem("memory").rm("/bucket/seven", recursive=True)
    alone = sx.train_population(**RECIPE, seeds=SEEDS, chunk_size=3, store=tmp_path / "alone")
    assert files(train(url).folder) == files(alone.folder)


def test_nothing_there_and_unknown_protocols_are_named(url):
    with pytest.raises(UnreadableFileError, match=r"memory://bucket/seven holds no population"):
        sx.Population.open(url)
    with pytest.raises(SpecificationError, match=r"nosuch://bucket.*nosuch"):
        sx.Population.open("nosuch://bucket")


def test_a_store_that_cannot_be_written_is_named(url, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError("no")

    monkeypatch.setattr(type(UrlStore(url)._system), "pipe_file", refuse)
    with pytest.raises(UnwritableFileError, match=r"memory://bucket/seven cannot be written: no"):
        train(url)


class Meanwhile(InProcess):
    """Lets something happen once the plan is made, or after so many chunks; sends each task to another process."""

    def __init__(self, happens, after=0):
        self.happens, self.after = happens, after

    def run(self, task, chunks, report):
        sent = pickle.loads(pickle.dumps(task))
        super().run(sent, chunks[: self.after], report)
        self.happens()
        super().run(sent, chunks[self.after :], report)


def replanned(record, **change):
    """What a machine writes that has not seen the record of another: a plan of its own, in its place."""
    fields = {**record.model_dump(mode="json"), **change}
    return StoreRecord(**fields)


def overwrite(url, **change):
    """Write such a plan."""
    system, root = fsspec.core.url_to_fs(url)
    there = StoreRecord.parse(system.cat_file(f"{root}/population.json"), url)
    system.pipe_file(f"{root}/population.json", replanned(there, **change).as_bytes())


def test_a_chunk_that_another_machine_planned_otherwise_does_not_count(url, tmp_path):
    others = [[9, 8, 7], [6, 5, 4]]
    busy = Meanwhile(lambda: overwrite(url, chunks=others), after=1)
    with pytest.raises(StoreBusyError, match=r"memory://bucket/seven at the same time, and chunk 1 is to hold others"):
        quick(url, engine=busy)
    assert [name for name in stored(url) if name.endswith("complete")] == ["chunks/00000/complete"]


def test_a_run_that_was_refused_goes_on_beside_the_plan_of_the_other(url, monkeypatch, tmp_path):
    with pytest.raises(StoreBusyError, match="chunk 0 is to hold others"):
        quick(url, engine=Meanwhile(lambda: overwrite(url, chunks=[[9, 8, 3], [2]])))
    whole = quick(url, seeds=[*SEEDS, 9, 8])
    assert whole.seeds == (9, 8, 3, 2, 0, 1, 4, 5, 6)
    monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path / "another"))
    assert sx.Population.open(url).seeds == whole.seeds


def test_a_plan_that_changes_while_a_chunk_is_sent_leaves_it_uncounted(url, monkeypatch):
    record = quick(url, chunks=[2])._record
    system = type(UrlStore(url)._system)
    send = system.pipe_file

    def slowly(self, path, content, **options):
        send(self, path, content, **options)
        if path.endswith("00001/weights.safetensors"):
            overwrite(url, chunks=[[0, 1, 2], [5, 4, 3], [6]])

    monkeypatch.setattr(system, "pipe_file", slowly)
    with pytest.raises(StoreBusyError, match="chunk 1 is to hold others"):
        quick(url, chunks=[1])
    monkeypatch.undo()
    assert not UrlStore(url).is_finished(record.plan()[1])


def test_a_chunk_of_another_specification_does_not_count(url):
    """The networks have the same seeds and shapes: nothing but the record tells them apart."""

    def other():
        there = UrlStore(url).read_record()
        overwrite(url, specification={**there.specification.model_dump(mode="json"), "data_seed": 5})

    with pytest.raises(StoreMismatchError, match="become another population meanwhile: data_seed is 5 there, 0 here"):
        quick(url, engine=Meanwhile(other))
    assert not UrlStore(url).is_finished(Chunk(0, (0, 1, 2)))


def test_an_extension_by_another_machine_disturbs_nobody(url, monkeypatch, tmp_path):
    def extend():
        with monkeypatch.context() as patch:
            patch.setenv("SYNAPLEX_CACHE", str(tmp_path / "another"))
            assert quick(url, seeds=[20], chunk_size=None).seeds == (0, 1, 2, 20)

    trained = quick(url, engine=Meanwhile(extend, after=1))
    assert trained.seeds == (*SEEDS, 20)


def test_two_plans_at_once_are_told_after_sending(url, monkeypatch):
    """The other machine writes just after this one, which has seen nothing there."""
    system = type(UrlStore(url)._system)
    send = system.pipe_file

    def first_of_two(self, path, content, **options):
        send(self, path, content, **options)
        if path.endswith("population.json"):
            theirs = replanned(StoreRecord.parse(content, path), chunks=[[9, 8]], chunk_size=2)
            send(self, path, theirs.as_bytes(), **options)

    monkeypatch.setattr(system, "pipe_file", first_of_two)
    with pytest.raises(StoreBusyError, match="another machine planned"):
        quick(url, engine=Meanwhile(lambda: pytest.fail("it was trained")))


def test_a_plan_that_came_meanwhile_is_not_overwritten(url):
    """The other machine writes between reading and writing of this one."""
    seen = quick(url, chunks=[0])._record
    theirs, ours = seen.extend([20, 21]), seen.extend([30])
    UrlStore(url).write_record(theirs)
    with pytest.raises(StoreBusyError, match="another machine planned"):
        UrlStore(url).write_record(ours)
    assert UrlStore(url).read_record() == theirs
    UrlStore(url).write_record(theirs)  # the same plan twice is one


def test_processes_that_fetch_at_once_do_not_disturb_each_other(url, monkeypatch):
    quick(url)
    replace, seen = os.replace, []

    def meanwhile(source, target):
        if not seen:
            seen.append(source)
            UrlStore(url).read_record()
        replace(source, target)

    monkeypatch.setattr(os, "replace", meanwhile)
    assert len(sx.Population.open(url)) == 7
    assert seen
    assert sorted(path.name for path in UrlStore(url).folder.glob("population.json*")) == ["population.json"]


def test_a_worker_that_had_another_population_cached_sends_the_new_one(url, monkeypatch, tmp_path):
    """On a worker's machine nothing but chunks was ever asked for."""

    def elsewhere(task):
        with monkeypatch.context() as patch:
            patch.setenv("SYNAPLEX_CACHE", str(tmp_path / "worker"))
            return pickle.loads(pickle.dumps(task))

    class Worker(InProcess):
        def run(self, task, chunks, report):
            super().run(elsewhere(task), chunks, report)

    quick(url, data_seed=5, engine=Worker())
    fsspec.filesystem("memory").rm("/bucket/seven", recursive=True)
    alone = quick(tmp_path / "alone")
    assert files(quick(url, engine=Worker()).folder) == files(alone.folder)
    monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path / "worker"))
    assert files(sx.Population.open(url).folder) == files(alone.folder)


@pytest.mark.parametrize(("package", "error"), [("s3fs", SpecificationError), ("fsspec.core", ImportError)])
def test_a_missing_package_is_not_said_to_be_in_an_extra(package, error, monkeypatch):
    """What fsspec lacks for a protocol is in no extra of this package, and fsspec itself is always there."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(error, match=package) as caught:
        UrlStore("s3://bucket/seven")
    assert "synaplex[" not in str(caught.value)
