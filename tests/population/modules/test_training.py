"""Populations of modules are kept whole, resumed, extended, and hold what they say."""

import gc
import pickle
import shutil
import tempfile

import numpy as np
import polars as pl
import pytest
import torch

from synaplex.datasets import Dataset, load
from synaplex.errors import (
    SpecificationError,
    StoreBusyError,
    StoreError,
    StoreMismatchError,
    UnreadableFileError,
)
from synaplex.measures import strength
from synaplex.networks import Normal, autoencoder, cnn, mlp, rnn
from synaplex.population import SGD, Adam
from synaplex.population.modules import ModulePopulation, ModuleStore, train_modules
from tests.population.conftest import files
from tests.population.modules.conftest import NETWORKS, RECIPE, SEEDS, accuracy, norms


def train(folder, seeds=SEEDS, **change):
    return train_modules(**{"measure": norms, **RECIPE, **change}, seeds=seeds, store=folder)


@pytest.fixture
def folder(population, tmp_path):
    """A copy of the population, to be changed."""
    return shutil.copytree(population.folder, tmp_path / "store")


def test_tables_have_a_row_a_network_and_snapshot(population):
    table = population.networks()
    assert table.select("seed", "step").rows() == [(seed, step) for seed in SEEDS for step in RECIPE["snapshots"]]
    first = table.filter(pl.col("step") == 0)
    assert first["train_loss"].null_count() == len(first)
    assert table.filter(pl.col("step") > 0)["train_accuracy"].null_count() == 0
    measured = population.measures()
    names = [name for name, _ in RECIPE["network"].skeleton().named_parameters()]
    assert measured.select("seed", "step", "parameter").rows() == [
        (seed, step, name) for seed in SEEDS for step in RECIPE["snapshots"] for name in names
    ]


def test_weights_that_are_kept_are_those_that_were_tested_and_measured(population):
    data = load("digits").subset(120, 40)
    x = RECIPE["network"].arrange(data.x_test)
    table, measured = population.networks(), population.measures()
    for seed in (0, 3):
        for step in (5, 12):
            module = population.module(seed, step)
            row = table.row(by_predicate=(pl.col("seed") == seed) & (pl.col("step") == step), named=True)
            assert row["test_accuracy"] == pytest.approx(accuracy(module, x, data.y_test))
            for name, parameter in module.named_parameters():
                rows = measured.filter(seed=seed, step=step, parameter=name)
                assert rows["norm"].item() == pytest.approx(float(parameter.detach().norm()))
    batch = population.parameters([3, 0], step=5)
    assert torch.equal(batch["0.weight"][0], population.module(3, 5).get_parameter("0.weight"))
    assert not torch.equal(batch["0.weight"], population.parameters([3, 0])["0.weight"])


def test_untrained_networks_are_those_that_build_makes(tmp_path):
    for network in NETWORKS.values():
        population = train_modules(
            network, seeds=[4], steps=0, initializer=Normal(std=0.3), biases="weights", progress=False
        )
        for name, parameter in network.build(4, Normal(std=0.3), biases="weights").named_parameters():
            assert torch.equal(population.parameters()[name][0], parameter)


@pytest.mark.parametrize("kind", NETWORKS)
def test_chunks_do_not_matter(kind, tmp_path):
    recipe = {**RECIPE, "network": NETWORKS[kind]}
    tables = []
    for size in (1, 2, 5):
        one = train_modules(**recipe, seeds=SEEDS, chunk_size=size)
        tables.append((one.networks(), one.parameters()))
    for networks, parameters in tables[1:]:
        for column in networks.columns[:-1]:
            np.testing.assert_allclose(networks[column].to_numpy(), tables[0][0][column].to_numpy(), rtol=1e-4)
        for name, value in parameters.items():
            torch.testing.assert_close(value, tables[0][1][name], rtol=1e-4, atol=1e-5)


def test_measures_read_lazily_without_a_store_outlive_their_population(population):
    lazy = train_modules(**RECIPE, measure=norms, seeds=[1], chunk_size=1).scan_measures()
    gc.collect()
    expected = population.measures().filter(seed=1)
    found = lazy.collect()
    assert found.drop("norm").equals(expected.drop("norm"))
    assert found["norm"].to_list() == pytest.approx(expected["norm"].to_list(), rel=1e-4)


@pytest.mark.parametrize("use", [train, ModulePopulation.open, ModuleStore], ids=["train", "open", "store"])
def test_a_url_is_no_folder(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecificationError, match=r"'s3://bucket/pop' is a URL.*train_modules keeps populations in"):
        use("s3://bucket/pop")
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_trains_nothing_and_more_seeds_extend(folder, monkeypatch):
    before = files(folder)
    extended = train(folder, seeds=[2, 9, 8])
    assert extended.seeds == (*SEEDS, 9, 8)
    after = files(folder)
    assert {name: after[name] for name in before} == before
    monkeypatch.setattr(ModuleStore, "commit", lambda *args: pytest.fail("a chunk was trained"))
    assert train(folder, seeds=[0, 8]).missing == 0


class Interrupted:
    """Is stopped by the user after a number of chunks; sends each task as bytes, as to another machine."""

    def __init__(self, after):
        self.after = after

    def run(self, task, chunks, report):
        for chunk in chunks[: self.after]:
            pickle.loads(pickle.dumps(task))(pickle.loads(pickle.dumps(chunk)), report)
        raise KeyboardInterrupt


def test_a_stopped_run_goes_on_where_it_stopped(population, tmp_path, monkeypatch):
    folder = tmp_path / "store"
    with pytest.raises(KeyboardInterrupt, match=r"2 of 3 chunks are kept in .*store; the same run goes on"):
        train(folder, chunk_size=2, engine=Interrupted(2))
    (folder / "chunks" / "00002.partial").mkdir()
    part = ModulePopulation.open(folder)
    assert (part.seeds, part.missing) == ((0, 1, 2, 3), 1)
    assert "1 more planned" in repr(part)
    train(folder)
    assert files(folder) == files(population.folder)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with pytest.raises(KeyboardInterrupt, match="nothing is kept"):
        train_modules(**RECIPE, seeds=SEEDS, engine=Interrupted(1))
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": NETWORKS["rnn"]}, "network"),
        ({"steps": 13}, "steps is 12 there, 13 here"),
        ({"measure": None}, "measured"),
        ({"measured": "other"}, "measured is .*norms' there, 'other' here"),
        ({"chunk_size": 3}, "chunk_size is 2 there, 3 here"),
        ({"optimizer": SGD()}, "optimizer"),
    ],
)
def test_another_specification_is_refused(folder, change, message):
    before = files(folder)
    with pytest.raises(StoreMismatchError, match=message):
        train(folder, **change)
    assert files(folder) == before


def test_two_runs_do_not_mix(folder):
    with ModuleStore(folder).locked(), pytest.raises(StoreBusyError, match="another process"):
        train(folder)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("networks.parquet", lambda path: path.write_bytes(path.read_bytes()[:-20])),
        ("networks.parquet", lambda path: shutil.copy(path.parents[1] / "00002" / path.name, path)),
        ("measures.parquet", lambda path: path.write_bytes(b"PAR1")),
        ("weights.safetensors", lambda path: path.write_bytes(path.read_bytes()[:-20])),
        ("weights.safetensors", lambda path: shutil.copy(path.parents[1] / "00001" / path.name, path)),
        ("weights.safetensors", lambda path: path.unlink()),
    ],
)
def test_a_damaged_chunk_is_named(folder, name, damage):
    path = folder / "chunks" / "00000" / name
    damage(path)
    for use in (ModulePopulation.open, train):
        with pytest.raises(UnreadableFileError, match="is damaged") as caught:
            use(folder)
        assert str(path) in str(caught.value)
        assert f"Remove {path.parent}" in str(caught.value)


def test_a_folder_of_another_kind_is_refused(folder, tmp_path):
    with pytest.raises(UnreadableFileError, match=r"no population.json"):
        __import__("synaplex").Population.open(folder)
    (tmp_path / "other" / "chunks").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"holds chunks but no modules\.json"):
        train(tmp_path / "other")


def test_networks_that_diverge_are_left_out_with_a_reason():
    seen = []

    def sound(snapshot):
        seen.append((snapshot.step, snapshot.seeds))
        assert all(bool(torch.isfinite(value).all()) for value in snapshot.parameters.values())
        assert snapshot.scores["seed"].to_list() == list(snapshot.seeds)
        return pl.DataFrame({"seed": snapshot.seeds})

    recipe = {**RECIPE, "network": NETWORKS["cnn"], "optimizer": SGD(learning_rate=1e30)}
    population = train_modules(**recipe, seeds=SEEDS, measure=sound, measured="sound")
    table = population.networks()
    lost = table.filter(pl.col("step") == 12)
    assert lost["reason"].str.contains("diverged").all()
    assert lost["test_loss"].null_count() == lost["test_accuracy"].null_count() == len(SEEDS)
    assert table.filter(pl.col("step") == 0)["reason"].null_count() == len(SEEDS)
    assert seen[0] == (0, tuple(SEEDS))
    assert all(step < 12 for step, _ in seen)
    assert set(population.measures()["step"]) <= {0, 1, 5}


def test_dense_networks_are_measured_as_one_batch_of_graphs():
    found = {}

    def strengths(snapshot):
        graph = snapshot.graph()
        found[snapshot.step] = strength(graph)
        return pl.DataFrame({"seed": snapshot.seeds, "strength": found[snapshot.step].sum(1).numpy()})

    recipe = {**RECIPE, "network": NETWORKS["dense"], "kept": "all"}
    population = train_modules(**recipe, seeds=SEEDS, measure=strengths, measured="strengths")
    for step in RECIPE["snapshots"]:
        weights = [v for v in population.parameters(step=step).values() if v.ndim == 3]
        total = sum(2 * weight.double().sum((1, 2)) for weight in weights)
        torch.testing.assert_close(found[step].sum(1), total)
    with pytest.raises(SpecificationError, match="is not dense"):
        train_modules(**RECIPE, seeds=[1], measure=strengths, measured="strengths")


def test_networks_learn():
    for kind, network in {**NETWORKS, "rnn": rnn((1, 8, 8), 16, 10, bias=True)}.items():
        population = train_modules(
            network,
            seeds=range(2),
            steps=200,
            optimizer=Adam(learning_rate=0.01),
            initializer="glorot_uniform",
            progress=False,
        )
        table = population.networks()
        if kind == "autoencoder":
            before, after = (table.filter(step=step)["test_loss"].mean() for step in (0, 200))
            assert after < 0.6 * before
        else:
            assert table.filter(step=200)["test_accuracy"].min() > 0.6


def test_regression_is_learnt_by_the_squared_error():
    x = torch.rand(200, 16, generator=torch.Generator().manual_seed(0))
    data = Dataset("sums", x[:150], x[:150].sum(1, keepdim=True), x[150:], x[150:].sum(1, keepdim=True))
    network = cnn((1, 4, 4), 3, dense=(1,), activation="linear")
    options = {"dataset": data, "seeds": [1], "steps": 300, "initializer": "glorot_uniform", "optimizer": "adam"}
    population = train_modules(network, **options, objective="mean_squared_error", progress=False)
    loss = population.networks()["test_loss"].to_numpy()
    assert loss[-1] < 0.05 * loss[0]
    assert np.isnan(population.networks()["test_accuracy"].cast(pl.Float64).to_numpy()).all()
    with pytest.raises(SpecificationError, match="'cross_entropy' does not fit the targets"):
        train_modules(network, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": mlp(63, 10)}, "63-10 does not fit"),
        ({"network": cnn((1, 8, 8), 2, dense=(9,))}, "needs 64 inputs and 10 outputs"),
        ({"objective": "mean_squared_error"}, "does not fit the targets"),
        ({"seeds": [1, 1]}, "seed 1 is given twice"),
        ({"chunk_size": 0}, "chunk_size must be at least 1"),
        ({"measured": "nothing"}, "there is none"),
        ({"measure": lambda snapshot: pl.DataFrame()}, "give the measuring function a name"),
        ({"measure": lambda snapshot: pl.DataFrame({"a": [1]}), "measured": "bad"}, "a column 'seed'"),
        ({"measure": lambda snapshot: pl.DataFrame({"seed": [77]}), "measured": "bad"}, "of its seeds"),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    with pytest.raises(SpecificationError, match=message):
        train_modules(**{**RECIPE, "seeds": [1], **change})


def test_questions_that_have_no_answer_are_refused(population):
    with pytest.raises(SpecificationError, match="no network of seeds"):
        population.module(99)
    with pytest.raises(SpecificationError, match="after step 1 were not kept"):
        population.module(1, step=1)
    plain = train_modules(**RECIPE, seeds=[1])
    with pytest.raises(SpecificationError, match="nothing was measured"):
        plain.measures()
    data = load("digits")
    wide = Dataset("wide", 2 * data.x_train, data.y_train, data.x_test, data.y_test, data.classes)
    binary = autoencoder(64, 5, output_activation="sigmoid")
    with pytest.raises(SpecificationError, match="inputs from 0 to 1, these go from"):
        train_modules(binary, wide, seeds=[1], steps=1, objective="binary_cross_entropy")
