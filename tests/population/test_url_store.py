"""A store behind a URL holds the same chunks as a folder, and what is not complete there does not count."""

import pickle

import fsspec
import pytest

import synaplex as sx
from synaplex.errors import SpecificationError, StoreMismatchError, UnreadableFileError, UnwritableFileError
from synaplex.population import InProcess
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
