"""Several jobs on one store, each on chunks of its own."""

import multiprocessing

import pytest

import synaplex as sx
from synaplex.errors import SpecificationError, StoreBusyError, StoreMismatchError
from synaplex.population import Chunk, Store, locks, parse_chunks
from tests.population.conftest import RECIPE, SEEDS, files


def train(folder, chunks=None, **change):
    return sx.train_population(**{**RECIPE, "seeds": SEEDS, "chunk_size": 3, **change}, store=folder, chunks=chunks)


@pytest.mark.parametrize(
    ("text", "numbers"), [("3", (3,)), ("10-12", (10, 11, 12)), (" 0, 4-5,4 ", (0, 4, 5)), ("7-7", (7,))]
)
def test_ranges_are_read_with_both_ends(text, numbers):
    assert parse_chunks(text) == numbers


@pytest.mark.parametrize("text", ["", "-", "3-", "-3", "5-4", "1,,2", "a-b", "1.5", "1-2-3"])
def test_other_text_is_refused(text):
    with pytest.raises(SpecificationError, match="neither a number nor a range"):
        parse_chunks(text)


def test_parts_make_the_whole(population, tmp_path):
    folder = tmp_path / "store"
    part = train(folder, chunks=[2])
    assert part.seeds == (6,)
    assert part.missing == 6
    assert train(folder, chunks=parse_chunks("0-1")).missing == 0
    assert files(folder) == files(population.folder)


@pytest.mark.parametrize(("chunks", "message"), [([3], "no chunk 3: .* are 0 to 2"), ([], "no chunk to train")])
def test_chunks_that_are_not_there_are_refused(chunks, message, tmp_path):
    with pytest.raises(SpecificationError, match=message):
        train(tmp_path / "store", chunks=chunks)


def test_chunks_need_a_store():
    with pytest.raises(SpecificationError, match="name its folder"):
        train(None, chunks=[0])


def test_a_part_of_another_population_is_refused(population):
    with pytest.raises(StoreMismatchError, match="epochs is 3 there, 4 here"):
        train(population.folder, chunks=[0], epochs=4, snapshots=range(4))


def test_disjoint_parts_run_at_once_and_the_same_chunk_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    folder = tmp_path / "store"
    train(folder, chunks=[0])
    with Store(folder).claimed([Chunk(1, (3, 4, 5))]):
        assert train(folder, chunks=[2]).missing == 3
        with pytest.raises(StoreBusyError, match="is training chunk 1 of"):
            train(folder, chunks=[1, 2])
        with pytest.raises(StoreBusyError, match="is training chunk 1 of"):
            train(folder)
    assert train(folder).missing == 0


def test_a_part_waits_for_the_whole_and_then_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with Store(tmp_path / "store").locked(), pytest.raises(StoreBusyError, match="training into the whole"):
        train(tmp_path / "store", chunks=[0])


def test_a_part_leaves_alone_what_others_have_in_work(tmp_path):
    folder = tmp_path / "store"
    train(folder, chunks=[0])
    for name in ("00001.abc.partial", "00002.def.partial"):
        (folder / "chunks" / name).mkdir()
    train(folder, chunks=[1])
    assert sorted(path.name for path in folder.glob("chunks/*")) == ["00000", "00001", "00002.def.partial"]


def test_a_chunk_done_twice_is_kept_once(population, tmp_path):
    folder = tmp_path / "store"
    train(folder)
    before = files(folder)
    Store(folder).write_chunk(Chunk(1, (3, 4, 5)), {"networks.parquet": b"late"})
    assert files(folder) == before
    assert not list(folder.glob("chunks/*.partial"))


@pytest.mark.slow
def test_jobs_that_start_together_on_an_empty_folder(population, tmp_path):
    folder = tmp_path / "store"
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=train, args=(folder, [index])) for index in range(3)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(240)
        assert job.exitcode == 0
    assert files(folder) == files(population.folder)
