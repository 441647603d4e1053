"""Training on a dataset: what is learned, what is kept, and what goes wrong is said."""

import json

import polars as pl
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, load_model, save_file
from torch import nn
from typer.testing import CliRunner

import synaplex as sx
import synaplex.sparse.training as training
from synaplex.cli import app
from synaplex.datasets import load
from synaplex.errors import (
    SpecificationError,
    StoreBusyError,
    TrainingError,
    UnknownNameError,
    UnreadableFileError,
    UnwritableFileError,
)
from synaplex.sparse import sparsify, to_dense
from synaplex.sparse.checkpoint import told_by
from synaplex.sparse.topologies import DENSITIES
from synaplex.sparse.training import CHECKPOINT, LOG, MODEL, SparseTraining, train

QUICK = {"hidden": (32, 24), "epsilon": 5.0, "epochs": 4, "learning_rate": 0.1}


@pytest.mark.parametrize("sparse", ["set:0.1", "censet:0.5:censet", "rigl"])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch, sparse):
    specification = SparseTraining(sparse=sparse, **QUICK)
    whole = train(specification, tmp_path / "whole", progress=False)
    accuracy = training._accuracy
    calls = []

    def killed(*arguments):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return accuracy(*arguments)

    monkeypatch.setattr(training, "_accuracy", killed)
    with pytest.raises(KeyboardInterrupt):
        train(specification, tmp_path / "killed", progress=False)
    assert len(pl.read_parquet(tmp_path / "killed" / LOG)) == 2
    resumed = train(specification, tmp_path / "killed", progress=False)
    assert resumed.epochs.equals(whole.epochs)
    for a, b in zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert sparse == "rigl" or whole.epochs["dropped"].sum() > 0
    assert pl.read_parquet(tmp_path / "killed" / LOG).equals(whole.epochs)
    assert not list((tmp_path / "killed").glob("*.part"))
    written = load_file(tmp_path / "killed" / MODEL)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, written[name])


def test_the_model_is_written_for_others(tmp_path):
    data = load("digits").subset(300, 100)
    specification = SparseTraining(**QUICK)
    trained = train(specification, tmp_path, data=data, progress=False).model
    again = specification.build(data)
    assert not torch.equal(again[0].to_dense(), trained[0].to_dense())
    load_model(again, tmp_path / MODEL)
    assert again[0].connections == trained[0].connections
    with torch.no_grad():
        assert torch.equal(again.eval()(data.x_test), trained.eval()(data.x_test))
        torch.testing.assert_close(to_dense(again)(data.x_test), trained(data.x_test))
    told, known = sx.load(tmp_path / MODEL), sx.graph(trained)
    assert told.sizes == known.sizes == (64, 32, 24, 10)
    for one, other in zip(told.links, known.links, strict=True):
        assert torch.equal(one.to_dense(), other.to_dense())


def test_a_model_that_was_not_written_any_more_is_written_when_the_run_goes_on(tmp_path):
    data = load("digits").subset(200, 50)
    specification = SparseTraining(**{**QUICK, "epochs": 2})
    train(specification, tmp_path, data=data, progress=False)
    written = (tmp_path / MODEL).read_bytes()
    (tmp_path / MODEL).unlink()
    train(specification, tmp_path, data=data, progress=False)
    assert (tmp_path / MODEL).read_bytes() == written


def test_a_model_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    data = load("digits").subset(200, 50)
    train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=data, progress=False)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synaplex.sparse.checkpoint.save_file", full)
    with pytest.raises(UnwritableFileError, match=r"cannot write .*model\.safetensors: .*No space left"):
        train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=data, progress=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_digits_are_learned(tmp_path):
    trained = train(SparseTraining(**{**QUICK, "dropout": 0.0}), tmp_path, progress=False)
    assert trained.epochs["test_accuracy"][-1] > 0.8
    assert trained.epochs["connections"].n_unique() == 1
    assert trained.epochs["dropped"][-1] == 0 < trained.epochs["dropped"][0]


def test_static_networks_do_not_change(tmp_path):
    trained = train(SparseTraining(sparse="static", **QUICK), tmp_path, progress=False)
    assert trained.epochs["rounds"].to_list() == [0] * 4
    assert trained.epochs["explored"].n_unique() == 1


def test_rounds_between_epochs_are_summed(tmp_path):
    trained = train(SparseTraining(schedule="steps:5", **QUICK), tmp_path, progress=False)
    assert trained.epochs["rounds"].to_list() == [3, 6, 9, 12]  # of 15 steps an epoch
    assert trained.epochs["dropped"].sum() == trained.evolution.log["dropped"].sum()


def test_a_loss_that_is_no_number(tmp_path):
    data = load("digits").subset(300, 100)
    trained = SparseTraining(**{**QUICK, "learning_rate": 0.1})
    train(SparseTraining(**{**QUICK, "epochs": 4}), tmp_path / "fine", data=data, progress=False)
    original = training._epoch

    def broken(*arguments):
        if arguments[-2] == 3:
            with torch.no_grad():
                arguments[3][0].weight.fill_(float("nan"))
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_epoch", broken)
        with pytest.raises(TrainingError, match=r"epoch 3.*checkpoint.safetensors is of epoch 2"):
            train(trained, tmp_path / "broken", data=data, progress=False)
    with safe_open(tmp_path / "broken" / CHECKPOINT, "pt") as file:
        assert file.get_tensor("model.0.weight").isfinite().all()
    assert len(pl.read_parquet(tmp_path / "broken" / LOG)) == 2


def test_another_training_in_the_same_folder(tmp_path):
    data = load("digits").subset(200, 50)
    train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=data, progress=False)
    with pytest.raises(SpecificationError, match="seed 0, not 1"):
        train(SparseTraining(**{**QUICK, "epochs": 1, "seed": 1}), tmp_path, data=data, progress=False)
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(UnreadableFileError, match="no checkpoint of sparse training"):
        train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=data, progress=False)


def test_a_run_goes_on_with_its_own_data_alone(tmp_path):
    data = load("digits").subset(200, 50)
    train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=data, progress=False)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(SpecificationError, match="other data"):
        train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=load("digits").subset(201, 50), progress=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_checkpoint_from_before_data_rules_and_density_were_kept(tmp_path):
    data = load("digits").subset(200, 50)
    specification = SparseTraining(**{**QUICK, "epochs": 2})
    trained = train(specification, tmp_path, data=data, progress=False)
    path = tmp_path / CHECKPOINT
    with safe_open(path, "pt") as file:
        text = json.loads(file.metadata()["synaplex"])
        held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    evolution = json.loads(text["evolution"])
    del text["given"]["data"], evolution["rules"]
    del text["given"]["specification"]["density"], text["given"]["specification"]["topology"]
    save_file(held, path, {"synaplex": json.dumps({**text, "evolution": json.dumps(evolution)})})
    assert train(specification, tmp_path, data=data, progress=False).epochs.equals(trained.epochs)
    with pytest.raises(SpecificationError, match=r"density None, not 0\.5"):
        train(SparseTraining(**{**QUICK, "epochs": 2, "density": 0.5}), tmp_path, data=data, progress=False)


def test_two_runs_in_one_folder_do_not_mix(tmp_path, monkeypatch):
    data = load("digits").subset(200, 50)
    specification = SparseTraining(**{**QUICK, "epochs": 1})
    original, refused = training._epoch, []

    def meanwhile(*arguments):
        with pytest.raises(StoreBusyError, match="another process is training into"):
            train(specification, tmp_path, data=data, progress=False)
        refused.append(True)
        return original(*arguments)

    monkeypatch.setattr(training, "_epoch", meanwhile)
    train(specification, tmp_path, data=data, progress=False)
    assert refused == [True]


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    data = load("digits").subset(200, 50)
    left = [tmp_path / f".{CHECKPOINT}.1a2b.part", tmp_path / f"{LOG}.77.part"]
    for path in (*left, tmp_path / "mine.part"):
        path.touch()
    train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=data, progress=False)
    assert [path.name for path in tmp_path.glob("*.part")] == ["mine.part"]


def test_what_the_log_does_not_know_the_table_of_epochs_does_not_know_either(tmp_path):
    trained = train(SparseTraining(sparse="set:0.1", **QUICK), tmp_path / "set", progress=False)
    assert trained.evolution.log["neurons_chosen"].null_count() == 4
    assert trained.epochs["neurons_chosen"].null_count() == 4
    trained = train(SparseTraining(sparse="censet:0.5:censet", **QUICK), tmp_path / "censet", progress=False)
    assert trained.epochs["neurons_chosen"].to_list() == trained.evolution.log["neurons_chosen"].to_list()
    assert trained.epochs["neurons_chosen"][0] > 0


@pytest.mark.parametrize(("topology", "wanted"), [("", "uniform"), ("uniform", "uniform"), ("erk", "erk")])
def test_a_density_in_the_place_of_epsilon(topology, wanted):
    data = load("digits").subset(50, 10)
    options = {**QUICK, "hidden": (200, 40)}
    model = SparseTraining(**options, density=0.2, topology=topology).build(data)
    shapes = [(200, 64), (40, 200)]
    for layer, share in zip((model[0], model[3]), DENSITIES[wanted](shapes, 0.2), strict=True):
        assert layer.density == pytest.approx(share, rel=0.1)


def test_without_a_density_nothing_is_other_than_before():
    data = load("digits").subset(50, 10)
    torch.manual_seed(0)
    model = SparseTraining(**QUICK).build(data)
    torch.manual_seed(0)
    again = SparseTraining(**QUICK, topology="erdos-renyi").build(data)
    same = sparsify(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 24), nn.Linear(24, 10)), 5.0, seed=0)
    for one, other in zip((model[0], model[3], again[0], again[3]), (same[0], same[2]) * 2, strict=True):
        assert torch.equal(one.column, other.column)
        assert torch.equal(one.weight, other.weight)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sparse": "setz"}, UnknownNameError, "set"),
        ({"sparse": "set:0.1/rnd"}, UnknownNameError, "random"),
        ({"sparse": "set:1.0"}, SpecificationError, "between 0 and 1"),
        ({"dataset": "digit"}, UnknownNameError, "digits"),
        ({"schedule": "sometimes"}, UnknownNameError, "sometimes"),
        ({"values": "ones"}, UnknownNameError, "ones"),
        ({"epochs": 0}, SpecificationError, "epochs=0.*at least 1"),
        ({"batch_size": 0}, SpecificationError, "batch_size=0"),
        ({"dropout": 1.0}, SpecificationError, "dropout"),
        ({"learning_rate": 0.0}, SpecificationError, "learning_rate"),
        ({"learning_rate": float("inf")}, SpecificationError, "learning_rate"),
        ({"momentum": -1}, SpecificationError, "momentum=-1"),
        ({"momentum": 2}, SpecificationError, "momentum=2"),
        ({"seed": -1}, SpecificationError, "seed=-1"),
        ({"seed": 2**64}, SpecificationError, "seed="),
        ({"hidden": (0, 3)}, SpecificationError, r"hidden=\(0, 3\)"),
        ({"hidden": (-5,)}, SpecificationError, "hidden="),
        ({"epsilon": 0.0}, SpecificationError, "epsilon=0.0"),
        ({"density": 1.5}, SpecificationError, "density=1.5"),
        ({"topology": "erk"}, SpecificationError, "'erk' takes density="),
        ({"topology": "erdos-renyi", "density": 0.5}, SpecificationError, "takes epsilon"),
        ({"topology": "ring"}, UnknownNameError, "ring"),
        ({"epsilon": 1000.0}, SpecificationError, r"epsilon=1000.*'0' \(64 to 32\), '3' \(32 to 24\).*below 13\.71"),
    ],
)
def test_settings_out_of_range_leave_no_folder(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        train(SparseTraining(**{**QUICK, **options}), tmp_path / "made", progress=False)
    assert not list(tmp_path.iterdir())


def test_the_largest_seed_trains(tmp_path):
    data = load("digits").subset(100, 50)
    train(SparseTraining(**{**QUICK, "epochs": 1, "seed": 2**64 - 1}), tmp_path, data=data, progress=False)


def test_a_folder_that_cannot_be_made_is_named_before_data_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "load", lambda *_: pytest.fail("data were read"))
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableFileError, match="file is a file, no folder"):
        train(SparseTraining(**QUICK), tmp_path / "file" / "made", progress=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hidden", "0,3"], "hidden=(0, 3)"),
        (["--hidden", "-5"], "hidden=(-5,)"),
        (["--momentum", "2"], "momentum=2.0"),
        (["--momentum", "-1"], "momentum=-1.0"),
        (["--seed", "-1"], "seed=-1"),
        (["--epsilon", "1000"], "every layer is left dense"),
        (["--epsilon", "5", "--density", "0.2"], "--epsilon and --density"),
        (["--topology", "erk"], "'erk' takes density="),
        (["--values", "ones"], "ones"),
        (["--dataset", "nope"], "nope"),
    ],
)
def test_the_command_names_what_makes_no_sense(tmp_path, words, said):
    result = CliRunner().invoke(app, ["train", *words, "--out", str(tmp_path / "made")])
    assert result.exit_code == 2
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: ")
    assert said in line
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_the_command_says_where_the_model_is(tmp_path):
    words = ["train", "--hidden", "16", "--epsilon", "3", "--epochs", "1", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert str(tmp_path / MODEL) in result.stdout.replace("\n", "")
    assert (tmp_path / MODEL).exists()


def test_the_command_sets_values_and_density(tmp_path):
    words = ["train", "--hidden", "16", "--epochs", "1", "--density", "0.3", "--topology", "erk", "--values", "glorot"]
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    told = told_by(tmp_path / CHECKPOINT)["specification"]
    assert (told["density"], told["topology"], told["values"], told["epsilon"]) == (0.3, "erk", "glorot", 20.0)
