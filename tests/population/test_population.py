import gc
import inspect

import polars as pl
import pytest
import torch

import synaplex as sx
from synaplex.errors import SpecificationError, UnknownNameError, UnreadableFileError
from synaplex.population import PopulationSpec, Trainer, train_specification
from tests.population.conftest import RECIPE, SEEDS, files
from tests.population.reference import regression


def test_tables_have_their_columns_and_rows(population):
    networks, neurons = population.networks(), population.neurons()
    assert dict(networks.schema) == {
        "seed": pl.Int64,
        "epoch": pl.Int32,
        "train_loss": pl.Float32,
        "train_accuracy": pl.Float32,
        "test_loss": pl.Float32,
        "test_accuracy": pl.Float32,
        "reason": pl.String,
    }
    assert networks.select("seed", "epoch").rows() == [(seed, epoch) for seed in SEEDS for epoch in range(4)]
    expected = [(s, e, i, n) for s in SEEDS for e in range(4) for i, size in ((1, 12), (2, 8)) for n in range(size)]
    assert neurons.select("seed", "epoch", "layer", "neuron").rows() == expected
    kinds = {name: str(dtype) for name, dtype in neurons.schema.items()}
    assert kinds["strength"] == "Float32"
    assert kinds["log_subgraph_centrality"] == "Float64"
    assert kinds["maximal_cliques"] == "Int32"
    assert kinds["reason"] == "String"


def test_scores_are_those_of_the_trainer(population):
    data = sx.datasets.load("digits").subset(300, 100)
    trainer = Trainer(population.spec, data, [4, 5])
    scores = [trainer.untrained(), *(trainer.epoch() for _ in range(3))]
    for kind in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        table = population.networks().filter(seed=5)[kind].to_list()
        assert table == pytest.approx([getattr(score, kind)[1].item() for score in scores], rel=1e-5)


def test_weights_come_in_the_order_asked_for(population):
    whole = population.weights()
    some = population.weights([6, 0, 4])
    assert whole.networks == 7
    for link, all_links in zip(some.links, whole.links, strict=True):
        assert torch.equal(link.weight, all_links.weight[[6, 0, 4]])
    with pytest.raises(SpecificationError, match=r"no network of seeds \[9\]"):
        population.weights([0, 9])


def test_a_module_scores_what_the_table_says(population):
    data = sx.datasets.load("digits").subset(300, 100)
    hits = population.module(3)(data.x_test).argmax(1) == data.y_test
    row = population.networks().filter(seed=3, epoch=3)
    assert row["test_accuracy"].item() == pytest.approx(hits.double().mean().item())


def test_biases_come_back(tmp_path):
    network = sx.networks.mlp(64, 5, 10, bias=True)
    trained = sx.train_population(
        **{**RECIPE, "network": network, "measures": None}, seeds=[1, 2], store=tmp_path / "s"
    )
    assert trained.module(2)[0].bias.abs().max() > 0
    assert torch.equal(trained.weights([2]).biases[1][0], trained.module(2)[0].bias.detach())
    assert len(trained.neurons()) == 0


def test_a_part_of_the_neurons_can_be_read(population):
    part = population.scan_neurons().filter(pl.col("epoch") == 3, pl.col("layer") == 2).collect()
    assert len(part) == 7 * 8


def test_the_same_run_gives_the_same_bytes(population, tmp_path):
    again = sx.train_population(**RECIPE, seeds=SEEDS, store=tmp_path / "store", chunk_size=3)
    assert files(again.folder) == files(population.folder)
    assert sx.Population.open(again.folder).spec == population.spec


def test_without_a_store_the_population_lives_as_long_as_its_object(population):
    held = sx.train_population(**RECIPE, seeds=[2])
    folder = held.folder
    assert held.networks()["test_loss"].to_list() == pytest.approx(
        population.networks().filter(seed=2)["test_loss"].to_list(), rel=1e-5
    )
    del held
    gc.collect()
    assert not folder.exists()


def test_what_is_read_lazily_without_a_store_outlives_its_population(population):
    recipe = {**RECIPE, "measures": "strength", "epochs": 1}
    lazy = sx.train_population(**recipe, seeds=[2, 3], chunk_size=1).scan_neurons().filter(pl.col("layer") == 2)
    gc.collect()
    stored = population.scan_neurons().filter(pl.col("seed").is_in([2, 3]), pl.col("layer") == 2, pl.col("epoch") < 2)
    found, expected = lazy.collect(), stored.select("seed", "epoch", "layer", "neuron", "strength", "reason").collect()
    assert found.drop("strength").equals(expected.drop("strength"))
    assert found["strength"].to_list() == pytest.approx(expected["strength"].to_list(), rel=1e-4)


def test_own_data_are_trained_on(tmp_path):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(60, 4, generator=generator)
    y = (x[:, 0] > x[:, 1]).long()
    data = sx.datasets.Dataset("larger of two", x[:50], y[:50], x[50:], y[50:], classes=("no", "yes"))
    trained = sx.train_population(sx.networks.mlp(4, 6, 2), data, seeds=range(3), epochs=2, store=tmp_path / "s")
    assert trained.spec.dataset == "larger of two"
    assert len(sx.Population.open(tmp_path / "s")) == 3


def test_a_regression_has_losses_only():
    trained = sx.train_population(sx.networks.mlp(6, 5, 2), regression(), seeds=[1, 2], epochs=2)
    table = trained.networks()
    assert table["test_loss"].null_count() == 0
    assert table["test_accuracy"].null_count() == table["reason"].null_count() == len(table) == 6


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dataset": "digts"}, UnknownNameError, "did you mean 'digits'"),
        ({"measures": ["strenth"]}, UnknownNameError, "did you mean 'strength'"),
        ({"network": sx.networks.mlp(10, 5, 10)}, SpecificationError, "needs 64 inputs and 10 outputs"),
        ({"train_size": 10**6}, SpecificationError, "1000000 training samples asked"),
        ({"seeds": []}, SpecificationError, "no seeds"),
        ({"chunk_size": 0}, SpecificationError, "chunk_size"),
    ],
)
def test_mistakes_are_found_before_anything_is_written(change, error, message, tmp_path):
    with pytest.raises(error, match=message):
        sx.train_population(**{**RECIPE, "seeds": [1], "store": tmp_path / "store", **change})
    assert not (tmp_path / "store").exists()


def test_wrong_types_are_named():
    train = inspect.unwrap(train_specification)
    with pytest.raises(SpecificationError, match=r"several numbers.*not 3"):
        train(PopulationSpec(dataset="digits", network=RECIPE["network"]), seeds=[1], chunks=3, store="s")


def test_there_must_be_a_population_to_open(tmp_path):
    with pytest.raises(UnreadableFileError, match="holds no population"):
        sx.Population.open(tmp_path)


def test_repr_says_what_it_is(population):
    assert repr(population).startswith("Population(7 networks 64-12-8-10 on 'digits', 3 epochs, in ")
