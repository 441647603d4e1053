"""Networks by name from files, folders, populations and graphs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import synaplex as sx
from synaplex.encoders import Candidates, GraphSet, StructureEncoder, embed, save_encoder
from synaplex.errors import GraphTooLargeError, IncompleteGraphError, InvalidGraphError, SpecificationError
from synaplex.errors import UnreadableFileError as Unreadable
from synaplex.networks import cnn, mlp
from synaplex.population import SGD, Population
from synaplex.population.modules import ModulePopulation, train_modules
from tests.encoders.populations import write_checkpoint
from tests.encoders.structures import dense


def names(models: object, **options: object) -> list[str]:
    return [name for some, _ in Candidates(models, **options) for name in some]


def test_files_and_folders_in_natural_order(tmp_path: Path) -> None:
    for epoch in (10, 2, 1):
        write_checkpoint(tmp_path / "run" / f"epoch-{epoch}.safetensors", dense(None, 4, 3, 2, seed=epoch))
    (tmp_path / "run" / "notes.txt").write_text("of no interest")
    alone = write_checkpoint(tmp_path / "alone.safetensors", dense(None, 4, 3, 2))
    folder = tmp_path / "run"
    inside = [f"{folder}/epoch-{epoch}.safetensors" for epoch in (1, 2, 10)]
    assert names([alone, folder]) == [str(alone), *inside]
    assert names(str(folder)) == inside
    assert names({"mine": alone, "theirs": folder}) == ["mine", *(f"theirs/epoch-{e}.safetensors" for e in (1, 2, 10))]
    found = [graph for _, graph in Candidates(folder)]
    assert torch.equal(found[2].links[0].weight, dense(None, 4, 3, 2, seed=10).links[0].weight)


def test_graphs_batches_and_sets() -> None:
    batch, single = dense(3, 4, 3, 2), dense(None, 4, 3, 2, seed=1)
    assert names([batch, single]) == ["network 0:0", "network 0:1", "network 0:2", "network 1"]
    assert names(GraphSet.of([batch, single])[1:]) == ["network 0", "network 1", "network 2"]
    assert names({"a": batch.subset(1, 3), "b": single}) == ["a:1", "a:2", "b"]


def test_populations_are_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synaplex.encoders.candidates.AT_ONCE", 2)
    trained = sx.train_population(mlp(64, 4, 10), "digits", seeds=[3, 1, 2], epochs=1, store=tmp_path / "store")
    pieces = list(Candidates(tmp_path / "store"))
    assert [len(some) for some, _ in pieces] == [2, 1]
    assert [name for some, _ in pieces for name in some] == [f"{tmp_path / 'store'}:{seed}" for seed in (3, 1, 2)]
    assert torch.equal(pieces[1][1].links[0].weight, trained.weights([2]).links[0].weight)
    assert names({"p": Population.open(tmp_path / "store")}) == ["p:3", "p:1", "p:2"]


def test_modules_of_a_store_become_graphs(tmp_path: Path) -> None:
    network = cnn((1, 8, 8), 2, dense=(10,))
    store = tmp_path / "store"
    train_modules(network, "digits", seeds=range(2), steps=1, store=store)
    (one, first), (two, _) = list(Candidates(store))
    assert (one, two) == ((f"{store}:0",), (f"{store}:1",))
    kernel = next(iter(ModulePopulation.open(store).module(0).parameters()))
    assert torch.equal(first.links[0].weight, kernel)


def test_networks_that_have_diverged_are_left_out_and_named(tmp_path: Path) -> None:
    store, steps = tmp_path / "store", SGD(learning_rate=1e30)
    population = sx.train_population(mlp(64, 4, 10), "digits", seeds=[0, 2], epochs=1, optimizer=steps, store=store)
    assert population.networks()["reason"].count() == 2
    lost = [f"{store}:0", f"{store}:2"]
    candidates = Candidates([store, dense(None, 64, 4, 10)])
    assert [some for some, _ in candidates] == [("network 1",)]
    assert candidates.left_out == lost
    save_encoder(tmp_path / "encoder", StructureEncoder(epochs=0, positions=2).fit(dense(3, 64, 4, 10)))
    assert embed([store, dense(None, 64, 4, 10)], tmp_path / "encoder").left_out == tuple(lost)
    with pytest.raises(SpecificationError, match="all networks given have diverged"):
        embed(store, tmp_path / "encoder")


def test_what_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    good = write_checkpoint(tmp_path / "good.safetensors", dense(None, 4, 3, 2))
    save_file({"conv.weight": torch.zeros(3, 1, 3, 3)}, tmp_path / "image.safetensors")
    with pytest.raises(InvalidGraphError, match=r"image\.safetensors does not tell how it computes.*sx\.graph"):
        names([good, tmp_path / "image.safetensors"])
    with pytest.raises(Unreadable, match=r"none\.pt does not exist"):
        names([good, tmp_path / "none.pt"])
    for path in (tmp_path / "empty", tmp_path / "encoder", tmp_path / "shards"):
        path.mkdir()
    with pytest.raises(Unreadable, match="holds no model"):
        names(tmp_path / "empty")
    (tmp_path / "shards" / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(Unreadable, match="in several files"):
        names(tmp_path / "shards")
    save_encoder(tmp_path / "encoder", StructureEncoder(epochs=0, positions=2).fit(dense(3, 4, 3, 2)))
    with pytest.raises(Unreadable, match="is an encoder, not a model"):
        names(tmp_path / "encoder")


def test_what_makes_no_sense_is_refused() -> None:
    graph = dense(None, 4, 3, 2)
    for nothing in ([], {}, ()):
        with pytest.raises(SpecificationError, match="no models are given"):
            Candidates(nothing)
    with pytest.raises(SpecificationError, match="Linear is none"):
        Candidates([torch.nn.Linear(3, 2)])
    with pytest.raises(SpecificationError, match="texts"):
        Candidates({3: graph})
    with pytest.raises(SpecificationError, match="a:1 is given twice"):
        names({"a": dense(2, 4, 3), "a:1": graph})


def test_portions_are_read_one_after_the_other(tmp_path: Path) -> None:
    """The broken file is not touched before the portion that holds it."""
    files = [write_checkpoint(tmp_path / f"{i}.safetensors", dense(None, 4, 3, 2, seed=i)) for i in range(5)]
    files[4].write_text("{}")
    portions = Candidates(files).portions(2)
    for i in (0, 2):
        some, networks = next(portions)
        assert some == (str(files[i]), str(files[i + 1]))
        assert len(networks) == 2
    with pytest.raises(Unreadable, match=r"4\.safetensors"):
        next(portions)
    large = {str(i): dense(None, 40, 30) for i in range(3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synaplex.encoders.candidates.EDGES_AT_ONCE", 1000)
        assert [len(some) for some, _ in Candidates(large).portions(32)] == [1, 1, 1]


def test_a_network_that_has_no_embedding_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_encoder(tmp_path / "encoder", StructureEncoder(epochs=0, positions=2).fit(dense(3, 4, 3, 2)))

    class Strange(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cumsum(self.first(x), -1)

    strange = sx.graph(Strange(), torch.zeros(1, 4))
    with pytest.raises(IncompleteGraphError, match=r"strange: .*not known"):
        embed({"usual": dense(None, 4, 3, 2), "strange": strange}, tmp_path / "encoder")
    monkeypatch.setattr("synaplex.encoders.reading.MOST_PAIRS", 10)
    with pytest.raises(GraphTooLargeError, match=r"usual: .*12 pairs"):
        embed({"usual": dense(None, 4, 3, 2)}, tmp_path / "encoder")
